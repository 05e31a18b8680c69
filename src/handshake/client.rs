//! The client's side of the opening handshake (RFC 6455 section 4.1).

use std::fmt;
use std::fmt::Write as _;

use super::deflate::{self, AnswerError};
use super::key::accept_key;
use super::server::{InvalidHeader, joined, latin1};
use super::tokens::{is_header_value, is_token, list_contains};
use super::{MAX_HEAD_LEN, MAX_HEADERS};

/// The head of the request that opens a connection.
///
/// # Errors
/// [`InvalidHeader`] when a header, the target (named `:path`) or the host would not stay on its line.
pub fn request(
    target: &str,
    host: &str,
    key: &str,
    headers: &[(&str, &str)],
) -> Result<String, InvalidHeader> {
    if target.is_empty() || target.bytes().any(|byte| byte <= b' ' || byte == 0x7F) {
        return Err(InvalidHeader { name: ":path".to_owned() });
    }
    let fixed = [
        ("Host", host),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
    ];
    let mut head = format!("GET {target} HTTP/1.1\r\n");
    for (name, value) in fixed.iter().chain(headers) {
        if !is_token(name) || !is_header_value(value) {
            return Err(InvalidHeader { name: (*name).to_owned() });
        }
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    Ok(head)
}

/// The header fields of a 101 response that decide whether the handshake has succeeded.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResponseFields<'a> {
    /// `Upgrade`.
    pub upgrade: Option<&'a str>,
    /// `Connection`.
    pub connection: Option<&'a str>,
    /// `Sec-WebSocket-Accept`.
    pub accept: Option<&'a str>,
    /// `Sec-WebSocket-Protocol`.
    pub protocol: Option<&'a str>,
    /// `Sec-WebSocket-Extensions`.
    pub extensions: Option<&'a str>,
}

/// Why a response does not open the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseError {
    /// The status is not 101.
    Status(u16),
    /// A subprotocol that was not asked for.
    UnexpectedProtocol(String),
    /// Subprotocols were asked for, and none was chosen.
    NoProtocol,
    /// `Connection` does not contain `Upgrade`.
    NoConnectionUpgrade,
    /// `Upgrade` is not `websocket`.
    NoUpgrade,
    /// There is no `Sec-WebSocket-Accept`.
    NoAccept,
    /// `Sec-WebSocket-Accept` is not the expected value, which is given.
    WrongAccept(String),
    /// An extension that was not offered.
    UnexpectedExtension(String),
    /// An answer to the offer of permessage-deflate that does not fit it.
    BadDeflateAnswer(AnswerError),
    /// Not an HTTP response, or one with too long a head.
    Malformed(String),
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "Server responded with a non-101 status: {status}"),
            Self::UnexpectedProtocol(_) => f.write_str("Server did not respond with a requested protocol."),
            Self::NoProtocol => f.write_str("Expected a Sec-WebSocket-Protocol header."),
            Self::NoConnectionUpgrade => f.write_str("Expected a Connection: Upgrade header from the server"),
            Self::NoUpgrade => f.write_str("Expected an Upgrade: websocket header from the server"),
            Self::NoAccept => f.write_str("Expected Sec-WebSocket-Accept header from server"),
            Self::WrongAccept(expected) => {
                write!(f, "Sec-WebSocket-Accept header from server didn't match expected value of {expected}")
            }
            Self::UnexpectedExtension(list) => {
                write!(f, "Server responded with an extension that was not requested: {list}")
            }
            Self::BadDeflateAnswer(error) => {
                write!(f, "Server responded with an invalid permessage-deflate answer: {error}.")
            }
            Self::Malformed(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for ResponseError {}

/// Checks the header fields of a 101 response to a request with `key` and `protocols`, and permessage-deflate as offered;
/// returns what was agreed about that.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(
    fields: &ResponseFields<'_>,
    key: &str,
    protocols: &[&str],
    offer: Option<&deflate::Parameters>,
) -> Result<Option<deflate::Parameters>, ResponseError> {
    match fields.protocol.filter(|protocol| !protocol.is_empty()) {
        Some(protocol) if !protocols.contains(&protocol) => {
            return Err(ResponseError::UnexpectedProtocol(protocol.to_owned()));
        }
        None if !protocols.is_empty() => return Err(ResponseError::NoProtocol),
        _ => {}
    }
    if !fields.connection.is_some_and(|connection| list_contains(connection, "upgrade")) {
        return Err(ResponseError::NoConnectionUpgrade);
    }
    if !fields.upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket")) {
        return Err(ResponseError::NoUpgrade);
    }
    let expected = accept_key(key);
    match fields.accept {
        None | Some("") => return Err(ResponseError::NoAccept),
        Some(accept) if accept != expected => return Err(ResponseError::WrongAccept(expected)),
        Some(_) => {}
    }
    match (fields.extensions, offer) {
        (None | Some(""), _) => Ok(None),
        (Some(list), Some(offer)) => deflate::check_answer(list, offer).map_err(|error| match error {
            AnswerError::UnexpectedExtension(name) => ResponseError::UnexpectedExtension(name),
            error => ResponseError::BadDeflateAnswer(error),
        }),
        (Some(list), None) => Err(ResponseError::UnexpectedExtension(list.to_owned())),
    }
}

/// A response head taken off a byte stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The reason phrase, possibly empty.
    pub phrase: String,
    /// The header lines in order, names as sent.
    pub headers: Vec<(String, String)>,
}

impl Response {
    /// Checks that this response opens the connection; see [`check`].
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(
        &self,
        key: &str,
        protocols: &[&str],
        offer: Option<&deflate::Parameters>,
    ) -> Result<Option<deflate::Parameters>, ResponseError> {
        if self.status != 101 {
            return Err(ResponseError::Status(self.status));
        }
        let field = |name| joined(&self.headers, name);
        check(
            &ResponseFields {
                upgrade: field("upgrade").as_deref(),
                connection: field("connection").as_deref(),
                accept: field("sec-websocket-accept").as_deref(),
                protocol: field("sec-websocket-protocol").as_deref(),
                extensions: field("sec-websocket-extensions").as_deref(),
            },
            key,
            protocols,
            offer,
        )
    }
}

/// Reads a response head from the front of `bytes`: the response and the length of its head, or `None` while the head
/// is not complete.
///
/// # Errors
/// [`ResponseError::Malformed`] for what is not HTTP/1.x, or has a head of more than [`MAX_HEAD_LEN`] bytes or
/// [`MAX_HEADERS`] lines.
pub fn parse(bytes: &[u8]) -> Result<Option<(Response, usize)>, ResponseError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(len)) if len <= MAX_HEAD_LEN => {
            let headers = response.headers.iter().map(|line| (line.name.to_owned(), latin1(line.value)));
            let response = Response {
                status: response.code.unwrap_or_default(),
                phrase: response.reason.unwrap_or_default().to_owned(),
                headers: headers.collect(),
            };
            Ok(Some((response, len)))
        }
        Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD_LEN => Ok(None),
        Ok(_) => {
            Err(ResponseError::Malformed(format!("The response head is longer than {MAX_HEAD_LEN} bytes.")))
        }
        Err(httparse::Error::TooManyHeaders) => {
            Err(ResponseError::Malformed(format!("The response has more than {MAX_HEADERS} header lines.")))
        }
        Err(error) => Err(ResponseError::Malformed(format!("The response is not HTTP/1.1: {error}."))),
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
