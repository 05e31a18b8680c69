//! The `Cookie` header of a request (RFC 6265 section 4.2).

use std::borrow::Cow;

/// One cookie. Names may be anything, `__proto__` included: keep them out of object keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie<'a> {
    /// The name as sent.
    pub name: &'a str,
    /// The value, percent-decoded where that gives UTF-8; `None` for a pair without `=`.
    pub value: Option<Cow<'a, str>>,
}

/// Takes a `Cookie` header apart. Pairs end at `;` or `,`.
#[must_use]
pub fn parse(header: &str) -> Vec<Cookie<'_>> {
    let mut cookies = Vec::new();
    let mut first = true;
    for pair in header.split([';', ',']) {
        // The spaces after a separator belong to it.
        let pair = if first { pair } else { pair.trim_start_matches(' ') };
        first = false;
        cookies.push(match pair.split_once('=') {
            None => Cookie { name: pair, value: None },
            Some((name, value)) => {
                let value = value.trim();
                let value = if value.starts_with('"') { without_ends(value) } else { value };
                Cookie { name: name.trim(), value: Some(percent_decode(value)) }
            }
        });
    }
    cookies
}

/// `text` without its first and last character.
fn without_ends(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.next_back();
    chars.as_str()
}

/// Decodes `%XX` sequences. A text with a malformed one, or that would not be UTF-8, stays as it is.
fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = (bytes.next().and_then(hex), bytes.next().and_then(hex));
            let (Some(high), Some(low)) = digits else { return Cow::Borrowed(text) };
            decoded.push(high << 4 | low);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(header: &str) -> Vec<(String, Option<String>)> {
        parse(header).into_iter().map(|c| (c.name.to_owned(), c.value.map(Cow::into_owned))).collect()
    }

    fn pair(name: &str, value: &str) -> (String, Option<String>) {
        (name.to_owned(), Some(value.to_owned()))
    }

    #[test]
    fn pairs_are_separated_by_semicolons_or_commas() {
        assert_eq!(pairs("a=1; b=2,c=3"), [pair("a", "1"), pair("b", "2"), pair("c", "3")]);
        assert_eq!(pairs("a = 1 ;b"), [pair("a", "1"), ("b".to_owned(), None)]);
        assert_eq!(pairs("a=b=c"), [pair("a", "b=c")]);
    }

    #[test]
    fn quotes_are_taken_off_and_percent_sequences_decoded() {
        assert_eq!(pairs("a=\"x y\"; b=%C3%BC%20"), [pair("a", "x y"), pair("b", "ü ")]);
        assert_eq!(pairs("a=\""), [pair("a", "")]);
    }

    #[test]
    fn a_malformed_value_stays_as_it_is() {
        for value in ["%", "%4", "%zz", "%C3%28", "100%", "%ED%A0%80"] {
            assert_eq!(pairs(&format!("a={value}")), [pair("a", value)]);
        }
    }

    #[test]
    fn names_of_object_prototypes_are_nothing_special() {
        assert_eq!(pairs("__proto__=1; constructor=2"), [pair("__proto__", "1"), pair("constructor", "2")]);
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in "\\PC{0,60}|[a;,=\"% 0-9é]{0,60}") {
            let _ = parse(&header);
        }
    }
}
