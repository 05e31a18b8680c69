//! Large payloads that are read into the place where they stay.

use proptest::prelude::*;

use super::super::tests::{
    self, BINARY, CONT, FIN, KEY, PING, TEXT, binary, failed, header, masked, receive,
};
use super::*;
use crate::protocol::{Config, PeerError};

/// Without limits on sizes.
fn config() -> Config {
    Config { max_frame_size: u64::MAX, max_message_size: u64::MAX, ..tests::config() }
}

/// Feeds `bytes` in pieces of these sizes (the last one again and again): into the receiver's place when it has one, as a read
/// from a socket does, else through `receive`. Returns what has happened, and how many bytes were placed.
fn feed(receiver: &mut Receiver, mut bytes: &[u8], sizes: &[usize]) -> (Vec<Event<'static>>, usize) {
    let mut events = Vec::new();
    let mut sizes = sizes.iter().copied().chain(std::iter::repeat(*sizes.last().unwrap_or(&LARGE)));
    let mut placed = 0;
    while !bytes.is_empty() && !receiver.is_over() {
        let size = sizes.next().unwrap_or(1).clamp(1, bytes.len());
        if let Some(Place { buffer, room }) = receiver.place() {
            assert!(room > 0 && room <= LARGE_PIECE && buffer.capacity() - buffer.len() >= room);
            let count = size.min(room);
            let (piece, rest) = bytes.split_at(count);
            buffer.extend_from_slice(piece);
            bytes = rest;
            placed += count;
            events.extend(receiver.placed(count));
        } else {
            let (piece, rest) = bytes.split_at(size);
            bytes = rest;
            events.extend(receive(receiver, piece));
        }
    }
    (events, placed)
}

/// Some payload, as text or not.
fn payload(len: usize, seed: u8) -> Vec<u8> {
    (0..len).map(|at| b'a' + (at as u8 ^ seed) % 26).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 64 }))]

    /// What is placed means what it means when it goes through `receive`.
    #[test]
    fn placed_bytes_are_the_same_message(
        frames in proptest::collection::vec((0..3 * LARGE, any::<bool>(), any::<u8>()), 1..4),
        sizes in proptest::collection::vec(1..2 * LARGE, 1..6),
        assemble in any::<bool>(),
        binary in any::<bool>(),
    ) {
        let first = if binary { BINARY } else { TEXT };
        let mut bytes = Vec::new();
        for (index, (len, with_ping, seed)) in frames.iter().enumerate() {
            let opcode = if index == 0 { first } else { CONT };
            let fin = if index + 1 == frames.len() { FIN } else { 0 };
            bytes.extend(masked(fin | opcode, &payload(*len, *seed)));
            if *with_ping {
                bytes.extend(masked(PING, b"ping"));
            }
        }
        bytes.extend(masked(FIN | TEXT, b"end"));
        let config = Config { assemble, ..config() };
        let whole = receive(&mut Receiver::new(config), &bytes);
        let (events, _) = feed(&mut Receiver::new(config), &bytes, &sizes);
        prop_assert_eq!(events, whole);
    }
}

#[test]
fn most_of_a_large_frame_is_placed() {
    let bytes = masked(FIN | BINARY, &payload(8 * LARGE, 1));
    let (events, placed) = feed(&mut Receiver::new(config()), &bytes, &[LARGE]);
    assert_eq!(events, [binary(&payload(8 * LARGE, 1))]);
    assert!(placed >= 6 * LARGE, "{placed}");
}

#[test]
fn memory_is_at_most_the_double_of_what_has_arrived() {
    let mut receiver = Receiver::new(config());
    let head = header(FIN | BINARY, 1 << 30, Some(KEY));
    assert_eq!(receive(&mut receiver, &head), []);
    let mut arrived = 0;
    for _ in 0..20 {
        let Place { buffer, room } = receiver.place().expect("a large frame");
        assert!(buffer.capacity() <= 2 * arrived.max(LARGE), "{} for {arrived}", buffer.capacity());
        buffer.extend(std::iter::repeat_n(0, room));
        arrived += room;
        assert_eq!(receiver.placed(room), None);
    }
}

#[test]
fn text_that_is_not_utf_8_fails_where_it_is_wrong() {
    let mut text = payload(3 * LARGE, 0);
    text[2 * LARGE] = 0xFF;
    let mut receiver = Receiver::new(config());
    let (events, _) = feed(&mut receiver, &masked(FIN | TEXT, &text), &[LARGE]);
    assert_eq!(events, failed(PeerError::InvalidUtf8));
    assert!(receiver.place().is_none());
}

#[test]
fn there_is_no_place_for_what_has_to_be_looked_at() {
    let mut receiver = Receiver::new(config());
    assert!(receiver.place().is_none(), "no frame");
    let small = masked(FIN | BINARY, &payload(LARGE - 1, 0));
    assert_eq!(receive(&mut receiver, &small[..100]), []);
    assert!(receiver.place().is_none(), "a small frame");
    let mut receiver = Receiver::new(config());
    assert_eq!(receive(&mut receiver, &header(PING, 125, Some(KEY))), []);
    assert!(receiver.place().is_none(), "a control frame");
}
