//! The rules of [`shared_reactor`](super::shared_reactor) in every order that loom finds.
//!
//! A lost wake-up shows as a deadlock: all threads sleep, and one waits for what has happened.
//!
//! Threads are interrupted at most [`INTERRUPTIONS`] times in a run where they could go on; `LOOM_MAX_PREEMPTIONS` changes
//! that.

use std::sync::Arc;

use bytes::Bytes;
use loom::thread::{self, JoinHandle};

use super::event_queue::Wake;
use super::model::{Reactor, World};
use super::outgoing::Commands;
use super::shared_reactor::{Next, SharedReactor};
use crate::protocol::Event;
use crate::slots::SlotId;
use crate::transport::reactor::Progress;
use crate::transport::reactor::event::{ConnectionId, Events, SocketEvent};

const INTERRUPTIONS: usize = 3;

pub(super) fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(INTERRUPTIONS));
    model.max_branches = 10_000;
    model.check(run);
}

fn id(index: usize) -> ConnectionId {
    SlotId::from_raw(index as u32)
}

/// The JavaScript thread: what `binding::sockets::delivery` and `environment` do.
struct JavaScript {
    shared: Arc<SharedReactor>,
    world: Arc<World>,
    /// What has been delivered, in order.
    read: Vec<Vec<u8>>,
    stopped: Vec<bool>,
    failed: Vec<bool>,
    drained: u32,
    worker: Option<JoinHandle<()>>,
}

impl JavaScript {
    fn new(connections: usize) -> Self {
        let world = World::new(connections);
        let wake = Arc::clone(&world);
        let shared = SharedReactor::new(Reactor::new(&world), true, Box::new(move || wake.wake_js()));
        let (read, stopped) = (vec![Vec::new(); connections], vec![false; connections]);
        Self { shared, world, read, failed: stopped.clone(), stopped, drained: 0, worker: None }
    }

    fn with_worker(connections: usize) -> Self {
        let mut js = Self::new(connections);
        js.give_to_worker();
        js
    }

    fn give_to_worker(&mut self) {
        self.shared.give_to_worker();
        let (shared, world) = (Arc::clone(&self.shared), Arc::clone(&self.world));
        self.worker = Some(thread::spawn(move || drive(&shared, &world)));
    }

    fn take_from_worker(&mut self) {
        self.shared.take_from_worker();
        self.turn(false);
    }

    fn send(&mut self, connection: usize, byte: u8) {
        self.shared.send(id(connection), |out| out.extend_from_slice(&[byte]));
    }

    fn flush(&mut self) {
        let wake = self.shared.flush();
        self.schedule(wake);
    }

    fn with_reactor(&mut self, work: impl FnOnce(&mut Reactor, &mut Events)) {
        let (_, wake) = self.shared.with_reactor(work);
        self.schedule(wake);
    }

    fn schedule(&mut self, wake: Wake) {
        if wake == Wake::JavaScript {
            self.turn(false);
        }
    }

    fn turn(&mut self, mut ready: bool) {
        while self.shared.turn_on_loop(ready) != Progress::Idle || !self.shared.queue.sleep_if_empty() {
            ready = false;
            self.deliver();
            let _ = self.shared.flush();
        }
        if self.shared.worker_has_failed() && self.shared.is_worker_driven() {
            self.take_from_worker();
        }
    }

    fn deliver(&mut self) {
        let mut taken = Events::default();
        self.shared.queue.take(&mut taken);
        let (count, bytes) = (taken.len(), taken.owned_bytes());
        while let Some(entry) = taken.pop() {
            let index = entry.id.index();
            assert!(!self.stopped[index], "nothing follows the end of what was read");
            match entry.event {
                SocketEvent::Received(Event::Pong(payload)) => self.read[index].extend_from_slice(&payload),
                SocketEvent::Stopped => self.stopped[index] = true,
                SocketEvent::Error(_) => self.failed[index] = true,
                SocketEvent::Drained(count) => self.drained += count,
                event => panic!("nobody has asked for {event:?}"),
            }
        }
        if count > 0 {
            self.shared.delivered(count, bytes);
        }
    }

    /// Lets Node's loop call until something has come true.
    fn wait_until(&mut self, is_true: impl Fn(&Self) -> bool) {
        while !is_true(self) {
            let ready = self.world.wait_for_call(!self.shared.is_worker_driven());
            self.turn(ready);
        }
    }

