//! Sockets taken over from Node, driven by Node's event loop.
//!
//! A wake-up of the loop reads what is there, for all connections, into a slab that JavaScript owns, and hands the
//! events over in one call, as rows (see `rows`). What the program sends meanwhile is encoded into the outbox of its
//! connection and written when the batch is over: one write for each connection.
//!
//! The row at the very beginning is no event: its first number says whether a batch is under way.

#![expect(unsafe_code, reason = "N-API is C, and slab and rows are memory that JavaScript owns")]

use std::cell::RefCell;
use std::os::fd::BorrowedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ffi::{c_int, c_void};
use std::ptr;

use bytes::BytesMut;
use napi::bindgen_prelude::{Array, Buffer, BufferSlice, Function, FunctionRef};
use napi::{Env, Error, JsValue, Result, Status, sys};
use napi_derive::napi;

use super::receive::{add_receiver, config, limit};
use super::rows::{DRAINED, END, ERROR, ROW_LEN, Row, Values};
use super::send::{next_key, opcode};
use super::uv::{Handle, Uv, Watch};
use crate::protocol::{OpCode, encoder};
use crate::protocol::header::FrameHeader;
use crate::transport::reactor::{Happening, Id, READ_LEN, Reactor, Sink};

/// Rows that one read can give at most: frames of two bytes, which a client may get.
const ROWS_OF_A_READ: usize = READ_LEN / 2;

/// What a function returns for a connection that is gone.
pub(super) const GONE: u32 = u32::MAX;

/// Strings up to nearly this many bytes of UTF-8 cross the border in one call.
pub(super) const SCRATCH_LEN: usize = 64 * 1024;

thread_local! {
    // Of this thread, and so of this JavaScript environment: a worker has a thread of its own.
    static NATIVE: RefCell<Option<Native>> = const { RefCell::new(None) };
    // Strings on their way out.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_LEN]);
}

struct Native {
    env: sys::napi_env,
    reactor: Reactor,
    watch: Watch,
    dispatch: FunctionRef<(), bool>,
    slab: Memory,
    slab_used: usize,
    rows: Memory,
    row_count: usize,
}

/// Memory of a Buffer that JavaScript keeps alive as long as the environment lives.
struct Memory {
    start: *mut u8,
    len: usize,
    _buffer: Buffer,
}

impl Memory {
    fn new(mut buffer: Buffer) -> Self {
        Self { start: buffer.as_mut_ptr(), len: buffer.len(), _buffer: buffer }
    }

    /// The part from `start`, `len` bytes long.
    fn part(&self, start: usize, len: usize) -> &'static mut [u8] {
        assert!(start + len <= self.len, "memory lent by JavaScript is used within its bounds");
        // SAFETY: within the bounds, as was checked.
        let start = unsafe { self.start.add(start) };
        // SAFETY: the Buffer is kept alive by its reference until the environment ends; no two parts overlap while they
        // are in use, since each is taken behind the one before, and JavaScript does not run meanwhile.
        unsafe { std::slice::from_raw_parts_mut(start, len) }
    }
}

/// Turns what happens into rows.
struct Batch<'a, 'env> {
    env: &'env Env,
    values: Values<'env>,
    slab: &'a Memory,
    slab_used: &'a mut usize,
    rows: &'a Memory,
    row_count: &'a mut usize,
}

impl Sink for Batch<'_, '_> {
    fn take(&mut self, id: Id, happening: Happening<'_>) {
        let id = id.raw();
        let row = match happening {
            Happening::Event(event) => {
                let slab = self.slab.start as usize;
                // Fails only when memory has run out or the environment is going down.
                let Ok(row) = Row::of_event(self.env, id, event, slab, &mut self.values) else { return };
                row
            }
            Happening::End => Row { id, kind: END, ..Row::default() },
            Happening::Error(error) => {
                Row { id, kind: ERROR, a: error.raw_os_error().unwrap_or_default() as u32, ..Row::default() }
            }
            Happening::Drained => Row { id, kind: DRAINED, ..Row::default() },
        };
        *self.row_count += 1;
        self.rows.part(*self.row_count * ROW_LEN, ROW_LEN).copy_from_slice(&row.to_bytes());
    }

    fn space(&mut self) -> Option<&'static mut [u8]> {
        let rows_left = self.rows.len / ROW_LEN - *self.row_count - 1;
        // Rows are kept back for what is no consequence of a read.
        if self.slab.len - *self.slab_used < READ_LEN || rows_left < 2 * ROWS_OF_A_READ {
            return None;
        }
        Some(self.slab.part(*self.slab_used, READ_LEN))
    }

    fn used(&mut self, len: usize) {
        *self.slab_used += len;
    }
}

