//! How events are handed to JavaScript: as rows of 32-bit numbers, and an array for what is not a number.
//!
//! | kind      | a              | b         | c                      | value                        |
//! |-----------|----------------|-----------|------------------------|------------------------------|
//! | `TEXT`    |                |           |                        | the message, a string        |
//! | `BINARY`  | offset in slab | length    |                        | or a Buffer                  |
//! | `PING`    | offset in slab | length    |                        | or a Buffer                  |
//! | `PONG`    | offset in slab | length    |                        | or a Buffer                  |
//! | `CLOSE`   | status code    | `CLOSE_*` |                        | the reason                   |
//! | `FAILED`  | close code     |           |                        | the description              |
//! | `FRAME`   | offset in slab | length    | first bytes of header  | or a Buffer                  |
//! | `END`     |                |           |                        |                              |
//! | `ERROR`   | error number   |           |                        |                              |
//! | `DRAINED` | calls answered |           |                        |                              |
//! | `REQUEST` | listener       | port      |                        | the request, see `of_request`|
//!
//! The last four come from taken-over sockets only: the peer has closed its direction of the socket; the socket has
//! failed; what waited to be written has been; a request has come in on a listener. JavaScript has to copy what it wants of the slab while it is told.

#![cfg_attr(unix, expect(unsafe_code, reason = "values become handles of N-API, which is C"))]

use std::borrow::Cow;
use std::cell::RefCell;

use napi::bindgen_prelude::{Array, BufferSlice, ToNapiValue};
#[cfg(unix)]
use napi::sys;
use napi::{Env, JsString, Result};

#[cfg(unix)]
use super::native::Lent;
#[cfg(unix)]
use super::native_calls::ROWS_OF_A_READ;
use crate::protocol::close::{CloseError, NO_STATUS};
use crate::protocol::{Event, FrameHeader, MessageKind, PeerError};
#[cfg(unix)]
use crate::transport::batch::Batch;
#[cfg(unix)]
use crate::transport::listener::Requested;
#[cfg(unix)]
use crate::transport::reactor::{Happening, Id, Sink};

const TEXT: u32 = 0;
const BINARY: u32 = 1;
const PING: u32 = 2;
const PONG: u32 = 3;
const CLOSE: u32 = 4;
const FAILED: u32 = 5;
const FRAME: u32 = 6;
#[cfg(unix)]
const END: u32 = 8;
#[cfg(unix)]
const ERROR: u32 = 9;
#[cfg(unix)]
const DRAINED: u32 = 10;
#[cfg(unix)]
const REQUEST: u32 = 11;

const CLOSE_VALID: u32 = 0;
const CLOSE_INVALID_CODE: u32 = 1;
const CLOSE_INVALID_REASON: u32 = 2;
const CLOSE_TRUNCATED_CODE: u32 = 3;

/// Stands for "the payload is not in the slab but the value".
const NO_OFFSET: u32 = u32::MAX;

/// Bytes of a row.
pub(super) const ROW_LEN: usize = 24;

/// One event.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Row {
    /// The connection or receiver it belongs to.
    pub(super) id: u32,
    pub(super) kind: u32,
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) c: u32,
    /// Place of the value in the array.
    pub(super) value: u32,
}

impl Row {
    pub(super) fn to_bytes(self) -> [u8; ROW_LEN] {
        let mut bytes = [0; ROW_LEN];
        let numbers = [self.id, self.kind, self.a, self.b, self.c, self.value];
        for (place, number) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(numbers) {
            *place = number.to_ne_bytes();
        }
        bytes
    }

