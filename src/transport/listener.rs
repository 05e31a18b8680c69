//! Listening sockets of the reactor: accepting, and the opening handshake up to the point where there is something to
//! tell the program.
//!
//! A connection is a [`Socket`](super::socket::Socket) from the beginning, in another [`Stage`]. JavaScript learns of it
//! with the whole request; what is no opening handshake is answered here.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{IntoRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Interest, Token};

use super::exchange::Exchange;
use super::reactor::{Id, Reactor, WAKE};
use super::socket::Counters;
use crate::handshake::head::{HeadReader, refusal};
use crate::handshake::server::Request;
use crate::protocol::receiver::Receiver;
use crate::protocol::{Config, Role};

/// Tokens of listeners go down from here, those of connections up from 0.
const LAST_LISTENER: usize = WAKE.0 - 1;

/// Connections accepted at a time, before others have their turn.
const ACCEPTED_AT_ONCE: usize = 64;

/// Connections whose request has not arrived as a whole; the oldest gives way to one more.
pub(super) const MAX_HEADS: usize = 16 * 1024;

/// How long the peer of a refused request gets to close its end.
pub(super) const LINGER: Duration = Duration::from_secs(5);

/// How often deadlines are looked at.
const PERIOD: Duration = Duration::from_millis(250);

/// What a socket is there for.
#[derive(Debug)]
pub(crate) enum Stage {
    /// Frames.
    Open,
    /// The request has not arrived as a whole.
    Head(Box<Opening>),
    /// The program has been told of the request and has not begun to receive; nothing is read meanwhile.
    Requested,
    /// The request was refused here. What the peer still sends is thrown away until it closes.
    Refused,
}

/// An opening handshake under way.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(super) reader: HeadReader,
    pub(super) listener: u32,
    pub(super) peer: SocketAddr,
}

/// A request that has arrived on a listener.
#[derive(Debug)]
pub(crate) struct Requested {
    /// The number of the listener.
    pub(crate) listener: u32,
    pub(crate) peer: SocketAddr,
    pub(crate) request: Request,
}

/// A listening socket.
pub(super) struct Listener {
    pub(super) socket: TcpListener,
    /// How long a request may take to arrive.
    pub(super) timeout: Duration,
    /// How long the head of a request may be.
    max_head_len: usize,
    /// There may be more to accept, of which the operating system will not tell again.
    pub(super) pending: bool,
    /// The operating system has not given a descriptor for a connection that waits.
    exhausted: bool,
}

impl Listener {
    /// Accepts what waits, as far as it goes at once.
    pub(super) fn accept(&mut self, mut add: impl FnMut(TcpStream, SocketAddr)) {
        self.pending = false;
        for _ in 0..ACCEPTED_AT_ONCE {
            match self.socket.accept() {
                Ok((stream, peer)) => {
                    // Small frames should not wait for the acknowledgement of others; it fails on dead sockets only.
                    let _ = stream.set_nodelay(true);
                    add(TcpStream::from(OwnedFd::from(stream)), peer);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // A peer that has gone again.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
                    ) => {}
                Err(_) => {
                    // No descriptors left, most likely. There will be some when others have closed: `expire` tries again.
                    self.exhausted = true;
                    return;
                }
            }
        }
        self.pending = true;
    }
}

/// Deadlines in the order in which they come, for connections that are not open yet.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    pub(super) heads: VecDeque<(Instant, Id)>,
    pub(super) refused: VecDeque<(Instant, Id)>,
    /// Connections whose request has not arrived as a whole.
    pub(super) head_count: usize,
}

impl Deadlines {
    /// A request has arrived as a whole, or will not be waited for any more.
    pub(super) fn passed_head(&mut self, id: Id, stage: &Stage) {
        self.head_count -= 1;
        if matches!(stage, Stage::Refused) {
            self.refused.push_back((Instant::now() + LINGER, id));
        }
    }
}

/// The set says that there is something to accept, if the token is that of a listener.
pub(super) fn note_acceptable(listeners: &mut [Option<Listener>], token: Token) {
    let number = LAST_LISTENER.checked_sub(token.0);
    if let Some(listener) = number.and_then(|number| listeners.get_mut(number)).and_then(Option::as_mut) {
        listener.pending = true;
    }
}

impl Reactor {
    /// Listens. Returns the number of the listener and its address.
    ///
    /// # Errors
    /// Those of the operating system: the address is in use, is not one of this machine, …
    pub(crate) fn listen(
        &mut self,
        address: SocketAddr,
        timeout: Duration,
        max_head_len: usize,
    ) -> io::Result<(u32, SocketAddr)> {
        let mut socket = TcpListener::bind(address)?;
        let address = socket.local_addr()?;
        let free = self.listeners.iter().position(Option::is_none);
        let number = free.unwrap_or(self.listeners.len());
        self.poll.registry().register(&mut socket, Token(LAST_LISTENER - number), Interest::READABLE)?;
        let listener = Some(Listener { socket, timeout, max_head_len, pending: false, exhausted: false });
        match free {
            Some(number) => self.listeners[number] = listener,
            None => self.listeners.push(listener),
        }
        Ok((number as u32, address))
    }

