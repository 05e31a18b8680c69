//! The reactor, and what the threads that use it share.
//!
//! Node's loop or a worker drives the reactor. Whoever does calls [`SharedReactor::turn_on_loop`] or
//! [`SharedReactor::turn_on_worker`] when the set is ready.
//!
//! Who owns what:
//!
//! - The reactor is behind a lock. The driver holds it for the length of a turn; the JavaScript thread takes it for what is
//!   rare (adding, removing, pausing); threads of the runtime take it to write in place of the JavaScript thread.
//! - While the loop drives, JavaScript sends straight into the reactor. While a worker drives, what is sent goes into
//!   [`Outgoing`], which the worker takes as a whole. A message to very many goes there in any case; a task of the runtime passes
//!   it on, and whatever JavaScript does with the reactor before that comes behind it.
//! - Events go into the [`EventQueue`], with the reactor locked.
//!
//! Locks are taken in this order: reactor, then `outgoing` or `queue`. Nobody waits for anything with one of the latter.
//!
//! Who wakes the driver: whoever leaves work in the reactor ([`Reactor::has_work`]). From the JavaScript thread to the loop
//! that is a flag ([`Wake::JavaScript`]), from any other thread to any driver the waker of the set.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use super::event_queue::{EventQueue, Wake};
use super::outgoing::{Commands, Outgoing};
use super::surroundings::{Notify, Reactor, Waker, runtime};
use super::unwritten::Unwritten;
#[cfg(not(loom))]
use super::{deadlines, write_behind};
use crate::transport::reactor::event::{ConnectionId, Events};
use crate::transport::reactor::{Deadlines, Look, Progress};
use crate::transport::sync::{AtomicBool, Condvar, Mutex, MutexGuard, lock, wait, yield_now};

/// From this many recipients on the runtime writes a broadcast: a hand-over costs as much as some ten writes.
const FANNED_OUT: usize = if cfg!(loom) { 2 } else { 128 };

/// Recipients that are written to before the JavaScript thread may have the reactor: some tens of microseconds.
const FANNED_OUT_AT_ONCE: usize = if cfg!(loom) { 1 } else { 16 };

/// Recipients that messages are passed on to before any is written to: what a socket gets of several messages leaves in one write.
const PASSED_ON_AT_ONCE: usize = if cfg!(loom) { 2 } else { 4096 };

/// Wakes the JavaScript thread; callable on every thread.
pub(crate) type WakeJs = Box<dyn Fn() + Send + Sync>;

/// See the module.
pub(crate) struct SharedReactor {
    /// `None` when the environment has ended.
    guarded: Mutex<Option<Guarded>>,
    pub(crate) queue: EventQueue,
    outgoing: Outgoing,
    waker: Arc<Waker>,
    /// Whether a worker is to drive.
    worker_drives: AtomicBool,
    /// The worker has ended by itself: the loop has to drive.
    worker_has_failed: AtomicBool,
    worker_is_gone: (Mutex<bool>, Condvar),
    /// Whether other threads can work while the JavaScript thread does.
    parallel: bool,
    wake_js: WakeJs,
    /// Whether a task of the runtime writes broadcasts.
    fanning_out: AtomicBool,
    /// The JavaScript thread waits for the reactor.
    js_waits: AtomicBool,
    pub(super) unwritten: Unwritten,
    /// Whether there is a task for deadlines, and what wakes it.
    watches_deadlines: AtomicBool,
    listening: Arc<Notify>,
}

/// What the lock of the reactor protects.
struct Guarded {
    reactor: Reactor,
    /// Empty whenever the lock is free; kept for its memory.
    events: Events,
}

/// What a worker is to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Take another turn.
    Again,
    /// Sleep until the set is ready.
    Wait,
    /// End: the loop drives.
    Over,
}

fn fault() -> io::Error {
    io::Error::other("a fault in the websocket addon; its message is on stderr")
}

