//! The reactor: reads and writes the sockets of one JavaScript environment.
//!
//! Edge-triggered: after an event, a socket is read until a read brings less than there was room for, or (where that proves
//! nothing) until there is nothing more. A socket that might have more waits for the next turn, so that one busy peer does
//! not keep all others waiting. Interest in writing exists only while bytes are left over.
//!
//! What happens is added to the [`Events`] that a call is given. The reactor never wakes anybody: whoever has called it asks
//! [`Reactor::has_work`] whether another turn is due.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use mio::unix::SourceFd;
use mio::{Interest, Poll, Token, Waker};

use super::event::{ConnectionId, Events, ListenerId, Room, SocketEvent};
use super::inflation::{Inflations, Spawn, Step};
use super::listeners::{Accepted, Late, Listeners};
use super::opening::{Opening, Stage};
use super::outbox::{Outbox, Spares};
use super::read_buffer::{READ_LEN, ReadBuffer};
use super::secure::Secure;
use super::socket::{Counters, Socket, watched};
use super::states::{Reasons, WriteState};
use super::{Deadlines, Look, Progress};
use crate::handshake::head::{HeadReader, refusal};
use crate::protocol::receiver::Receiver;
use crate::protocol::{Config, Limits, Role};
use crate::slots::Slots;
use crate::tls::{Context, Session};

/// Events taken from the operating system at a time.
const EVENTS: usize = 1024;

/// Sockets that are read in a turn.
const READ_AT_ONCE: usize = 1024;

/// Bytes that are read in a turn, roughly: frames of a few bytes that come to nothing take a millisecond for each read.
const BYTES_AT_ONCE: u64 = 8 * READ_LEN as u64;

/// The token that wakes the set itself.
pub(super) const WAKE: Token = Token(usize::MAX);

/// Turns in a row that read from the only socket without asking the set.
const GUESSES: u32 = 16;

/// What somebody needs to go on in place of the reactor.
pub(crate) struct Released {
    pub(crate) receiver: Receiver,
    /// What was read and not looked at yet.
    pub(crate) unread: Vec<u8>,
}

/// See the module.
pub(crate) struct Reactor {
    poll: Poll,
    waker: Arc<Waker>,
    ready: mio::Events,
    /// The set is to be asked: it had more to tell than there was room for, or a guess was wrong.
    unasked: bool,
    /// The last socket that was read.
    last_read: ConnectionId,
    /// Turns in a row that did not ask the set although it was ready.
    guesses: u32,
    sockets: Slots<Socket>,
    listeners: Listeners,
    inflations: Inflations,
    buffer: ReadBuffer,
    /// Sockets that may have something to read, in the order in which they get their turn.
    read_list: VecDeque<ConnectionId>,
    /// Sockets that may have something to write.
    flush_list: Vec<ConnectionId>,
    /// Recipients of broadcasts, which other threads may write to.
    fan_out_list: VecDeque<ConnectionId>,
    spares: Spares,
    /// What goes wrong next, for tests of what comes of it.
    #[cfg(test)]
    pub(crate) fault: Option<Fault>,
}

/// A socket that is read because it is the only one.
struct Guess {
    id: ConnectionId,
    /// What was read from it before.
    read: u64,
}

/// Something that does not happen by itself.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    PanicInTurn,
    PanicInFlush,
    /// The set fails with this error number.
    Set(i32),
}