impl Native {
    /// Lets `work` use the reactor with a sink that fills rows.
    fn with_batch<T>(&mut self, env: &Env, values: Array<'_>, work: impl FnOnce(&mut Reactor, &mut Batch<'_, '_>) -> T) -> T {
        let mut batch = Batch {
            env,
            values: Values::new(values),
            slab: &self.slab,
            slab_used: &mut self.slab_used,
            rows: &self.rows,
            row_count: &mut self.row_count,
        };
        work(&mut self.reactor, &mut batch)
    }

    fn set_busy(&self, busy: bool) {
        self.rows.part(0, 4).copy_from_slice(&u32::from(busy).to_ne_bytes());
    }
}

fn with_native<T>(work: impl FnOnce(&mut Native) -> T) -> Result<T> {
    NATIVE.with_borrow_mut(|native| {
        native.as_mut().map(work).ok_or_else(|| Error::new(Status::GenericFailure, "no socket was taken over"))
    })
}

/// Prepares this environment for sockets to be taken over. False where that is not possible.
///
/// `slab` and `rows` are memory for the batches. `dispatch(count, values)` is called with each batch, and again as long
/// as it returns true; what it throws is an uncaught exception, after which it is called again.
#[napi(catch_unwind)]
pub fn native_start(env: Env, slab: Buffer, rows: Buffer, dispatch: Function<'_, (), bool>) -> Result<bool> {
    if NATIVE.with_borrow(Option::is_some) {
        return Ok(false);
    }
    let Some(uv) = Uv::find() else { return Ok(false) };
    if slab.len() < READ_LEN || rows.len() < (3 * ROWS_OF_A_READ + 1) * ROW_LEN {
        return Err(Error::new(Status::InvalidArg, "slab or rows are too small for a batch"));
    }
    let Ok(event_loop) = env.get_uv_event_loop() else { return Ok(false) };
    let Ok(reactor) = Reactor::new() else { return Ok(false) };
    let Ok(watch) = Watch::start(uv, event_loop.cast(), reactor.as_raw_fd(), on_ready) else { return Ok(false) };
    let native = Native {
        env: env.raw(),
        reactor,
        watch,
        dispatch: dispatch.create_ref()?,
        slab: Memory::new(slab),
        slab_used: 0,
        rows: Memory::new(rows),
        row_count: 0,
    };
    native.set_busy(false);
    NATIVE.set(Some(native));
    // SAFETY: the environment is the one of this call; the hook takes no argument.
    let status =
        unsafe { sys::napi_add_async_cleanup_hook(env.raw(), Some(on_exit), ptr::null_mut(), ptr::null_mut()) };
    if status == sys::Status::napi_ok { Ok(true) } else { Err(Error::new(Status::from(status), "no cleanup hook")) }
}

/// The loop says that sockets are ready.
unsafe extern "C" fn on_ready(_: Handle, _: c_int, _: c_int) {
    // A panic must not reach libuv. Its message was printed; the next wake-up goes on.
    let _ = catch_unwind(|| {
        let Ok(env) = with_native(|native| native.env) else { return };
        let mut scope = ptr::null_mut();
        // SAFETY: the environment is alive, since its loop has called.
        if unsafe { sys::napi_open_handle_scope(env, &raw mut scope) } != sys::Status::napi_ok {
            return;
        }
        let _ = catch_unwind(AssertUnwindSafe(|| drive(&Env::from_raw(env))));
        // SAFETY: the scope was opened above.
        unsafe { sys::napi_close_handle_scope(env, scope) };
    });
}

/// Reads, hands over, writes; again until all that was ready has been handled.
fn drive(env: &Env) {
    let mut finished = false;
    while !finished {
        let Ok(mut values) = env.create_array(0) else { return };
        let turn = with_native(|native| {
            native.set_busy(true);
            native.with_batch(env, values, |reactor, batch| reactor.turn(batch))
        });
        finished = !matches!(turn, Ok(Ok(false)));
        deliver(env, &values);
        // What was sent meanwhile; its consequences are events again.
        let Ok(empty) = env.create_array(0) else { return };
        values = empty;
        let _ = with_native(|native| native.with_batch(env, values, |reactor, batch| reactor.flush(batch)));
        deliver(env, &values);
        let _ = with_native(|native| native.set_busy(false));
    }
}

