//! Requests as they come, whole and in pieces, and the answers to them.

use super::*;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The request of RFC 6455 section 1.3.
const EXAMPLE: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Origin: http://example.com\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Version: 13\r\n\
    \r\n";

fn good() -> RequestFields<'static> {
    RequestFields {
        method: Some("GET"),
        host: Some("example.com"),
        upgrade: Some("websocket"),
        connection: Some("Upgrade"),
        key: Some(KEY),
        version: Some("13"),
    }
}

fn refusal(status: u16, reason: &str) -> Refusal {
    Refusal { status, reason: reason.to_owned(), header: None }
}

/// A head that must be complete and correct HTTP.
fn parsed(head: &str) -> Request {
    let (request, len) = parse(head.as_bytes()).expect("HTTP").expect("a whole head");
    assert_eq!(len, head.len());
    request
}

/// The example with the line that starts with `name` replaced by `lines`.
fn example_with(name: &str, lines: &str) -> String {
    assert!(EXAMPLE.contains(name), "{name}");
    EXAMPLE.split_inclusive("\r\n").map(|line| if line.starts_with(name) { lines } else { line }).collect()
}

#[test]
fn a_correct_request_is_accepted_with_its_version() {
    assert_eq!(check(&good()), Ok(13));
    assert_eq!(check(&RequestFields { version: Some("8"), ..good() }), Ok(8));
    // Node has already acted on these when it hands a request over
    assert_eq!(check(&RequestFields { method: None, upgrade: None, connection: None, ..good() }), Ok(13));
}

#[test]
fn lists_and_their_case_and_white_space_are_understood() {
    for (upgrade, connection) in [
        ("WebSocket", "upgrade"),
        ("WEBSOCKET", "UPGRADE"),
        ("websocket", "keep-alive, Upgrade"),
        ("h2c,websocket", "keep-alive ,\tupgrade , "),
    ] {
        let fields = RequestFields { upgrade: Some(upgrade), connection: Some(connection), ..good() };
        assert_eq!(check(&fields), Ok(13), "{upgrade:?} {connection:?}");
    }
}

#[test]
fn every_refusal_has_its_status_and_text() {
    let bad_upgrade = refusal(400, "Client must ask for an upgrade to websocket.");
    let bad_connection = refusal(400, "Client must provide a Connection header that contains Upgrade.");
    let no_host = refusal(400, "Client must provide a Host header.");
    let no_key = refusal(400, "Client must provide a value for Sec-WebSocket-Key.");
    let bad_key = refusal(400, "Client must provide 16 bytes in base64 as Sec-WebSocket-Key.");
    let no_version = refusal(400, "Client must provide a value for Sec-WebSocket-Version.");
    for (fields, expected) in [
        (RequestFields { upgrade: Some(""), ..good() }, &bad_upgrade),
        (RequestFields { upgrade: Some("h2c"), ..good() }, &bad_upgrade),
        (RequestFields { upgrade: Some("websockets"), ..good() }, &bad_upgrade),
        (RequestFields { connection: Some(""), ..good() }, &bad_connection),
        (RequestFields { connection: Some("keep-alive"), ..good() }, &bad_connection),
        (RequestFields { host: None, ..good() }, &no_host),
        (RequestFields { host: Some(""), ..good() }, &no_host),
        (RequestFields { key: None, ..good() }, &no_key),
        (RequestFields { key: Some(""), ..good() }, &no_key),
        (RequestFields { key: Some("short"), ..good() }, &bad_key),
        (RequestFields { key: Some("dGhlIHNhbXBsZSBub25jZQ"), ..good() }, &bad_key),
        (
            RequestFields { key: Some("dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="), ..good() },
            &bad_key,
        ),
        (RequestFields { version: None, ..good() }, &no_version),
        // the first thing that is wrong is what is told
        (RequestFields { host: None, key: None, version: None, ..good() }, &no_host),
        (RequestFields { key: Some("short"), version: None, ..good() }, &no_version),
    ] {
        assert_eq!(check(&fields).as_ref(), Err(expected), "{fields:?}");
    }
}

#[test]
fn a_method_other_than_get_is_refused_and_get_offered() {
    for method in ["POST", "HEAD", "get", "GETT", ""] {
        let expected = Refusal {
            header: Some(("Allow", "GET")),
            ..refusal(405, "The method of a WebSocket request must be GET.")
        };
        assert_eq!(check(&RequestFields { method: Some(method), ..good() }), Err(expected));
    }
}

