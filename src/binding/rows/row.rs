//! How events are handed to JavaScript: as rows of 32-bit numbers, and values for what is not a number.
//!
//! | kind      | a              | b         | c                      | value                        |
//! |-----------|----------------|-----------|------------------------|------------------------------|
//! | `TEXT`    |                |           |                        | the message, a string        |
//! | `TEXT_BYTES` | offset in slab | length |                       | or a Buffer                  |
//! | `BINARY`  | offset in slab | length    |                        | or a Buffer                  |
//! | `PING`    | offset in slab | length    |                        | or a Buffer                  |
//! | `PONG`    | offset in slab | length    |                        | or a Buffer                  |
//! | `CLOSE`   | status code    | `CLOSE_*` |                        | the reason                   |
//! | `FAILED`  | close code     | `FAILED_*`|                        | the description              |
//! | `FRAME`   | offset in slab | length    | first bytes of header  | or a Buffer                  |
//! | `END`     |                |           |                        |                              |
//! | `ERROR`   | error number   |           |                        | code and message, a line for each, when that is 0 |
//! | `DRAINED` | calls answered |           |                        |                              |
//! | `REQUEST` | listener       | port      | whether there is TLS   | the request, see `of_request`|
//! | `STOPPED` |                |           |                        |                              |
//! | `PASSED`  | listener       | port      | whether there is TLS   | all that was read, a Buffer  |
//! | `TLS_FAILED` | listener    | port      |                        | code, text and address, a line for each |
//!
//! Those from `END` to `STOPPED`, `PASSED` and `TLS_FAILED` come from sockets of the reactor only; see [`SocketEvent`]. JavaScript
//! copies what it wants of the slab while it is told. lib/internal/addon/rows.js has the same numbers; a test compares them with [`shared_constants`].

use std::borrow::Cow;
use std::collections::HashMap;

use napi::bindgen_prelude::BufferSlice;
use napi::{Env, Result};
use napi_derive::napi;

use super::values::{Values, utf16_string};
use crate::protocol::close::{CloseError, NO_STATUS};
use crate::protocol::{Event, FrameHeader, MessageKind, PeerError};
#[cfg(unix)]
use crate::tls::SessionInfo;
#[cfg(unix)]
use crate::transport::reactor::event::{ConnectionId, SocketEvent};
#[cfg(unix)]
use crate::transport::reactor::opening::{Incoming, Requested};
#[cfg(unix)]
use crate::transport::reactor::read_buffer::ReceivedBytes;
#[cfg(unix)]
use crate::transport::reactor::secure::{Unsecured, tls_error};

/// Defines constants, and a function that lists them for JavaScript.
macro_rules! shared_constants {
    ($($name:ident = $value:expr),* $(,)?) => {
        $(const $name: u32 = $value;)*

        /// The numbers in rows by their names, for a test that compares them with those of JavaScript.
        #[napi(catch_unwind)]
        pub fn shared_constants() -> HashMap<String, u32> {
            HashMap::from([$((stringify!($name).to_owned(), $name)),*])
        }
    };
}

shared_constants! {
    TEXT = 0,
    BINARY = 1,
    PING = 2,
    PONG = 3,
    CLOSE = 4,
    FAILED = 5,
    FRAME = 6,
    END = 8,
    ERROR = 9,
    DRAINED = 10,
    REQUEST = 11,
    STOPPED = 12,
    TEXT_BYTES = 13,
    PASSED = 14,
    TLS_FAILED = 15,
    CLOSE_VALID = 0,
    CLOSE_INVALID_CODE = 1,
    CLOSE_INVALID_REASON = 2,
    CLOSE_TRUNCATED_CODE = 3,
    FAILED_OTHERWISE = 0,
    FAILED_CONTROL_LENGTH = 1,
    FAILED_CONTROL_FIN = 2,
    FAILED_OPCODE = 3,
    FAILED_RESERVED_BITS = 4,
    FAILED_RSV1 = 5,
    FAILED_NO_MASK = 6,
    FAILED_MASK = 7,
    FAILED_LENGTH = 8,
    FAILED_SIZE = 9,
    FAILED_FRAGMENTS = 10,
    FAILED_UTF8 = 11,
    FAILED_DEFLATE = 12,
    // Stands for "the payload is not in the slab but the value".
    NO_OFFSET = u32::MAX,
    ROW = ROW_LEN as u32 / 4,
}

/// Bytes of a row.
pub(in crate::binding) const ROW_LEN: usize = 24;

/// One event.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::binding) struct Row {
    /// The connection or receiver it belongs to.
    pub(in crate::binding) id: u32,
    pub(in crate::binding) kind: u32,
    pub(in crate::binding) a: u32,
    pub(in crate::binding) b: u32,
    pub(in crate::binding) c: u32,
    /// Place of the value in the array.
    pub(in crate::binding) value: u32,
}

