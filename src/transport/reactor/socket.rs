//! One socket: what is read from it and what waits to be written.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use mio::unix::SourceFd;
use mio::{Interest, Poll, Token};

use super::counters::Counters;
use super::event::{ConnectionId, Events, ListenerId, SocketEvent};
use super::inflation::{Inflating, Inflations, Step};
use super::opening::{Incoming, Passed, Requested, Stage};
use super::outbox::{Outbox, Spares};
use super::read_buffer::{READ_LEN, ReadBuffer, Reserved, Span};
use super::secure::{Secure, Unsecured, tls_error};
use super::states::{ReadState, Reasons, WriteState};
use crate::handshake::head::{refusal, refusal_response};
use crate::handshake::server::Refusal;
use crate::protocol::receiver::{Place, Receiver};
use crate::protocol::{Config, Event, MessageKind};
use crate::tls::TlsError;

#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts; what excludes each other is in the two states"
)]
pub(crate) struct Socket {
    pub(super) id: ConnectionId,
    pub(super) stream: TcpStream,
    pub(super) stage: Stage,
    pub(super) read: ReadState,
    pub(super) write: WriteState,
    /// One that is over, while a thread has the real one.
    pub(super) receiver: Receiver,
    pub(super) inflating: Option<Box<Inflating>>,
    pub(super) outbox: Outbox,
    /// What the set watches for.
    interest: Interest,
    /// Somebody else has a descriptor of the same socket, so the set does not forget it by itself.
    pub(super) is_shared: bool,
    /// It stands in the list of sockets to flush.
    pub(super) in_flush_list: bool,
    /// It stands in the list of sockets to read.
    pub(super) in_read_list: bool,
    /// A read that brings less than there was room for does not mean that nothing is left: FIN, urgent data or the boundary
    /// of an ancillary message may have cut it short.
    pub(super) reads_to_end: bool,
    /// How often somebody has asked to be told when everything is written, and was not yet.
    pub(super) notify: u32,
    /// What was read before, and comes first.
    pub(super) early: Vec<u8>,
    pub(super) counters: Arc<Counters>,
    /// The session, if the socket carries TLS.
    pub(super) tls: Option<Box<Secure>>,
}

impl Socket {
    /// A socket that is in the readiness set, with interest in reading.
    pub(super) fn new(id: ConnectionId, stream: TcpStream, config: Config, stage: Stage) -> Self {
        Self {
            id,
            stream,
            stage,
            read: ReadState::Flowing,
            write: WriteState::Open,
            receiver: Receiver::new(config),
            inflating: None,
            outbox: Outbox::default(),
            interest: Interest::READABLE,
            is_shared: false,
            in_flush_list: false,
            in_read_list: false,
            reads_to_end: false,
            notify: 0,
            early: Vec::new(),
            counters: Arc::default(),
            tls: None,
        }
    }

    /// Whether it is over without JavaScript ever having heard of it.
    pub(super) fn is_abandoned(&self) -> bool {
        self.read.has_ended() && matches!(self.stage, Stage::Head(_) | Stage::Refused)
    }

    /// Reads once. `None` when there is no memory to read into, else whether there may be more to read.
    pub(super) fn read(
        &mut self,
        buffer: &mut ReadBuffer,
        inflations: &mut Inflations,
        events: &mut Events,
    ) -> Option<bool> {
        if self.early.is_empty()
            && self.tls.is_none()
            && let Some(more) = self.read_in_place(events)
        {
            return Some(more);
        }
        let Reserved { position, memory } = buffer.reserve()?;
        let (count, more) = if self.early.is_empty() {
            let result = match &mut self.tls {
                None => self.stream.read(memory),
                Some(tls) => tls.read(&self.stream, memory, self.receiver.is_over(), self.reads_to_end),
            };
            let (count, more) = self.count_read(result, READ_LEN, events);
            let more = more || self.tls.as_ref().is_some_and(|tls| tls.may_have_more());
            if count == 0 {
                return Some(more);
            }
            (count, more)
        } else {
            let count = memory.len().min(self.early.len());
            let rest = self.early.split_off(count);
            memory[..count].copy_from_slice(&std::mem::replace(&mut self.early, rest));
            (count, true)
        };
        let before = events.spans();
        self.receive(position, &mut memory[..count], inflations, events);
        if events.spans() != before {
            let end = buffer.commit(position, count);
            events.release_after_last(end);
        }
        Some(more)
    }

