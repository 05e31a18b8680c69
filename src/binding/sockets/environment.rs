//! The state of this JavaScript environment.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::{Bytes, BytesMut};
use napi::bindgen_prelude::{FunctionRef, ObjectRef};
use napi::{Error, Result, Status, sys};

use super::delivery;
use super::known_sockets::KnownSockets;
use crate::binding::node::uv::{Idle, Wake as AsyncWake, Watch};
use crate::binding::rows::shared_memory::SharedMemory;
use crate::binding::rows::writer::Portion;
use crate::transport::driver::event_queue::Wake;
use crate::transport::driver::policy::{Driver, Policy};
use crate::transport::driver::shared_reactor::SharedReactor;
use crate::transport::driver::worker;
use crate::transport::reactor::Reactor;
use crate::transport::reactor::event::{ConnectionId, Events};
use crate::transport::reactor::read_buffer::ReceivedBytes;

thread_local! {
    // Of this thread, and so of this JavaScript environment: a worker has a thread of its own.
    static ENVIRONMENT: RefCell<Option<Environment>> = const { RefCell::new(None) };
}

/// See the module.
pub(in crate::binding) struct Environment {
    pub(super) env: sys::napi_env,
    pub(super) shared: Arc<SharedReactor>,
    pub(super) policy: Policy,
    /// Calls when the set is ready and the loop drives.
    pub(super) watch: Watch,
    /// Calls when another thread has published events.
    pub(super) wake: AsyncWake,
    /// Calls in every turn of the loop while something is left to do.
    pub(super) idle: Idle,
    pub(super) dispatch: FunctionRef<(), u32>,
    /// The async resource, and the receiver, of calls to `dispatch`.
    pub(super) resource: ObjectRef<false>,
    pub(super) rows: SharedMemory,
    pub(super) received: ReceivedBytes,
    /// Events that were taken from the queue and are not in rows yet.
    pub(super) taken: Events,
    /// What JavaScript has not delivered to the end.
    pub(super) portion: Option<Portion>,
    /// Whether a turn is under way, which leaves nothing undone.
    pub(super) in_turn: bool,
    pub(super) known: KnownSockets,
    /// Arguments of the last call, for their memory.
    pub(super) arguments: Vec<sys::napi_value>,
}

/// What [`Environment::new`] is made of.
pub(super) struct Parts {
    pub(super) env: sys::napi_env,
    pub(super) shared: Arc<SharedReactor>,
    pub(super) policy: Policy,
    pub(super) watch: Watch,
    pub(super) wake: AsyncWake,
    pub(super) idle: Idle,
    pub(super) dispatch: FunctionRef<(), u32>,
    pub(super) resource: ObjectRef<false>,
    pub(super) rows: SharedMemory,
    pub(super) received: ReceivedBytes,
}

