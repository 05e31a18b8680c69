//! Compressors of connections, by id: they stay here whoever moves the bytes of the connection.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::BytesMut;
use napi::bindgen_prelude::{AsyncTask, BufferSlice};
use napi::{Env, Error, Result, Status};
use napi_derive::napi;

use super::arguments::{next_key, opcode};
use super::node::pool::{self, Pooled};
use crate::jobs::Job;
use crate::jobs::compress::Compress;
use crate::protocol::deflate::{Compressor, Settings};
use crate::protocol::{OpCode, encoder};
use crate::slots::{SlotId, Slots};

struct Outgoing {
    /// Replaced by one that has not been used while `job` is under way.
    compressor: Compressor,
    job: Option<Arc<Job<Compress>>>,
    /// Shorter messages are sent as they are.
    threshold: usize,
    /// Calls of [`forget_idle_contexts`] since the last message.
    idle_for: u32,
    /// Bytes that have come out.
    sent: u64,
}

/// Calls of [`forget_idle_contexts`] after which a context is idle.
const PATIENCE: u32 = 2;

/// The most contexts that are let go of in one call: giving 100 MiB back to the system takes some milliseconds.
const MAX_FORGOTTEN: u32 = 400;

thread_local! {
    // Of this thread, and so of this JavaScript environment: a worker has a thread of its own.
    static COMPRESSORS: RefCell<Slots<Outgoing>> = const { RefCell::new(Slots::new()) };
}

/// Creates a compressor and returns its id. Messages of fewer than `threshold` bytes stay as they are.
#[napi(catch_unwind)]
pub fn create_compressor(
    level: u32,
    window_bits: u32,
    context_takeover: bool,
    threshold: f64,
) -> Result<u32> {
    let settings = Settings { level: level as u8, window_bits: window_bits as u8 };
    #[expect(clippy::cast_sign_loss, reason = "it saturates; JavaScript has refused negative numbers")]
    let threshold = threshold as usize;
    let compressor = Compressor::new(settings, context_takeover);
    let outgoing = Outgoing { compressor, job: None, threshold, idle_for: 0, sent: 0 };
    let id = COMPRESSORS.with_borrow_mut(|all| all.insert(outgoing));
    id.map(SlotId::raw).ok_or_else(|| Error::new(Status::GenericFailure, "too many compressors"))
}

/// Frees a compressor and all it holds. The id must not be used any more.
#[napi(catch_unwind)]
pub fn release_compressor(id: u32) {
    COMPRESSORS.with_borrow_mut(|all| drop(all.remove(SlotId::from_raw(id))));
}

/// The number of bytes that have come out of a compressor.
#[napi(catch_unwind)]
pub fn compressor_bytes(id: u32) -> f64 {
    COMPRESSORS
        .with_borrow_mut(|all| all.get_mut(SlotId::from_raw(id)).map_or(0, |outgoing| outgoing.sent) as f64)
}

/// The compressors alive on this thread, and how many of them hold the memory of a context; for tests.
#[napi(catch_unwind)]
pub fn compressor_counts() -> Vec<u32> {
    COMPRESSORS.with_borrow_mut(|all| {
        let in_use = all.iter_mut().filter(|(_, outgoing)| outgoing.compressor.is_in_use()).count();
        vec![all.len() as u32, in_use as u32]
    })
}

/// Lets go of contexts that were not used for two calls, and returns how many are left.
#[napi(catch_unwind)]
pub fn forget_idle_contexts() -> u32 {
    let (left, forgotten) = COMPRESSORS.with_borrow_mut(|all| {
        let (mut left, mut forgotten) = (0, 0);
        for (_, outgoing) in all.iter_mut().filter(|(_, outgoing)| outgoing.compressor.is_in_use()) {
            outgoing.idle_for += 1;
            if outgoing.idle_for > PATIENCE && forgotten < MAX_FORGOTTEN {
                outgoing.compressor.forget();
                forgotten += 1;
            } else {
                left += 1;
            }
        }
        (left, forgotten)
    });
    if forgotten > 0 {
        give_memory_back();
    }
    left
}

