//! Request heads that arrive in pieces, and the answers to those that are no opening handshake.

use super::server::{self, Refusal, Request};
use super::tokens::list_contains;

/// Collects a request head. Holds what has arrived, which is at most [`server::longest_head`] and one piece.
#[derive(Debug)]
pub struct HeadReader {
    bytes: Vec<u8>,
    max_len: usize,
}

impl HeadReader {
    /// For heads of up to `max_len` bytes, counted as Node does.
    #[must_use]
    pub fn new(max_len: usize) -> Self {
        Self { bytes: Vec::new(), max_len }
    }

    /// Whether it shows already that this is no opening handshake: the method is not GET.
    #[must_use]
    pub fn is_other_method(&self) -> bool {
        const METHOD: &[u8] = b"GET ";
        let len = METHOD.len().min(self.bytes.len());
        self.bytes[..len] != METHOD[..len]
    }

    /// Everything that has arrived, as long as [`HeadReader::push`] has not returned a request.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Takes a piece. Returns the request, and what came behind its head, once the head is complete. Linear in what
    /// arrives, however small the pieces are.
    ///
    /// # Errors
    /// As [`server::parse_within`], and 426 for a request that does not ask for a WebSocket. The reader is of no use then.
    pub fn push(&mut self, piece: &[u8]) -> Result<Option<(Request, Vec<u8>)>, Refusal> {
        let seen = self.bytes.len();
        self.bytes.extend_from_slice(piece);
        // What is no HTTP at all mostly shows in the first piece; after that only an empty line can end the head.
        if seen > 0
            && self.bytes.len() < server::longest_head(self.max_len)
            && !has_empty_line(&self.bytes[seen.saturating_sub(3)..])
        {
            return Ok(None);
        }
        let Some((request, len)) = server::parse_within(&self.bytes, self.max_len)? else { return Ok(None) };
        if !request.target.is_ascii() {
            return Err(refusal(400, "The request target must be ASCII."));
        }
        if !request.header("upgrade").is_some_and(|upgrade| list_contains(&upgrade, "websocket")) {
            return Err(Refusal {
                status: 426,
                reason: "This is a WebSocket server: the request must ask for an upgrade to websocket."
                    .to_owned(),
                header: Some(("Upgrade", "websocket")),
            });
        }
        if !request.header("connection").is_some_and(|connection| list_contains(&connection, "upgrade")) {
            return Err(refusal(400, "Client must provide a Connection header that contains Upgrade."));
        }
        Ok(Some((request, self.bytes.split_off(len))))
    }
}

/// A refusal without a header of its own.
#[must_use]
pub fn refusal(status: u16, reason: &str) -> Refusal {
    Refusal { status, reason: reason.to_owned(), header: None }
}

fn has_empty_line(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\n\n") || bytes.windows(3).any(|triple| triple == b"\n\r\n")
}