impl Environment {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { env, shared, policy, watch, wake, idle, dispatch, resource, rows, received } = parts;
        Self {
            env,
            shared,
            policy,
            watch,
            wake,
            idle,
            dispatch,
            resource,
            rows,
            received,
            taken: Events::default(),
            portion: None,
            in_turn: false,
            known: KnownSockets::default(),
            arguments: Vec::new(),
        }
    }

    /// Writes a number into the first row, which is no event.
    fn set_header(&self, index: usize, value: u32) {
        self.rows.with(|rows| rows[index * 4..][..4].copy_from_slice(&value.to_ne_bytes()));
    }

    /// Says whether what is sent leaves at the end of a turn that is under way.
    pub(super) fn set_in_turn(&mut self, in_turn: bool) {
        self.in_turn = in_turn;
        self.set_header(0, u32::from(in_turn));
    }

    pub(super) fn show_driver(&self) {
        self.set_header(1, u32::from(self.driver() == Driver::Worker));
    }

    pub(super) fn driver(&self) -> Driver {
        if self.shared.is_worker_driven() { Driver::Worker } else { Driver::Loop }
    }

    /// Has another turn be taken, if somebody has to and none is under way.
    pub(super) fn schedule(&self, wake: Wake) {
        if wake == Wake::JavaScript && !self.in_turn {
            self.idle.start(delivery::ON_IDLE);
        }
    }

    /// Works on the reactor, whoever drives it. `None` after the environment's end.
    pub(super) fn with_reactor<T>(&self, work: impl FnOnce(&mut Reactor, &mut Events) -> T) -> Option<T> {
        let (result, wake) = self.shared.with_reactor(work);
        self.schedule(wake);
        result
    }

    /// Bytes that wait to be written, bytes read, bytes written, frames received, bytes of compressed messages received.
    pub(super) fn counters(&mut self, id: ConnectionId) -> Option<[u64; 5]> {
        let known = self.known.get(id)?;
        let counters = &known.counters;
        let [read, written, frames, compressed] =
            [&counters.read, &counters.written, &counters.frames, &counters.compressed]
                .map(|counter| counter.load(Relaxed));
        Some([known.waiting(), read, written, frames, compressed])
    }

    // ------------------------------------------------------------------------------------------------------ sending

    /// Lets `write` append frames for a connection, and returns how many bytes wait for it then; `None` when the
    /// connection is gone.
    pub(super) fn send(&mut self, id: ConnectionId, write: impl FnOnce(&mut BytesMut)) -> Option<u64> {
        self.known.get(id)?;
        let mut len = 0;
        let counting = |out: &mut BytesMut| {
            let before = out.len();
            write(out);
            len = (out.len() - before) as u64;
        };
        self.shared.send(id, counting);
        let known = self.known.get(id)?;
        known.sent += len;
        Some(known.waiting())
    }

    /// Bytes that were sent are somebody else's to write.
    pub(super) fn not_sent(&mut self, id: ConnectionId, len: usize) {
        if let Some(known) = self.known.get(id) {
            known.sent = known.sent.saturating_sub(len as u64);
        }
    }

    /// Sends a large message, whose pieces are `len` bytes together; otherwise like [`Environment::send`].
    pub(super) fn send_large<'p>(
        &mut self,
        id: ConnectionId,
        pieces: impl Iterator<Item = &'p [u8]>,
        len: usize,
    ) -> Option<u64> {
        self.known.get(id)?;
        self.shared.send_large(id, pieces, len);
        let known = self.known.get(id)?;
        known.sent += len as u64;
        Some(known.waiting())
    }

    /// Bytes that wait for a connection; `None` when it is gone, or has ended its direction.
    pub(in crate::binding) fn waiting(&mut self, id: ConnectionId) -> Option<u64> {
        self.known.get(id).filter(|known| !known.has_ended).map(|known| known.waiting())
    }

    /// Frames for a connection are about to be sent by [`Environment::send_shared`].
    pub(in crate::binding) fn note_sent(&mut self, id: ConnectionId, len: u64) {
        if let Some(known) = self.known.get(id) {
            known.sent += len;
        }
    }

    /// Sends the same frames to many connections, each of which was noted.
    pub(in crate::binding) fn send_shared(&mut self, ids: Vec<ConnectionId>, frames: Bytes) {
        self.shared.broadcast(ids, frames);
    }

    /// Writes what waits for connections, as far as that may help: not where the socket has taken no more before.
    pub(in crate::binding) fn try_flush(&mut self, ids: impl Iterator<Item = ConnectionId>) {
        self.with_reactor(|reactor, events| ids.for_each(|id| reactor.try_flush(id, events)));
    }

    /// Our direction of a socket ends: nothing is sent behind that.
    pub(super) fn note_end(&mut self, id: ConnectionId) {
        if let Some(known) = self.known.get(id) {
            known.has_ended = true;
        }
    }

    // ------------------------------------------------------------------------------------------------------ drivers

    /// Has the driver that suits the load from now on drive. True when that is the loop and was not.
    pub(super) fn decide_driver(&mut self) -> bool {
        let load = std::mem::take(&mut self.taken.load);
        if self.shared.worker_has_failed() && self.driver() == Driver::Worker {
            self.take_from_worker();
            return true;
        }
        let driver = self.driver();
        match (driver, self.policy.decide(driver, load)) {
            (Driver::Loop, Driver::Worker) => {
                self.give_to_worker();
                self.driver() == Driver::Loop
            }
            (Driver::Worker, Driver::Loop) => {
                self.take_from_worker();
                true
            }
            _ => false,
        }
    }

    /// Hands the reactor to a worker. It stays where it is when there is none to be had.
    fn give_to_worker(&mut self) {
        let Some(Ok(set)) = self.with_reactor(|reactor, _| reactor.duplicate_fd()) else { return };
        self.watch.stop();
        // The runtime's threads are in the addon's code: it must not be unloaded when its last environment ends.
        napi::bindgen_prelude::retain_current_module_for_unload_safety();
        self.shared.give_to_worker();
        if worker::start(&self.shared, set).is_err() {
            self.take_from_worker();
        }
        self.show_driver();
    }

    /// Has the loop drive. What the worker has read last is in the queue, and the reactor may have work: a turn is due.
    fn take_from_worker(&mut self) {
        self.shared.take_from_worker();
        // It was started before on the same descriptor.
        let _ = self.watch.start(delivery::ON_READY);
        self.show_driver();
    }
}

/// Makes this the state of the environment.
pub(super) fn install(environment: Environment) {
    ENVIRONMENT.set(Some(environment));
}

/// Takes the state out: the environment ends.
pub(super) fn uninstall() -> Option<Environment> {
    ENVIRONMENT.take()
}

/// Works with the state of this environment; `None` before there is any, and after its end.
pub(super) fn with_environment<T>(work: impl FnOnce(&mut Environment) -> T) -> Option<T> {
    ENVIRONMENT.with_borrow_mut(|environment| environment.as_mut().map(work))
}

/// Works with the state of this environment, if there is any.
pub(in crate::binding) fn with_environment_if_any<T>(work: impl FnOnce(Option<&mut Environment>) -> T) -> T {
    ENVIRONMENT.with_borrow_mut(|environment| work(environment.as_mut()))
}

/// As [`with_environment`], for functions that JavaScript calls.
pub(super) fn started<T>(work: impl FnOnce(&mut Environment) -> T) -> Result<T> {
    with_environment(work)
        .ok_or_else(|| Error::new(Status::GenericFailure, "no socket was taken over in this environment"))
}
