//! Numbers of JavaScript as what they mean to the core. Each is checked here, once.

use std::cell::RefCell;

use napi::{Error, Result, Status};

use crate::protocol::entropy::MaskKeys;
use crate::protocol::{Config, Inflation, Limits, MaskPolicy, OpCode, TextForm};

thread_local! {
    static KEYS: RefCell<MaskKeys> = RefCell::new(MaskKeys::from_os());
}

/// A masking key that nobody can predict.
pub(super) fn next_key() -> [u8; 4] {
    KEYS.with_borrow_mut(MaskKeys::next_key)
}

/// An opcode of RFC 6455.
pub(super) fn opcode(bits: u32) -> Result<OpCode> {
    let opcode = u8::try_from(bits).ok().and_then(OpCode::from_bits);
    opcode.ok_or_else(|| {
        Error::new(Status::InvalidArg, format!("opcode 0x{bits:x} is reserved (RFC 6455 section 5.2)"))
    })
}

/// A limit: what is no number, or beyond all numbers, is no limit.
pub(super) fn limit(value: f64) -> u64 {
    #[expect(
        clippy::cast_sign_loss,
        reason = "it saturates: negative limits become 0, which allows empty messages only"
    )]
    let number = value as u64;
    if value.is_nan() { u64::MAX } else { number }
}

/// Limits on numbers and rates, Infinity for none.
pub(super) fn limits(max_fragments: f64, max_messages_per_second: f64, max_bytes_per_second: f64) -> Limits {
    Limits {
        max_fragments: limit(max_fragments),
        max_messages_per_second: limit(max_messages_per_second),
        max_bytes_per_second: limit(max_bytes_per_second),
    }
}

/// The configuration of a receiver. `mask`: 0 forbids masked frames, 1 requires them, 2 takes both. `inflation`: 0 forbids
/// compressed messages, 1 takes them each for itself, 2 with context takeover. `text`: 0 for strings, 1 for bytes that are checked
/// to be UTF-8, 2 for bytes that are not.
pub(super) fn config(
    mask: u32,
    max_frame_size: f64,
    max_message_size: f64,
    assemble: bool,
    inflation: u32,
    text: u32,
) -> Config {
    Config {
        mask: match mask {
            0 => MaskPolicy::Forbidden,
            1 => MaskPolicy::Required,
            _ => MaskPolicy::Either,
        },
        max_frame_size: limit(max_frame_size),
        max_message_size: limit(max_message_size),
        assemble,
        inflation: match inflation {
            0 => None,
            1 => Some(Inflation::EachAlone),
            _ => Some(Inflation::ContextTakeover),
        },
        text: match text {
            0 => TextForm::Checked,
            1 => TextForm::CheckedBytes,
            _ => TextForm::UncheckedBytes,
        },
    }
}
