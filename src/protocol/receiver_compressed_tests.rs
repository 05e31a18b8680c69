//! The receiving half where permessage-deflate was agreed on (RFC 7692 section 6).

use super::tests::{CONT, FIN, KEY, PING, TEXT, events_of, failed, masked, plain};
use super::*;
use crate::protocol::config::Role;
use crate::protocol::deflate::{Compressor, Settings};

const RSV1: u8 = 0x40;

/// "Hello" (section 7.2.3.1).
const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

fn config() -> Config {
    Config {
        inflation: Some(Inflation::ContextTakeover),
        mask: MaskPolicy::Either,
        ..Config::new(Role::Server)
    }
}

fn text(payload: &str) -> Event<'static> {
    Event::Message { kind: MessageKind::Text, payload: payload.as_bytes().to_vec().into() }
}

fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(Settings { level: 6, window_bits: 15 }, true);
    compressor.compress(payload, <[u8]>::to_vec).expect("with context takeover every message is compressed")
}

#[test]
fn rsv1_marks_a_compressed_message_and_each_message_decides_anew() {
    let stream =
        [masked(FIN | RSV1 | TEXT, &HELLO), masked(FIN | TEXT, b"plain"), masked(FIN | RSV1 | TEXT, &HELLO)];
    assert_eq!(events_of(config(), &stream.concat()), [text("Hello"), text("plain"), text("Hello")]);
}

