//! What JavaScript has sent while a worker drives the reactor; and messages to very many, whoever drives, until they have reached
//! the outboxes of their recipients.
//!
//! The worker *parks* by finding nothing here, under the lock. Whoever adds something and wants it written wakes a parked
//! worker, once.

use std::sync::atomic::Ordering::SeqCst;

use bytes::{Bytes, BytesMut};

use super::surroundings::Reactor;
use crate::transport::reactor::event::ConnectionId;
use crate::transport::sync::{AtomicU32, Mutex, lock};

enum Command {
    /// The next so many bytes are for this connection.
    Send(ConnectionId, usize),
    /// These are for this connection.
    SendShared(ConnectionId, Bytes),
    /// These are for all of these.
    Broadcast(Vec<ConnectionId>, Bytes),
    /// Tell when all that waits for this connection has been written.
    Notify(ConnectionId),
}

/// Frames and wishes, in order.
#[derive(Default)]
pub(super) struct Commands {
    list: Vec<Command>,
    bytes: BytesMut,
}

/// Memory for frames that is kept for the next ones.
const KEPT: usize = 1 << 20;

impl Commands {
    /// Passes everything on to the reactor, messages to many by `broadcast`. Keeps the memory. Returns how many of those there
    /// were.
    #[must_use]
    pub(super) fn apply(
        &mut self,
        reactor: &mut Reactor,
        broadcast: fn(&mut Reactor, ConnectionId, &Bytes),
    ) -> u32 {
        let (mut at, mut broadcasts) = (0, 0);
        for command in self.list.drain(..) {
            match command {
                Command::Send(id, len) => {
                    reactor.send(id, |out| out.extend_from_slice(&self.bytes[at..at + len]));
                    at += len;
                }
                Command::SendShared(id, frames) => reactor.send_shared(id, &frames),
                Command::Broadcast(ids, frames) => {
                    broadcasts += 1;
                    for id in ids {
                        broadcast(reactor, id, &frames);
                    }
                }
                Command::Notify(id) => reactor.notify(id),
            }
        }
        if self.bytes.capacity() > KEPT {
            self.bytes = BytesMut::new();
        } else {
            self.bytes.clear();
        }
        broadcasts
    }
}

#[derive(Default)]
struct State {
    commands: Commands,
    worker_is_parked: bool,
}

/// See the module.
#[derive(Default)]
pub(super) struct Outgoing {
    state: Mutex<State>,
    /// Messages to many that were added so far, and those that have reached the reactor as a whole.
    broadcasts_added: AtomicU32,
    broadcasts_applied: AtomicU32,
}

impl Outgoing {
    /// Lets `write` append frames for a connection.
    pub(super) fn send(&self, id: ConnectionId, write: impl FnOnce(&mut BytesMut)) {
        let State { commands, .. } = &mut *lock(&self.state);
        let before = commands.bytes.len();
        write(&mut commands.bytes);
        let len = commands.bytes.len() - before;
        match commands.list.last_mut() {
            Some(Command::Send(last, last_len)) if *last == id => *last_len += len,
            _ => commands.list.push(Command::Send(id, len)),
        }
    }

    /// Adds frames that are in memory of their own.
    pub(super) fn send_shared(&self, id: ConnectionId, frames: Bytes) {
        lock(&self.state).commands.list.push(Command::SendShared(id, frames));
    }

    pub(super) fn broadcast(&self, ids: Vec<ConnectionId>, frames: Bytes) {
        let mut state = lock(&self.state);
        // With the lock held: whoever sees the number finds the message.
        self.broadcasts_added.fetch_add(1, SeqCst);
        state.commands.list.push(Command::Broadcast(ids, frames));
    }

    pub(super) fn notify(&self, id: ConnectionId) {
        lock(&self.state).commands.list.push(Command::Notify(id));
    }

    /// Whether the worker is parked and has something to do here. It is not parked any more then, and must be woken.
    #[must_use]
    pub(super) fn unpark_for_commands(&self) -> bool {
        let mut state = lock(&self.state);
        !state.commands.list.is_empty() && std::mem::take(&mut state.worker_is_parked)
    }

    /// The same when there is something to do elsewhere.
    #[must_use]
    pub(super) fn unpark(&self) -> bool {
        std::mem::take(&mut lock(&self.state).worker_is_parked)
    }

    /// The worker sleeps from now on, unless there is something to do: then false.
    #[must_use]
    pub(super) fn park(&self) -> bool {
        let mut state = lock(&self.state);
        state.worker_is_parked = state.commands.list.is_empty();
        state.worker_is_parked
    }

    /// Takes everything, in exchange for `commands`, which are empty.
    pub(super) fn take(&self, commands: &mut Commands) {
        std::mem::swap(&mut lock(&self.state).commands, commands);
    }

    /// Commands that were taken have been applied, and there were so many messages to many among them.
    pub(super) fn note_applied(&self, broadcasts: u32) {
        self.broadcasts_applied.fetch_add(broadcasts, SeqCst);
    }

    /// Whether there is a message to many that has not reached the reactor as a whole.
    #[must_use]
    pub(super) fn has_broadcasts(&self) -> bool {
        self.broadcasts_added.load(SeqCst) != self.broadcasts_applied.load(SeqCst)
    }

    /// Passes everything on to the reactor, messages to many by `broadcast`.
    pub(super) fn apply(&self, reactor: &mut Reactor, broadcast: fn(&mut Reactor, ConnectionId, &Bytes)) {
        let mut state = lock(&self.state);
        if !state.commands.list.is_empty() {
            let broadcasts = state.commands.apply(reactor, broadcast);
            self.note_applied(broadcasts);
        }
    }

    /// Passes the first message to many on to `count` of its recipients. False when there is none.
    #[must_use]
    pub(super) fn apply_some(&self, reactor: &mut Reactor, count: usize) -> bool {
        let mut state = lock(&self.state);
        let Some(Command::Broadcast(ids, frames)) = state.commands.list.first_mut() else { return false };
        let rest = ids.len().saturating_sub(count);
        for id in ids.drain(rest..) {
            reactor.fan_out(id, frames);
        }
        if rest == 0 {
            state.commands.list.remove(0);
            self.note_applied(1);
        }
        true
    }
}
