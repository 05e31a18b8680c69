//! Writes the seeds that every target begins with: `cargo run --example seeds` in `fuzz/`.
//!
//! They are few and small; they only spare the fuzzer to find out by itself what a handshake looks like.

use std::path::Path;
use std::{fs, io};

use bytes::BytesMut;
use websocket::protocol::close::CloseFrame;
use websocket::protocol::encoder::{put_frame, put_message};
use websocket::protocol::header::MAX_CONTROL_PAYLOAD;
use websocket::protocol::{FrameHeader, OpCode};

type Seed = (&'static str, Vec<u8>);

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let masked = streams(Some([0x37, 0xfa, 0x21, 0x3d]));
    let plain = streams(None);
    // The server of `differential` is chosen by an even number, its client by an odd one.
    let differential = [with_prefix(&[0], &masked), with_prefix(&[1], &plain)];
    let differential = differential.into_iter().zip(["server", "client"]).flat_map(|(seeds, role)| {
        seeds.into_iter().map(move |(name, bytes)| (format!("{role}-{name}"), bytes))
    });
    write(&root, "header_codec", owned(headers()))?;
    // The usual limits, assembled; cut after 1, 2, 3 and 5 bytes.
    let prefix = [0x3F, 0, 1, 2, 3, 5];
    write(&root, "frames_server", owned(with_prefix(&prefix, &masked)))?;
    write(&root, "frames_client", owned(with_prefix(&prefix, &plain)))?;
    write(&root, "handshake_request", owned(requests()))?;
    write(&root, "handshake_head", owned(with_prefix(&[1, 30, 200, 7], &requests())))?;
    write(&root, "handshake_response", owned(responses()))?;
    write(&root, "header_grammars", owned(grammars()))?;
    write(&root, "differential", differential.collect())?;
    write(&root, "negotiation", owned(extension_headers()))?;
    write(&root, "inflate", owned(with_prefix(&[1, 1, 2, 3, 5], &deflated())))?;
    write(&root, "deflate", noise())?;
    // These two decode their input by the crate `arbitrary`, for which no bytes are wrong.
    write(&root, "handshake_encode", noise())?;
    write(&root, "session", noise())?;
    write(&root, "tls", owned(tls()))
}

