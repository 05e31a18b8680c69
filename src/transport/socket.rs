//! One taken-over socket: what is read from it and what waits to be written.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use mio::unix::SourceFd;
use mio::{Interest, Poll, Token};

use super::heavy::{Away, Heavy};
use super::listener::{Requested, Stage};
use super::outbox::{Outbox, Spares};
use super::reactor::{Happening, Id, READ_LEN, Sink, Space};
use crate::handshake::head::refusal_response;
use crate::handshake::server::Refusal;
use crate::protocol::Config;
use crate::protocol::receiver::Receiver;

#[expect(clippy::struct_excessive_bools, reason = "independent facts, each with a name")]
pub(crate) struct Socket {
    pub(super) id: Id,
    pub(super) stream: TcpStream,
    /// One that is over, while the real one is away.
    pub(super) receiver: Receiver,
    pub(super) away: Option<Box<Away>>,
    pub(super) outbox: Outbox,
    /// The interest the readiness set knows of; `None` while the socket is not in it.
    pub(super) interest: Option<Interest>,
    pub(super) paused: bool,
    /// Nothing more can be read.
    pub(super) ended: bool,
    /// Nothing more can be written: what waited is lost.
    pub(super) failed: bool,
    /// Whether it stands in the list of sockets to flush.
    pub(super) dirty: bool,
    /// Whether it stands in the list of sockets to look at again.
    pub(super) unread: bool,
    /// The peer's FIN was announced: read to the end.
    pub(super) closing: bool,
    /// How often somebody has asked to be told when the outbox is empty, and was not yet.
    pub(super) notify: u32,
    /// What was read before the socket was taken over, and comes first.
    pub(super) early: Vec<u8>,
    pub(super) counters: Arc<Counters>,
    pub(super) stage: Stage,
    /// Something may have become readable while nothing was read.
    pub(super) missed: bool,
    /// Close our direction when the outbox is empty.
    pub(super) finishing: bool,
}

/// What a connection has brought and taken: bytes, frames received, and bytes of compressed messages received. Readable on every thread, and a little late there.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) read: AtomicU64,
    pub(crate) written: AtomicU64,
    pub(crate) frames: AtomicU64,
    pub(crate) compressed: AtomicU64,
}

impl Socket {
    /// A socket that is in the readiness set, with interest in reading.
    pub(super) fn new(id: Id, stream: TcpStream, config: Config, stage: Stage) -> Self {
        Self {
            id,
            stream,
            receiver: Receiver::new(config),
            away: None,
            outbox: Outbox::default(),
            interest: Some(Interest::READABLE),
            paused: false,
            ended: false,
            dirty: false,
            unread: false,
            closing: false,
            notify: 0,
            failed: false,
            early: Vec::new(),
            counters: Arc::default(),
            stage,
            missed: false,
            finishing: false,
        }
    }

    pub(super) fn may_read(&self) -> bool {
        !self.paused && !self.ended && self.away.is_none() && !matches!(self.stage, Stage::Requested)
    }

    /// Whether it is over without JavaScript ever having heard of it.
    pub(super) fn is_abandoned(&self) -> bool {
        self.ended && matches!(self.stage, Stage::Head(_) | Stage::Refused)
    }

