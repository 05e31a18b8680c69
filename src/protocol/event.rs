//! What the receiving half reports.

use std::borrow::Cow;

use super::close::{CloseError, CloseFrame};
use super::error::PeerError;
use super::header::FrameHeader;

/// The type of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// Valid UTF-8.
    Text,
    /// Text for a program that wants its bytes; see [`TextForm`](super::TextForm).
    TextBytes,
    /// Any bytes.
    Binary,
}

/// Something that happened. Payloads are unmasked; they borrow from the input when the whole of them was in it.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole message. The payload of a text message is valid UTF-8.
    Message {
        /// Text or binary.
        kind: MessageKind,
        /// All frames of the message put together.
        payload: Cow<'a, [u8]>,
    },
    /// A whole frame, control frames included: reported in place of all other events but [`Event::Failed`] when
    /// [`assemble`](super::Config::assemble) is off.
    Frame {
        /// The header as received.
        header: FrameHeader,
        /// The payload.
        payload: Cow<'a, [u8]>,
    },
    /// A Ping: answer with a Pong of the same payload (RFC 6455 section 5.5.2).
    Ping(Cow<'a, [u8]>),
    /// A Pong.
    Pong(Cow<'a, [u8]>),
    /// A Close frame, well-formed or not. Nothing that comes after it is looked at.
    Close(Result<Closed, CloseError>),
    /// The peer broke the protocol or exceeded a limit. Nothing that comes after it is looked at.
    Failed(PeerError),
}

/// The content of a received Close frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The status code, or `None` for a Close frame without payload.
    pub code: Option<u16>,
    /// The reason, possibly empty.
    pub reason: String,
}

impl From<CloseFrame<'_>> for Closed {
    fn from(close: CloseFrame<'_>) -> Self {
        Self { code: close.code, reason: close.reason.to_owned() }
    }
}

impl Event<'_> {
    /// The same event without borrows, to be kept.
    #[must_use]
    pub fn into_owned(self) -> Event<'static> {
        match self {
            Self::Message { kind, payload } => {
                Event::Message { kind, payload: Cow::Owned(payload.into_owned()) }
            }
            Self::Frame { header, payload } => {
                Event::Frame { header, payload: Cow::Owned(payload.into_owned()) }
            }
            Self::Ping(payload) => Event::Ping(Cow::Owned(payload.into_owned())),
            Self::Pong(payload) => Event::Pong(Cow::Owned(payload.into_owned())),
            Self::Close(close) => Event::Close(close),
            Self::Failed(error) => Event::Failed(error),
        }
    }
}
