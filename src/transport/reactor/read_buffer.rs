//! Memory that sockets are read into and that payloads stay in until JavaScript has seen them.
//!
//! It is a ring with one writer, the reactor, and one reader, the JavaScript thread. Positions count bytes from the
//! beginning of time; the ring holds those between `released` and `committed`:
//!
//! ```text
//!            released         committed
//!   ─────────┬────────────────┬──────────────┬─────
//!   writer's │ reader's       │ writer's     │ …
//! ```
//!
//! The writer hands out only memory beyond `committed`, and no further than a whole ring beyond `released`. The reader hands
//! out only memory between the two. So the two never see the same byte at a time, on whichever threads they are.

#![expect(
    unsafe_code,
    reason = "the memory belongs to a Buffer of JavaScript, which Rust knows by its address"
)]

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};

use crate::transport::sync::AtomicU64;

/// The most bytes that are read from one socket before the others have their turn.
pub(crate) const READ_LEN: usize = 64 * 1024;

#[derive(Debug, Default)]
struct Positions {
    committed: AtomicU64,
    released: AtomicU64,
}

/// A piece of the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) position: u64,
    pub(crate) len: u32,
}

/// The end that the reactor writes to.
#[derive(Debug)]
pub(crate) struct ReadBuffer {
    start: NonNull<u8>,
    len: usize,
    /// Nothing before this position is in use: here the writer has begun at the beginning of the ring again.
    restarted: u64,
    positions: Arc<Positions>,
}

// SAFETY: it is the only writer, and refers to memory that nobody else touches; see the module.
unsafe impl Send for ReadBuffer {}

/// The end that payloads are read from.
#[derive(Debug)]
pub(crate) struct ReceivedBytes {
    start: NonNull<u8>,
    len: usize,
    positions: Arc<Positions>,
}

/// Memory for one read.
pub(crate) struct Reserved<'a> {
    pub(crate) position: u64,
    pub(crate) memory: &'a mut [u8],
}

/// The two ends of a ring.
///
/// # Safety
/// `start` must be the beginning of `len` bytes of initialised memory that stays where it is as long as one of the ends is
/// used. Only JavaScript may look at it besides, and only at what the second end has handed out.
pub(crate) unsafe fn ring(start: NonNull<u8>, len: usize) -> (ReadBuffer, ReceivedBytes) {
    let positions = Arc::<Positions>::default();
    let writer = ReadBuffer { start, len, restarted: 0, positions: Arc::clone(&positions) };
    (writer, ReceivedBytes { start, len, positions })
}

impl ReadBuffer {
    /// Memory for one read, [`READ_LEN`] bytes; `None` when there is none until more is released.
    pub(crate) fn reserve(&mut self) -> Option<Reserved<'_>> {
        let len = self.len as u64;
        let mut position = self.positions.committed.load(Acquire);
        let released = self.positions.released.load(Acquire);
        let offset = position % len;
        if released == position {
            // Nothing is in use: the beginning of the ring is most likely in the processor's cache.
            position += (len - offset) % len;
            self.restarted = position;
        } else if len - offset < READ_LEN as u64 {
            // A read does not go around the end.
            position += len - offset;
        }
        if position + READ_LEN as u64 > released.max(self.restarted) + len {
            return None;
        }
        // SAFETY: `READ_LEN` bytes fit between this place and the end of the memory, as was seen to above.
        let start = unsafe { self.start.add((position % len) as usize) };
        // SAFETY: the memory is valid by the promise of `ring`. It lies beyond `committed` and less than a ring beyond
        // `released`, so the reader does not touch it, and `self` is borrowed as long as it is used.
        let memory = unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), READ_LEN) };
        Some(Reserved { position, memory })
    }

    /// Leaves the first `len` bytes of what was reserved at `position` to the reader, and returns the position behind them.
    /// What is reserved and not committed is handed out again.
    pub(crate) fn commit(&mut self, position: u64, len: usize) -> u64 {
        let end = position + len as u64;
        self.positions.committed.store(end, Release);
        end
    }
}

