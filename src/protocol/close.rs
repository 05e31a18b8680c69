//! The payload of Close frames and their status codes (RFC 6455 sections 5.5.1, 7.1 and 7.4).

use super::error::LocalError;
use super::header::MAX_CONTROL_PAYLOAD;
use super::utf8;

/// The longest reason of a Close frame in bytes: 125 less the status code.
pub const MAX_REASON_LEN: usize = MAX_CONTROL_PAYLOAD - 2;

/// The status code that stands for "the Close frame had none"; never on the wire (section 7.4.1).
pub const NO_STATUS: u16 = 1005;

/// What a Close frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseFrame<'a> {
    /// The status code, or `None` for a Close frame without payload.
    pub code: Option<u16>,
    /// The reason, valid UTF-8, possibly empty.
    pub reason: &'a str,
}

/// What is wrong with the payload of a Close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseError {
    /// A single byte is half a status code: answer with 1002.
    TruncatedCode,
    /// A status code that must not be on the wire, or is not assigned: answer with 1002.
    InvalidCode(u16),
    /// The reason is not UTF-8: answer with 1007.
    InvalidReason,
}

/// Whether `code` may appear in a Close frame: assigned by RFC 6455 or IANA (1000–1003, 1007–1014), registered by
/// libraries (3000–3999) or private (4000–4999).
#[must_use]
pub const fn is_valid_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

impl<'a> CloseFrame<'a> {
    /// Reads the payload of a Close frame.
    ///
    /// # Errors
    /// A payload of one byte, a status code that may not be sent, a reason that is not UTF-8.
    pub fn parse(payload: &'a [u8]) -> Result<Self, CloseError> {
        match *payload {
            [] => Ok(Self { code: None, reason: "" }),
            [_] => Err(CloseError::TruncatedCode),
            [high, low, ref reason @ ..] => {
                let code = u16::from_be_bytes([high, low]);
                if !is_valid_code(code) {
                    return Err(CloseError::InvalidCode(code));
                }
                let reason = simdutf8::basic::from_utf8(reason).map_err(|_| CloseError::InvalidReason)?;
                debug_assert!(utf8::is_valid(reason.as_bytes()));
                Ok(Self { code: Some(code), reason })
            }
        }
    }

    /// Writes the payload into the front of `out` and returns its length.
    ///
    /// # Errors
    /// [`LocalError::InvalidCloseCode`], and [`LocalError::ControlPayloadTooLong`] for a reason over 123 bytes.
    pub fn encode(&self, out: &mut [u8; MAX_CONTROL_PAYLOAD]) -> Result<usize, LocalError> {
        let Some(code) = self.code else { return Ok(0) };
        if !is_valid_code(code) {
            return Err(LocalError::InvalidCloseCode(code));
        }
        let len = 2 + self.reason.len();
        if len > MAX_CONTROL_PAYLOAD {
            return Err(LocalError::ControlPayloadTooLong(len));
        }
        out[..2].copy_from_slice(&code.to_be_bytes());
        out[2..len].copy_from_slice(self.reason.as_bytes());
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes when interpreted")]
    fn the_codes_of_section_7_4() {
        let assigned = [
            1000..=1003, // section 7.4.1, without 1004, 1005 and 1006
            1007..=1011,
            1012..=1014, // IANA registry; 1015 is never on the wire
            3000..=4999, // section 7.4.2
        ];
        for code in 0..=u16::MAX {
            let expected = assigned.iter().any(|codes| codes.contains(&code));
            assert_eq!(is_valid_code(code), expected, "{code}");
        }
    }

    #[test]
    fn an_empty_payload_has_neither_code_nor_reason() {
        assert_eq!(CloseFrame::parse(&[]), Ok(CloseFrame { code: None, reason: "" }));
    }

    #[test]
    fn bad_payloads_are_told_apart() {
        assert_eq!(CloseFrame::parse(&[3]), Err(CloseError::TruncatedCode));
        assert_eq!(CloseFrame::parse(&1005u16.to_be_bytes()), Err(CloseError::InvalidCode(1005)));
        assert_eq!(CloseFrame::parse(&[0x03, 0xE8, 0xFF]), Err(CloseError::InvalidReason));
        // a single byte of reason is checked as well
        assert_eq!(CloseFrame::parse(&[0x03, 0xE8, 0xC3]), Err(CloseError::InvalidReason));
    }

    #[test]
    fn encode_then_parse_is_identity_up_to_123_bytes_of_reason() {
        let longest = "x".repeat(MAX_REASON_LEN);
        for close in [
            CloseFrame { code: None, reason: "" },
            CloseFrame { code: Some(1000), reason: "" },
            CloseFrame { code: Some(4999), reason: "tschüß" },
            CloseFrame { code: Some(1011), reason: &longest },
        ] {
            let mut out = [0; MAX_CONTROL_PAYLOAD];
            let len = close.encode(&mut out).expect("a close that may be sent");
            assert_eq!(CloseFrame::parse(&out[..len]), Ok(close));
        }
    }

    #[test]
    fn what_must_not_be_sent_is_refused() {
        let mut out = [0; MAX_CONTROL_PAYLOAD];
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
            let close = CloseFrame { code: Some(code), reason: "" };
            assert_eq!(close.encode(&mut out), Err(LocalError::InvalidCloseCode(code)));
        }
        let reason = "x".repeat(MAX_REASON_LEN + 1);
        let close = CloseFrame { code: Some(1000), reason: &reason };
        assert_eq!(close.encode(&mut out), Err(LocalError::ControlPayloadTooLong(126)));
    }
}