    /// Reads once into the memory of a large message. `None` when there is none in progress, else whether there may be more.
    #[expect(unsafe_code, reason = "memory that was not initialised becomes part of a Vec")]
    fn read_in_place(&mut self, events: &mut Events) -> Option<bool> {
        let Place { buffer, room } = self.receiver.place()?;
        let place = &mut buffer.spare_capacity_mut()[..room];
        // SAFETY: the descriptor is open, and there is room for so many bytes.
        let read = unsafe { libc::read(self.stream.as_raw_fd(), place.as_mut_ptr().cast(), room) };
        let result = usize::try_from(read).map_err(|_| io::Error::last_os_error());
        if let Ok(count) = result {
            // SAFETY: so many bytes behind the end have just been initialised by `read`.
            unsafe { buffer.set_len(buffer.len() + count) };
        }
        let (count, more) = self.count_read(result, room, events);
        if count > 0 {
            self.receiver.arrived(count, Instant::now);
            if let Some(event) = self.receiver.placed(count) {
                events.push(self.id, SocketEvent::Received(event));
            }
            self.count_received();
        }
        Some(more)
    }

    /// What reading has brought: how many bytes (of `room` at the most), and whether there may be more.
    fn count_read(&mut self, result: io::Result<usize>, room: usize, events: &mut Events) -> (usize, bool) {
        match result {
            Ok(0) => self.end(SocketEvent::End, events),
            Ok(count) => {
                self.counters.read.fetch_add(count as u64, Relaxed);
                return (count, count == room || self.reads_to_end);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return (0, true),
            Err(error) => self.end(SocketEvent::Error(error), events),
        }
        (0, false)
    }

    /// Nothing more can be read, for this reason.
    pub(super) fn end(&mut self, reason: SocketEvent, events: &mut Events) {
        if self.tls.is_some() && matches!(self.stage, Stage::Head(_)) {
            self.end_unsecured(&reason, events);
            return;
        }
        self.read.end();
        self.report(reason, events);
    }

    /// The end of a connection with TLS that has brought no request: JavaScript is told why if that was the handshake's.
    fn end_unsecured(&mut self, reason: &SocketEvent, events: &mut Events) {
        self.read.end();
        let (Some(tls), Stage::Head(opening)) = (&self.tls, &self.stage) else { return };
        let error = match reason {
            SocketEvent::Error(error) if tls_error(error).is_some() => tls_error(error).cloned(),
            _ => None,
        };
        // Nobody has begun: somebody has looked whether the port is open.
        if !tls.session.has_begun() || (error.is_none() && !tls.session.is_handshaking()) {
            return;
        }
        let error = error.unwrap_or_else(|| tls.session.truncated());
        let is_plain_http = error.is_plain_http();
        let (listener, peer) = (opening.listener, opening.peer);
        events.push(self.id, SocketEvent::Unsecured(Box::new(Unsecured { listener, peer, error })));
        if is_plain_http {
            // In clear text, for the client to understand.
            self.tls = None;
            self.read = ReadState::Flowing;
            self.refuse(&refusal(
                400,
                "The plain HTTP request was sent to a port for TLS: use https or wss.",
            ));
        }
    }

    /// The handshake of TLS has taken too long.
    pub(super) fn tls_timeout(&self) -> Option<SocketEvent> {
        let (Some(tls), Stage::Head(opening)) = (&self.tls, &self.stage) else { return None };
        let (listener, peer) = (opening.listener, opening.peer);
        let error = TlsError {
            code: "ERR_TLS_HANDSHAKE_TIMEOUT",
            message: "TLS handshake timeout (handshakeTimeout)".to_owned(),
        };
        (tls.session.is_handshaking() && tls.session.has_begun())
            .then(|| SocketEvent::Unsecured(Box::new(Unsecured { listener, peer, error })))
    }

    /// Tells JavaScript, if it knows of the connection.
    pub(super) fn report(&self, event: SocketEvent, events: &mut Events) {
        if matches!(self.stage, Stage::Open | Stage::Requested | Stage::Raw) {
            events.push(self.id, event);
        }
    }

    /// Bytes have come. They lie at `position` of the read buffer.
    fn receive(
        &mut self,
        position: u64,
        mut bytes: &mut [u8],
        inflations: &mut Inflations,
        events: &mut Events,
    ) {
        match self.stage {
            Stage::Open => {}
            Stage::Raw => {
                let span = Span { position, len: bytes.len() as u32 };
                events.push(self.id, SocketEvent::Message(MessageKind::Binary, span));
                return;
            }
            _ => {
                self.receive_head(bytes, events);
                return;
            }
        }
        let start = bytes.as_ptr() as usize;
        self.receiver.arrived(bytes.len(), Instant::now);
        while let Some(event) = self.receiver.receive_lightly(&mut bytes) {
            let event = match event {
                Event::Message { kind, payload: std::borrow::Cow::Borrowed(payload) } => {
                    let offset = (payload.as_ptr() as usize - start) as u64;
                    SocketEvent::Message(
                        kind,
                        Span { position: position + offset, len: payload.len() as u32 },
                    )
                }
                event => SocketEvent::Received(event.into_owned()),
            };
            events.push(self.id, event);
        }
        self.count_received();
        if !bytes.is_empty() {
            self.wait_for_inflation(bytes.to_vec(), inflations);
        }
    }

    fn wait_for_inflation(&mut self, input: Vec<u8>, inflations: &mut Inflations) {
        self.read.hold(Reasons::INFLATING);
        self.inflating = Some(Box::new(Inflating { step: Step::Waiting(input), configure: None }));
        inflations.enqueue(self.id);
    }

    /// Has a thread inflate the input that waits.
    pub(super) fn start_inflation(&mut self, inflations: &mut Inflations) {
        let Some(inflating) = &mut self.inflating else { return };
        let Step::Waiting(input) = &mut inflating.step else { return };
        let receiver = std::mem::replace(&mut self.receiver, Receiver::over());
        inflating.step = Step::Running(inflations.start(self.id, receiver, std::mem::take(input)));
    }

    /// Takes the receiver back with all that has happened to it. True when the socket has to be read at once.
    #[must_use]
    pub(super) fn finish_inflation(&mut self, inflations: &mut Inflations, events: &mut Events) -> bool {
        let Some(Inflating { step: Step::Running(job), configure }) = self.inflating.take().map(|it| *it)
        else {
            return false;
        };
        let Some(received) = job.take() else { return false };
        self.receiver = received.receiver;
        if let Some((max_frame_size, max_message_size, assemble)) = configure {
            self.receiver.configure(max_frame_size, max_message_size, assemble);
        }
        self.count_received();
        for event in received.events {
            events.push(self.id, SocketEvent::Received(event));
        }
        if !received.rest.is_empty() {
            self.wait_for_inflation(received.rest, inflations);
            return false;
        }
        if self.read.is_held_for(Reasons::STOPPED) {
            events.push(self.id, SocketEvent::Stopped);
        }
        self.read.let_go(Reasons::INFLATING)
    }

    fn count_received(&self) {
        self.counters.frames.store(self.receiver.frames(), Relaxed);
        self.counters.compressed.store(self.receiver.compressed_bytes(), Relaxed);
    }

    /// Whether the operating system has bytes of the peer that were not read.
    pub(super) fn has_input(&self) -> bool {
        self.stream.peek(&mut [0]).is_ok_and(|count| count > 0)
    }

    /// The peer has closed or reset a connection whose request JavaScript has not answered. It should know, unless there is
    /// something to be read before.
    pub(super) fn look_at_the_end(&mut self, events: &mut Events) {
        let seen = match &mut self.tls {
            None => self.stream.peek(&mut [0]),
            Some(tls) => tls.look_at_the_end(&self.stream, &mut self.early),
        };
        match seen {
            Ok(0) => self.end(SocketEvent::End, events),
            Err(error) if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                self.end(SocketEvent::Error(error), events);
            }
            _ => {}
        }
    }