fn owned(seeds: Vec<Seed>) -> Vec<(String, Vec<u8>)> {
    seeds.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

fn write(root: &Path, target: &str, seeds: Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let directory = root.join(target);
    fs::create_dir_all(&directory)?;
    for (name, bytes) in seeds {
        fs::write(directory.join(name), bytes)?;
    }
    Ok(())
}

fn with_prefix(prefix: &[u8], seeds: &[Seed]) -> Vec<Seed> {
    seeds.iter().map(|(name, bytes)| (*name, [prefix, bytes].concat())).collect()
}

fn headers() -> Vec<Seed> {
    vec![
        ("text", vec![0x81, 0x05]),
        ("masked", vec![0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d]),
        ("length-16", vec![0x82, 0x7E, 0x01, 0x00]),
        ("length-64", vec![0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4]),
        ("ping", vec![0x89, 0x05]),
        ("compressed", vec![0xC1, 0x07]),
        ("not-minimal", vec![0x82, 0x7E, 0x00, 0x7D]),
        ("out-of-range", vec![0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0]),
    ]
}

/// Sizes of pieces, who speaks, what is changed, and what is sent.
fn tls() -> Vec<Seed> {
    let hello =
        [&[22, 3, 1, 0, 47, 1, 0, 0, 43, 3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 0x01, 1, 0, 0, 0]].concat();
    vec![
        ("client-hello", [&[0, 0, 0, 0, 0, 0, 0, 0][..], &hello].concat()),
        ("long-record", [&[1, 2, 3, 4, 0, 0, 0, 0][..], &[23, 3, 3, 0xff, 0xff, 1, 2, 3]].concat()),
        ("plain-http", [&[1, 2, 3, 4, 0, 0, 0, 0][..], b"GET / HTTP/1.1\r\n\r\n"].concat()),
        ("session", [&[50, 7, 200, 0, 1, 0, 0, 0][..], b"a message"].concat()),
        ("changed", [&[50, 7, 200, 0, 1, 1, 0x20, 4][..], b"a message"].concat()),
    ]
}

/// Streams of frames that all carry this mask, or none.
fn streams(mask: Option<[u8; 4]>) -> Vec<Seed> {
    let header = |opcode, fin| FrameHeader { fin, rsv: 0, opcode, mask, len: 0 };
    let stream = |make: &dyn Fn(&mut BytesMut)| {
        let mut out = BytesMut::new();
        make(&mut out);
        out.to_vec()
    };
    let close = |code: Option<u16>| {
        stream(&move |out| {
            let mut payload = [0; MAX_CONTROL_PAYLOAD];
            let len =
                CloseFrame { code, reason: "bye" }.encode(&mut payload).expect("a Close that may be sent");
            put_frame(out, header(OpCode::Close, true), &payload[..len]);
        })
    };
    vec![
        ("text", stream(&|out| put_frame(out, header(OpCode::Text, true), "Grüße 🙂".as_bytes()))),
        ("empty", stream(&|out| put_frame(out, header(OpCode::Binary, true), b""))),
        (
            "fragments",
            stream(&|out| {
                put_frame(out, header(OpCode::Text, false), "\u{20AC}".as_bytes().split_at(2).0);
                put_frame(out, header(OpCode::Ping, true), b"between");
                put_frame(out, header(OpCode::Continuation, false), b"");
                put_frame(out, header(OpCode::Continuation, true), "\u{20AC}".as_bytes().split_at(2).1);
                put_frame(out, header(OpCode::Pong, true), b"");
            }),
        ),
        ("many", stream(&|out| put_message(out, OpCode::Binary, &[7; 40], Some(9), || mask, |_| {}))),
        ("length-16", stream(&|out| put_frame(out, header(OpCode::Binary, true), &[1; 130]))),
        ("close", close(Some(1000))),
        ("close-empty", close(None)),
        ("close-short", stream(&|out| put_frame(out, header(OpCode::Close, true), &[3]))),
        ("close-1005", stream(&|out| put_frame(out, header(OpCode::Close, true), &[3, 0xED]))),
        ("not-utf-8", stream(&|out| put_frame(out, header(OpCode::Text, true), &[b'a', 0xED, 0xA0, 0x80]))),
        ("continuation", stream(&|out| put_frame(out, header(OpCode::Continuation, true), b"of nothing"))),
        (
            "too-long",
            vec![0x82, if mask.is_some() { 0xFF } else { 0x7F }, 0, 0, 0, 0, 0, 2, 0, 0, 1, 2, 3, 4],
        ),
    ]
}

fn requests() -> Vec<Seed> {
    let request = |lines: &str| {
        format!(
            "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{lines}\r\n"
        )
        .into_bytes()
    };
    vec![
        ("rfc-6455", request("Origin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n")),
        ("extensions", request("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")),
        ("cookies", request("Cookie: a=1; __proto__=2; c=%20\r\n")),
        ("twice", request("Host: other.example.com\r\nSec-WebSocket-Key: x\r\n")),
        ("frames-behind", [request(""), vec![0x81, 0x80, 0, 0, 0, 0]].concat()),
        ("version-7", b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 7\r\n\r\n".to_vec()),
        ("post", b"POST / HTTP/1.1\r\n\r\n".to_vec()),
        ("http-1.0", b"GET / HTTP/1.0\r\n\r\n".to_vec()),
    ]
}

fn responses() -> Vec<Seed> {
    let response = |lines: &str| {
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{lines}\r\n"
        )
        .into_bytes()
    };
    vec![
        ("rfc-6455", response("Sec-WebSocket-Protocol: chat\r\n")),
        ("no-protocol", response("")),
        ("accept-in-another-case", response("").to_ascii_lowercase()),
        ("extension", response("Sec-WebSocket-Extensions: permessage-deflate\r\n")),
        ("refusal", b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec()),
        ("no-phrase", b"HTTP/1.1 101\r\n\r\n".to_vec()),
    ]
}

/// Eight bits of preferences, two windows, and a header.
fn extension_headers() -> Vec<Seed> {
    let headers = vec![
        ("bare", b"permessage-deflate".to_vec()),
        ("browser", b"permessage-deflate; client_max_window_bits".to_vec()),
        ("all", b"permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=9".to_vec()),
        ("two", b"permessage-deflate; server_max_window_bits=8, permessage-deflate".to_vec()),
        ("quoted", b"x-y, permessage-deflate; client_max_window_bits=\"15\"".to_vec()),
        ("twice", b"permessage-deflate; server_max_window_bits=9; server_max_window_bits=9".to_vec()),
    ];
    with_prefix(&[0, 15, 15], &headers)
}

/// The examples of RFC 7692 section 7.2.3, and blocks that are not allowed.
fn deflated() -> Vec<Seed> {
    vec![
        ("hello", vec![0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]),
        ("context", vec![0xf2, 0x00, 0x11, 0x00, 0x00]),
        ("stored", vec![0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]),
        ("last-block", vec![0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]),
        ("two-blocks", vec![0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00]),
        ("reserved-block", vec![0x06]),
        ("dynamic", vec![0x05, 0xc0, 0x81, 0x08, 0x00, 0x00, 0x00, 0x00, 0x20, 0x7f, 0xeb, 0x03]),
    ]
}

fn grammars() -> Vec<Seed> {
    vec![
        ("list", b"keep-alive, Upgrade,, x".to_vec()),
        (
            "extensions",
            b"permessage-deflate; client_max_window_bits=\"15\"; server_no_context_takeover, x-y".to_vec(),
        ),
        ("quoted", br#"a; b="c, d; \"e\\" , f"#.to_vec()),
        ("cookies", b"a=1; b=\"x y\",c=%C3%BC; __proto__=%zz; d".to_vec()),
        ("key", b"dGhlIHNhbXBsZSBub25jZQ==".to_vec()),
    ]
}

/// Bytes of a small generator, in several lengths.
fn noise() -> Vec<(String, Vec<u8>)> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    [16, 64, 128, 256, 512, 1024]
        .map(|len| (format!("noise-{len}"), (0..len).map(|_| next()).collect()))
        .to_vec()
}