    /// Reads once. True when there may be more.
    pub(super) fn read(&mut self, space: &mut Space<'_>, heavy: &mut Heavy, sink: &mut impl Sink) -> bool {
        let Some(memory) = space.next() else { return true };
        if !self.early.is_empty() {
            let count = memory.len().min(self.early.len());
            let rest = self.early.split_off(count);
            memory[..count].copy_from_slice(&std::mem::replace(&mut self.early, rest));
            self.receive(&mut memory[..count], heavy, sink);
            space.advance(count);
            return true;
        }
        match self.stream.read(memory) {
            Ok(0) => {
                self.ended = true;
                self.tell(Happening::End, sink);
                false
            }
            Ok(count) => {
                self.counters.read.fetch_add(count as u64, Relaxed);
                self.receive(&mut memory[..count], heavy, sink);
                space.advance(count);
                count == READ_LEN || self.closing
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => true,
            Err(error) => {
                self.ended = true;
                self.tell(Happening::Error(error), sink);
                false
            }
        }
    }

    /// Tells JavaScript, if it knows of the connection.
    pub(super) fn tell(&self, happening: Happening<'_>, sink: &mut impl Sink) {
        if matches!(self.stage, Stage::Open | Stage::Requested) {
            sink.take(self.id, happening);
        }
    }

    fn receive(&mut self, mut bytes: &mut [u8], heavy: &mut Heavy, sink: &mut impl Sink) {
        if !matches!(self.stage, Stage::Open) {
            self.receive_head(bytes, sink);
            return;
        }
        self.receiver.arrived(bytes.len(), Instant::now);
        while let Some(event) = self.receiver.receive_lightly(&mut bytes) {
            sink.take(self.id, Happening::Event(event));
        }
        self.count_received();
        if !bytes.is_empty() {
            let receiver = std::mem::replace(&mut self.receiver, Receiver::over());
            self.away = Some(Box::new(heavy.start(self.id, receiver, bytes)));
        }
    }

    fn count_received(&self) {
        self.counters.frames.store(self.receiver.frames(), Relaxed);
        self.counters.compressed.store(self.receiver.compressed_bytes(), Relaxed);
    }

    /// Takes the receiver back, if it is away, with all that has happened to it. Waits for it if need be.
    pub(super) fn take_back(&mut self, sink: &mut impl Sink) {
        let Some(away) = self.away.take() else { return };
        let Some(received) = away.job.take() else { return };
        self.receiver = received.receiver;
        if let Some((max_frame_size, max_message_size, assemble)) = away.configure {
            self.receiver.configure(max_frame_size, max_message_size, assemble);
        }
        self.count_received();
        for event in received.events {
            sink.take(self.id, Happening::Event(event));
        }
    }

    /// The peer has closed or reset a connection from which nothing is read at present: the program should know, unless
    /// there is still something to be read before.
    pub(super) fn look_at_the_end(&mut self, sink: &mut impl Sink) {
        let happening = match self.stream.peek(&mut [0]) {
            Ok(0) => Happening::End,
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Happening::Error(error),
            _ => return,
        };
        self.ended = true;
        self.tell(happening, sink);
    }

    /// Bytes of the opening handshake.
    fn receive_head(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        let Stage::Head(opening) = &mut self.stage else { return };
        match opening.reader.push(bytes) {
            Ok(None) => {}
            Ok(Some((request, rest))) => {
                let requested =
                    Box::new(Requested { listener: opening.listener, peer: opening.peer, request });
                self.early = rest;
                self.stage = Stage::Requested;
                sink.take(self.id, Happening::Requested(requested));
            }
            Err(refusal) => self.refuse(&refusal),
        }
    }

    /// Answers a request that is no opening handshake; the answer leaves with the next flush.
    pub(super) fn refuse(&mut self, refusal: &Refusal) {
        self.stage = Stage::Refused;
        // It is sent as a whole or not at all: a socket that has carried nothing has room for it.
        self.ended |= self.stream.write_all(refusal_response(refusal).as_bytes()).is_err();
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

    pub(super) fn flush(&mut self, poll: &Poll, spares: &mut Spares, sink: &mut impl Sink) {
        self.dirty = false;
        if self.failed {
            self.outbox = Outbox::default();
            return;
        }
        match self.outbox.flush(&self.stream, spares) {
            Ok(count) => {
                self.counters.written.fetch_add(count as u64, Relaxed);
                if self.outbox.is_empty() {
                    if std::mem::take(&mut self.finishing) {
                        // It fails when the peer has gone already, which reading tells.
                        let _ = self.stream.shutdown(Shutdown::Write);
                    }
                    let asked = std::mem::take(&mut self.notify);
                    if asked > 0 {
                        sink.take(self.id, Happening::Drained(asked));
                    }
                }
            }
            Err(error) => {
                self.outbox = Outbox::default();
                self.ended = true;
                self.failed = true;
                self.tell(Happening::Error(error), sink);
            }
        }
        self.update_interest(poll);
    }

    pub(super) fn update_interest(&mut self, poll: &Poll) {
        let read = (!self.paused && !self.ended).then_some(Interest::READABLE);
        let write = (!self.outbox.is_empty()).then_some(Interest::WRITABLE);
        let wanted = match (read, write) {
            (Some(read), Some(write)) => Some(read | write),
            (one, other) => one.or(other),
        };
        self.watch(poll, wanted);
    }

    pub(super) fn watch(&mut self, poll: &Poll, wanted: Option<Interest>) {
        if self.interest == wanted {
            return;
        }
        let fd = self.stream.as_fd().as_raw_fd();
        let mut source = SourceFd(&fd);
        let token = Token(self.id.place());
        // A descriptor that was registered once can be registered again; there is nothing to be done if not.
        let _ = match (self.interest, wanted) {
            (None, Some(interest)) => poll.registry().register(&mut source, token, interest),
            (Some(_), Some(interest)) => poll.registry().reregister(&mut source, token, interest),
            (_, None) => poll.registry().deregister(&mut source),
        };
        self.interest = wanted;
    }
}