#[test]
fn versions_are_numbers_and_nothing_else() {
    for (text, version) in [("13", 13), (" 13", 13), ("8", 8), ("\t8 ", 8)] {
        assert_eq!(check(&RequestFields { version: Some(text), ..good() }), Ok(version), "{text:?}");
    }
    for text in ["", " ", "abc", "-13", "+13", "x13"] {
        let expected = refusal(400, "Client must provide a value for Sec-WebSocket-Version.");
        assert_eq!(check(&RequestFields { version: Some(text), ..good() }), Err(expected), "{text:?}");
    }
    for text in ["013", "000", "13abc", "13.0", "13;", "1 3", "13, 13", "13, 8", "8, 13"] {
        let expected = refusal(400, "Client must provide a single number as Sec-WebSocket-Version.");
        assert_eq!(check(&RequestFields { version: Some(text), ..good() }), Err(expected), "{text:?}");
    }
    for text in ["0", "7", "14", "130", "269", "99999999999999999999"] {
        let reason =
            format!("Unsupported websocket client version: {text}Only versions 8 and 13 are supported.");
        let expected = Refusal { header: Some(("Sec-WebSocket-Version", "13, 8")), ..refusal(426, &reason) };
        assert_eq!(check(&RequestFields { version: Some(text), ..good() }), Err(expected), "{text:?}");
    }
}

#[test]
fn the_example_of_rfc_6455_section_1_3() {
    let request = parsed(EXAMPLE);
    assert_eq!((&*request.method, &*request.target), ("GET", "/chat"));
    assert_eq!(request.headers.len(), 7);
    assert_eq!(request.headers[6], ("Sec-WebSocket-Version".to_owned(), "13".to_owned()));
    assert_eq!(request.header("sec-websocket-protocol").as_deref(), Some("chat, superchat"));
    assert_eq!(request.header("cookie"), None);
    assert_eq!(request.check(), Ok(13));
}

#[test]
fn a_head_may_be_split_anywhere() {
    let bytes = [EXAMPLE.as_bytes(), &[0x81, 0x80, 1, 2, 3, 4]].concat();
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
    let head = example_with("Upgrade", "UPGRADE:websocket \t \r\n");
    let head = head.replace("Sec-WebSocket-Key: ", "sec-websocket-key:\t  ");
    let request = parsed(&head);
    assert_eq!(request.header("Upgrade").as_deref(), Some("websocket"));
    assert_eq!(request.header("SEC-WEBSOCKET-KEY").as_deref(), Some(KEY));
    assert_eq!(request.check(), Ok(13));
}

#[test]
fn several_lines_of_a_header_count_as_one_list() {
    let head = example_with("Connection", "Connection: keep-alive\r\nconnection: Upgrade\r\n");
    let head = head.replace("chat, superchat\r\n", "chat\r\nSec-WebSocket-Protocol: superchat\r\n");
    let request = parsed(&head);
    assert_eq!(request.header("Connection").as_deref(), Some("keep-alive, Upgrade"));
    assert_eq!(request.header("Sec-WebSocket-Protocol").as_deref(), Some("chat, superchat"));
    assert_eq!(request.check(), Ok(13));
}

#[test]
fn what_may_come_only_once_is_refused_twice() {
    let twice = |line: &str| format!("{line}\r\n{line}\r\n");
    let request = parsed(&example_with("Sec-WebSocket-Key", &twice(&format!("Sec-WebSocket-Key: {KEY}"))));
    assert_eq!(request.check().map_err(|refusal| refusal.status), Err(400));
    let request = parsed(&example_with("Host", "Host: a.example\r\nhost: b.example\r\n"));
    assert_eq!(request.check(), Err(refusal(400, "Client must provide a single Host header.")));
}

#[test]
fn a_request_off_the_wire_must_ask_for_the_upgrade() {
    for (name, lines, reason) in [
        ("Upgrade", "", "Client must ask for an upgrade to websocket."),
        ("Upgrade", "Upgrade: h2c\r\n", "Client must ask for an upgrade to websocket."),
        ("Connection", "", "Client must provide a Connection header that contains Upgrade."),
        ("Host", "", "Client must provide a Host header."),
        ("Host", "Host:\r\n", "Client must provide a Host header."),
        ("Sec-WebSocket-Key", "", "Client must provide a value for Sec-WebSocket-Key."),
        ("Sec-WebSocket-Version", "", "Client must provide a value for Sec-WebSocket-Version."),
    ] {
        assert_eq!(
            parsed(&example_with(name, lines)).check(),
            Err(refusal(400, reason)),
            "{lines:?} for {name}"
        );
    }
    let post = EXAMPLE.replacen("GET", "POST", 1);
    assert_eq!(parsed(&post).check().map_err(|refusal| refusal.status), Err(405));
}

#[test]
fn bytes_above_ascii_are_latin_1_and_names_of_prototypes_nothing_special() {
    let head = b"GET / HTTP/1.1\r\nX-Name: \xFC\x80\r\n__proto__: a\r\nconstructor: b\r\n\r\n";
    let (request, _) = parse(head).expect("HTTP").expect("a whole head");
    assert_eq!(request.header("x-name").as_deref(), Some("ü\u{80}"));
    assert_eq!(request.header("__proto__").as_deref(), Some("a"));
    assert_eq!(request.header("constructor").as_deref(), Some("b"));
}

