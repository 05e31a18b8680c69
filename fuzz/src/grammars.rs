//! Header values: lists, cookies, extensions.

use websocket::handshake::extensions::{self, Extension};
use websocket::handshake::tokens::{is_header_value, is_token, list, list_contains};
use websocket::handshake::{cookies, key};

/// Whatever the value is, the parsers give parts of it, and parts that are put together again mean the same.
///
/// # Panics
/// When that does not hold.
pub fn check(data: &[u8]) {
    // As Node reads headers: each byte a character. And, for what a program passes in, as UTF-8.
    let latin1: String = data.iter().map(|&byte| char::from(byte)).collect();
    for text in [&latin1, &String::from_utf8_lossy(data).into_owned()] {
        check_list(text);
        check_cookies(text);
        check_extensions(text);
        assert!(!is_header_value(text) || !text.contains(['\r', '\n', '\0']));
        if key::is_valid_key(text) {
            assert_eq!(text.len(), 24);
        }
        assert_eq!(key::accept_key(text).len(), 28);
    }
}

fn is_trimmed(text: &str) -> bool {
    !text.starts_with([' ', '\t']) && !text.ends_with([' ', '\t'])
}

fn check_list(text: &str) {
    for element in list(text) {
        assert!(!element.is_empty() && is_trimmed(element) && !element.contains(','));
        assert!(list_contains(text, element) && list_contains(text, &element.to_ascii_uppercase()));
        assert!(!is_token(element) || !element.contains([' ', '\t', '"', ';']));
    }
    let elements: Vec<_> = list(text).collect();
    assert_eq!(list(&elements.join(" ,, ")).collect::<Vec<_>>(), elements);
}

fn check_cookies(text: &str) {
    let cookies = cookies::parse(text);
    assert_eq!(cookies.len(), text.split([';', ',']).count());
    for cookie in cookies {
        assert!(text.contains(cookie.name));
        // Decoding makes a value no longer than it came.
        assert!(cookie.value.is_none_or(|value| value.len() <= text.len()));
    }
}

fn check_extensions(text: &str) {
    let extensions = extensions::parse(text);
    for extension in &extensions {
        // Names are not checked, so that `;` is one without a name, which nobody agrees to.
        assert!(is_trimmed(extension.name) && text.contains(extension.name));
        for param in &extension.params {
            assert!(is_trimmed(param.name) && param.value.is_none_or(is_trimmed));
            assert_eq!(param.unquoted().is_some(), param.value.is_some());
        }
    }
    // A string that is never closed would swallow what is put behind it.
    let unclosed = |extension: &Extension<'_>| {
        extension.name.contains('"')
            || extension.params.iter().any(|param| {
                param.name.contains('"')
                    || param
                        .value
                        .is_some_and(|value| value.matches('"').count() % 2 == 1 || value.contains('\\'))
            })
    };
    if extensions.iter().any(unclosed) {
        return;
    }
    let again = extensions.iter().map(write).collect::<Vec<_>>().join(",");
    assert_eq!(extensions::parse(&again), extensions, "{again:?}");
}

fn write(extension: &Extension<'_>) -> String {
    let mut out = extension.name.to_owned();
    for param in &extension.params {
        out.push_str(" ;\t");
        out.push_str(param.name);
        if let Some(value) = param.value {
            out.push_str(" = ");
            out.push_str(value);
        }
    }
    out
}
