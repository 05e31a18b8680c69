//! Large payloads, which are read into the memory that becomes their message.

use super::{Receiver, State};
use crate::protocol::event::Event;
use crate::protocol::mask::apply_mask;

/// A frame of which as much or more is missing is read into the memory that becomes its message; see [`Receiver::place`].
const LARGE: usize = 64 * 1024;

/// The most that is read at a time then.
const LARGE_PIECE: usize = 512 * 1024;

/// Where the next bytes of a large payload belong; see [`Receiver::place`].
#[derive(Debug)]
pub struct Place<'r> {
    /// What has arrived. The next bytes are to be appended.
    pub buffer: &'r mut Vec<u8>,
    /// How many may be appended at the most, for which there is capacity.
    pub room: usize,
}

impl Receiver {
    /// Where the next bytes belong when nothing but payload can come for a while, so that they need not be copied. After they
    /// were appended, [`Receiver::placed`] has to be called. `None` when bytes have to go through [`Receiver::receive`].
    pub fn place(&mut self) -> Option<Place<'_>> {
        let State::Payload { header, received } = self.state else { return None };
        let missing = usize::try_from(header.len - received).unwrap_or(usize::MAX);
        if missing < LARGE || self.compressed || header.opcode.is_control() {
            return None;
        }
        let wanted = missing.min(LARGE_PIECE);
        // Without memory, the error comes with the next bytes.
        self.reserve(wanted.min(self.buffer.len().max(LARGE)), &header).ok()?;
        let room = wanted.min(self.buffer.capacity() - self.buffer.len());
        Some(Place { buffer: &mut self.buffer, room })
    }

    /// Says that `count` bytes were appended where [`Receiver::place`] has said.
    #[must_use = "events must be handled"]
    pub fn placed(&mut self, count: usize) -> Option<Event<'static>> {
        match self.state {
            State::Exceeded(error) => Some(self.fail(error)),
            State::Payload { header, received } => {
                let arrived = received + count as u64;
                self.state = State::Payload { header, received: arrived };
                let mut buffer = std::mem::take(&mut self.buffer);
                let start = buffer.len() - count;
                if let Some(key) = header.mask {
                    apply_mask(&mut buffer[start..], key, received);
                }
                let last = arrived == header.len;
                let kind = self.data(header, &buffer[start..], last);
                self.buffer = buffer;
                match kind {
                    Ok(kind) => self.kept(header, kind, last),
                    Err(error) => Some(self.fail(error)),
                }
            }
            State::Header | State::Over => None,
        }
    }
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
