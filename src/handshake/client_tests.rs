//! The request of a client, and what it makes of the responses.

use super::*;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The response of RFC 6455 section 1.3.
const EXAMPLE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: chat\r\n\
    \r\n";

fn good() -> ResponseFields<'static> {
    ResponseFields {
        upgrade: Some("websocket"),
        connection: Some("Upgrade"),
        accept: Some(ACCEPT),
        protocol: None,
        extensions: None,
    }
}

/// A head that must be complete and correct HTTP.
fn parsed(head: &str) -> Response {
    let (response, len) = parse(head.as_bytes()).expect("HTTP").expect("a whole head");
    assert_eq!(len, head.len());
    response
}

#[test]
fn a_request_has_what_section_4_1_asks_for() {
    let head = request("/chat?room=1", "example.com:8080", KEY, &[("Origin", "http://example.com")]);
    let expected = "GET /chat?room=1 HTTP/1.1\r\n\
        Host: example.com:8080\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Origin: http://example.com\r\n\
        \r\n";
    assert_eq!(head.as_deref(), Ok(expected));
}

#[test]
fn the_server_of_this_crate_accepts_the_request_and_its_client_the_response() {
    use crate::handshake::server;
    let head = request("/", "[::1]:80", KEY, &[("Sec-WebSocket-Protocol", "a, b")]).expect("a request");
    let (request, len) = server::parse(head.as_bytes()).expect("HTTP").expect("a whole head");
    assert_eq!((request.check(), len), (Ok(13), head.len()));
    let key = request.header("sec-websocket-key").expect("a key");
    let answer = server::accept_response(&key, &[("Sec-WebSocket-Protocol", "b")]).expect("a response");
    assert_eq!(parsed(&answer).check(KEY, &["a", "b"], None), Ok(None));
}

#[test]
fn nothing_can_be_put_into_a_request_but_the_lines_it_has() {
    let invalid = |name: &str| Err(InvalidHeader { name: name.to_owned() });
    for target in ["", "/a b", "/\r\nX: y", "/\0", "/\u{7f}", "/\t"] {
        assert_eq!(request(target, "host", KEY, &[]), invalid(":path"), "{target:?}");
    }
    assert_eq!(request("/", "host\r\nX: y", KEY, &[]), invalid("Host"));
    assert_eq!(request("/", "host", "key\n", &[]), invalid("Sec-WebSocket-Key"));
    for (name, value) in [("Cookie", "a\r\nX: y"), ("Cookie", "\0"), ("Coo kie", "a"), ("", "a"), ("X:", "a")]
    {
        assert_eq!(request("/", "host", KEY, &[("Origin", "null"), (name, value)]), invalid(name));
    }
}

#[test]
fn a_correct_response_opens_the_connection() {
    assert_eq!(check(&good(), KEY, &[], None), Ok(None));
    assert_eq!(check(&ResponseFields { protocol: Some("b"), ..good() }, KEY, &["a", "b"], None), Ok(None));
    for (upgrade, connection) in [
        ("WebSocket", "upgrade"),
        ("WEBSOCKET", "keep-alive, Upgrade"),
        ("websocket", "Upgrade ,\tkeep-alive"),
    ] {
        let fields = ResponseFields { upgrade: Some(upgrade), connection: Some(connection), ..good() };
        assert_eq!(check(&fields, KEY, &[], None), Ok(None), "{upgrade:?} {connection:?}");
    }
}

#[test]
fn headers_that_are_there_but_empty_say_nothing() {
    let fields = ResponseFields { protocol: Some(""), extensions: Some(""), ..good() };
    assert_eq!(check(&fields, KEY, &[], None), Ok(None));
}