    /// Stops listening. Connections whose request has not arrived are closed, the others stay.
    pub(crate) fn close_listener(&mut self, number: u32) {
        // The set forgets a descriptor that is closed.
        let Some(listener) = self.listeners.get_mut(number as usize).and_then(Option::take) else { return };
        drop(listener);
        for (_, id) in std::mem::take(&mut self.deadlines.heads) {
            match self.get_mut(id).map(|socket| &socket.stage) {
                Some(Stage::Head(opening)) if opening.listener == number => {
                    self.remove(id);
                }
                Some(Stage::Head(_)) => self.deadlines.heads.push_back((Instant::now() + LINGER, id)),
                _ => {}
            }
        }
    }

    /// Accepts on all listeners that have something.
    pub(super) fn accept(&mut self) {
        let mut accepted = Vec::new();
        for (number, listener) in self.listeners.iter_mut().enumerate() {
            let Some(listener) = listener.as_mut().filter(|listener| listener.pending) else { continue };
            let (timeout, max_head_len) = (listener.timeout, listener.max_head_len);
            listener
                .accept(|stream, peer| accepted.push((stream, peer, number as u32, timeout, max_head_len)));
        }
        for (stream, peer, listener, timeout, max_head_len) in accepted {
            let reader = HeadReader::new(max_head_len);
            self.add_opening(stream, Opening { reader, listener, peer }, timeout);
        }
        if self.listeners.iter().flatten().any(|listener| listener.pending) {
            self.wake();
        }
    }

    fn add_opening(&mut self, stream: TcpStream, opening: Opening, timeout: Duration) {
        // The program sets the limits when it accepts; nothing is parsed before.
        let config = Config::new(Role::Server);
        let Ok(socket) = self.insert(stream, config, Stage::Head(Box::new(opening))) else { return };
        let id = socket.id;
        self.deadlines.head_count += 1;
        self.deadlines.heads.push_back((Instant::now() + timeout, id));
        while self.deadlines.head_count > MAX_HEADS
            && let Some((_, oldest)) = self.deadlines.heads.pop_front()
        {
            if matches!(self.get_mut(oldest).map(|socket| &socket.stage), Some(Stage::Head(_))) {
                self.remove(oldest);
            }
        }
    }

    /// The bytes of a connection whose request was accepted are frames from now on.
    pub(crate) fn begin(&mut self, id: Id, config: Config) -> bool {
        let Some(socket) = self.get_mut(id).filter(|socket| matches!(socket.stage, Stage::Requested)) else {
            return false;
        };
        socket.receiver = Receiver::new(config);
        socket.stage = Stage::Open;
        self.look_at(id);
        true
    }

    /// What a connection that has come in by itself is known by, and counted with.
    pub(crate) fn counters(&mut self, id: Id) -> Option<Arc<Counters>> {
        self.get_mut(id).map(|socket| Arc::clone(&socket.counters))
    }

    /// A duplicate of the descriptor of a connection, for somebody who takes care of it; `None` when there is none to be had.
    pub(crate) fn duplicate_socket(&mut self, id: Id) -> Option<RawFd> {
        Some(self.get_mut(id)?.stream.try_clone().ok()?.into_raw_fd())
    }

    /// Closes our direction of a socket when all that waits has been written.
    pub(crate) fn finish(&mut self, id: Id) {
        if let Some(socket) = self.get_mut(id) {
            socket.finishing = true;
        }
        self.send(id, |_| {});
    }

    /// Ends handshakes that take too long. False when there is nothing left to come back for.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        while let Some(&(deadline, id)) = self.deadlines.heads.front() {
            let Some(socket) = self.get_mut(id).filter(|socket| matches!(socket.stage, Stage::Head(_)))
            else {
                self.deadlines.heads.pop_front();
                continue;
            };
            if deadline > now {
                break;
            }
            socket.refuse(&refusal(408, "The request did not arrive in time (handshakeTimeout)."));
            self.deadlines.passed_head(id, &Stage::Refused);
            self.deadlines.heads.pop_front();
        }
        while let Some(&(deadline, id)) = self.deadlines.refused.front()
            && deadline <= now
        {
            self.deadlines.refused.pop_front();
            if matches!(self.get_mut(id).map(|socket| &socket.stage), Some(Stage::Refused)) {
                self.remove(id);
            }
        }
        for listener in self.listeners.iter_mut().flatten() {
            listener.pending |= std::mem::take(&mut listener.exhausted);
        }
        if self.listeners.iter().flatten().any(|listener| listener.pending) {
            self.wake();
        }
        self.listeners.iter().any(Option::is_some) || !self.deadlines.refused.is_empty()
    }
}

/// Looks at deadlines, and again at listeners that could not accept, as long as there are any.
pub(crate) async fn watch(exchange: Weak<Exchange>) {
    loop {
        tokio::time::sleep(PERIOD).await;
        let goes_on =
            exchange.upgrade().is_some_and(|exchange: Arc<Exchange>| exchange.expire(Instant::now()));
        if !goes_on {
            return;
        }
    }
}
