//! The beginning and the end of an environment.

#![expect(unsafe_code, reason = "N-API is C, and the read buffer is memory of JavaScript")]

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr;

use napi::bindgen_prelude::{Buffer, Function, Object};
use napi::{Env, Error, Result, Status, sys};
use napi_derive::napi;

use super::delivery;
use super::environment::{Environment, Parts, install, uninstall, with_environment};
use crate::binding::node::uv::{self, Handle, Idle, Uv, Wake, Watch};
use crate::binding::rows::row::ROW_LEN;
use crate::binding::rows::shared_memory::SharedMemory;
use crate::binding::rows::writer::MAX_ROWS;
use crate::transport::driver::policy::Policy;
use crate::transport::driver::runtime;
use crate::transport::driver::shared_reactor::SharedReactor;
use crate::transport::reactor::Reactor;
use crate::transport::reactor::inflation::Spawn;
use crate::transport::reactor::read_buffer::{READ_LEN, ring};

/// Prepares this environment for sockets to be taken over. False where that is not possible.
///
/// `slab` is memory to read into, `rows` memory for events. `dispatch(count, ...values)` is called with each portion of them,
/// and with a count of 0 to go on with the portion that it has. It returns 0 when all events were delivered, 1 to be called
/// again at once, 2 to be called again when others have had their turn. What it throws is an uncaught exception, after which
/// it is called again. `resource` is its receiver and async resource.
#[napi(catch_unwind, strict)]
pub fn native_start(
    env: Env,
    slab: Buffer,
    rows: Buffer,
    dispatch: Function<'_, (), u32>,
    resource: Object<'_>,
) -> Result<bool> {
    if with_environment(|_| ()).is_some() {
        return Ok(false);
    }
    let Some(uv) = Uv::find() else { return Ok(false) };
    let (Some(slab), Some(rows)) = (SharedMemory::new(slab), SharedMemory::new(rows)) else {
        return Err(too_small());
    };
    let ((start, len), (_, rows_len)) = (slab.parts(), rows.parts());
    if len < 2 * READ_LEN || !len.is_multiple_of(READ_LEN) || rows_len < (MAX_ROWS + 1) * ROW_LEN {
        return Err(too_small());
    }
    // The Buffer is kept alive by a reference that is never taken back.
    let _slab = ManuallyDrop::new(slab);
    // SAFETY: the memory of a Buffer that is kept alive, and that only this call gets; JavaScript reads what rows tell of.
    let (buffer, received) = unsafe { ring(start, len) };
    let Ok(event_loop) = env.get_uv_event_loop() else { return Ok(false) };
    let event_loop = event_loop.cast();
    let Ok(reactor) = Reactor::new(buffer, spawn()) else { return Ok(false) };
    let Ok(watch) = Watch::new(uv, event_loop, reactor.as_raw_fd()) else { return Ok(false) };
    let Ok(wake) = Wake::new(uv, event_loop, delivery::ON_WAKE) else { return Ok(false) };
    let Ok(idle) = Idle::new(uv, event_loop) else { return Ok(false) };
    if watch.start(delivery::ON_READY).is_err() {
        return Ok(false);
    }
    // The runtime's threads are in the addon's code: it must not be unloaded when its last environment ends.
    napi::bindgen_prelude::retain_current_module_for_unload_safety();
    let waker = wake.waker();
    let parallel = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    let mut environment = Environment::new(Parts {
        env: env.raw(),
        shared: SharedReactor::new(reactor, parallel, Box::new(move || waker.wake())),
        policy: Policy::new(parallel),
        watch,
        wake,
        idle,
        dispatch: dispatch.create_ref()?,
        resource: resource.create_ref()?,
        rows,
        received,
    });
    environment.set_in_turn(false);
    environment.show_driver();
    install(environment);
    // SAFETY: the environment is the one of this call; the hook takes no argument.
    let status = unsafe {
        sys::napi_add_async_cleanup_hook(env.raw(), Some(on_exit), ptr::null_mut(), ptr::null_mut())
    };
    if status == sys::Status::napi_ok {
        Ok(true)
    } else {
        Err(Error::new(Status::from(status), "no cleanup hook"))
    }
}

fn too_small() -> Error {
    Error::new(Status::InvalidArg, "slab or rows are too small")
}

/// Work that takes long is done by threads of the runtime; on the spot when there is none.
fn spawn() -> Spawn {
    Box::new(|work| match runtime::get() {
        Ok(runtime) => drop(runtime.spawn_blocking(work)),
        Err(_) => work(),
    })
}

/// The environment ends: closes all sockets, and has the loop forget its handles before it is closed itself.
unsafe extern "C" fn on_exit(hook: sys::napi_async_cleanup_hook_handle, _: *mut c_void) {
    thread_local! {
        // Of one environment at a time: another one on this thread begins after this one has ended.
        static HOOK: Cell<sys::napi_async_cleanup_hook_handle> = const { Cell::new(ptr::null_mut()) };
        static OPEN: Cell<u32> = const { Cell::new(0) };
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
    let Some(environment) = uninstall() else {
        // SAFETY: the handle the hook was called with, removed once.
        unsafe { sys::napi_remove_async_cleanup_hook(hook) };
        return;
    };
    HOOK.set(hook);
    OPEN.set(3);
    let reactor = environment.shared.end();
    let Environment { watch, wake, idle, dispatch, resource, .. } = environment;
    // References die with the environment, which is past taking them back.
    std::mem::forget((dispatch, resource));
    watch.close(closed);
    wake.close(closed);
    idle.close(closed);
    drop(reactor);
}
