//! What JavaScript calls to have sockets taken over and to handle them.

#![expect(unsafe_code, reason = "a file descriptor comes from JavaScript as a number")]

use std::os::fd::BorrowedFd;

use napi::bindgen_prelude::{Buffer, Object, Unknown};
use napi::{Env, JsValue, Result};
use napi_derive::napi;

use super::delivery;
use super::environment::{started, with_environment};
use super::sending::returned;
use crate::binding::arguments::{config, limit, limits};
use crate::binding::streams::receiver::add_receiver;
use crate::slots::SlotId;
use crate::transport::driver::event_queue::Wake;
use crate::transport::driver::policy::Io;
use crate::transport::reactor::Reactor;
use crate::transport::reactor::event::Events;

/// Replaces the async resource of the next calls to `dispatch`.
#[napi(catch_unwind)]
pub fn native_set_resource(env: Env, resource: Object<'_>) -> Result<()> {
    let resource = resource.create_ref()?;
    let before = started(|environment| std::mem::replace(&mut environment.resource, resource))?;
    before.unref(&env)
}

/// Makes an exception an uncaught one: ends the process unless the program handles it.
#[napi(catch_unwind)]
pub fn native_report(env: Env, exception: Unknown<'_>) -> Result<()> {
    delivery::report(env.raw(), exception.raw())
}

/// Says who is to drive: 0 what suits the load, 1 Node's loop, 2 a worker.
#[napi(catch_unwind)]
pub fn native_set_io(io: u32) -> Result<()> {
    let io = match io {
        1 => Io::Loop,
        2 => Io::Threads,
        _ => Io::Auto,
    };
    started(|environment| {
        environment.policy.set_io(io);
        // It is decided at the end of a turn.
        environment.schedule(Wake::JavaScript);
    })
}

/// Takes a connected socket over; returns the id of the connection, or -1 when that is not possible. `early` is what
/// was read from the socket before; `reads_to_end` says that a short read does not mean that nothing is left (Unix sockets);
/// `mask`, `inflation` and `text` as for `createReceiver`.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "one call for each connection, without an object made for it")]
pub fn native_add(
    fd: i32,
    mask: u32,
    max_frame_size: f64,
    max_message_size: f64,
    assemble: bool,
    inflation: u32,
    text: u32,
    early: &[u8],
    reads_to_end: bool,
    is_shared: bool,
) -> Result<i64> {
    if fd < 0 {
        return Ok(-1);
    }
    started(|environment| {
        // SAFETY: the descriptor of a socket that is open, as the caller has seen; it is duplicated at once.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        let config = config(mask, max_frame_size, max_message_size, assemble, inflation, text);
        let added =
            environment.with_reactor(|reactor, _| reactor.add(fd, config, early, reads_to_end, is_shared));
        let Some(Ok((id, counters))) = added else { return -1 };
        environment.known.add(id, counters);
        i64::from(id.raw())
    })
}

/// Lets go of a connection and closes its descriptor, after what waits was written as far as the socket takes it. Returns
/// its counters as they were then; `null` when it is gone already.
#[napi(catch_unwind)]
pub fn native_remove(id: u32) -> Result<Option<Vec<f64>>> {
    let id = SlotId::from_raw(id);
    started(|environment| {
        environment.with_reactor(|reactor, events| {
            reactor.flush_one(id, events);
            reactor.remove(id);
        });
        let counters = environment.counters(id);
        environment.known.remove(id);
        counters.map(|counters| counters.into_iter().map(|number| number as f64).collect())
    })
}

/// Reads nothing more from a connection: somebody else is going to. Unless it `keeps_writing`, somebody else is going to write
/// as well. Returns what waits for him to be written; `null` when the connection is gone. A `STOPPED` row follows everything that was read; then call `nativeRelease`.
#[napi(catch_unwind)]
pub fn native_stop(id: u32, keeps_writing: bool) -> Result<Option<Buffer>> {
    let id = SlotId::from_raw(id);
    started(|environment| {
        let stop = |reactor: &mut Reactor, events: &mut Events| reactor.stop(id, keeps_writing, events);
        let unsent = environment.with_reactor(stop).flatten()?;
        environment.not_sent(id, unsent.len());
        Some(unsent.to_vec().into())
    })
}

/// What somebody needs who goes on in place of the addon.
#[napi(object, object_from_js = false)]
pub struct ReleasedSocket {
    /// The receiver, now one for chunks; see `receive`.
    pub receiver: u32,
    /// What was read before the socket was taken over and not looked at yet.
    pub unread: Buffer,
}

/// Lets go of a connection that was stopped, and closes its descriptor; `null` when it is gone.
#[napi(catch_unwind)]
pub fn native_release(id: u32) -> Result<Option<ReleasedSocket>> {
    let id = SlotId::from_raw(id);
    let released = started(|environment| {
        environment.known.remove(id);
        environment.with_reactor(|reactor, _| reactor.release(id)).flatten()
    })?;
    let Some(released) = released else { return Ok(None) };
    Ok(Some(ReleasedSocket { receiver: add_receiver(released.receiver)?, unread: released.unread.into() }))
}

