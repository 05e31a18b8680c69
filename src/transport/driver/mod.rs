//! Who drives the reactor, and how threads hand things to each other. See [`shared_reactor`] for the rules.

pub(crate) mod deadlines;
pub(crate) mod event_queue;
mod outgoing;
pub(crate) mod policy;
pub(crate) mod runtime;
pub(crate) mod shared_reactor;
mod sync;
mod unwritten;
pub(crate) mod worker;
pub(crate) mod write_behind;