impl Reactor {
    /// An empty set that reads into `buffer`. `spawn` has work done on other threads.
    ///
    /// # Errors
    /// When the operating system gives no set, for want of file descriptors.
    pub(crate) fn new(buffer: ReadBuffer, spawn: Spawn) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        Ok(Self {
            poll,
            inflations: Inflations::new(Arc::clone(&waker), spawn),
            waker,
            ready: mio::Events::with_capacity(EVENTS),
            unasked: false,
            last_read: ConnectionId::from_raw(u32::MAX),
            guesses: 0,
            sockets: Slots::new(),
            listeners: Listeners::new(),
            buffer,
            read_list: VecDeque::new(),
            flush_list: Vec::new(),
            fan_out_list: VecDeque::new(),
            spares: Spares::default(),
            #[cfg(test)]
            fault: None,
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

    /// Whether a turn would find something to do although the set says nothing.
    pub(crate) fn has_work(&mut self) -> bool {
        self.unasked
            || !self.read_list.is_empty()
            || !self.flush_list.is_empty()
            || !self.fan_out_list.is_empty()
            || self.inflations.can_start()
            || self.inflations.has_finished()
            || self.listeners.is_pending()
    }

    // ---------------------------------------------------------------------------------------------------- sockets

    /// Adds a duplicate of a connected, non-blocking stream socket. `early` was read from it before. `reads_to_end` and
    /// `is_shared`: see [`Socket`].
    ///
    /// # Errors
    /// When the descriptor cannot be duplicated or watched; nothing has changed then.
    pub(crate) fn add(
        &mut self,
        fd: BorrowedFd<'_>,
        config: Config,
        early: &[u8],
        reads_to_end: bool,
        is_shared: bool,
    ) -> io::Result<(ConnectionId, Arc<Counters>)> {
        let stream = TcpStream::from(fd.try_clone_to_owned()?);
        let socket = self.insert(stream, config, Stage::Open)?;
        socket.is_shared = is_shared;
        socket.reads_to_end = reads_to_end;
        socket.early = early.to_vec();
        let (id, counters) = (socket.id, Arc::clone(&socket.counters));
        if !early.is_empty() {
            self.schedule_read(id);
        }
        Ok((id, counters))
    }

    /// Adds a socket; the set tells from now on what can be read from it.
    fn insert(&mut self, stream: TcpStream, config: Config, stage: Stage) -> io::Result<&mut Socket> {
        let id = self.sockets.next_id().ok_or_else(|| io::Error::other("too many connections"))?;
        self.poll.registry().register(
            &mut SourceFd(&stream.as_raw_fd()),
            Token(id.index()),
            watched(Interest::READABLE),
        )?;
        self.sockets.insert(Socket::new(id, stream, config, stage));
        self.sockets.get_mut(id).ok_or_else(|| io::Error::other("the socket was just added"))
    }

    fn schedule_read(&mut self, id: ConnectionId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        if !std::mem::replace(&mut socket.in_read_list, true) {
            self.read_list.push_back(id);
        }
    }

    /// Removes a connection and closes its descriptor. What waited to be written is lost.
    pub(crate) fn remove(&mut self, id: ConnectionId) -> bool {
        self.take(id).is_some()
    }

    /// Reads nothing more from a connection, for good. [`SocketEvent::Stopped`] follows everything that was read before;
    /// then, [`Reactor::release`] gives what somebody else needs to go on. What waits to be written is returned at once;
    /// nothing with `keeps_writing`.
    pub(crate) fn stop(
        &mut self,
        id: ConnectionId,
        keeps_writing: bool,
        events: &mut Events,
    ) -> Option<BytesMut> {
        let socket = self.sockets.get_mut(id)?;
        socket.read.hold(Reasons::STOPPED);
        if socket.inflating.is_none() {
            events.push(id, SocketEvent::Stopped);
        }
        if keeps_writing {
            return Some(BytesMut::new());
        }
        socket.notify = 0;
        Some(std::mem::take(&mut socket.outbox).into_bytes())
    }

    /// Removes a connection, and returns what somebody needs to go on in its place.
    pub(crate) fn release(&mut self, id: ConnectionId) -> Option<Released> {
        let socket = self.take(id)?;
        Some(Released { receiver: socket.receiver, unread: socket.early })
    }

    /// The program goes on with the plaintext of a session of TLS. Returns what it needs for that. Nothing is read before
    /// [`Reactor::pause`] says that it may be.
    pub(crate) fn unwrap(&mut self, id: ConnectionId) -> Option<Released> {
        let socket = self.sockets.get_mut(id).filter(|socket| socket.tls.is_some())?;
        socket.stage = Stage::Raw;
        socket.read.hold(Reasons::PAUSED);
        let _ = socket.read.let_go(Reasons::STOPPED | Reasons::REQUESTED);
        socket.read.miss();
        let receiver = std::mem::replace(&mut socket.receiver, Receiver::over());
        Some(Released { receiver, unread: std::mem::take(&mut socket.early) })
    }

    fn take(&mut self, id: ConnectionId) -> Option<Socket> {
        let socket = self.sockets.remove(id)?;
        socket.deregister(&self.poll);
        if matches!(socket.stage, Stage::Head(_)) {
            self.listeners.passed_head();
        }
        Some(socket)
    }

    /// Changes limits and mode of a connection; see [`Receiver::configure`].
    pub(crate) fn configure(
        &mut self,
        id: ConnectionId,
        max_frame_size: u64,
        max_message_size: u64,
        assemble: bool,
    ) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        match &mut socket.inflating {
            Some(inflating) if matches!(inflating.step, Step::Running(_)) => {
                inflating.configure = Some((max_frame_size, max_message_size, assemble));
            }
            _ => socket.receiver.configure(max_frame_size, max_message_size, assemble),
        }
    }

    /// Whether something is being inflated for a connection, for tests.
    pub(crate) fn is_inflating(&self, id: ConnectionId) -> bool {
        self.sockets.get(id).is_some_and(|socket| socket.inflating.is_some())
    }

    /// The number of sockets, those included that JavaScript has not heard of.
    #[cfg(test)]
    pub(crate) fn count_sockets(&self) -> usize {
        self.sockets.len()
    }

    /// Sets limits on numbers and rates of a connection that nothing has been read of yet.
    pub(crate) fn limit(&mut self, id: ConnectionId, limits: Limits) {
        if let Some(socket) = self.sockets.get_mut(id) {
            socket.receiver.limit(limits);
        }
    }

    /// Stops reading from a connection, or goes on with it.
    pub(crate) fn pause(&mut self, id: ConnectionId, paused: bool) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        if paused {
            socket.read.hold(Reasons::PAUSED);
        } else if socket.read.let_go(Reasons::PAUSED) {
            self.schedule_read(id);
        }
    }

