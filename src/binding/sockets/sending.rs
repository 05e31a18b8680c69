//! Sending, for connections of the reactor.

use std::cell::RefCell;

use bytes::BytesMut;
use napi::Result;
use napi::bindgen_prelude::BufferSlice;
use napi_derive::napi;

use super::environment::{started, with_environment};
use crate::binding::arguments::{next_key, opcode};
use crate::binding::compressors;
use crate::protocol::header::FrameHeader;
use crate::protocol::{OpCode, encoder};
use crate::slots::SlotId;

/// What a function returns for a connection that is gone.
const GONE: u32 = u32::MAX;

/// Payloads from this many bytes on are written at once, past the outbox, as far as the socket takes them.
const LARGE: usize = 16 * 1024;

/// Strings up to nearly this many bytes of UTF-8 cross the border in one call.
pub(super) const SCRATCH_LEN: usize = 64 * 1024;

thread_local! {
    // Strings on their way out.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_LEN]);
}

/// Lends memory for strings on their way out.
pub(super) fn with_scratch<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    SCRATCH.with_borrow_mut(|scratch| work(scratch))
}

/// Encodes a message for a connection and returns how many bytes wait for it then, or [`GONE`].
pub(super) fn send_message(id: u32, opcode_bits: u32, payload: &[u8], threshold: u32, masked: bool) -> u32 {
    let opcode = OpCode::from_bits(opcode_bits as u8).unwrap_or(OpCode::Binary);
    let threshold = Some(threshold as usize);
    if payload.len() >= LARGE && !masked {
        return send_large(id, opcode, payload, threshold);
    }
    append(id, |out| encoder::put_message(out, opcode, payload, threshold, || masked.then(next_key), |_| {}))
}

/// Sends a message whose payload is not to be copied if that can be avoided.
fn send_large(id: u32, opcode: OpCode, payload: &[u8], threshold: Option<usize>) -> u32 {
    let headers = encoder::message_headers(opcode, payload.len(), threshold);
    let frames = headers.iter().zip(encoder::fragments(payload.len(), threshold));
    let pieces = frames.flat_map(|((header, len), range)| [&header[..*len], &payload[range]]);
    let len = encoder::message_len(payload.len(), threshold, false);
    returned(with_environment(|it| it.send_large(SlotId::from_raw(id), pieces, len)).flatten())
}

/// As [`send_message`], compressed by the compressor with this id if that is worth while.
pub(super) fn send_compressed(
    id: u32,
    compressor: u32,
    opcode_bits: u32,
    payload: &[u8],
    threshold: u32,
    masked: bool,
) -> u32 {
    let opcode = OpCode::from_bits(opcode_bits as u8).unwrap_or(OpCode::Binary);
    compressors::with_message(compressor, opcode, payload, |message| {
        append(id, |out| message.put(out, threshold, masked))
    })
}

/// Sends the message that `startCompression` was called with; as `nativeSendBytes`.
#[napi(catch_unwind)]
pub fn native_send_finished(
    id: u32,
    compressor: u32,
    opcode_bits: u32,
    threshold: u32,
    masked: bool,
) -> Result<u32> {
    let opcode = opcode(opcode_bits)?;
    compressors::with_finished(compressor, opcode, |message| {
        append(id, |out| message.put(out, threshold, masked))
    })
}

/// Sends a control frame.
#[napi(catch_unwind)]
pub fn native_send_control(id: u32, opcode_bits: u32, payload: &[u8], masked: bool) -> Result<u32> {
    let opcode = opcode(opcode_bits)?;
    let header = FrameHeader { fin: true, rsv: 0, opcode, mask: masked.then(next_key), len: 0 };
    Ok(append(id, |out| encoder::put_frame(out, header, payload)))
}

/// Sends bytes as they are: frames that the program has made.
#[napi(catch_unwind, strict)]
pub fn native_send_raw(id: u32, bytes: BufferSlice<'_>) -> u32 {
    append(id, |out| out.extend_from_slice(&bytes))
}

/// Sends one unmasked message to many connections; it is encoded once. Each of the 32-bit numbers in `ids` is replaced by
/// the number of bytes that wait for that connection then, or [`GONE`].
#[napi(catch_unwind, strict)]
pub fn native_broadcast(
    mut ids: BufferSlice<'_>,
    opcode_bits: u32,
    payload: &[u8],
    threshold: u32,
) -> Result<()> {
    let opcode = opcode(opcode_bits)?;
    let threshold = Some(threshold as usize);
    let mut frames = BytesMut::with_capacity(encoder::message_len(payload.len(), threshold, false));
    encoder::put_message(&mut frames, opcode, payload, threshold, || None, |_| {});
    broadcast(&mut ids, frames)
}

/// As `nativeBroadcast`, to connections that have agreed on the same compression without context takeover: the message is
/// compressed once, by the compressor of one of them.
#[napi(catch_unwind, strict)]
pub fn native_broadcast_compressed(
    mut ids: BufferSlice<'_>,
    compressor: u32,
    opcode_bits: u32,
    payload: &[u8],
    threshold: u32,
) -> Result<()> {
    let opcode = opcode(opcode_bits)?;
    let mut frames = BytesMut::new();
    compressors::with_message(compressor, opcode, payload, |message| {
        message.put(&mut frames, threshold, false);
    });
    broadcast(&mut ids, frames)
}

/// Sends frames to many connections, as the functions above.
fn broadcast(ids: &mut [u8], frames: BytesMut) -> Result<()> {
    let numbers = ids.as_chunks_mut::<4>().0;
    let recipients = numbers.iter().map(|id| SlotId::from_raw(u32::from_ne_bytes(*id))).collect();
    started(|environment| {
        environment.broadcast(recipients, frames.freeze(), |index, waiting| {
            numbers[index] = returned(waiting).to_ne_bytes();
        });
    })
}

fn append(id: u32, write: impl FnOnce(&mut BytesMut)) -> u32 {
    returned(with_environment(|environment| environment.send(SlotId::from_raw(id), write)).flatten())
}

/// A number of bytes as the functions for sending return it.
pub(super) fn returned(waiting: Option<u64>) -> u32 {
    waiting.map_or(GONE, |waiting| waiting.min(u64::from(GONE - 1)) as u32)
}
