//! Bytes of a JavaScript stream to events: one crossing for each chunk, whatever is in it.
//!
//! The chunk is copied into a slab that JavaScript owns and lends for the call, and is unmasked there. Events are rows
//! of four 32-bit numbers, `[kind, a, b, c]`, in a second such buffer; what is not a number goes into an array beside
//! them:
//!
//! | kind      | a             | b            | c        | value              |
//! |-----------|---------------|--------------|----------|--------------------|
//! | `TEXT`    |               |              |          | string             |
//! | `BINARY`  | offset in slab| length       |          | (or a Buffer)      |
//! | `PING`    | offset in slab| length       |          | (or a Buffer)      |
//! | `PONG`    | offset in slab| length       |          | (or a Buffer)      |
//! | `CLOSE`   | status code   | `CLOSE_*`    |          | reason             |
//! | `FAILED`  | close code    |              |          | description        |
//! | `FRAME`   | offset in slab| length       | 2 bytes of header | (or a Buffer) |
//!
//! An offset of `NO_OFFSET` says that the payload is the value. JavaScript has to copy what it keeps before the next call.

use std::borrow::Cow;
use std::cell::RefCell;

use napi::bindgen_prelude::{Array, BufferSlice};
use napi::{Env, Error, Result, Status};
use napi_derive::napi;

use crate::protocol::close::{CloseError, NO_STATUS};
use crate::protocol::receiver::Receiver;
use crate::protocol::{Config, Event, FrameHeader, MaskPolicy, MessageKind, PeerError};

const TEXT: u32 = 0;
const BINARY: u32 = 1;
const PING: u32 = 2;
const PONG: u32 = 3;
const CLOSE: u32 = 4;
const FAILED: u32 = 5;
const FRAME: u32 = 6;

const CLOSE_VALID: u32 = 0;
const CLOSE_INVALID_CODE: u32 = 1;
const CLOSE_INVALID_REASON: u32 = 2;

const NO_OFFSET: u32 = u32::MAX;

/// Bytes of a row.
const ROW: usize = 16;

/// Receivers by id; ids of released ones are used again.
#[derive(Default)]
struct Receivers {
    slots: Vec<Option<Receiver>>,
    free: Vec<u32>,
}

thread_local! {
    // Of this thread, and so of this JavaScript environment: a worker has a thread of its own.
    static RECEIVERS: RefCell<Receivers> = RefCell::default();
}

fn with_receiver<T>(id: u32, f: impl FnOnce(&mut Option<Receiver>) -> T) -> Result<T> {
    RECEIVERS.with_borrow_mut(|receivers| {
        let slot = receivers.slots.get_mut(id as usize);
        slot.map(f).ok_or_else(|| Error::new(Status::InvalidArg, format!("there is no receiver {id}")))
    })
}

/// A limit as JavaScript has it: what is no number, or beyond all numbers, is no limit.
fn limit(value: f64) -> u64 {
    // A cast of a float saturates: negative ones become 0, which allows empty messages only.
    if value.is_nan() { u64::MAX } else { value as u64 }
}

fn config(mask: u32, max_frame_size: f64, max_message_size: f64, assemble: bool) -> Config {
    let mask = match mask {
        0 => MaskPolicy::Forbidden,
        1 => MaskPolicy::Required,
        _ => MaskPolicy::Either,
    };
    Config { mask, max_frame_size: limit(max_frame_size), max_message_size: limit(max_message_size), assemble }
}

/// Creates a receiver and returns its id. `mask`: 0 forbids masked frames, 1 requires them, 2 takes both.
#[napi(catch_unwind)]
pub fn create_receiver(mask: u32, max_frame_size: f64, max_message_size: f64, assemble: bool) -> u32 {
    let receiver = Receiver::new(config(mask, max_frame_size, max_message_size, assemble));
    RECEIVERS.with_borrow_mut(|receivers| {
        if let Some(id) = receivers.free.pop() {
            receivers.slots[id as usize] = Some(receiver);
            id
        } else {
            receivers.slots.push(Some(receiver));
            receivers.slots.len() as u32 - 1
        }
    })
}

/// Changes the limits of a receiver; they hold from the next frame on.
#[napi(catch_unwind)]
pub fn set_receiver_limits(id: u32, max_frame_size: f64, max_message_size: f64) -> Result<()> {
    with_receiver(id, |slot| {
        if let Some(receiver) = slot {
            receiver.set_limits(limit(max_frame_size), limit(max_message_size));
        }
    })
}

/// Frees a receiver and all it holds. The id must not be used any more.
#[napi(catch_unwind)]
pub fn release_receiver(id: u32) {
    RECEIVERS.with_borrow_mut(|receivers| {
        if receivers.slots.get_mut(id as usize).is_some_and(|slot| slot.take().is_some()) {
            receivers.free.push(id);
        }
    });
}

