//! Tokens and comma-separated lists of them (RFC 9110 sections 5.6.1 and 5.6.2).

/// Whether `byte` may be part of a token.
#[must_use]
pub const fn is_token_byte(byte: u8) -> bool {
    matches!(byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z')
}

/// Whether `text` is a token: not empty, and made of token characters only.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// The elements of a comma-separated list, without the white space around them. Empty elements are left out, as
/// section 5.6.1 asks of recipients.
pub fn list(header: &str) -> impl Iterator<Item = &str> {
    header.split(',').map(trim).filter(|element| !element.is_empty())
}

/// Whether the list in `header` contains `token`, whatever its case.
#[must_use]
pub fn list_contains(header: &str, token: &str) -> bool {
    list(header).any(|element| element.eq_ignore_ascii_case(token))
}

/// `text` without the spaces and tabs at its ends.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Whether `value` may be the value of a header line: no control character but tab, so nothing can break out of it,
/// and nothing above U+00FF, which would be cut down to one byte on the wire and might become one.
#[must_use]
pub fn is_header_value(value: &str) -> bool {
    value.chars().all(|c| c == '\t' || (!c.is_ascii_control() && c <= '\u{FF}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_made_of_the_characters_of_rfc_9110() {
        let separators = "(),/:;<=>?@[\\]{}\" \t";
        for byte in 0..=255u8 {
            let expected = (0x21..0x7F).contains(&byte) && !separators.contains(byte as char);
            assert_eq!(is_token_byte(byte), expected, "{byte:#x}");
        }
        assert!(is_token("chat.v1"));
        assert!(!is_token(""));
        assert!(!is_token("a b"));
    }

    #[test]
    fn a_list_is_taken_apart_whatever_its_white_space() {
        assert_eq!(list("a,b").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(list(" a ,\tb  ,, ,c,").collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(list("").count(), 0);
        assert!(list_contains("keep-alive, Upgrade", "upgrade"));
        assert!(list_contains("UPGRADE", "upgrade"));
        assert!(!list_contains("keep-alive", "upgrade"));
        assert!(!list_contains("upgrades", "upgrade"));
    }

    #[test]
    fn a_header_value_has_no_line_breaks() {
        assert!(is_header_value("text/plain;\tq=1"));
        assert!(is_header_value("tschüß"));
        for bad in ["a\r\nSet-Cookie: b=c", "a\nb", "a\rb", "a\0b", "\x7f", "\u{10d}\u{10a}"] {
            assert!(!is_header_value(bad), "{bad:?}");
        }
    }
}