impl Row {
    pub(in crate::binding) fn to_bytes(self) -> [u8; ROW_LEN] {
        let mut bytes = [0; ROW_LEN];
        let numbers = [self.id, self.kind, self.a, self.b, self.c, self.value];
        for (place, number) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(numbers) {
            *place = number.to_ne_bytes();
        }
        bytes
    }

    /// The row of anything that happens to a socket of the reactor.
    #[cfg(unix)]
    pub(super) fn of_socket_event(
        env: &Env,
        id: ConnectionId,
        event: SocketEvent,
        received: &ReceivedBytes,
        values: &mut Values<'_>,
    ) -> Result<Self> {
        let id = id.raw();
        Ok(match event {
            SocketEvent::Message(MessageKind::Text, span) => {
                return Self::of_text(env, id, received.get(span), values);
            }
            SocketEvent::Message(kind, span) => {
                let kind = if kind == MessageKind::Binary { BINARY } else { TEXT_BYTES };
                Self { id, kind, a: received.offset(span) as u32, b: span.len, ..Self::default() }
            }
            SocketEvent::Received(event) => return Self::of_event(env, id, event, 0, values),
            SocketEvent::Requested(requested) => return Self::of_request(id, &requested, values),
            SocketEvent::Passed(passed) => {
                let value = values.push(BufferSlice::copy_from(env, &passed.bytes)?)?;
                return Self { id, kind: PASSED, value, ..Self::default() }.with_origin(&passed.from, values);
            }
            SocketEvent::Unsecured(unsecured) => {
                let Unsecured { listener, peer, error } = *unsecured;
                let value = values.push(format!("{}\n{}\n{error}", peer.ip(), error.code))?;
                let (a, b) = (listener.raw(), u32::from(peer.port()));
                Self { id, kind: TLS_FAILED, a, b, value, ..Self::default() }
            }
            SocketEvent::Stopped => Self { id, kind: STOPPED, ..Self::default() },
            SocketEvent::End => Self { id, kind: END, ..Self::default() },
            SocketEvent::Error(error) => {
                if let Some(number) = error.raw_os_error() {
                    return Ok(Self { id, kind: ERROR, a: number.cast_unsigned(), ..Self::default() });
                }
                // A fault of ours has no code.
                let code = tls_error(&error).map(|error| error.code).unwrap_or_default();
                let value = values.push(format!("{code}\n{error}"))?;
                Self { id, kind: ERROR, value, ..Self::default() }
            }
            SocketEvent::Drained(asked) => Self { id, kind: DRAINED, a: asked, ..Self::default() },
        })
    }

    /// A request that has come in on a listener. Its value is its parts, a line for each: method, target, names and values of
    /// headers in turn.
    #[cfg(unix)]
    fn of_request(id: u32, requested: &Requested, values: &mut Values<'_>) -> Result<Self> {
        let Requested { from, request } = requested;
        let mut lines = format!("{}\n{}", request.method, request.target);
        for (name, value) in &request.headers {
            lines.extend(["\n", name, "\n", value]);
        }
        let value = values.push(lines)?;
        Self { id, kind: REQUEST, value, ..Self::default() }.with_origin(from, values)
    }

    /// Behind the first value comes the address of the client. With TLS (`c` is 1) what was agreed on follows, a line for each.
    #[cfg(unix)]
    fn with_origin(self, from: &Incoming, values: &mut Values<'_>) -> Result<Self> {
        let Incoming { listener, peer, tls, .. } = from;
        values.push(peer.ip().to_string())?;
        if let Some(tls) = tls {
            values.push(session_lines(tls))?;
        }
        Ok(Self { a: listener.raw(), b: u32::from(peer.port()), c: u32::from(tls.is_some()), ..self })
    }

    /// The row of an event, whose value is added to `values`. `slab` is the address of the slab.
    pub(in crate::binding) fn of_event(
        env: &Env,
        id: u32,
        event: Event<'_>,
        slab: usize,
        values: &mut Values<'_>,
    ) -> Result<Self> {
        match event {
            Event::Message { kind: MessageKind::Text, payload } => Self::of_text(env, id, &payload, values),
            Event::Message { kind: MessageKind::Binary, payload } => {
                Self::of_bytes(env, id, BINARY, payload, slab, values)
            }
            Event::Message { kind: MessageKind::TextBytes, payload } => {
                Self::of_bytes(env, id, TEXT_BYTES, payload, slab, values)
            }
            Event::Ping(payload) => Self::of_bytes(env, id, PING, payload, slab, values),
            Event::Pong(payload) => Self::of_bytes(env, id, PONG, payload, slab, values),
            Event::Frame { header, payload } => {
                let row = Self::of_bytes(env, id, FRAME, payload, slab, values)?;
                Ok(Self { c: header_bits(&header), ..row })
            }
            Event::Close(close) => Self::of_close(id, close.map(|close| (close.code, close.reason)), values),
            Event::Failed(error) => Self::of_failure(id, error, values),
        }
    }

