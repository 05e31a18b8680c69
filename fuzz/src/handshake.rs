//! The opening handshake: what is read, what is answered, what is written.

use arbitrary::{Arbitrary, Unstructured};
use websocket::handshake::head::{HeadReader, refusal_response};
use websocket::handshake::tokens::{is_header_value, is_token};
use websocket::handshake::{MAX_HEAD_LEN, MAX_HEADERS, MAX_REQUEST_HEADERS, client, key, server};

use crate::feed::{pieces, take};

/// The text on the wire: a byte for each character.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).expect("a header is Latin-1")).collect()
}

/// The places where a head is cut: everywhere in a short one, at some in a long one.
fn cuts(head: &[u8]) -> impl Iterator<Item = usize> {
    let step = 1 + head.len() / 64;
    (0..head.len().min(MAX_HEAD_LEN)).step_by(step)
}

fn check_headers(headers: &[(String, String)], most: usize) {
    assert!(headers.len() <= most);
    for (name, value) in headers {
        assert!(is_token(name), "{name:?} is a name");
        assert!(!value.contains(['\r', '\n', '\0']), "{value:?} stays on its line");
    }
}

/// The input is what a client sends. What is understood of it does not depend on where it is cut, an answer to it is
/// one that our client understands, and a refusal stays on its lines.
///
/// # Panics
/// When that does not hold.
pub fn check_request(data: &[u8]) {
    let whole = server::parse(data);
    for cut in cuts(data) {
        match server::parse(&data[..cut]) {
            Ok(None) => {}
            part => assert_eq!(part, whole, "after {cut} of {} bytes", data.len()),
        }
    }
    match whole {
        Ok(None) => assert!(data.len() < server::longest_head(MAX_HEAD_LEN), "a head must end"),
        Err(refusal) => check_refusal(&refusal),
        Ok(Some((request, len))) => {
            assert!(len <= data.len() && len <= server::longest_head(MAX_HEAD_LEN));
            check_headers(&request.headers, MAX_REQUEST_HEADERS);
            match request.check() {
                Ok(version) => check_accepted(&request, version),
                Err(refusal) => check_refusal(&refusal),
            }
        }
    }
}

/// The input is four sizes of pieces and what a client sends to the listener of the addon. A request that comes in pieces
/// is the same as one that comes at once, with all the bytes behind it; what is refused is refused; and what is kept of
/// one that never ends is bounded.
///
/// # Panics
/// When that does not hold.
pub fn check_head(mut data: &[u8]) {
    let sizes: [u8; 4] = take(&mut data);
    let whole = HeadReader::new(MAX_HEAD_LEN).push(data);
    if let Err(refusal) = &whole {
        assert!(matches!(refusal.status, 400 | 426 | 431), "{}", refusal.status);
        check_refusal_response(refusal);
    }
    for sizes in [&[][..], &sizes[..]] {
        let mut reader = HeadReader::new(MAX_HEAD_LEN);
        let (mut outcome, mut at) = (Ok(None), 0);
        for piece in pieces(data, sizes) {
            at += piece.len();
            outcome = reader.push(piece);
            if outcome != Ok(None) {
                break;
            }
            assert!(at < server::longest_head(MAX_HEAD_LEN), "a head must end");
        }
        match (&outcome, &whole) {
            (Ok(Some((request, rest))), Ok(Some((same, all)))) => {
                assert_eq!(request, same);
                assert_eq!([rest, &data[at..]].concat(), *all, "nothing behind the head is lost");
            }
            // What is wrong may show only when the head is complete, and before it is too long.
            (Ok(None), Err(_)) => assert!(data.len() < server::longest_head(MAX_HEAD_LEN)),
            (Err(refusal), Err(_)) => check_refusal_response(refusal),
            _ => assert_eq!(outcome, whole, "in pieces of {sizes:?}"),
        }
    }
}

/// A refusal is one whole response of HTTP, whatever the request was.
fn check_refusal_response(refusal: &server::Refusal) {
    let written = latin1(&refusal_response(refusal));
    let (response, len) = client::parse(&written).expect("a response").expect("as a whole");
    assert_eq!(response.status, refusal.status);
    let length =
        response.headers.iter().find(|(name, _)| name == "Content-Length").map(|(_, value)| value.as_str());
    assert_eq!(length, Some((written.len() - len).to_string().as_str()));
}