#[test]
fn only_the_first_frame_of_a_fragmented_message_has_rsv1_and_control_frames_may_come_between() {
    let first = plain(RSV1 | TEXT, &HELLO[..3]);
    let stream =
        [first.clone(), plain(PING, b"p"), plain(CONT, &[]), plain(FIN | CONT, &HELLO[3..])].concat();
    assert_eq!(events_of(config(), &stream), [Event::Ping(b"p".into()), text("Hello")]);
    for misplaced in [plain(RSV1 | CONT, &HELLO[3..]), plain(RSV1 | PING, b"")] {
        let stream = [first.clone(), misplaced].concat();
        assert_eq!(events_of(config(), &stream), failed(PeerError::MisplacedRsv1));
    }
    // without an agreement, and for the other bits, it stays as it was
    let nothing_agreed = Config { inflation: None, ..config() };
    assert_eq!(
        events_of(nothing_agreed, &plain(FIN | RSV1 | TEXT, &HELLO)),
        failed(PeerError::ReservedBits(RSV1 >> 4))
    );
    for bits in [0x10, 0x20, 0x30, 0x50, 0x60, 0x70] {
        assert_eq!(
            events_of(config(), &plain(FIN | bits | TEXT, &HELLO)),
            failed(PeerError::ReservedBits(bits >> 4))
        );
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes when interpreted")]
fn what_a_message_contains_counts_against_the_limit_not_what_it_takes_on_the_wire() {
    let limited = Config { max_message_size: 1000, ..config() };
    let just = compressed(&[b'a'; 1000]);
    assert_eq!(events_of(limited, &plain(FIN | RSV1 | TEXT, &just)), [text(&"a".repeat(1000))]);
    let more = compressed(&[b'a'; 1001]);
    assert_eq!(events_of(limited, &plain(FIN | RSV1 | TEXT, &more)), failed(PeerError::MessageTooLarge));
    // a compressed message may be longer than what it contains
    let padded = [[0x00, 0x00, 0x00, 0xff, 0xff].repeat(300), HELLO.to_vec()].concat();
    assert_eq!(events_of(limited, &plain(FIN | RSV1 | TEXT, &padded)), [text("Hello")]);
}

#[test]
fn text_is_checked_as_it_is_inflated() {
    // The rest of the message, which would make it too large, is not looked at.
    let bad = compressed(&[b"caf\xc3\x28".to_vec(), vec![b'a'; 2000]].concat());
    let limited = Config { max_message_size: 1000, ..config() };
    assert_eq!(events_of(limited, &plain(RSV1 | TEXT, &bad)), failed(PeerError::InvalidUtf8));
    let cut = compressed("€".as_bytes().split_last().expect("three bytes").1);
    assert_eq!(events_of(config(), &plain(FIN | RSV1 | TEXT, &cut)), failed(PeerError::InvalidUtf8));
}

#[test]
fn frames_that_are_not_assembled_are_handed_out_inflated_and_without_rsv1() {
    let frames = Config { assemble: false, max_message_size: 100, ..config() };
    let stream = [masked(RSV1 | TEXT, &HELLO[..4]), masked(FIN | CONT, &HELLO[4..])].concat();
    let events = events_of(frames, &stream);
    let mut inflated = Vec::new();
    for (event, opcode) in events.iter().zip([OpCode::Text, OpCode::Continuation]) {
        let Event::Frame { header, payload } = event else { panic!("{event:?}") };
        assert_eq!((header.rsv, header.opcode, header.mask), (0, opcode, Some(KEY)));
        assert_eq!(header.len, payload.len() as u64);
        inflated.extend_from_slice(payload);
    }
    assert_eq!((events.len(), &inflated[..]), (2, &b"Hello"[..]));
    let bomb = compressed(&[b'a'; 101]);
    assert_eq!(events_of(frames, &masked(RSV1 | TEXT, &bomb)), failed(PeerError::MessageTooLarge));
}

#[test]
fn memory_is_held_as_long_as_it_was_agreed() {
    let receive = |inflation, bytes: &[u8]| {
        let mut receiver = Receiver::new(Config { inflation: Some(inflation), ..config() });
        assert!(receiver.inflater.is_none());
        let mut bytes = bytes.to_vec();
        let mut input = &mut bytes[..];
        while receiver.receive(&mut input).is_some() {}
        receiver.inflater.is_some()
    };
    let whole = plain(FIN | RSV1 | TEXT, &HELLO);
    let part = plain(RSV1 | TEXT, &HELLO[..2]);
    let bad = plain(FIN | RSV1 | TEXT, &[0x07]);
    assert!(receive(Inflation::ContextTakeover, &whole));
    assert!(!receive(Inflation::EachAlone, &whole));
    assert!(receive(Inflation::EachAlone, &part));
    assert!(!receive(Inflation::ContextTakeover, &plain(FIN | TEXT, b"never compressed")));
    assert!(!receive(Inflation::ContextTakeover, &bad));
}

/// Receives `stream` in reads of `len` bytes, lightly, and what is left each time as another thread would. Returns the
/// events, and how many bytes were left in all.
fn lightly(config: Config, stream: &[u8], len: usize) -> (Vec<Event<'static>>, usize) {
    let mut receiver = Receiver::new(config);
    let (mut events, mut left) = (Vec::new(), 0);
    for read in stream.chunks(len) {
        let mut read = read.to_vec();
        let mut input = &mut read[..];
        receiver.arrived(input.len(), Instant::now);
        while let Some(event) = receiver.receive_lightly(&mut input) {
            events.push(event.into_owned());
        }
        left += input.len();
        while let Some(event) = receiver.receive(&mut input) {
            events.push(event.into_owned());
        }
    }
    (events, left)
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes when interpreted")]
fn what_takes_long_to_inflate_is_left_to_others_and_comes_to_the_same() {
    let limit = Config { max_message_size: u64::MAX, max_frame_size: u64::MAX, ..config() };
    let pattern = |len: usize| (0..len).map(|at| b'a' + (at * at % 23) as u8).collect::<Vec<_>>();
    let large = compressed(&pattern(1_000_000));
    let (first, second) = large.split_at(large.len() / 3);
    let stream = [
        masked(FIN | TEXT, b"before"),
        masked(RSV1 | TEXT, first),
        masked(PING, b"p"),
        masked(FIN | CONT, second),
        masked(FIN | TEXT, b"after"),
    ]
    .concat();
    let whole = events_of(limit, &stream);
    assert_eq!(whole.len(), 4);
    for len in [100, 5000, 1 << 16, stream.len()] {
        let (events, left) = lightly(limit, &stream, len);
        assert_eq!(events, whole, "reads of {len} bytes");
        assert!(left > 0 && left < stream.len(), "{left} of {} bytes", stream.len());
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes when interpreted")]
fn nothing_is_left_of_messages_that_are_small_or_not_compressed() {
    let limit = Config { max_message_size: u64::MAX, max_frame_size: u64::MAX, ..config() };
    let small = masked(FIN | RSV1 | TEXT, &compressed(&[b'x'; 10_000]));
    assert_eq!(lightly(limit, &small, 1 << 16).1, 0);
    let plain = masked(FIN | TEXT, &vec![b'x'; 3_000_000]);
    assert_eq!(lightly(limit, &plain, 1 << 16).1, 0);
    // each read begins anew
    let each_alone = Config { inflation: Some(Inflation::EachAlone), ..limit };
    let many = masked(FIN | RSV1 | TEXT, &compressed(&vec![b'x'; 200_000])).repeat(20);
    let len = many.len() / 20;
    assert_eq!(lightly(each_alone, &many, len).1, 0);
    assert!(lightly(each_alone, &many, many.len()).1 > 0, "small bombs in one read are a large one");
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes when interpreted")]
fn a_bomb_is_left_to_others_before_it_has_gone_off() {
    let limit = Config { max_message_size: 64 << 20, max_frame_size: u64::MAX, ..config() };
    let bomb = masked(FIN | RSV1 | TEXT, &compressed(&vec![b'x'; 32 << 20]));
    let mut receiver = Receiver::new(limit);
    let mut bytes = bomb.clone();
    let mut input = &mut bytes[..];
    receiver.arrived(input.len(), Instant::now);
    assert_eq!(receiver.receive_lightly(&mut input), None);
    assert!(receiver.buffered() < 5 << 20, "{} bytes are inflated", receiver.buffered());
    assert!(
        matches!(receiver.receive(&mut input), Some(Event::Message { payload, .. }) if payload.len() == 32 << 20)
    );
}

#[test]
fn what_compression_has_saved_is_known() {
    let mut receiver = Receiver::new(config());
    let mut bytes = [masked(FIN | RSV1 | TEXT, &HELLO), masked(FIN | TEXT, b"plain")].concat().repeat(3);
    let mut input = &mut bytes[..];
    while receiver.receive(&mut input).is_some() {}
    assert_eq!(receiver.compressed_bytes(), 3 * HELLO.len() as u64);
}
