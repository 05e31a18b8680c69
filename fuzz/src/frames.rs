//! The receiving half against the model, however its input comes apart.

use websocket::protocol::header::{MAX_CONTROL_PAYLOAD, MAX_HEADER_LEN};
use websocket::protocol::receiver::Receiver;
use websocket::protocol::{Config, Event, Limits, MaskPolicy, Role, TextForm};

use crate::feed::{pieces, receive, take};
use crate::model::{Outcome, Understood, understand_fragments};

/// As [`check`], for a server.
pub fn check_as_server(data: &[u8]) {
    check(Role::Server, data);
}

/// As [`check`], for a client.
pub fn check_as_client(data: &[u8]) {
    check(Role::Client, data);
}

/// The limits and modes that one byte stands for.
fn config(role: Role, choice: u8) -> Config {
    let limit = |bits: u8| [0, 1, 125, 300, 1 << 16, 1 << 20, u64::MAX, 17][usize::from(bits & 7)];
    Config {
        mask: if choice & 0x80 == 0 { role.into() } else { MaskPolicy::Either },
        // What is usual is most frequent.
        max_frame_size: if choice & 0x07 == 7 { 1 << 16 } else { limit(choice) },
        max_message_size: if choice & 0x38 == 0x38 { 1 << 20 } else { limit(choice >> 3) },
        assemble: choice & 0x40 == 0,
        inflation: None,
        text: TextForm::Checked,
    }
}

/// The most frames of a message that one byte stands for.
fn max_fragments(choice: u8) -> u64 {
    [u64::MAX, u64::MAX, u64::MAX, 1, 2, 3, 7, u64::MAX][usize::from(choice & 7)]
}

/// The input is two bytes of configuration, four sizes of pieces and a stream.
///
/// # Panics
/// When the events are not those of the model, depend on where the stream is cut, come after the end, or when more is
/// kept than the limits allow.
fn check(role: Role, mut data: &[u8]) {
    let [choice, fragments] = take(&mut data);
    let sizes: [u8; 4] = take(&mut data);
    let config = config(role, choice);
    let limits = Limits { max_fragments: max_fragments(fragments), ..Limits::default() };
    let expected = understand_fragments(data, &config, limits.max_fragments);
    for sizes in [&[][..], &sizes[..]] {
        check_pieces(&config, limits, data, sizes, &expected);
    }
    let mut receiver = Receiver::new(config);
    receiver.limit(limits);
    let events = receive(&mut receiver, data);
    check_events(&events, &expected);
    assert_eq!(receiver.is_over(), expected.outcome != Outcome::Open);
}

fn check_pieces(config: &Config, limits: Limits, data: &[u8], sizes: &[u8], expected: &Understood) {
    let mut receiver = Receiver::new(*config);
    receiver.limit(limits);
    let limit = if config.assemble { config.max_message_size } else { config.max_frame_size };
    let bound = limit.saturating_add((MAX_CONTROL_PAYLOAD + MAX_HEADER_LEN) as u64);
    let (mut events, mut arrived) = (Vec::new(), 0);
    for piece in pieces(data, sizes) {
        arrived += piece.len();
        events.append(&mut receive(&mut receiver, piece));
        assert!(receiver.buffered() as u64 <= bound, "{} bytes kept of {bound}", receiver.buffered());
        assert!(receiver.buffered() <= arrived, "more is kept than has arrived");
    }
    check_events(&events, expected);
    if expected.outcome == Outcome::Open {
        // A header that is complete takes no room of its own, but the model does not tell which part of it is there.
        let (kept, pending) = (receiver.buffered(), expected.pending);
        assert!(kept <= pending, "{kept} bytes are kept where {pending} suffice");
    } else {
        assert_eq!(receiver.buffered(), 0, "nothing is kept after the end");
    }
}

/// Holds `events`, the last of which may be a failure, against what the model has understood.
pub(crate) fn check_events(events: &[Event<'static>], expected: &Understood) {
    let (events, code) = match events.split_last() {
        Some((Event::Failed(error), rest)) => (rest, Some(error.close_code())),
        _ => (events, None),
    };
    assert_eq!(events, &expected.events[..]);
    let expected = match expected.outcome {
        Outcome::Failed { code, .. } => Some(code),
        Outcome::Open | Outcome::Closed => None,
    };
    assert_eq!(code, expected, "the code of the failure");
}
