//! Connections whose bytes the reactor moves.

mod calls;
mod delivery;
pub(super) mod environment;
pub(super) mod fast_calls;
mod known_sockets;
mod lifecycle;
mod listening;
mod sending;
