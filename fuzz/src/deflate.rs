//! permessage-deflate (RFC 7692): negotiation, inflating what a peer sends, deflating what it gets.

use arbitrary::{Arbitrary, Unstructured};
use bytes::BytesMut;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use websocket::handshake::deflate::{AnswerError, Parameters, Preferences, accept, check_answer, offer};
use websocket::handshake::extensions;
use websocket::protocol::config::Inflation;
use websocket::protocol::deflate::{Compressor, Settings};
use websocket::protocol::entropy::MaskKeys;
use websocket::protocol::inflate::Inflater;
use websocket::protocol::receiver::Receiver;
use websocket::protocol::{Config, Connection, Event, MessageKind, PeerError, Role};

use crate::feed::{pieces, receive, take};

/// The four bytes that a sender leaves out (section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

/// The input is preferences and an extension header, which is taken as a client's offer and as a server's answer.
///
/// # Panics
/// When a server agrees to what was not offered or not wanted, when our client does not understand our server, or when an
/// answer that breaks the rules passes.
pub fn check_negotiation(mut data: &[u8]) {
    let [flags, server_bits, client_bits] = take(&mut data);
    let wanted = Preferences {
        server_no_context_takeover: flags & 1 != 0,
        client_no_context_takeover: flags & 2 != 0,
        server_max_window_bits: 8 + server_bits % 8,
        client_max_window_bits: 8 + client_bits % 8,
    };
    let header: String = data.iter().map(|&byte| char::from(byte)).collect();
    let extensions = extensions::parse(&header);
    let offers: Vec<Parameters> = extensions
        .iter()
        .filter(|extension| extension.name.eq_ignore_ascii_case("permessage-deflate"))
        .filter_map(|extension| Parameters::parse(&extension.params).ok())
        .collect();

    let answer = accept(&header, &wanted);
    assert_eq!(answer.is_some(), !offers.is_empty(), "the first offer that means something is taken");
    if let (Some(answer), Some(offered)) = (answer, offers.first()) {
        assert_eq!(Parameters::from_header(&answer.to_string()), Some(answer), "{answer}");
        assert_eq!(check_answer(&answer.to_string(), offered), Ok(Some(answer)), "{answer} to {offered}");
        assert!(answer.server_no_context_takeover || !wanted.server_no_context_takeover);
        assert!(answer.server_window_bits() <= wanted.server_max_window_bits);
        assert!(
            (8..=15).contains(&answer.server_window_bits())
                && (8..=15).contains(&answer.client_window_bits())
        );
    }

    let ours = offer(&wanted);
    assert_eq!(Parameters::from_header(&ours.to_string()), Some(ours));
    match check_answer(&header, &ours) {
        Ok(None) => assert!(extensions.is_empty()),
        Ok(Some(agreed)) => {
            assert_eq!((extensions.len(), offers.first()), (1, Some(&agreed)));
            assert!(agreed.server_no_context_takeover || !wanted.server_no_context_takeover);
            assert!(agreed.server_window_bits() <= wanted.server_max_window_bits);
            assert!(
                agreed.client_window_bits() <= wanted.client_max_window_bits
                    || agreed.client_max_window_bits.is_none()
            );
        }
        Err(AnswerError::UnexpectedExtension(name)) => {
            assert!(!name.eq_ignore_ascii_case("permessage-deflate"));
        }
        Err(_) => assert!(!extensions.is_empty()),
    }
    let theirs = Preferences { server_max_window_bits: 8 + flags % 8, ..Preferences::default() };
    let answer = accept(&ours.to_string(), &theirs).expect("our offer means something");
    assert_eq!(
        check_answer(&answer.to_string(), &ours),
        Ok(Some(answer)),
        "our client understands our server"
    );
}

/// What a message contains, or that it was refused; at most `limit` bytes.
fn inflated<'p>(pieces: impl Iterator<Item = &'p [u8]>, limit: usize) -> Result<Vec<u8>, PeerError> {
    let mut out = Vec::new();
    let mut take = |chunk: &[u8]| {
        out.extend_from_slice(chunk);
        if out.len() > limit { Err(PeerError::MessageTooLarge) } else { Ok(()) }
    };
    let mut inflater = Inflater::default();
    for piece in pieces {
        inflater.push(piece, &mut take)?;
    }
    inflater.finish(&mut take)?;
    Ok(out)
}

/// The same with another implementation of RFC 1951; `None` when that refuses it.
fn inflated_by_another(message: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut input: &[u8] = &[message, &TAIL].concat();
    let (mut all, mut out) = (Vec::new(), vec![0; limit + 1]);
    // A block that is marked as the last one ends a stream; what follows begins another (section 7.2.3.4).
    while !input.is_empty() {
        let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF
            | inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
        let (status, taken, len) = decompress(&mut DecompressorOxide::new(), input, &mut out, 0, flags);
        all.extend_from_slice(&out[..len]);
        input = &input[taken..];
        match status {
            TINFLStatus::Done => {}
            TINFLStatus::NeedsMoreInput => return Some(all),
            _ => return None,
        }
    }
    Some(all)
}

