//! The one way of events to JavaScript.
//!
//! Every producer publishes here: turns of the loop and of the worker, flushes that JavaScript asks for, writes in its place
//! by other threads, broadcasts, inflation, the listener. The JavaScript thread takes what there is and delivers it in
//! bounded portions.
//!
//! Who wakes whom:
//!
//! - The JavaScript thread is either *awake*, which means that it looks into the queue again before it sleeps, or *asleep*.
//!   It falls asleep only by finding the queue empty, under the lock. Whoever publishes while it is asleep makes it awake and
//!   has to wake it: by libuv's `uv_async_send` from another thread, by an idle handle from the JavaScript thread itself.
//! - A producer that has more and no room for it *stalls*, under the lock, unless there is room by then. Whoever delivers
//!   events makes room, and wakes a stalled producer when half of the queue is free.
//!
//! Events are published with the reactor locked. So whoever holds that lock knows that every event of a connection is either
//! in the queue or taken already.

use crate::transport::reactor::event::{Events, Load, Room};
use crate::transport::sync::{Mutex, lock};

#[derive(Default)]
struct State {
    events: Events,
    /// Events that were published and not delivered, those that were taken included.
    undelivered: usize,
    /// Bytes that those own.
    bytes: usize,
    consumer_is_awake: bool,
    producer_is_stalled: bool,
}

impl State {
    fn room(&self) -> Room {
        Room::ALL.without(self.undelivered, self.bytes)
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct EventQueue {
    state: Mutex<State>,
}

/// What whoever has published must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Wake {
    /// The JavaScript thread sleeps: wake it.
    JavaScript,
    /// Nothing: it comes by itself.
    Nobody,
}

impl EventQueue {
    /// How much a producer may add.
    pub(crate) fn room(&self) -> Room {
        lock(&self.state).room()
    }

    /// How much was published and not delivered: events, and bytes that they own.
    #[cfg(all(test, not(loom)))]
    pub(super) fn undelivered(&self) -> (usize, usize) {
        let state = lock(&self.state);
        (state.undelivered, state.bytes)
    }

    /// Adds events behind all others, and leaves `events` empty.
    pub(crate) fn publish(&self, events: &mut Events) -> Wake {
        if events.is_empty() && events.load == Load::default() {
            return Wake::Nobody;
        }
        let mut state = lock(&self.state);
        state.undelivered += events.len();
        state.bytes += events.owned_bytes();
        let is_new = !events.is_empty();
        state.events.append(events);
        if !is_new || std::mem::replace(&mut state.consumer_is_awake, true) {
            Wake::Nobody
        } else {
            Wake::JavaScript
        }
    }

    /// Takes all events, into `taken`, which is empty. When there are none, the JavaScript thread is asleep from now on.
    pub(crate) fn take(&self, taken: &mut Events) {
        let mut state = lock(&self.state);
        taken.append(&mut state.events);
        state.consumer_is_awake = !taken.is_empty();
    }

    /// Whether there is nothing to take. When so, the JavaScript thread is asleep from now on.
    pub(crate) fn sleep_if_empty(&self) -> bool {
        let mut state = lock(&self.state);
        state.consumer_is_awake = !state.events.is_empty();
        !state.consumer_is_awake
    }

    /// Says that events were delivered which owned so many bytes. True when a producer has stalled and must be woken.
    #[must_use]
    pub(crate) fn delivered(&self, events: usize, bytes: usize) -> bool {
        let mut state = lock(&self.state);
        state.undelivered -= events;
        state.bytes -= bytes;
        let half_free = state.undelivered <= Room::ALL.events / 2 && state.bytes <= Room::ALL.bytes / 2;
        half_free && std::mem::take(&mut state.producer_is_stalled)
    }

    /// A producer has more and found no room for it. False when nothing is undelivered by now, so that there is room.
    #[must_use]
    pub(crate) fn stall(&self) -> bool {
        let mut state = lock(&self.state);
        state.producer_is_stalled = state.undelivered > 0;
        state.producer_is_stalled
    }
}

#[cfg(all(test, loom))]
#[path = "event_queue_loom_tests.rs"]
mod loom_tests;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::slots::SlotId;
    use crate::transport::reactor::event::SocketEvent;

    fn events(count: usize) -> Events {
        let mut events = Events::default();
        for _ in 0..count {
            events.push(SlotId::from_raw(1), SocketEvent::End);
        }
        events
    }

    #[test]
    fn the_first_event_wakes_a_sleeping_consumer_and_the_next_ones_do_not() {
        let queue = EventQueue::default();
        assert_eq!(queue.publish(&mut events(1)), Wake::JavaScript);
        assert_eq!(queue.publish(&mut events(2)), Wake::Nobody);
        let mut taken = Events::default();
        queue.take(&mut taken);
        assert_eq!(taken.len(), 3);
        assert_eq!(queue.publish(&mut events(1)), Wake::Nobody, "it looks again before it sleeps");
        assert!(!queue.sleep_if_empty());
        queue.take(&mut Events::default());
        assert!(queue.sleep_if_empty());
        assert_eq!(queue.publish(&mut events(1)), Wake::JavaScript);
    }

    #[test]
    fn nothing_published_wakes_nobody() {
        assert_eq!(EventQueue::default().publish(&mut Events::default()), Wake::Nobody);
    }

    #[test]
    fn what_is_delivered_makes_room_and_wakes_a_stalled_producer() {
        let queue = EventQueue::default();
        let _ = queue.publish(&mut events(Room::ALL.events));
        assert_eq!(queue.room().events, 0);
        assert!(queue.stall());
        queue.take(&mut Events::default());
        assert_eq!(queue.room().events, 0, "what was taken is not delivered yet");
        assert!(!queue.delivered(10, 0), "there is room for little");
        assert!(queue.delivered(Room::ALL.events / 2, 0));
        assert!(!queue.delivered(1, 0), "it is woken once");
    }

    #[test]
    fn a_producer_does_not_stall_when_nothing_is_left_to_deliver() {
        assert!(!EventQueue::default().stall());
    }
}
