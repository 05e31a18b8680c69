//! The receiving half, transition by transition. Frames are written out by hand here, not by the encoder.

use super::*;
use crate::protocol::close::CloseError;
use crate::protocol::config::Role;
use crate::protocol::event::Closed;

pub(super) const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
pub(super) const CONT: u8 = 0x00;
pub(super) const TEXT: u8 = 0x01;
pub(super) const BINARY: u8 = 0x02;
pub(super) const CLOSE: u8 = 0x88;
pub(super) const PING: u8 = 0x89;
const PONG: u8 = 0x8A;
pub(super) const FIN: u8 = 0x80;

/// A header with the length in the fewest bytes.
pub(super) fn header(first: u8, len: u64, mask: Option<[u8; 4]>) -> Vec<u8> {
    let mask_bit = if mask.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    if len < 126 {
        bytes.push(mask_bit | len as u8);
    } else if let Ok(len) = u16::try_from(len) {
        bytes.push(mask_bit | 0x7E);
        bytes.extend(len.to_be_bytes());
    } else {
        bytes.push(mask_bit | 0x7F);
        bytes.extend(len.to_be_bytes());
    }
    bytes.extend(mask.into_iter().flatten());
    bytes
}

/// A masked frame, as a client sends it.
pub(super) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first, payload.len() as u64, Some(KEY));
    bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// An unmasked frame, as a server sends it.
pub(super) fn plain(first: u8, payload: &[u8]) -> Vec<u8> {
    [header(first, payload.len() as u64, None), payload.to_vec()].concat()
}

pub(super) fn config() -> Config {
    Config { mask: MaskPolicy::Either, ..Config::new(Role::Server) }
}

pub(super) fn frame_mode() -> Config {
    Config { assemble: false, ..config() }
}

/// Passes `bytes` in as one piece and returns what happened.
pub(super) fn receive(receiver: &mut Receiver, bytes: &[u8]) -> Vec<Event<'static>> {
    let mut bytes = bytes.to_vec();
    let mut input = &mut bytes[..];
    let mut events = Vec::new();
    while let Some(event) = receiver.receive(&mut input) {
        events.push(event.into_owned());
    }
    assert!(input.is_empty(), "all input is taken");
    events
}

/// What happens when `bytes` come in one piece; the same has to happen when they come one by one, or cut in two.
pub(super) fn events_of(config: Config, bytes: &[u8]) -> Vec<Event<'static>> {
    let whole = receive(&mut Receiver::new(config), bytes);
    let mut receiver = Receiver::new(config);
    let single: Vec<_> = bytes.iter().flat_map(|&byte| receive(&mut receiver, &[byte])).collect();
    assert_eq!(single, whole, "byte by byte: {bytes:x?}");
    for cut in 0..bytes.len().min(512) {
        let mut receiver = Receiver::new(config);
        let mut halves = receive(&mut receiver, &bytes[..cut]);
        halves.extend(receive(&mut receiver, &bytes[cut..]));
        assert_eq!(halves, whole, "cut at {cut}: {bytes:x?}");
    }
    whole
}

fn text(payload: &str) -> Event<'static> {
    Event::Message { kind: MessageKind::Text, payload: payload.as_bytes().to_vec().into() }
}

pub(super) fn binary(payload: &[u8]) -> Event<'static> {
    Event::Message { kind: MessageKind::Binary, payload: payload.to_vec().into() }
}

pub(super) fn ping(payload: &str) -> Event<'static> {
    Event::Ping(payload.as_bytes().to_vec().into())
}

fn pong(payload: &str) -> Event<'static> {
    Event::Pong(payload.as_bytes().to_vec().into())
}

fn closed(code: Option<u16>, reason: &str) -> Event<'static> {
    Event::Close(Ok(Closed { code, reason: reason.to_owned() }))
}

pub(super) fn frame(fin: bool, opcode: OpCode, payload: &[u8]) -> Event<'static> {
    let header = FrameHeader { fin, rsv: 0, opcode, mask: Some(KEY), len: payload.len() as u64 };
    Event::Frame { header, payload: payload.to_vec().into() }
}