/// Has the program go on with the plaintext of a connection with TLS that was stopped, or whose request was not accepted: what
/// comes is told as `BINARY` rows, and nothing comes before `nativePause`. `null` when it is gone.
#[napi(catch_unwind)]
pub fn native_unwrap(id: u32) -> Result<Option<ReleasedSocket>> {
    let released = started(|environment| {
        environment.with_reactor(|reactor, _| reactor.unwrap(SlotId::from_raw(id))).flatten()
    })?;
    let Some(released) = released else { return Ok(None) };
    Ok(Some(ReleasedSocket { receiver: add_receiver(released.receiver)?, unread: released.unread.into() }))
}

/// Whether something is being inflated for a connection on another thread, for tests.
#[napi(catch_unwind)]
pub fn native_is_inflating(id: u32) -> bool {
    with_environment(|environment| {
        environment.with_reactor(|reactor, _| reactor.is_inflating(SlotId::from_raw(id)))
    })
    .flatten()
    .unwrap_or_default()
}

/// Stops reading from a connection, or goes on.
#[napi(catch_unwind)]
pub fn native_pause(id: u32, paused: bool) -> Result<()> {
    started(|environment| {
        environment.with_reactor(|reactor, _| reactor.pause(SlotId::from_raw(id), paused));
    })
}

/// Changes limits and mode of a connection; they hold from the next frame on.
#[napi(catch_unwind)]
pub fn native_configure(id: u32, max_frame_size: f64, max_message_size: f64, assemble: bool) -> Result<()> {
    let (frame, message) = (limit(max_frame_size), limit(max_message_size));
    started(|environment| {
        environment.with_reactor(|reactor, _| {
            reactor.configure(SlotId::from_raw(id), frame, message, assemble);
        });
    })
}

/// Sets limits on numbers and rates of a connection, Infinity for none.
#[napi(catch_unwind)]
pub fn native_limit(id: u32, fragments: f64, messages_per_second: f64, bytes_per_second: f64) -> Result<()> {
    let limits = limits(fragments, messages_per_second, bytes_per_second);
    started(|environment| {
        environment.with_reactor(|reactor, _| reactor.limit(SlotId::from_raw(id), limits));
    })
}

/// Whether connections keep the process alive.
#[napi(catch_unwind)]
pub fn native_keep_alive(alive: bool) -> Result<()> {
    started(|environment| environment.wake.keep_alive(alive))
}

/// Asks for a `DRAINED` row when all that waits for a connection has been written; it says how many calls it answers. Takes
/// effect with the next flush.
#[napi(catch_unwind)]
pub fn native_notify(id: u32) -> Result<()> {
    started(|environment| environment.shared.notify(SlotId::from_raw(id)))
}

/// Writes what waits for a connection and closes our direction of its socket behind that, as soon as the socket has taken all of
/// it. Returns how many bytes still wait.
#[napi(catch_unwind)]
pub fn native_finish(id: u32) -> Result<u32> {
    let id = SlotId::from_raw(id);
    started(|environment| {
        environment.note_end(id);
        environment.with_reactor(|reactor, events| {
            reactor.finish(id);
            reactor.flush_one(id, events);
        });
        returned(environment.counters(id).map(|[waiting, ..]| waiting))
    })
}

/// Bytes that wait to be written, bytes read, bytes written, frames received, bytes of compressed messages received; `null`
/// for a connection that is gone.
#[napi(catch_unwind)]
pub fn native_counters(id: u32) -> Option<Vec<f64>> {
    let counters = with_environment(|environment| environment.counters(SlotId::from_raw(id))).flatten()?;
    Some(counters.into_iter().map(|number| number as f64).collect())
}

/// The number of connections that were taken over, for tests of leaks.
#[napi(catch_unwind)]
pub fn native_count() -> u32 {
    with_environment(|environment| environment.known.len()).unwrap_or_default()
}

/// Writes what was sent since the last turn.
#[napi(catch_unwind)]
pub fn native_flush() -> Result<()> {
    started(|environment| {
        let wake = environment.shared.flush();
        environment.schedule(wake);
    })
}

/// Writes all that waits on this thread, whoever drives: the process is about to end.
#[napi(catch_unwind)]
pub fn native_flush_now() -> Result<()> {
    started(|environment| {
        environment.with_reactor(Reactor::flush_all);
    })
}

/// Writes what waits for one connection, and returns how many bytes still wait then.
#[napi(catch_unwind)]
pub fn native_flush_one(id: u32) -> Result<u32> {
    let id = SlotId::from_raw(id);
    started(|environment| {
        environment.with_reactor(|reactor, events| reactor.flush_one(id, events));
        returned(environment.counters(id).map(|[waiting, ..]| waiting))
    })
}
