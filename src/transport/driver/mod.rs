//! Who drives the reactor, and how threads hand things to each other. See [`shared_reactor`] for the rules.

#[cfg(not(loom))]
mod deadlines;
pub(crate) mod event_queue;
#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(loom)]
mod model;
mod outgoing;
pub(crate) mod policy;
#[cfg(not(loom))]
pub(crate) mod runtime;
pub(crate) mod shared_reactor;
#[cfg(all(test, not(loom)))]
mod test_support;
mod unwritten;
#[cfg(not(loom))]
pub(crate) mod worker;
#[cfg(not(loom))]
mod write_behind;

/// What the rules for threads are about. A model of it is enough to try them, and all that loom can run.
mod surroundings {
    #[cfg(not(loom))]
    pub(super) use {super::runtime, crate::transport::reactor::Reactor, mio::Waker, tokio::sync::Notify};

    #[cfg(loom)]
    pub(super) use super::model::{Notify, Reactor, Waker, runtime};
}