    /// A duplicate of the descriptor of a connection, for somebody who takes care of it; `None` when there is none to be had.
    pub(crate) fn duplicate_socket(&mut self, id: ConnectionId) -> Option<RawFd> {
        let socket = self.sockets.get_mut(id)?;
        let duplicate = socket.stream.try_clone().ok()?.into_raw_fd();
        socket.is_shared = true;
        Some(duplicate)
    }

    /// The sockets are of no use any more, because of a fault of ours or of the operating system: ends all of them.
    pub(crate) fn fail_all(&mut self, error: &io::Error, events: &mut Events) {
        self.read_list.clear();
        self.flush_list.clear();
        self.fan_out_list.clear();
        let mut unknown = Vec::new();
        for (id, socket) in self.sockets.iter_mut() {
            socket.in_read_list = false;
            socket.in_flush_list = false;
            if matches!(socket.stage, Stage::Open | Stage::Requested | Stage::Raw) {
                let error = error
                    .raw_os_error()
                    .map_or_else(|| io::Error::other(error.to_string()), io::Error::from_raw_os_error);
                socket.fail(error, events);
            } else {
                unknown.push(id);
            }
        }
        for id in unknown {
            self.remove(id);
        }
    }

    // ---------------------------------------------------------------------------------------------------- sending

    /// Lets `write` append to what waits for a connection; it leaves with the next flush.
    pub(crate) fn send(&mut self, id: ConnectionId, write: impl FnOnce(&mut BytesMut)) {
        self.append(id, |outbox, spares| write(outbox.tail(spares)));
    }

    /// Appends frames that others send as well to what waits for a connection.
    pub(crate) fn send_shared(&mut self, id: ConnectionId, frames: &Bytes) {
        self.append(id, |outbox, spares| outbox.push_shared(frames, spares));
    }