/// The input is a limit, four sizes of pieces and the payload of a compressed message.
///
/// # Panics
/// When what comes out depends on where the payload is cut, is more than the limit (and one chunk), or is not what another
/// implementation makes of it.
pub fn check_inflate(mut data: &[u8]) {
    let [choice] = take(&mut data);
    let sizes: [u8; 4] = take(&mut data);
    let limit = [100, 1 << 16, 1 << 20, 10][usize::from(choice & 3)];
    let whole = inflated(std::iter::once(data), limit);
    for sizes in [&[][..], &sizes[..]] {
        assert_eq!(
            inflated(pieces(data, sizes), limit).ok(),
            whole.as_ref().ok().cloned(),
            "in pieces of {sizes:?}"
        );
    }
    if let Ok(message) = &whole
        && let Some(other) = inflated_by_another(data, limit)
    {
        assert_eq!(*message, other);
    }
    check_received(data, limit, &sizes, whole.ok());
}

/// The same payload in a frame: the message, or a failure with the right code.
fn check_received(payload: &[u8], limit: usize, sizes: &[u8], expected: Option<Vec<u8>>) {
    let inflation = Some(if limit == 100 { Inflation::ContextTakeover } else { Inflation::EachAlone });
    let config = Config { max_message_size: limit as u64, inflation, ..Config::new(Role::Client) };
    let mut frame = BytesMut::new();
    websocket::protocol::encoder::put_compressed_message(
        &mut frame,
        websocket::protocol::OpCode::Binary,
        payload,
        Some(64),
        || None,
    );
    let mut receiver = Receiver::new(config);
    let mut events = Vec::new();
    for piece in pieces(&frame, sizes) {
        events.append(&mut receive(&mut receiver, piece));
        assert!(receiver.buffered() <= limit + 256, "{} bytes kept of {limit}", receiver.buffered());
    }
    match (&events[..], expected) {
        ([Event::Message { payload, .. }], Some(expected)) => assert_eq!(payload.to_vec(), expected),
        ([Event::Failed(error)], None) => assert!(matches!(error.close_code(), 1007 | 1009), "{error}"),
        (events, expected) => panic!("{events:?} instead of {expected:?}"),
    }
}

/// Messages, and how they are compressed.
#[derive(Debug, Arbitrary)]
struct Sent {
    level: u8,
    window_bits: u8,
    context_takeover: bool,
    threshold: Option<u8>,
    fragments: Option<u8>,
    masked: bool,
    messages: Vec<(Vec<u8>, u8)>,
    sizes: [u8; 4],
}

/// The input is settings of a compressor and messages. They arrive as they were sent, in frames that another implementation
/// understands.
///
/// # Panics
/// When they do not.
pub fn check_deflate(data: &[u8]) {
    let Ok(sent) = Sent::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let (role, peer) = if sent.masked { (Role::Client, Role::Server) } else { (Role::Server, Role::Client) };
    let settings = Settings { level: sent.level % 10, window_bits: 8 + sent.window_bits % 8 };
    let inflation = if sent.context_takeover { Inflation::ContextTakeover } else { Inflation::EachAlone };
    let mut sender = Connection::new(role, Config::new(role), sent.fragments.map(usize::from));
    let compressor = Compressor::new(settings, sent.context_takeover);
    sender.compress_with(compressor, sent.threshold.map_or(0, usize::from));
    let mut keys = MaskKeys::new(|pool| pool.fill(0x5A));
    let (mut out, mut expected, mut budget) = (BytesMut::new(), Vec::new(), 200_000_usize);
    for (payload, times) in &sent.messages {
        let payload = payload.repeat(usize::from(*times).max(1).min(budget / payload.len().max(1)));
        budget -= payload.len();
        sender.send_message(&mut out, &mut keys, MessageKind::Binary, &payload).expect("it is open");
        let mut alone = Compressor::new(settings, false);
        alone.compress(&payload, |compressed| {
            assert!(compressed.len() < payload.len(), "it would not have become shorter");
            assert_eq!(inflated_by_another(compressed, payload.len()).as_ref(), Some(&payload));
        });
        expected.push(Event::Message { kind: MessageKind::Binary, payload: payload.into() });
    }
    let mut receiver =
        Receiver::new(Config { inflation: Some(inflation), max_frame_size: u64::MAX, ..Config::new(peer) });
    let mut events = Vec::new();
    for piece in pieces(&out, &sent.sizes) {
        events.append(&mut receive(&mut receiver, piece));
    }
    assert_eq!(events, expected);
    assert_eq!(receiver.buffered(), 0);
}
