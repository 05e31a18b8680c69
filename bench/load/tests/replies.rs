//! A server that cheats must not pass: the load generator against servers that change, drop, add, reorder and retype
//! replies. Without these tests "every reply is checked" would be a claim.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// What the server does with message `n` (from 0) of a connection: the frames it sends for it.
type Behaviour = fn(n: usize, opcode: u8, payload: &[u8]) -> Vec<(u8, Vec<u8>)>;

fn honest(_: usize, opcode: u8, payload: &[u8]) -> Vec<(u8, Vec<u8>)> {
    vec![(0x80 | opcode, payload.to_vec())]
}

/// One reply, or the same one twice.
fn repeated(twice: bool, opcode: u8, payload: &[u8]) -> Vec<(u8, Vec<u8>)> {
    vec![(0x80 | opcode, payload.to_vec()); 1 + usize::from(twice)]
}

/// Runs the load generator against a server of its own.
fn load(behaviour: Behaviour, arguments: &[&str]) -> Output {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for socket in listener.incoming() {
            thread::spawn(move || serve(socket.unwrap(), behaviour));
        }
    });
    Command::new(env!("CARGO_BIN_EXE_websocket-load"))
        .args(["echo", "--warmup", "0", "--stall", "0.5", "--messages", "40", "--connections", "2"])
        .args(["--port", &port.to_string()])
        .args(arguments)
        .output()
        .unwrap()
}

/// The outcome as exit code and complaint.
fn outcome(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A blocking server that ends with the connection; whatever fails, fails the load generator as well.
fn serve(mut socket: TcpStream, behaviour: Behaviour) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    let digest =
        Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    let accept = STANDARD.encode(digest);
    write!(
        socket,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .unwrap();
    let mut number = 0;
    loop {
        let mut header = [0; 6];
        if socket.read_exact(&mut header).is_err() {
            return;
        }
        // Short frames only: that is all these tests send.
        let length = usize::from(header[1] & 0x7f);
        assert!(length < 126, "the tests use short messages");
        let mut payload = vec![0; length];
        socket.read_exact(&mut payload).unwrap();
        payload.iter_mut().enumerate().for_each(|(i, byte)| *byte ^= header[2 + i % 4]);
        if header[0] & 0x0f == 8 {
            send(&mut socket, 0x88, &payload);
            return;
        }
        for (first, payload) in behaviour(number, header[0] & 0x0f, &payload) {
            send(&mut socket, first, &payload);
        }
        number += 1;
    }
}

fn send(socket: &mut TcpStream, first: u8, payload: &[u8]) {
    let frame = [&[first, payload.len() as u8], payload].concat();
    // The load generator may have gone already: that is what it is meant to do.
    socket.write_all(&frame).ok();
}

#[test]
fn right_replies_pass_and_are_counted() {
    let output = load(honest, &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"messages\":40"), "{output:?}");
}

#[test]
fn replies_in_fragments_pass() {
    let output = load(
        |_, opcode, payload| {
            let (a, b) = payload.split_at(payload.len() / 2);
            vec![(opcode, a.to_vec()), (0x80, b.to_vec())]
        },
        &[],
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_changed_byte_fails() {
    let output = load(
        |number, opcode, payload| {
            let mut payload = payload.to_vec();
            payload[10] ^= u8::from(number == 11);
            honest(number, opcode, &payload)
        },
        &[],
    );
    let (code, complaint) = outcome(&output);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("differs"), "{complaint}");
}

#[test]
fn a_shortened_reply_fails() {
    let output =
        load(|number, opcode, payload| honest(number, opcode, &payload[usize::from(number == 5)..]), &[]);
    let (code, complaint) = outcome(&output);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("63 bytes instead of 64"), "{complaint}");
}

#[test]
fn a_reply_of_the_other_type_fails() {
    let output = load(|number, _, payload| honest(number, 2, payload), &[]);
    let (code, complaint) = outcome(&output);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("Binary instead of Text"), "{complaint}");
}

#[test]
fn a_missing_reply_fails() {
    let output = load(
        |number, opcode, payload| if number == 7 { vec![] } else { honest(number, opcode, payload) },
        &[],
    );
    let (code, complaint) = outcome(&output);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("missing"), "{complaint}");
}

#[test]
fn a_missing_reply_among_many_in_flight_fails() {
    let output = load(
        |number, opcode, payload| if number == 7 { vec![] } else { honest(number, opcode, payload) },
        &["--in-flight", "8"],
    );
    let (code, complaint) = outcome(&output);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("differs") || complaint.contains("missing"), "{complaint}");
}

#[test]
fn a_reply_too_many_fails() {
    let output = load(|number, opcode, payload| repeated(number == 3, opcode, payload), &[]);
    let (code, complaint) = outcome(&output);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("too many") || complaint.contains("differs"), "{complaint}");
}

#[test]
fn a_reply_too_many_after_the_last_one_fails() {
    // 40 messages over two connections: number 19 is the last of each.
    let output = load(|number, opcode, payload| repeated(number == 19, opcode, payload), &[]);
    let (code, complaint) = outcome(&output);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("too many"), "{complaint}");
}

#[test]
fn a_server_without_deflate_is_told_apart_from_a_wrong_one() {
    let (code, complaint) = outcome(&load(honest, &["--deflate"]));
    assert_eq!(code, Some(3));
    assert!(complaint.contains("permessage-deflate"), "{complaint}");
}

#[test]
fn a_server_that_lets_nobody_into_socket_io_fails() {
    let (code, complaint) = outcome(&load(honest, &["--payload", "socket.io"]));
    assert_eq!(code, Some(1));
    assert!(complaint.contains("only 0 of 2 connections"), "{complaint}");
}
