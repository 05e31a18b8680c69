//! What a worker has read and the JavaScript thread has not taken yet.

use std::borrow::Cow;
use std::io;
use std::ops::Range;

use super::listener::Requested;
use super::reactor::{Happening, Id, Sink};
use crate::protocol::{Event, MessageKind};

/// Payload bytes that may wait for the JavaScript thread before reading stops.
const MAX_BYTES: usize = 1 << 20;

/// Events that may wait.
const MAX_ITEMS: usize = 8 * 1024;

/// Happenings in order, with their payloads side by side in one piece of memory.
#[derive(Default)]
pub(crate) struct Batch {
    items: Vec<(Id, Item)>,
    bytes: Vec<u8>,
    /// Sockets that were read, and in how many turns.
    pub(crate) served: usize,
    pub(crate) turns: usize,
}

enum Item {
    /// A message whose payload is in `bytes`.
    Message(MessageKind, Range<usize>),
    /// Anything that has its memory for itself.
    Event(Event<'static>),
    End,
    Error(io::Error),
    Drained(u32),
    Requested(Box<Requested>),
}

impl Batch {
    /// Whether there is anything in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether nothing more should be read until it has been taken.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= MAX_BYTES || self.items.len() >= MAX_ITEMS
    }

    /// Passes everything on and keeps the memory.
    pub(crate) fn drain(&mut self, mut take: impl FnMut(Id, Happening<'_>)) {
        for (id, item) in self.items.drain(..) {
            take(
                id,
                match item {
                    Item::Message(kind, range) => {
                        Happening::Event(Event::Message { kind, payload: Cow::Borrowed(&self.bytes[range]) })
                    }
                    Item::Event(event) => Happening::Event(event),
                    Item::End => Happening::End,
                    Item::Error(error) => Happening::Error(error),
                    Item::Drained(asked) => Happening::Drained(asked),
                    Item::Requested(requested) => Happening::Requested(requested),
                },
            );
        }
        self.bytes.clear();
        self.bytes.shrink_to(2 * MAX_BYTES);
        self.served = 0;
        self.turns = 0;
    }

    /// Puts everything that is in `other` behind what is in this one.
    pub(crate) fn append(&mut self, other: &mut Self) {
        if self.is_empty() {
            let (served, turns) = (self.served, self.turns);
            std::mem::swap(self, other);
            self.served += served;
            self.turns += turns;
            other.served = 0;
            other.turns = 0;
            return;
        }
        let offset = self.bytes.len();
        self.bytes.append(&mut other.bytes);
        self.items.extend(other.items.drain(..).map(|(id, item)| match item {
            Item::Message(kind, range) => (id, Item::Message(kind, range.start + offset..range.end + offset)),
            item => (id, item),
        }));
        self.served += std::mem::take(&mut other.served);
        self.turns += std::mem::take(&mut other.turns);
    }

    /// Takes out what belongs to one connection.
    pub(crate) fn extract(&mut self, id: Id) -> Self {
        let mut extracted = Self::default();
        let bytes = &self.bytes;
        let mut kept = Vec::with_capacity(self.items.len());
        for (other, item) in self.items.drain(..) {
            if other != id {
                kept.push((other, item));
                continue;
            }
            extracted.items.push((
                id,
                match item {
                    Item::Message(kind, range) => {
                        let start = extracted.bytes.len();
                        extracted.bytes.extend_from_slice(&bytes[range]);
                        Item::Message(kind, start..extracted.bytes.len())
                    }
                    item => item,
                },
            ));
        }
        self.items = kept;
        extracted
    }
}

impl Sink for Batch {
    fn take(&mut self, id: Id, happening: Happening<'_>) {
        let item = match happening {
            Happening::Event(Event::Message { kind, payload: Cow::Borrowed(payload) }) => {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(payload);
                Item::Message(kind, start..self.bytes.len())
            }
            Happening::Event(event) => Item::Event(event.into_owned()),
            Happening::End => Item::End,
            Happening::Error(error) => Item::Error(error),
            Happening::Drained(asked) => Item::Drained(asked),
            Happening::Requested(requested) => Item::Requested(requested),
        };
        self.items.push((id, item));
    }

    fn has_room(&self) -> bool {
        !self.is_full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(batch: &mut Batch, id: u32, payload: &str) {
        let payload = Cow::Borrowed(payload.as_bytes());
        batch.take(Id::from_raw(id), Happening::Event(Event::Message { kind: MessageKind::Text, payload }));
    }

    fn drained(batch: &mut Batch) -> Vec<(u32, String)> {
        let mut all = Vec::new();
        batch.drain(|id, happening| {
            let what = match happening {
                Happening::Event(Event::Message { payload, .. }) => {
                    String::from_utf8_lossy(&payload).into_owned()
                }
                Happening::Event(event) => format!("{event:?}"),
                Happening::End => "end".to_owned(),
                Happening::Error(error) => error.to_string(),
                Happening::Drained(asked) => format!("drained {asked}"),
                Happening::Requested(_) => "requested".to_owned(),
            };
            all.push((id.raw(), what));
        });
        all
    }

    fn pair(id: u32, what: &str) -> (u32, String) {
        (id, what.to_owned())
    }

    #[test]
    fn what_was_taken_comes_out_in_order_and_once() {
        let mut batch = Batch::default();
        text(&mut batch, 1, "one");
        batch.take(Id::from_raw(2), Happening::Event(Event::Ping(Cow::Borrowed(b"p"))));
        text(&mut batch, 1, "two");
        batch.take(Id::from_raw(1), Happening::End);
        let all = drained(&mut batch);
        assert_eq!(all[0], pair(1, "one"));
        assert_eq!(all[2], pair(1, "two"));
        assert_eq!(all[3], pair(1, "end"));
        assert!(batch.is_empty());
        assert_eq!(drained(&mut batch), []);
    }

    #[test]
    fn appending_keeps_the_payloads_with_their_events() {
        let (mut first, mut second) = (Batch::default(), Batch::default());
        text(&mut first, 1, "first");
        text(&mut second, 2, "second");
        text(&mut second, 1, "third");
        first.append(&mut second);
        assert!(second.is_empty());
        assert_eq!(drained(&mut first), [pair(1, "first"), pair(2, "second"), pair(1, "third")]);
    }

    #[test]
    fn extracting_leaves_the_others_as_they_were() {
        let mut batch = Batch::default();
        for (id, payload) in [(1, "a"), (2, "bb"), (1, "ccc"), (3, "")] {
            text(&mut batch, id, payload);
        }
        let mut extracted = batch.extract(Id::from_raw(1));
        assert_eq!(drained(&mut extracted), [pair(1, "a"), pair(1, "ccc")]);
        assert_eq!(drained(&mut batch), [pair(2, "bb"), pair(3, "")]);
    }

    #[test]
    fn a_batch_that_nobody_takes_is_full_at_some_time() {
        let mut batch = Batch::default();
        let payload = "x".repeat(60_000);
        let count = (0..).take_while(|_| {
            text(&mut batch, 1, &payload);
            batch.has_room()
        });
        assert!(count.count() <= MAX_BYTES / payload.len() + 1);
    }
}
