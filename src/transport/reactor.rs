//! All taken-over sockets of one JavaScript environment in one readiness set.
//!
//! Edge-triggered: after an event, a socket is read until a read brings less than there was room for, or (when its
//! peer has closed) nothing. A socket that might have more is looked at again in the next turn, so that one busy peer
//! does not keep all others waiting. Interest in writing exists only while bytes are left over.

use std::collections::VecDeque;
use std::io;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use super::heavy::Heavy;
use super::listener::{Deadlines, Listener, Requested, Stage, note_acceptable};
use super::outbox::{Outbox, Spares};
use super::socket::{Counters, Socket};
use crate::protocol::receiver::Receiver;
use crate::protocol::{Config, Event, Limits};

/// The most bytes that are read from one socket before the others have their turn.
pub(crate) const READ_LEN: usize = 64 * 1024;

/// Events taken from the operating system at a time.
const EVENTS: usize = 1024;

/// The token that wakes the set itself.
pub(super) const WAKE: Token = Token(usize::MAX);

/// Names a connection: its place in the low bits, and above them how often that place was used before, so that the
/// id of a closed connection does not mean the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id(u32);

const PLACE_BITS: u32 = 22;
const PLACE_MASK: u32 = (1 << PLACE_BITS) - 1;

impl Id {
    pub(crate) fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    pub(crate) fn raw(self) -> u32 {
        self.0
    }

    pub(crate) fn place(self) -> usize {
        (self.0 & PLACE_MASK) as usize
    }
}

/// Something that happened to a connection.
pub(crate) enum Happening<'a> {
    /// The peer's bytes mean this.
    Event(Event<'a>),
    /// The peer has closed its direction of the socket.
    End,
    /// The socket has failed.
    Error(io::Error),
    /// All that waited to be written has been, as this many calls of [`Reactor::notify`] wanted to know.
    Drained(u32),
    /// A connection has come in on a listener, and its request has arrived.
    Requested(Box<Requested>),
}

impl Happening<'_> {
    /// The same without borrows.
    pub(crate) fn into_owned(self) -> Happening<'static> {
        match self {
            Self::Event(event) => Happening::Event(event.into_owned()),
            Self::End => Happening::End,
            Self::Error(error) => Happening::Error(error),
            Self::Drained(asked) => Happening::Drained(asked),
            Self::Requested(requested) => Happening::Requested(requested),
        }
    }
}

/// Takes what happens, as it happens.
pub(crate) trait Sink {
    /// Called for each happening, in order for each connection. What an event borrows lies in the [`Space`] that was
    /// read into.
    fn take(&mut self, id: Id, happening: Happening<'_>);

    /// Whether the consequences of another read can be taken.
    fn has_room(&self) -> bool;
}

/// Memory to read into.
pub(crate) struct Space<'a> {
    memory: &'a mut [u8],
    used: usize,
    keep: bool,
}

impl<'a> Space<'a> {
    /// Memory in which everything that is read stays, until it is full.
    pub(crate) fn kept(memory: &'a mut [u8]) -> Self {
        Self { memory, used: 0, keep: true }
    }

    /// Memory that each read overwrites.
    pub(crate) fn reused(memory: &'a mut [u8]) -> Self {
        Self { memory, used: 0, keep: false }
    }

    pub(super) fn next(&mut self) -> Option<&mut [u8]> {
        self.memory.get_mut(self.used..self.used + READ_LEN)
    }

    pub(super) fn advance(&mut self, len: usize) {
        if self.keep {
            self.used += len;
        }
    }
}

/// How a turn of the reactor went.
pub(crate) struct Turn {
    /// Sockets that were read.
    pub(crate) served: usize,
    /// False when space or sink were full before all sockets had been read: call again when they have been emptied.
    pub(crate) finished: bool,
}

/// See the module.
pub(crate) struct Reactor {
    pub(super) poll: Poll,
    waker: Arc<Waker>,
    events: Events,
    sockets: Vec<Option<Socket>>,
    generations: Vec<u16>,
    free: Vec<u32>,
    dirty: Vec<Id>,
    /// Sockets to flush on the runtime: recipients of broadcasts.
    fan_out: VecDeque<Id>,
    /// Sockets that have something to read, in the order in which they get their turn.
    unread: VecDeque<Id>,
    spares: Spares,
    heavy: Heavy,
    pub(super) listeners: Vec<Option<Listener>>,
    pub(super) deadlines: Deadlines,
}

