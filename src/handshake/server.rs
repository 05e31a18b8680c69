//! The server's side of the opening handshake (RFC 6455 section 4.2).

use std::fmt::Write as _;

use super::key::{accept_key, is_valid_key};
use super::tokens::{is_header_value, is_token, list_contains};
use super::{MAX_HEAD_LEN, MAX_HEADERS, MAX_REQUEST_HEADERS};

/// The parts of an HTTP request that decide whether it is a correct opening handshake. A field that is `None` was
/// not in the request; `method`, `upgrade` and `connection` are not judged when `None`, because whoever handed the
/// request over has already acted on them.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestFields<'a> {
    /// The method, `GET` in a correct handshake.
    pub method: Option<&'a str>,
    /// `Host`.
    pub host: Option<&'a str>,
    /// `Upgrade`.
    pub upgrade: Option<&'a str>,
    /// `Connection`.
    pub connection: Option<&'a str>,
    /// `Sec-WebSocket-Key`.
    pub key: Option<&'a str>,
    /// `Sec-WebSocket-Version`.
    pub version: Option<&'a str>,
}

/// Why a request is refused, and how to say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status: 400, 405, 426 or 431.
    pub status: u16,
    /// What is wrong, for the program and for the peer.
    pub reason: String,
    /// A header line that has to go with the status.
    pub header: Option<(&'static str, &'static str)>,
}

impl Refusal {
    fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), header: None }
    }
}

/// Checks an opening handshake and returns its protocol version, 13 or 8.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(fields: &RequestFields<'_>) -> Result<u8, Refusal> {
    if fields.method.is_some_and(|method| method != "GET") {
        let header = Some(("Allow", "GET"));
        return Err(Refusal {
            header,
            ..Refusal::new(405, "The method of a WebSocket request must be GET.")
        });
    }
    if fields.upgrade.is_some_and(|upgrade| !list_contains(upgrade, "websocket")) {
        return Err(Refusal::new(400, "Client must ask for an upgrade to websocket."));
    }
    if fields.connection.is_some_and(|connection| !list_contains(connection, "upgrade")) {
        return Err(Refusal::new(400, "Client must provide a Connection header that contains Upgrade."));
    }
    if fields.host.is_none_or(str::is_empty) {
        return Err(Refusal::new(400, "Client must provide a Host header."));
    }
    let Some(key) = fields.key.filter(|key| !key.is_empty()) else {
        return Err(Refusal::new(400, "Client must provide a value for Sec-WebSocket-Key."));
    };
    let version = check_version(fields.version)?;
    if !is_valid_key(key) {
        return Err(Refusal::new(400, "Client must provide 16 bytes in base64 as Sec-WebSocket-Key."));
    }
    Ok(version)
}

/// The grammar is that of section 4.3: a number without leading zeros, and nothing else.
fn check_version(version: Option<&str>) -> Result<u8, Refusal> {
    let text = version.unwrap_or_default().trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text {
        "13" => Ok(13),
        "8" => Ok(8),
        _ if !text.starts_with(|first: char| first.is_ascii_digit()) => {
            Err(Refusal::new(400, "Client must provide a value for Sec-WebSocket-Version."))
        }
        _ if !is_number || (text.len() > 1 && text.starts_with('0')) => {
            Err(Refusal::new(400, "Client must provide a single number as Sec-WebSocket-Version."))
        }
        other => {
            let reason =
                format!("Unsupported websocket client version: {other}Only versions 8 and 13 are supported.");
            let header = Some(("Sec-WebSocket-Version", "13, 8"));
            Err(Refusal { header, ..Refusal::new(426, reason) })
        }
    }
}

/// A request head taken off a byte stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The request target, usually a path with a query.
    pub target: String,
    /// The header lines in order, names as sent. Bytes above 0x7F are read as Latin-1, as Node does.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// The value of header `name`, several lines of it joined by commas.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        joined(&self.headers, name)
    }

    /// Checks that this is an opening handshake; see [`check`]. Here a missing `Upgrade` or `Connection` is refused.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<u8, Refusal> {
        let field = |name| self.header(name);
        // Which of two hosts is meant nobody can tell (RFC 9112 section 3.2).
        if self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host")).count() > 1 {
            return Err(Refusal::new(400, "Client must provide a single Host header."));
        }
        check(&RequestFields {
            method: Some(&self.method),
            host: field("host").as_deref(),
            upgrade: Some(field("upgrade").as_deref().unwrap_or_default()),
            connection: Some(field("connection").as_deref().unwrap_or_default()),
            key: field("sec-websocket-key").as_deref(),
            version: field("sec-websocket-version").as_deref(),
        })
    }
}

