//! The reactor, and what the threads that have to do with it have in common.
//!
//! While the JavaScript thread drives it, nobody else takes its lock but `write_behind` and the task that writes broadcasts
//! to very many. While a worker drives it, there are two queues, each taken as a whole by the other side: events for
//! JavaScript, frames for the worker. Each side wakes the other only when that is parked. The lock of the reactor is the
//! worker's for the length of a turn; the JavaScript thread takes it for what is rare: adding, removing, pausing.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use mio::Waker;

use super::batch::Batch;
use super::reactor::{Id, Reactor, Sink, Space};
use super::runtime;
use super::write_behind::Unwritten;

/// Frames and wishes for the worker, in order.
#[derive(Default)]
pub(crate) struct Outgoing {
    commands: Vec<Command>,
    bytes: BytesMut,
}

enum Command {
    /// The next so many bytes are for this connection.
    Send(Id, usize),
    /// These are for this connection.
    SendShared(Id, Bytes),
    /// These are for all of these.
    Broadcast(Vec<Id>, Bytes),
    /// Tell when all that waits for this connection has been written.
    Notify(Id),
}

impl Outgoing {
    pub(crate) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Lets `write` append frames for a connection.
    pub(crate) fn send(&mut self, id: Id, write: impl FnOnce(&mut BytesMut)) {
        let before = self.bytes.len();
        write(&mut self.bytes);
        let len = self.bytes.len() - before;
        match self.commands.last_mut() {
            Some(Command::Send(last, last_len)) if *last == id => *last_len += len,
            _ => self.commands.push(Command::Send(id, len)),
        }
    }

    pub(crate) fn notify(&mut self, id: Id) {
        self.commands.push(Command::Notify(id));
    }

    /// Passes everything on to the reactor, and keeps the memory.
    pub(crate) fn apply(&mut self, reactor: &mut Reactor) {
        let mut at = 0;
        for command in self.commands.drain(..) {
            match command {
                Command::Send(id, len) => {
                    reactor.send(id, |out| out.extend_from_slice(&self.bytes[at..at + len]));
                    at += len;
                }
                Command::SendShared(id, frames) => reactor.send_shared(id, &frames),
                Command::Broadcast(ids, frames) => {
                    for id in ids {
                        reactor.send_shared(id, &frames);
                    }
                }
                Command::Notify(id) => reactor.notify(id),
            }
        }
        if self.bytes.capacity() > 1 << 20 {
            self.bytes = BytesMut::new();
        } else {
            self.bytes.clear();
        }
    }
}

/// From this many recipients on the runtime writes a broadcast: a hand-over costs as much as some ten writes.
const FANNED_OUT: usize = 128;

/// Recipients that are written to before the JavaScript thread may have the reactor: some tens of microseconds.
const FANNED_OUT_AT_ONCE: usize = 16;

/// Wakes the JavaScript thread; callable on every thread.
pub(crate) type WakeJs = Box<dyn Fn() + Send + Sync>;

/// See the module.
pub(crate) struct Exchange {
    /// `None` when the environment has ended.
    reactor: Mutex<Option<Reactor>>,
    outgoing: Mutex<Outgoing>,
    incoming: Mutex<Batch>,
    waker: Arc<Waker>,
    /// Whether the worker is to drive.
    worker: AtomicBool,
    worker_parked: AtomicBool,
    /// The worker has stopped reading because JavaScript does not keep up.
    worker_stalled: AtomicBool,
    parallel: bool,
    wake_js: WakeJs,
    worker_gone: (Mutex<bool>, Condvar),
    /// Whether a task of the runtime writes broadcasts.
    fanning_out: AtomicBool,
    /// The JavaScript thread waits for the reactor.
    js_waits: AtomicBool,
    /// What [`super::write_behind`] looks at.
    pub(crate) unwritten: Unwritten,
}