/// The number of receivers alive on this thread, for tests of leaks.
#[napi(catch_unwind)]
pub fn receiver_count() -> u32 {
    RECEIVERS.with_borrow(|receivers| (receivers.slots.len() - receivers.free.len()) as u32)
}

/// Passes `chunk` from `offset` on to a receiver, as much of it as `slab` and `rows` have room for.
///
/// Returns the number of events. The first row is no event but says, as its first number, up to which offset the chunk
/// was taken; call again until that is the length of the chunk.
#[napi(catch_unwind)]
pub fn receive(
    env: &Env,
    id: u32,
    chunk: &[u8],
    offset: u32,
    mut slab: BufferSlice<'_>,
    mut rows: BufferSlice<'_>,
    mut values: Array<'_>,
) -> Result<u32> {
    let (rows, _) = rows.as_chunks_mut::<ROW>();
    let Some((first, rows)) = rows.split_first_mut() else {
        return Err(Error::new(Status::InvalidArg, "the buffer for rows has no room for any"));
    };
    let rest = &chunk[(offset as usize).min(chunk.len())..];
    let taken = rest.len().min(slab.len());
    let start = slab.as_ptr() as usize;
    let mut input = &mut slab[..taken];
    input.copy_from_slice(&rest[..taken]);

    let mut count = 0;
    let left = with_receiver(id, |slot| {
        // A released receiver takes no more input: whatever comes after the end of a connection is dropped.
        let Some(receiver) = slot else { return Ok(0) };
        for (row, index) in rows.iter_mut().zip(0..) {
            let Some(event) = receiver.receive(&mut input) else { break };
            *row = encode_row(hand_over(env, event, start, index, &mut values)?);
            count += 1;
        }
        Ok::<_, Error>(input.len())
    })??;
    *first = encode_row([offset + (taken - left) as u32, 0, 0, 0]);
    Ok(count)
}

fn encode_row(row: [u32; 4]) -> [u8; ROW] {
    let mut bytes = [0; ROW];
    for (place, number) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(row) {
        *place = number.to_ne_bytes();
    }
    bytes
}

/// Turns one event into its row and `values[index]`. `start` is the address of the slab.
fn hand_over(env: &Env, event: Event<'_>, start: usize, index: u32, values: &mut Array<'_>) -> Result<[u32; 4]> {
    let mut payload_row = |kind, payload: Cow<'_, [u8]>, extra| match payload {
        Cow::Borrowed(bytes) => {
            Ok([kind, (bytes.as_ptr() as usize - start) as u32, bytes.len() as u32, extra])
        }
        Cow::Owned(bytes) => {
            values.set(index, BufferSlice::copy_from(env, &bytes)?)?;
            Ok([kind, NO_OFFSET, bytes.len() as u32, extra])
        }
    };
    match event {
        Event::Message { kind: MessageKind::Binary, payload } => payload_row(BINARY, payload, 0),
        Event::Ping(payload) => payload_row(PING, payload, 0),
        Event::Pong(payload) => payload_row(PONG, payload, 0),
        Event::Frame { header, payload } => payload_row(FRAME, payload, header_bits(&header)),
        Event::Message { kind: MessageKind::Text, payload } => {
            let string = if payload.is_ascii() {
                env.create_string_latin1(&payload)
            } else {
                // Valid UTF-8, as the receiver says; N-API takes it as it is.
                env.create_string(std::str::from_utf8(&payload).unwrap_or_default())
            };
            if let Ok(string) = string {
                values.set(index, string)?;
                return Ok([TEXT, 0, 0, 0]);
            }
            // Longer than a JavaScript string can be: the message is too large whatever the limits say.
            failed(PeerError::MessageTooLarge, index, values)
        }
        Event::Close(Ok(close)) => {
            values.set(index, close.reason)?;
            Ok([CLOSE, u32::from(close.code.unwrap_or(NO_STATUS)), CLOSE_VALID, 0])
        }
        Event::Close(Err(error)) => {
            let (code, validity) = match error {
                CloseError::TruncatedCode => (NO_STATUS, CLOSE_INVALID_CODE),
                CloseError::InvalidCode(code) => (code, CLOSE_INVALID_CODE),
                CloseError::InvalidReason => (NO_STATUS, CLOSE_INVALID_REASON),
            };
            values.set(index, "")?;
            Ok([CLOSE, u32::from(code), validity, 0])
        }
        Event::Failed(error) => failed(error, index, values),
    }
}

fn failed(error: PeerError, index: u32, values: &mut Array<'_>) -> Result<[u32; 4]> {
    values.set(index, error.to_string())?;
    Ok([FAILED, u32::from(error.close_code()), 0, 0])
}

/// The first two bytes of a frame, without its length: FIN, RSV, opcode, MASK.
fn header_bits(header: &FrameHeader) -> u32 {
    let first = u32::from(header.fin) << 7 | u32::from(header.rsv) << 4 | header.opcode as u32;
    first << 8 | u32::from(header.mask.is_some()) << 7
}