    /// The environment ends.
    fn end(self) {
        assert!(self.shared.end().is_some());
        self.world.free_js();
        if let Some(worker) = self.worker {
            worker.join().expect("no panic");
        }
    }
}

/// A worker: what `worker::drive` does.
fn drive(shared: &SharedReactor, world: &World) {
    let mut commands = Commands::default();
    let mut seen = world.watch();
    let mut ready = None;
    loop {
        match shared.turn_on_worker(&mut commands) {
            Next::Again => thread::yield_now(),
            Next::Wait => {
                seen = ready.take().unwrap_or(seen);
                if shared.park_worker() {
                    ready = Some(world.wait_for_edge(seen));
                    shared.worker_wakes();
                }
            }
            Next::Over => break,
        }
    }
    world.unwatch();
    shared.worker_ends(false);
}

#[test]
fn what_is_sent_while_the_worker_parks_is_written() {
    model(|| {
        let mut js = JavaScript::with_worker(1);
        js.send(0, 1);
        js.flush();
        js.send(0, 2);
        js.shared.notify(id(0));
        js.flush();
        js.wait_until(|js| js.drained == 1);
        assert_eq!(js.world.written(0), [1, 2]);
        js.end();
    });
}

#[test]
fn what_a_worker_reads_reaches_javascript() {
    model(|| {
        let mut js = JavaScript::with_worker(2);
        let world = Arc::clone(&js.world);
        let peer = thread::spawn(move || {
            world.arrive(0, &[1, 2]);
            world.arrive(1, &[3]);
        });
        js.wait_until(|js| js.read == [vec![1, 2], vec![3]]);
        peer.join().expect("no panic");
        js.end();
    });
}

#[test]
fn a_worker_without_room_goes_on_when_javascript_has_delivered() {
    model(|| {
        let mut js = JavaScript::with_worker(1);
        // More than there is room for.
        js.world.arrive(0, &[1, 2, 3, 4, 5]);
        js.wait_until(|js| js.read[0].len() == 5);
        assert_eq!(js.read[0], [1, 2, 3, 4, 5]);
        js.end();
    });
}

#[test]
fn everything_read_is_delivered_before_a_connection_is_released() {
    model(|| {
        let mut js = JavaScript::with_worker(1);
        let world = Arc::clone(&js.world);
        let peer = thread::spawn(move || {
            world.arrive(0, &[1, 2]);
            world.arrive(0, &[3]);
        });
        js.with_reactor(|reactor, events| reactor.stop(id(0), events));
        js.wait_until(|js| js.stopped[0]);
        peer.join().expect("no panic");
        // Whoever goes on reads the rest.
        let rest = js.world.unread(0);
        assert_eq!([js.read[0].clone(), rest].concat(), [1, 2, 3]);
        js.end();
    });
}

#[test]
fn nothing_that_arrives_is_lost_when_the_loop_takes_over() {
    model(|| {
        let mut js = JavaScript::with_worker(1);
        let world = Arc::clone(&js.world);
        let peer = thread::spawn(move || world.arrive(0, &[1, 2, 3]));
        js.take_from_worker();
        js.wait_until(|js| js.read[0] == [1, 2, 3]);
        peer.join().expect("no panic");
        js.end();
    });
}

#[test]
fn what_was_sent_before_the_loop_takes_over_is_written() {
    model(|| {
        let mut js = JavaScript::with_worker(1);
        js.send(0, 7);
        js.shared.notify(id(0));
        js.flush();
        js.take_from_worker();
        js.wait_until(|js| js.drained == 1);
        assert_eq!(js.world.written(0), [7]);
        js.end();
    });
}

#[test]
fn what_is_left_in_the_reactor_is_done_by_whoever_drives() {
    model(|| {
        for driver in [JavaScript::new, JavaScript::with_worker] {
            let mut js = driver(1);
            js.with_reactor(|reactor, _| reactor.notify(id(0)));
            js.wait_until(|js| js.drained == 1);
            js.end();
        }
    });
}

