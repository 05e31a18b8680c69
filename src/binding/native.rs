//! Sockets taken over from Node: the state of this environment, and how batches reach JavaScript.
//!
//! A wake-up reads what is there, for all connections; the events are handed over in one call, as rows (see `rows`). What
//! the program sends meanwhile is encoded at once and written when the batch is over: one write for each connection.
//! Either Node's event loop drives the reactor, or a worker does and the JavaScript thread takes its batches.
//!
//! The row at the very beginning is no event: its numbers say whether a batch is under way, who drives, and which batch it is.

#![expect(unsafe_code, reason = "N-API is C, and slab and rows are memory that JavaScript owns")]

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::{Bytes, BytesMut};
use napi::bindgen_prelude::{Buffer, FunctionRef, ObjectRef};
use napi::{Env, JsValue, sys};

use super::rows::RowWriter;
use super::uv::{self, Handle, Wake, Watch};
use crate::transport::batch::Batch;
use crate::transport::exchange::Exchange;
use crate::transport::policy::{Driver, Policy};
use crate::transport::reactor::{Id, Reactor, Space};
use crate::transport::socket::Counters;
use crate::transport::worker;

thread_local! {
    // Of this thread, and so of this JavaScript environment: a worker has a thread of its own.
    static NATIVE: RefCell<Option<Native>> = const { RefCell::new(None) };
}

/// The state of this environment.
pub(super) struct Native {
    pub(super) env: sys::napi_env,
    pub(super) exchange: Arc<Exchange>,
    pub(super) policy: Policy,
    pub(super) watch: Watch,
    pub(super) wake: Wake,
    pub(super) dispatch: FunctionRef<(), bool>,
    /// The async resource, and the receiver, of calls to `dispatch`.
    pub(super) resource: ObjectRef<false>,
    pub(super) lent: Lent,
    /// By place of the id.
    pub(super) places: Vec<Option<Place>>,
    pub(super) count: u32,
    /// The number of the batch under way, by which JavaScript knows one that it has taken already: the call that has
    /// taken it may seem to have failed, when a tick has thrown after it.
    pub(super) batch: u32,
    /// An empty batch whose memory is used again.
    pub(super) spare: Batch,
}

/// What the JavaScript thread knows of a connection.
pub(super) struct Place {
    pub(super) id: Id,
    pub(super) counters: Arc<Counters>,
    /// Bytes that were sent so far, written or not.
    pub(super) sent: u64,
}

/// Memory that JavaScript has lent for as long as the environment lives.
#[derive(Clone)]
pub(super) struct Lent {
    pub(super) slab: Rc<Memory>,
    pub(super) rows: Rc<Memory>,
    /// Rows that are filled and not delivered.
    pub(super) row_count: Rc<Cell<usize>>,
}

/// Memory of a Buffer that a reference keeps alive.
pub(super) struct Memory {
    start: *mut u8,
    len: usize,
    /// Its reference dies with the environment, which is past taking it back when this is dropped.
    _buffer: ManuallyDrop<Buffer>,
}

impl Memory {
    pub(super) fn new(mut buffer: Buffer) -> Self {
        Self { start: buffer.as_mut_ptr(), len: buffer.len(), _buffer: ManuallyDrop::new(buffer) }
    }

    pub(super) fn address(&self) -> usize {
        self.start as usize
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Lends the part that begins at `start` and is `len` bytes long to `work`, which must not ask for another part
    /// that overlaps it, nor call into JavaScript.
    pub(super) fn with_part<T>(&self, start: usize, len: usize, work: impl FnOnce(&mut [u8]) -> T) -> T {
        assert!(start + len <= self.len, "memory lent by JavaScript is used within its bounds");
        // SAFETY: within the bounds, as was checked.
        let start = unsafe { self.start.add(start) };
        // SAFETY: the Buffer is alive, initialised memory, and nobody else uses this part meanwhile, as `work` promises.
        work(unsafe { std::slice::from_raw_parts_mut(start, len) })
    }
}

impl Native {
    fn set_header(&self, index: usize, value: u32) {
        self.lent.rows.with_part(index * 4, 4, |part| part.copy_from_slice(&value.to_ne_bytes()));
    }

    fn set_busy(&self, busy: bool) {
        self.set_header(0, u32::from(busy));
    }

    pub(super) fn show_driver(&self) {
        self.set_header(1, u32::from(self.driver() == Driver::Worker));
    }

    fn driver(&self) -> Driver {
        if self.exchange.is_worker_driven() { Driver::Worker } else { Driver::Loop }
    }

