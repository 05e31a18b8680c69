//! The little of libuv that is needed to have Node's event loop watch a file descriptor.
//!
//! The symbols are looked up at run time: where the runtime has no libuv (Bun, Deno), the addon still loads, and
//! sockets stay with the runtime.

#![expect(unsafe_code, reason = "libuv is C")]

use std::ffi::{c_int, c_void};
use std::os::fd::RawFd;

use libloading::os::unix::Library;

/// `uv_loop_t`.
pub(super) type Loop = *mut c_void;
/// `uv_poll_t`, and `uv_handle_t`, its first member.
pub(super) type Handle = *mut c_void;
/// `uv_poll_cb`.
pub(super) type PollCallback = unsafe extern "C" fn(handle: Handle, status: c_int, events: c_int);
/// `uv_close_cb`.
pub(super) type CloseCallback = unsafe extern "C" fn(handle: Handle);

/// `UV_POLL` of `uv_handle_type`.
const HANDLE_TYPE_POLL: c_int = 8;
/// `UV_READABLE` of `uv_poll_event`.
const READABLE: c_int = 1;

/// `UV_ENOMEM`, for a handle that is larger than the memory set aside for it.
const OUT_OF_MEMORY: c_int = -12;

/// Room for a `uv_poll_t`, which has about 160 bytes, aligned as strictly as any of its members can ask for.
#[derive(Default)]
#[repr(align(16))]
struct Memory {
    _bytes: [[u64; 32]; 4],
}

/// Functions of libuv.
#[derive(Clone, Copy)]
pub(super) struct Uv {
    handle_size: unsafe extern "C" fn(c_int) -> usize,
    poll_init: unsafe extern "C" fn(Loop, Handle, c_int) -> c_int,
    poll_start: unsafe extern "C" fn(Handle, c_int, PollCallback) -> c_int,
    poll_stop: unsafe extern "C" fn(Handle) -> c_int,
    close: unsafe extern "C" fn(Handle, Option<CloseCallback>),
    reference: unsafe extern "C" fn(Handle),
    unreference: unsafe extern "C" fn(Handle),
}

impl Uv {
    /// The functions of the libuv in this process; `None` when there is none.
    pub(super) fn find() -> Option<Self> {
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
            close: symbol!("uv_close"),
            reference: symbol!("uv_ref"),
            unreference: symbol!("uv_unref"),
        })
    }
}

/// A file descriptor watched by an event loop. Does not keep the process alive until told to.
pub(super) struct Watch {
    uv: Uv,
    /// Memory of the `uv_poll_t`, owned by libuv until its close callback.
    handle: Handle,
}

impl Watch {
    /// Has `event_loop` call `callback` whenever `fd` is readable.
    ///
    /// # Errors
    /// The (negative) error number of libuv.
    pub(super) fn start(uv: Uv, event_loop: Loop, fd: RawFd, callback: PollCallback) -> Result<Self, c_int> {
        // SAFETY: takes any type of handle and has no other precondition.
        let size = unsafe { (uv.handle_size)(HANDLE_TYPE_POLL) };
        if size > size_of::<Memory>() {
            return Err(OUT_OF_MEMORY);
        }
        let handle = Box::into_raw(Box::<Memory>::default()).cast::<c_void>();
        // SAFETY: the loop is the one of this thread, and the memory is large enough for a `uv_poll_t`.
        let status = unsafe { (uv.poll_init)(event_loop, handle, fd) };
        if status != 0 {
            // SAFETY: the loop has not taken the handle; this is the memory allocated above.
            unsafe { Self::free(handle) };
            return Err(status);
        }
        let watch = Self { uv, handle };
        // SAFETY: the handle was initialised above.
        unsafe { (uv.unreference)(handle) };
        // SAFETY: the handle was initialised above; the callback lives as long as the addon.
        let status = unsafe { (uv.poll_start)(handle, READABLE, callback) };
        if status == 0 {
            return Ok(watch);
        }
        unsafe extern "C" fn forget(handle: Handle) {
            // SAFETY: called by the loop with the closed handle.
            unsafe { Watch::free(handle) };
        }
        watch.close(forget);
        Err(status)
    }

    /// Whether the watch keeps the process alive.
    pub(super) fn keep_alive(&self, alive: bool) {
        let change = if alive { self.uv.reference } else { self.uv.unreference };
        // SAFETY: the handle is initialised and not closed.
        unsafe { change(self.handle) };
    }

    /// Ends the watch. `callback` is called when the loop has let go of it, and has to call [`Watch::free`].
    pub(super) fn close(self, callback: CloseCallback) {
        // SAFETY: the handle is initialised and not closed.
        unsafe { (self.uv.poll_stop)(self.handle) };
        // SAFETY: the handle is initialised and not closed; it is not used any more but by the callback.
        unsafe { (self.uv.close)(self.handle, Some(callback)) };
    }

    /// Frees the memory of a closed watch.
    ///
    /// # Safety
    /// `handle` must be the one that a callback passed to [`Watch::close`] was called with.
    pub(super) unsafe fn free(handle: Handle) {
        // SAFETY: allocated by `start`, and no loop knows it any more.
        drop(unsafe { Box::from_raw(handle.cast::<Memory>()) });
    }
}
