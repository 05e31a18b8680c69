//! Compressors of connections, by id: they stay here whoever moves the bytes of the connection.

use std::cell::RefCell;

use bytes::BytesMut;
use napi::bindgen_prelude::BufferSlice;
use napi::{Env, Result};
use napi_derive::napi;

use super::send::{next_key, opcode};
use super::slots::Slots;
use crate::protocol::deflate::{Compressor, Settings};
use crate::protocol::{OpCode, encoder};

struct Outgoing {
    compressor: Compressor,
    /// Shorter messages are sent as they are.
    threshold: usize,
    /// Calls of [`forget_idle_contexts`] since the last message.
    idle_for: u32,
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
pub fn create_compressor(level: u32, window_bits: u32, context_takeover: bool, threshold: f64) -> u32 {
    let settings = Settings { level: level as u8, window_bits: window_bits as u8 };
    #[expect(clippy::cast_sign_loss, reason = "it saturates; JavaScript has refused negative numbers")]
    let threshold = threshold as usize;
    let compressor = Compressor::new(settings, context_takeover);
    COMPRESSORS.with_borrow_mut(|all| all.add(Outgoing { compressor, threshold, idle_for: 0 }))
}

/// Frees a compressor and all it holds. The id must not be used any more.
#[napi(catch_unwind)]
pub fn release_compressor(id: u32) {
    COMPRESSORS.with_borrow_mut(|all| all.remove(id));
}

/// The compressors alive on this thread, and how many of them hold the memory of a context; for tests.
#[napi(catch_unwind)]
pub fn compressor_counts() -> Vec<u32> {
    COMPRESSORS.with_borrow_mut(|all| {
        let in_use = all.iter_mut().filter(|outgoing| outgoing.compressor.is_in_use()).count();
        vec![all.len() as u32, in_use as u32]
    })
}

/// Lets go of contexts that were not used for two calls, and returns how many are left.
#[napi(catch_unwind)]
pub fn forget_idle_contexts() -> u32 {
    let (left, forgotten) = COMPRESSORS.with_borrow_mut(|all| {
        let (mut left, mut forgotten) = (0, 0);
        for outgoing in all.iter_mut().filter(|outgoing| outgoing.compressor.is_in_use()) {
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
        let outgoing = all.get_mut(id).filter(|outgoing| payload.len() >= outgoing.threshold)?;
        outgoing.idle_for = 0;
        let send = |payload: &[u8]| send(Message { opcode, payload, compressed: true });
        outgoing.compressor.compress(payload, send)
    });
    result.unwrap_or_else(|| send(Message { opcode, payload, compressed: false }))
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
