//! Frames to bytes. The payload is already where it has to be; the header is put in front of it and the mask applied.

use bytes::BytesMut;
use napi::bindgen_prelude::BufferSlice;
use napi::{Env, Error, Result, Status};
use napi_derive::napi;

use crate::binding::arguments::{next_key, opcode};
use crate::protocol::header::{FrameHeader, MAX_HEADER_LEN, header_len};
use crate::protocol::mask::apply_mask;
use crate::protocol::{OpCode, encoder};

/// Fills in the header of the frame in `frame`, whose payload ends at the end of it, and masks the payload with a
/// random key when asked to. `first` is the first byte of the header: FIN, the reserved bits and the opcode.
///
/// `frame` must have exactly the length of header and payload.
#[napi(catch_unwind, strict)]
pub fn seal_frame(mut frame: BufferSlice<'_>, first: u32, masked: bool) -> Result<()> {
    let first = first as u8;
    let head_len = [2, 4, 10].into_iter().map(|len| if masked { len + 4 } else { len }).find(|&len| {
        frame.len().checked_sub(len).is_some_and(|payload| header_len(payload as u64, masked) == len)
    });
    let head_len = head_len
        .ok_or_else(|| Error::new(Status::InvalidArg, format!("{} bytes cannot be a frame", frame.len())))?;
    let header = FrameHeader {
        fin: first & 0x80 != 0,
        rsv: first >> 4 & 0x7,
        // Replaced below: programs may send opcodes that RFC 6455 reserves.
        opcode: OpCode::Continuation,
        mask: masked.then(next_key),
        len: (frame.len() - head_len) as u64,
    };
    let mut head = [0; MAX_HEADER_LEN];
    header.encode(&mut head);
    let (front, payload) = frame.split_at_mut(head_len);
    front.copy_from_slice(&head[..head_len]);
    front[0] = first;
    if let Some(key) = header.mask {
        apply_mask(payload, key, 0);
    }
    Ok(())
}

/// Encodes a message in fragments of at most `threshold` bytes. The end of each frame is written into `ends` as a
/// 64-bit float; it must have room for all of them (the message's length divided by `threshold`, rounded up).
#[napi(catch_unwind, strict)]
pub fn encode_fragments<'env>(
    env: &'env Env,
    opcode_bits: u32,
    payload: &[u8],
    threshold: u32,
    masked: bool,
    mut ends: BufferSlice<'_>,
) -> Result<BufferSlice<'env>> {
    let opcode = opcode(opcode_bits)?;
    let threshold = Some(threshold as usize);
    let mut out = BytesMut::with_capacity(encoder::message_len(payload.len(), threshold, masked));
    let mut ends = ends.as_chunks_mut::<8>().0.iter_mut();
    let key = || masked.then(next_key);
    encoder::put_message(&mut out, opcode, payload, threshold, key, |end| {
        if let Some(place) = ends.next() {
            *place = (end as f64).to_ne_bytes();
        }
    });
    BufferSlice::copy_from(env, &out)
}

/// XORs `data` with a masking key of four bytes.
#[napi(catch_unwind, strict, js_name = "applyMask")]
pub fn mask_in_place(mut data: BufferSlice<'_>, key: &[u8]) -> Result<()> {
    let key = <[u8; 4]>::try_from(key)
        .map_err(|_| Error::new(Status::InvalidArg, "a masking key has four bytes (RFC 6455 section 5.3)"))?;
    apply_mask(&mut data, key, 0);
    Ok(())
}

/// Writes an unpredictable masking key into `key`.
#[napi(catch_unwind, strict)]
pub fn random_mask(mut key: BufferSlice<'_>) -> Result<()> {
    let key: &mut [u8; 4] = (&mut *key)
        .try_into()
        .map_err(|_| Error::new(Status::InvalidArg, "a masking key has four bytes (RFC 6455 section 5.3)"))?;
    *key = next_key();
    Ok(())
}
