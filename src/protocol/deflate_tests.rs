//! What goes out: which messages, with how much memory, and that any agreed window is enough for it.

use super::*;
use crate::protocol::inflate::Inflater;

const SETTINGS: Settings = Settings { level: 1, window_bits: 15 };

fn inflate(inflater: &mut Inflater, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut take = |chunk: &[u8]| {
        out.extend_from_slice(chunk);
        Ok(())
    };
    inflater.push(message, &mut take).expect("it was compressed here");
    inflater.finish(&mut take).expect("it was compressed here");
    out
}

/// Bytes that cannot be compressed.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(len)
    .collect()
}

#[test]
fn with_context_takeover_a_message_refers_to_the_one_before() {
    let mut compressor = Compressor::new(SETTINGS, true);
    let mut inflater = Inflater::default();
    let message = noise(500);
    let first = compressor.compress(&message, <[u8]>::to_vec).expect("a state must not be lost");
    let second = compressor.compress(&message, <[u8]>::to_vec).expect("a state must not be lost");
    assert!(first.len() > 500 && second.len() < 50, "{} {}", first.len(), second.len());
    assert_eq!(inflate(&mut inflater, &first), message);
    assert_eq!(inflate(&mut inflater, &second), message);
}

#[test]
fn without_context_takeover_each_message_stands_for_itself() {
    let message = b"the same, the same, the same, the same".repeat(20);
    let (mut one, mut other) = (Compressor::new(SETTINGS, false), Compressor::new(SETTINGS, false));
    let first = one.compress(&message, <[u8]>::to_vec);
    assert_eq!(other.compress(&message, <[u8]>::to_vec), first);
    assert_eq!(one.compress(&message, <[u8]>::to_vec), first);
    assert!(!one.is_in_use());
    assert_eq!(inflate(&mut Inflater::default(), &first.expect("it becomes shorter")), message);
}

#[test]
fn what_does_not_become_shorter_goes_out_as_it_is() {
    assert_eq!(Compressor::new(SETTINGS, false).compress(&noise(1000), <[u8]>::len), None);
    assert_eq!(Compressor::new(SETTINGS, true).compress(&[], <[u8]>::len), None);
    assert_eq!(Compressor::new(SETTINGS, false).compress(&[], <[u8]>::len), None);
}

#[test]
fn memory_is_claimed_with_the_first_message() {
    let mut compressor = Compressor::new(SETTINGS, true);
    assert!(!compressor.is_in_use());
    compressor.compress(b"x", |_| ());
    assert!(compressor.is_in_use());
    compressor.forget();
    assert!(!compressor.is_in_use());
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes when interpreted")]
fn large_messages_come_back_at_every_level() {
    let mut message = noise(300_000);
    message.extend(b"and something that can be compressed ".repeat(10_000));
    for level in 0..=9 {
        let mut compressor = Compressor::new(Settings { level, window_bits: 15 }, true);
        let mut inflater = Inflater::default();
        for _ in 0..2 {
            let compressed = compressor.compress(&message, <[u8]>::to_vec).expect("a state must not be lost");
            assert_eq!(inflate(&mut inflater, &compressed), message, "level {level}");
        }
    }
    OUTPUT.with_borrow(|output| assert!(output.len() <= KEEP));
}

#[test]
fn a_higher_level_compresses_more() {
    let numbers: Vec<String> = (0..2000).map(|i| (i * i).to_string()).collect();
    let message = numbers.join(", ");
    let len = |level| {
        let mut compressor = Compressor::new(Settings { level, window_bits: 15 }, true);
        compressor.compress(message.as_bytes(), <[u8]>::len).expect("a state must not be lost")
    };
    let (none, least, most) = (len(0), len(1), len(9));
    assert!(message.len() <= none && most < least && least < none, "{none} {least} {most}");
}