    fn of_text(env: &Env, id: u32, text: &[u8], values: &mut Values<'_>) -> Result<Self> {
        let string = if text.is_ascii() { env.create_string_latin1(text) } else { utf16_string(env, text) };
        match string {
            Ok(string) => Ok(Self { id, kind: TEXT, value: values.push(string)?, ..Self::default() }),
            // Longer than a JavaScript string can be: the message is too large whatever the limits say.
            Err(_) => Self::of_failure(id, PeerError::MessageTooLarge, values),
        }
    }

    fn of_bytes(
        env: &Env,
        id: u32,
        kind: u32,
        payload: Cow<'_, [u8]>,
        slab: usize,
        values: &mut Values<'_>,
    ) -> Result<Self> {
        let b = payload.len() as u32;
        match payload {
            Cow::Borrowed(bytes) => {
                let a = (bytes.as_ptr() as usize - slab) as u32;
                Ok(Self { id, kind, a, b, ..Self::default() })
            }
            Cow::Owned(bytes) => {
                // Copied, however large: Node does not transfer the memory of an external Buffer to another thread. It
                // costs less, too: `bytes` goes back to the allocator at once, for the next message.
                let value = values.push(BufferSlice::copy_from(env, &bytes)?)?;
                Ok(Self { id, kind, a: NO_OFFSET, b, value, ..Self::default() })
            }
        }
    }

    fn of_close(
        id: u32,
        close: std::result::Result<(Option<u16>, String), CloseError>,
        values: &mut Values<'_>,
    ) -> Result<Self> {
        let (code, validity, reason) = match close {
            Ok((code, reason)) => (code.unwrap_or(NO_STATUS), CLOSE_VALID, reason),
            Err(CloseError::TruncatedCode) => (NO_STATUS, CLOSE_TRUNCATED_CODE, String::new()),
            Err(CloseError::InvalidCode(code)) => (code, CLOSE_INVALID_CODE, String::new()),
            Err(CloseError::InvalidReason) => (NO_STATUS, CLOSE_INVALID_REASON, String::new()),
        };
        Ok(Self {
            id,
            kind: CLOSE,
            a: u32::from(code),
            b: validity,
            value: values.push(reason)?,
            ..Self::default()
        })
    }

    fn of_failure(id: u32, error: PeerError, values: &mut Values<'_>) -> Result<Self> {
        let value = values.push(error.to_string())?;
        let (b, c) = failure(error);
        Ok(Self { id, kind: FAILED, a: u32::from(error.close_code()), b, c, value })
    }
}

/// What went wrong as a number, and the opcode or the reserved bits if it is about these.
fn failure(error: PeerError) -> (u32, u32) {
    match error {
        PeerError::ControlFrameTooLong => (FAILED_CONTROL_LENGTH, 0),
        PeerError::FragmentedControlFrame => (FAILED_CONTROL_FIN, 0),
        PeerError::ReservedOpcode(bits) | PeerError::ExpectedContinuation(bits) => {
            (FAILED_OPCODE, u32::from(bits))
        }
        PeerError::UnexpectedContinuation => (FAILED_OPCODE, 0),
        PeerError::ReservedBits(bits) => (FAILED_RESERVED_BITS, u32::from(bits)),
        PeerError::MisplacedRsv1 => (FAILED_RSV1, 0),
        PeerError::UnmaskedFrame => (FAILED_NO_MASK, 0),
        PeerError::MaskedFrame => (FAILED_MASK, 0),
        PeerError::LengthOutOfRange => (FAILED_LENGTH, 0),
        PeerError::FrameTooLarge(_) | PeerError::MessageTooLarge => (FAILED_SIZE, 0),
        PeerError::TooManyFragments(_) => (FAILED_FRAGMENTS, 0),
        PeerError::InvalidUtf8 => (FAILED_UTF8, 0),
        PeerError::InvalidDeflate => (FAILED_DEFLATE, 0),
        PeerError::NonMinimalLength
        | PeerError::TooManyMessages(_)
        | PeerError::TooManyBytes(_)
        | PeerError::OutOfMemory => (FAILED_OTHERWISE, 0),
    }
}

/// What was agreed on for TLS, a line for each; lib/internal/tls/session.js reads them.
#[cfg(unix)]
fn session_lines(info: &SessionInfo) -> String {
    #[cfg(feature = "tls")]
    {
        let flag = |flag: bool| if flag { "1" } else { "" };
        [
            info.protocol,
            &info.cipher,
            &info.alpn,
            &info.server_name,
            flag(info.is_resumed),
            flag(info.is_authorized),
            info.authorization_error,
        ]
        .join("\n")
    }
    #[cfg(not(feature = "tls"))]
    match *info {}
}

/// The first two bytes of a frame, without its length: FIN, RSV, opcode, MASK.
fn header_bits(header: &FrameHeader) -> u32 {
    let first = u32::from(header.fin) << 7 | u32::from(header.rsv) << 4 | header.opcode as u32;
    first << 8 | u32::from(header.mask.is_some()) << 7
}