    /// The row of anything that happens to a taken-over socket.
    #[cfg(unix)]
    fn of_happening(
        env: &Env,
        id: Id,
        happening: Happening<'_>,
        slab: usize,
        values: &mut Values<'_>,
    ) -> Result<Self> {
        let id = id.raw();
        Ok(match happening {
            Happening::Event(event) => return Self::of_event(env, id, event, slab, values),
            Happening::End => Self { id, kind: END, ..Self::default() },
            Happening::Error(error) => Self {
                id,
                kind: ERROR,
                a: error.raw_os_error().unwrap_or_default().cast_unsigned(),
                ..Self::default()
            },
            Happening::Drained(asked) => Self { id, kind: DRAINED, a: asked, ..Self::default() },
            Happening::Requested(requested) => return Self::of_request(id, &requested, values),
        })
    }

    /// A request that has come in on a listener. Its values are its parts, a line for each (method, target, names and values of
    /// headers in turn), and the address of the client.
    #[cfg(unix)]
    fn of_request(id: u32, requested: &Requested, values: &mut Values<'_>) -> Result<Self> {
        let Requested { listener, peer, request } = requested;
        let mut lines = format!("{}\n{}", request.method, request.target);
        for (name, value) in &request.headers {
            lines.extend(["\n", name, "\n", value]);
        }
        let value = values.push(lines)?;
        values.push(peer.ip().to_string())?;
        Ok(Self { id, kind: REQUEST, a: *listener, b: u32::from(peer.port()), value, ..Self::default() })
    }

    /// The row of an event, whose value is added to `values`. `slab` is the address of the slab.
    pub(super) fn of_event(
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
        Ok(Self { id, kind: FAILED, a: u32::from(error.close_code()), value, ..Self::default() })
    }
}

/// A string of what the receiver has found to be UTF-8. Making UTF-16 of it here takes half the time that V8 takes.
fn utf16_string<'e>(env: &'e Env, text: &[u8]) -> Result<JsString<'e>> {
    thread_local! {
        static UNITS: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
    }
    UNITS.with_borrow_mut(|units| {
        // The conversion asks for room for one unit more than there are bytes.
        if units.len() <= text.len() {
            units.resize(text.len() + 1, 0);
        }
        let len = encoding_rs::mem::convert_utf8_to_utf16(text, units);
        let string = env.create_string_utf16(&units[..len]);
        if units.len() > MAX_UNITS {
            *units = Vec::new();
        }
        string
    })
}

/// Units that are kept for the next string.
const MAX_UNITS: usize = 64 * 1024;

/// The first two bytes of a frame, without its length: FIN, RSV, opcode, MASK.
fn header_bits(header: &FrameHeader) -> u32 {
    let first = u32::from(header.fin) << 7 | u32::from(header.rsv) << 4 | header.opcode as u32;
    first << 8 | u32::from(header.mask.is_some()) << 7
}

/// What is not a number, in order.
pub(super) struct Values<'env> {
    store: Store<'env>,
    len: u32,
}

enum Store<'env> {
    /// An array of JavaScript's, filled from its beginning.
    Array(Array<'env>),
    /// Handles, to become arguments of a call: putting each into an array costs as much as making a string.
    #[cfg(unix)]
    List(&'env Env, Vec<sys::napi_value>),
}

impl<'env> Values<'env> {
    pub(super) fn new(array: Array<'env>) -> Self {
        Self { store: Store::Array(array), len: 0 }
    }

    #[cfg(unix)]
    fn list(env: &'env Env) -> Self {
        Self { store: Store::List(env, Vec::new()), len: 0 }
    }

    fn push(&mut self, value: impl ToNapiValue) -> Result<u32> {
        match &mut self.store {
            Store::Array(array) => array.set(self.len, value)?,
            #[cfg(unix)]
            Store::List(env, list) => {
                // SAFETY: the environment is that of the call in which this was made, and a handle scope is open.
                list.push(unsafe { ToNapiValue::to_napi_value(env.raw(), value) }?);
            }
        }
        self.len += 1;
        Ok(self.len - 1)
    }
}

/// Fills the rows that were lent for taken-over sockets.
#[cfg(unix)]
pub(super) struct RowWriter<'env> {
    env: &'env Env,
    lent: Lent,
    slab_used: usize,
    values: Values<'env>,
}

