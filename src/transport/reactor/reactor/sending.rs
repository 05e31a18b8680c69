//! What is sent, on its way from the outboxes to the sockets.

use std::sync::atomic::Ordering::Relaxed;

use bytes::{Bytes, BytesMut};

use super::super::event::{ConnectionId, Events};
use super::super::outbox::{Outbox, Spares};
use super::super::states::WriteState;
#[cfg(test)]
use super::Fault;
use super::Reactor;

impl Reactor {
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
}
