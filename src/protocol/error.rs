//! What can go wrong, grouped by whose fault it is.

use std::fmt;

/// A violation by the peer, or a limit the peer has exceeded. The connection has to be failed (RFC 6455 section 7.1.7)
/// with a Close frame that carries [`PeerError::close_code`].
///
/// The text of [`fmt::Display`] is what the program sees as close description and the peer as close reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerError {
    /// A control frame announced more than 125 bytes (section 5.5).
    ControlFrameTooLong,
    /// A control frame came without FIN (section 5.5).
    FragmentedControlFrame,
    /// An opcode that is reserved (section 5.2).
    ReservedOpcode(u8),
    /// Reserved bits, RSV1 the highest of three, of which no negotiated extension defines all (section 5.2).
    ReservedBits(u8),
    /// RSV1, which marks compressed messages, in another frame than the first of a message (RFC 7692 section 6.1).
    MisplacedRsv1,
    /// A client sent a frame without mask (section 5.1).
    UnmaskedFrame,
    /// A server sent a masked frame (section 5.1).
    MaskedFrame,
    /// A length that fits into fewer bytes (section 5.2).
    NonMinimalLength,
    /// A 64-bit length with its most significant bit set (section 5.2).
    LengthOutOfRange,
    /// A Continuation frame although no message is in progress (section 5.4).
    UnexpectedContinuation,
    /// A Text or Binary frame in the middle of a fragmented message (section 5.4).
    ExpectedContinuation(u8),
    /// A frame announced more bytes than `max_frame_size` allows.
    FrameTooLarge(u64),
    /// The frames of a message announced, or contain compressed, more bytes than `max_message_size` allows.
    MessageTooLarge,
    /// A message came in more frames than `max_fragments` allows.
    TooManyFragments(u64),
    /// More messages came within a second than `max_messages_per_second` allows.
    TooManyMessages(u64),
    /// More bytes came within a second than `max_bytes_per_second` allows.
    TooManyBytes(u64),
    /// Text, or the reason of a Close frame, that is not UTF-8 (sections 8.1 and 7.1.6).
    InvalidUtf8,
    /// The payload of a compressed message does not inflate (RFC 7692 section 7.2.2).
    InvalidDeflate,
    /// The allocator refused the memory for a message that is within the limits.
    OutOfMemory,
}

impl PeerError {
    /// The status code to close the connection with (section 7.4.1).
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::ControlFrameTooLong
            | Self::FragmentedControlFrame
            | Self::ReservedOpcode(_)
            | Self::ReservedBits(_)
            | Self::MisplacedRsv1
            | Self::UnmaskedFrame
            | Self::MaskedFrame
            | Self::NonMinimalLength
            | Self::LengthOutOfRange
            | Self::UnexpectedContinuation
            | Self::ExpectedContinuation(_) => 1002,
            Self::InvalidUtf8 | Self::InvalidDeflate => 1007,
            Self::TooManyMessages(_) | Self::TooManyBytes(_) => 1008,
            Self::FrameTooLarge(_)
            | Self::MessageTooLarge
            | Self::TooManyFragments(_)
            | Self::OutOfMemory => 1009,
        }
    }
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlFrameTooLong => f.write_str("Illegal control frame longer than 125 bytes."),
            Self::FragmentedControlFrame => f.write_str("Control frames must not be fragmented."),
            Self::ReservedOpcode(bits) => write!(f, "Unrecognized Opcode: 0x{bits:x}"),
            Self::ReservedBits(_) => {
                f.write_str("Unsupported usage of rsv bits without negotiated extension.")
            }
            Self::MisplacedRsv1 => f.write_str("RSV1 is set in a frame that does not begin a message."),
            Self::UnmaskedFrame => f.write_str("Frames sent by a client must be masked."),
            Self::MaskedFrame => f.write_str("Frames sent by a server must not be masked."),
            Self::NonMinimalLength => {
                f.write_str("Frame length is not encoded in the fewest possible bytes.")
            }
            Self::LengthOutOfRange => f.write_str("Unsupported 64-bit length frame received"),
            Self::UnexpectedContinuation => f.write_str("Unexpected Continuation Frame"),
            Self::ExpectedContinuation(bits) => {
                write!(f, "Illegal frame opcode 0x{bits:x} received in middle of fragmented message.")
            }
            Self::FrameTooLarge(len) => {
                write!(f, "Frame size of {len} bytes exceeds maximum accepted frame size")
            }
            Self::MessageTooLarge => f.write_str("Maximum message size exceeded."),
            Self::TooManyFragments(max) => {
                write!(f, "The message has more than {max} fragments (maxFragments).")
            }
            Self::TooManyMessages(max) => {
                write!(f, "More than {max} messages within a second (maxMessagesPerSecond).")
            }
            Self::TooManyBytes(max) => {
                write!(f, "More than {max} bytes within a second (maxBytesPerSecond).")
            }
            Self::InvalidUtf8 => f.write_str("Invalid UTF-8 Data Received"),
            Self::InvalidDeflate => f.write_str("Invalid compressed data received."),
            Self::OutOfMemory => f.write_str("Not enough memory for the message."),
        }
    }
}

