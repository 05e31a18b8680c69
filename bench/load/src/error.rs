//! The one error type: every failure ends the run, so that a text is all that is needed.

use std::fmt;
use std::io;

/// Why a run failed.
#[derive(Debug)]
pub enum Error {
    /// The operating system said no.
    Io(&'static str, io::Error),
    /// The peer cannot do what is to be measured.
    Refused(String),
    /// The peer did what it must not: a wrong, missing or extra reply, or a broken frame.
    Peer(String),
}

/// What everything here returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Shorthand for a fault of the peer.
pub fn peer<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::Peer(message.into()))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(what, error) => write!(f, "{what}: {error}"),
            Self::Refused(message) | Self::Peer(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

/// Names the operation that an I/O error came from.
pub trait Context<T> {
    /// Turns an I/O error into ours, saying what was being done.
    fn context(self, what: &'static str) -> Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, what: &'static str) -> Result<T> {
        self.map_err(|error| Error::Io(what, error))
    }
}