#[test]
fn what_is_not_http_1_1_is_refused_as_soon_as_it_is_seen() {
    for head in [
        "\u{16}\u{3}\u{1}",                        // the beginning of TLS
        "GET / HTTP/2",                            // another protocol
        "GET / HTTP/1.1\r\na b: c",                // a space in a name
        "GET / HTTP/1.1\r\na : c",                 // a space behind it
        "GET / HTTP/1.1\r\n: c",                   // no name
        "GET / HTTP/1.1\r\na: \0",                 // a control character
        "GET / HTTP/1.1\r\na: b\r\n c: d\r\n\r\n", // a folded line
        "GET / HTTP/1.1\r\na: b\rc",               // a carriage return on its own
    ] {
        let result = parse(head.as_bytes());
        assert!(
            matches!(&result, Err(refusal) if refusal.status == 400 && refusal.reason.starts_with("The request is not HTTP/1.1")),
            "{head:?}: {result:?}"
        );
    }
    let old = EXAMPLE.replacen("HTTP/1.1", "HTTP/1.0", 1);
    assert_eq!(parse(old.as_bytes()), Err(refusal(400, "A WebSocket request must be HTTP/1.1.")));
}

#[test]
fn a_head_may_be_as_long_as_the_limit_and_no_longer() {
    // counted as Node does: target, names and values
    let head = |counted: usize| {
        let value = "x".repeat(counted - "/".len() - "Host".len() - "a".len() - "X".len());
        format!("GET / HTTP/1.1\r\nHost: a\r\nX: {value}\r\n\r\n")
    };
    for limit in [1024, MAX_HEAD_LEN, 100_000] {
        let parse = |bytes: &[u8]| parse_within(bytes, limit);
        let reason = format!("The request head is longer than {limit} bytes (--max-http-header-size).");
        let too_long = refusal(431, &reason);
        assert!(matches!(parse(head(limit - 1).as_bytes()), Ok(Some(_))), "{limit}");
        assert_eq!(parse(head(limit).as_bytes()), Err(too_long.clone()));
        // without its end it is refused when nothing that may still come could end it in time
        let endless = vec![b'a'; longest_head(limit)];
        assert_eq!(parse(&endless[..endless.len() - 1]), Ok(None));
        assert_eq!(parse(&endless), Err(too_long));
    }
}

#[test]
fn a_head_may_have_as_many_lines_as_the_limit_and_no_more() {
    let head = |lines: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a:b\r\n".repeat(lines));
    for lines in [MAX_HEADERS, MAX_HEADERS + 1, MAX_REQUEST_HEADERS] {
        assert_eq!(parsed(&head(lines)).headers.len(), lines);
    }
    let expected = refusal(431, "The request has more than 2000 header lines.");
    assert_eq!(parse(head(MAX_REQUEST_HEADERS + 1).as_bytes()), Err(expected));
}

#[test]
fn the_answer_of_rfc_6455_section_1_3() {
    let answer = accept_response(KEY, &[("Sec-WebSocket-Protocol", "chat")]);
    let expected = "HTTP/1.1 101 Switching Protocols\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
        Sec-WebSocket-Protocol: chat\r\n\
        \r\n";
    assert_eq!(answer.as_deref(), Ok(expected));
    let refused =
        response(426, "Upgrade Required", &[("Connection", "close"), ("Sec-WebSocket-Version", "13, 8")]);
    let expected =
        "HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nSec-WebSocket-Version: 13, 8\r\n\r\n";
    assert_eq!(refused.as_deref(), Ok(expected));
    assert_eq!(response(404, "", &[]).as_deref(), Ok("HTTP/1.1 404 \r\n\r\n"));
}

#[test]
fn nothing_can_be_put_into_an_answer_but_the_lines_it_has() {
    for (name, value) in [
        ("X-Reason", "no\r\nSet-Cookie: a=b"),
        ("X-Reason", "no\nbody"),
        ("X-Reason", "no\r"),
        ("X-Reason", "\0"),
        ("X-Reason\r\nSet-Cookie", "a=b"),
        ("X Reason", "no"),
        ("X-Reason:", "no"),
        ("", "no"),
    ] {
        let expected = Err(InvalidHeader { name: name.to_owned() });
        assert_eq!(response(400, "Bad Request", &[("Connection", "close"), (name, value)]), expected);
        assert_eq!(accept_response(KEY, &[(name, value)]), expected);
    }
    let expected = Err(InvalidHeader { name: ":reason".to_owned() });
    assert_eq!(response(400, "Bad\r\nSet-Cookie: a=b", &[]), expected);
}
