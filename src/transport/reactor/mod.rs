//! Sockets of one JavaScript environment in one readiness set. No threads and no locks of its own: one thread at a time
//! drives it.

pub(crate) mod event;
pub(crate) mod inflation;
mod listeners;
pub(crate) mod opening;
mod outbox;
#[expect(clippy::module_inception, reason = "the type that the folder is about")]
mod reactor;
pub(crate) mod read_buffer;
pub(crate) mod socket;
mod states;

pub(crate) use reactor::{Deadlines, Progress, Reactor};
