//! The reactor between its threads: a real worker, the runtime, and a test that plays the JavaScript thread.

use std::io::{ErrorKind, Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::super::test_support::JavaScript;
use super::super::worker;
use super::*;
use crate::transport::reactor::Fault;
use crate::transport::reactor::event::Room;
use crate::transport::reactor::read_buffer::READ_LEN;
use crate::transport::reactor::test_support::{
    Patience, Seen, compressed_messages, connect, inflating_config, message, read_some, unix_pair,
};

/// A connection: its id, our socket and the peer's.
fn pair(js: &mut JavaScript) -> (ConnectionId, UnixStream, UnixStream) {
    let (ours, peer) = unix_pair();
    (js.add(&ours), ours, peer)
}

/// Both ways work.
fn assert_works(js: &mut JavaScript) {
    let (id, _ours, mut peer) = pair(js);
    peer.write_all(&message(b"works")).unwrap();
    js.send(id, b"works");
    js.flush();
    js.until(|js| js.messages_of(id) == [b"works"]);
    assert_eq!(read_some(&mut peer), b"works");
}

// ------------------------------------------------------------------------------------------------------- drivers

#[test]
fn a_worker_reads_and_writes() {
    let mut js = JavaScript::with_worker();
    assert_works(&mut js);
    let (id, _ours, mut peer) = pair(&mut js);
    for round in 1..=200 {
        peer.write_all(&message(b"ping")).unwrap();
        js.until(|js| js.messages_of(id).len() == round);
        js.send(id, b"pong");
        js.flush();
        assert_eq!(read_some(&mut peer), b"pong");
    }
}

#[test]
fn drivers_change_under_traffic() {
    let mut js = JavaScript::new();
    let (id, _ours, mut peer) = pair(&mut js);
    for round in 1..=100 {
        peer.write_all(&message(b"ping")).unwrap();
        js.send(id, b"pong");
        js.shared.notify(id);
        js.flush();
        if js.shared.is_worker_driven() {
            js.take_from_worker();
        } else {
            js.give_to_worker();
        }
        js.until(|js| js.messages_of(id).len() == round && js.drained(id) as usize == round);
        assert_eq!(read_some(&mut peer), b"pong");
    }
}

#[test]
fn an_end_with_nothing_pending_is_sent_whoever_drives() {
    for mut js in [JavaScript::new(), JavaScript::with_worker()] {
        let (id, _ours, mut peer) = pair(&mut js);
        js.with_reactor(|reactor, _| reactor.finish(id));
        assert!(read_some(&mut peer).is_empty());
    }
}

#[test]
fn a_large_message_and_a_broadcast_leave_whoever_drives() {
    for mut js in [JavaScript::new(), JavaScript::with_worker()] {
        let mut all: Vec<_> = (0..3).map(|_| pair(&mut js)).collect();
        js.shared.send_large(all[0].0, [&b"lar"[..], b"ge "].into_iter(), 6);
        let ids = all.iter().map(|(id, ..)| *id).collect();
        js.shared.broadcast(ids, Bytes::from_static(b"to all"));
        js.flush();
        let mut bytes = [0; 12];
        all[0].2.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"large to all");
        for (.., peer) in &mut all[1..] {
            assert_eq!(read_some(peer), b"to all");
        }
    }
}

#[test]
fn what_is_inflated_on_other_threads_arrives_in_order_whoever_drives() {
    for mut js in [JavaScript::new(), JavaScript::with_worker()] {
        let (ours, mut peer) = unix_pair();
        let id = js
            .with_reactor(|reactor, _| {
                reactor.add(std::os::fd::AsFd::as_fd(&ours), inflating_config(), &[], true, true)
            })
            .unwrap()
            .0;
        peer.write_all(&[compressed_messages(8, 256 * 1024), message(b"behind")].concat()).unwrap();
        js.until(|js| js.messages_of(id).len() == 9);
        let firsts: Vec<_> = js.messages_of(id).iter().map(|payload| payload[0]).collect();
        assert_eq!(firsts, [0, 1, 2, 3, 4, 5, 6, 7, b'b']);
    }
}