#[test]
fn nothing_is_lost_when_a_worker_takes_over() {
    model(|| {
        let mut js = JavaScript::new(1);
        let world = Arc::clone(&js.world);
        let peer = thread::spawn(move || world.arrive(0, &[1, 2]));
        js.send(0, 7);
        js.shared.notify(id(0));
        js.flush();
        js.turn(false);
        js.give_to_worker();
        js.send(0, 8);
        js.shared.notify(id(0));
        js.flush();
        js.wait_until(|js| js.drained == 2 && js.read[0] == [1, 2]);
        assert_eq!(js.world.written(0), [7, 8]);
        peer.join().expect("no panic");
        js.end();
    });
}

#[test]
fn one_worker_is_gone_before_the_next_one_comes() {
    model(|| {
        let mut js = JavaScript::with_worker(1);
        js.world.arrive(0, &[1]);
        js.take_from_worker();
        js.give_to_worker();
        js.wait_until(|js| js.read[0] == [1]);
        js.end();
    });
}

#[test]
fn every_broadcast_is_written_although_javascript_does_not_flush() {
    model(|| {
        let mut js = JavaScript::new(2);
        let all = vec![id(0), id(1)];
        js.shared.broadcast(all.clone(), Bytes::from_static(&[1]));
        js.shared.broadcast(all, Bytes::from_static(&[2]));
        js.with_reactor(|reactor, _| reactor.notify(id(0)));
        // Nothing tells of it. Loom gives up when nobody is left to write.
        while [js.world.written(0), js.world.written(1)] != [[1, 2], [1, 2]] {
            thread::yield_now();
        }
        js.end();
    });
}

#[test]
fn somebody_else_writes_what_javascript_does_not_flush() {
    model(|| {
        let mut js = JavaScript::with_worker(1);
        let shared = Arc::clone(&js.shared);
        js.send(0, 1);
        js.shared.notify(id(0));
        let behind = thread::spawn(move || shared.write_behind());
        js.wait_until(|js| js.drained == 1);
        assert_eq!(js.world.written(0), [1]);
        behind.join().expect("no panic");
        js.end();
    });
}

#[test]
fn write_behind_and_a_change_of_drivers_write_everything_once() {
    model(|| {
        let mut js = JavaScript::with_worker(1);
        js.send(0, 1);
        let shared = Arc::clone(&js.shared);
        let behind = thread::spawn(move || shared.write_behind());
        js.take_from_worker();
        js.send(0, 2);
        js.shared.notify(id(0));
        js.flush();
        js.wait_until(|js| js.drained == 1);
        assert_eq!(js.world.written(0), [1, 2]);
        behind.join().expect("no panic");
        js.end();
    });
}

#[test]
fn nobody_wakes_javascript_after_the_end() {
    model(|| {
        let mut js = JavaScript::with_worker(2);
        let shared = Arc::clone(&js.shared);
        let behind = thread::spawn(move || {
            shared.write_behind();
            let _ = shared.expire(std::time::Instant::now());
        });
        js.world.arrive(0, &[1]);
        js.send(1, 1);
        js.shared.notify(id(1));
        js.end();
        behind.join().expect("no panic");
    });
}

#[test]
fn a_broadcast_ends_with_the_environment() {
    model(|| {
        let js = JavaScript::new(2);
        js.shared.notify(id(0));
        js.shared.broadcast(vec![id(0), id(1)], Bytes::from_static(&[1]));
        js.end();
    });
}

#[test]
fn the_loop_takes_over_from_a_worker_that_fails() {
    model(|| {
        let mut js = JavaScript::new(1);
        js.shared.give_to_worker();
        let shared = Arc::clone(&js.shared);
        let worker = thread::spawn(move || {
            // What `worker::drive` does after a panic.
            shared.fail();
            shared.worker_ends(true);
        });
        js.send(0, 1);
        js.flush();
        js.wait_until(|js| js.failed[0] && !js.shared.is_worker_driven());
        worker.join().expect("no panic");
        js.end();
    });
}

#[test]
fn an_environment_that_ends_does_not_wait_for_a_worker_that_has_failed() {
    model(|| {
        let js = JavaScript::new(1);
        js.shared.give_to_worker();
        let shared = Arc::clone(&js.shared);
        let worker = thread::spawn(move || {
            shared.fail();
            shared.worker_ends(true);
        });
        js.end();
        worker.join().expect("no panic");
    });
}
