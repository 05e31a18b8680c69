//! Limits on how much a peer sends in a time, and in how many pieces. They are off unless asked for.

use std::time::Instant;

use super::error::PeerError;
use super::header::FrameHeader;
use super::opcode::OpCode;

/// Limits on the number of things, where [`Config`](super::Config) limits sizes. `u64::MAX` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most frames a message may come in; more is refused with 1009.
    pub max_fragments: u64,
    /// The most messages within a second; more is refused with 1008.
    pub max_messages_per_second: u64,
    /// The most bytes within a second, headers and control frames included; more is refused with 1008.
    pub max_bytes_per_second: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_fragments: u64::MAX, max_messages_per_second: u64::MAX, max_bytes_per_second: u64::MAX }
    }
}

/// How much of the limits is used up.
#[derive(Debug)]
pub(super) struct Usage {
    limits: Limits,
    /// Frames of the message in progress.
    fragments: u64,
    messages: Bucket,
    bytes: Bucket,
    refilled: Option<Instant>,
}

impl Usage {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            fragments: 0,
            messages: Bucket::full(limits.max_messages_per_second),
            bytes: Bucket::full(limits.max_bytes_per_second),
            refilled: None,
        }
    }

    /// So many bytes have arrived at `now`.
    pub(super) fn arrived(&mut self, len: usize, now: Instant) -> Result<(), PeerError> {
        if let Some(before) = self.refilled.replace(now) {
            let seconds = now.saturating_duration_since(before).as_secs_f64();
            self.messages.refill(seconds);
            self.bytes.refill(seconds);
        }
        if self.bytes.take(len as f64) {
            Ok(())
        } else {
            Err(PeerError::TooManyBytes(self.limits.max_bytes_per_second))
        }
    }

    /// A frame with this header begins.
    pub(super) fn begins(&mut self, header: &FrameHeader) -> Result<(), PeerError> {
        if header.opcode.is_control() {
            return Ok(());
        }
        self.fragments = if header.opcode == OpCode::Continuation { self.fragments + 1 } else { 1 };
        if self.fragments > self.limits.max_fragments {
            return Err(PeerError::TooManyFragments(self.limits.max_fragments));
        }
        if header.fin && !self.messages.take(1.0) {
            return Err(PeerError::TooManyMessages(self.limits.max_messages_per_second));
        }
        Ok(())
    }
}

/// A token bucket that holds what one second allows.
#[derive(Debug)]
struct Bucket {
    rate: f64,
    level: f64,
}

impl Bucket {
    fn full(rate: u64) -> Self {
        let rate = if rate == u64::MAX { f64::INFINITY } else { rate as f64 };
        Self { rate, level: rate }
    }

    fn refill(&mut self, seconds: f64) {
        // Infinity times zero would be no number.
        if self.rate.is_finite() {
            self.level = (self.level + self.rate * seconds).min(self.rate);
        }
    }

    fn take(&mut self, amount: f64) -> bool {
        let enough = self.level >= amount;
        if enough {
            self.level -= amount;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn frame(opcode: OpCode, fin: bool) -> FrameHeader {
        FrameHeader { fin, rsv: 0, opcode, mask: None, len: 0 }
    }

    #[test]
    fn bytes_of_one_second_may_come_at_once_and_then_at_their_rate() {
        let mut usage = Usage::new(Limits { max_bytes_per_second: 1000, ..Limits::default() });
        let start = Instant::now();
        assert_eq!(usage.arrived(1000, start), Ok(()));
        assert_eq!(usage.arrived(1, start), Err(PeerError::TooManyBytes(1000)));
        assert_eq!(usage.arrived(500, start + Duration::from_millis(500)), Ok(()));
        assert_eq!(usage.arrived(1, start + Duration::from_millis(500)), Err(PeerError::TooManyBytes(1000)));
        // Silence saves nothing up beyond one second.
        let later = start + Duration::from_secs(3600);
        assert_eq!(usage.arrived(1001, later), Err(PeerError::TooManyBytes(1000)));
        assert_eq!(usage.arrived(1000, later), Ok(()));
    }

    #[test]
    fn messages_are_counted_by_their_last_frame() {
        let mut usage = Usage::new(Limits { max_messages_per_second: 2, ..Limits::default() });
        let start = Instant::now();
        assert_eq!(usage.arrived(10, start), Ok(()));
        for header in [
            frame(OpCode::Text, false),
            frame(OpCode::Ping, true),
            frame(OpCode::Continuation, false),
            frame(OpCode::Continuation, true),
            frame(OpCode::Binary, true),
        ] {
            assert_eq!(usage.begins(&header), Ok(()));
        }
        assert_eq!(usage.begins(&frame(OpCode::Text, true)), Err(PeerError::TooManyMessages(2)));
        assert_eq!(usage.arrived(10, start + Duration::from_millis(500)), Ok(()));
        assert_eq!(usage.begins(&frame(OpCode::Text, true)), Ok(()));
    }

    #[test]
    fn each_message_begins_to_count_its_fragments_anew() {
        let mut usage = Usage::new(Limits { max_fragments: 2, ..Limits::default() });
        for _ in 0..2 {
            assert_eq!(usage.begins(&frame(OpCode::Text, false)), Ok(()));
            assert_eq!(usage.begins(&frame(OpCode::Pong, true)), Ok(()));
            assert_eq!(usage.begins(&frame(OpCode::Continuation, true)), Ok(()));
        }
        assert_eq!(usage.begins(&frame(OpCode::Text, false)), Ok(()));
        assert_eq!(usage.begins(&frame(OpCode::Continuation, false)), Ok(()));
        assert_eq!(usage.begins(&frame(OpCode::Continuation, false)), Err(PeerError::TooManyFragments(2)));
    }

    #[test]
    fn a_clock_that_goes_back_does_no_harm() {
        let mut usage = Usage::new(Limits { max_bytes_per_second: 10, ..Limits::default() });
        let start = Instant::now();
        assert_eq!(usage.arrived(10, start + Duration::from_secs(5)), Ok(()));
        assert_eq!(usage.arrived(1, start), Err(PeerError::TooManyBytes(10)));
    }
}
