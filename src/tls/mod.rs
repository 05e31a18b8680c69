//! TLS sessions of a server: bytes in, bytes out.
//!
//! A [`Session`] gets what was read from a socket and gives back plaintext, and ciphertext to write. It opens no socket and
//! contains no `unsafe`; the cryptography and the protocol are rustls's, with `ring` as its provider. Without the cargo
//! feature `tls` there are no sessions: then [`absent`] has the same types, without values.

#[cfg(feature = "tls")]
mod context;
#[cfg(feature = "tls")]
mod error;
#[cfg(feature = "tls")]
mod identities;
#[cfg(feature = "tls")]
mod session;
#[cfg(feature = "tls")]
mod tickets;

#[cfg(not(feature = "tls"))]
mod absent;

#[cfg(not(feature = "tls"))]
pub use absent::{Context, Session, SessionInfo};
#[cfg(feature = "tls")]
pub use context::Context;
#[cfg(feature = "tls")]
pub use session::{Session, SessionInfo};

/// The memory that [`Session::receive`] needs before the ciphertext: the longest plaintext of a record (RFC 8446 section 5.1).
pub const ROOM: usize = 16 * 1024;

/// The key and the certificates of a server, as files have them: PEM or DER.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// PKCS#8, PKCS#1 or SEC1, not encrypted.
    pub key: Vec<u8>,
    /// The certificate, and those of the authorities between it and the root.
    pub cert: Vec<u8>,
}

/// What a server can be told about TLS.
#[expect(clippy::struct_excessive_bools, reason = "independent settings")]
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// For clients that name no server, or an unknown one. Several have keys of several kinds.
    pub identities: Vec<Identity>,
    /// For clients that name a server: `name` or `*.name`.
    pub names: Vec<(String, Vec<Identity>)>,
    /// Whether clients are asked for a certificate.
    pub request_cert: bool,
    /// Whether clients without a certificate of an authority in `ca` are refused.
    pub reject_unauthorized: bool,
    /// The authorities of clients.
    pub ca: Vec<u8>,
    /// Whether certificates in `ca` that cannot be used are left out. Otherwise they are an error.
    pub ca_is_lenient: bool,
    /// TLS 1.2 is refused.
    pub only_tls13: bool,
    /// The protocols for ALPN, the preferred one first.
    pub alpn: Vec<Vec<u8>>,
    /// Keys of session tickets, 48 bytes each: the first one encrypts, all of them decrypt. Empty for random ones.
    pub ticket_keys: Vec<u8>,
    /// An answer of OCSP for the first certificate, to be sent with it.
    pub ocsp: Vec<u8>,
}

/// Why TLS does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsError {
    /// Node's code for it, or that of OpenSSL as Node has it.
    pub code: &'static str,
    /// What has happened.
    pub message: String,
}

impl TlsError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Whether a client has sent a plain HTTP request.
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        self.code == PLAIN_HTTP
    }
}

impl std::fmt::Display for TlsError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for TlsError {}

const PLAIN_HTTP: &str = "ERR_SSL_HTTP_REQUEST";

/// What has come of received bytes.
#[derive(Debug, Default)]
pub struct Received {
    /// Bytes of plaintext, at the beginning of the memory.
    pub plain: usize,
    /// The handshake has ended with these bytes.
    pub opened: bool,
    /// Nothing more comes.
    pub end: Option<End>,
}

/// How the direction from the peer ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With a `close_notify` alert.
    Closed,
    /// The session is of no use any more.
    Failed(TlsError),
}

#[cfg(test)]
#[cfg(feature = "tls")]
mod tests;
