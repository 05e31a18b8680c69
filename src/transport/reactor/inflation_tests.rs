//! Input that goes to other threads. The test says when these have done their work.

use std::io::Write;
use std::net::TcpStream;

use super::super::Progress;
use super::super::event::Room;
use super::super::read_buffer::READ_LEN;
use super::super::test_support::*;
use super::*;

/// What a message inflates to: a read of some of them is more than the reactor inflates itself.
const LEN: usize = 256 * 1024;

/// A connection that takes compressed messages.
fn connect(bench: &mut Bench) -> (ConnectionId, TcpStream, TcpStream) {
    let (ours, peer) = tcp_pair();
    (bench.add_with(&ours, inflating_config(), &[]), ours, peer)
}

/// The numbers of the large messages that have arrived, which must be whole.
fn numbers(bench: &Bench, id: ConnectionId) -> Vec<u8> {
    let large: Vec<_> = bench.messages_of(id).into_iter().filter(|payload| payload.len() == LEN).collect();
    assert!(large.iter().all(|payload| payload.iter().all(|byte| *byte == payload[0])));
    large.iter().map(|payload| payload[0]).collect()
}

/// Lets the reactor read until a connection has input for another thread.
fn until_inflating(bench: &mut Bench, id: ConnectionId) {
    bench.until(|bench| bench.reactor.is_inflating(id));
}

/// Lets everybody work until something has come true.
fn work_until(bench: &mut Bench, is_true: impl Fn(&Bench) -> bool) {
    let works = bench.works.clone();
    bench.until(|bench| {
        while works.run_one() {}
        is_true(bench)
    });
}

#[test]
fn what_takes_long_to_inflate_is_not_done_by_the_reactor_and_stays_in_order() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = connect(&mut bench);
    peer.write_all(&compressed_messages(8, LEN)).unwrap();
    until_inflating(&mut bench, id);
    assert_eq!(bench.works.len(), 1);
    assert!(bench.messages_of(id).len() <= 2, "the reactor inflates a little itself");
    peer.write_all(&message(b"behind")).unwrap();
    bench.settle();
    assert!(bench.messages_of(id).len() <= 2, "nothing is read meanwhile");
    work_until(&mut bench, |bench| bench.messages_of(id).contains(&b"behind".to_vec()));
    assert_eq!(numbers(&bench, id), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(bench.messages_of(id).last().unwrap(), b"behind");
    assert!(!bench.reactor.is_inflating(id));
}

#[test]
fn other_connections_are_read_meanwhile() {
    let mut bench = Bench::new();
    let (slow, _slow, mut slow_peer) = connect(&mut bench);
    slow_peer.write_all(&compressed_messages(4, LEN)).unwrap();
    until_inflating(&mut bench, slow);
    let (id, _ours, mut peer) = connect(&mut bench);
    peer.write_all(&message(b"quick")).unwrap();
    bench.until(|bench| bench.messages_of(id) == [b"quick"]);
}

#[test]
fn stopped_follows_what_was_inflated() {
    let mut bench = Bench::new();
    let (id, mut ours, mut peer) = connect(&mut bench);
    peer.write_all(&compressed_messages(6, LEN)).unwrap();
    until_inflating(&mut bench, id);
    bench.reactor.stop(id, false, &mut bench.events);
    peer.write_all(&message(b"left")).unwrap();
    bench.settle();
    assert!(!bench.has_seen(id, &Seen::Stopped));
    work_until(&mut bench, |bench| bench.has_seen(id, &Seen::Stopped));
    assert_eq!(numbers(&bench, id), [0, 1, 2, 3, 4, 5]);
    assert_eq!(bench.seen_of(id).len(), 7, "and nothing follows it");
    assert!(!bench.reactor.release(id).unwrap().receiver.is_over(), "it is the one that has inflated");
    assert_eq!(read_some(&mut ours), message(b"left"));
}

#[test]
fn a_pause_holds_beyond_the_end_of_the_inflation() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = connect(&mut bench);
    peer.write_all(&[compressed_messages(4, LEN), Vec::new()].concat()).unwrap();
    until_inflating(&mut bench, id);
    bench.reactor.pause(id, true);
    peer.write_all(&message(b"later")).unwrap();
    work_until(&mut bench, |bench| numbers(bench, id).len() == 4 && !bench.reactor.is_inflating(id));
    bench.settle();
    assert_eq!(bench.messages_of(id).len(), 4);
    bench.reactor.pause(id, false);
    bench.until(|bench| bench.messages_of(id).len() == 5);
}

#[test]
fn nothing_is_taken_back_without_room_for_it() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = connect(&mut bench);
    peer.write_all(&compressed_messages(8, LEN)).unwrap();
    until_inflating(&mut bench, id);
    assert!(bench.works.run_one());
    let none = Room { events: 0, bytes: 0 };
    assert!(bench.wait_ready(PATIENCE), "the work wakes the set when it is done");
    assert_eq!(bench.turn(none), Progress::Full);
    assert!(bench.events.is_empty());
    assert!(bench.reactor.has_work());
    bench.turn(Room::ALL);
    assert!(!bench.events.is_empty());
    bench.take_all();
    work_until(&mut bench, |bench| numbers(bench, id).len() == 8);
}

#[test]
fn nothing_is_begun_without_room_for_what_comes_out() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = connect(&mut bench);
    peer.write_all(&compressed_messages(8, LEN)).unwrap();
    assert!(bench.wait_ready(PATIENCE));
    let little = Room { events: 1, bytes: 1 << 20 };
    assert_eq!(bench.turn(little), Progress::Full);
    assert!(bench.reactor.is_inflating(id) && bench.works.len() == 0);
    bench.take_all();
    bench.turn(little);
    assert_eq!(bench.works.len(), 1);
}

