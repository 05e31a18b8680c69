//! The opening handshake of both sides, as far as a benchmark needs it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use crate::error::{Error, Result, peer};
use crate::options::{Mode, Options};

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The key every connection sends. It need not be random: nobody in between caches.
const KEY: &str = "bG9hZCBnZW5lcmF0b3IhIQ==";

/// What the server agreed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Agreed {
    /// permessage-deflate.
    pub deflate: bool,
    /// The server starts every message with an empty window.
    pub server_no_context_takeover: bool,
    /// We have to.
    pub client_no_context_takeover: bool,
}

/// `Sec-WebSocket-Accept` for a key.
#[must_use]
pub fn accept(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// The request of the connection with this index.
#[must_use]
pub fn request(options: &Options, index: u64) -> String {
    let room;
    let path = if options.mode == Mode::Topics {
        room = format!("/{}", index / options.room as u64);
        &room
    } else {
        &options.path
    };
    let mut request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n",
        path, options.address,
    );
    if let Some(protocol) = &options.protocol {
        request += &format!("Sec-WebSocket-Protocol: {protocol}\r\n");
    }
    if options.deflate {
        request += "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    }
    request + "\r\n"
}

/// Reads the response; `Ok(None)` when more bytes are needed, else its length and what was agreed.
pub fn response(bytes: &[u8], options: &Options) -> Result<Option<(usize, Agreed)>> {
    let Some(end) = end_of_head(bytes) else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..end]);
    if !head.starts_with("HTTP/1.1 101 ") {
        return peer(format!("the handshake was refused: {}", head.lines().next().unwrap_or_default()));
    }
    if header(&head, "sec-websocket-accept") != Some(accept(KEY).as_str()) {
        return peer("the handshake has a wrong Sec-WebSocket-Accept");
    }
    let extensions = header(&head, "sec-websocket-extensions").unwrap_or_default();
    let agreed = Agreed {
        deflate: extensions.contains("permessage-deflate"),
        server_no_context_takeover: extensions.contains("server_no_context_takeover"),
        client_no_context_takeover: extensions.contains("client_no_context_takeover"),
    };
    if options.deflate && !agreed.deflate {
        return Err(Error::Refused("the server does not agree to permessage-deflate".to_owned()));
    }
    if agreed.deflate && !options.deflate {
        return peer("the server chose an extension that was not offered");
    }
    Ok(Some((end, agreed)))
}

/// The server's answer to a request; `Ok(None)` when more bytes are needed, else its length and the response.
pub fn answer(bytes: &[u8]) -> Result<Option<(usize, String)>> {
    let Some(end) = end_of_head(bytes) else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let Some(key) = header(&head, "sec-websocket-key") else {
        return peer("a request without Sec-WebSocket-Key");
    };
    let mut response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n",
        accept(key),
    );
    if let Some(protocol) = header(&head, "sec-websocket-protocol").and_then(|list| list.split(',').next()) {
        response += &format!("Sec-WebSocket-Protocol: {}\r\n", protocol.trim());
    }
    Ok(Some((end, response + "\r\n")))
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// The value of a header field, by its name in lower case.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_accept_value_is_that_of_the_rfc() {
        assert_eq!(super::accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
