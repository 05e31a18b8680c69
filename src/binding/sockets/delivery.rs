//! How events reach JavaScript.
//!
//! The loop calls when the set is ready, when another thread has published events, and, while something is left over, in
//! every turn of its own. Each call does the same: it reads (when the loop drives), delivers a portion of the queue and writes
//! what was sent meanwhile, until nothing is left or [`TURN`] has passed. Then timers, other handles and other sockets have
//! their turn. So no peer can keep the loop for itself.
//!
//! A portion is delivered in one call, as rows (see `rows`), in a handle scope of its own. JavaScript stops in the midst of it
//! when its time is over; the rows stay as they are until it has delivered all of them.
//!
//! The row at the very beginning is no event: its numbers say whether a turn is under way, and who drives.

#![expect(unsafe_code, reason = "N-API is C")]

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::time::{Duration, Instant};

use napi::{Env, JsValue, sys};

use super::environment::{Environment, with_environment};
use crate::binding::node::uv::{AsyncCallback, Handle, PollCallback};
use crate::binding::rows::writer::write_portion;
use crate::transport::driver::event_queue::Wake;
use crate::transport::reactor::Progress;

/// How long a turn may take before others have theirs. The handler of the last event may take longer; that is the program's
/// affair.
const TURN: Duration = Duration::from_millis(4);

/// The callbacks of the three handles.
pub(super) const ON_READY: PollCallback = on_ready;
pub(super) const ON_WAKE: AsyncCallback = on_wake;
pub(super) const ON_IDLE: AsyncCallback = on_idle;

/// The loop says that sockets are ready.
unsafe extern "C" fn on_ready(_: Handle, _: c_int, _: c_int) {
    guarded(|env| turn(env, true));
}

/// Another thread has published events.
unsafe extern "C" fn on_wake(_: Handle) {
    guarded(|env| turn(env, false));
}

/// Something was left over.
unsafe extern "C" fn on_idle(_: Handle) {
    guarded(|env| turn(env, false));
}

/// Calls `work`; a panic ends all connections and does not reach libuv.
fn guarded(work: impl FnOnce(&Env)) {
    let done = catch_unwind(AssertUnwindSafe(|| {
        if let Some(env) = with_environment(|environment| environment.env) {
            work(&Env::from_raw(env));
        }
    }));
    if done.is_err() {
        // Should that panic as well, there is nothing left to try.
        let _ = catch_unwind(|| {
            with_environment(|environment| {
                environment.set_in_turn(false);
                environment.shared.fail();
            })
        });
    }
}

fn turn(env: &Env, mut ready: bool) {
    let end = Instant::now() + TURN;
    let _ = with_environment(|environment| environment.set_in_turn(true));
    let mut left = true;
    while left {
        left = with_environment(|environment| environment.read(ready)).unwrap_or_default();
        ready = false;
        if left {
            deliver(env);
        }
        // What comes of writing are events again.
        left |= with_environment(|environment| environment.shared.flush()) == Some(Wake::JavaScript);
        if left && Instant::now() >= end {
            break;
        }
    }
    let _ = with_environment(|environment| {
        environment.set_in_turn(false);
        if !left {
            environment.idle.stop();
        }
        // The loop may have to go on with what a worker has left.
        if environment.decide_driver() || left {
            environment.idle.start(ON_IDLE);
        }
    });
}

impl Environment {
    /// Reads, if the loop drives and there is something to read. False when there is nothing to be done any more: whatever
    /// comes from now on makes the loop call again.
    fn read(&mut self, ready: bool) -> bool {
        let progress = self.shared.turn_on_loop(ready);
        progress != Progress::Idle
            || self.portion.is_some()
            || !self.taken.is_empty()
            || !self.shared.queue.sleep_if_empty()
    }

