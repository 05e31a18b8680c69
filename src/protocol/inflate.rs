//! Compressed messages back to what they were (RFC 7692 section 7.2.2).
//!
//! The memory of one [`Inflater`] is the same whatever window was agreed, about 40 KiB, so it always has the largest one: it
//! takes what was made with any. Those that keep nothing from message to message are shared by all connections of a thread.

use std::cell::RefCell;
use std::fmt;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::error::PeerError;

/// What a sender has cut off the end of each message.
pub(super) const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The most bytes that come out at a time.
pub(super) const CHUNK: usize = 64 * 1024;

/// Inflaters that a thread keeps although no message needs them.
const MAX_IDLE: usize = 4;

/// zlib's logarithm of the largest window.
const WINDOW_BITS: u8 = 15;

thread_local! {
    #[expect(clippy::vec_box, reason = "a receiver has its inflater in a box, which goes from one to the next with it")]
    static IDLE: RefCell<Vec<Box<Inflater>>> = const { RefCell::new(Vec::new()) };
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The state in which the compressed messages of a peer are inflated, one after the other.
pub struct Inflater {
    stream: Inflate,
    /// Nothing has been taken since the beginning of the message, or since a block that was marked as the last one.
    fresh: bool,
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").field("fresh", &self.fresh).finish_non_exhaustive()
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self { stream: Inflate::new(false, WINDOW_BITS), fresh: true }
    }
}

impl Inflater {
    /// One that knows nothing of earlier messages: an idle one of this thread if there is one.
    #[must_use]
    pub fn lend() -> Box<Self> {
        IDLE.with_borrow_mut(Vec::pop).unwrap_or_default()
    }

    /// Leaves it to other messages on this thread.
    pub fn give_back(mut self: Box<Self>) {
        self.restart();
        IDLE.with_borrow_mut(|idle| {
            if idle.len() < MAX_IDLE {
                idle.push(self);
            }
        });
    }

    fn restart(&mut self) {
        self.stream.reset(false);
        self.fresh = true;
    }

    /// Inflates the next piece of a message and passes on what it contains, at most 64 KiB at a time.
    ///
    /// # Errors
    /// [`PeerError::InvalidDeflate`], and what `take` says. It must not be used any more then.
    pub fn push(
        &mut self,
        piece: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), PeerError>,
    ) -> Result<(), PeerError> {
        OUTPUT.with_borrow_mut(|output| {
            output.resize(CHUNK, 0);
            self.inflate(piece, output, &mut take)
        })
    }

    /// Ends the message; as [`Inflater::push`].
    ///
    /// # Errors
    /// As [`Inflater::push`].
    pub fn finish(&mut self, take: impl FnMut(&[u8]) -> Result<(), PeerError>) -> Result<(), PeerError> {
        // Behind a last block (section 7.2.3.4), or in an empty payload, there is no block that the tail could complete.
        if !self.fresh {
            self.push(&TAIL, take)?;
            self.fresh = true;
        }
        Ok(())
    }

    fn inflate(
        &mut self,
        mut input: &[u8],
        output: &mut [u8],
        take: &mut impl FnMut(&[u8]) -> Result<(), PeerError>,
    ) -> Result<(), PeerError> {
        loop {
            let (total_in, total_out) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(input, output, InflateFlush::SyncFlush);
            let consumed = (self.stream.total_in() - total_in) as usize;
            let produced = (self.stream.total_out() - total_out) as usize;
            input = &input[consumed..];
            self.fresh &= consumed == 0;
            if produced > 0 {
                take(&output[..produced])?;
            }
            if status.map_err(|_| PeerError::InvalidDeflate)? == Status::StreamEnd {
                // Whatever follows begins anew, without what came before.
                self.restart();
            } else if input.is_empty() && produced < output.len() {
                return Ok(());
            } else if consumed == 0 && produced == 0 {
                // It has all it can ask for, and does not go on.
                return if input.is_empty() { Ok(()) } else { Err(PeerError::InvalidDeflate) };
            }
            if input.is_empty() && self.fresh {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
#[path = "inflate_tests.rs"]
mod tests;