    /// Bytes of the opening handshake.
    fn receive_head(&mut self, bytes: &[u8], events: &mut Events) {
        let Stage::Head(opening) = &mut self.stage else { return };
        match opening.reader.push(bytes) {
            Ok(None) if opening.passes_on && opening.reader.is_other_method() => self.pass_on(events),
            Err(_) if opening.passes_on => self.pass_on(events),
            Ok(None) => {}
            Ok(Some((request, rest))) => {
                let (listener, peer) = (opening.listener, opening.peer);
                let requested = Box::new(Requested { from: self.incoming(listener, peer), request });
                self.early = rest;
                self.stage = Stage::Requested;
                self.read.hold(Reasons::REQUESTED);
                // What came behind the request is read when it is accepted.
                self.read.miss();
                events.push(self.id, SocketEvent::Requested(requested));
            }
            Err(refusal) => self.refuse(&refusal),
        }
    }

    fn incoming(&self, listener: ListenerId, peer: SocketAddr) -> Incoming {
        let tls = self.tls.as_ref().map(|tls| tls.session.info());
        Incoming { listener, peer, counters: Arc::clone(&self.counters), tls }
    }

    /// Somebody else answers a request that is no opening handshake, and reads what comes behind it.
    fn pass_on(&mut self, events: &mut Events) {
        let Stage::Head(opening) = std::mem::replace(&mut self.stage, Stage::Passed) else { return };
        self.read.hold(Reasons::STOPPED);
        let from = self.incoming(opening.listener, opening.peer);
        let passed = Passed { from, bytes: opening.reader.into_bytes() };
        events.push(self.id, SocketEvent::Passed(Box::new(passed)));
    }

