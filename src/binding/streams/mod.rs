//! Connections whose bytes JavaScript moves.

pub(super) mod frames;
pub(super) mod receiver;
