//! What JavaScript calls to have sockets taken over and to use them. What is called for each message is in `raw`.

#![expect(unsafe_code, reason = "a file descriptor comes from JavaScript as a number, and N-API is C")]

use std::cell::{Cell, RefCell};
use std::os::fd::BorrowedFd;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use bytes::BytesMut;
use napi::bindgen_prelude::{Array, Buffer, BufferSlice, Function, Object, Unknown};
use napi::{Env, Error, JsValue, Result, Status, sys};
use napi_derive::napi;

use super::compress;
use super::native::{self, Lent, Memory, Native, Place, with_native};
use super::receive::{add_receiver, config, limit, limits};
use super::rows::{ROW_LEN, RowWriter};
use super::send::{next_key, opcode};
use super::uv::{Uv, Wake, Watch};
use crate::protocol::header::FrameHeader;
use crate::protocol::{OpCode, encoder};
use crate::transport::batch::Batch;
use crate::transport::exchange::Exchange;
use crate::transport::policy::{Io, Policy};
use crate::transport::reactor::{Id, READ_LEN, Reactor};
use crate::transport::{runtime, write_behind};

/// Rows that one read can give at most: frames of two bytes, which a client may get.
pub(super) const ROWS_OF_A_READ: usize = READ_LEN / 2;

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

pub(super) fn started<T>(result: Option<T>) -> Result<T> {
    result.ok_or_else(|| Error::new(Status::GenericFailure, "no socket was taken over in this environment"))
}

/// Prepares this environment for sockets to be taken over. False where that is not possible.
///
/// `slab` and `rows` are memory for the batches. `dispatch(count, ...values)` is called with each batch, and again as long
/// as it returns true; what it throws is an uncaught exception, after which it is called again. `resource` is its receiver
/// and async resource. The fourth number of the first row is 0 when there are so many values that they come as one array.
#[napi(catch_unwind, strict)]
pub fn native_start(
    env: Env,
    slab: Buffer,
    rows: Buffer,
    dispatch: Function<'_, (), bool>,
    resource: Object<'_>,
) -> Result<bool> {
    if with_native(|_| ()).is_some() {
        return Ok(false);
    }
    let Some(uv) = Uv::find() else { return Ok(false) };
    if slab.len() < READ_LEN || rows.len() < (3 * ROWS_OF_A_READ + 1) * ROW_LEN {
        return Err(Error::new(Status::InvalidArg, "slab or rows are too small for a batch"));
    }
    let Ok(event_loop) = env.get_uv_event_loop() else { return Ok(false) };
    let Ok(reactor) = Reactor::new() else { return Ok(false) };
    let Ok(watch) = Watch::new(uv, event_loop.cast(), reactor.as_raw_fd()) else { return Ok(false) };
    let Ok(wake) = Wake::new(uv, event_loop.cast(), native::ON_WAKE) else { return Ok(false) };
    let waker = wake.waker();
    let parallel = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    let exchange = Arc::new(Exchange::new(reactor, parallel, Box::new(move || waker.wake())));
    let lent = Lent {
        slab: Rc::new(Memory::new(slab)),
        rows: Rc::new(Memory::new(rows)),
        row_count: Rc::new(Cell::new(0)),
    };
    let begun = native::begin(Native {
        env: env.raw(),
        exchange: Arc::clone(&exchange),
        policy: Policy::new(parallel),
        watch,
        wake,
        dispatch: dispatch.create_ref()?,
        resource: resource.create_ref()?,
        lent,
        places: Vec::new(),
        count: 0,
        batch: 0,
        spare: Batch::default(),
    });
    if begun.is_err() {
        return Ok(false);
    }
    if let Ok(runtime) = runtime::get() {
        // The runtime's threads are in the addon's code: it must not be unloaded when its last environment ends.
        napi::bindgen_prelude::retain_current_module_for_unload_safety();
        runtime.spawn(write_behind::run(Arc::downgrade(&exchange), write_behind::notify(&exchange)));
    }
    // SAFETY: the environment is the one of this call; the hook takes no argument.
    let status = unsafe {
        sys::napi_add_async_cleanup_hook(env.raw(), Some(native::on_exit), ptr::null_mut(), ptr::null_mut())
    };
    if status == sys::Status::napi_ok {
        Ok(true)
    } else {
        Err(Error::new(Status::from(status), "no cleanup hook"))
    }
}

/// Replaces the async resource of the next calls to `dispatch`.
#[napi(catch_unwind)]
pub fn native_set_resource(env: Env, resource: Object<'_>) -> Result<()> {
    let resource = resource.create_ref()?;
    let before = started(with_native(|native| std::mem::replace(&mut native.resource, resource)))?;
    before.unref(&env)
}