    /// Answers a request that is no opening handshake, and ends our direction.
    pub(super) fn refuse(&mut self, refusal: &Refusal) {
        self.stage = Stage::Refused;
        // It is sent as a whole or not at all: a socket that has carried nothing has room for it.
        let response = refusal_response(refusal);
        let written = match &mut self.tls {
            None => self.stream.write_all(response.as_bytes()),
            Some(tls) => tls.answer(&self.stream, response.as_bytes()),
        };
        if written.is_err() {
            self.read.end();
        }
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Writes pieces until the socket takes no more, keeps the rest of the last one, and returns how much was written.
    pub(super) fn write_pieces<'p>(
        &mut self,
        pieces: &mut impl Iterator<Item = &'p [u8]>,
        spares: &mut Spares,
    ) -> usize {
        /// Pieces that go into one write at the most.
        const PIECES: usize = 64;
        let mut count = 0;
        loop {
            let mut all = [IoSlice::new(&[]); PIECES];
            let mut len = 0;
            for (place, piece) in all.iter_mut().zip(&mut *pieces) {
                *place = IoSlice::new(piece);
                len += 1;
            }
            let mut rest = &mut all[..len];
            while !rest.is_empty() {
                match self.stream.write_vectored(rest) {
                    Ok(written) if written > 0 => {
                        count += written;
                        IoSlice::advance_slices(&mut rest, written);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    // It takes no more, or has failed: the next flush will tell.
                    _ => {
                        let tail = self.outbox.tail(spares);
                        for piece in rest.iter() {
                            tail.extend_from_slice(piece);
                        }
                        return count;
                    }
                }
            }
            if len < PIECES {
                return count;
            }
        }
    }

    /// Writes what waits, as far as the socket takes it.
    pub(super) fn flush(&mut self, poll: &Poll, spares: &mut Spares, events: &mut Events) {
        self.in_flush_list = false;
        if self.write == WriteState::Failed {
            self.outbox = Outbox::default();
            return;
        }
        let flushed = match &mut self.tls {
            None => self.outbox.flush(&self.stream, spares),
            Some(tls) => {
                let ends = self.write == WriteState::Finishing;
                tls.flush(&self.stream, &mut self.outbox, spares, ends)
            }
        };
        match flushed {
            Ok(count) => {
                self.counters.written.fetch_add(count as u64, Relaxed);
                if self.is_written() {
                    self.drained(events);
                }
            }
            Err(error) => self.fail(error, events),
        }
        self.update_interest(poll);
    }

    /// Whether the set will tell when the socket takes more.
    pub(super) fn is_blocked(&self) -> bool {
        self.interest.is_writable()
    }

    /// Whether everything sent was taken by the operating system.
    pub(super) fn is_written(&self) -> bool {
        self.outbox.is_empty() && self.tls.as_ref().is_none_or(|tls| tls.is_written())
    }

    fn drained(&mut self, events: &mut Events) {
        if self.write.drained() {
            // It fails when the peer has gone already, which reading tells.
            let _ = self.stream.shutdown(Shutdown::Write);
        }
        let asked = std::mem::take(&mut self.notify);
        if asked > 0 {
            events.push(self.id, SocketEvent::Drained(asked));
        }
    }

    /// The socket cannot be used any more.
    pub(super) fn fail(&mut self, error: io::Error, events: &mut Events) {
        self.outbox = Outbox::default();
        self.write.fail();
        self.end(SocketEvent::Error(error), events);
    }

    fn update_interest(&mut self, poll: &Poll) {
        let wanted =
            if self.is_written() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
        if self.interest == wanted {
            return;
        }
        let fd = self.stream.as_fd().as_raw_fd();
        // A descriptor that was registered once can be registered again; there is nothing to be done if not.
        let _ = poll.registry().reregister(&mut SourceFd(&fd), Token(self.id.index()), watched(wanted));
        self.interest = wanted;
    }

    /// Has the set forget the socket, which it does by itself when the last descriptor of it is closed.
    pub(super) fn deregister(&self, poll: &Poll) {
        if self.is_shared {
            // It fails only when the set does not know the descriptor.
            let _ = poll.registry().deregister(&mut SourceFd(&self.stream.as_raw_fd()));
        }
    }
}

/// Urgent data cuts reads short, and there is nothing else to tell it by.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn watched(interest: Interest) -> Interest {
    interest | Interest::PRIORITY
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn watched(interest: Interest) -> Interest {
    interest
}

#[cfg(test)]
#[path = "sending_tests.rs"]
mod sending_tests;

#[cfg(test)]
#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "boundaries_tests.rs"]
mod boundaries_tests;
