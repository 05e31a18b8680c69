//! Who moves the bytes of sockets that were taken over from Node.
//!
//! [`reactor::Reactor`] holds all such sockets of one JavaScript environment in one readiness set. It does not know who
//! drives it. Node's event loop does, or a worker of the tokio runtime: [`exchange`] is what the worker and the
//! JavaScript thread have in common, [`worker`] what the worker does, [`policy`] says which of the two it is to be.
//! [`heavy`] has a thread of the runtime inflate what takes long. [`listener`] accepts connections that Node never sees.
//! [`write_behind`] steps in when the JavaScript thread does not come to write.

pub(crate) mod batch;
pub(crate) mod exchange;
mod heavy;
pub(crate) mod listener;
pub(crate) mod outbox;
pub(crate) mod policy;
pub(crate) mod reactor;
pub(crate) mod runtime;
pub(crate) mod socket;
pub(crate) mod worker;
pub(crate) mod write_behind;