/// Has JavaScript take all rows there are.
fn deliver(env: &Env, values: &Array<'_>) {
    let Ok(count) = with_native(|native| native.row_count) else { return };
    while count > 0 && call_dispatch(env, count, values) {}
    let _ = with_native(|native| {
        native.row_count = 0;
        native.slab_used = 0;
    });
}

/// Calls into JavaScript, as an event of the loop: ticks and promise reactions run when it returns. True when it has
/// to be called again.
fn call_dispatch(env: &Env, count: usize, values: &Array<'_>) -> bool {
    let Ok(Ok(function)) = with_native(|native| native.dispatch.borrow_back(env).map(|function| function.raw())) else {
        return false;
    };
    let Ok(count) = env.create_uint32(count as u32) else { return false };
    let Ok(global) = env.get_global() else { return false };
    let arguments = [count.raw(), values.raw()];
    let mut result = ptr::null_mut();
    // SAFETY: all values belong to the handle scope that is open; no async context means the root one.
    let status = unsafe {
        sys::napi_make_callback(
            env.raw(),
            ptr::null_mut(),
            global.raw(),
            function,
            arguments.len(),
            arguments.as_ptr(),
            &raw mut result,
        )
    };
    if status == sys::Status::napi_ok {
        let mut again = false;
        // SAFETY: the call has succeeded, so `result` is a value.
        return unsafe { sys::napi_get_value_bool(env.raw(), result, &raw mut again) } == sys::Status::napi_ok && again;
    }
    let mut exception = ptr::null_mut();
    // SAFETY: the environment is alive; without an exception the call gives undefined.
    let status = unsafe { sys::napi_get_and_clear_last_exception(env.raw(), &raw mut exception) };
    // SAFETY: `exception` is a value if the call has succeeded. Ends the process unless the program handles it.
    status == sys::Status::napi_ok && unsafe { sys::napi_fatal_exception(env.raw(), exception) } == sys::Status::napi_ok
}

/// The environment ends: closes all sockets, and has the loop forget the watch before it is closed itself.
unsafe extern "C" fn on_exit(hook: sys::napi_async_cleanup_hook_handle, _: *mut c_void) {
    thread_local! {
        static HOOK: RefCell<sys::napi_async_cleanup_hook_handle> = const { RefCell::new(ptr::null_mut()) };
    }
    unsafe extern "C" fn closed(handle: Handle) {
        // SAFETY: called by the loop with the closed handle.
        unsafe { Watch::free(handle) };
        let hook = HOOK.replace(ptr::null_mut());
        // SAFETY: the handle the hook was called with, removed once.
        unsafe { sys::napi_remove_async_cleanup_hook(hook) };
    }
    HOOK.set(hook);
    let native = NATIVE.take();
    if let Some(native) = native {
        let Native { watch, reactor, dispatch, slab, rows, .. } = native;
        // References die with the environment, which is past taking them back.
        std::mem::forget((dispatch, slab, rows));
        watch.close(closed);
        drop(reactor);
    } else {
        // SAFETY: as above.
        unsafe { sys::napi_remove_async_cleanup_hook(hook) };
    }
}

/// Takes a connected socket over; returns the id of the connection, or -1 when that is not possible. `early` is what
/// was read from the socket before; `mask` as for `createReceiver`.
#[napi(catch_unwind)]
pub fn native_add(
    fd: i32,
    mask: u32,
    max_frame_size: f64,
    max_message_size: f64,
    assemble: bool,
    early: &[u8],
) -> Result<i64> {
    if fd < 0 {
        return Ok(-1);
    }
    with_native(|native| {
        // SAFETY: the descriptor of a socket that is open, as the caller has seen; it is duplicated at once.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        let config = config(mask, max_frame_size, max_message_size, assemble);
        native.reactor.add(fd, config, early).map_or(-1, |id| i64::from(id.raw()))
    })
}

