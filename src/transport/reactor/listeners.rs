//! Listening sockets: accepting, and the deadlines of connections that are not open yet.
//!
//! A connection is a [`Socket`](super::socket::Socket) from the beginning, in another [`Stage`](super::opening::Stage).
//! JavaScript learns of it with the whole request; what is no opening handshake is answered by the reactor. Each listener
//! has a list of deadlines of its own, which is in order because all of them are the same time after a connection came.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Socket, Type};

use super::event::{ConnectionId, ListenerId};
use crate::slots::Slots;
use crate::tls::Context;

/// Connections accepted from one listener at a time, before others have their turn.
const ACCEPTED_AT_ONCE: usize = 64;

/// Connections whose request has not arrived as a whole, over all listeners. The oldest gives way to one more.
const MAX_HEADS: usize = if cfg!(test) { 8 } else { 16 * 1024 };

/// How long the peer of a refused request gets to close its end.
const LINGER: Duration = Duration::from_secs(5);

/// When to try again to accept after the operating system has had no descriptor.
const RETRY: Duration = Duration::from_millis(250);

/// Deadlines that are enforced at a time.
const LATE_AT_ONCE: usize = 256;

struct Listener {
    socket: TcpListener,
    /// How long a request may take to arrive.
    timeout: Duration,
    /// How long the head of a request may be.
    max_head_len: usize,
    /// What is no opening handshake is for somebody else to answer.
    passes_on: bool,
    accepting: Accepting,
    /// What TLS needs, if connections carry it.
    tls: Option<Arc<Context>>,
    /// Connections whose request has not arrived, by the time at which they came; some have gone on since.
    heads: VecDeque<(Instant, ConnectionId)>,
}

/// What a listener has to accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accepting {
    /// Nothing until the set says so.
    Nothing,
    /// There may be something, of which the set does not tell again.
    Pending,
    /// There is something, and there was no descriptor for it.
    Exhausted(Instant),
}

/// A connection that has come in.
pub(super) struct Accepted {
    pub(super) listener: ListenerId,
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) max_head_len: usize,
    pub(super) passes_on: bool,
    pub(super) tls: Option<Arc<Context>>,
}

/// As `TcpListener::bind`, at an address at which others may listen as well.
fn bind_shared(address: SocketAddr) -> io::Result<TcpListener> {
    const BACKLOG: i32 = 1024;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// A connection whose time is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// Its request has not arrived since then.
    Head(Instant, ConnectionId),
    /// Its request was refused then, and it has not closed its end.
    Refused(Instant, ConnectionId),
}

/// The listening sockets of a reactor.
pub(super) struct Listeners {
    slots: Slots<Listener>,
    /// Connections whose request was refused, by the time at which it was.
    refused: VecDeque<(Instant, ConnectionId)>,
    /// Connections whose request has not arrived as a whole.
    heads: usize,
}

impl Listeners {
    pub(super) fn new() -> Self {
        Self { slots: Slots::new(), refused: VecDeque::new(), heads: 0 }
    }

    /// Tokens of listeners go down from the one that wakes the reactor; those of connections go up from 0.
    fn token(id: ListenerId) -> Token {
        Token(super::reactor::WAKE.0 - 1 - id.index())
    }

    /// Listens. Returns the listener's id and address. With `reuse_port`, others may listen at the same address who ask for it too.
    ///
    /// # Errors
    /// Those of the operating system: the address is in use, is not one of this machine, …
    pub(super) fn listen(
        &mut self,
        registry: &Registry,
        address: SocketAddr,
        reuse_port: bool,
        timeout: Duration,
        max_head_len: usize,
        tls: Option<Arc<Context>>,
    ) -> io::Result<(ListenerId, SocketAddr)> {
        let mut socket = if reuse_port { bind_shared(address)? } else { TcpListener::bind(address)? };
        let address = socket.local_addr()?;
        let id = self.slots.next_id().ok_or_else(|| io::Error::other("too many listeners"))?;
        registry.register(&mut socket, Self::token(id), Interest::READABLE)?;
        let heads = VecDeque::new();
        let accepting = Accepting::Nothing;
        self.slots.insert(Listener {
            socket,
            timeout,
            max_head_len,
            passes_on: false,
            accepting,
            tls,
            heads,
        });
        Ok((id, address))
    }

    /// See [`Reactor::pass_on`](super::Reactor::pass_on).
    pub(super) fn pass_on(&mut self, id: ListenerId) {
        if let Some(listener) = self.slots.get_mut(id) {
            listener.passes_on = true;
        }
    }

    /// New connections get other certificates, if the listener has had some.
    pub(super) fn secure(&mut self, id: ListenerId, context: Arc<Context>) {
        if let Some(Listener { tls: Some(tls), .. }) = self.slots.get_mut(id) {
            *tls = context;
        }
    }

    /// Stops listening. Returns the connections whose request has not arrived, which have nobody to answer them now.
    pub(super) fn close(&mut self, id: ListenerId) -> VecDeque<(Instant, ConnectionId)> {
        // The set forgets a descriptor that is closed.
        self.slots.remove(id).map(|listener| listener.heads).unwrap_or_default()
    }