    /// The same, to leave with [`Reactor::flush_some`]; unless the socket is to be flushed anyway.
    pub(crate) fn fan_out(&mut self, id: ConnectionId, frames: &Bytes) {
        if self.append_to(id, |outbox, spares| outbox.push_shared(frames, spares)) {
            self.fan_out_list.push_back(id);
        }
    }

    fn append(&mut self, id: ConnectionId, append: impl FnOnce(&mut Outbox, &mut Spares)) {
        if self.append_to(id, append) {
            self.flush_list.push(id);
        }
    }

    /// True when the socket stood in no list of those to flush, and now has to.
    fn append_to(&mut self, id: ConnectionId, append: impl FnOnce(&mut Outbox, &mut Spares)) -> bool {
        let Some(socket) = self.sockets.get_mut(id) else { return false };
        append(&mut socket.outbox, &mut self.spares);
        !std::mem::replace(&mut socket.in_flush_list, true)
    }

    /// Writes all that waits for a connection, and then `pieces`, at once: what the socket takes of a large message need
    /// not be copied. The rest waits, as with [`Reactor::send`].
    pub(crate) fn send_now<'p>(&mut self, id: ConnectionId, pieces: impl Iterator<Item = &'p [u8]>) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        let mut pieces = pieces.peekable();
        // What is encrypted is copied anyway.
        if socket.write != WriteState::Failed && socket.tls.is_none() {
            // Errors come again, with the next flush.
            let before = socket.outbox.flush(&socket.stream, &mut self.spares).unwrap_or_default();
            let written =
                if socket.outbox.is_empty() { socket.write_pieces(&mut pieces, &mut self.spares) } else { 0 };
            socket.counters.written.fetch_add((before + written) as u64, Relaxed);
        }
        self.append(id, |outbox, spares| {
            let tail = outbox.tail(spares);
            pieces.for_each(|piece| tail.extend_from_slice(piece));
        });
    }

    /// Asks for [`SocketEvent::Drained`] when all that waits for a connection has been written, with the next flush if that
    /// is the case already. It never comes when the socket fails before.
    pub(crate) fn notify(&mut self, id: ConnectionId) {
        if let Some(socket) = self.sockets.get_mut(id) {
            socket.notify += 1;
            self.append(id, |_, _| {});
        }
    }

    /// Closes our direction of a socket when all that waits has been written.
    pub(crate) fn finish(&mut self, id: ConnectionId) {
        if let Some(socket) = self.sockets.get_mut(id) {
            socket.write.finish();
            self.append(id, |_, _| {});
        }
    }

    /// Writes what waits for one connection, as far as its socket takes it.
    pub(crate) fn flush_one(&mut self, id: ConnectionId, events: &mut Events) {
        #[cfg(test)]
        assert_eq!(self.fault.take_if(|fault| *fault == Fault::PanicInFlush), None, "as a test wants it");
        if let Some(socket) = self.sockets.get_mut(id) {
            socket.flush(&self.poll, &mut self.spares, events);
        }
    }

    /// The same, unless the socket has taken no more before and not said yet that it does.
    pub(crate) fn try_flush(&mut self, id: ConnectionId, events: &mut Events) {
        if self.sockets.get(id).is_some_and(|socket| !socket.is_blocked()) {
            self.flush_one(id, events);
        }
    }

    /// Writes what was broadcast to the next `count` sockets. False when there are no more.
    pub(crate) fn flush_some(&mut self, count: usize, events: &mut Events) -> bool {
        for _ in 0..count {
            let Some(id) = self.fan_out_list.pop_front() else { break };
            self.flush_one(id, events);
        }
        !self.fan_out_list.is_empty()
    }

    /// Writes all that was sent, to whomever.
    pub(crate) fn flush_all(&mut self, events: &mut Events) {
        self.flush(events);
        self.flush_some(usize::MAX, events);
    }

    /// Writes what was sent since the last time: one write for each connection.
    pub(crate) fn flush(&mut self, events: &mut Events) {
        let mut list = std::mem::take(&mut self.flush_list);
        for id in list.drain(..) {
            self.flush_one(id, events);
        }
        // Nothing was added meanwhile; this only keeps the memory.
        self.flush_list = list;
    }

    // ---------------------------------------------------------------------------------------------------- reading

    /// Asks the operating system what is ready, without waiting, as far as `look` says so, and reads once from what is, as far
    /// as `room` is left for the events that come of it.
    ///
    /// # Errors
    /// When the set itself fails, which it should not.
    pub(crate) fn turn(&mut self, look: Look, room: Room, events: &mut Events) -> io::Result<Progress> {
        #[cfg(test)]
        match self.fault.take_if(|fault| *fault != Fault::PanicInFlush) {
            Some(Fault::Set(error)) => return Err(io::Error::from_raw_os_error(error)),
            fault => assert_eq!(fault, None, "as a test wants it"),
        }
        events.load.turns += 1;
        let guess = if look == Look::Guess { self.guess() } else { None };
        if guess.is_none() && (self.unasked || look != Look::Nowhere) {
            self.ask(events)?;
        }
        self.accept();
        while events.fit(room)
            && let Some(id) = self.inflations.next_finished()
        {
            self.finish_inflation(id, events);
        }
        // In this order: what is left for want of room must not be taken for what is left for another turn.
        let all_read = self.read_some(room, events);
        let all_started = self.start_inflations(room, events);
        if let Some(Guess { id, read }) = guess {
            let socket = self.sockets.get(id);
            self.unasked |= socket.is_none_or(|socket| socket.counters.read.load(Relaxed) == read);
        }
        // At the end: when those that waited have gone, no other turn is due.
        for id in self.inflations.take_crowded() {
            if let Some(socket) = self.sockets.get_mut(id)
                && socket.read.let_go(Reasons::CROWDED)
            {
                self.schedule_read(id);
            }
        }
        let full = !all_read || !all_started || (!events.fit(room) && self.inflations.has_finished());
        let more = self.unasked || !self.read_list.is_empty() || self.listeners.is_pending();
        Ok(match (full, more) {
            (true, _) => Progress::Full,
            (_, true) => Progress::More,
            _ => Progress::Idle,
        })
    }

    /// Has the only socket read without asking the set, if there is no reason against it.
    fn guess(&mut self) -> Option<Guess> {
        let id = self.last_read;
        let socket = self.sockets.get(id)?;
        let alone = self.sockets.len() == 1 && self.read_list.is_empty() && !self.unasked;
        if !alone || self.guesses == GUESSES || !socket.read.is_flowing() || !socket.is_written() {
            return None;
        }
        let read = socket.counters.read.load(Relaxed);
        self.guesses += 1;
        self.schedule_read(id);
        Some(Guess { id, read })
    }

    /// Asks the set, without waiting.
    fn ask(&mut self, events: &mut Events) -> io::Result<()> {
        match self.poll.poll(&mut self.ready, Some(Duration::ZERO)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        self.guesses = 0;
        self.take_readiness(events);
        Ok(())
    }

    /// Notes what the set has told.
    fn take_readiness(&mut self, events: &mut Events) {
        let mut count = 0;
        for ready in &self.ready {
            count += 1;
            let Some(id) = self.sockets.id_at(ready.token().0) else {
                self.listeners.note_acceptable(ready.token());
                continue;
            };
            let Some(socket) = self.sockets.get_mut(id) else { continue };
            if ready.is_writable() && !socket.is_written() {
                socket.flush(&self.poll, &mut self.spares, events);
            }
            let over = ready.is_read_closed() || ready.is_error();
            socket.reads_to_end |= over || ready.is_priority();
            if (ready.is_readable() || over) && !std::mem::replace(&mut socket.in_read_list, true) {
                self.read_list.push_back(id);
            }
            if over && matches!(socket.stage, Stage::Requested) && !socket.read.has_ended() {
                socket.look_at_the_end(events);
            }
        }
        // Those for which there was no room among the events give no new edge: ask again.
        self.unasked = count >= EVENTS;
    }

    fn accept(&mut self) {
        let accepted = self.listeners.accept(Instant::now);
        if accepted.is_empty() {
            return;
        }
        let now = Instant::now();
        for Accepted { listener, stream, peer, max_head_len, passes_on, tls } in accepted {
            let Ok(session) = tls.map(|context| Session::new(&context)).transpose() else { continue };
            // The program sets the limits when it accepts; nothing is parsed before.
            let opening =
                Opening { reader: HeadReader::new(max_head_len), listener, peer, since: now, passes_on };
            let stage = Stage::Head(Box::new(opening));
            let Ok(socket) = self.insert(stream, Config::new(Role::Server), stage) else { continue };
            socket.tls = session.map(|session| Box::new(Secure::new(session)));
            let id = socket.id;
            let mut oldest = self.listeners.expect_head(listener, id, now);
            while let Some((since, id)) = oldest {
                if self.waits_since(since, id) {
                    self.remove(id);
                    break;
                }
                oldest = self.listeners.oldest_head(now);
            }
        }
    }

    /// Whether the request of a connection has not arrived, and is waited for since then.
    fn waits_since(&self, since: Instant, id: ConnectionId) -> bool {
        let stage = self.sockets.get(id).map(|socket| &socket.stage);
        matches!(stage, Some(Stage::Head(opening)) if opening.since == since)
    }

    fn finish_inflation(&mut self, id: ConnectionId, events: &mut Events) {
        if let Some(socket) = self.sockets.get_mut(id)
            && socket.finish_inflation(&mut self.inflations, events)
        {
            self.schedule_read(id);
        }
    }

    /// Gives input that waits to threads. False when there is no room for what comes out.
    fn start_inflations(&mut self, room: Room, events: &Events) -> bool {
        while self.inflations.can_start() {
            if !events.fit(room) {
                return false;
            }
            if let Some(id) = self.inflations.next_waiting()
                && let Some(socket) = self.sockets.get_mut(id)
            {
                socket.start_inflation(&mut self.inflations);
            }
        }
        true
    }

    /// Reads once from sockets that may have something to read. False when there is no room for what comes of it.
    fn read_some(&mut self, room: Room, events: &mut Events) -> bool {
        let end = self.read_list.len().min(READ_AT_ONCE);
        let mut bytes = 0;
        for _ in 0..end {
            if bytes >= BYTES_AT_ONCE {
                break;
            }
            let Some(&id) = self.read_list.front() else { break };
            let Some(socket) = self.sockets.get_mut(id) else {
                self.read_list.pop_front();
                continue;
            };
            if socket.read.is_flowing() && socket.receiver.inflates() && self.inflations.is_crowded() {
                socket.read.hold(Reasons::CROWDED);
                self.inflations.crowd_out(id);
            }
            let mut more = false;
            if socket.read.is_flowing() {
                let before = socket.counters.read.load(Relaxed);
                let was_head = matches!(socket.stage, Stage::Head(_));
                let result = if events.fit(room) {
                    socket.read(&mut self.buffer, &mut self.inflations, events)
                } else {
                    None
                };
                let Some(may_have_more) = result else { return false };
                more = may_have_more;
                bytes += socket.counters.read.load(Relaxed) - before;
                events.load.served += 1;
                self.last_read = id;
                if let Some(tls) = &mut socket.tls {
                    bytes += tls.take_cost();
                    // What the handshake, an alert or an update of keys has to say.
                    if !tls.is_written() {
                        socket.flush(&self.poll, &mut self.spares, events);
                    }
                }
                if was_head && !matches!(socket.stage, Stage::Head(_)) {
                    self.listeners.passed_head();
                    if matches!(socket.stage, Stage::Refused) {
                        self.listeners.linger(id, Instant::now());
                    }
                }
            } else {
                socket.read.miss();
            }
            self.read_list.pop_front();
            socket.in_read_list = false;
            if socket.is_abandoned() {
                self.remove(id);
            } else if more {
                self.schedule_read(id);
            }
        }
        true
    }

    // -------------------------------------------------------------------------------------------------- listening

    /// Listens. Returns the listener's id and address.
    ///
    /// # Errors
    /// Those of the operating system: the address is in use, is not one of this machine, …
    pub(crate) fn listen(
        &mut self,
        address: SocketAddr,
        timeout: Duration,
        max_head_len: usize,
        tls: Option<Arc<Context>>,
    ) -> io::Result<(ListenerId, SocketAddr)> {
        self.listeners.listen(self.poll.registry(), address, timeout, max_head_len, tls)
    }

    /// New connections of a listener with TLS get other certificates.
    pub(crate) fn secure_listener(&mut self, listener: ListenerId, context: Arc<Context>) {
        self.listeners.secure(listener, context);
    }

    /// The certificates of the peer of a connection with TLS, in DER.
    pub(crate) fn peer_certificates(&self, id: ConnectionId) -> Vec<Vec<u8>> {
        let tls = self.sockets.get(id).and_then(|socket| socket.tls.as_ref());
        tls.map(|tls| tls.session.peer_certificates()).unwrap_or_default()
    }

    /// Stops listening. Connections whose request has not arrived are closed, the others stay.
    pub(crate) fn close_listener(&mut self, listener: ListenerId) {
        for (since, id) in self.listeners.close(listener) {
            if self.waits_since(since, id) {
                self.remove(id);
            }
        }
    }

    /// The bytes of a connection whose request was accepted are frames from now on.
    pub(crate) fn begin(&mut self, id: ConnectionId, config: Config) -> bool {
        let socket = self.sockets.get_mut(id).filter(|socket| matches!(socket.stage, Stage::Requested));
        let Some(socket) = socket else { return false };
        socket.receiver = Receiver::new(config);
        socket.stage = Stage::Open;
        if socket.read.let_go(Reasons::REQUESTED) {
            self.schedule_read(id);
        }
        true
    }

    /// Has what is no opening handshake reported as [`SocketEvent::Passed`] from now on, for [`Reactor::hand_over`], where
    /// it would be refused.
    pub(crate) fn pass_on(&mut self, listener: ListenerId) {
        self.listeners.pass_on(listener);
    }

    /// Lets go of a connection that [`SocketEvent::Passed`] has told of. Its descriptor becomes the caller's.
    pub(crate) fn hand_over(&mut self, id: ConnectionId) -> Option<OwnedFd> {
        let socket = self.sockets.get_mut(id).filter(|socket| matches!(socket.stage, Stage::Passed))?;
        // The descriptor stays open, so the set does not forget it by itself.
        socket.is_shared = true;
        self.take(id).map(|socket| OwnedFd::from(socket.stream))
    }

    /// What a connection that has come in by itself is counted with.
    pub(crate) fn counters(&self, id: ConnectionId) -> Option<Arc<Counters>> {
        self.sockets.get(id).map(|socket| Arc::clone(&socket.counters))
    }

    /// Ends handshakes that take too long.
    pub(crate) fn expire(&mut self, now: Instant, events: &mut Events) -> Deadlines {
        let late = self.listeners.late(now);
        if late.is_empty() {
            return if self.listeners.is_idle() { Deadlines::None } else { Deadlines::Later };
        }
        for late in late {
            match late {
                Late::Head(since, id) if self.waits_since(since, id) => {
                    let Some(socket) = self.sockets.get_mut(id) else { continue };
                    let has_input = socket.has_input();
                    if let Stage::Head(opening) = &mut socket.stage
                        && has_input
                    {
                        // It has arrived, and the driver has not come to read it.
                        opening.since = now;
                        self.listeners.expect_again(opening.listener, id, now);
                        continue;
                    }
                    if let Some(event) = socket.tls_timeout() {
                        events.push(id, event);
                    }
                    socket.refuse(&refusal(408, "The request did not arrive in time (handshakeTimeout)."));
                    self.listeners.passed_head();
                    self.listeners.linger(id, now);
                }
                Late::Refused(_, id)
                    if matches!(self.sockets.get(id).map(|socket| &socket.stage), Some(Stage::Refused)) =>
                {
                    self.remove(id);
                }
                _ => {}
            }
        }
        Deadlines::Now
    }
}

#[cfg(test)]
#[path = "reactor_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "guessing_tests.rs"]
mod guessing_tests;
