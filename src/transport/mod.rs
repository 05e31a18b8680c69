//! Who moves the bytes of sockets that were taken over from Node.
//!
//! [`reactor::Reactor`] holds all such sockets of one JavaScript environment in one readiness set. It does not know
//! who drives it: somebody waits until its file descriptor is readable, then calls [`reactor::Reactor::turn`].

pub(crate) mod outbox;
pub(crate) mod reactor;
