//! What happens to a message for a subscriber whose peer reads too slowly. Nobody else is affected by it.

/// The option `slow` of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub(crate) enum Policy {
    /// It waits like everything that is sent, as far as the limits of the connection allow.
    #[default]
    Queue = 0,
    /// It is not sent.
    Drop = 1,
    /// It waits in place of the one before on the same topic.
    Latest = 2,
    /// The connection ends.
    Close = 3,
}

impl Policy {
    pub(crate) const fn from_bits(bits: u32) -> Self {
        match bits & 3 {
            1 => Self::Drop,
            2 => Self::Latest,
            3 => Self::Close,
            _ => Self::Queue,
        }
    }
}

/// What waits for a subscriber, and how much may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backlog {
    /// Bytes that wait to be written.
    pub(crate) waiting: u64,
    /// The high-water mark: a subscriber for whom so much waits is slow.
    pub(crate) mark: u64,
    /// `maxBufferedAmount`.
    pub(crate) max: u64,
}

/// What to do with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Send,
    /// Leave it out.
    Drop,
    /// Keep it until everything that waits is written.
    Hold,
    /// End the connection.
    Close,
    /// More would wait than the connection allows.
    NoRoom,
}

impl Backlog {
    /// Whether the subscriber is slow.
    pub(crate) const fn is_slow(self) -> bool {
        self.waiting >= self.mark
    }

    /// Whether a message of `len` bytes exceeds what may wait. When nothing waits it may be sent, whatever its length.
    pub(crate) const fn is_full_for(self, len: u64) -> bool {
        self.waiting > self.max.saturating_sub(len)
    }

    /// What to do with a message of `len` bytes. `holds`: an earlier one on the same topic is held.
    pub(crate) const fn judge(self, policy: Policy, len: u64, holds: bool) -> Verdict {
        match policy {
            // One that is held is older: this one must not overtake it, but may take its place.
            Policy::Latest if holds || self.is_slow() => Verdict::Hold,
            Policy::Drop if self.is_slow() => Verdict::Drop,
            Policy::Close if self.is_slow() => Verdict::Close,
            _ if self.is_full_for(len) => Verdict::NoRoom,
            _ => Verdict::Send,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EASY: Backlog = Backlog { waiting: 99, mark: 100, max: u64::MAX };
    const SLOW: Backlog = Backlog { waiting: 100, mark: 100, max: u64::MAX };

    #[test]
    fn from_the_high_water_mark_on_the_policy_decides() {
        for (policy, slow) in [
            (Policy::Queue, Verdict::Send),
            (Policy::Drop, Verdict::Drop),
            (Policy::Latest, Verdict::Hold),
            (Policy::Close, Verdict::Close),
        ] {
            assert_eq!(EASY.judge(policy, 1000, false), Verdict::Send);
            assert_eq!(SLOW.judge(policy, 1000, false), slow);
            assert_eq!(Policy::from_bits(policy as u32), policy);
        }
    }

    #[test]
    fn a_newer_message_does_not_overtake_one_that_is_held() {
        assert_eq!(EASY.judge(Policy::Latest, 1, true), Verdict::Hold);
    }

    #[test]
    fn a_message_may_exceed_what_may_wait_only_when_nothing_does() {
        let backlog = |waiting| Backlog { waiting, mark: 100, max: 50 };
        assert_eq!(backlog(0).judge(Policy::Queue, 1000, false), Verdict::Send);
        assert_eq!(backlog(40).judge(Policy::Queue, 10, false), Verdict::Send);
        assert_eq!(backlog(41).judge(Policy::Queue, 10, false), Verdict::NoRoom);
        assert_eq!(backlog(1).judge(Policy::Drop, 1000, false), Verdict::NoRoom);
    }
}
