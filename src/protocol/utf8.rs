//! UTF-8 validation of text that arrives in pieces (RFC 6455 section 8.1).

use simdutf8::{basic, compat};

/// The text is not UTF-8, whatever may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidUtf8;

/// Whether `text` is UTF-8 from its first to its last byte.
#[must_use]
pub fn is_valid(text: &[u8]) -> bool {
    basic::from_utf8(text).is_ok()
}

/// Validates a text piece by piece and fails at the first byte that no continuation could make valid.
#[derive(Debug, Clone, Copy, Default)]
pub struct Utf8Validator {
    /// A sequence that is not complete yet: its first `pending_len` bytes.
    pending: [u8; 4],
    pending_len: u8,
}

impl Utf8Validator {
    /// Takes the next piece.
    ///
    /// # Errors
    /// [`InvalidUtf8`] as soon as the bytes so far cannot be the beginning of a valid text.
    pub fn push(&mut self, mut piece: &[u8]) -> Result<(), InvalidUtf8> {
        while self.pending_len > 0 {
            let Some((&byte, rest)) = piece.split_first() else { return Ok(()) };
            piece = rest;
            self.pending[usize::from(self.pending_len)] = byte;
            self.pending_len += 1;
            match std::str::from_utf8(&self.pending[..usize::from(self.pending_len)]) {
                Ok(_) => self.pending_len = 0,
                Err(error) if error.error_len().is_some() => return Err(InvalidUtf8),
                Err(_) => {}
            }
        }
        match compat::from_utf8(piece) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_some() => Err(InvalidUtf8),
            Err(error) => {
                let tail = &piece[error.valid_up_to()..];
                self.pending[..tail.len()].copy_from_slice(tail);
                self.pending_len = tail.len() as u8;
                Ok(())
            }
        }
    }

    /// Ends the text and makes the validator ready for the next one.
    ///
    /// # Errors
    /// [`InvalidUtf8`] when the text stops in the middle of a character.
    pub fn finish(&mut self) -> Result<(), InvalidUtf8> {
        let complete = self.pending_len == 0;
        *self = Self::default();
        if complete { Ok(()) } else { Err(InvalidUtf8) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How many bytes are taken before validation fails, fed byte by byte.
    fn fails_after(bytes: &[u8]) -> Option<usize> {
        let mut validator = Utf8Validator::default();
        bytes.iter().position(|&byte| validator.push(&[byte]).is_err()).map(|at| at + 1)
    }

    #[test]
    fn fails_at_the_first_byte_that_cannot_continue() {
        for (bytes, at) in [
            (&[0x80][..], 1),                     // a lone continuation byte
            (&[0xC0, 0xAF], 1),                   // overlong, two bytes
            (&[0xC1, 0xBF], 1),                   // overlong, two bytes
            (&[0xE0, 0x80, 0xAF], 2),             // overlong, three bytes
            (&[0xF0, 0x80, 0x80, 0xAF], 2),       // overlong, four bytes
            (&[0xED, 0xA0, 0x80], 2),             // a surrogate, U+D800
            (&[0xF4, 0x90, 0x80, 0x80], 2),       // above U+10FFFF
            (&[0xF5], 1),                         // no sequence starts so
            (&[0xFF], 1),                         // nor so
            (b"caf\xC3\x28", 5),                  // a sequence cut off by ASCII
            (&[0xE2, 0x82, 0xE2, 0x82, 0xAC], 3), // a sequence cut off by another
        ] {
            assert_eq!(fails_after(bytes), Some(at), "{bytes:x?}");
        }
    }

    #[test]
    fn accepts_the_first_and_last_character_of_every_length() {
        for text in ["\u{0}\u{7f}", "\u{80}\u{7ff}", "\u{800}\u{d7ff}\u{e000}\u{ffff}", "\u{10000}\u{10ffff}"]
        {
            let mut validator = Utf8Validator::default();
            for byte in text.bytes() {
                assert_eq!(validator.push(&[byte]), Ok(()));
            }
            assert_eq!(validator.finish(), Ok(()));
        }
    }

    #[test]
    fn a_text_must_not_end_in_the_middle_of_a_character() {
        let mut validator = Utf8Validator::default();
        assert_eq!(validator.push("€".as_bytes().split_last().expect("three bytes").1), Ok(()));
        assert_eq!(validator.finish(), Err(InvalidUtf8));
        // and the next text starts afresh
        assert_eq!(validator.push(b"x"), Ok(()));
        assert_eq!(validator.finish(), Ok(()));
    }

    proptest! {
        #[test]
        fn any_split_of_any_bytes_agrees_with_the_whole(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0xE2), Just(0x82), Just(0xAC)], 0..64),
            size in 1usize..9,
        ) {
            let mut validator = Utf8Validator::default();
            let pieces = bytes.chunks(size).try_for_each(|piece| validator.push(piece)).and_then(|()| validator.finish());
            prop_assert_eq!(pieces.is_ok(), std::str::from_utf8(&bytes).is_ok());
            prop_assert_eq!(is_valid(&bytes), std::str::from_utf8(&bytes).is_ok());
        }

        #[test]
        fn any_split_of_any_text_is_valid(text in "\\PC{0,40}", size in 1usize..5) {
            let mut validator = Utf8Validator::default();
            for piece in text.as_bytes().chunks(size) {
                prop_assert_eq!(validator.push(piece), Ok(()));
            }
            prop_assert_eq!(validator.finish(), Ok(()));
        }
    }
}
