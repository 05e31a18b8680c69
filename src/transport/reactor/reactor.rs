//! The reactor: reads and writes the sockets of one JavaScript environment.
//!
//! Edge-triggered: after an event, a socket is read until a read brings less than there was room for, or (where that proves
//! nothing) until there is nothing more. A socket that might have more waits for the next turn, so that one busy peer does
//! not keep all others waiting. Interest in writing exists only while bytes are left over.
//!
//! What happens is added to the [`Events`] that a call is given. The reactor never wakes anybody: whoever has called it asks
//! [`Reactor::has_work`] whether another turn is due.

mod accepting;
mod sending;

use std::collections::VecDeque;
use std::io;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use mio::unix::SourceFd;
use mio::{Interest, Poll, Token, Waker};

use super::counters::Counters;
use super::event::{ConnectionId, Events, Room, SocketEvent};
use super::inflation::{Inflations, Spawn, Step};
use super::listeners::Listeners;
use super::opening::Stage;
use super::outbox::Spares;
use super::read_buffer::{READ_LEN, ReadBuffer};
use super::socket::{Socket, watched};
use super::states::Reasons;
use super::{Look, Progress};
use crate::protocol::receiver::Receiver;
use crate::protocol::{Config, Limits};
use crate::slots::Slots;

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

    /// What a connection is counted with.
    #[cfg(test)]
    pub(crate) fn counters(&self, id: ConnectionId) -> Option<Arc<Counters>> {
        self.sockets.get(id).map(|socket| Arc::clone(&socket.counters))
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
}

#[cfg(test)]
#[path = "reactor_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "guessing_tests.rs"]
mod guessing_tests;
