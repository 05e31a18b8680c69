//! Receiving what takes long to inflate.
//!
//! The receiver goes with the input and comes back with the events. Nothing else of the connection is read meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Work;
use crate::protocol::receiver::Receiver;
use crate::protocol::{Event, PeerError};

/// Bytes of messages after which the work stops, however much input is left: a few bytes of it can become a thousand times
/// as many.
const ENOUGH: usize = 256 * 1024;

/// What a receiver has left when it was to receive lightly.
pub(crate) struct Receive {
    pub(crate) receiver: Receiver,
    pub(crate) input: Vec<u8>,
}

/// What has happened, in order.
pub(crate) struct Received {
    pub(crate) receiver: Receiver,
    pub(crate) events: Vec<Event<'static>>,
    /// What is left of the input, for another [`Receive`] when the events have been delivered.
    pub(crate) rest: Vec<u8>,
}

impl Work for Receive {
    type Done = Received;

    fn run(self) -> Received {
        let Self { mut receiver, mut input } = self;
        let mut events = Vec::new();
        let mut made = 0;
        let whole = catch_unwind(AssertUnwindSafe(|| {
            let mut rest = &mut input[..];
            while made < ENOUGH
                && let Some(event) = receiver.receive(&mut rest)
            {
                if let Event::Message { payload, .. } | Event::Frame { payload, .. } = &event {
                    made += payload.len();
                }
                events.push(event.into_owned());
            }
            rest.len()
        }));
        let Ok(left) = whole else {
            // A fault of ours: the connection is over, and the others go on.
            events.push(Event::Failed(PeerError::InvalidDeflate));
            return Received { receiver: Receiver::over(), events, rest: Vec::new() };
        };
        // A receiver that was stopped by the budget may have all its input and no event for it yet; it is asked again then.
        let rest = if receiver.is_over() { Vec::new() } else { input.split_off(input.len() - left) };
        Received { receiver, events, rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::encoder;
    use crate::protocol::{Compressor, Config, Inflation, OpCode, Role};

    /// Frames of `count` messages that inflate to 256 KiB each.
    fn frames(count: usize) -> Vec<u8> {
        let mut compressor =
            Compressor::new(crate::protocol::deflate::Settings { level: 6, window_bits: 15 }, false);
        let mut out = bytes::BytesMut::new();
        for _ in 0..count {
            compressor.compress(&vec![b'a'; ENOUGH], |payload| {
                encoder::put_compressed_message(&mut out, OpCode::Text, payload, None, || None);
            });
        }
        out.to_vec()
    }

    #[test]
    fn the_work_stops_when_enough_has_come_out_and_goes_on_with_the_rest() {
        let config = Config { inflation: Some(Inflation::EachAlone), ..Config::new(Role::Client) };
        let (mut receiver, mut input) = (Receiver::new(config), frames(5));
        let mut messages = 0;
        let mut rounds = 0;
        while !input.is_empty() {
            let done = Receive { receiver, input }.run();
            assert!(done.events.len() <= 2, "no more than the budget at a time");
            messages += done.events.len();
            (receiver, input) = (done.receiver, done.rest);
            rounds += 1;
        }
        assert_eq!(messages, 5);
        assert_eq!(rounds, 5);
    }
}
