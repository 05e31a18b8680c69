//! The JavaScript thread, played by a test: it takes events in portions, and Node's loop calls it when a descriptor is ready.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::event_queue::Wake;
use super::shared_reactor::SharedReactor;
use super::{runtime, worker};
use crate::transport::reactor::event::{ConnectionId, Events};
use crate::transport::reactor::inflation::Spawn;
use crate::transport::reactor::read_buffer::{READ_LEN, ReceivedBytes, test_ring};
use crate::transport::reactor::test_support::{PATIENCE, Seen, config};
use crate::transport::reactor::{Progress, Reactor};

/// See the module.
pub(super) struct JavaScript {
    pub(super) shared: Arc<SharedReactor>,
    received: ReceivedBytes,
    set: OwnedFd,
    /// Readable when somebody has woken this thread.
    wake: UnixStream,
    /// Nobody must wake this thread any more.
    is_gone: Arc<AtomicBool>,
    taken: Events,
    /// Events that are delivered at a time.
    pub(super) portion: usize,
    /// What has been delivered, in order.
    pub(super) seen: Vec<(ConnectionId, Seen)>,
}

/// Work runs on the runtime, as in Node.
fn spawn() -> Spawn {
    Box::new(|work| drop(runtime::get().expect("threads").spawn_blocking(work)))
}

impl JavaScript {
    pub(super) fn new() -> Self {
        let (buffer, received) = test_ring(16 * READ_LEN);
        let reactor = Reactor::new(buffer, spawn()).expect("descriptors");
        let set = reactor.duplicate_fd().expect("descriptors");
        let (wake, waker) = UnixStream::pair().expect("descriptors");
        for end in [&wake, &waker] {
            end.set_nonblocking(true).expect("a socket");
        }
        let is_gone = Arc::new(AtomicBool::new(false));
        let gone = Arc::clone(&is_gone);
        let wake_js = move || {
            assert!(!gone.load(SeqCst), "the JavaScript thread is woken after its end");
            // When it is full, the thread is woken anyway.
            let _ = (&waker).write(&[1]);
        };
        let shared = SharedReactor::new(reactor, true, Box::new(wake_js));
        let (taken, portion, seen) = (Events::default(), 1024, Vec::new());
        Self { shared, received, set, wake, is_gone, taken, portion, seen }
    }

    pub(super) fn with_worker() -> Self {
        let mut js = Self::new();
        js.give_to_worker();
        js
    }

    pub(super) fn give_to_worker(&mut self) {
        let set = self.set.try_clone().expect("descriptors");
        self.shared.give_to_worker();
        worker::start(&self.shared, set).expect("a runtime");
    }

    pub(super) fn take_from_worker(&mut self) {
        self.shared.take_from_worker();
        self.turn(false);
    }

    pub(super) fn with_reactor<T>(&mut self, work: impl FnOnce(&mut Reactor, &mut Events) -> T) -> T {
        let (result, wake) = self.shared.with_reactor(work);
        self.schedule(wake);
        result.expect("the environment has not ended")
    }

    pub(super) fn add(&mut self, socket: &impl AsFd) -> ConnectionId {
        self.with_reactor(|reactor, _| reactor.add(socket.as_fd(), config(), &[], true, true))
            .expect("descriptors")
            .0
    }

    pub(super) fn send(&mut self, id: ConnectionId, bytes: &[u8]) {
        self.shared.send(id, |out| out.extend_from_slice(bytes));
    }

    pub(super) fn flush(&mut self) {
        let wake = self.shared.flush();
        self.schedule(wake);
    }

    fn schedule(&mut self, wake: Wake) {
        if wake == Wake::JavaScript {
            self.turn(false);
        }
    }

    /// What the loop does when it calls.
    pub(super) fn turn(&mut self, mut ready: bool) {
        while self.shared.turn_on_loop(ready) != Progress::Idle
            || !self.taken.is_empty()
            || !self.shared.queue.sleep_if_empty()
        {
            ready = false;
            self.deliver();
            let _ = self.shared.flush();
        }
        if self.shared.worker_has_failed() && self.shared.is_worker_driven() {
            self.take_from_worker();
        }
    }

    /// Delivers a portion.
    fn deliver(&mut self) {
        if self.taken.is_empty() {
            self.shared.queue.take(&mut self.taken);
        }
        let before = self.taken.owned_bytes();
        let (mut count, mut releases) = (0, 0);
        while count < self.portion
            && let Some(entry) = self.taken.pop()
        {
            count += 1;
            releases = releases.max(entry.releases);
            self.seen.push((entry.id, Seen::of(entry.event, &self.received)));
        }
        if count > 0 {
            self.received.release(releases);
            self.shared.delivered(count, before - self.taken.owned_bytes());
        }
    }

    /// Lets the loop wait, for so long at most, and call.
    pub(super) fn wait(&mut self, patience: Duration) {
        let timeout = Timespec::try_from(patience).expect("a short time");
        let mut ends = vec![PollFd::new(&self.wake, PollFlags::IN)];
        if !self.shared.is_worker_driven() {
            ends.push(PollFd::new(&self.set, PollFlags::IN));
        }
        poll(&mut ends, Some(&timeout)).expect("poll");
        let ready = ends.get(1).is_some_and(|set| !set.revents().is_empty());
        let is_woken = !ends[0].revents().is_empty();
        drop(ends);
        if is_woken {
            while self.wake.read(&mut [0; 64]).is_ok() {}
        }
        if is_woken || ready {
            self.turn(ready);
        }
    }

    /// Lets the loop call until something has come true.
    pub(super) fn until(&mut self, mut is_true: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_true(self) {
            assert!(Instant::now() < end, "has not come; seen: {:.2000}", format!("{:?}", self.seen));
            self.wait(Duration::from_millis(20));
        }
    }

    pub(super) fn seen_of(&self, id: ConnectionId) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(move |(whose, _)| *whose == id).map(|(_, seen)| seen)
    }

    pub(super) fn messages_of(&self, id: ConnectionId) -> Vec<&[u8]> {
        self.seen_of(id)
            .filter_map(|seen| if let Seen::Message(payload) = seen { Some(&payload[..]) } else { None })
            .collect()
    }

    pub(super) fn drained(&self, id: ConnectionId) -> u32 {
        self.seen_of(id).map(|seen| if let Seen::Drained(count) = seen { *count } else { 0 }).sum()
    }

    pub(super) fn has_failed(&self, id: ConnectionId) -> bool {
        self.seen_of(id).any(|seen| matches!(seen, Seen::Error(_)))
    }
}

impl Drop for JavaScript {
    /// The environment ends.
    fn drop(&mut self) {
        drop(self.shared.end());
        self.is_gone.store(true, SeqCst);
    }
}