pub(super) fn failed(error: PeerError) -> Vec<Event<'static>> {
    vec![Event::Failed(error)]
}

/// The name of a state as in the table of the module.
pub(super) fn state(receiver: &Receiver) -> &'static str {
    match receiver.state {
        State::Header => "Header",
        State::Payload { .. } => "Payload",
        State::Exceeded(_) => "Exceeded",
        State::Over => "Over",
    }
}

/// Checks one row of the table: what came `before` leads to state `from`; there, `input` leads to `to` and `events`.
#[track_caller]
fn row(
    config: Config,
    before: &[u8],
    from: &str,
    input: &[u8],
    to: &str,
    events: impl IntoIterator<Item = Event<'static>>,
) {
    let mut receiver = Receiver::new(config);
    let _ = receive(&mut receiver, before);
    assert_eq!(state(&receiver), from, "before the input");
    assert_eq!(receive(&mut receiver, input), events.into_iter().collect::<Vec<_>>());
    assert_eq!(state(&receiver), to, "after the input");
    assert_eq!(receiver.is_over(), to == "Over");
}

#[test]
fn every_row_of_the_state_table() {
    let config = config();
    let (bad_text, too_large) = (PeerError::InvalidUtf8, PeerError::FrameTooLarge(65_537));
    // header incomplete
    row(config, &[], "Header", &[], "Header", []);
    row(config, &[], "Header", &[FIN | TEXT], "Header", []);
    row(config, &[FIN | TEXT], "Header", &[0x85, KEY[0]], "Header", []);
    // two bytes that are not allowed here
    row(config, &[], "Header", &[FIN | CONT, 1], "Over", failed(PeerError::UnexpectedContinuation));
    row(config, &[FIN | CONT], "Header", &[1], "Over", failed(PeerError::UnexpectedContinuation));
    // a length that is not allowed here
    row(config, &[], "Header", &header(FIN | TEXT, 65_537, None), "Over", failed(too_large));
    row(config, &[], "Header", &[FIN | TEXT, 126, 0, 125], "Over", failed(PeerError::NonMinimalLength));
    // whole header
    row(config, &[], "Header", &header(FIN | TEXT, 5, Some(KEY)), "Payload", []);
    // part of the payload
    row(config, &header(FIN | TEXT, 5, None), "Payload", &[0xE2, 0x82], "Payload", []);
    row(config, &header(FIN | TEXT, 5, None), "Payload", &[0xE2, 0x28], "Over", failed(bad_text));
    // rest of a data frame
    row(config, &header(TEXT, 2, None), "Payload", b"ab", "Header", []);
    row(config, &header(FIN | TEXT, 2, None), "Payload", b"ab", "Header", [text("ab")]);
    row(config, &header(FIN | TEXT, 2, None), "Payload", &[b'a', 0xC3], "Over", failed(bad_text));
    row(config, &header(FIN | BINARY, 2, None), "Payload", &[b'a', 0xC3], "Header", [binary(&[b'a', 0xC3])]);
    // rest of a control frame
    row(config, &header(PING, 2, None), "Payload", b"ab", "Header", [ping("ab")]);
    row(config, &header(PONG, 2, None), "Payload", b"ab", "Header", [pong("ab")]);
    row(config, &header(CLOSE, 2, None), "Payload", &[0x03, 0xE8], "Over", [closed(Some(1000), "")]);
    // no way out
    row(config, &masked(CLOSE, b""), "Over", &masked(FIN | TEXT, b"late"), "Over", []);
    row(config, &[0xFF, 0xFF], "Over", &masked(FIN | TEXT, b"late"), "Over", []);
}