    /// The set says that there is something to accept, if the token is that of a listener.
    pub(super) fn note_acceptable(&mut self, token: Token) {
        let Some(index) = (super::reactor::WAKE.0 - 1).checked_sub(token.0) else { return };
        if let Some(listener) = self.slots.id_at(index).and_then(|id| self.slots.get_mut(id)) {
            listener.accepting = Accepting::Pending;
        }
    }

    /// Whether there is something to accept.
    pub(super) fn is_pending(&mut self) -> bool {
        self.slots.iter_mut().any(|(_, listener)| listener.accepting == Accepting::Pending)
    }

    /// Accepts what waits, as far as it goes at once.
    pub(super) fn accept(&mut self, now: impl Fn() -> Instant) -> Vec<Accepted> {
        let mut accepted = Vec::new();
        for (id, listener) in self.slots.iter_mut() {
            if listener.accepting == Accepting::Pending {
                let Listener { max_head_len, passes_on, tls, .. } = listener;
                let (max_head_len, passes_on, tls) = (*max_head_len, *passes_on, &*tls);
                let add = |stream, peer| {
                    accepted.push(Accepted {
                        listener: id,
                        stream,
                        peer,
                        max_head_len,
                        passes_on,
                        tls: tls.clone(),
                    });
                };
                listener.accepting = accept_some(&listener.socket, &now, add);
            }
        }
        accepted
    }

    /// A connection waits for its request from now on. Returns one that has to give way to it, if there are too many; it
    /// need not wait any more.
    pub(super) fn expect_head(
        &mut self,
        listener: ListenerId,
        id: ConnectionId,
        now: Instant,
    ) -> Option<(Instant, ConnectionId)> {
        let listener = self.slots.get_mut(listener)?;
        listener.heads.push_back((now, id));
        self.heads += 1;
        if self.heads <= MAX_HEADS {
            return None;
        }
        self.oldest_head(now)
    }

    /// Takes the connection out that has waited longest for its request, or one that has gone on since.
    pub(super) fn oldest_head(&mut self, now: Instant) -> Option<(Instant, ConnectionId)> {
        let heads = self.slots.iter_mut().map(|(_, listener)| &mut listener.heads);
        let oldest = heads.min_by_key(|heads| heads.front().map_or(now, |(came, _)| *came))?;
        oldest.pop_front()
    }

    /// A connection gets the whole time once more.
    pub(super) fn expect_again(&mut self, listener: ListenerId, id: ConnectionId, now: Instant) {
        if let Some(listener) = self.slots.get_mut(listener) {
            listener.heads.push_back((now, id));
        }
    }

    /// A request has arrived as a whole, was refused, or is not waited for any more.
    pub(super) fn passed_head(&mut self) {
        self.heads -= 1;
    }

    /// A request was refused at this time.
    pub(super) fn linger(&mut self, id: ConnectionId, now: Instant) {
        self.refused.push_back((now, id));
    }

    /// Connections whose time is over. Some have gone on since, which the caller sees. Call again until there are
    /// none.
    pub(super) fn late(&mut self, now: Instant) -> Vec<Late> {
        let mut late = Vec::new();
        for (_, listener) in self.slots.iter_mut() {
            take_late(&mut listener.heads, listener.timeout, now, &mut late, Late::Head);
            if matches!(listener.accepting, Accepting::Exhausted(retry) if retry <= now) {
                listener.accepting = Accepting::Pending;
            }
        }
        take_late(&mut self.refused, LINGER, now, &mut late, Late::Refused);
        late
    }

    /// Whether there is nothing that could ever be late.
    pub(super) fn is_idle(&self) -> bool {
        self.slots.len() == 0 && self.refused.is_empty()
    }
}

fn take_late(
    list: &mut VecDeque<(Instant, ConnectionId)>,
    timeout: Duration,
    now: Instant,
    late: &mut Vec<Late>,
    kind: fn(Instant, ConnectionId) -> Late,
) {
    while late.len() < LATE_AT_ONCE
        && let Some(&(since, id)) = list.front()
        && since + timeout <= now
    {
        list.pop_front();
        late.push(kind(since, id));
    }
}

fn accept_some(
    socket: &TcpListener,
    now: impl Fn() -> Instant,
    mut add: impl FnMut(TcpStream, SocketAddr),
) -> Accepting {
    for _ in 0..ACCEPTED_AT_ONCE {
        match socket.accept() {
            Ok((stream, peer)) => {
                // Small frames should not wait for the acknowledgement of others; it fails on dead sockets only.
                let _ = stream.set_nodelay(true);
                add(TcpStream::from(OwnedFd::from(stream)), peer);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Accepting::Nothing,
            // A peer that has gone again.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {}
            // No descriptors left, most likely. There will be some when others have closed.
            Err(_) => return Accepting::Exhausted(now() + RETRY),
        }
    }
    Accepting::Pending
}

#[cfg(test)]
#[path = "listeners_tests.rs"]
mod tests;