impl SharedReactor {
    /// `parallel`: whether other threads can work while the JavaScript thread does.
    pub(crate) fn new(reactor: Reactor, parallel: bool, wake_js: WakeJs) -> Arc<Self> {
        let shared = Arc::new(Self {
            waker: reactor.waker(),
            guarded: Mutex::new(Some(Guarded { reactor, events: Events::default() })),
            queue: EventQueue::default(),
            outgoing: Outgoing::default(),
            worker_drives: AtomicBool::new(false),
            worker_has_failed: AtomicBool::new(false),
            worker_is_gone: (Mutex::new(true), Condvar::new()),
            parallel,
            wake_js,
            fanning_out: AtomicBool::new(false),
            js_waits: AtomicBool::new(false),
            unwritten: Unwritten::default(),
            watches_deadlines: AtomicBool::new(false),
            listening: Arc::default(),
        });
        // Without a runtime, what is sent right before a long computation leaves after it.
        #[cfg(not(loom))]
        if let Ok(runtime) = runtime::get() {
            runtime.spawn(write_behind::run(Arc::downgrade(&shared)));
        }
        shared
    }

    /// Whether a worker is to drive.
    pub(crate) fn is_worker_driven(&self) -> bool {
        self.worker_drives.load(SeqCst)
    }

    /// Wakes the driver, from any thread.
    fn wake_driver(&self) {
        // It fails only when the counter behind it overflows, and then the descriptor is readable anyway.
        let _ = self.waker.wake();
    }

    // ------------------------------------------------------------------------------------- the JavaScript thread

