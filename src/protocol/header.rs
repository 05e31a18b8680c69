//! The frame header (RFC 6455 section 5.2).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-------+-+-------------+-------------------------------+
//! |F|R|R|R| opcode|M| Payload len |    Extended payload length    |
//! |I|S|S|S|  (4)  |A|     (7)     |  (16 or 64 bits, if the seven |
//! |N|V|V|V|       |S|             |   bits are 126 or 127)        |
//! | |1|2|3|       |K|             |  then the masking key (32)    |
//! +-+-+-+-+-------+-+-------------+-------------------------------+
//! ```

use super::error::PeerError;
use super::opcode::OpCode;

/// The longest header: two bytes, a 64-bit length and a masking key.
pub const MAX_HEADER_LEN: usize = 14;

/// The bit in the number of the reserved bits that marks a compressed message (RFC 7692 section 6).
pub const RSV1: u8 = 4;

/// The longest payload of a control frame (section 5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;

const FIN: u8 = 0x80;
const MASK: u8 = 0x80;

/// The seven-bit length that announces a 16-bit one.
const LEN_16: u8 = 0x7E;
/// The seven-bit length that announces a 64-bit one.
const LEN_64: u8 = 0x7F;

/// What the first two bytes of a frame say. They suffice to refuse most bad frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// Last (or only) frame of its message.
    pub fin: bool,
    /// The three reserved bits as a number: RSV1 is 4, RSV2 is 2, RSV3 is 1.
    pub rsv: u8,
    /// The opcode.
    pub opcode: OpCode,
    /// Whether a masking key follows.
    pub masked: bool,
    /// The seven-bit length: 126 and 127 announce an extended one.
    len7: u8,
}

impl Prefix {
    /// Reads the two bytes and checks what depends on nothing else.
    ///
    /// # Errors
    /// Reserved opcodes, and control frames that are fragmented or longer than 125 bytes.
    pub const fn parse(first: u8, second: u8) -> Result<Self, PeerError> {
        let Some(opcode) = OpCode::from_bits(first) else {
            return Err(PeerError::ReservedOpcode(first & 0x0F));
        };
        let prefix = Self {
            fin: first & FIN != 0,
            rsv: (first >> 4) & 0x7,
            opcode,
            masked: second & MASK != 0,
            len7: second & 0x7F,
        };
        if opcode.is_control() {
            if prefix.len7 as usize > MAX_CONTROL_PAYLOAD {
                return Err(PeerError::ControlFrameTooLong);
            }
            if !prefix.fin {
                return Err(PeerError::FragmentedControlFrame);
            }
        }
        Ok(prefix)
    }

    /// The number of bytes of the whole header, these two included.
    #[must_use]
    pub const fn header_len(self) -> usize {
        let extended = match self.len7 {
            LEN_16 => 2,
            LEN_64 => 8,
            _ => 0,
        };
        2 + extended + if self.masked { 4 } else { 0 }
    }
}

/// A frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Last (or only) frame of its message.
    pub fin: bool,
    /// The three reserved bits as a number: RSV1 is 4, RSV2 is 2, RSV3 is 1.
    pub rsv: u8,
    /// The opcode.
    pub opcode: OpCode,
    /// The masking key, if the frame is masked.
    pub mask: Option<[u8; 4]>,
    /// Bytes of payload that follow the header.
    pub len: u64,
}

impl FrameHeader {
    /// Reads the header whose first two bytes gave `prefix` from `bytes`, which must hold [`Prefix::header_len`] bytes.
    ///
    /// # Errors
    /// [`PeerError::NonMinimalLength`] for a length that should have been encoded in fewer bytes,
    /// [`PeerError::LengthOutOfRange`] for one that has its most significant bit set.
    ///
    /// # Panics
    /// When `bytes` is shorter than the header.
    pub fn parse(prefix: Prefix, bytes: &[u8]) -> Result<Self, PeerError> {
        let (len, at) = match prefix.len7 {
            LEN_16 => (u64::from(u16::from_be_bytes([bytes[2], bytes[3]])), 4),
            LEN_64 => {
                let mut len = [0; 8];
                len.copy_from_slice(&bytes[2..10]);
                (u64::from_be_bytes(len), 10)
            }
            len7 => (u64::from(len7), 2),
        };
        if (at == 4 && len < 126) || (at == 10 && len < 1 << 16) {
            return Err(PeerError::NonMinimalLength);
        }
        if len >> 63 == 1 {
            return Err(PeerError::LengthOutOfRange);
        }
        let mask = prefix.masked.then(|| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Ok(Self { fin: prefix.fin, rsv: prefix.rsv, opcode: prefix.opcode, mask, len })
    }

    /// Reads a header from the front of `bytes`: the header and its length, or `None` while bytes are missing.
    ///
    /// # Errors
    /// As [`Prefix::parse`], from the second byte on, and [`FrameHeader::parse`].
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, PeerError> {
        let [first, second, ..] = *bytes else { return Ok(None) };
        let prefix = Prefix::parse(first, second)?;
        let header_len = prefix.header_len();
        if bytes.len() < header_len {
            return Ok(None);
        }
        Ok(Some((Self::parse(prefix, bytes)?, header_len)))
    }

    /// The number of bytes [`FrameHeader::encode`] writes.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        header_len(self.len, self.mask.is_some())
    }