#[test]
fn a_connection_is_stopped_behind_everything_that_the_worker_has_read() {
    let mut js = JavaScript::with_worker();
    for _ in 0..100 {
        let (id, mut ours, mut peer) = pair(&mut js);
        for number in 0..10 {
            peer.write_all(&message(&[number])).unwrap();
        }
        let stopped = js.with_reactor(|reactor, events| reactor.stop(id, false, events));
        assert!(stopped.is_some());
        js.until(|js| js.seen_of(id).any(|seen| *seen == Seen::Stopped));
        assert_eq!(js.seen_of(id).last(), Some(&Seen::Stopped));
        let mut released = js.with_reactor(|reactor, _| reactor.release(id)).unwrap();
        let count = js.messages_of(id).len();
        let mut rest = Vec::new();
        drop(peer);
        ours.set_nonblocking(false).unwrap();
        ours.read_to_end(&mut rest).unwrap();
        let mut rest = &mut rest[..];
        let left = std::iter::from_fn(|| released.receiver.receive(&mut rest).map(|_| ())).count();
        assert_eq!(count + left, 10);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_set_that_cannot_be_watched_leaves_the_loop_driving() {
    let mut js = JavaScript::new();
    js.shared.give_to_worker();
    let file = std::os::fd::OwnedFd::from(std::fs::File::open(std::env::current_exe().unwrap()).unwrap());
    assert!(worker::start(&js.shared, file).is_err(), "it is no set");
    js.take_from_worker();
    assert!(!js.shared.is_worker_driven());
    assert_works(&mut js);
}

// --------------------------------------------------------------------------------------------------------- faults

/// Every connection has failed, nothing hangs, and new ones work with either driver.
fn assert_recovers(js: &mut JavaScript, ids: &[ConnectionId]) {
    js.until(|js| ids.iter().all(|id| js.has_failed(*id)));
    assert_works(js);
    if js.shared.is_worker_driven() {
        js.take_from_worker();
    }
    assert_works(js);
    js.give_to_worker();
    assert_works(js);
}

#[test]
fn a_panic_in_a_turn_ends_every_connection() {
    for mut js in [JavaScript::new(), JavaScript::with_worker()] {
        let mut all: Vec<_> = (0..3).map(|_| pair(&mut js)).collect();
        js.with_reactor(|reactor, _| reactor.fault = Some(Fault::PanicInTurn));
        all[0].2.write_all(&message(b"x")).unwrap();
        let ids: Vec<_> = all.iter().map(|(id, ..)| *id).collect();
        assert_recovers(&mut js, &ids);
    }
}

#[test]
fn a_panic_of_the_worker_gives_the_set_back_to_the_loop() {
    let mut js = JavaScript::with_worker();
    let mut all: Vec<_> = (0..3).map(|_| pair(&mut js)).collect();
    js.with_reactor(|reactor, _| reactor.fault = Some(Fault::PanicInFlush));
    js.send(all[1].0, b"x");
    js.flush();
    all[0].2.write_all(&message(b"x")).unwrap();
    let ids: Vec<_> = all.iter().map(|(id, ..)| *id).collect();
    js.until(|js| ids.iter().all(|id| js.has_failed(*id)) && !js.shared.is_worker_driven());
    assert_recovers(&mut js, &ids);
}

#[test]
fn an_environment_ends_although_its_worker_has_panicked() {
    let mut js = JavaScript::with_worker();
    let (id, _ours, _peer) = pair(&mut js);
    js.with_reactor(|reactor, _| reactor.fault = Some(Fault::PanicInFlush));
    js.send(id, b"x");
    js.flush();
    // Whenever that happens: the end waits for nothing that does not come.
    drop(js);
}

#[test]
fn a_set_that_fails_ends_every_connection_with_its_error() {
    for mut js in [JavaScript::new(), JavaScript::with_worker()] {
        let (id, _ours, mut peer) = pair(&mut js);
        let error = rustix::io::Errno::NOMEM.raw_os_error();
        js.with_reactor(|reactor, _| reactor.fault = Some(Fault::Set(error)));
        peer.write_all(&message(b"x")).unwrap();
        js.until(|js| js.has_failed(id));
        assert!(js.seen_of(id).any(|seen| *seen == Seen::Error(ErrorKind::OutOfMemory)));
        assert_recovers(&mut js, &[id]);
    }
}

#[test]
fn a_panic_in_a_broadcast_ends_every_connection_and_the_next_broadcast_works() {
    let mut js = JavaScript::new();
    let all: Vec<_> = (0..FANNED_OUT).map(|_| pair(&mut js)).collect();
    let ids: Vec<_> = all.iter().map(|(id, ..)| *id).collect();
    js.with_reactor(|reactor, _| reactor.fault = Some(Fault::PanicInFlush));
    js.shared.broadcast(ids.clone(), Bytes::from_static(b"x"));
    js.until(|js| ids.iter().all(|id| js.has_failed(*id)));
    for id in ids {
        js.with_reactor(|reactor, _| reactor.remove(id));
    }
    let mut all: Vec<_> = (0..FANNED_OUT).map(|_| pair(&mut js)).collect();
    js.shared.broadcast(all.iter().map(|(id, ..)| *id).collect(), Bytes::from_static(b"works"));
    for (.., peer) in &mut all {
        assert_eq!(read_some(peer), b"works");
    }
}

#[test]
fn a_panic_of_whoever_writes_behind_ends_every_connection() {
    let mut js = JavaScript::new();
    let (id, _ours, _peer) = pair(&mut js);
    js.with_reactor(|reactor, _| reactor.fault = Some(Fault::PanicInFlush));
    js.send(id, b"x");
    // Nobody flushes.
    js.until(|js| js.has_failed(id));
    assert_recovers(&mut js, &[id]);
}

// ------------------------------------------------------------------------------------------------ slow consumers

/// Peers send messages of this payload all at once, and the JavaScript thread is slow. Returns the most that has waited for it.
fn flood(payload: &[u8], count: usize) -> (usize, usize) {
    const PEERS: usize = 4;
    let mut js = JavaScript::with_worker();
    js.portion = 16;
    let mut all = Vec::new();
    for _ in 0..PEERS {
        let (id, ours, mut peer) = pair(&mut js);
        let bytes = message(payload).repeat(count);
        // It ends with the test at the latest.
        std::thread::spawn(move || drop(peer.write_all(&bytes)));
        all.push((id, ours));
    }
    // The JavaScript thread is busy until the worker cannot go on.
    let patience = Patience::new();
    let mut most = (0, 0);
    while most.0 < Room::ALL.events && most.1 < Room::ALL.bytes {
        patience.check();
        std::thread::sleep(Duration::from_millis(1));
        most = js.shared.queue.undelivered();
    }
    std::thread::sleep(Duration::from_millis(20));
    // Messages and ends.
    let patience = Patience::new();
    while js.seen.len() < PEERS * (count + 1) {
        patience.check();
        let (events, bytes) = js.shared.queue.undelivered();
        most = (most.0.max(events), most.1.max(bytes));
        js.wait(Duration::from_millis(1));
    }
    for (id, _) in all {
        assert!(js.messages_of(id).iter().all(|message| *message == payload));
        assert_eq!(js.messages_of(id).len(), count);
    }
    most
}

#[test]
fn events_that_wait_for_a_slow_javascript_thread_are_bounded_and_all_of_them_arrive() {
    // A read brings some thirteen thousand of them.
    let (events, _) = flood(b"abc", 30_000);
    assert!((Room::ALL.events..Room::ALL.events + READ_LEN / 5 + 1).contains(&events), "{events}");
}

#[test]
fn bytes_that_wait_for_a_slow_javascript_thread_are_bounded_and_all_of_them_arrive() {
    // Longer than a read, so that the read buffer does not bound it.
    let payload = vec![7; 3 * READ_LEN];
    let (_, bytes) = flood(&payload, 30);
    assert!((Room::ALL.bytes..Room::ALL.bytes + payload.len()).contains(&bytes), "{bytes}");
}

// ------------------------------------------------------------------------------------- those who write in its place

#[test]
fn what_is_sent_is_written_although_javascript_does_not_flush() {
    for mut js in [JavaScript::new(), JavaScript::with_worker()] {
        let (id, _ours, mut peer) = pair(&mut js);
        for round in 0..3 {
            js.send(id, b"sent");
            // The thread computes.
            assert_eq!(read_some(&mut peer), b"sent");
            if round == 1 {
                // Long enough for the task to fall asleep.
                std::thread::sleep(Duration::from_millis(300));
            }
        }
    }
}

#[test]
fn what_comes_of_it_reaches_javascript() {
    let mut js = JavaScript::new();
    let (id, _ours, _peer) = pair(&mut js);
    js.send(id, b"sent");
    js.shared.notify(id);
    js.until(|js| js.drained(id) == 1);
}

#[test]
fn a_broadcast_to_many_is_written_by_the_runtime() {
    let mut js = JavaScript::new();
    let mut all: Vec<_> = (0..2 * FANNED_OUT).map(|_| pair(&mut js)).collect();
    let ids: Vec<_> = all.iter().map(|(id, ..)| *id).collect();
    for round in 0..20 {
        js.shared.broadcast(ids.clone(), Bytes::from(vec![round; 4]));
        // The JavaScript thread wants the reactor meanwhile.
        js.with_reactor(|reactor, _| reactor.has_work());
    }
    for (.., peer) in &mut all {
        let mut bytes = [0; 80];
        peer.read_exact(&mut bytes).unwrap();
        assert!(bytes.chunks(4).enumerate().all(|(round, chunk)| chunk == [round as u8; 4]));
    }
}

// ---------------------------------------------------------------------------------------------- deadlines and ends

#[test]
fn a_request_that_does_not_arrive_is_refused_by_the_runtime() {
    let mut js = JavaScript::with_worker();
    for _ in 0..2 {
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        let (listener, address) = js
            .with_reactor(|reactor, _| reactor.listen(address, false, Duration::from_millis(100), 1024, None))
            .unwrap();
        js.shared.watch_deadlines();
        let mut peer = connect(address);
        peer.write_all(b"GET /").unwrap();
        assert!(read_some(&mut peer).starts_with(b"HTTP/1.1 408 "));
        js.with_reactor(|reactor, _| reactor.close_listener(listener));
        drop(peer);
        // The task falls asleep when nothing can be late, and is woken by the next listener.
        std::thread::sleep(Duration::from_millis(600));
    }
}

#[test]
fn an_environment_ends_in_the_midst_of_everything() {
    for round in 0..20 {
        let mut js = JavaScript::new();
        let mut all: Vec<_> = (0..FANNED_OUT + 10).map(|_| pair(&mut js)).collect();
        let ids: Vec<_> = all.iter().map(|(id, ..)| *id).collect();
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        let listening = js
            .with_reactor(|reactor, _| reactor.listen(address, false, Duration::from_millis(1), 1024, None));
        js.shared.watch_deadlines();
        let slow = connect(listening.unwrap().1);
        if round % 2 == 0 {
            js.give_to_worker();
        }
        for (id, _, peer) in &mut all {
            peer.write_all(&message(b"x")).unwrap();
            js.send(*id, b"y");
            js.shared.notify(*id);
        }
        js.shared.broadcast(ids, Bytes::from(vec![1; 100]));
        js.flush();
        std::thread::sleep(Duration::from_micros(round * 150));
        // Woken from now on, it would panic.
        drop(js);
        drop(slow);
    }
}

#[test]
fn tasks_end_with_their_environment() {
    let mut js = JavaScript::new();
    let address = (Ipv4Addr::LOCALHOST, 0).into();
    let listening =
        js.with_reactor(|reactor, _| reactor.listen(address, false, Duration::from_secs(1), 1024, None));
    js.shared.watch_deadlines();
    js.with_reactor(|reactor, _| reactor.close_listener(listening.unwrap().0));
    // Both sleep by then, and nothing will wake them.
    std::thread::sleep(Duration::from_millis(600));
    let tasks = [Arc::clone(&js.shared.listening), Arc::clone(&js.shared.unwritten.notify)];
    let shared = Arc::downgrade(&js.shared);
    drop(js);
    let patience = Patience::new();
    while shared.strong_count() > 0 || tasks.iter().any(|task| Arc::strong_count(task) > 1) {
        patience.check();
        std::thread::sleep(Duration::from_millis(5));
    }
}