    /// Works on the reactor, whoever drives it.
    pub(super) fn with_reactor<T>(&self, work: impl FnOnce(&mut Reactor) -> T) -> Option<T> {
        self.exchange.with_reactor(work)
    }

    /// Takes a connection among those that can be sent to.
    pub(super) fn know(&mut self, place: Place) {
        let index = place.id.place();
        if self.places.len() <= index {
            self.places.resize_with(index + 1, || None);
        }
        self.count += u32::from(self.places[index].replace(place).is_none());
    }

    fn place(&mut self, id: Id) -> Option<&mut Place> {
        self.places.get_mut(id.place())?.as_mut().filter(|place| place.id == id)
    }

    /// Lets `write` append frames for a connection, and returns how many bytes wait for it then; `None` when the
    /// connection is gone.
    pub(super) fn send(&mut self, id: Id, write: impl FnOnce(&mut BytesMut)) -> Option<u64> {
        self.place(id)?;
        let mut len = 0;
        let counting = |out: &mut BytesMut| {
            let before = out.len();
            write(out);
            len = (out.len() - before) as u64;
        };
        self.exchange.send(id, counting);
        let place = self.place(id)?;
        place.sent += len;
        Some(place.waiting())
    }

    /// Sends a large message, whose pieces are `len` bytes together; otherwise like [`Native::send`].
    pub(super) fn send_large<'p>(
        &mut self,
        id: Id,
        pieces: impl Iterator<Item = &'p [u8]>,
        len: usize,
    ) -> Option<u64> {
        self.place(id)?;
        self.exchange.send_large(id, pieces, len);
        let place = self.place(id)?;
        place.sent += len as u64;
        Some(place.waiting())
    }

    /// Sends the same frames to many connections, and passes on how many bytes wait for each of them then (`None` for
    /// those that are gone).
    pub(super) fn broadcast(
        &mut self,
        ids: Vec<Id>,
        frames: Bytes,
        mut waiting: impl FnMut(usize, Option<u64>),
    ) {
        let len = frames.len() as u64;
        for (index, &id) in ids.iter().enumerate() {
            let place = self.place(id);
            waiting(
                index,
                place.map(|place| {
                    place.sent += len;
                    place.waiting()
                }),
            );
        }
        self.exchange.broadcast(ids, frames);
    }

    /// Bytes that wait to be written, bytes read, bytes written, frames received, bytes of compressed messages received.
    pub(super) fn counters(&mut self, id: Id) -> Option<[u64; 5]> {
        let place = self.place(id)?;
        let counters = &place.counters;
        let [read, written, frames, compressed] =
            [&counters.read, &counters.written, &counters.frames, &counters.compressed]
                .map(|counter| counter.load(Relaxed));
        Some([place.waiting(), read, written, frames, compressed])
    }

    /// Hands the reactor to a worker. It stays where it is when there is none to be had.
    fn give_to_worker(&mut self) {
        let Some(Ok(set)) = self.with_reactor(|reactor| reactor.duplicate_fd()) else { return };
        self.watch.stop();
        // The runtime's threads are in the addon's code: it must not be unloaded when its last environment ends.
        napi::bindgen_prelude::retain_current_module_for_unload_safety();
        self.exchange.give_to_worker();
        if worker::start(Arc::clone(&self.exchange), set).is_err() {
            self.exchange.worker_is_gone();
            self.take_from_worker();
        }
        self.show_driver();
    }

    /// Takes the reactor from the worker, and returns what the worker has read last, to be delivered first.
    fn take_from_worker(&mut self) -> Batch {
        self.exchange.take_from_worker();
        let last = self.exchange.take_incoming(Batch::default());
        // What became ready while nobody was looking.
        self.with_reactor(|reactor| reactor.wake());
        // It was started before on the same descriptor.
        let _ = self.watch.start(on_ready);
        self.show_driver();
        last
    }
}

impl Place {
    fn waiting(&self) -> u64 {
        self.sent.saturating_sub(self.counters.written.load(Relaxed))
    }
}

/// Works with the state of this environment; `None` before there is any, and after its end.
pub(super) fn with_native<T>(work: impl FnOnce(&mut Native) -> T) -> Option<T> {
    NATIVE.with_borrow_mut(|native| native.as_mut().map(work))
}

/// Begins: the reactor is driven by the loop.
///
/// # Errors
/// The (negative) error number of libuv.
pub(super) fn begin(native: Native) -> Result<(), c_int> {
    native.watch.start(on_ready)?;
    native.set_busy(false);
    native.show_driver();
    NATIVE.set(Some(native));
    Ok(())
}

