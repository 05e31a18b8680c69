//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept` (RFC 6455 sections 4.1 and 4.2.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The value of `Sec-WebSocket-Accept` that answers `key`.
#[must_use]
pub fn accept_key(key: &str) -> String {
    let mut sha1 = Sha1::new();
    sha1.update(key.as_bytes());
    sha1.update(GUID);
    STANDARD.encode(sha1.finalize())
}

/// Whether `key` is 16 bytes in base64, as a client has to send (section 4.1, item 7).
#[must_use]
pub fn is_valid_key(key: &str) -> bool {
    let mut nonce = [0; 18];
    key.len() == 24 && STANDARD.decode_slice(key, &mut nonce).is_ok_and(|len| len == 16)
}

/// A key made of 16 random bytes.
#[must_use]
pub fn encode_key(nonce: [u8; 16]) -> String {
    STANDARD.encode(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_6455_section_1_3() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert!(is_valid_key("dGhlIHNhbXBsZSBub25jZQ=="));
        assert_eq!(encode_key(*b"the sample nonce"), "dGhlIHNhbXBsZSBub25jZQ==");
    }

    #[test]
    fn a_key_that_is_not_16_bytes_in_base64_is_refused() {
        for key in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ",   // padding missing
            "dGhlIHNhbXBsZSBub25jZQ= ", // a space
            "dGhlIHNhbXBsZSBub25jZWVl", // 18 bytes
            "dGhlIHNhbXBsZSBub25j",     // 15 bytes
            "!!!!!!!!!!!!!!!!!!!!!!==", // not base64
            "dGhlIHNhbXBsZSBub25jZR==", // bits set after the end
            "dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ==",
        ] {
            assert!(!is_valid_key(key), "{key:?}");
        }
    }
}
