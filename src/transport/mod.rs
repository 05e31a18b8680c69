//! Sockets that the addon reads and writes itself.
//!
//! [`reactor`] knows sockets, and no threads. [`driver`] knows who calls it: Node's loop or a worker of the runtime, and
//! everything that threads have to agree on.

pub(crate) mod driver;
pub(crate) mod reactor;
mod sync;