impl Reactor {
    /// An empty set.
    ///
    /// # Errors
    /// When the operating system gives none, for want of file descriptors.
    pub(crate) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        Ok(Self {
            poll,
            heavy: Heavy::new(Arc::clone(&waker)),
            waker,
            events: Events::with_capacity(EVENTS),
            sockets: Vec::new(),
            generations: Vec::new(),
            free: Vec::new(),
            dirty: Vec::new(),
            fan_out: VecDeque::new(),
            unread: VecDeque::new(),
            spares: Spares::default(),
            listeners: Vec::new(),
            deadlines: Deadlines::default(),
        })
    }

    /// Makes the descriptor of the set readable, from any thread.
    pub(crate) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// The descriptor that is readable when there is something to do.
    pub(crate) fn as_raw_fd(&self) -> RawFd {
        self.poll.as_raw_fd()
    }

    /// A duplicate of that descriptor.
    ///
    /// # Errors
    /// When there are no descriptors left.
    #[expect(unsafe_code, reason = "mio lends its descriptor as a number only")]
    pub(crate) fn duplicate_fd(&self) -> io::Result<OwnedFd> {
        // SAFETY: the descriptor of `poll`, which is open as long as `self` lives.
        unsafe { BorrowedFd::borrow_raw(self.as_raw_fd()) }.try_clone_to_owned()
    }

    /// Adds a duplicate of a connected, non-blocking stream socket. `early` was read from it before.
    ///
    /// # Errors
    /// When the descriptor cannot be duplicated or watched; nothing has changed then.
    pub(crate) fn add(
        &mut self,
        fd: BorrowedFd<'_>,
        config: Config,
        early: &[u8],
    ) -> io::Result<(Id, Arc<Counters>)> {
        let stream = TcpStream::from(fd.try_clone_to_owned()?);
        let socket = self.insert(stream, config, Stage::Open)?;
        socket.early = early.to_vec();
        let (id, counters) = (socket.id, Arc::clone(&socket.counters));
        self.look_at(id);
        Ok((id, counters))
    }

    /// Adds a socket of which the set will tell what can be read from now on.
    pub(super) fn insert(
        &mut self,
        stream: TcpStream,
        config: Config,
        stage: Stage,
    ) -> io::Result<&mut Socket> {
        let place = self.free.last().map_or(self.sockets.len(), |&place| place as usize);
        if place > PLACE_MASK as usize {
            return Err(io::Error::other("too many connections"));
        }
        let generation = self.generations.get(place).copied().unwrap_or(0);
        let id = Id(place as u32 | u32::from(generation) << PLACE_BITS);
        self.poll.registry().register(
            &mut SourceFd(&stream.as_raw_fd()),
            Token(place),
            Interest::READABLE,
        )?;
        if self.free.pop().is_none() {
            self.sockets.push(None);
            self.generations.push(0);
        }
        Ok(self.sockets[place].insert(Socket::new(id, stream, config, stage)))
    }

    /// Has a socket be read in the next turn, if it has something to be read that the set does not tell of.
    pub(super) fn look_at(&mut self, id: Id) {
        let Some(socket) = self.get_mut(id) else { return };
        if (socket.early.is_empty() && !socket.missed) || socket.unread {
            return;
        }
        socket.missed = false;
        socket.unread = true;
        self.unread.push_back(id);
        self.wake();
    }

    /// Removes a connection and closes its descriptor. What waited to be written is lost.
    pub(crate) fn remove(&mut self, id: Id) -> bool {
        self.take(id).is_some()
    }

    /// Removes a connection and closes its descriptor, and returns what somebody needs to go on in its place: the
    /// receiver, what was read before the socket was taken over and not looked at yet, and what waits to be written. What
    /// is being inflated happens now.
    pub(crate) fn release(&mut self, id: Id, sink: &mut impl Sink) -> Option<(Receiver, Vec<u8>, BytesMut)> {
        let mut socket = self.take(id)?;
        socket.take_back(sink);
        Some((socket.receiver, socket.early, socket.outbox.into_bytes()))
    }

    fn take(&mut self, id: Id) -> Option<Socket> {
        self.get_mut(id)?;
        let mut socket = self.sockets[id.place()].take()?;
        socket.watch(&self.poll, None);
        let generation = &mut self.generations[id.place()];
        *generation = (*generation + 1) & (u32::MAX >> PLACE_BITS) as u16;
        self.free.push(id.place() as u32);
        if matches!(socket.stage, Stage::Head(_)) {
            self.deadlines.head_count -= 1;
        }
        Some(socket)
    }

    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut Socket> {
        self.sockets.get_mut(id.place())?.as_mut().filter(|socket| socket.id == id)
    }

    /// Changes limits and mode of a connection; see [`Receiver::configure`].
    pub(crate) fn configure(&mut self, id: Id, max_frame_size: u64, max_message_size: u64, assemble: bool) {
        let Some(socket) = self.get_mut(id) else { return };
        match &mut socket.away {
            None => socket.receiver.configure(max_frame_size, max_message_size, assemble),
            Some(away) => away.configure = Some((max_frame_size, max_message_size, assemble)),
        }
    }

    /// Whether the receiver of a connection is away, inflating.
    pub(crate) fn is_inflating(&self, id: Id) -> bool {
        let socket = self.sockets.get(id.place()).and_then(Option::as_ref);
        socket.is_some_and(|socket| socket.id == id && socket.away.is_some())
    }

    /// Sets limits on numbers and rates of a connection that nothing has been read of yet.
    pub(crate) fn limit(&mut self, id: Id, limits: Limits) {
        if let Some(socket) = self.get_mut(id) {
            socket.receiver.limit(limits);
        }
    }

    /// Stops reading from a connection, or goes on with it.
    pub(crate) fn pause(&mut self, id: Id, paused: bool) {
        let Some(socket) = self.sockets.get_mut(id.place()).and_then(Option::as_mut) else { return };
        if socket.id != id || socket.paused == paused {
            return;
        }
        socket.paused = paused;
        // Coming back into the set reports anew what is there to be read of the socket, but not what was read before.
        socket.update_interest(&self.poll);
        if !paused {
            self.look_at(id);
        }
    }

    /// Lets `write` append to what waits for a connection; it leaves with the next flush.
    pub(crate) fn send(&mut self, id: Id, write: impl FnOnce(&mut BytesMut)) {
        self.append(id, |outbox, spares| write(outbox.tail(spares)));
    }

    /// Appends frames that others send as well to what waits for a connection.
    pub(crate) fn send_shared(&mut self, id: Id, frames: &Bytes) {
        self.append(id, |outbox, spares| outbox.push_shared(frames, spares));
    }

    /// The same, to leave with [`Reactor::flush_some`]; unless the socket is to be flushed anyway.
    pub(crate) fn fan_out(&mut self, id: Id, frames: &Bytes) {
        if self.append_to(id, |outbox, spares| outbox.push_shared(frames, spares)) {
            self.fan_out.push_back(id);
        }
    }

    fn append(&mut self, id: Id, append: impl FnOnce(&mut Outbox, &mut Spares)) {
        if self.append_to(id, append) {
            self.dirty.push(id);
        }
    }

    /// True when the socket stood in no list of those to flush, and now has to.
    fn append_to(&mut self, id: Id, append: impl FnOnce(&mut Outbox, &mut Spares)) -> bool {
        let socket = self.sockets.get_mut(id.place()).and_then(Option::as_mut).filter(|it| it.id == id);
        let Some(socket) = socket else { return false };
        append(&mut socket.outbox, &mut self.spares);
        !std::mem::replace(&mut socket.dirty, true)
    }

    /// Writes all that waits for a connection, and then `pieces`, at once: what the socket takes of a large message need
    /// not be copied. The rest waits, as with [`Reactor::send`].
    pub(crate) fn send_now<'p>(&mut self, id: Id, pieces: impl Iterator<Item = &'p [u8]>) {
        let Some(socket) = self.sockets.get_mut(id.place()).and_then(Option::as_mut) else { return };
        if socket.id != id {
            return;
        }
        let mut pieces = pieces.peekable();
        // Errors come again, with the next flush.
        let before = socket.outbox.flush(&socket.stream, &mut self.spares).unwrap_or_default();
        let count = before
            + if socket.outbox.is_empty() { socket.write_pieces(&mut pieces, &mut self.spares) } else { 0 };
        socket.counters.written.fetch_add(count as u64, Relaxed);
        self.append(id, |outbox, spares| {
            let tail = outbox.tail(spares);
            pieces.for_each(|piece| tail.extend_from_slice(piece));
        });
    }

    /// Asks for [`Happening::Drained`] when all that waits for a connection has been written, with the next flush if
    /// that is the case already. It never comes when the socket fails before.
    pub(crate) fn notify(&mut self, id: Id) {
        let Some(socket) = self.get_mut(id) else { return };
        socket.notify += 1;
        if !socket.dirty {
            socket.dirty = true;
            self.dirty.push(id);
        }
    }

    /// Writes what waits for one connection, as far as its socket takes it.
    pub(crate) fn flush_one(&mut self, id: Id, sink: &mut impl Sink) {
        let Some(socket) = self.sockets.get_mut(id.place()).and_then(Option::as_mut) else { return };
        if socket.id == id {
            socket.flush(&self.poll, &mut self.spares, sink);
        }
    }

    /// Writes what was broadcast to the next `count` sockets. False when there are no more.
    pub(crate) fn flush_some(&mut self, count: usize, sink: &mut impl Sink) -> bool {
        for _ in 0..count {
            let Some(id) = self.fan_out.pop_front() else { break };
            self.flush_one(id, sink);
        }
        !self.fan_out.is_empty()
    }

    /// Writes all that was sent, to whomever.
    pub(crate) fn flush_all(&mut self, sink: &mut impl Sink) {
        self.flush(sink);
        self.flush_some(usize::MAX, sink);
    }

    /// Writes what was sent since the last time: one write for each connection.
    pub(crate) fn flush(&mut self, sink: &mut impl Sink) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for id in dirty.drain(..) {
            self.flush_one(id, sink);
        }
        // Nothing was added meanwhile; this only keeps the memory.
        self.dirty = dirty;
    }

    /// Asks the operating system once what is ready, without waiting, and reads once from all that is, as long as
    /// there is space.
    ///
    /// # Errors
    /// When the set itself fails, which it should not.
    pub(crate) fn turn(&mut self, space: &mut Space<'_>, sink: &mut impl Sink) -> io::Result<Turn> {
        match self.poll.poll(&mut self.events, Some(Duration::ZERO)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        // Sockets for which there was no room among the events give no new edge: look again.
        let finished = self.events.iter().count() < EVENTS;
        for event in &self.events {
            let Some(socket) = self.sockets.get_mut(event.token().0).and_then(Option::as_mut) else {
                note_acceptable(&mut self.listeners, event.token());
                continue;
            };
            if event.is_writable() && !socket.outbox.is_empty() {
                socket.flush(&self.poll, &mut self.spares, sink);
            }
            let over = event.is_read_closed() || event.is_error();
            socket.closing |= over;
            if (event.is_readable() || over) && !socket.unread {
                socket.unread = true;
                self.unread.push_back(socket.id);
            }
            if over && matches!(socket.stage, Stage::Requested) && !socket.ended {
                socket.look_at_the_end(sink);
            }
        }
        self.accept();
        if !self.take_back(sink) {
            return Ok(Turn { served: 0, finished: false });
        }
        let mut served = 0;
        for _ in 0..self.unread.len() {
            let Some(&id) = self.unread.front() else { break };
            let Some(socket) =
                self.sockets.get_mut(id.place()).and_then(Option::as_mut).filter(|it| it.id == id)
            else {
                self.unread.pop_front();
                continue;
            };
            if socket.may_read() {
                if !sink.has_room() || space.next().is_none() {
                    return Ok(Turn { served, finished: false });
                }
                served += 1;
                let was_head = matches!(socket.stage, Stage::Head(_));
                socket.unread = socket.read(space, &mut self.heavy, sink);
                if was_head && !matches!(socket.stage, Stage::Head(_)) {
                    self.deadlines.passed_head(id, &socket.stage);
                }
                if socket.ended {
                    socket.update_interest(&self.poll);
                }
            } else {
                socket.missed = true;
                socket.unread = false;
            }
            self.unread.pop_front();
            if socket.is_abandoned() {
                self.remove(id);
            } else if socket.unread {
                self.unread.push_back(id);
            }
        }
        if !self.unread.is_empty() {
            // Edges do not come twice: be called again for these.
            self.wake();
        }
        Ok(Turn { served, finished })
    }

    /// Takes back the receivers that have inflated all they were given. False when `sink` was full before.
    fn take_back(&mut self, sink: &mut impl Sink) -> bool {
        while sink.has_room() {
            let Some(id) = self.heavy.next() else { return true };
            if let Some(socket) = self.get_mut(id) {
                socket.take_back(sink);
                self.look_at(id);
            }
        }
        false
    }

    /// Makes the descriptor of the set readable, so that [`Reactor::turn`] is called.
    pub(crate) fn wake(&self) {
        // It fails only when the counter behind it overflows, and then the descriptor is readable anyway.
        let _ = self.waker.wake();
    }
}
