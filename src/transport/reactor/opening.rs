//! A connection that came in on a listener, until its frames are read.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::counters::Counters;
use super::event::ListenerId;
use crate::handshake::head::HeadReader;
use crate::handshake::server::Request;
use crate::tls::SessionInfo;

/// What a socket is there for.
#[derive(Debug)]
pub(crate) enum Stage {
    /// Frames.
    Open,
    /// The request has not arrived as a whole.
    Head(Box<Opening>),
    /// JavaScript was told of the request and has not accepted it; nothing is read meanwhile.
    Requested,
    /// The program reads and writes the plaintext of a session of TLS itself; what comes is told as messages.
    Raw,
    /// The request was refused here. What the peer still sends is thrown away until it closes.
    Refused,
    /// It is no opening handshake, and somebody else is going to have the connection; nothing is read meanwhile.
    Passed,
}

/// An opening handshake under way.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(super) reader: HeadReader,
    pub(super) listener: ListenerId,
    pub(super) peer: SocketAddr,
    /// When the connection came, or got the whole time once more. With the id it names an entry in the list of deadlines: an
    /// id alone is used again.
    pub(super) since: Instant,
    /// What is no opening handshake is not refused here.
    pub(super) passes_on: bool,
}

/// Where a connection has come from.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) listener: ListenerId,
    pub(crate) peer: SocketAddr,
    /// What the connection is counted with.
    pub(crate) counters: Arc<Counters>,
    /// What was agreed on, if the connection is one of TLS.
    pub(crate) tls: Option<SessionInfo>,
}

/// A request that has arrived on a listener.
#[derive(Debug)]
pub(crate) struct Requested {
    pub(crate) from: Incoming,
    pub(crate) request: Request,
}

/// Something else than an opening handshake has arrived on a listener. Somebody gets the descriptor; with TLS the reactor goes on
/// to decrypt and encrypt, see [`Reactor::unwrap`](super::Reactor::unwrap).
#[derive(Debug)]
pub(crate) struct Passed {
    pub(crate) from: Incoming,
    /// All that was read; with TLS, what was decrypted.
    pub(crate) bytes: Vec<u8>,
}
