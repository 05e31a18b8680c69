//! The queue between its threads, in every order that loom finds.

use std::sync::Arc;

use loom::thread;

use super::super::loom_tests::model;
use super::super::model::Notify;
use super::*;
use crate::slots::SlotId;
use crate::transport::reactor::event::SocketEvent;

fn event(number: u32) -> Events {
    let mut events = Events::default();
    events.push(SlotId::from_raw(number), SocketEvent::End);
    events
}

/// A queue, and what wakes its two sides.
#[derive(Default)]
struct Shared {
    queue: EventQueue,
    consumer: Notify,
    producer: Notify,
}

impl Shared {
    fn publish(&self, number: u32) {
        if self.queue.publish(&mut event(number)) == Wake::JavaScript {
            self.consumer.notify_one();
        }
    }

    /// Takes events, and sleeps when there are none, until there were so many.
    fn consume(&self, count: usize) -> Vec<u32> {
        let mut seen = Vec::new();
        while seen.len() < count {
            self.consumer.wait();
            while !self.queue.sleep_if_empty() {
                let mut taken = Events::default();
                self.queue.take(&mut taken);
                while let Some(entry) = taken.pop() {
                    seen.push(entry.id.raw());
                    if self.queue.delivered(1, 0) {
                        self.producer.notify_one();
                    }
                }
            }
        }
        seen
    }
}

#[test]
fn no_event_stays_while_the_consumer_sleeps() {
    model(|| {
        let shared = Arc::new(Shared::default());
        let producers = [1, 2].map(|number| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.publish(number))
        });
        let mut seen = shared.consume(2);
        seen.sort_unstable();
        assert_eq!(seen, [1, 2]);
        for producer in producers {
            producer.join().expect("no panic");
        }
    });
}

#[test]
fn a_consumer_that_falls_asleep_by_finding_nothing_to_take_is_woken() {
    model(|| {
        let shared = Arc::new(Shared::default());
        let other = Arc::clone(&shared);
        let producer = thread::spawn(move || {
            other.publish(1);
            other.publish(2);
        });
        let mut seen = 0;
        while seen < 2 {
            shared.consumer.wait();
            loop {
                let mut taken = Events::default();
                shared.queue.take(&mut taken);
                if taken.is_empty() {
                    break;
                }
                seen += taken.len();
            }
        }
        producer.join().expect("no panic");
    });
}

#[test]
fn a_stalled_producer_goes_on_when_there_is_room() {
    model(|| {
        let shared = Arc::new(Shared::default());
        let other = Arc::clone(&shared);
        let producer = thread::spawn(move || {
            for number in 1..=4 {
                while other.queue.room().events == 0 {
                    if other.queue.stall() {
                        other.producer.wait();
                    }
                }
                other.publish(number);
            }
        });
        assert_eq!(shared.consume(4), [1, 2, 3, 4]);
        producer.join().expect("no panic");
    });
}
