//! What stands in for sockets, the readiness set, Node's loop and the runtime when loom tries the rules of
//! [`shared_reactor`](super::shared_reactor).
//!
//! A message is one byte, which is read as a Pong and written as itself.

#![expect(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the interfaces are those of the real ones"
)]

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use crate::protocol::Event;
use crate::slots::SlotId;
use crate::transport::reactor::event::{ConnectionId, Events, Room, SocketEvent};
use crate::transport::reactor::{Deadlines, Look, Progress};
use crate::transport::sync::{Condvar, Mutex, lock, wait};

pub(super) use World as Waker;

/// Everything outside of the process's memory, and what sleeping threads wait for.
#[derive(Default)]
pub(super) struct World {
    state: Mutex<State>,
    changed: Condvar,
    /// What peers have got. Only looked at between two steps of the model, so it is no part of what loom tries.
    written: std::sync::Mutex<Vec<Vec<u8>>>,
}

#[derive(Default)]
struct State {
    /// Bytes that peers have sent and nobody has read.
    incoming: Vec<VecDeque<u8>>,
    /// The descriptor of the set is readable.
    is_ready: bool,
    /// How many workers there are.
    workers: u32,
    /// How often it has become so, for a worker, which is told of that and not of the state.
    edges: u64,
    /// Somebody has called `uv_async_send`.
    is_js_woken: bool,
    /// The environment has ended, and what wakes it has been freed.
    is_js_gone: bool,
}

impl World {
    /// With this many connections.
    pub(super) fn new(connections: usize) -> Arc<Self> {
        let world = Self::default();
        lock(&world.state).incoming.resize_with(connections, VecDeque::new);
        world.written.lock().expect("no panic").resize_with(connections, Vec::new);
        Arc::new(world)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut lock(&self.state));
        self.changed.notify_all();
    }

    fn become_ready(state: &mut State) {
        state.is_ready = true;
        state.edges += 1;
    }

    /// Makes the set readable.
    pub(super) fn wake(&self) -> io::Result<()> {
        self.change(Self::become_ready);
        Ok(())
    }

    /// A peer sends something.
    pub(super) fn arrive(&self, connection: usize, bytes: &[u8]) {
        self.change(|state| {
            state.incoming[connection].extend(bytes);
            Self::become_ready(state);
        });
    }

    /// Bytes that nobody has read.
    pub(super) fn unread(&self, connection: usize) -> Vec<u8> {
        lock(&self.state).incoming[connection].iter().copied().collect()
    }

    pub(super) fn written(&self, connection: usize) -> Vec<u8> {
        self.written.lock().expect("no panic")[connection].clone()
    }

    // ------------------------------------------------------------------------------------------ sleeping threads

    pub(super) fn wake_js(&self) {
        self.change(|state| {
            assert!(!state.is_js_gone, "what wakes the JavaScript thread is used after it was freed");
            state.is_js_woken = true;
        });
    }

    pub(super) fn free_js(&self) {
        self.change(|state| state.is_js_gone = true);
    }

    /// Node's loop waits until it has to call: true when it `polls` the set and that is readable.
    pub(super) fn wait_for_call(&self, polls: bool) -> bool {
        let mut state = lock(&self.state);
        while !(state.is_js_woken || polls && state.is_ready) {
            state = wait(&self.changed, state);
        }
        state.is_js_woken = false;
        polls && state.is_ready
    }

    /// A worker begins to watch the set: the edge it has seen last.
    pub(super) fn watch(&self) -> u64 {
        let mut state = lock(&self.state);
        assert_eq!(state.workers, 0, "there is one worker at a time");
        state.workers += 1;
        state.edges - u64::from(state.is_ready)
    }

    /// A worker is about to say that it is gone.
    pub(super) fn unwatch(&self) {
        lock(&self.state).workers -= 1;
    }

    /// A worker waits for an edge behind that one.
    pub(super) fn wait_for_edge(&self, seen: u64) -> u64 {
        let mut state = lock(&self.state);
        while state.edges == seen {
            state = wait(&self.changed, state);
        }
        state.edges
    }
}

#[derive(Default)]
struct Socket {
    is_stopped: bool,
    in_flush_list: bool,
    outbox: Vec<u8>,
    notify: u32,
}

/// Reads a byte of each connection in a turn.
pub(crate) struct Reactor {
    world: Arc<World>,
    sockets: Vec<Socket>,
    /// The set has told of something, and not everything of it was read.
    may_read: bool,
    flush_list: Vec<ConnectionId>,
    fan_out_list: VecDeque<ConnectionId>,
}

impl Reactor {
    pub(super) fn new(world: &Arc<World>) -> Self {
        let mut sockets = Vec::new();
        sockets.resize_with(lock(&world.state).incoming.len(), Socket::default);
        let world = Arc::clone(world);
        Self { world, sockets, may_read: false, flush_list: Vec::new(), fan_out_list: VecDeque::new() }
    }

