//! Connections whose bytes the reactor moves.

mod calls;
mod delivery;
pub(super) mod environment;
pub(super) mod fast_calls;
mod lifecycle;
mod listening;
mod sending;
