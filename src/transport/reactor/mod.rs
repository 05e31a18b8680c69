//! Sockets of one JavaScript environment in one readiness set. No threads and no locks of its own: one thread at a time
//! drives it.

pub(crate) mod counters;
pub(crate) mod event;
#[cfg(not(loom))]
pub(crate) mod inflation;
#[cfg(not(loom))]
mod listeners;
pub(crate) mod opening;
#[cfg(not(loom))]
mod outbox;
#[cfg(not(loom))]
#[expect(clippy::module_inception, reason = "the type that the folder is about")]
mod reactor;
pub(crate) mod read_buffer;
#[cfg(not(loom))]
pub(crate) mod secure;
#[cfg(not(loom))]
pub(crate) mod socket;
#[cfg(not(loom))]
mod states;
#[cfg(all(test, not(loom)))]
pub(crate) mod test_support;

#[cfg(all(test, not(loom)))]
pub(crate) use reactor::Fault;
#[cfg(not(loom))]
pub(crate) use reactor::Reactor;

/// How a turn finds out what is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// It asks the set.
    Set,
    /// Something is ready. With a single socket it is that one most likely, and reading from it saves asking. What the set is
    /// not asked for it goes on to tell, to whoever watches its descriptor and is told again and again.
    Guess,
    /// The set was asked, or has said nothing.
    Nowhere,
}

/// How a turn has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing is to be done until the set is ready again.
    Idle,
    /// There is more to be done at once.
    More,
    /// There is more to be done when JavaScript has taken events.
    Full,
}

/// When deadlines have to be looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deadlines {
    /// At once: some were enforced, and there may be more.
    Now,
    /// After a while.
    Later,
    /// When somebody listens again.
    None,
}