/// The whole response to a request that is refused: head and a line of text. The connection is to be closed after it.
#[must_use]
pub fn refusal_response(refusal: &Refusal) -> String {
    let phrase = match refusal.status {
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        _ => "Bad Request",
    };
    let length = (refusal.reason.len() + 1).to_string();
    let connection = if refusal.status == 426 { "Upgrade, close" } else { "close" };
    let mut headers = vec![
        ("Connection", connection),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", &length),
    ];
    headers.extend(refusal.header);
    let head = server::response(refusal.status, phrase, &headers).unwrap_or_default();
    format!("{head}{}\n", refusal.reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::MAX_HEAD_LEN;

    fn reader() -> HeadReader {
        HeadReader::new(MAX_HEAD_LEN)
    }

    const HEAD: &[u8] =
        b"GET /chat?x=1 HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n";

    #[test]
    fn a_head_split_anywhere_is_the_same_request() {
        let whole = reader().push(HEAD);
        let Ok(Some((request, rest))) = whole else { panic!("{whole:?}") };
        assert_eq!((request.target.as_str(), rest.len()), ("/chat?x=1", 0));
        for at in 1..HEAD.len() {
            let mut reader = reader();
            assert_eq!(reader.push(&HEAD[..at]), Ok(None), "{at}");
            assert_eq!(reader.push(&HEAD[at..]), Ok(Some((request.clone(), Vec::new()))), "{at}");
        }
        let mut reader = reader();
        let (last, all) = HEAD.split_last().expect("not empty");
        assert!(all.iter().all(|&byte| reader.push(&[byte]) == Ok(None)));
        assert_eq!(reader.push(&[*last, 0x81]), Ok(Some((request, vec![0x81]))));
    }

    #[test]
    fn another_method_shows_with_the_first_byte_that_differs() {
        let shows = |bytes: &[u8]| {
            let mut reader = reader();
            let _ = reader.push(bytes);
            reader.is_other_method()
        };
        for bytes in [&b""[..], b"G", b"GET", b"GET ", b"GET /chat HTTP/1.1\r\nHost: "] {
            assert!(!shows(bytes), "{bytes:?}");
        }
        for bytes in [&b"P"[..], b"GO", b"GETS", b"get /", b"\r\nGET /", b"\x16\x03\x01"] {
            assert!(shows(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn a_refused_request_can_be_had_back_byte_for_byte() {
        let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\n";
        for at in 0..request.len() {
            let mut reader = reader();
            let (first, rest) = request.split_at(at);
            if reader.push(first).is_ok() {
                let _ = reader.push(rest);
                assert_eq!(reader.into_bytes(), request, "{at}");
            } else {
                assert_eq!(reader.into_bytes(), first, "{at}");
            }
        }
    }

    #[test]
    fn what_is_no_websocket_request_is_refused() {
        let status = |bytes: &[u8]| reader().push(bytes).map_err(|refusal| refusal.status);
        assert_eq!(status(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Err(426));
        assert_eq!(status(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n"), Err(426));
        assert_eq!(status(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"), Err(400));
        assert_eq!(status("GET /ü HTTP/1.1\r\nUpgrade: websocket\r\n\r\n".as_bytes()), Err(400));
        assert_eq!(status(b"\x16\x03\x01\x02\x00"), Err(400));
        assert_eq!(status(&vec![b'a'; server::longest_head(MAX_HEAD_LEN)]), Err(431));
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes when interpreted")]
    fn a_head_that_never_ends_is_refused_in_time() {
        let mut reader = reader();
        assert_eq!(reader.push(b"GET / HTTP/1.1\r\nX: "), Ok(None));
        let refused = (0..2 * MAX_HEAD_LEN).find_map(|_| reader.push(b"x").err());
        assert_eq!(refused.map(|refusal| refusal.status), Some(431));
        assert!(reader.bytes.len() <= server::longest_head(MAX_HEAD_LEN));
    }

    #[test]
    fn the_limit_is_the_one_the_program_has_set() {
        let head = |len: usize| {
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX: {}\r\n\r\n",
                "x".repeat(len)
            )
        };
        let status = |limit: usize, len: usize| {
            HeadReader::new(limit).push(head(len).as_bytes()).err().map(|refusal| refusal.status)
        };
        assert_eq!(status(1024, 900), None);
        assert_eq!(status(1024, 1024), Some(431));
        assert_eq!(status(1024, 100_000), Some(431));
        assert_eq!(status(200_000, 100_000), None);
    }

    #[test]
    fn the_status_line_of_a_refusal_has_the_phrase_of_its_status() {
        for (status, phrase) in [
            (400, "Bad Request"),
            (405, "Method Not Allowed"),
            (408, "Request Timeout"),
            (426, "Upgrade Required"),
            (431, "Request Header Fields Too Large"),
        ] {
            let response = refusal_response(&refusal(status, "No."));
            assert!(response.starts_with(&format!("HTTP/1.1 {status} {phrase}\r\n")), "{response}");
            assert!(response.ends_with("\r\n\r\nNo.\n"), "{response}");
        }
    }

    #[test]
    fn a_refusal_says_how_to_do_better() {
        let refusal = reader().push(b"GET / HTTP/1.1\r\n\r\n").expect_err("no upgrade");
        let response = refusal_response(&refusal);
        assert!(
            response.starts_with("HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade, close\r\n"),
            "{response}"
        );
        assert!(response.contains("\r\nUpgrade: websocket\r\n"), "{response}");
        let (head, body) = response.split_once("\r\n\r\n").expect("an empty line");
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{response}");
    }
}
