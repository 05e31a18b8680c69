//! What happens to connections, on its way to JavaScript.

use std::collections::VecDeque;
use std::io;

use super::opening::{Passed, Requested};
use super::read_buffer::Span;
use crate::protocol::{Event, MessageKind};
use crate::slots::SlotId;

/// Names a connection.
pub(crate) type ConnectionId = SlotId;

/// Names a listening socket.
pub(crate) type ListenerId = SlotId;

/// Something that happened to a connection.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    /// A message whose payload lies in the read buffer.
    Message(MessageKind, Span),
    /// Anything else that frames mean. It owns its memory.
    Received(Event<'static>),
    /// A connection has come in on a listener, and its request has arrived.
    Requested(Box<Requested>),
    /// A connection has come in on a listener that passes on what is no opening handshake, as this one is not.
    Passed(Box<Passed>),
    /// A connection has come in on a listener with TLS, and its handshake has come to nothing.
    #[cfg(not(loom))]
    Unsecured(Box<super::secure::Unsecured>),
    /// Nothing is read any more, as [`Reactor::stop`](super::Reactor::stop) asked, and nothing follows that was read.
    Stopped,
    /// The peer has closed its direction of the socket.
    End,
    /// The socket has failed.
    Error(io::Error),
    /// Everything sent has been written, as this many calls of [`Reactor::notify`](super::Reactor::notify) wanted to know.
    Drained(u32),
}

impl SocketEvent {
    /// Bytes of payload.
    pub(crate) fn payload_len(&self) -> usize {
        match self {
            Self::Message(_, span) => span.len as usize,
            other => other.owned_len(),
        }
    }

    /// Bytes that it holds itself, as far as the peer decides how many.
    fn owned_len(&self) -> usize {
        match self {
            Self::Received(
                Event::Message { payload, .. }
                | Event::Frame { payload, .. }
                | Event::Ping(payload)
                | Event::Pong(payload),
            ) => payload.len(),
            Self::Requested(requested) => requested.request.held_bytes(),
            Self::Passed(passed) => passed.bytes.len(),
            _ => 0,
        }
    }
}

/// An event, and what it holds on to.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: ConnectionId,
    pub(crate) event: SocketEvent,
    /// When JavaScript has seen this one, the read buffer is free up to here; 0 says nothing about it.
    pub(crate) releases: u64,
}

/// How much may wait for JavaScript.
///
/// Before each read there is room for one event at least, so both numbers are exceeded by what one read brings at most: some
/// 32,000 events of two-byte frames, or one message of the largest allowed size. What frees resources or ends a connection
/// is no consequence of a read and is added in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) events: usize,
    /// Bytes of payloads that do not lie in the read buffer, which has a bound of its own.
    pub(crate) bytes: usize,
}

impl Room {
    /// What may wait in all.
    pub(crate) const ALL: Self = if cfg!(loom) {
        Self { events: 2, bytes: 1 << 20 }
    } else {
        Self { events: 8 * 1024, bytes: 1 << 20 }
    };

    /// What is left when this much waits.
    pub(crate) fn without(self, events: usize, bytes: usize) -> Self {
        Self { events: self.events.saturating_sub(events), bytes: self.bytes.saturating_sub(bytes) }
    }
}

/// Events in the order in which they happened.
#[derive(Debug, Default)]
pub(crate) struct Events {
    entries: VecDeque<Entry>,
    owned_bytes: usize,
    /// Messages among them whose payload lies in the read buffer.
    spans: usize,
    /// What the turns of the reactor that have brought these have done.
    pub(crate) load: Load,
}

/// How much turns of the reactor had to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Load {
    /// Sockets that were read.
    pub(crate) served: usize,
    /// Turns in which they were.
    pub(crate) turns: usize,
}

impl Events {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn owned_bytes(&self) -> usize {
        self.owned_bytes
    }

    /// Whether the consequences of another read fit in.
    pub(crate) fn fit(&self, room: Room) -> bool {
        self.entries.len() < room.events && self.owned_bytes < room.bytes
    }

    pub(crate) fn push(&mut self, id: ConnectionId, event: SocketEvent) {
        self.owned_bytes += event.owned_len();
        self.spans += usize::from(matches!(event, SocketEvent::Message(..)));
        self.entries.push_back(Entry { id, event, releases: 0 });
    }

    /// The number of messages so far whose payload lies in the read buffer.
    pub(crate) fn spans(&self) -> usize {
        self.spans
    }

    /// Notes that the read buffer is free up to `position` when JavaScript has seen all events that are there now.
    pub(crate) fn release_after_last(&mut self, position: u64) {
        if let Some(last) = self.entries.back_mut() {
            last.releases = position;
        }
    }

    /// Takes the first event.
    pub(crate) fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.owned_bytes -= entry.event.owned_len();
        Some(entry)
    }

    /// Puts all events of `other` behind these, and leaves `other` empty.
    pub(crate) fn append(&mut self, other: &mut Self) {
        if self.entries.is_empty() {
            std::mem::swap(&mut self.entries, &mut other.entries);
        } else {
            self.entries.append(&mut other.entries);
        }
        self.owned_bytes += std::mem::take(&mut other.owned_bytes);
        self.spans += std::mem::take(&mut other.spans);
        let Load { served, turns } = std::mem::take(&mut other.load);
        self.load.served += served;
        self.load.turns += turns;
    }
}
