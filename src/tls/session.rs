//! One session with a client.

use std::sync::Arc;

use bytes::BytesMut;
use rustls::pki_types::UnixTime;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, WriteTraffic,
};
use rustls::{HandshakeKind, ProtocolVersion};

use super::error::{certificate_code, is_self_signed, of_rustls};
use super::identities::take_asked_name;
use super::{Context, End, PLAIN_HTTP, ROOM, Received, TlsError};

/// The most that is kept of a handshake message that has not arrived as a whole: a chain of many certificates fits.
const MAX_KEPT: usize = 40 * 1024;

/// What a record is longer than its plaintext, in every version.
const RECORD_OVERHEAD: usize = 5 + 8 + 16 + 1;

type Traffic<'c> = WriteTraffic<'c, ServerConnectionData>;

/// A session with a client. An idle one holds no buffer.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct Session {
    connection: UnbufferedServerConnection,
    context: Arc<Context>,
    /// What was received of a record, or of a message of the handshake, that has not arrived as a whole.
    pub(super) kept: Vec<u8>,
    /// The name of the server that the client has asked for.
    server_name: Option<Box<str>>,
    has_begun: bool,
    is_open: bool,
    has_failed: bool,
    /// Nothing more is sent.
    is_closed: bool,
}

/// What was agreed on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionInfo {
    /// `TLSv1.2` or `TLSv1.3`.
    pub protocol: &'static str,
    /// The cipher suite, by its name in the RFCs.
    pub cipher: String,
    /// The protocol of ALPN; empty for none.
    pub alpn: String,
    /// The name of the server that the client has asked for; empty for none.
    pub server_name: String,
    /// Whether an earlier session was resumed.
    pub is_resumed: bool,
    /// Why the client's certificate does not count, as a code of Node; empty when it does, or was not asked for.
    pub authorization_error: &'static str,
    /// Whether the client has proved who it is.
    pub is_authorized: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Session").field("is_open", &self.is_open).finish_non_exhaustive()
    }
}

impl Session {
    /// A session that waits for a client to begin.
    ///
    /// # Errors
    /// When there is no randomness to be had.
    pub fn new(context: &Arc<Context>) -> Result<Self, TlsError> {
        let connection = UnbufferedServerConnection::new(Arc::clone(&context.config))
            .map_err(|error| of_rustls(&error))?;
        let context = Arc::clone(context);
        Ok(Self {
            connection,
            context,
            kept: Vec::new(),
            server_name: None,
            has_begun: false,
            is_open: false,
            has_failed: false,
            is_closed: false,
        })
    }

