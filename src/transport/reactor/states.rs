//! The two directions of a socket. All transitions are here.
//!
//! Reading:
//!
//! | state   | what happens            | next    |                                              |
//! |---------|-------------------------|---------|----------------------------------------------|
//! | Flowing | a reason to wait        | Held    |                                              |
//! | Held    | another reason to wait  | Held    |                                              |
//! | Held    | something to read       | Held    | remembers it: the set does not say it again  |
//! | Held    | the last reason is gone | Flowing | is read when there was something to read     |
//! | any     | FIN, an error           | Ended   |                                              |
//!
//! Writing:
//!
//! | state     | what happens               | next     |                            |
//! |-----------|----------------------------|----------|----------------------------|
//! | Open      | the program ends the socket | Finishing |                          |
//! | Finishing | everything is written      | Finished | FIN is sent                |
//! | any       | an error                   | Failed   | what waited is lost        |

use std::ops::{BitOr, BitOrAssign};

/// Why a socket is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reasons(u8);

impl Reasons {
    /// The program has paused the connection.
    pub(super) const PAUSED: Self = Self(1);
    /// What was read is being inflated.
    pub(super) const INFLATING: Self = Self(1 << 1);
    /// JavaScript has not accepted the request.
    pub(super) const REQUESTED: Self = Self(1 << 2);
    /// Somebody else is going to read it.
    pub(super) const STOPPED: Self = Self(1 << 3);
    /// Too much waits to be inflated already.
    pub(super) const CROWDED: Self = Self(1 << 4);

    pub(super) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Reasons {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Reasons {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

/// The direction from the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadState {
    /// Bytes are read as they come.
    Flowing,
    /// Nothing is read. `missed`: there may be something to read that the set does not tell of again.
    Held { reasons: Reasons, missed: bool },
    /// Nothing more can be read.
    Ended,
}

impl ReadState {
    pub(super) fn is_flowing(self) -> bool {
        matches!(self, Self::Flowing)
    }

    pub(super) fn has_ended(self) -> bool {
        matches!(self, Self::Ended)
    }

    pub(super) fn is_held_for(self, reason: Reasons) -> bool {
        matches!(self, Self::Held { reasons, .. } if reasons.contains(reason))
    }

    pub(super) fn hold(&mut self, reason: Reasons) {
        match self {
            Self::Flowing => *self = Self::Held { reasons: reason, missed: false },
            Self::Held { reasons, .. } => *reasons |= reason,
            Self::Ended => {}
        }
    }

    /// There is something to be read, now that nothing is.
    pub(super) fn miss(&mut self) {
        if let Self::Held { missed, .. } = self {
            *missed = true;
        }
    }

    /// A reason is gone. True when the socket has to be read at once.
    #[must_use]
    pub(super) fn let_go(&mut self, reason: Reasons) -> bool {
        let Self::Held { reasons, missed } = self else { return false };
        *reasons = reasons.without(reason);
        if !reasons.is_empty() {
            return false;
        }
        let missed = *missed;
        *self = Self::Flowing;
        missed
    }

    pub(super) fn end(&mut self) {
        *self = Self::Ended;
    }
}

/// The direction to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteState {
    /// Whatever is sent is written.
    Open,
    /// FIN follows when everything is written.
    Finishing,
    /// FIN was sent.
    Finished,
    /// The socket has failed.
    Failed,
}

impl WriteState {
    pub(super) fn finish(&mut self) {
        if *self == Self::Open {
            *self = Self::Finishing;
        }
    }

    /// Everything is written. True when FIN is to be sent.
    #[must_use]
    pub(super) fn drained(&mut self) -> bool {
        let finishing = *self == Self::Finishing;
        if finishing {
            *self = Self::Finished;
        }
        finishing
    }

    pub(super) fn fail(&mut self) {
        *self = Self::Failed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_flows_again_when_the_last_reason_is_gone() {
        let mut state = ReadState::Flowing;
        state.hold(Reasons::PAUSED);
        state.hold(Reasons::INFLATING);
        state.miss();
        assert!(!state.let_go(Reasons::PAUSED));
        assert!(state.is_held_for(Reasons::INFLATING) && !state.is_held_for(Reasons::PAUSED));
        assert!(state.let_go(Reasons::INFLATING), "what was missed is read at once");
        assert!(state.is_flowing());
    }

    #[test]
    fn nothing_was_missed_when_nothing_came() {
        let mut state = ReadState::Flowing;
        state.miss();
        state.hold(Reasons::PAUSED);
        assert!(!state.let_go(Reasons::PAUSED));
    }

    #[test]
    fn an_ended_socket_is_not_read_whatever_comes() {
        let mut state = ReadState::Flowing;
        state.end();
        state.hold(Reasons::PAUSED);
        state.miss();
        assert!(!state.let_go(Reasons::PAUSED));
        assert!(state.has_ended());
    }

    #[test]
    fn fin_is_sent_once_and_only_when_asked_for() {
        let mut state = WriteState::Open;
        assert!(!state.drained());
        state.finish();
        assert!(state.drained());
        assert!(!state.drained());
        state.finish();
        assert_eq!(state, WriteState::Finished);
        state.fail();
        assert!(!state.drained());
        assert_eq!(state, WriteState::Failed);
    }
}