    /// The reactor, for the JavaScript thread, which has precedence over those who write in its place.
    fn lock_reactor(&self) -> MutexGuard<'_, Option<Guarded>> {
        if let Ok(guard) = self.guarded.try_lock() {
            return guard;
        }
        self.js_waits.store(true, SeqCst);
        let guard = lock(&self.guarded);
        self.js_waits.store(false, SeqCst);
        guard
    }

    /// The reactor, for what JavaScript sends: it comes behind messages to many that were sent before.
    fn lock_to_send(&self) -> MutexGuard<'_, Option<Guarded>> {
        let mut guard = self.lock_reactor();
        if self.outgoing.has_broadcasts()
            && let Some(Guarded { reactor, .. }) = guard.as_mut()
        {
            self.apply_outgoing(reactor);
        }
        guard
    }

    /// Passes everything that was sent on to the reactor, which is locked.
    fn apply_outgoing(&self, reactor: &mut Reactor) {
        // The task that writes to many does not end before it has seen what is added here.
        let broadcast = if self.fanning_out.load(SeqCst) { Reactor::fan_out } else { Reactor::send_shared };
        self.outgoing.apply(reactor, broadcast);
    }

    /// Works on the reactor, after all frames sent so far have reached it. `None` when the environment has ended, and after a
    /// panic, which ends all sockets.
    ///
    /// The second result says whether the loop has to take a turn.
    pub(crate) fn with_reactor<T>(
        &self,
        work: impl FnOnce(&mut Reactor, &mut Events) -> T,
    ) -> (Option<T>, Wake) {
        let mut guard = self.lock_reactor();
        let Some(Guarded { reactor, events }) = guard.as_mut() else { return (None, Wake::Nobody) };
        self.apply_outgoing(reactor);
        let result = catch_unwind(AssertUnwindSafe(|| work(reactor, events))).ok();
        if result.is_none() {
            reactor.fail_all(&fault(), events);
        }
        let wake = self.queue.publish(events);
        if !reactor.has_work() {
            return (result, wake);
        }
        if self.is_worker_driven() {
            self.wake_driver();
            (result, wake)
        } else {
            (result, Wake::JavaScript)
        }
    }

    /// Takes a turn, if `ready` or if there is something to do although the set says nothing.
    pub(crate) fn turn_on_loop(&self, ready: bool) -> Progress {
        let mut guard = self.lock_reactor();
        let Some(Guarded { reactor, events }) = guard.as_mut() else { return Progress::Idle };
        if self.is_worker_driven() || !(ready || reactor.has_work()) {
            return Progress::Idle;
        }
        let look = if ready { Look::Guess } else { Look::Nowhere };
        let progress = self.guarded_turn(look, reactor, events);
        // What was left to write outside of a turn: an end of a socket, or what a worker had not taken when it ended.
        reactor.flush(events);
        // The caller delivers.
        let _ = self.queue.publish(events);
        progress
    }

    /// A turn of the reactor, which ends all sockets if it fails.
    fn guarded_turn(&self, look: Look, reactor: &mut Reactor, events: &mut Events) -> Progress {
        let room = self.queue.room();
        let error = match catch_unwind(AssertUnwindSafe(|| reactor.turn(look, room, events))) {
            Ok(Ok(progress)) => return progress,
            Ok(Err(error)) => error,
            Err(_) => fault(),
        };
        reactor.fail_all(&error, events);
        Progress::Idle
    }

    /// Lets `write` append frames for a connection. They leave with the next [`SharedReactor::flush`].
    pub(crate) fn send(&self, id: ConnectionId, write: impl FnOnce(&mut BytesMut)) {
        if self.is_worker_driven() {
            self.outgoing.send(id, write);
        } else if let Some(Guarded { reactor, .. }) = self.lock_to_send().as_mut() {
            reactor.send(id, write);
        }
        self.unwritten.note_send();
    }

    /// Sends a large message, whose pieces are `len` bytes together, without copying what the socket takes at once.
    pub(crate) fn send_large<'p>(
        &self,
        id: ConnectionId,
        pieces: impl Iterator<Item = &'p [u8]>,
        len: usize,
    ) {
        if self.is_worker_driven() {
            let mut frames = BytesMut::with_capacity(len);
            pieces.for_each(|piece| frames.extend_from_slice(piece));
            self.outgoing.send_shared(id, frames.freeze());
        } else if let Some(Guarded { reactor, .. }) = self.lock_to_send().as_mut() {
            reactor.send_now(id, pieces);
        }
        self.unwritten.note_send();
    }

    /// Sends the same frames to many connections. They leave with the next [`SharedReactor::flush`]; those to very many begin
    /// to leave at once, on the runtime.
    pub(crate) fn broadcast(self: &Arc<Self>, ids: Vec<ConnectionId>, frames: Bytes) {
        if self.is_worker_driven() {
            self.outgoing.broadcast(ids, frames);
        } else if self.parallel
            && ids.len() >= FANNED_OUT
            && let Ok(runtime) = runtime::get()
        {
            self.outgoing.broadcast(ids, frames);
            if !self.fanning_out.swap(true, SeqCst) {
                let shared = Arc::clone(self);
                runtime.spawn(async move { shared.write_broadcasts() });
            }
        } else if let Some(Guarded { reactor, .. }) = self.lock_to_send().as_mut() {
            for id in ids {
                reactor.send_shared(id, &frames);
            }
        }
        self.unwritten.note_send();
    }

    /// Asks for [`SocketEvent::Drained`](crate::transport::reactor::event::SocketEvent) when all that waits for a connection
    /// is written.
    pub(crate) fn notify(&self, id: ConnectionId) {
        if self.is_worker_driven() {
            self.outgoing.notify(id);
        } else if let Some(Guarded { reactor, .. }) = self.lock_to_send().as_mut() {
            reactor.notify(id);
        }
    }

    /// Writes what was sent, or has the worker write it.
    pub(crate) fn flush(&self) -> Wake {
        self.unwritten.note_flush();
        if self.is_worker_driven() {
            if self.outgoing.unpark_for_commands() {
                self.wake_driver();
            }
            return Wake::Nobody;
        }
        let mut guard = self.lock_reactor();
        let Some(Guarded { reactor, events }) = guard.as_mut() else { return Wake::Nobody };
        reactor.flush(events);
        self.queue.publish(events)
    }

    /// Events that owned so many bytes have been delivered.
    pub(crate) fn delivered(&self, events: usize, bytes: usize) {
        if self.queue.delivered(events, bytes) {
            self.wake_driver();
        }
    }

    /// Somebody listens: deadlines have to be watched.
    pub(crate) fn watch_deadlines(self: &Arc<Self>) {
        if self.watches_deadlines.swap(true, SeqCst) {
            self.listening.notify_one();
        } else {
            #[cfg(not(loom))]
            if let Ok(runtime) = runtime::get() {
                runtime.spawn(deadlines::run(Arc::downgrade(self), Arc::clone(&self.listening)));
            }
        }
    }

    /// A worker is to drive from now on; whoever calls this starts it.
    pub(crate) fn give_to_worker(&self) {
        *lock(&self.worker_is_gone.0) = false;
        self.worker_has_failed.store(false, SeqCst);
        self.worker_drives.store(true, SeqCst);
    }

    /// Whether the worker has ended by itself, so that the loop has to drive.
    pub(crate) fn worker_has_failed(&self) -> bool {
        self.worker_has_failed.load(SeqCst)
    }

    /// The loop is to drive from now on. Waits for the worker's end; what it has read is in the queue.
    pub(crate) fn take_from_worker(&self) {
        {
            let mut guard = self.lock_reactor();
            self.worker_drives.store(false, SeqCst);
            if let Some(Guarded { reactor, .. }) = guard.as_mut() {
                self.outgoing.apply(reactor, Reactor::send_shared);
            }
        }
        self.wake_driver();
        let (gone, changed) = &self.worker_is_gone;
        let mut gone = lock(gone);
        while !*gone {
            gone = wait(changed, gone);
        }
    }

    /// The environment ends: takes the reactor out for good.
    pub(crate) fn end(&self) -> Option<Reactor> {
        self.take_from_worker();
        self.lock_reactor().take().map(|guarded| guarded.reactor)
    }

    // -------------------------------------------------------------------------------------------- other threads

    /// Publishes events of another thread. `events` shows that the reactor is still locked: the environment cannot end before
    /// it is unlocked, and so what wakes the JavaScript thread still exists.
    fn publish_elsewhere(&self, events: &mut Events) {
        if self.queue.publish(events) == Wake::JavaScript {
            (self.wake_js)();
        }
    }

    /// Ends handshakes that take too long.
    pub(super) fn expire(&self, now: Instant) -> Deadlines {
        let mut guard = lock(&self.guarded);
        let Some(Guarded { reactor, events }) = guard.as_mut() else { return Deadlines::None };
        let next = catch_unwind(AssertUnwindSafe(|| reactor.expire(now, events)));
        if next.is_err() {
            reactor.fail_all(&fault(), events);
        }
        self.publish_elsewhere(events);
        let Ok(next) = next else { return Deadlines::Later };
        if reactor.has_work() {
            self.wake_driver();
        }
        next
    }

    /// JavaScript has sent something and is busy with something else: writes it in its place.
    pub(super) fn write_behind(&self) {
        if self.is_worker_driven() {
            if self.outgoing.unpark_for_commands() {
                self.wake_driver();
            }
        } else {
            self.flush_elsewhere(|reactor, events| {
                reactor.flush_all(events);
            });
        }
    }

    /// Passes messages to many on and writes them, a few sockets at a time, so that the JavaScript thread hardly waits.
    fn write_broadcasts(&self) {
        let mut passed_on = 0;
        let mut some = |reactor: &mut Reactor, events: &mut Events| {
            // A worker takes what there is by itself.
            let here = !self.is_worker_driven();
            if here && passed_on < PASSED_ON_AT_ONCE && self.outgoing.apply_some(reactor, FANNED_OUT_AT_ONCE)
            {
                passed_on += FANNED_OUT_AT_ONCE;
                return true;
            }
            if reactor.flush_some(FANNED_OUT_AT_ONCE, events) {
                return true;
            }
            passed_on = 0;
            // With the reactor locked: whoever adds to its list from now on starts anew. So does JavaScript when it has sent
            // another message, unless that was before this, and is seen here. A swap, so that it is in one order with that of
            // `broadcast`: the later of the two sees what was done before the earlier one.
            self.fanning_out.swap(false, SeqCst);
            here && self.outgoing.has_broadcasts() && !self.fanning_out.swap(true, SeqCst)
        };
        while self.flush_elsewhere(&mut some) == Some(true) {
            while self.js_waits.load(SeqCst) {
                yield_now();
            }
        }
    }

    /// Writes something, and has the JavaScript thread told what comes of it. `None` when that was not possible.
    fn flush_elsewhere<T>(&self, flush: impl FnOnce(&mut Reactor, &mut Events) -> T) -> Option<T> {
        let mut guard = lock(&self.guarded);
        let Guarded { reactor, events } = guard.as_mut()?;
        let result = catch_unwind(AssertUnwindSafe(|| flush(reactor, events)));
        if result.is_err() {
            self.fanning_out.store(false, SeqCst);
            reactor.fail_all(&fault(), events);
        }
        self.publish_elsewhere(events);
        result.ok()
    }

    // ------------------------------------------------------------------------------------------------ the worker

    /// Takes what JavaScript has sent, reads, writes, and publishes what has happened.
    ///
    /// `commands` are empty, and kept for their memory.
    pub(super) fn turn_on_worker(&self, commands: &mut Commands) -> Next {
        let mut guard = lock(&self.guarded);
        let Some(Guarded { reactor, events }) = guard.as_mut().filter(|_| self.is_worker_driven()) else {
            return Next::Over;
        };
        self.outgoing.take(commands);
        let broadcasts = commands.apply(reactor, Reactor::send_shared);
        self.outgoing.note_applied(broadcasts);
        let progress = self.guarded_turn(Look::Set, reactor, events);
        reactor.flush_all(events);
        self.publish_elsewhere(events);
        drop(guard);
        match progress {
            Progress::More => Next::Again,
            // Without room nothing is read; whoever makes room wakes the set.
            Progress::Full if !self.queue.stall() => Next::Again,
            Progress::Full | Progress::Idle => Next::Wait,
        }
    }

    /// Declares that the worker does nothing until the set is ready. False when there is something to do after all.
    pub(super) fn park_worker(&self) -> bool {
        self.outgoing.park()
    }

    /// The worker is not parked any more.
    pub(super) fn worker_wakes(&self) {
        let _ = self.outgoing.unpark();
    }

    /// The last word of the worker. `failed`: nobody has asked it to end.
    pub(super) fn worker_ends(&self, failed: bool) {
        if failed {
            self.worker_has_failed.store(true, SeqCst);
            // The environment does not end before this worker says below that it is gone.
            (self.wake_js)();
        }
        let (gone, changed) = &self.worker_is_gone;
        *lock(gone) = true;
        changed.notify_all();
    }

    /// Ends all sockets after a fault of the worker outside of a turn of the reactor.
    pub(crate) fn fail(&self) {
        let mut guard = lock(&self.guarded);
        if let Some(Guarded { reactor, events }) = guard.as_mut() {
            reactor.fail_all(&fault(), events);
            self.publish_elsewhere(events);
        }
    }
}

impl Drop for SharedReactor {
    /// Wakes the tasks that sleep, so that they see that they are over.
    fn drop(&mut self) {
        self.unwritten.notify.notify_one();
        self.listening.notify_one();
    }
}

#[cfg(test)]
#[cfg(not(loom))]
#[path = "shared_reactor_tests.rs"]
mod tests;