impl ReceivedBytes {
    /// The bytes of a span that was committed and not released.
    ///
    /// # Panics
    /// When it was not, or was released already: a fault of ours.
    pub(crate) fn get(&self, span: Span) -> &[u8] {
        let (len, end) = (span.len as usize, span.position + u64::from(span.len));
        let offset = self.offset(span);
        assert!(
            self.positions.released.load(Acquire) <= span.position
                && end <= self.positions.committed.load(Acquire)
                && offset + len <= self.len,
            "a payload lies in memory that was given back"
        );
        // SAFETY: within the memory, as was checked.
        let start = unsafe { self.start.add(offset) };
        // SAFETY: the memory is valid by the promise of `ring`, and the writer does not touch it before `release`, for which
        // `self` must not be borrowed any more.
        unsafe { std::slice::from_raw_parts(start.as_ptr(), len) }
    }

    /// Where in the memory a span begins.
    pub(crate) fn offset(&self, span: Span) -> usize {
        (span.position % self.len as u64) as usize
    }

    /// Gives back everything before a position.
    pub(crate) fn release(&mut self, position: u64) {
        if position > self.positions.released.load(Acquire) {
            self.positions.released.store(position, Release);
        }
    }
}

#[cfg(test)]
pub(in crate::transport) fn test_ring(len: usize) -> (ReadBuffer, ReceivedBytes) {
    let memory = Box::leak(vec![0_u8; len].into_boxed_slice());
    // SAFETY: the memory is never freed, and nobody else knows it.
    unsafe { ring(NonNull::from(&mut memory[0]), len) }
}

#[cfg(all(test, loom))]
#[path = "read_buffer_loom_tests.rs"]
mod loom_tests;

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is committed is read as it was written, however reads, commits and releases follow each other.
        #[test]
        fn what_is_committed_stays_until_it_is_released(steps in proptest::collection::vec((1..=READ_LEN, 0..4_usize), 1..60)) {
            let (mut writer, mut reader) = test_ring(4 * READ_LEN);
            let mut waiting = VecDeque::new();
            for (round, (len, release)) in steps.into_iter().enumerate() {
                let byte = round as u8;
                if let Some(Reserved { position, memory }) = writer.reserve() {
                    memory[..len].fill(byte);
                    let end = writer.commit(position, len);
                    waiting.push_back((Span { position, len: len as u32 }, byte, end));
                } else {
                    prop_assert!(!waiting.is_empty(), "an empty ring has room");
                }
                for (span, byte, _) in &waiting {
                    prop_assert!(reader.get(*span).iter().all(|it| it == byte));
                }
                for _ in 0..release {
                    if let Some((.., end)) = waiting.pop_front() {
                        reader.release(end);
                    }
                }
            }
        }
    }

    #[test]
    fn a_full_ring_has_no_room_until_something_is_released() {
        let (mut writer, mut reader) = test_ring(2 * READ_LEN);
        let mut ends = Vec::new();
        while let Some(Reserved { position, .. }) = writer.reserve() {
            ends.push(writer.commit(position, READ_LEN));
        }
        assert_eq!(ends.len(), 2);
        reader.release(ends[0]);
        assert!(writer.reserve().is_some());
    }

    #[test]
    fn an_empty_ring_has_room_for_a_whole_ring_wherever_it_was_left() {
        let (mut writer, mut reader) = test_ring(4 * READ_LEN);
        for _ in 0..3 {
            let mut end = 0;
            for round in 0..4 {
                let Reserved { position, .. } =
                    writer.reserve().unwrap_or_else(|| panic!("no room in round {round}"));
                end = writer.commit(position, 100);
            }
            reader.release(end);
        }
    }

    #[test]
    fn an_empty_ring_begins_at_its_beginning_again() {
        let (mut writer, mut reader) = test_ring(2 * READ_LEN);
        for _ in 0..5 {
            let position = writer.reserve().expect("it is empty").position;
            let end = writer.commit(position, 100);
            assert_eq!(reader.offset(Span { position, len: 100 }), 0);
            reader.release(end);
        }
    }

    #[test]
    #[should_panic(expected = "given back")]
    fn released_memory_is_not_handed_out() {
        let (mut writer, mut reader) = test_ring(2 * READ_LEN);
        let position = writer.reserve().expect("it is empty").position;
        let end = writer.commit(position, 10);
        reader.release(end);
        let _ = reader.get(Span { position, len: 10 });
    }
}