    pub(super) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.world)
    }

    pub(super) fn has_work(&self) -> bool {
        self.may_read || !self.flush_list.is_empty() || !self.fan_out_list.is_empty()
    }

    pub(super) fn turn(&mut self, _: Look, room: Room, events: &mut Events) -> io::Result<Progress> {
        let mut state = lock(&self.world.state);
        self.may_read |= std::mem::take(&mut state.is_ready);
        events.load.turns += 1;
        if !self.may_read {
            return Ok(Progress::Idle);
        }
        let mut is_left = false;
        for (index, _) in self.sockets.iter().enumerate().filter(|(_, socket)| !socket.is_stopped) {
            let incoming = &mut state.incoming[index];
            if incoming.is_empty() {
                continue;
            }
            if !events.fit(room) {
                return Ok(Progress::Full);
            }
            let payload = Cow::Owned(incoming.drain(..1).collect());
            events.push(SlotId::from_raw(index as u32), SocketEvent::Received(Event::Pong(payload)));
            is_left |= !incoming.is_empty();
        }
        self.may_read = is_left;
        Ok(if is_left { Progress::More } else { Progress::Idle })
    }

    pub(super) fn stop(&mut self, id: ConnectionId, events: &mut Events) {
        self.sockets[id.index()].is_stopped = true;
        events.push(id, SocketEvent::Stopped);
    }

    pub(super) fn fail_all(&mut self, _: &io::Error, events: &mut Events) {
        self.flush_list.clear();
        self.fan_out_list.clear();
        for (index, socket) in self.sockets.iter_mut().enumerate() {
            socket.is_stopped = true;
            events.push(SlotId::from_raw(index as u32), SocketEvent::Error(io::ErrorKind::BrokenPipe.into()));
        }
    }

    pub(super) fn expire(&mut self, _: Instant, _: &mut Events) -> Deadlines {
        Deadlines::None
    }

    // --------------------------------------------------------------------------------------------------- sending

    fn append(&mut self, id: ConnectionId, bytes: &[u8]) -> bool {
        let socket = &mut self.sockets[id.index()];
        socket.outbox.extend(bytes);
        !std::mem::replace(&mut socket.in_flush_list, true)
    }

    pub(super) fn send(&mut self, id: ConnectionId, write: impl FnOnce(&mut BytesMut)) {
        let mut bytes = BytesMut::new();
        write(&mut bytes);
        self.send_shared(id, &bytes.freeze());
    }

    pub(super) fn send_shared(&mut self, id: ConnectionId, frames: &Bytes) {
        if self.append(id, frames) {
            self.flush_list.push(id);
        }
    }

    pub(super) fn send_now<'p>(&mut self, id: ConnectionId, pieces: impl Iterator<Item = &'p [u8]>) {
        let frames: Vec<u8> = pieces.flatten().copied().collect();
        self.send_shared(id, &frames.into());
    }

    pub(super) fn fan_out(&mut self, id: ConnectionId, frames: &Bytes) {
        if self.append(id, frames) {
            self.fan_out_list.push_back(id);
        }
    }

    pub(super) fn notify(&mut self, id: ConnectionId) {
        self.sockets[id.index()].notify += 1;
        self.send_shared(id, &Bytes::new());
    }

    fn flush_one(&mut self, id: ConnectionId, events: &mut Events) {
        let socket = &mut self.sockets[id.index()];
        socket.in_flush_list = false;
        self.world.written.lock().expect("no panic")[id.index()].append(&mut socket.outbox);
        match std::mem::take(&mut socket.notify) {
            0 => {}
            asked => events.push(id, SocketEvent::Drained(asked)),
        }
    }

    pub(super) fn flush(&mut self, events: &mut Events) {
        for id in std::mem::take(&mut self.flush_list) {
            self.flush_one(id, events);
        }
    }

    pub(super) fn flush_some(&mut self, count: usize, events: &mut Events) -> bool {
        for _ in 0..count {
            let Some(id) = self.fan_out_list.pop_front() else { break };
            self.flush_one(id, events);
        }
        !self.fan_out_list.is_empty()
    }

    pub(super) fn flush_all(&mut self, events: &mut Events) {
        self.flush(events);
        self.flush_some(usize::MAX, events);
    }
}

/// Tokio's, for a thread.
#[derive(Default)]
pub(super) struct Notify {
    has_permit: Mutex<bool>,
    changed: Condvar,
}

impl Notify {
    pub(super) fn notify_one(&self) {
        *lock(&self.has_permit) = true;
        self.changed.notify_one();
    }

    pub(super) fn wait(&self) {
        let mut has_permit = lock(&self.has_permit);
        while !std::mem::take(&mut *has_permit) {
            has_permit = wait(&self.changed, has_permit);
        }
    }
}

/// Runs a task on a thread of its own.
pub(super) mod runtime {
    use std::io;
    use std::pin::pin;
    use std::task::{Context, Waker};

    pub(in super::super) struct Runtime;

    pub(in super::super) fn get() -> io::Result<&'static Runtime> {
        Ok(&Runtime)
    }

    impl Runtime {
        /// `task` waits for nothing.
        pub(in super::super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
            loom::thread::spawn(move || {
                let polled = pin!(task).poll(&mut Context::from_waker(Waker::noop()));
                assert!(polled.is_ready(), "the task waits for something");
            });
        }
    }
}
