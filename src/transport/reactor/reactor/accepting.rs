//! Listeners, and connections until their request is accepted.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::Deadlines;
use super::super::event::{ConnectionId, Events, ListenerId};
use super::super::listeners::{Accepted, Late};
use super::super::opening::{Opening, Stage};
use super::super::secure::Secure;
use super::super::states::Reasons;
use super::Reactor;
use crate::handshake::head::{HeadReader, refusal};
use crate::protocol::receiver::Receiver;
use crate::protocol::{Config, Role};
use crate::tls::{Context, Session};

impl Reactor {
    pub(super) fn accept(&mut self) {
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

    /// Listens. Returns the listener's id and address. With `reuse_port`, others may listen at the same address who ask for it too.
    ///
    /// # Errors
    /// Those of the operating system: the address is in use, is not one of this machine, …
    pub(crate) fn listen(
        &mut self,
        address: SocketAddr,
        reuse_port: bool,
        timeout: Duration,
        max_head_len: usize,
        tls: Option<Arc<Context>>,
    ) -> io::Result<(ListenerId, SocketAddr)> {
        self.listeners.listen(self.poll.registry(), address, reuse_port, timeout, max_head_len, tls)
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