#[test]
fn few_portions_are_under_way_at_a_time() {
    let mut bench = Bench::new();
    let mut all: Vec<_> = (0..3 * MAX_UNDER_WAY).map(|_| connect(&mut bench)).collect();
    let frames = compressed_messages(2, LEN);
    for (.., peer) in &mut all {
        peer.write_all(&frames).unwrap();
    }
    bench.until(|bench| all.iter().all(|(id, ..)| bench.reactor.is_inflating(*id)));
    assert_eq!(bench.works.len(), MAX_UNDER_WAY);
    // One that is done and was not taken back counts as well.
    bench.works.run_one();
    assert_eq!(bench.works.len(), MAX_UNDER_WAY - 1);
    bench.until(|bench| bench.works.len() == MAX_UNDER_WAY);
    work_until(&mut bench, |bench| all.iter().all(|(id, ..)| numbers(bench, *id) == [0, 1]));
}

/// A connection, the program's socket, and the peer's.
type Connected = (ConnectionId, TcpStream, TcpStream);

/// A crowd whose input waits, and one that may bring more and is not read.
fn crowd(bench: &mut Bench) -> (Vec<Connected>, Connected) {
    let mut all = Vec::new();
    let frames = compressed_messages(2, LEN);
    // Those that get a thread, and those that wait.
    for count in [MAX_UNDER_WAY, CROWD] {
        let mut some: Vec<_> = (0..count).map(|_| connect(bench)).collect();
        for (.., peer) in &mut some {
            peer.write_all(&frames).unwrap();
        }
        bench.until(|bench| some.iter().all(|(id, ..)| bench.reactor.is_inflating(*id)));
        all.extend(some);
    }
    let mut last = connect(bench);
    last.2.write_all(&message(b"waits")).unwrap();
    assert!(bench.wait_ready(PATIENCE));
    bench.settle();
    assert_eq!(bench.messages_of(last.0), Vec::<Vec<u8>>::new());
    (all, last)
}

#[test]
fn connections_that_may_bring_more_are_not_read_while_too_many_wait() {
    let mut bench = Bench::new();
    let (all, last) = crowd(&mut bench);
    let (plain, _plain, mut plain_peer) = bench.connect();
    plain_peer.write_all(&message(b"is not compressed")).unwrap();
    bench.until(|bench| bench.messages_of(plain).len() == 1);
    work_until(&mut bench, |bench| bench.messages_of(last.0) == [b"waits"]);
    work_until(&mut bench, |bench| all.iter().all(|(id, ..)| bench.messages_of(*id).len() == 2));
}

#[test]
fn connections_that_were_not_read_go_on_when_those_that_waited_have_gone() {
    let mut bench = Bench::new();
    let (all, last) = crowd(&mut bench);
    for (id, ..) in all {
        bench.reactor.remove(id);
    }
    work_until(&mut bench, |bench| bench.messages_of(last.0) == [b"waits"]);
}

#[test]
fn what_was_inflated_for_a_connection_that_is_gone_is_thrown_away() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = connect(&mut bench);
    peer.write_all(&compressed_messages(4, LEN)).unwrap();
    until_inflating(&mut bench, id);
    let seen = bench.seen.len();
    bench.reactor.remove(id);
    let (next, _next, mut next_peer) = connect(&mut bench);
    assert_eq!(next.index(), id.index());
    while bench.works.run_one() {}
    bench.settle();
    assert_eq!(bench.seen.len(), seen);
    // Its share of what is under way is free again.
    next_peer.write_all(&compressed_messages(4, LEN)).unwrap();
    work_until(&mut bench, |bench| numbers(bench, next) == [0, 1, 2, 3]);
}

#[test]
fn new_limits_hold_when_the_receiver_is_back() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = connect(&mut bench);
    peer.write_all(&compressed_messages(4, LEN)).unwrap();
    until_inflating(&mut bench, id);
    bench.reactor.configure(id, 5, 5, true);
    work_until(&mut bench, |bench| !bench.reactor.is_inflating(id));
    peer.write_all(&message(b"too long")).unwrap();
    bench.until(|bench| bench.has_seen(id, &Seen::Failed));
}

#[test]
fn a_connection_that_fails_meanwhile_is_told_of_once() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = connect(&mut bench);
    peer.write_all(&compressed_messages(4, LEN)).unwrap();
    until_inflating(&mut bench, id);
    bench.reactor.fail_all(&std::io::Error::other("a fault"), &mut bench.events);
    work_until(&mut bench, |bench| !bench.reactor.is_inflating(id));
    let errors = bench.seen.iter().filter(|(_, seen)| matches!(seen, Seen::Error(_))).count();
    assert_eq!(errors, 1);
}

#[test]
fn a_mistake_in_compressed_data_is_the_end_of_its_connection_only() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = connect(&mut bench);
    let (other, _other, mut other_peer) = connect(&mut bench);
    // A compressed message whose data is none.
    let broken = [&[0xC2, 0x7E, 0x03, 0xE8][..], &[0xFF; 1000]].concat();
    peer.write_all(&[compressed_messages(4, LEN), broken].concat()).unwrap();
    other_peer.write_all(&message(b"x")).unwrap();
    work_until(&mut bench, |bench| bench.has_seen(id, &Seen::Failed) && bench.messages_of(other).len() == 1);
    assert_eq!(numbers(&bench, id), [0, 1, 2, 3]);
}

#[test]
fn a_read_that_inflates_to_little_stays_with_the_reactor() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = connect(&mut bench);
    let frames = compressed_messages(10, 1000);
    assert!(frames.len() < READ_LEN);
    peer.write_all(&frames).unwrap();
    bench.until(|bench| bench.messages_of(id).len() == 10);
    assert_eq!(bench.works.len(), 0);
}