/// Makes an exception an uncaught one: ends the process unless the program handles it.
#[napi(catch_unwind)]
pub fn native_report(env: Env, exception: Unknown<'_>) -> Result<()> {
    native::report(env.raw(), exception.raw())
}

/// Says who is to drive: 0 what suits the load, 1 Node's loop, 2 a worker.
#[napi(catch_unwind)]
pub fn native_set_io(io: u32) -> Result<()> {
    let io = match io {
        1 => Io::Loop,
        2 => Io::Threads,
        _ => Io::Auto,
    };
    started(with_native(|native| {
        native.policy.set_io(io);
        // It is decided at the next wake-up.
        native.with_reactor(|reactor| reactor.wake());
    }))
}

/// Takes a connected socket over; returns the id of the connection, or -1 when that is not possible. `early` is what
/// was read from the socket before; `mask` and `inflation` as for `createReceiver`.
#[napi(catch_unwind)]
pub fn native_add(
    fd: i32,
    mask: u32,
    max_frame_size: f64,
    max_message_size: f64,
    assemble: bool,
    inflation: u32,
    early: &[u8],
) -> Result<i64> {
    if fd < 0 {
        return Ok(-1);
    }
    started(with_native(|native| {
        // SAFETY: the descriptor of a socket that is open, as the caller has seen; it is duplicated at once.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        let config = config(mask, max_frame_size, max_message_size, assemble, inflation);
        let Some(Ok((id, counters))) = native.with_reactor(|reactor| reactor.add(fd, config, early)) else {
            return -1;
        };
        native.know(Place { id, counters, sent: 0 });
        i64::from(id.raw())
    }))
}

/// Forgets a connection on this side.
fn forget(native: &mut Native, id: Id) -> bool {
    let place = native.places.get_mut(id.place());
    let known = place.and_then(|place| place.take_if(|place| place.id == id)).is_some();
    native.count -= u32::from(known);
    known
}

/// Lets go of a connection and closes its descriptor, after what waits was written as far as the socket takes it. Returns
/// its counters as they were then; `null` when it is gone already.
#[napi(catch_unwind)]
pub fn native_remove(env: &Env, id: u32) -> Result<Option<Vec<f64>>> {
    let id = Id::from_raw(id);
    started(with_native(|native| {
        flush_with(env, native, |native, writer| {
            native.with_reactor(|reactor| reactor.flush_one(id, writer));
        });
        let counters = native.counters(id);
        native.with_reactor(|reactor| reactor.remove(id));
        forget(native, id);
        Some(counters?.into_iter().map(|number| number as f64).collect())
    }))
}

/// What is left of a connection that was given back.
#[napi(object, object_from_js = false)]
pub struct Released {
    /// The receiver, now one for chunks; see `receive`.
    pub receiver: u32,
    /// What was read before the socket was taken over and not looked at yet.
    pub unread: Buffer,
    /// What waits to be written.
    pub unsent: Buffer,
}

/// Lets go of a connection, so that somebody else can go on with it; `null` when it is gone. What a worker has read of
/// it and nobody has seen goes into `rows` and `values`, and the number of events into the first place of `rows`.
#[napi(catch_unwind, strict)]
pub fn native_release(
    env: &Env,
    id: u32,
    mut rows: BufferSlice<'_>,
    values: Array<'_>,
) -> Result<Option<Released>> {
    let id = Id::from_raw(id);
    started(with_native(|native| {
        let mut inflated = Batch::default();
        let released = native.with_reactor(|reactor| reactor.release(id, &mut inflated)).flatten();
        let mut last = native.exchange.extract_incoming(id);
        last.append(&mut inflated);
        forget(native, id);
        RowWriter::write_into(env, &mut last, &mut rows, values)?;
        Ok(released.map(|(receiver, unread, unsent)| Released {
            receiver: add_receiver(receiver),
            unread: unread.into(),
            unsent: unsent.to_vec().into(),
        }))
    }))?
}

/// Whether messages of a connection are being inflated on another thread.
#[napi(catch_unwind)]
pub fn native_is_inflating(id: u32) -> bool {
    let id = Id::from_raw(id);
    with_native(|native| native.with_reactor(|reactor| reactor.is_inflating(id)))
        .flatten()
        .unwrap_or_default()
}

/// Stops reading from a connection, or goes on.
#[napi(catch_unwind)]
pub fn native_pause(id: u32, paused: bool) -> Result<()> {
    started(with_native(|native| {
        native.with_reactor(|reactor| reactor.pause(Id::from_raw(id), paused));
    }))
}