/// Lets go of a connection and closes its descriptor. What waited to be written is lost.
#[napi(catch_unwind)]
pub fn native_remove(id: u32) -> Result<bool> {
    with_native(|native| native.reactor.remove(Id::from_raw(id)))
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

/// Lets go of a connection, so that somebody else can go on with it; `null` when it is gone.
#[napi(catch_unwind)]
pub fn native_release(id: u32) -> Result<Option<Released>> {
    with_native(|native| {
        let (receiver, unread, unsent) = native.reactor.release(Id::from_raw(id))?;
        Some(Released { receiver: add_receiver(receiver), unread: unread.into(), unsent: unsent.to_vec().into() })
    })
}

/// Stops reading from a connection, or goes on.
#[napi(catch_unwind)]
pub fn native_pause(id: u32, paused: bool) -> Result<()> {
    with_native(|native| native.reactor.pause(Id::from_raw(id), paused))
}

/// Changes limits and mode of a connection; they hold from the next frame on.
#[napi(catch_unwind)]
pub fn native_configure(id: u32, max_frame_size: f64, max_message_size: f64, assemble: bool) -> Result<()> {
    let (frame, message) = (limit(max_frame_size), limit(max_message_size));
    with_native(|native| native.reactor.configure(Id::from_raw(id), frame, message, assemble))
}

/// Whether connections keep the process alive.
#[napi(catch_unwind)]
pub fn native_keep_alive(alive: bool) -> Result<()> {
    with_native(|native| native.watch.keep_alive(alive))
}

/// Asks for a `DRAINED` row when all that waits for a connection has been written.
#[napi(catch_unwind)]
pub fn native_notify(id: u32) -> Result<()> {
    with_native(|native| native.reactor.notify(Id::from_raw(id)))
}

/// Bytes that wait to be written, bytes read, bytes written; `null` for a connection that is gone.
#[napi(catch_unwind)]
pub fn native_counters(id: u32) -> Result<Option<Vec<f64>>> {
    with_native(|native| {
        let (waiting, read, written) = native.reactor.counters(Id::from_raw(id))?;
        Some(vec![waiting as f64, read as f64, written as f64])
    })
}

/// The number of connections that were taken over, for tests of leaks.
#[napi(catch_unwind)]
pub fn native_count() -> u32 {
    NATIVE.with_borrow(|native| native.as_ref().map_or(0, |native| native.reactor.len() as u32))
}

/// Writes what was sent since the last batch; rows that come of it are delivered with the next.
#[napi(catch_unwind)]
pub fn native_flush(env: &Env) -> Result<()> {
    let values = env.create_array(0)?;
    with_native(|native| {
        native.with_batch(env, values, |reactor, batch| reactor.flush(batch));
        if native.row_count > 0 {
            native.reactor.wake();
        }
    })
}

/// Writes what waits for one connection, and returns how many bytes still wait then.
#[napi(catch_unwind)]
pub fn native_flush_one(env: &Env, id: u32) -> Result<u32> {
    let id = Id::from_raw(id);
    let values = env.create_array(0)?;
    with_native(|native| {
        native.with_batch(env, values, |reactor, batch| reactor.flush_one(id, batch));
        if native.row_count > 0 {
            native.reactor.wake();
        }
        native.reactor.counters(id).map_or(GONE, |(waiting, _, _)| waiting as u32)
    })
}

/// Lends memory for strings on their way out.
pub(super) fn with_scratch<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    SCRATCH.with_borrow_mut(|scratch| work(scratch))
}

/// Encodes a message into the outbox of a connection and returns how many bytes wait there, or [`GONE`].
pub(super) fn send_message(id: u32, opcode_bits: u32, payload: &[u8], threshold: u32, masked: bool) -> u32 {
    let opcode = OpCode::from_bits(opcode_bits as u8).unwrap_or(OpCode::Binary);
    let threshold = Some(threshold as usize);
    let write =
        |out: &mut BytesMut| encoder::put_message(out, opcode, payload, threshold, || masked.then(next_key), |_| {});
    NATIVE.with_borrow_mut(|native| {
        let waiting = native.as_mut().and_then(|native| native.reactor.send(Id::from_raw(id), write));
        waiting.map_or(GONE, |waiting| waiting as u32)
    })
}

/// Sends a control frame.
#[napi(catch_unwind)]
pub fn native_send_control(id: u32, opcode_bits: u32, payload: &[u8], masked: bool) -> Result<u32> {
    let header =
        FrameHeader { fin: true, rsv: 0, opcode: opcode(opcode_bits)?, mask: masked.then(next_key), len: 0 };
    append(id, |out| encoder::put_frame(out, header, payload))
}

/// Sends bytes as they are: frames that the program has made.
#[napi(catch_unwind)]
pub fn native_send_raw(id: u32, bytes: BufferSlice<'_>) -> Result<u32> {
    append(id, |out| out.extend_from_slice(&bytes))
}

fn append(id: u32, write: impl FnOnce(&mut BytesMut)) -> Result<u32> {
    with_native(|native| native.reactor.send(Id::from_raw(id), write).map_or(GONE, |waiting| waiting as u32))
}