/// What a turn of the worker has come to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Something was done, and there may be more.
    Some,
    /// Nothing is to be done until the set is ready again.
    None,
    /// The JavaScript thread has the reactor again.
    Over,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held is reported where it happened; the state is that of a connection, not of memory.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Exchange {
    /// `parallel`: whether other threads can work while the JavaScript thread does.
    pub(crate) fn new(reactor: Reactor, parallel: bool, wake_js: WakeJs) -> Self {
        Self {
            waker: reactor.waker(),
            reactor: Mutex::new(Some(reactor)),
            outgoing: Mutex::default(),
            incoming: Mutex::default(),
            worker: AtomicBool::new(false),
            worker_parked: AtomicBool::new(false),
            worker_stalled: AtomicBool::new(false),
            parallel,
            wake_js,
            worker_gone: (Mutex::new(true), Condvar::new()),
            fanning_out: AtomicBool::new(false),
            js_waits: AtomicBool::new(false),
            unwritten: Unwritten::default(),
        }
    }

    /// The reactor, for the JavaScript thread, which has precedence over those who write in its place.
    fn lock_reactor(&self) -> MutexGuard<'_, Option<Reactor>> {
        if let Ok(guard) = self.reactor.try_lock() {
            return guard;
        }
        self.js_waits.store(true, SeqCst);
        let guard = lock(&self.reactor);
        self.js_waits.store(false, SeqCst);
        guard
    }

    /// Whether the worker is to drive.
    pub(crate) fn is_worker_driven(&self) -> bool {
        self.worker.load(SeqCst)
    }

    // ------------------------------------------------------------------------------------- the JavaScript thread

    /// Lets `write` append frames for a connection. They leave with the next [`Exchange::flush`].
    pub(crate) fn send(&self, id: Id, write: impl FnOnce(&mut BytesMut)) {
        if self.is_worker_driven() {
            lock(&self.outgoing).send(id, write);
        } else if let Some(reactor) = self.lock_reactor().as_mut() {
            reactor.send(id, write);
        }
        self.unwritten.note_send();
    }

    /// Sends a large message, whose pieces are `len` bytes together, without copying what the socket takes at once.
    pub(crate) fn send_large<'p>(&self, id: Id, pieces: impl Iterator<Item = &'p [u8]>, len: usize) {
        if self.is_worker_driven() {
            let mut frames = BytesMut::with_capacity(len);
            pieces.for_each(|piece| frames.extend_from_slice(piece));
            lock(&self.outgoing).commands.push(Command::SendShared(id, frames.freeze()));
        } else if let Some(reactor) = self.lock_reactor().as_mut() {
            reactor.send_now(id, pieces);
        }
        self.unwritten.note_send();
    }

    /// Sends the same frames to many connections. They leave with the next [`Exchange::flush`]; those to very many begin to
    /// leave at once, on the runtime.
    pub(crate) fn broadcast(self: &Arc<Self>, ids: Vec<Id>, frames: Bytes) {
        if self.is_worker_driven() {
            lock(&self.outgoing).commands.push(Command::Broadcast(ids, frames));
        } else if let Some(reactor) = self.lock_reactor().as_mut() {
            let runtime = if self.parallel && ids.len() >= FANNED_OUT { runtime::get().ok() } else { None };
            for id in ids {
                match runtime {
                    Some(_) => reactor.fan_out(id, &frames),
                    None => reactor.send_shared(id, &frames),
                }
            }
            if let Some(runtime) = runtime
                && !self.fanning_out.swap(true, SeqCst)
            {
                let exchange = Arc::clone(self);
                runtime.spawn(async move { exchange.write_broadcasts() });
            }
        }
        self.unwritten.note_send();
    }

    /// Asks for [`Happening::Drained`](super::reactor::Happening) when all that waits for a connection is written.
    pub(crate) fn notify(&self, id: Id) {
        if self.is_worker_driven() {
            lock(&self.outgoing).notify(id);
        } else if let Some(reactor) = self.lock_reactor().as_mut() {
            reactor.notify(id);
        }
    }

    /// Writes what was sent, or has the worker write it.
    pub(crate) fn flush(&self, sink: &mut impl Sink) {
        self.unwritten.note_flush();
        if self.is_worker_driven() {
            if !lock(&self.outgoing).is_empty() {
                self.unpark();
            }
        } else if let Some(reactor) = self.lock_reactor().as_mut() {
            reactor.flush(sink);
        }
    }

    fn unpark(&self) {
        if self.worker_parked.swap(false, SeqCst) {
            // It fails only when the counter behind it overflows, and then the descriptor is readable anyway.
            let _ = self.waker.wake();
        }
    }

    /// Takes what has happened, in exchange for an empty batch.
    pub(crate) fn take_incoming(&self, empty: Batch) -> Batch {
        let batch = std::mem::replace(&mut *lock(&self.incoming), empty);
        if self.worker_stalled.swap(false, SeqCst) {
            let _ = self.waker.wake();
        }
        batch
    }

    /// Takes what has happened to one connection.
    pub(crate) fn extract_incoming(&self, id: Id) -> Batch {
        lock(&self.incoming).extract(id)
    }

    /// Works on the reactor, after all frames sent so far have reached it. `None` when the environment has ended.
    pub(crate) fn with_reactor<T>(&self, work: impl FnOnce(&mut Reactor) -> T) -> Option<T> {
        let mut guard = self.lock_reactor();
        let reactor = guard.as_mut()?;
        let mut outgoing = lock(&self.outgoing);
        if !outgoing.is_empty() {
            outgoing.apply(reactor);
            // The worker finds nothing in the queue any more, and has to write all the same.
            let _ = self.waker.wake();
        }
        drop(outgoing);
        Some(work(reactor))
    }

    /// The worker is to drive from now on; whoever calls this starts it.
    pub(crate) fn give_to_worker(&self) {
        *lock(&self.worker_gone.0) = false;
        self.worker.store(true, SeqCst);
    }

    /// The JavaScript thread is to drive from now on. Waits for the worker's end; what it has read is in `incoming`.
    pub(crate) fn take_from_worker(&self) {
        {
            let mut guard = self.lock_reactor();
            self.worker.store(false, SeqCst);
            if let Some(reactor) = guard.as_mut() {
                lock(&self.outgoing).apply(reactor);
            }
        }
        let _ = self.waker.wake();
        let (gone, changed) = &self.worker_gone;
        let mut gone = lock(gone);
        while !*gone {
            gone = changed.wait(gone).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The environment ends: takes the reactor out for good.
    pub(crate) fn end(&self) -> Option<Reactor> {
        self.take_from_worker();
        self.lock_reactor().take()
    }

    /// On another thread: ends handshakes that take too long. False when there is no need to come again.
    pub(crate) fn expire(&self, now: Instant) -> bool {
        lock(&self.reactor).as_mut().is_some_and(|reactor| reactor.expire(now))
    }

    /// On another thread: JavaScript has sent something and is busy with something else. Writes it in its place.
    pub(crate) fn write_behind(&self) {
        if self.is_worker_driven() {
            self.unpark();
            return;
        }
        self.flush_elsewhere(Reactor::flush_all);
    }

    /// On another thread: writes what was broadcast, a few sockets at a time, so that the JavaScript thread hardly waits.
    fn write_broadcasts(&self) {
        while self.flush_elsewhere(|reactor, batch| {
            let more = reactor.flush_some(FANNED_OUT_AT_ONCE, batch);
            if !more {
                // With the reactor locked: whoever adds to the list from now on starts anew.
                self.fanning_out.store(false, SeqCst);
            }
            more
        }) == Some(true)
        {
            while self.js_waits.load(SeqCst) {
                std::thread::yield_now();
            }
        }
    }

    /// On another thread: writes something, and has the JavaScript thread told what comes of it.
    fn flush_elsewhere<T>(&self, flush: impl FnOnce(&mut Reactor, &mut Batch) -> T) -> Option<T> {
        let mut guard = lock(&self.reactor);
        let reactor = guard.as_mut()?;
        let mut batch = Batch::default();
        let result = flush(reactor, &mut batch);
        if !batch.is_empty() {
            lock(&self.incoming).append(&mut batch);
            // With the reactor still locked: the handle behind this is closed only after the reactor was taken out.
            (self.wake_js)();
        }
        Some(result)
    }

    // ------------------------------------------------------------------------------------------------ the worker

    /// Takes the frames of JavaScript, reads, writes, and hands over what has happened. `memory` is to read into,
    /// `batch` an empty one whose memory is used.
    pub(crate) fn turn(&self, memory: &mut [u8], batch: &mut Batch) -> Progress {
        let stalled = lock(&self.incoming).is_full();
        let progress = {
            let mut guard = lock(&self.reactor);
            let Some(reactor) = guard.as_mut().filter(|_| self.is_worker_driven()) else {
                return Progress::Over;
            };
            let mut outgoing = std::mem::take(&mut *lock(&self.outgoing));
            let mut progress = Progress::None;
            outgoing.apply(reactor);
            if !stalled {
                match reactor.turn(&mut Space::reused(memory), batch) {
                    Ok(turn) => {
                        batch.served = turn.served;
                        batch.turns = 1;
                        // What becomes ready from now on makes the set ready again.
                        progress = if turn.finished { Progress::None } else { Progress::Some };
                    }
                    // The set itself has failed: nothing can be read any more, which the connections will find out by
                    // their keepalive. It has not been seen to happen.
                    Err(_) => progress = Progress::None,
                }
            }
            reactor.flush_all(batch);
            progress
        };
        if !batch.is_empty() {
            let wake = {
                let mut incoming = lock(&self.incoming);
                let wake = incoming.is_empty();
                incoming.append(batch);
                wake
            };
            // Otherwise it was woken before and has not come yet.
            if wake {
                (self.wake_js)();
            }
        }
        if stalled {
            self.worker_stalled.store(true, SeqCst);
            // It may have been emptied since; whoever empties it from now on wakes the set.
            if !lock(&self.incoming).is_full() && self.worker_stalled.swap(false, SeqCst) {
                return Progress::Some;
            }
            return Progress::None;
        }
        progress
    }

    /// Declares that nothing will be done until the set is ready. False when there is something to be done after all.
    pub(crate) fn park(&self) -> bool {
        self.worker_parked.store(true, SeqCst);
        if lock(&self.outgoing).is_empty() {
            return true;
        }
        self.worker_parked.store(false, SeqCst);
        false
    }

    /// Says that the worker is up and about.
    pub(crate) fn woken(&self) {
        self.worker_parked.store(false, SeqCst);
    }

    /// The last word of the worker.
    pub(crate) fn worker_is_gone(&self) {
        let (gone, changed) = &self.worker_gone;
        *lock(gone) = true;
        changed.notify_all();
    }
}