fn check_accepted(request: &server::Request, version: u8) {
    assert!(version == 13 || version == 8);
    assert_eq!(request.method, "GET");
    let sent = request.header("Sec-WebSocket-Key").expect("a request without a key is refused");
    assert!(key::is_valid_key(&sent));
    let answer = server::accept_response(&sent, &[]).expect("a key is a header value");
    let parsed = client::parse(&latin1(&answer)).expect("we understand ourselves");
    let (response, len) = parsed.expect("the answer is whole");
    assert_eq!(len, answer.len());
    assert_eq!(response.check(&sent, &[], None), Ok(None));
    assert!(
        response.check("AAAAAAAAAAAAAAAAAAAAAA==", &[], None).is_err() || sent == "AAAAAAAAAAAAAAAAAAAAAA=="
    );
}

fn check_refusal(refusal: &server::Refusal) {
    assert!(matches!(refusal.status, 400 | 405 | 426 | 431), "{}", refusal.status);
    assert!(is_header_value(&refusal.reason), "{:?}", refusal.reason);
    let headers: Vec<_> = refusal.header.into_iter().collect();
    let answer = server::response(refusal.status, "Refused", &headers).expect("a refusal can be written");
    let (response, _) = client::parse(&latin1(&answer)).expect("and read").expect("as a whole");
    assert_eq!((response.status, response.headers.len()), (refusal.status, headers.len()));
}

/// The input is what a server answers. What is understood of it does not depend on where it is cut, and only the
/// right answer opens the connection.
///
/// # Panics
/// When that does not hold.
pub fn check_response(data: &[u8]) {
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    let whole = client::parse(data);
    for cut in cuts(data) {
        match client::parse(&data[..cut]) {
            Ok(None) => {}
            part => assert_eq!(part, whole, "after {cut} of {} bytes", data.len()),
        }
    }
    let Ok(Some((response, len))) = whole else {
        assert!(whole.is_err() || data.len() < MAX_HEAD_LEN, "a head must end");
        return;
    };
    assert!(len <= data.len() && len <= MAX_HEAD_LEN);
    check_headers(&response.headers, MAX_HEADERS);
    let asked = [&[][..], &["chat"], &["chat", "superchat"]];
    for protocols in asked {
        if response.check(KEY, protocols, None).is_ok() {
            let all = |name: &str| {
                let named = response.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
                named.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty()).collect::<Vec<_>>()
            };
            assert_eq!(response.status, 101);
            assert_eq!(all("Sec-WebSocket-Accept"), ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]);
            assert_eq!(all("Sec-WebSocket-Extensions"), [""; 0], "none was offered");
            let protocol = all("Sec-WebSocket-Protocol");
            assert!(protocol.len() <= 1 && protocol.iter().all(|one| protocols.contains(one)));
            assert_eq!(protocol.is_empty(), protocols.is_empty());
        }
    }
}

/// What a program asks to be written into a head.
#[derive(Debug, Arbitrary)]
struct Head {
    status: u16,
    phrase: String,
    target: String,
    host: String,
    headers: Vec<(String, String)>,
}

/// The input is what a program passes to the functions that write heads. They refuse it, or what they write is read as
/// just that: nothing breaks out of its line.
///
/// # Panics
/// When that does not hold.
pub fn check_encode(data: &[u8]) {
    let Ok(head) = Head::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let headers: Vec<_> = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if headers.len() + 5 > MAX_HEADERS {
        return;
    }
    let status = 100 + head.status % 900;
    if let Ok(written) = server::response(status, &head.phrase, &headers) {
        let bytes = latin1(&written);
        match client::parse(&bytes) {
            Ok(parsed) => {
                let (response, len) = parsed.expect("the head is whole");
                assert_eq!((response.status, len), (status, bytes.len()));
                check_same(&headers, &response.headers);
            }
            Err(error) => {
                assert!(bytes.len() > MAX_HEAD_LEN || !head.phrase.is_ascii(), "{error} in {written:?}");
            }
        }
    }
    if let Ok(written) = client::request(&head.target, &head.host, "dGhlIHNhbXBsZSBub25jZQ==", &headers) {
        // The target is checked for what could end it; beyond that it is the program's.
        let bytes = written.into_bytes();
        if let Ok(parsed) = server::parse(&bytes) {
            let (request, len) = parsed.expect("the head is whole");
            assert_eq!((request.method.as_str(), &request.target, len), ("GET", &head.target, bytes.len()));
            assert_eq!(request.headers.len(), headers.len() + 5);
        }
    }
}

fn check_same(written: &[(&str, &str)], read: &[(String, String)]) {
    let trimmed =
        |&(name, value): &(&str, &str)| (name.to_owned(), value.trim_matches([' ', '\t']).to_owned());
    assert_eq!(written.iter().map(trimmed).collect::<Vec<_>>(), read);
}
