//! The types of this module without the cargo feature `tls`: nobody can make one.

use bytes::BytesMut;

use super::{Received, Settings, TlsError};

/// What sessions of a server share.
#[derive(Debug)]
pub enum Context {}

/// A session with a client.
#[derive(Debug)]
pub enum Session {}

/// What was agreed on.
#[derive(Debug, Clone)]
pub enum SessionInfo {}

impl Context {
    /// # Errors
    /// Always.
    pub fn new(_: &Settings) -> Result<Self, TlsError> {
        Err(TlsError::new("ERR_WEBSOCKET_TLS", "the addon was built without TLS"))
    }
}

#[expect(missing_docs, clippy::missing_errors_doc, reason = "as in session.rs; nobody can call them")]
impl Session {
    pub fn new(context: &std::sync::Arc<Context>) -> Result<Self, TlsError> {
        match **context {}
    }

    pub fn space<'m>(&mut self, _: &'m mut [u8]) -> &'m mut [u8] {
        match *self {}
    }

    #[must_use]
    pub fn kept_len(&self) -> usize {
        match *self {}
    }

    pub fn receive(&mut self, _: &mut [u8], _: usize, _: &mut BytesMut) -> Received {
        match *self {}
    }

    pub fn seal(&mut self, _: &[u8], _: &mut BytesMut) -> Result<(), TlsError> {
        match *self {}
    }

    pub fn close(&mut self, _: &mut BytesMut) {
        match *self {}
    }

    #[must_use]
    pub fn is_handshaking(&self) -> bool {
        match *self {}
    }

    #[must_use]
    pub fn has_begun(&self) -> bool {
        match *self {}
    }

    #[must_use]
    pub fn truncated(&self) -> TlsError {
        match *self {}
    }

    #[must_use]
    pub fn info(&self) -> SessionInfo {
        match *self {}
    }

    #[must_use]
    pub fn peer_certificates(&self) -> Vec<Vec<u8>> {
        match *self {}
    }
}