#[cfg(unix)]
impl<'env> RowWriter<'env> {
    /// A writer that goes on behind the rows that are filled already.
    pub(super) fn new(env: &'env Env, lent: Lent) -> Self {
        let values = Values::list(env);
        Self { env, lent, slab_used: 0, values }
    }

    /// Rows that are filled.
    pub(super) fn count(&self) -> usize {
        self.lent.row_count.get()
    }

    pub(super) fn values(&self) -> &[sys::napi_value] {
        match &self.values.store {
            Store::List(_, list) => list,
            Store::Array(_) => &[],
        }
    }

    /// Begins anew, when all rows have been delivered.
    pub(super) fn clear(&mut self) {
        self.lent.row_count.set(0);
        self.slab_used = 0;
        self.values.len = 0;
        if let Store::List(_, list) = &mut self.values.store {
            list.clear();
        }
    }

    fn rows_left(&self) -> usize {
        self.lent.rows.len() / ROW_LEN - self.count() - 1
    }

    fn push(&mut self, row: Row) {
        let count = self.count() + 1;
        self.lent.row_count.set(count);
        self.lent.rows.with_part(count * ROW_LEN, ROW_LEN, |part| part.copy_from_slice(&row.to_bytes()));
    }

    /// Whether [`RowWriter::take_from_worker`] has room for this.
    pub(super) fn has_room_for(&self, happening: &Happening<'_>) -> bool {
        let len = match happening {
            Happening::Event(Event::Message { kind: MessageKind::Binary, payload: Cow::Borrowed(bytes) }) => {
                bytes.len()
            }
            _ => 0,
        };
        self.rows_left() > 1 && self.lent.slab.len() - self.slab_used >= len
    }

    /// Takes what a worker has read. Its payloads lie elsewhere, and go into the slab.
    pub(super) fn take_from_worker(&mut self, id: Id, happening: Happening<'_>) {
        let Happening::Event(Event::Message { kind: MessageKind::Binary, payload: Cow::Borrowed(bytes) }) =
            happening
        else {
            self.take(id, happening);
            return;
        };
        let (a, b) = (self.slab_used, bytes.len());
        self.lent.slab.with_part(a, b, |part| part.copy_from_slice(bytes));
        self.slab_used += b;
        self.push(Row { id: id.raw(), kind: BINARY, a: a as u32, b: b as u32, ..Row::default() });
    }

    /// Writes a batch into other rows, as `receive` does: the first says how many there are. What there is no room for
    /// is lost; there is room for more than a worker may read ahead.
    pub(super) fn write_into(
        env: &'env Env,
        batch: &mut Batch,
        rows: &mut [u8],
        values: Array<'env>,
    ) -> Result<()> {
        let (rows, _) = rows.as_chunks_mut::<ROW_LEN>();
        let Some((first, mut rows)) = rows.split_first_mut() else { return Ok(()) };
        let mut values = Values::new(values);
        let mut count = 0;
        let mut failure = Ok(());
        batch.drain(|id, happening| {
            let Some((row, rest)) = std::mem::take(&mut rows).split_first_mut() else { return };
            rows = rest;
            // Nothing lies in a slab here: payloads become values.
            match Row::of_happening(env, id, happening.into_owned(), 0, &mut values) {
                Ok(filled) => *row = filled.to_bytes(),
                Err(error) => failure = Err(error),
            }
            count += 1;
        });
        *first = Row { id: count, ..Row::default() }.to_bytes();
        failure
    }
}

#[cfg(unix)]
impl Sink for RowWriter<'_> {
    fn take(&mut self, id: Id, happening: Happening<'_>) {
        let slab = self.lent.slab.address();
        // Fails only when memory has run out or the environment is going down.
        if let Ok(row) = Row::of_happening(self.env, id, happening, slab, &mut self.values) {
            self.push(row);
        }
    }

    fn has_room(&self) -> bool {
        // Some are kept back for what is no consequence of a read.
        self.rows_left() >= 2 * ROWS_OF_A_READ
    }
}