/// Calls `work` as an event of the loop: in a handle scope, panics caught.
fn as_event(work: impl FnOnce(&Env)) {
    // A panic must not reach libuv. Its message was printed; the next wake-up goes on.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let Some(env) = with_native(|native| native.env) else { return };
        let mut scope = ptr::null_mut();
        // SAFETY: the environment is alive, since its loop has called.
        if unsafe { sys::napi_open_handle_scope(env, &raw mut scope) } != sys::Status::napi_ok {
            return;
        }
        let _ = catch_unwind(AssertUnwindSafe(|| work(&Env::from_raw(env))));
        // SAFETY: the scope was opened above.
        unsafe { sys::napi_close_handle_scope(env, scope) };
    }));
}

/// The loop says that sockets are ready.
unsafe extern "C" fn on_ready(_: Handle, _: c_int, _: c_int) {
    as_event(drive);
}

/// Reads, hands over, writes; again until all that was ready has been handled.
fn drive(env: &Env) {
    let Some(mut writer) = with_native(|native| RowWriter::new(env, native.lent.clone())) else {
        return;
    };
    let mut served = 0;
    loop {
        let finished = with_native(|native| {
            if native.driver() == Driver::Worker {
                return true;
            }
            let slab = Rc::clone(&native.lent.slab);
            let turn = slab.with_part(0, slab.len(), |memory| {
                native.with_reactor(|reactor| reactor.turn(&mut Space::kept(memory), &mut writer))
            });
            native.set_busy(true);
            turn.and_then(Result::ok).is_none_or(|turn| {
                served += turn.served;
                turn.finished
            })
        });
        deliver(env, &mut writer);
        answer(env, &mut writer);
        if finished != Some(false) {
            break;
        }
    }
    let _ = with_native(|native| {
        if native.policy.decide(native.driver(), served, 1) == Driver::Worker {
            native.give_to_worker();
        }
    });
}

/// The worker says that it has read something, or the task that writes behind that something has come of it.
unsafe extern "C" fn on_wake(_: Handle) {
    as_event(take_batches);
}

/// The callback for [`Wake::new`].
pub(super) const ON_WAKE: uv::AsyncCallback = on_wake;

/// Hands over what has happened on other threads. One batch only: what comes meanwhile wakes the loop again, and timers
/// and other sockets have their turn before it.
fn take_batches(env: &Env) {
    let Some(mut writer) = with_native(|native| RowWriter::new(env, native.lent.clone())) else {
        return;
    };
    let spare = with_native(|native| std::mem::take(&mut native.spare)).unwrap_or_default();
    let Some(mut batch) = with_native(|native| native.exchange.take_incoming(spare)) else { return };
    if batch.is_empty() {
        return;
    }
    let (served, turns) = (batch.served, batch.turns);
    hand_over(env, &mut writer, &mut batch);
    let _ = with_native(|native| native.spare = batch);
    let wanted = with_native(|native| native.policy.decide(native.driver(), served, turns));
    if wanted == Some(Driver::Loop)
        && with_native(|native| native.driver()) == Some(Driver::Worker)
        && let Some(mut last) = with_native(Native::take_from_worker)
    {
        hand_over(env, &mut writer, &mut last);
    }
}

/// Has JavaScript take a batch of the worker, and sends what it answers.
fn hand_over<'e>(env: &'e Env, writer: &mut RowWriter<'e>, batch: &mut Batch) {
    let _ = with_native(|native| native.set_busy(true));
    batch.drain(|id, happening| {
        if !writer.has_room_for(&happening) {
            deliver(env, writer);
        }
        writer.take_from_worker(id, happening);
    });
    deliver(env, writer);
    answer(env, writer);
}

/// Writes what was sent meanwhile. Its consequences are events again, whose listeners may send something again.
fn answer<'e>(env: &'e Env, writer: &mut RowWriter<'e>) {
    loop {
        let _ = with_native(|native| native.exchange.flush(writer));
        if writer.count() == 0 {
            break;
        }
        deliver(env, writer);
    }
    let _ = with_native(|native| native.set_busy(false));
}

/// Has JavaScript take all rows there are.
fn deliver<'e>(env: &'e Env, writer: &mut RowWriter<'e>) {
    let count = writer.count();
    if count > 0 {
        let _ = dispatch(env, count, writer.values());
    }
    writer.clear();
}