/// What a head may have beyond its limit. Node's limit is for target, names and values; it does not count the method,
/// the version, and what separates the parts.
const UNCOUNTED: usize = 512;

/// How many bytes of a head are looked at, for a limit of `max_len`.
#[must_use]
pub fn longest_head(max_len: usize) -> usize {
    max_len.saturating_add(UNCOUNTED)
}

/// [`parse_within`] the limit that Node has by default.
///
/// # Errors
/// As [`parse_within`].
pub fn parse(bytes: &[u8]) -> Result<Option<(Request, usize)>, Refusal> {
    parse_within(bytes, MAX_HEAD_LEN)
}

/// Reads a request head from the front of `bytes`: the request and the length of its head, or `None` while the head
/// is not complete.
///
/// # Errors
/// 400 for what is not HTTP/1.1, 431 for a head whose target, names and values have `max_len` bytes or more, or that has
/// more than [`MAX_REQUEST_HEADERS`] lines.
pub fn parse_within(bytes: &[u8], max_len: usize) -> Result<Option<(Request, usize)>, Refusal> {
    match parse_into(&mut [httparse::EMPTY_HEADER; MAX_HEADERS], bytes, max_len) {
        Err(httparse::Error::TooManyHeaders) => {
            parse_into(&mut vec![httparse::EMPTY_HEADER; MAX_REQUEST_HEADERS], bytes, max_len)
        }
        result => result,
    }
    .unwrap_or_else(|error| {
        Err(match error {
            httparse::Error::TooManyHeaders => {
                Refusal::new(431, format!("The request has more than {MAX_REQUEST_HEADERS} header lines."))
            }
            error => Refusal::new(400, format!("The request is not HTTP/1.1: {error}.")),
        })
    })
}

/// As [`parse_within`], with room for as many header lines as `headers` has; what is no HTTP is the outer error.
fn parse_into<'b>(
    headers: &mut [httparse::Header<'b>],
    bytes: &'b [u8],
    max_len: usize,
) -> Result<Result<Option<(Request, usize)>, Refusal>, httparse::Error> {
    let too_long = || {
        Refusal::new(
            431,
            format!("The request head is longer than {max_len} bytes (--max-http-header-size)."),
        )
    };
    let mut request = httparse::Request::new(headers);
    Ok(match request.parse(bytes)? {
        httparse::Status::Complete(len) if len <= longest_head(max_len) => {
            if request.version != Some(1) {
                return Ok(Err(Refusal::new(400, "A WebSocket request must be HTTP/1.1.")));
            }
            let counted: usize = request.headers.iter().map(|line| line.name.len() + line.value.len()).sum();
            if request.path.map_or(0, str::len) + counted >= max_len {
                return Ok(Err(too_long()));
            }
            let headers = request.headers.iter().map(|line| (line.name.to_owned(), latin1(line.value)));
            let request = Request {
                method: request.method.unwrap_or_default().to_owned(),
                target: request.path.unwrap_or_default().to_owned(),
                headers: headers.collect(),
            };
            Ok(Some((request, len)))
        }
        httparse::Status::Partial if bytes.len() < longest_head(max_len) => Ok(None),
        _ => Err(too_long()),
    })
}

/// The value of header `name`, several lines of it joined by commas.
pub(super) fn joined(headers: &[(String, String)], name: &str) -> Option<String> {
    let mut lines = headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    let mut value = lines.next()?.1.clone();
    for (_, line) in lines {
        value.push_str(", ");
        value.push_str(line);
    }
    Some(value)
}

pub(super) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// A header line that would not stay one line, or whose name is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidHeader {
    /// The name of the offending header.
    pub name: String,
}

/// The head of the response that accepts the handshake with this key.
///
/// # Errors
/// [`InvalidHeader`] when one of the additional `headers` contains a line break or another control character.
pub fn accept_response(key: &str, headers: &[(&str, &str)]) -> Result<String, InvalidHeader> {
    let accept = accept_key(key);
    let fixed = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", &accept)];
    response(101, "Switching Protocols", &[&fixed, headers].concat())
}

/// The head of any response.
///
/// # Errors
/// As [`accept_response`]; the phrase is named `:reason`.
pub fn response(status: u16, phrase: &str, headers: &[(&str, &str)]) -> Result<String, InvalidHeader> {
    if !is_header_value(phrase) {
        return Err(InvalidHeader { name: ":reason".to_owned() });
    }
    let mut head = String::with_capacity(256);
    let _ = write!(head, "HTTP/1.1 {status} {phrase}\r\n");
    for (name, value) in headers {
        if !is_token(name) || !is_header_value(value) {
            return Err(InvalidHeader { name: (*name).to_owned() });
        }
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    Ok(head)
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