    /// Prepares memory for [`Session::receive`], and returns the part of it to read into.
    ///
    /// # Panics
    /// When the memory is no longer than [`ROOM`] and what is kept, which is 40 KiB at the most.
    pub fn space<'m>(&mut self, memory: &'m mut [u8]) -> &'m mut [u8] {
        let start = ROOM + self.kept.len();
        memory[ROOM..start].copy_from_slice(&self.kept);
        &mut memory[start..]
    }

    /// How much is kept of what has not arrived as a whole.
    #[must_use]
    pub fn kept_len(&self) -> usize {
        self.kept.len()
    }

    /// Decrypts `count` bytes that were read into [`Session::space`] of this memory. The plaintext is at the beginning of
    /// the memory then, whatever else happened. What has to be written is appended to `out`.
    pub fn receive(&mut self, memory: &mut [u8], count: usize, out: &mut BytesMut) -> Received {
        let mut received = Received::default();
        let mut at = ROOM;
        let end = ROOM + self.kept.len() + count;
        if !std::mem::replace(&mut self.has_begun, true)
            && let Some(error) = plain_http(&memory[at..end])
        {
            self.has_failed = true;
            received.end = Some(End::Failed(error));
            return received;
        }
        loop {
            // The plaintext of a record fits in front of it, because a record is longer than its plaintext.
            let (front, records) = memory.split_at_mut(at);
            let status = self.connection.process_tls_records(&mut records[..end - at]);
            let mut discard = status.discard;
            let mut goes_on = true;
            match status.state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        let len = record.payload.len();
                        front[received.plain..received.plain + len].copy_from_slice(record.payload);
                        received.plain += len;
                        discard += record.discard;
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    append_encoded(out, &mut data);
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => received.end = Some(End::Closed),
                Ok(_) => goes_on = false,
                Err(error) => {
                    goes_on = false;
                    self.has_failed = true;
                    received.end = Some(End::Failed(of_rustls(&error)));
                    self.encode_alert(&mut records[discard..end - at], out);
                }
            }
            at += discard;
            if !goes_on {
                break;
            }
        }
        if !self.is_open
            && let Some(name) = take_asked_name()
        {
            self.server_name = Some(name);
        }
        self.kept = if received.end.is_some() { Vec::new() } else { memory[at..end].to_vec() };
        if self.kept.len() > MAX_KEPT {
            self.has_failed = true;
            self.kept = Vec::new();
            received.end = Some(End::Failed(TlsError::new(
                "ERR_SSL_EXCESSIVE_MESSAGE_SIZE",
                "a message of the handshake is too long",
            )));
        }
        if !self.is_open && !self.has_failed && !self.connection.is_handshaking() {
            self.is_open = true;
            received.opened = true;
        }
        received
    }

    /// Appends what the session has to say about its failure. `rest` is what was received and not looked at.
    fn encode_alert(&mut self, rest: &mut [u8], out: &mut BytesMut) {
        // Asking for more than there is would have the rest looked at once more.
        while self.connection.wants_write() {
            let Ok(ConnectionState::EncodeTlsData(mut data)) =
                self.connection.process_tls_records(rest).state
            else {
                return;
            };
            append_encoded(out, &mut data);
        }
    }

    /// Encrypts `plain` and appends the records to `out`.
    ///
    /// # Errors
    /// Before the end of the handshake, after [`Session::close`], and when the session has failed.
    pub fn seal(&mut self, plain: &[u8], out: &mut BytesMut) -> Result<(), TlsError> {
        let records = plain.len() / ROOM + 1;
        self.write(out, plain.len() + records * RECORD_OVERHEAD, |traffic, space| {
            traffic.encrypt(plain, space)
        })
    }

    /// Says that nothing more comes from this side: appends a `close_notify` alert to `out`, once.
    pub fn close(&mut self, out: &mut BytesMut) {
        // There is nobody to be told before the end of the handshake, and nothing to be said after the end of the session.
        let _ = self.write(out, 2 + RECORD_OVERHEAD, |traffic: &mut Traffic<'_>, space: &mut [u8]| {
            traffic.queue_close_notify(space)
        });
        self.is_closed = true;
    }

    fn write(
        &mut self,
        out: &mut BytesMut,
        estimate: usize,
        mut write: impl FnMut(&mut Traffic<'_>, &mut [u8]) -> Result<usize, EncryptError>,
    ) -> Result<(), TlsError> {
        if !self.is_open || self.has_failed || self.is_closed {
            return Err(TlsError::new("ERR_STREAM_WRITE_AFTER_END", "the TLS session is not open"));
        }
        loop {
            // Everything that was complete has been looked at, so this only finds what is to be written.
            match self.connection.process_tls_records(&mut self.kept).state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    append_encoded(out, &mut data);
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => {}
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    let mut is_exhausted = false;
                    append(out, estimate, |space| match write(&mut traffic, space) {
                        Err(EncryptError::InsufficientSize(error)) => Err(error),
                        Err(EncryptError::EncryptExhausted) => {
                            is_exhausted = true;
                            Ok(0)
                        }
                        Ok(len) => Ok(len),
                    });
                    if !is_exhausted {
                        return Ok(());
                    }
                    break;
                }
                Ok(_) => break,
                Err(error) => {
                    self.has_failed = true;
                    return Err(of_rustls(&error));
                }
            }
        }
        Err(TlsError::new("ERR_STREAM_WRITE_AFTER_END", "the TLS session has ended"))
    }

    /// Whether the handshake has not ended.
    #[must_use]
    pub fn is_handshaking(&self) -> bool {
        !self.is_open
    }

    /// Whether anything was received.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// The error for an end of the stream without `close_notify`.
    #[must_use]
    pub fn truncated(&self) -> TlsError {
        if self.is_open {
            TlsError::new(
                "ERR_SSL_UNEXPECTED_EOF_WHILE_READING",
                "the peer has ended the stream without close_notify",
            )
        } else {
            TlsError::new(
                "ECONNRESET",
                "Client network socket disconnected before secure TLS connection was established",
            )
        }
    }

    /// What was agreed on.
    #[must_use]
    pub fn info(&self) -> SessionInfo {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let verified = self.verify();
        SessionInfo {
            protocol: match self.connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
                _ => "TLSv1.3",
            },
            cipher: self
                .connection
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .unwrap_or_default()
                .replace("TLS13_", "TLS_"),
            alpn: self.connection.alpn_protocol().map(text).unwrap_or_default(),
            server_name: self.server_name.as_deref().unwrap_or_default().to_owned(),
            is_resumed: self.connection.handshake_kind() == Some(HandshakeKind::Resumed),
            is_authorized: verified == Some(Ok(())),
            authorization_error: verified.and_then(Result::err).unwrap_or_default(),
        }
    }

    /// The certificates of the client in DER, its own first. Empty when it was not asked for any, or has sent none.
    #[must_use]
    pub fn peer_certificates(&self) -> Vec<Vec<u8>> {
        let chain = self.connection.peer_certificates().unwrap_or_default();
        chain.iter().map(|certificate| certificate.to_vec()).collect()
    }

    /// Whether the certificate of the client is one that counts, or the code that says why not. `None` if it was not asked for.
    fn verify(&self) -> Option<Result<(), &'static str>> {
        let verifier = self.context.verifier.as_ref()?;
        let Some((own, chain)) = self.connection.peer_certificates().and_then(<[_]>::split_first) else {
            return Some(Err("UNABLE_TO_GET_ISSUER_CERT"));
        };
        let judged = verifier.judge(own, chain, UnixTime::now());
        Some(judged.map(|_| ()).map_err(|error| certificate_code(&error, is_self_signed(own))))
    }
}