/// Has the allocator return what is free to the system: glibc keeps most of it otherwise.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a function of the C library")]
fn give_memory_back() {
    unsafe extern "C" {
        fn malloc_trim(pad: usize) -> std::ffi::c_int;
    }
    // SAFETY: it may be called at any time, on any thread.
    unsafe { malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_memory_back() {}

/// A message on its way out.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    opcode: OpCode,
    payload: &'a [u8],
    compressed: bool,
}

impl Message<'_> {
    /// Bytes of payload that were compressed.
    pub(super) fn compressed_len(&self) -> u64 {
        if self.compressed { self.payload.len() as u64 } else { 0 }
    }

    /// Appends the frames of the message, of at most `threshold` bytes of payload each.
    pub(super) fn put(&self, out: &mut BytesMut, threshold: u32, masked: bool) {
        let threshold = Some(threshold as usize);
        let key = || masked.then(next_key);
        if self.compressed {
            encoder::put_compressed_message(out, self.opcode, self.payload, threshold, key);
        } else {
            encoder::put_message(out, self.opcode, self.payload, threshold, key, |_| {});
        }
    }
}

/// Compresses a payload, if that is worth while, and calls `send` once with what is to go out.
pub(super) fn with_message<T>(
    id: u32,
    opcode: OpCode,
    payload: &[u8],
    mut send: impl FnMut(Message<'_>) -> T,
) -> T {
    let result = COMPRESSORS.with_borrow_mut(|all| {
        let outgoing =
            all.get_mut(SlotId::from_raw(id)).filter(|outgoing| payload.len() >= outgoing.threshold)?;
        outgoing.idle_for = 0;
        let Outgoing { compressor, sent, .. } = outgoing;
        compressor.compress(payload, |payload| {
            *sent += payload.len() as u64;
            send(Message { opcode, payload, compressed: true })
        })
    });
    result.unwrap_or_else(|| send(Message { opcode, payload, compressed: false }))
}

fn unknown(id: u32) -> Error {
    Error::new(Status::InvalidArg, format!("there is no compressor {id}, or it is at work"))
}

/// Has a message compressed on another thread. The promise is fulfilled when that is done; then, or before, the message has
/// to be sent with `encodeFinished` or `nativeSendFinished`, and nothing else by this compressor until then.
#[napi(catch_unwind)]
pub fn start_compression(id: u32, payload: &[u8]) -> Result<AsyncTask<Pooled<Compress>>> {
    COMPRESSORS.with_borrow_mut(|all| {
        let outgoing = all
            .get_mut(SlotId::from_raw(id))
            .filter(|outgoing| outgoing.job.is_none())
            .ok_or_else(|| unknown(id))?;
        outgoing.idle_for = 0;
        let compressor = outgoing.compressor.take();
        let job = Arc::new(Job::new(Compress { compressor, payload: payload.to_vec() }));
        outgoing.job = Some(Arc::clone(&job));
        Ok(pool::start(&job))
    })
}

/// Takes the result of `startCompression`, waiting for it if need be, and calls `send` with what is to go out.
pub(super) fn with_finished<T>(id: u32, opcode: OpCode, send: impl FnOnce(Message<'_>) -> T) -> Result<T> {
    let job = COMPRESSORS.with_borrow_mut(|all| all.get_mut(SlotId::from_raw(id))?.job.take());
    let done = job.and_then(|job| job.take()).ok_or_else(|| unknown(id))?;
    COMPRESSORS.with_borrow_mut(|all| {
        if let Some(outgoing) = all.get_mut(SlotId::from_raw(id)) {
            outgoing.compressor = done.compressor;
            outgoing.sent += if done.compressed { done.payload.len() as u64 } else { 0 };
        }
    });
    Ok(send(Message { opcode, payload: &done.payload, compressed: done.compressed }))
}

/// The frames of the message that `startCompression` was called with.
#[napi(catch_unwind)]
pub fn encode_finished(
    env: &Env,
    id: u32,
    opcode_bits: u32,
    threshold: u32,
    masked: bool,
) -> Result<BufferSlice<'_>> {
    let opcode = opcode(opcode_bits)?;
    let mut out = BytesMut::new();
    with_finished(id, opcode, |message| message.put(&mut out, threshold, masked))?;
    BufferSlice::copy_from(env, &out)
}

/// The frames of a message, compressed if that is worth while.
#[napi(catch_unwind)]
pub fn encode_compressed<'env>(
    env: &'env Env,
    id: u32,
    opcode_bits: u32,
    payload: &[u8],
    threshold: u32,
    masked: bool,
) -> Result<BufferSlice<'env>> {
    let opcode = opcode(opcode_bits)?;
    let mut out = BytesMut::new();
    with_message(id, opcode, payload, |message| message.put(&mut out, threshold, masked));
    BufferSlice::copy_from(env, &out)
}
