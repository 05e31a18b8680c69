//! Compressing a large message.
//!
//! The compressor goes with the message and comes back with the result, so nothing else can be compressed by it meanwhile;
//! what else is to be sent by the connection waits in JavaScript.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Work;
use crate::protocol::Compressor;

/// A message and what compresses it.
pub(crate) struct Compress {
    pub(crate) compressor: Compressor,
    pub(crate) payload: Vec<u8>,
}

/// What has become of it.
pub(crate) struct Outcome {
    pub(crate) compressor: Compressor,
    pub(crate) payload: Vec<u8>,
    pub(crate) compressed: bool,
}

impl Work for Compress {
    type Done = Outcome;

    fn run(self) -> Outcome {
        let Self { mut compressor, payload } = self;
        // Should it fail: the message goes out as it is, and nothing refers to it.
        match catch_unwind(AssertUnwindSafe(|| compressor.compress(&payload, <[u8]>::to_vec))) {
            Ok(Some(payload)) => return Outcome { compressor, payload, compressed: true },
            Ok(None) => {}
            Err(_) => compressor.forget(),
        }
        Outcome { compressor, payload, compressed: false }
    }
}