#[test]
fn every_row_of_the_state_table_for_single_frames() {
    for (first, fin, opcode) in [
        (TEXT, false, OpCode::Text),
        (FIN | TEXT, true, OpCode::Text),
        (BINARY, false, OpCode::Binary),
        (FIN | BINARY, true, OpCode::Binary),
        (PING, true, OpCode::Ping),
        (PONG, true, OpCode::Pong),
        (CLOSE, true, OpCode::Close),
    ] {
        let bytes = masked(first, b"ab");
        let to = if opcode == OpCode::Close { "Over" } else { "Header" };
        row(frame_mode(), &bytes[..6], "Payload", &bytes[6..], to, [frame(fin, opcode, b"ab")]);
    }
    row(frame_mode(), &header(TEXT, 2, None), "Payload", &[0xFF], "Over", failed(PeerError::InvalidUtf8));
}

#[test]
fn two_bytes_suffice_to_refuse_a_bad_frame() {
    use PeerError as E;
    let required = Config { mask: MaskPolicy::Required, ..config() };
    let forbidden = Config { mask: MaskPolicy::Forbidden, ..config() };
    let fragment = plain(TEXT, b"Hel");
    let masked_fragment = masked(TEXT, b"Hel");
    let mut cases: Vec<(Config, &[u8], [u8; 2], PeerError)> = vec![
        (config(), &[], [FIN | CONT, 0], E::UnexpectedContinuation),
        (config(), &[], [CONT, 0], E::UnexpectedContinuation),
        (config(), &fragment, [FIN | TEXT, 0], E::ExpectedContinuation(1)),
        (config(), &fragment, [BINARY, 0], E::ExpectedContinuation(2)),
        (required, &[], [FIN | TEXT, 5], E::UnmaskedFrame),
        (required, &[], [PING, 0], E::UnmaskedFrame),
        (required, &masked_fragment, [FIN | CONT, 5], E::UnmaskedFrame),
        (forbidden, &[], [FIN | TEXT, 0x85], E::MaskedFrame),
        (forbidden, &[], [CLOSE, 0x80], E::MaskedFrame),
        (forbidden, &fragment, [FIN | CONT, 0x85], E::MaskedFrame),
    ];
    for control in [CLOSE, PING, PONG] {
        cases.push((config(), &[], [control & !FIN, 0], E::FragmentedControlFrame));
        cases.push((config(), &fragment, [control, 126], E::ControlFrameTooLong));
        cases.push((config(), &[], [control, 127], E::ControlFrameTooLong));
    }
    for opcode in (0x3..0x8).chain(0xB..0x10) {
        cases.push((config(), &[], [FIN | opcode, 0], E::ReservedOpcode(opcode)));
    }
    for rsv in 1..8 {
        cases.push((config(), &[], [FIN | rsv << 4 | TEXT, 0x85], E::ReservedBits(rsv)));
        cases.push((config(), &fragment, [rsv << 4 | CONT, 5], E::ReservedBits(rsv)));
        cases.push((config(), &[], [rsv << 4 | PING, 0], E::ReservedBits(rsv)));
    }
    for (config, before, head, error) in cases {
        for config in [config, Config { assemble: false, ..config }] {
            let mut receiver = Receiver::new(config);
            let _ = receive(&mut receiver, before);
            assert_eq!(receive(&mut receiver, &head[..1]), [], "one byte of {head:x?}");
            assert_eq!(receive(&mut receiver, &head[1..]), failed(error), "{head:x?}");
            let events = events_of(config, &[before, &head, b"whatever follows"].concat());
            assert_eq!(events.last(), Some(&Event::Failed(error)), "{head:x?}");
        }
    }
}

#[test]
fn a_length_that_is_not_minimal_is_refused_with_its_last_byte() {
    for (len, bytes) in [
        (125_u64, &[FIN | BINARY, 126, 0, 125][..]),
        (0, &[FIN | BINARY, 126, 0, 0]),
        (65_535, &[FIN | BINARY, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]),
        (5, &[FIN | BINARY, 127, 0, 0, 0, 0, 0, 0, 0, 5]),
    ] {
        let unlimited = Config { max_frame_size: u64::MAX, max_message_size: u64::MAX, ..config() };
        assert_eq!(events_of(unlimited, &bytes[..bytes.len() - 1]), [], "{len}");
        assert_eq!(events_of(unlimited, bytes), failed(PeerError::NonMinimalLength), "{len}");
    }
}