#[test]
fn every_failure_of_a_response_has_its_text() {
    use ResponseError as E;
    let unexpected = |protocol: &str| E::UnexpectedProtocol(protocol.to_owned());
    let protocol_text = "Server did not respond with a requested protocol.";
    let none_text = "Expected a Sec-WebSocket-Protocol header.";
    let connection_text = "Expected a Connection: Upgrade header from the server";
    let upgrade_text = "Expected an Upgrade: websocket header from the server";
    let accept_text = "Expected Sec-WebSocket-Accept header from server";
    let wrong_text =
        "Sec-WebSocket-Accept header from server didn't match expected value of s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    let extension_text = "Server responded with an extension that was not requested: permessage-deflate";
    let wrong = || E::WrongAccept(ACCEPT.to_owned());
    for (fields, protocols, error, text) in [
        (ResponseFields { protocol: Some("c"), ..good() }, &["a", "b"][..], unexpected("c"), protocol_text),
        (ResponseFields { protocol: Some("A"), ..good() }, &["a"], unexpected("A"), protocol_text),
        (ResponseFields { protocol: Some("a, b"), ..good() }, &["a", "b"], unexpected("a, b"), protocol_text),
        (ResponseFields { protocol: Some("a"), ..good() }, &[], unexpected("a"), protocol_text),
        (ResponseFields { protocol: None, ..good() }, &["a"], E::NoProtocol, none_text),
        (ResponseFields { protocol: Some(""), ..good() }, &["a"], E::NoProtocol, none_text),
        (ResponseFields { connection: None, ..good() }, &[], E::NoConnectionUpgrade, connection_text),
        (
            ResponseFields { connection: Some("close"), ..good() },
            &[],
            E::NoConnectionUpgrade,
            connection_text,
        ),
        (ResponseFields { upgrade: None, ..good() }, &[], E::NoUpgrade, upgrade_text),
        (ResponseFields { upgrade: Some("h2c"), ..good() }, &[], E::NoUpgrade, upgrade_text),
        (ResponseFields { accept: None, ..good() }, &[], E::NoAccept, accept_text),
        (ResponseFields { accept: Some(""), ..good() }, &[], E::NoAccept, accept_text),
        (ResponseFields { accept: Some(KEY), ..good() }, &[], wrong(), wrong_text),
        // base64 tells upper and lower case apart
        (ResponseFields { accept: Some("S3pPLMBiTxaQ9kYGzzhZRbK+xOo="), ..good() }, &[], wrong(), wrong_text),
        (
            ResponseFields { extensions: Some("permessage-deflate"), ..good() },
            &[],
            E::UnexpectedExtension("permessage-deflate".to_owned()),
            extension_text,
        ),
        // the first thing that is wrong is what is told
        (ResponseFields::default(), &["a"], E::NoProtocol, none_text),
        (ResponseFields::default(), &[], E::NoConnectionUpgrade, connection_text),
    ] {
        assert_eq!(error.to_string(), text);
        assert_eq!(check(&fields, KEY, protocols, None), Err(error), "{fields:?}");
    }
}

#[test]
fn the_example_of_rfc_6455_section_1_3() {
    let response = parsed(EXAMPLE);
    assert_eq!((response.status, &*response.phrase, response.headers.len()), (101, "Switching Protocols", 4));
    assert_eq!(response.check(KEY, &["superchat", "chat"], None), Ok(None));
    assert!(matches!(
        response.check("AQIDBAUGBwgJCgsMDQ4PEC==", &["chat"], None),
        Err(ResponseError::WrongAccept(_))
    ));
}

