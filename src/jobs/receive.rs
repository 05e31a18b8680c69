//! Receiving what takes long to inflate.
//!
//! The receiver goes with the input and comes back with the events. Nothing else of the connection is read meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Work;
use crate::protocol::receiver::Receiver;
use crate::protocol::{Event, PeerError};

/// What a receiver has left when it was to receive lightly.
pub(crate) struct Receive {
    pub(crate) receiver: Receiver,
    pub(crate) input: Vec<u8>,
}

/// What has happened, in order.
pub(crate) struct Received {
    pub(crate) receiver: Receiver,
    pub(crate) events: Vec<Event<'static>>,
}

impl Work for Receive {
    type Done = Received;

    fn run(self) -> Received {
        let Self { mut receiver, mut input } = self;
        let mut events = Vec::new();
        let whole = catch_unwind(AssertUnwindSafe(|| {
            let mut input = &mut input[..];
            while let Some(event) = receiver.receive(&mut input) {
                events.push(event.into_owned());
            }
        }));
        if whole.is_err() {
            // A fault of ours: the connection is over, and the others go on.
            events.push(Event::Failed(PeerError::InvalidDeflate));
            receiver = Receiver::over();
        }
        Received { receiver, events }
    }
}