#[test]
fn a_length_with_its_highest_bit_set_is_refused() {
    let unlimited = Config { max_frame_size: u64::MAX, max_message_size: u64::MAX, ..config() };
    let bytes = [FIN | BINARY, 127, 0x80, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(events_of(unlimited, &bytes), failed(PeerError::LengthOutOfRange));
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes when interpreted")]
fn headers_and_payloads_may_be_split_anywhere() {
    for mask in [None, Some(KEY)] {
        for len in [0_usize, 1, 2, 125, 126, 127, 300, 65_535, 65_536] {
            let payload: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let mut bytes = header(FIN | BINARY, len as u64, mask);
            let header_len = bytes.len();
            let key = mask.unwrap_or_default();
            bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
            for cut in (0..=header_len + 9).chain(bytes.len().saturating_sub(3)..bytes.len()) {
                let (head, tail) = bytes.split_at(cut.min(bytes.len()));
                let mut receiver = Receiver::new(config());
                let mut events = receive(&mut receiver, head);
                events.extend(receive(&mut receiver, tail));
                assert_eq!(events, [binary(&payload)], "{len} bytes, cut at {cut}");
            }
        }
    }
    // and every byte on its own, with another message behind
    let stream =
        [masked(FIN | TEXT, "ä€😀".as_bytes()), masked(FIN | BINARY, &[0xFF; 200]), plain(PING, b"?")]
            .concat();
    assert_eq!(events_of(config(), &stream), [text("ä€😀"), binary(&[0xFF; 200]), ping("?")]);
}

#[test]
fn what_arrives_whole_is_borrowed_and_what_does_not_is_owned() {
    let is_borrowed = |config: Config, before: &[u8], bytes: &[u8]| {
        let mut receiver = Receiver::new(config);
        let _ = receive(&mut receiver, before);
        let mut bytes = bytes.to_vec();
        match receiver.receive(&mut &mut bytes[..]) {
            Some(
                Event::Message { payload, .. }
                | Event::Frame { payload, .. }
                | Event::Ping(payload)
                | Event::Pong(payload),
            ) => matches!(payload, Cow::Borrowed(_)),
            other => panic!("{other:?}"),
        }
    };
    for first in [FIN | TEXT, FIN | BINARY, PING, PONG] {
        let bytes = masked(first, b"Hello");
        for config in [config(), frame_mode()] {
            assert!(is_borrowed(config, &[], &bytes), "{first:x}");
            assert!(is_borrowed(config, &bytes[..6], &bytes[6..]), "the header came before: {first:x}");
            assert!(
                !is_borrowed(config, &bytes[..7], &bytes[7..]),
                "a byte of payload came before: {first:x}"
            );
        }
    }
    // the last fragment is put behind the others; as a frame of its own it stays where it is
    let (first, last) = (masked(TEXT, b"Hel"), masked(FIN | CONT, b"lo"));
    assert!(!is_borrowed(config(), &first, &last));
    assert!(is_borrowed(frame_mode(), &first, &last));
}

#[test]
fn control_frames_may_come_between_fragments() {
    let stream = [
        masked(TEXT, b"Hel"),
        masked(PING, b"1"),
        masked(CONT, b"lo"),
        masked(PONG, &[]),
        masked(PING, &[]),
        masked(FIN | CONT, b"!"),
        masked(FIN | BINARY, b"next"),
    ]
    .concat();
    assert_eq!(
        events_of(config(), &stream),
        [ping("1"), pong(""), ping(""), text("Hello!"), binary(b"next")]
    );
}

#[test]
fn fragments_and_messages_may_be_empty() {
    let stream = [
        masked(TEXT, b""),
        masked(CONT, b""),
        masked(CONT, b"a"),
        masked(FIN | CONT, b""),
        masked(BINARY, b""),
        masked(FIN | CONT, b""),
        masked(FIN | TEXT, b""),
        masked(FIN | BINARY, b""),
    ]
    .concat();
    assert_eq!(events_of(config(), &stream), [text("a"), binary(b""), text(""), binary(b"")]);
}

#[test]
fn a_close_frame_ends_receiving_and_bytes_after_it_are_ignored() {
    for (payload, close) in [
        (&[][..], Ok((None, ""))),
        (&[0x03, 0xE8], Ok((Some(1000), ""))),
        (b"\x0F\xA0tsch\xC3\xBC\xC3\x9F", Ok((Some(4000), "tschüß"))),
        (&[0x03], Err(CloseError::TruncatedCode)),
        (&[0x03, 0xED], Err(CloseError::InvalidCode(1005))),
        (&[0x03, 0xE8, 0xFF], Err(CloseError::InvalidReason)),
    ] {
        let close = Event::Close(close.map(|(code, reason)| Closed { code, reason: reason.to_owned() }));
        let stream =
            [masked(FIN | TEXT, b"last"), masked(CLOSE, payload), masked(PING, b""), vec![0xFF; 9]].concat();
        assert_eq!(events_of(config(), &stream), [text("last"), close]);
        let stream = [masked(CLOSE, payload), masked(FIN | TEXT, b"late")].concat();
        assert_eq!(events_of(frame_mode(), &stream), [frame(true, OpCode::Close, payload)]);
    }
}

#[test]
fn frames_are_handed_out_one_by_one_when_they_are_not_assembled() {
    let stream = [
        masked(TEXT, b"Hel"),
        masked(PING, b"?"),
        masked(CONT, b""),
        masked(FIN | CONT, b"lo"),
        masked(FIN | BINARY, &[0xFF]),
        masked(PONG, b""),
    ]
    .concat();
    let expected = [
        frame(false, OpCode::Text, b"Hel"),
        frame(true, OpCode::Ping, b"?"),
        frame(false, OpCode::Continuation, b""),
        frame(true, OpCode::Continuation, b"lo"),
        frame(true, OpCode::Binary, &[0xFF]),
        frame(true, OpCode::Pong, b""),
    ];
    assert_eq!(events_of(frame_mode(), &stream), expected);
}

#[test]
fn text_is_checked_across_frames() {
    let euro = "€".as_bytes();
    let split = [
        masked(TEXT, &euro[..1]),
        masked(PING, b""),
        masked(CONT, &euro[1..2]),
        masked(FIN | CONT, &euro[2..]),
    ];
    assert_eq!(events_of(config(), &split.concat()), [ping(""), text("€")]);
    assert!(matches!(events_of(frame_mode(), &split.concat())[..], [_, _, _, Event::Frame { .. }]));
    let expect_failure = |stream: &[Vec<u8>]| {
        for config in [config(), frame_mode()] {
            let events = events_of(config, &stream.concat());
            assert_eq!(events.last(), Some(&Event::Failed(PeerError::InvalidUtf8)), "{stream:x?}");
        }
    };
    // it goes on wrongly, it ends too early, in one frame or in several
    expect_failure(&[masked(TEXT, &euro[..1]), masked(CONT, b"a")]);
    expect_failure(&[masked(TEXT, &euro[..1]), masked(FIN | CONT, &euro[1..2])]);
    expect_failure(&[masked(TEXT, &euro[..2]), masked(FIN | CONT, b"")]);
    expect_failure(&[masked(FIN | TEXT, &euro[..2])]);
    expect_failure(&[masked(FIN | TEXT, &[0xC0, 0xAF])]);
    // binary is not text, in no frame of it
    let bytes = [masked(BINARY, &[0xFF]), masked(FIN | CONT, &[0xC0])].concat();
    assert_eq!(events_of(config(), &bytes), [binary(&[0xFF, 0xC0])]);
    // and a text after it starts afresh
    let stream = [masked(BINARY, &[0xE2]), masked(FIN | CONT, &[0x82]), masked(FIN | TEXT, b"ok")].concat();
    assert_eq!(events_of(config(), &stream), [binary(&[0xE2, 0x82]), text("ok")]);
}

#[test]
fn bad_text_fails_before_the_rest_of_its_frame_is_there() {
    let bytes = plain(FIN | TEXT, b"caf\xC3(........");
    assert_eq!(events_of(config(), &bytes[..6]), []);
    assert_eq!(events_of(config(), &bytes[..7]), failed(PeerError::InvalidUtf8));
}

#[test]
fn masks_are_required_forbidden_or_left_to_the_peer() {
    let (with, without) = (masked(FIN | TEXT, b"a"), plain(FIN | TEXT, b"a"));
    for (mask, bytes, events) in [
        (MaskPolicy::Required, &with, vec![text("a")]),
        (MaskPolicy::Required, &without, failed(PeerError::UnmaskedFrame)),
        (MaskPolicy::Forbidden, &with, failed(PeerError::MaskedFrame)),
        (MaskPolicy::Forbidden, &without, vec![text("a")]),
        (MaskPolicy::Either, &with, vec![text("a")]),
        (MaskPolicy::Either, &without, vec![text("a")]),
    ] {
        assert_eq!(events_of(Config { mask, ..config() }, bytes), events, "{mask:?}");
    }
    assert_eq!(Config::new(Role::Server).mask, MaskPolicy::Required);
    assert_eq!(Config::new(Role::Client).mask, MaskPolicy::Forbidden);
}

#[test]
fn frames_are_counted_from_their_header_on() {
    let mut receiver = Receiver::new(config());
    let bytes =
        [masked(TEXT, b"a"), masked(PING, b""), masked(FIN, b"b"), masked(FIN | BINARY, b"abc")].concat();
    let _ = receive(&mut receiver, &bytes[..bytes.len() - 3]);
    assert_eq!(receiver.frames(), 4);
}

#[test]
fn the_opcode_of_a_frame_that_may_not_come_within_a_message_is_named() {
    for opcode in 1..8 {
        let expected = failed(PeerError::ExpectedContinuation(opcode));
        assert_eq!(events_of(config(), &[masked(TEXT, b"a"), masked(FIN | opcode, b"b")].concat()), expected);
    }
    for opcode in 3..8 {
        assert_eq!(
            events_of(config(), &masked(FIN | opcode, b"b")),
            failed(PeerError::ReservedOpcode(opcode))
        );
    }
}

#[test]
fn one_that_is_over_takes_nothing() {
    let mut receiver = Receiver::over();
    assert!(receiver.is_over());
    assert_eq!(receive(&mut receiver, &masked(FIN | TEXT, b"late")), []);
    assert_eq!((receiver.frames(), receiver.buffered()), (0, 0));
}

#[test]
fn text_is_reported_as_bytes_for_programs_that_want_them() {
    let as_bytes =
        |payload: &[u8]| Event::Message { kind: MessageKind::TextBytes, payload: payload.to_vec().into() };
    let checked = Config { text: TextForm::CheckedBytes, ..config() };
    let unchecked = Config { text: TextForm::UncheckedBytes, ..config() };
    let good = [
        plain(FIN | TEXT, "Grüße".as_bytes()),
        plain(TEXT, b"a"),
        plain(FIN | CONT, b"b"),
        plain(FIN | BINARY, b"c"),
    ];
    for config in [checked, unchecked] {
        let events = events_of(config, &good.concat());
        assert_eq!(events, [as_bytes("Grüße".as_bytes()), as_bytes(b"ab"), binary(b"c")]);
    }
    for bad in [plain(FIN | TEXT, &[0xFF]), [plain(TEXT, &[0xC3]), plain(FIN | CONT, b"!")].concat()] {
        assert_eq!(events_of(checked, &bad), [Event::Failed(PeerError::InvalidUtf8)]);
        assert!(matches!(
            events_of(unchecked, &bad)[..],
            [Event::Message { kind: MessageKind::TextBytes, .. }]
        ));
    }
}