/// Calls into JavaScript until it has taken `count` rows: one call as a rule, at whose end ticks and promise reactions run.
/// JavaScript asks for another by returning true.
fn dispatch(env: &Env, count: usize, values: &[sys::napi_value]) -> napi::Result<()> {
    let function = with_native(|native| native.dispatch.borrow_back(env).map(|function| function.raw()));
    let Some(function) = function.transpose()? else { return Ok(()) };
    let _ = with_native(|native| {
        native.batch = native.batch.wrapping_add(1);
        native.set_header(2, native.batch);
    });
    let spread = values.len() <= MAX_ARGUMENTS;
    let _ = with_native(|native| native.set_header(3, u32::from(spread)));
    let mut arguments = Vec::with_capacity(1 + values.len().min(MAX_ARGUMENTS));
    arguments.push(env.create_uint32(count as u32)?.raw());
    if spread {
        arguments.extend_from_slice(values);
    } else {
        arguments.push(array_of(env, values)?);
    }
    loop {
        let resource = with_native(|native| native.resource.get_value(env).map(|value| value.raw()));
        let Some(resource) = resource.transpose()? else { return Ok(()) };
        let mut result = ptr::null_mut();
        // SAFETY: all values belong to the handle scope that is open; no async context means the root one.
        let status = unsafe {
            sys::napi_make_callback(
                env.raw(),
                ptr::null_mut(),
                resource,
                function,
                arguments.len(),
                arguments.as_ptr(),
                &raw mut result,
            )
        };
        if status == sys::Status::napi_ok {
            let mut again = false;
            // SAFETY: the call has succeeded, so `result` is a value.
            napi::check_status!(unsafe { sys::napi_get_value_bool(env.raw(), result, &raw mut again) })?;
            if !again {
                return Ok(());
            }
            continue;
        }
        let mut exception = ptr::null_mut();
        // SAFETY: the environment is alive; without an exception the call gives undefined.
        napi::check_status!(unsafe {
            sys::napi_get_and_clear_last_exception(env.raw(), &raw mut exception)
        })?;
        report(env.raw(), exception)?;
    }
}

/// Values that become arguments of the call; more of them become an array.
const MAX_ARGUMENTS: usize = 1024;

fn array_of(env: &Env, values: &[sys::napi_value]) -> napi::Result<sys::napi_value> {
    let mut array = ptr::null_mut();
    // SAFETY: the environment is alive, and a handle scope is open.
    napi::check_status!(unsafe {
        sys::napi_create_array_with_length(env.raw(), values.len(), &raw mut array)
    })?;
    for (index, &value) in values.iter().enumerate() {
        // SAFETY: both are values of that handle scope.
        napi::check_status!(unsafe { sys::napi_set_element(env.raw(), array, index as u32, value) })?;
    }
    Ok(array)
}

/// Makes an exception an uncaught one: ends the process unless the program handles it.
pub(super) fn report(env: sys::napi_env, exception: sys::napi_value) -> napi::Result<()> {
    // SAFETY: the environment is alive, and `exception` a value of the handle scope that is open.
    napi::check_status!(unsafe { sys::napi_fatal_exception(env, exception) })
}

/// The environment ends: closes all sockets, and has the loop forget its handles before it is closed itself.
pub(super) unsafe extern "C" fn on_exit(hook: sys::napi_async_cleanup_hook_handle, _: *mut c_void) {
    thread_local! {
        static HOOK: Cell<sys::napi_async_cleanup_hook_handle> = const { Cell::new(ptr::null_mut()) };
        static OPEN: Cell<u32> = const { Cell::new(2) };
    }
    unsafe extern "C" fn closed(handle: Handle) {
        // SAFETY: called by the loop with the closed handle.
        unsafe { uv::free(handle) };
        OPEN.set(OPEN.get() - 1);
        if OPEN.get() == 0 {
            // SAFETY: the handle the hook was called with, removed once.
            unsafe { sys::napi_remove_async_cleanup_hook(HOOK.replace(ptr::null_mut())) };
        }
    }
    let Some(native) = NATIVE.take() else {
        // SAFETY: the handle the hook was called with, removed once.
        unsafe { sys::napi_remove_async_cleanup_hook(hook) };
        return;
    };
    HOOK.set(hook);
    let reactor = native.exchange.end();
    let Native { watch, wake, dispatch, resource, lent, .. } = native;
    // References die with the environment, which is past taking them back.
    std::mem::forget((dispatch, resource));
    drop(lent);
    watch.close(closed);
    wake.close(closed);
    drop(reactor);
}
