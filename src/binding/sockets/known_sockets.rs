//! The connections that JavaScript knows.
//!
//! One that a program hands over is known from then on. One that comes in on a listener is known from the moment in which the
//! row of its request is written: what follows the request in the same portion, the end of the peer for one, is for JavaScript
//! as well, although that has not seen the request yet.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::transport::reactor::counters::Counters;
use crate::transport::reactor::event::{ConnectionId, SocketEvent};

/// What JavaScript knows of a connection.
pub(super) struct KnownSocket {
    id: ConnectionId,
    pub(super) counters: Arc<Counters>,
    /// Bytes that were sent so far, written or not.
    pub(super) sent: u64,
    /// Whether our direction is to end when all of them are written.
    pub(super) has_ended: bool,
}

impl KnownSocket {
    /// Bytes that wait to be written.
    pub(super) fn waiting(&self) -> u64 {
        self.sent.saturating_sub(self.counters.written.load(Relaxed))
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct KnownSockets {
    /// By the index of the connection.
    sockets: Vec<Option<KnownSocket>>,
    count: u32,
}

impl KnownSockets {
    pub(super) fn add(&mut self, id: ConnectionId, counters: Arc<Counters>) {
        let index = id.index();
        if self.sockets.len() <= index {
            self.sockets.resize_with(index + 1, || None);
        }
        let before = self.sockets[index].replace(KnownSocket { id, counters, sent: 0, has_ended: false });
        self.count += u32::from(before.is_none());
    }

    /// Events of the connection that are on their way will not reach JavaScript.
    pub(super) fn remove(&mut self, id: ConnectionId) {
        let known = self.sockets.get_mut(id.index());
        let removed = known.and_then(|known| known.take_if(|known| known.id == id));
        self.count -= u32::from(removed.is_some());
    }

    pub(super) fn len(&self) -> u32 {
        self.count
    }

    pub(super) fn get(&mut self, id: ConnectionId) -> Option<&mut KnownSocket> {
        self.sockets.get_mut(id.index())?.as_mut().filter(|known| known.id == id)
    }

    /// Whether JavaScript is to hear of an event whose row is about to be written.
    pub(super) fn admit(&mut self, id: ConnectionId, event: &SocketEvent) -> bool {
        match event {
            SocketEvent::Requested(requested) => self.add(id, Arc::clone(&requested.from.counters)),
            SocketEvent::Passed(passed) if passed.from.tls.is_some() => {
                self.add(id, Arc::clone(&passed.from.counters));
            }
            // Nothing follows these.
            SocketEvent::Passed(_) | SocketEvent::Unsecured(_) => {}
            _ => return self.get(id).is_some(),
        }
        true
    }
}
