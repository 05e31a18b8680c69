//! The little of libuv that is needed to have Node's event loop watch a file descriptor.
//!
//! The symbols are looked up at run time: where the runtime has no libuv (Bun, Deno), the addon still loads, and
//! sockets stay with the runtime.

#![expect(unsafe_code, reason = "libuv is C")]

use std::ffi::{c_int, c_void};
use std::os::fd::RawFd;

use libloading::os::unix::Library;

/// `uv_loop_t`.
pub(in crate::binding) type Loop = *mut c_void;
/// `uv_poll_t`, and `uv_handle_t`, its first member.
pub(in crate::binding) type Handle = *mut c_void;
/// `uv_poll_cb`.
pub(in crate::binding) type PollCallback = unsafe extern "C" fn(handle: Handle, status: c_int, events: c_int);
/// `uv_async_cb` and `uv_idle_cb`.
pub(in crate::binding) type AsyncCallback = unsafe extern "C" fn(handle: Handle);
/// `uv_close_cb`.
pub(in crate::binding) type CloseCallback = unsafe extern "C" fn(handle: Handle);

/// `UV_ASYNC`, `UV_IDLE` and `UV_POLL` of `uv_handle_type`.
const HANDLE_TYPE_ASYNC: c_int = 1;
const HANDLE_TYPE_IDLE: c_int = 6;
const HANDLE_TYPE_POLL: c_int = 8;
/// `UV_READABLE` of `uv_poll_event`.
const READABLE: c_int = 1;

/// `UV_ENOMEM`, for a handle that is larger than the memory set aside for it.
const OUT_OF_MEMORY: c_int = -12;

/// Room for a `uv_poll_t` or a `uv_async_t`, which have about 160 bytes, aligned as strictly as any of its members can ask for.
#[derive(Default)]
#[repr(align(16))]
struct Memory {
    _bytes: [[u64; 32]; 4],
}

/// Functions of libuv.
#[derive(Clone, Copy)]
pub(in crate::binding) struct Uv {
    handle_size: unsafe extern "C" fn(c_int) -> usize,
    poll_init: unsafe extern "C" fn(Loop, Handle, c_int) -> c_int,
    poll_start: unsafe extern "C" fn(Handle, c_int, PollCallback) -> c_int,
    poll_stop: unsafe extern "C" fn(Handle) -> c_int,
    async_init: unsafe extern "C" fn(Loop, Handle, AsyncCallback) -> c_int,
    async_send: unsafe extern "C" fn(Handle) -> c_int,
    idle_init: unsafe extern "C" fn(Loop, Handle) -> c_int,
    idle_start: unsafe extern "C" fn(Handle, AsyncCallback) -> c_int,
    idle_stop: unsafe extern "C" fn(Handle) -> c_int,
    close: unsafe extern "C" fn(Handle, Option<CloseCallback>),
    reference: unsafe extern "C" fn(Handle),
    unreference: unsafe extern "C" fn(Handle),
}

impl Uv {
    /// The functions of the libuv in this process; `None` when there is none.
    pub(in crate::binding) fn find() -> Option<Self> {
        let process = Library::this();
        macro_rules! symbol {
            ($name:literal) => {{
                // SAFETY: the type of each field above is that of the function in libuv 1.x, whose ABI is stable.
                let symbol = unsafe { process.get(concat!($name, "\0").as_bytes()) };
                *symbol.ok()?
            }};
        }
        Some(Self {
            handle_size: symbol!("uv_handle_size"),
            poll_init: symbol!("uv_poll_init"),
            poll_start: symbol!("uv_poll_start"),
            poll_stop: symbol!("uv_poll_stop"),
            async_init: symbol!("uv_async_init"),
            async_send: symbol!("uv_async_send"),
            idle_init: symbol!("uv_idle_init"),
            idle_start: symbol!("uv_idle_start"),
            idle_stop: symbol!("uv_idle_stop"),
            close: symbol!("uv_close"),
            reference: symbol!("uv_ref"),
            unreference: symbol!("uv_unref"),
        })
    }
}

/// A handle of an event loop, in memory of its own. Does not keep the process alive until told to.
struct OwnedHandle {
    uv: Uv,
    handle: Handle,
}

impl OwnedHandle {
    /// Allocates a handle of a type and has `init` initialise it.
    fn new(uv: Uv, handle_type: c_int, init: impl FnOnce(Handle) -> c_int) -> Result<Self, c_int> {
        // SAFETY: takes any type of handle and has no other precondition.
        let size = unsafe { (uv.handle_size)(handle_type) };
        if size > size_of::<Memory>() {
            return Err(OUT_OF_MEMORY);
        }
        let handle = Box::into_raw(Box::<Memory>::default()).cast::<c_void>();
        let status = init(handle);
        if status != 0 {
            // SAFETY: the loop has not taken the handle; this is the memory allocated above.
            unsafe { free(handle) };
            return Err(status);
        }
        // SAFETY: the handle was initialised.
        unsafe { (uv.unreference)(handle) };
        Ok(Self { uv, handle })
    }

    /// Closes the handle. `callback` is called when the loop has let go of it, and has to call [`free`].
    fn close(self, callback: CloseCallback) {
        // SAFETY: the handle is initialised and not closed; it is not used any more but by the callback.
        unsafe { (self.uv.close)(self.handle, Some(callback)) };
    }
}