impl std::error::Error for PeerError {}

/// A mistake of the local side: the call had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalError {
    /// Nothing may follow a Close frame (RFC 6455 section 5.5.1).
    AlreadyClosing,
    /// A status code that must not appear on the wire, or is unassigned (section 7.4).
    InvalidCloseCode(u16),
    /// A control frame holds at most 125 bytes (section 5.5); a Close reason two fewer.
    ControlPayloadTooLong(usize),
}

impl fmt::Display for LocalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyClosing => f.write_str("a Close frame was sent, nothing may follow it"),
            Self::InvalidCloseCode(code) => write!(f, "close code {code} must not be sent"),
            Self::ControlPayloadTooLong(len) => {
                write!(f, "{len} bytes do not fit into a control frame (125 bytes)")
            }
        }
    }
}

impl std::error::Error for LocalError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_carry_the_close_code_of_rfc_6455_section_7_4_1() {
        assert_eq!(PeerError::ReservedBits(2).close_code(), 1002);
        assert_eq!(PeerError::UnmaskedFrame.close_code(), 1002);
        assert_eq!(PeerError::MisplacedRsv1.close_code(), 1002);
        assert_eq!(PeerError::InvalidUtf8.close_code(), 1007);
        assert_eq!(PeerError::InvalidDeflate.close_code(), 1007);
        assert_eq!(PeerError::FrameTooLarge(7).close_code(), 1009);
        assert_eq!(PeerError::MessageTooLarge.close_code(), 1009);
        assert_eq!(PeerError::TooManyFragments(1).close_code(), 1009);
        assert_eq!(PeerError::TooManyMessages(1).close_code(), 1008);
        assert_eq!(PeerError::TooManyBytes(1).close_code(), 1008);
    }

    #[test]
    fn every_error_has_a_description_that_fits_into_the_reason_of_a_close_frame() {
        let all = [
            PeerError::ControlFrameTooLong,
            PeerError::FragmentedControlFrame,
            PeerError::ReservedOpcode(15),
            PeerError::ReservedBits(2),
            PeerError::MisplacedRsv1,
            PeerError::UnmaskedFrame,
            PeerError::MaskedFrame,
            PeerError::NonMinimalLength,
            PeerError::LengthOutOfRange,
            PeerError::UnexpectedContinuation,
            PeerError::ExpectedContinuation(2),
            PeerError::FrameTooLarge(u64::MAX),
            PeerError::MessageTooLarge,
            PeerError::TooManyFragments(u64::MAX),
            PeerError::TooManyMessages(u64::MAX),
            PeerError::TooManyBytes(u64::MAX),
            PeerError::InvalidUtf8,
            PeerError::InvalidDeflate,
            PeerError::OutOfMemory,
        ];
        let mut texts = all.map(|error| error.to_string()).to_vec();
        assert!(texts.iter().all(|text| (10..=123).contains(&text.len())), "{texts:?}");
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), all.len(), "each says something else");
    }

    #[test]
    fn local_errors_say_what_was_refused() {
        assert!(LocalError::InvalidCloseCode(1005).to_string().contains("1005"));
        assert!(LocalError::ControlPayloadTooLong(126).to_string().contains("126"));
        assert!(LocalError::AlreadyClosing.to_string().contains("Close"));
    }
}