    /// Writes the next portion into rows, unless there is one. The arguments to call JavaScript with; `None` when there is
    /// nothing to deliver.
    fn next_portion(&mut self, env: &Env) -> Option<Vec<sys::napi_value>> {
        let mut arguments = std::mem::take(&mut self.arguments);
        arguments.clear();
        arguments.push(ptr::null_mut());
        let mut rows = 0;
        while self.portion.is_none() {
            if self.taken.is_empty() {
                self.shared.queue.take(&mut self.taken);
            }
            if self.taken.is_empty() {
                self.arguments = arguments;
                return None;
            }
            let mut taken = std::mem::take(&mut self.taken);
            let (portion, with_values) = write_portion(
                env,
                &mut taken,
                &self.received,
                |id, event| self.known.admit(id, event),
                &self.rows,
                arguments,
            );
            self.taken = taken;
            arguments = with_values;
            rows = portion.rows;
            self.portion = Some(portion);
            if rows == 0 {
                // All of them are of connections that are gone.
                self.finish_portion();
            }
        }
        // No rows say that JavaScript is to go on with those it has.
        arguments[0] = env.create_uint32(rows as u32).ok()?.raw();
        Some(arguments)
    }

    /// The portion has been delivered.
    fn finish_portion(&mut self) {
        if let Some(portion) = self.portion.take() {
            self.received.release(portion.releases);
            self.shared.delivered(portion.events, portion.owned_bytes);
        }
    }
}

/// How far JavaScript has come with a portion; `DISPATCHED` in lib/internal/transport/native-batches.js.
const ALL: u32 = 0;
const AGAIN: u32 = 1;

/// Has JavaScript deliver a portion, or go on with the one that it has.
fn deliver(env: &Env) {
    let mut scope = ptr::null_mut();
    // SAFETY: the environment is alive, since its loop has called.
    if unsafe { sys::napi_open_handle_scope(env.raw(), &raw mut scope) } != sys::Status::napi_ok {
        return;
    }
    if let Some(Some(arguments)) = with_environment(|environment| environment.next_portion(env)) {
        // An error means that the environment is going down: nobody is left to deliver to.
        let all = dispatch(env, &arguments).unwrap_or(true);
        let _ = with_environment(|environment| {
            environment.arguments = arguments;
            if all {
                environment.finish_portion();
            }
        });
    }
    // SAFETY: the scope was opened above.
    unsafe { sys::napi_close_handle_scope(env.raw(), scope) };
}

/// Calls into JavaScript until it has delivered all rows or its time is over, and says which. One call as a rule, at whose end
/// ticks and promise reactions run; JavaScript asks for another one.
fn dispatch(env: &Env, arguments: &[sys::napi_value]) -> napi::Result<bool> {
    let function = with_environment(|it| it.dispatch.borrow_back(env).map(|function| function.raw()));
    let Some(function) = function.transpose()? else { return Ok(true) };
    let go_on = [env.create_uint32(0)?.raw()];
    let mut arguments = arguments;
    loop {
        let resource = with_environment(|it| it.resource.get_value(env).map(|value| value.raw()));
        let Some(resource) = resource.transpose()? else { return Ok(true) };
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
        arguments = &go_on;
        if status == sys::Status::napi_ok {
            let mut outcome = 0;
            // SAFETY: the call has succeeded, so `result` is a value.
            napi::check_status!(unsafe { sys::napi_get_value_uint32(env.raw(), result, &raw mut outcome) })?;
            if outcome != AGAIN {
                return Ok(outcome == ALL);
            }
            continue;
        }
        // A tick has thrown, after the call itself perhaps: JavaScript knows how far it has come.
        let mut exception = ptr::null_mut();
        // SAFETY: the environment is alive; without an exception the call gives undefined.
        napi::check_status!(unsafe {
            sys::napi_get_and_clear_last_exception(env.raw(), &raw mut exception)
        })?;
        report(env.raw(), exception)?;
    }
}

/// Makes an exception an uncaught one: ends the process unless the program handles it.
pub(super) fn report(env: sys::napi_env, exception: sys::napi_value) -> napi::Result<()> {
    // SAFETY: the environment is alive, and `exception` a value of the handle scope that is open.
    napi::check_status!(unsafe { sys::napi_fatal_exception(env, exception) })
}
