//! Opcodes (RFC 6455 section 5.2).

/// The four-bit opcode of a frame. Values that RFC 6455 reserves have no variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum OpCode {
    /// A further fragment of the message in progress.
    Continuation = 0x0,
    /// First (or only) frame of a text message.
    Text = 0x1,
    /// First (or only) frame of a binary message.
    Binary = 0x2,
    /// Starts or answers the closing handshake.
    Close = 0x8,
    /// Asks for a Pong with the same payload.
    Ping = 0x9,
    /// Answers a Ping, or comes unasked as a heartbeat.
    Pong = 0xA,
}

impl OpCode {
    /// The opcode of the low four bits of `bits`, or `None` for a reserved one (0x3–0x7, 0xB–0xF).
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits & 0x0F {
            0x0 => Some(Self::Continuation),
            0x1 => Some(Self::Text),
            0x2 => Some(Self::Binary),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xA => Some(Self::Pong),
            _ => None,
        }
    }

    /// Whether this is a control opcode: at most 125 bytes of payload, never fragmented (section 5.5).
    #[must_use]
    pub const fn is_control(self) -> bool {
        self as u8 >= 0x8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_four_bit_value_is_either_defined_or_reserved() {
        let defined = [0x0, 0x1, 0x2, 0x8, 0x9, 0xA];
        for bits in 0..16u8 {
            match OpCode::from_bits(bits) {
                Some(opcode) => {
                    assert!(defined.contains(&bits));
                    assert_eq!(opcode as u8, bits);
                    assert_eq!(opcode.is_control(), bits >= 8);
                }
                None => assert!(!defined.contains(&bits)),
            }
        }
    }

    #[test]
    fn the_upper_four_bits_do_not_matter() {
        assert_eq!(OpCode::from_bits(0xF1), Some(OpCode::Text));
    }
}
