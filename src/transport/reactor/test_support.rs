//! A reactor with real sockets, and what tests see of it. There is no Node: the test is the loop, and takes the events.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::event::{ConnectionId, Events, ListenerId, Room, SocketEvent};
use super::inflation::Spawn;
use super::read_buffer::{READ_LEN, ReceivedBytes, test_ring};
use super::{Look, Progress, Reactor};
use crate::protocol::deflate::Settings;
use crate::protocol::{Compressor, Config, Event, Inflation, MaskPolicy, OpCode, Role, encoder};

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The end of a test's patience: what should come and does not makes it fail, not hang.
pub(crate) struct Patience(Instant);

impl Patience {
    pub(crate) fn new() -> Self {
        Self(Instant::now() + PATIENCE)
    }

    pub(crate) fn check(&self) {
        assert!(Instant::now() < self.0, "something has not come");
    }
}

/// An event, as far as tests care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Message(Vec<u8>),
    Ping(Vec<u8>),
    /// The connection was refused by the protocol.
    Failed,
    Requested(ListenerId),
    Passed(ListenerId, Vec<u8>),
    /// The handshake of TLS has come to nothing, with this code.
    Unsecured(&'static str),
    Stopped,
    End,
    Error(ErrorKind),
    Drained(u32),
}

impl Seen {
    /// Says what happened, with the bytes of payloads.
    pub(crate) fn of(event: SocketEvent, received: &ReceivedBytes) -> Self {
        match event {
            SocketEvent::Message(_, span) => Self::Message(received.get(span).to_vec()),
            SocketEvent::Received(Event::Message { payload, .. }) => Self::Message(payload.into_owned()),
            SocketEvent::Received(Event::Ping(payload)) => Self::Ping(payload.into_owned()),
            SocketEvent::Received(Event::Failed(_)) => Self::Failed,
            SocketEvent::Received(event) => panic!("no test sends {event:?}"),
            SocketEvent::Requested(requested) => Self::Requested(requested.from.listener),
            SocketEvent::Passed(passed) => Self::Passed(passed.from.listener, passed.bytes),
            SocketEvent::Unsecured(unsecured) => Self::Unsecured(unsecured.error.code),
            SocketEvent::Stopped => Self::Stopped,
            SocketEvent::End => Self::End,
            SocketEvent::Error(error) => Self::Error(error.kind()),
            SocketEvent::Drained(count) => Self::Drained(count),
        }
    }
}

/// Work for other threads, which is done when the test says so.
#[derive(Clone, Default)]
pub(crate) struct Works(Arc<Mutex<VecDeque<Work>>>);

type Work = Box<dyn FnOnce() + Send>;

impl Works {
    fn spawn(&self) -> Spawn {
        let works = self.clone();
        Box::new(move |work| works.0.lock().expect("no panic").push_back(work))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().expect("no panic").len()
    }

    /// Does what was given first. False when there is nothing.
    pub(crate) fn run_one(&self) -> bool {
        let work = self.0.lock().expect("no panic").pop_front();
        work.map(|work| work()).is_some()
    }
}

