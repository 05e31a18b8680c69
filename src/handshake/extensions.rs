//! `Sec-WebSocket-Extensions` (RFC 6455 section 9.1).
//!
//! ```text
//! extension-list  = 1#extension
//! extension       = extension-token *( ";" extension-param )
//! extension-param = token [ "=" (token | quoted-string) ]
//! ```

use super::tokens::trim;

/// One extension of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Its name, as sent.
    pub name: &'a str,
    /// Its parameters, in order, as sent.
    pub params: Vec<Param<'a>>,
}

/// A parameter of an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value if it has one, quotes included if it has some.
    pub value: Option<&'a str>,
}

impl Param<'_> {
    /// The value without the quotes and backslashes of a quoted string.
    #[must_use]
    pub fn unquoted(&self) -> Option<String> {
        let value = self.value?;
        let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
            return Some(value.to_owned());
        };
        let mut text = String::with_capacity(inner.len());
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            text.extend(if c == '\\' { chars.next() } else { Some(c) });
        }
        Some(text)
    }
}

/// Takes the list apart. Separators inside quoted strings do not count, empty elements are left out. Names and values are
/// not checked, since whoever negotiates an extension declines what it does not know: the parameter without a name of
/// `foo;`, for one.
#[must_use]
pub fn parse(header: &str) -> Vec<Extension<'_>> {
    split(header, b',')
        .filter(|element| !element.is_empty())
        .filter_map(|extension| {
            let mut parts = split(extension, b';');
            let name = parts.next()?;
            let params = parts.map(|part| match part.split_once('=') {
                Some((name, value)) => Param { name: trim(name), value: Some(trim(value)) },
                None => Param { name: part, value: None },
            });
            Some(Extension { name, params: params.collect() })
        })
        .collect()
}

/// The parts of `text` between separators that are not in quotes, trimmed.
fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (mut quoted, mut escaped) = (false, false);
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ if byte == separator && !quoted => {
                    rest = Some(&text[at + 1..]);
                    return Some(trim(&text[..at]));
                }
                _ => {}
            }
        }
        rest = None;
        Some(trim(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn param<'a>(name: &'a str, value: Option<&'a str>) -> Param<'a> {
        Param { name, value }
    }

    #[test]
    fn the_examples_of_rfc_6455_section_9_1() {
        assert_eq!(parse("foo"), [Extension { name: "foo", params: vec![] }]);
        assert_eq!(parse("bar; baz=2"), [Extension { name: "bar", params: vec![param("baz", Some("2"))] }]);
        assert_eq!(
            parse("deflate-stream, mux; max-channels=4; flow-control, x"),
            [
                Extension { name: "deflate-stream", params: vec![] },
                Extension {
                    name: "mux",
                    params: vec![param("max-channels", Some("4")), param("flow-control", None)]
                },
                Extension { name: "x", params: vec![] },
            ]
        );
    }

    #[test]
    fn separators_in_quoted_strings_do_not_count() {
        let parsed = parse(r#"a; b="c, d; \"e\\" , f"#);
        assert_eq!(parsed.len(), 2);
        assert_eq!(parsed[0].params, [param("b", Some(r#""c, d; \"e\\""#))]);
        assert_eq!(parsed[0].params[0].unquoted().as_deref(), Some(r#"c, d; "e\"#));
        assert_eq!(parsed[1].name, "f");
    }

    #[test]
    fn outside_of_quotes_a_backslash_is_a_character_as_any_other() {
        assert_eq!(parse(r"a\, b\; c").iter().map(|e| e.name).collect::<Vec<_>>(), [r"a\", r"b\"]);
    }

    #[test]
    fn values_without_quotes_are_themselves() {
        assert_eq!(param("a", Some("15")).unquoted().as_deref(), Some("15"));
        assert_eq!(param("a", None).unquoted(), None);
        assert_eq!(param("a", Some("\"")).unquoted().as_deref(), Some("\""));
    }

    #[test]
    fn empty_elements_are_left_out() {
        assert_eq!(parse(" , , a , ").iter().map(|e| e.name).collect::<Vec<_>>(), ["a"]);
        assert_eq!(parse(""), []);
    }

    #[test]
    fn empty_parameters_are_kept_for_whoever_declines_them() {
        let b = param("b", None);
        assert_eq!(parse("a;;b"), [Extension { name: "a", params: vec![param("", None), b] }]);
        assert_eq!(parse("a;"), [Extension { name: "a", params: vec![param("", None)] }]);
        assert_eq!(parse(";"), [Extension { name: "", params: vec![param("", None)] }]);
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in "\\PC{0,60}|[a;,=\" \\\\]{0,60}") {
            for extension in parse(&header) {
                for param in extension.params {
                    let _ = param.unquoted();
                }
            }
        }
    }
}