/// Frees the memory of a closed handle.
///
/// # Safety
/// `handle` must be the one that a close callback was called with.
pub(in crate::binding) unsafe fn free(handle: Handle) {
    // SAFETY: allocated by `OwnedHandle::new`, and no loop knows it any more.
    drop(unsafe { Box::from_raw(handle.cast::<Memory>()) });
}

/// A file descriptor that an event loop watches.
pub(in crate::binding) struct Watch(OwnedHandle);

impl Watch {
    /// A watch that is yet to be started.
    ///
    /// # Errors
    /// The (negative) error number of libuv.
    pub(in crate::binding) fn new(uv: Uv, event_loop: Loop, fd: RawFd) -> Result<Self, c_int> {
        // SAFETY: the loop is the one of this thread, and the memory is large enough for a `uv_poll_t`.
        OwnedHandle::new(uv, HANDLE_TYPE_POLL, |handle| unsafe { (uv.poll_init)(event_loop, handle, fd) })
            .map(Self)
    }

    /// Has the loop call `callback` whenever the descriptor is readable.
    ///
    /// # Errors
    /// The (negative) error number of libuv.
    pub(in crate::binding) fn start(&self, callback: PollCallback) -> Result<(), c_int> {
        let OwnedHandle { uv, handle } = self.0;
        // SAFETY: the handle is initialised and not closed; the callback lives as long as the addon.
        let status = unsafe { (uv.poll_start)(handle, READABLE, callback) };
        if status == 0 { Ok(()) } else { Err(status) }
    }

    /// Stops the calls.
    pub(in crate::binding) fn stop(&self) {
        // SAFETY: the handle is initialised and not closed.
        unsafe { (self.0.uv.poll_stop)(self.0.handle) };
    }

    /// Ends the watch; `callback` has to call [`free`].
    pub(in crate::binding) fn close(self, callback: CloseCallback) {
        self.stop();
        self.0.close(callback);
    }
}

/// Something that an event loop calls in every turn, without waiting for anything, while it is started. Does not keep the
/// process alive.
pub(in crate::binding) struct Idle(OwnedHandle);

impl Idle {
    /// One that is yet to be started.
    ///
    /// # Errors
    /// The (negative) error number of libuv.
    pub(in crate::binding) fn new(uv: Uv, event_loop: Loop) -> Result<Self, c_int> {
        // SAFETY: the loop is the one of this thread, and the memory is large enough for a `uv_idle_t`.
        OwnedHandle::new(uv, HANDLE_TYPE_IDLE, |handle| unsafe { (uv.idle_init)(event_loop, handle) })
            .map(Self)
    }

    /// Has the loop call `callback` in every turn. Does nothing when it does so already.
    pub(in crate::binding) fn start(&self, callback: AsyncCallback) {
        let OwnedHandle { uv, handle } = self.0;
        // SAFETY: the handle is initialised and not closed. It fails only without a callback.
        unsafe { (uv.idle_start)(handle, callback) };
    }

    /// Stops the calls. Does nothing when there are none.
    pub(in crate::binding) fn stop(&self) {
        // SAFETY: the handle is initialised and not closed.
        unsafe { (self.0.uv.idle_stop)(self.0.handle) };
    }

    /// Closes the handle; `callback` has to call [`free`].
    pub(in crate::binding) fn close(self, callback: CloseCallback) {
        self.0.close(callback);
    }
}

/// Something that other threads can wake an event loop with.
pub(in crate::binding) struct Wake(OwnedHandle);

impl Wake {
    /// Has `event_loop` call `callback` some time after [`Waker::wake`], once for several calls.
    ///
    /// # Errors
    /// The (negative) error number of libuv.
    pub(in crate::binding) fn new(uv: Uv, event_loop: Loop, callback: AsyncCallback) -> Result<Self, c_int> {
        // SAFETY: the loop is the one of this thread, and the memory is large enough for a `uv_async_t`.
        OwnedHandle::new(uv, HANDLE_TYPE_ASYNC, |handle| unsafe {
            (uv.async_init)(event_loop, handle, callback)
        })
        .map(Self)
    }

    /// Whether the handle keeps the process alive.
    pub(in crate::binding) fn keep_alive(&self, alive: bool) {
        let OwnedHandle { uv, handle } = self.0;
        let change = if alive { uv.reference } else { uv.unreference };
        // SAFETY: the handle is initialised and not closed.
        unsafe { change(handle) };
    }

    /// What other threads get. It must not be used after [`Wake::close`].
    pub(in crate::binding) fn waker(&self) -> Waker {
        let OwnedHandle { uv, handle } = self.0;
        Waker { uv, handle }
    }

    /// Closes the handle; `callback` has to call [`free`].
    pub(in crate::binding) fn close(self, callback: CloseCallback) {
        self.0.close(callback);
    }
}

/// Wakes an event loop from any thread.
pub(in crate::binding) struct Waker {
    uv: Uv,
    handle: Handle,
}

// SAFETY: `uv_async_send` is the one function of libuv that may be called on any thread.
unsafe impl Send for Waker {}
// SAFETY: as above; several threads may call it at the same time.
unsafe impl Sync for Waker {}

impl Waker {
    pub(in crate::binding) fn wake(&self) {
        // SAFETY: the handle is open, because whoever has a waker is gone before the handle is closed.
        unsafe { (self.uv.async_send)(self.handle) };
    }
}