/// Changes limits and mode of a connection; they hold from the next frame on.
#[napi(catch_unwind)]
pub fn native_configure(id: u32, max_frame_size: f64, max_message_size: f64, assemble: bool) -> Result<()> {
    let (frame, message) = (limit(max_frame_size), limit(max_message_size));
    started(with_native(|native| {
        native.with_reactor(|reactor| reactor.configure(Id::from_raw(id), frame, message, assemble));
    }))
}

/// Sets limits on numbers and rates of a connection, Infinity for none.
#[napi(catch_unwind)]
pub fn native_limit(id: u32, fragments: f64, messages_per_second: f64, bytes_per_second: f64) -> Result<()> {
    let limits = limits(fragments, messages_per_second, bytes_per_second);
    started(with_native(|native| {
        native.with_reactor(|reactor| reactor.limit(Id::from_raw(id), limits));
    }))
}

/// Whether connections keep the process alive.
#[napi(catch_unwind)]
pub fn native_keep_alive(alive: bool) -> Result<()> {
    started(with_native(|native| native.wake.keep_alive(alive)))
}

/// Asks for a `DRAINED` row when all that waits for a connection has been written; it says how many calls it answers.
#[napi(catch_unwind)]
pub fn native_notify(id: u32) -> Result<()> {
    let id = Id::from_raw(id);
    started(with_native(|native| native.exchange.notify(id)))
}

/// Bytes that wait to be written, bytes read, bytes written, frames received, bytes of compressed messages received; `null` for a connection that is gone.
#[napi(catch_unwind)]
pub fn native_counters(id: u32) -> Option<Vec<f64>> {
    let counters = with_native(|native| native.counters(Id::from_raw(id))).flatten()?;
    Some(counters.into_iter().map(|number| number as f64).collect())
}

/// The number of connections that were taken over, for tests of leaks.
#[napi(catch_unwind)]
pub fn native_count() -> u32 {
    with_native(|native| native.count).unwrap_or_default()
}

/// Writes what was sent since the last batch; rows that come of it are delivered with the next.
#[napi(catch_unwind)]
pub fn native_flush(env: &Env) -> Result<()> {
    started(with_native(|native| flush_with(env, native, |native, writer| native.exchange.flush(writer))))
}

/// Writes all that waits on this thread, whoever drives: the process is about to end.
#[napi(catch_unwind)]
pub fn native_flush_now(env: &Env) -> Result<()> {
    started(with_native(|native| {
        flush_with(env, native, |native, writer| {
            native.with_reactor(|reactor| reactor.flush_all(writer));
        });
    }))
}

fn flush_with(env: &Env, native: &mut Native, flush: impl FnOnce(&mut Native, &mut RowWriter<'_>)) {
    let mut writer = RowWriter::new(env, native.lent.clone());
    flush(native, &mut writer);
    if writer.count() > 0 {
        native.with_reactor(|reactor| reactor.wake());
    }
}

/// Writes what waits for one connection, and returns how many bytes still wait then.
#[napi(catch_unwind)]
pub fn native_flush_one(env: &Env, id: u32) -> Result<u32> {
    let id = Id::from_raw(id);
    started(with_native(|native| {
        flush_with(env, native, |native, writer| {
            native.with_reactor(|reactor| reactor.flush_one(id, writer));
        });
        returned(native.counters(id).map(|[waiting, ..]| waiting))
    }))
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
    returned(with_native(|native| native.send_large(Id::from_raw(id), pieces, len)).flatten())
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
    compress::with_message(compressor, opcode, payload, |message| {
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
    compress::with_finished(compressor, opcode, |message| {
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
    compress::with_message(compressor, opcode, payload, |message| message.put(&mut frames, threshold, false));
    broadcast(&mut ids, frames)
}

/// Sends frames to many connections, as the functions above.
fn broadcast(ids: &mut [u8], frames: BytesMut) -> Result<()> {
    let numbers = ids.as_chunks_mut::<4>().0;
    let recipients = numbers.iter().map(|id| Id::from_raw(u32::from_ne_bytes(*id))).collect();
    started(with_native(|native| {
        native.broadcast(recipients, frames.freeze(), |index, waiting| {
            numbers[index] = returned(waiting).to_ne_bytes();
        });
    }))
}

fn append(id: u32, write: impl FnOnce(&mut BytesMut)) -> u32 {
    returned(with_native(|native| native.send(Id::from_raw(id), write)).flatten())
}

/// A number of bytes as the functions for sending return it.
fn returned(waiting: Option<u64>) -> u32 {
    waiting.map_or(GONE, |waiting| waiting.min(u64::from(GONE - 1)) as u32)
}