#[test]
fn a_status_other_than_101_is_told_before_all_else() {
    for (line, status, phrase) in [
        ("HTTP/1.1 401 Unauthorized", 401, "Unauthorized"),
        ("HTTP/1.1 200 OK", 200, "OK"),
        ("HTTP/1.1 503", 503, ""),
        ("HTTP/1.0 404 Not Found", 404, "Not Found"), // some proxies still speak it
    ] {
        let response = parsed(&format!("{line}\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!((response.status, &*response.phrase), (status, phrase));
        let error = response.check(KEY, &["chat"], None).expect_err("not 101");
        assert_eq!(error, ResponseError::Status(status));
        assert_eq!(error.to_string(), format!("Server responded with a non-101 status: {status}"));
    }
}

#[test]
fn a_head_may_be_split_anywhere() {
    let bytes = [EXAMPLE.as_bytes(), b"\x81\x02hi"].concat();
    let whole = parse(&bytes).expect("HTTP").expect("a whole head");
    assert_eq!(whole.1, EXAMPLE.len(), "what follows the head is left alone");
    for len in 0..EXAMPLE.len() {
        assert_eq!(parse(&bytes[..len]), Ok(None), "{len} bytes");
    }
    for len in EXAMPLE.len()..=bytes.len() {
        assert_eq!(parse(&bytes[..len]).as_ref(), Ok(&Some(whole.clone())), "{len} bytes");
    }
}

#[test]
fn names_are_taken_in_any_case_and_values_without_the_white_space_around_them() {
    let head = EXAMPLE.replace("Upgrade: websocket", "UPGRADE:websocket \t ");
    let head = head.replace("Sec-WebSocket-Accept: ", "sec-websocket-accept:\t ");
    assert_eq!(parsed(&head).check(KEY, &["chat"], None), Ok(None));
    let (response, _) = parse(b"HTTP/1.1 101 \r\nX: \xFC\r\n\r\n").expect("HTTP").expect("a whole head");
    assert_eq!(response.headers, [("X".to_owned(), "ü".to_owned())]);
}

#[test]
fn several_lines_of_a_header_count_as_one_list() {
    let with = |line: &str| {
        parsed(&EXAMPLE.replacen("\r\n", &format!("\r\n{line}\r\n"), 1)).check(KEY, &["chat"], None)
    };
    assert_eq!(with("Connection: keep-alive"), Ok(None));
    // what may come only once is refused, whichever comes first
    assert_eq!(
        with(&format!("Sec-WebSocket-Accept: {ACCEPT}")),
        Err(ResponseError::WrongAccept(ACCEPT.to_owned()))
    );
    let both = ResponseError::UnexpectedProtocol("superchat, chat".to_owned());
    assert_eq!(with("sec-websocket-protocol: superchat"), Err(both));
    // an empty first line does not hide a second one
    let error = with("Sec-WebSocket-Extensions:\r\nSec-WebSocket-Extensions: x");
    assert_eq!(error, Err(ResponseError::UnexpectedExtension(", x".to_owned())));
}

#[test]
fn what_is_not_http_is_malformed_as_soon_as_it_is_seen() {
    for head in [
        "SSH-2.0-OpenSSH",
        "HTTP/2 200",
        "HTTP/1.1 abc",
        "HTTP/1.1 101 x\r\na b: c",
        "HTTP/1.1 101 x\r\n: c",
        "HTTP/1.1 101 x\r\na: \0",
        "HTTP/1.1 101 x\r\na: b\r\n c: d\r\n\r\n",
    ] {
        match parse(head.as_bytes()) {
            Err(ResponseError::Malformed(what)) => {
                assert!(what.starts_with("The response is not HTTP/1.1: "), "{what}");
                assert_eq!(ResponseError::Malformed(what.clone()).to_string(), what);
            }
            other => panic!("{head:?}: {other:?}"),
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes when interpreted")]
fn a_head_may_be_as_long_as_the_limit_and_no_longer() {
    let head = |len: usize| format!("HTTP/1.1 101 x\r\nX: {}\r\n\r\n", "x".repeat(len - 23));
    assert_eq!(parsed(&head(MAX_HEAD_LEN)).status, 101);
    let too_long = Err(ResponseError::Malformed("The response head is longer than 16384 bytes.".to_owned()));
    let longer = head(MAX_HEAD_LEN + 1);
    assert_eq!(longer.len(), MAX_HEAD_LEN + 1);
    assert_eq!(parse(longer.as_bytes()), too_long);
    assert_eq!(parse(&longer.as_bytes()[..MAX_HEAD_LEN - 1]), Ok(None));
    assert_eq!(parse(&longer.as_bytes()[..MAX_HEAD_LEN]), too_long);
}

#[test]
fn a_head_may_have_as_many_lines_as_the_limit_and_no_more() {
    let head = |lines: usize| format!("HTTP/1.1 101 x\r\n{}\r\n", "a: b\r\n".repeat(lines));
    assert_eq!(parsed(&head(MAX_HEADERS)).headers.len(), MAX_HEADERS);
    let expected = ResponseError::Malformed("The response has more than 128 header lines.".to_owned());
    assert_eq!(parse(head(MAX_HEADERS + 1).as_bytes()), Err(expected));
}