/// See the module.
pub(crate) struct Bench {
    pub(crate) reactor: Reactor,
    pub(crate) received: ReceivedBytes,
    /// What the reactor has told and the test has not taken.
    pub(crate) events: Events,
    pub(crate) works: Works,
    /// Everything taken, in order.
    pub(crate) seen: Vec<(ConnectionId, Seen)>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_ring(16)
    }

    /// With a read buffer of so many reads.
    pub(crate) fn with_ring(reads: usize) -> Self {
        let (buffer, received) = test_ring(reads * READ_LEN);
        let works = Works::default();
        let reactor = Reactor::new(buffer, works.spawn()).expect("descriptors");
        Self { reactor, received, events: Events::default(), works, seen: Vec::new() }
    }

    pub(crate) fn add(&mut self, socket: &impl AsFd) -> ConnectionId {
        self.add_with(socket, config(), &[])
    }

    pub(crate) fn add_with(&mut self, socket: &impl AsFd, config: Config, early: &[u8]) -> ConnectionId {
        self.reactor.add(socket.as_fd(), config, early, false, true).expect("descriptors").0
    }

    /// A connection over TCP: its id, our socket and the peer's.
    pub(crate) fn connect(&mut self) -> (ConnectionId, TcpStream, TcpStream) {
        let (ours, peer) = tcp_pair();
        (self.add(&ours), ours, peer)
    }

    pub(crate) fn turn(&mut self, room: Room) -> Progress {
        self.reactor.turn(Look::Set, room, &mut self.events).expect("the set works")
    }

    pub(crate) fn flush(&mut self) {
        self.reactor.flush(&mut self.events);
    }

    /// Takes the first event, as JavaScript does when it has delivered it.
    pub(crate) fn take_one(&mut self) -> bool {
        let Some(entry) = self.events.pop() else { return false };
        self.seen.push((entry.id, Seen::of(entry.event, &self.received)));
        self.received.release(entry.releases);
        true
    }

    pub(crate) fn take_all(&mut self) {
        while self.take_one() {}
    }

    /// Takes turns until nothing is to be done without another word of the set.
    pub(crate) fn settle(&mut self) {
        loop {
            let progress = self.turn(Room::ALL);
            self.take_all();
            self.flush();
            if progress == Progress::Idle && self.events.is_empty() && !self.reactor.has_work() {
                return;
            }
        }
    }

    /// Takes a turn whenever the set is ready, until something was seen.
    pub(crate) fn until(&mut self, is_true: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        self.settle();
        while !is_true(self) {
            assert!(Instant::now() < end, "has not come; seen: {:.2000}", format!("{:?}", self.seen));
            if self.wait_ready(Duration::from_millis(100)) {
                self.settle();
            }
        }
    }

    /// Whether the set has become readable within this time.
    pub(crate) fn wait_ready(&self, patience: Duration) -> bool {
        let set = self.reactor.duplicate_fd().expect("descriptors");
        is_readable(&set, patience)
    }

    /// What was seen of one connection.
    pub(crate) fn seen_of(&self, id: ConnectionId) -> Vec<Seen> {
        self.seen.iter().filter(|(whose, _)| *whose == id).map(|(_, seen)| seen.clone()).collect()
    }

    pub(crate) fn messages_of(&self, id: ConnectionId) -> Vec<Vec<u8>> {
        let message = |seen| if let Seen::Message(payload) = seen { Some(payload) } else { None };
        self.seen_of(id).into_iter().filter_map(message).collect()
    }

    pub(crate) fn has_seen(&self, id: ConnectionId, wanted: &Seen) -> bool {
        self.seen.iter().any(|(whose, seen)| *whose == id && seen == wanted)
    }
}

pub(crate) fn is_readable(fd: &OwnedFd, patience: Duration) -> bool {
    let timeout = Timespec::try_from(patience).expect("a short time");
    poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&timeout)).expect("poll") > 0
}

/// Takes frames of clients and servers.
pub(crate) fn config() -> Config {
    Config {
        mask: MaskPolicy::Either,
        max_frame_size: 1 << 24,
        max_message_size: 1 << 24,
        ..Config::new(Role::Server)
    }
}

/// Takes compressed messages as well.
pub(crate) fn inflating_config() -> Config {
    Config { inflation: Some(Inflation::EachAlone), ..config() }
}

/// Our end, which does not block, and the peer's, which does.
pub(crate) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let peer = connect(listener.local_addr().expect("its address"));
    let (ours, _) = listener.accept().expect("the peer has connected");
    ours.set_nonblocking(true).expect("a socket");
    (ours, peer)
}

/// The same over a Unix socket.
pub(crate) fn unix_pair() -> (UnixStream, UnixStream) {
    let (ours, peer) = UnixStream::pair().expect("descriptors");
    ours.set_nonblocking(true).expect("a socket");
    peer.set_read_timeout(Some(PATIENCE)).expect("a socket");
    (ours, peer)
}

/// A peer that connects.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let peer = TcpStream::connect(address).expect("somebody listens");
    peer.set_nodelay(true).expect("a socket");
    peer.set_read_timeout(Some(PATIENCE)).expect("a socket");
    peer
}

/// Has a socket be reset, not ended, when it is closed.
pub(crate) fn reset(peer: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&peer, Some(Duration::ZERO)).expect("a socket");
    drop(peer);
}

/// A binary message in one frame.
pub(crate) fn message(payload: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    encoder::put_message(&mut out, OpCode::Binary, payload, None, || None, |_| {});
    out.to_vec()
}

/// `count` messages that inflate to `len` bytes each, whose number is in each of them.
pub(crate) fn compressed_messages(count: usize, len: usize) -> Vec<u8> {
    let mut compressor = Compressor::new(Settings { level: 6, window_bits: 15 }, false);
    let mut out = BytesMut::new();
    for number in 0..count {
        compressor.compress(&vec![number as u8; len], |payload| {
            encoder::put_compressed_message(&mut out, OpCode::Binary, payload, None, || None);
        });
    }
    out.to_vec()
}

/// What the peer gets within one more read.
pub(crate) fn read_some(peer: &mut impl Read) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 16];
    let count = peer.read(&mut bytes).expect("bytes or an end");
    bytes.truncate(count);
    bytes
}

/// Writes everything, from a thread of its own, since nobody may read.
pub(crate) fn write_aside(peer: &TcpStream, bytes: Vec<u8>) {
    let mut peer = peer.try_clone().expect("descriptors");
    // It fails when the other end has gone, which is the test's affair.
    std::thread::spawn(move || drop(peer.write_all(&bytes)));
}
