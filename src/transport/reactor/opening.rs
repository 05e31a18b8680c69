//! A connection that came in on a listener, until its frames are read.

use std::net::SocketAddr;

use super::event::ListenerId;
use crate::handshake::head::HeadReader;
use crate::handshake::server::Request;

/// What a socket is there for.
#[derive(Debug)]
pub(crate) enum Stage {
    /// Frames.
    Open,
    /// The request has not arrived as a whole.
    Head(Box<Opening>),
    /// JavaScript was told of the request and has not accepted it; nothing is read meanwhile.
    Requested,
    /// The request was refused here. What the peer still sends is thrown away until it closes.
    Refused,
}

/// An opening handshake under way.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(super) reader: HeadReader,
    pub(super) listener: ListenerId,
    pub(super) peer: SocketAddr,
}

/// A request that has arrived on a listener.
#[derive(Debug)]
pub(crate) struct Requested {
    pub(crate) listener: ListenerId,
    pub(crate) peer: SocketAddr,
    pub(crate) request: Request,
}