fn append_encoded(out: &mut BytesMut, data: &mut EncodeTlsData<'_, ServerConnectionData>) {
    append(out, RECORD_OVERHEAD, |space| match data.encode(space) {
        Err(EncodeError::InsufficientSize(error)) => Err(error),
        other => Ok(other.unwrap_or_default()),
    });
}

/// Appends what `write` writes to the memory it gets, which becomes as large as `write` wants it.
fn append(
    out: &mut BytesMut,
    estimate: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, InsufficientSizeError>,
) {
    let start = out.len();
    out.resize(start + estimate, 0);
    let mut result = write(&mut out[start..]);
    if let Err(InsufficientSizeError { required_size }) = result {
        out.resize(start + required_size, 0);
        result = write(&mut out[start..]);
    }
    out.truncate(start + result.unwrap_or_default());
}

/// The error for a client that speaks HTTP without TLS: its first bytes are the name of a method.
fn plain_http(bytes: &[u8]) -> Option<TlsError> {
    let is_method = bytes.first().is_some_and(u8::is_ascii_uppercase)
        && bytes.iter().take(8).take_while(|byte| **byte != b' ').all(u8::is_ascii_uppercase);
    is_method.then(|| TlsError::new(PLAIN_HTTP, "the client has sent a plain HTTP request to a port for TLS"))
}
