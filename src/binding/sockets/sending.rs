//! Sending, for connections of the reactor.

use bytes::BytesMut;
use napi::Result;
use napi::bindgen_prelude::BufferSlice;
use napi_derive::napi;

use super::environment::with_environment;
use crate::binding::arguments::{next_key, opcode};
use crate::binding::compressors;
use crate::protocol::header::FrameHeader;
use crate::protocol::{OpCode, encoder};
use crate::slots::SlotId;

/// What a function returns for a connection that is gone.
const GONE: u32 = u32::MAX;

/// Payloads from this many bytes on are written at once, past the outbox, as far as the socket takes them.
const LARGE: usize = 16 * 1024;

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

fn append(id: u32, write: impl FnOnce(&mut BytesMut)) -> u32 {
    returned(with_environment(|environment| environment.send(SlotId::from_raw(id), write)).flatten())
}

/// A number of bytes as the functions for sending return it.
pub(super) fn returned(waiting: Option<u64>) -> u32 {
    waiting.map_or(GONE, |waiting| waiting.min(u64::from(GONE - 1)) as u32)
}