    /// Writes the header into the front of `out`, the length in the fewest possible bytes, and returns how many
    /// bytes were written.
    pub fn encode(&self, out: &mut [u8; MAX_HEADER_LEN]) -> usize {
        let mask_bit = if self.mask.is_some() { MASK } else { 0 };
        out[0] = if self.fin { FIN } else { 0 } | (self.rsv & 0x7) << 4 | self.opcode as u8;
        let mut at = match self.len {
            0..126 => {
                out[1] = mask_bit | self.len as u8;
                2
            }
            126..0x1_0000 => {
                out[1] = mask_bit | LEN_16;
                out[2..4].copy_from_slice(&(self.len as u16).to_be_bytes());
                4
            }
            _ => {
                out[1] = mask_bit | LEN_64;
                out[2..10].copy_from_slice(&self.len.to_be_bytes());
                10
            }
        };
        if let Some(key) = self.mask {
            out[at..at + 4].copy_from_slice(&key);
            at += 4;
        }
        at
    }
}

/// The length of the header of a frame with `payload_len` bytes.
#[must_use]
pub const fn header_len(payload_len: u64, masked: bool) -> usize {
    let extended = match payload_len {
        0..126 => 0,
        126..0x1_0000 => 2,
        _ => 8,
    };
    2 + extended + if masked { 4 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_rfc_6455_section_5_7() {
        let text = |fin, opcode, mask, len| FrameHeader { fin, rsv: 0, opcode, mask, len };
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for (bytes, header) in [
            (&[0x81, 0x05][..], text(true, OpCode::Text, None, 5)),
            (&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d], text(true, OpCode::Text, Some(key), 5)),
            (&[0x01, 0x03], text(false, OpCode::Text, None, 3)),
            (&[0x80, 0x02], text(true, OpCode::Continuation, None, 2)),
            (&[0x89, 0x05], text(true, OpCode::Ping, None, 5)),
            (&[0x82, 0x7E, 0x01, 0x00], text(true, OpCode::Binary, None, 256)),
            (&[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0], text(true, OpCode::Binary, None, 65536)),
        ] {
            assert_eq!(FrameHeader::decode(bytes), Ok(Some((header, bytes.len()))));
        }
    }

    #[test]
    fn a_bad_header_is_refused_with_its_second_byte() {
        assert_eq!(FrameHeader::decode(&[0x83]), Ok(None));
        assert_eq!(FrameHeader::decode(&[0x83, 0xFF]), Err(PeerError::ReservedOpcode(3)));
        assert_eq!(FrameHeader::decode(&[0x8F, 0x80]), Err(PeerError::ReservedOpcode(15)));
        assert_eq!(FrameHeader::decode(&[0x89, 0xFE]), Err(PeerError::ControlFrameTooLong));
        assert_eq!(FrameHeader::decode(&[0x09, 0x80]), Err(PeerError::FragmentedControlFrame));
    }

    #[test]
    fn a_length_must_use_the_fewest_bytes() {
        assert_eq!(FrameHeader::decode(&[0x82, 126, 0, 125]), Err(PeerError::NonMinimalLength));
        assert!(FrameHeader::decode(&[0x82, 126, 0, 126]).is_ok_and(|header| header.is_some()));
        assert_eq!(
            FrameHeader::decode(&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]),
            Err(PeerError::NonMinimalLength)
        );
        assert_eq!(
            FrameHeader::decode(&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]),
            Err(PeerError::LengthOutOfRange)
        );
        let longest = FrameHeader::decode(&[0x82, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255]);
        assert!(longest.is_ok_and(|header| header.is_some_and(|(header, _)| header.len == u64::MAX >> 1)));
    }

    fn any_header() -> impl Strategy<Value = FrameHeader> {
        let len = prop_oneof![0u64..200, 65_500u64..65_600, 0..=u64::MAX >> 1];
        (any::<bool>(), 0u8..8, 0u8..16, any::<Option<[u8; 4]>>(), len).prop_filter_map(
            "a header that may be sent",
            |(fin, rsv, opcode, mask, len)| {
                let opcode = OpCode::from_bits(opcode)?;
                (!opcode.is_control() || (fin && len <= 125)).then_some(FrameHeader {
                    fin,
                    rsv,
                    opcode,
                    mask,
                    len,
                })
            },
        )
    }

    proptest! {
        #[test]
        fn encode_then_decode_is_identity(header in any_header()) {
            let mut out = [0; MAX_HEADER_LEN];
            let written = header.encode(&mut out);
            prop_assert_eq!(written, header.encoded_len());
            prop_assert_eq!(FrameHeader::decode(&out[..written]), Ok(Some((header, written))));
            // and no shorter prefix is enough
            for short in 0..written {
                prop_assert_eq!(FrameHeader::decode(&out[..short]), Ok(None));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = FrameHeader::decode(&bytes);
        }
    }
}
