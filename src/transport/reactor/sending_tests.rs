//! Writing, on real sockets: what a peer does not take waits, in order, and it is told when everything is written.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::event::Room;
use super::super::test_support::*;
use super::*;

/// More than sockets of this machine take without a reader.
const MUCH: usize = 16 << 20;

fn much() -> Vec<u8> {
    (0..MUCH).map(|at| (at / 7) as u8).collect()
}

/// Reads until so many bytes have come, on a thread of its own.
fn read_aside(peer: &TcpStream, count: usize) -> std::thread::JoinHandle<Vec<u8>> {
    let mut peer = peer.try_clone().unwrap();
    std::thread::spawn(move || {
        let mut bytes = vec![0; count];
        peer.read_exact(&mut bytes).unwrap();
        bytes
    })
}

/// What our side has had of a peer that has gone: the error depends on the time.
fn is_gone(seen: &Seen) -> bool {
    matches!(seen, Seen::Error(ErrorKind::BrokenPipe | ErrorKind::ConnectionReset))
}

#[test]
fn nothing_is_written_before_a_flush() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    bench.reactor.send(id, |out| out.extend_from_slice(b"ab"));
    bench.reactor.send(id, |out| out.extend_from_slice(b"cd"));
    assert!(bench.reactor.has_work());
    peer.set_nonblocking(true).unwrap();
    assert_eq!(peer.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    bench.flush();
    assert!(!bench.reactor.has_work());
    peer.set_nonblocking(false).unwrap();
    assert_eq!(read_some(&mut peer), b"abcd");
}

#[test]
fn what_the_peer_does_not_take_is_written_when_it_does() {
    let mut bench = Bench::new();
    let (id, _ours, peer) = bench.connect();
    let counters = bench.reactor.counters(id).unwrap();
    let bytes = much();
    bench.reactor.send(id, |out| out.extend_from_slice(&bytes));
    bench.reactor.notify(id);
    bench.reactor.notify(id);
    bench.settle();
    assert_eq!(bench.seen, []);
    let written = counters.written.load(Relaxed);
    assert!(written > 0 && written < MUCH as u64, "a part of it was written");
    let reader = read_aside(&peer, MUCH);
    bench.until(|bench| !bench.seen.is_empty());
    assert_eq!(bench.seen_of(id), [Seen::Drained(2)], "both at once, and when everything is written");
    assert!(reader.join().unwrap() == bytes);
    assert_eq!(counters.written.load(Relaxed), MUCH as u64);
}

#[test]
fn drained_comes_with_the_next_flush_when_nothing_waits() {
    let mut bench = Bench::new();
    let (id, _ours, _peer) = bench.connect();
    bench.reactor.notify(id);
    bench.turn(Room::ALL);
    assert!(bench.events.is_empty());
    bench.settle();
    assert_eq!(bench.seen_of(id), [Seen::Drained(1)]);
    bench.settle();
    assert_eq!(bench.seen.len(), 1);
}

#[test]
fn fin_is_sent_although_nothing_waits_and_the_peer_is_still_read() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    bench.reactor.finish(id);
    bench.settle();
    assert!(read_some(&mut peer).is_empty());
    peer.write_all(&message(b"half open")).unwrap();
    bench.until(|bench| bench.messages_of(id) == [b"half open"]);
}

#[test]
fn fin_comes_behind_everything_that_waits() {
    let mut bench = Bench::new();
    let (id, _ours, peer) = bench.connect();
    bench.reactor.send(id, |out| out.extend_from_slice(&much()));
    bench.reactor.finish(id);
    bench.reactor.finish(id);
    bench.settle();
    let mut peer = peer.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).map(|_| bytes).unwrap()
    });
    bench.reactor.notify(id);
    bench.until(|bench| !bench.seen.is_empty());
    assert!(reader.join().unwrap() == much());
}

#[test]
fn a_large_message_is_written_at_once_behind_what_waits() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    bench.reactor.send(id, |out| out.extend_from_slice(b"before "));
    bench.reactor.send_now(id, [&b"and "[..], b"", b"now"].into_iter());
    let mut bytes = [0; 14];
    peer.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"before and now");
    bench.reactor.notify(id);
    bench.settle();
    assert_eq!(bench.seen_of(id), [Seen::Drained(1)]);
}

#[test]
fn what_the_socket_does_not_take_of_a_large_message_waits() {
    let mut bench = Bench::new();
    let (id, _ours, peer) = bench.connect();
    let bytes = much();
    // More pieces than go into a write.
    bench.reactor.send_now(id, bytes.chunks(MUCH / 500));
    bench.reactor.send_now(id, [&b"behind"[..]].into_iter());
    bench.reactor.notify(id);
    let reader = read_aside(&peer, MUCH + 6);
    bench.until(|bench| !bench.seen.is_empty());
    assert!(reader.join().unwrap() == [&bytes[..], b"behind"].concat());
    assert_eq!(bench.reactor.counters(id).unwrap().written.load(Relaxed), MUCH as u64 + 6);
}

#[test]
fn a_broadcast_is_written_some_sockets_at_a_time_and_what_is_sent_behind_it_stays_behind() {
    let mut bench = Bench::new();
    let mut all: Vec<_> = (0..3).map(|_| bench.connect()).collect();
    for (id, ..) in &all {
        bench.reactor.fan_out(*id, &Bytes::from_static(b"to all"));
    }
    bench.reactor.send(all[2].0, |out| out.extend_from_slice(b", to one"));
    bench.flush();
    assert_eq!(bench.reactor.counters(all[2].0).unwrap().written.load(Relaxed), 0);
    assert!(bench.reactor.has_work());
    assert!(bench.reactor.flush_some(2, &mut bench.events));
    assert!(!bench.reactor.flush_some(2, &mut bench.events));
    assert!(!bench.reactor.has_work());
    assert_eq!(read_some(&mut all[0].2), b"to all");
    assert_eq!(read_some(&mut all[2].2), b"to all, to one");
}

#[test]
fn everything_that_waits_can_be_written_on_the_spot() {
    let mut bench = Bench::new();
    let (first, _first, mut first_peer) = bench.connect();
    let (second, _second, mut second_peer) = bench.connect();
    bench.reactor.send(first, |out| out.extend_from_slice(b"sent"));
    bench.reactor.fan_out(second, &Bytes::from_static(b"broadcast"));
    bench.reactor.flush_all(&mut bench.events);
    assert_eq!(read_some(&mut first_peer), b"sent");
    assert_eq!(read_some(&mut second_peer), b"broadcast");
}

#[test]
fn a_peer_that_has_gone_is_an_error_and_what_waited_is_lost() {
    let mut bench = Bench::new();
    let (id, _ours, peer) = bench.connect();
    // Nothing is read, so that writing finds it out.
    bench.reactor.pause(id, true);
    reset(peer);
    assert!(bench.wait_ready(PATIENCE));
    bench.reactor.send(id, |out| out.extend_from_slice(b"too late"));
    bench.reactor.notify(id);
    bench.settle();
    assert!(matches!(&bench.seen_of(id)[..], [error] if is_gone(error)), "{:?}", bench.seen);
    bench.reactor.pause(id, false);
    bench.reactor.send(id, |out| out.extend_from_slice(b"later still"));
    bench.reactor.send_now(id, [&b"and now"[..]].into_iter());
    bench.reactor.notify(id);
    bench.reactor.finish(id);
    bench.settle();
    assert_eq!(bench.seen.len(), 1, "it comes once, and nothing behind it");
}

#[test]
fn a_fault_ends_every_connection_and_new_ones_work() {
    let mut bench = Bench::new();
    let (first, _first, mut first_peer) = bench.connect();
    let (second, _second, mut second_peer) = bench.connect();
    bench.reactor.send(first, |out| out.extend_from_slice(b"lost"));
    bench.reactor.fan_out(second, &Bytes::from_static(b"lost as well"));
    bench.reactor.notify(second);
    first_peer.write_all(&message(b"unread")).unwrap();
    let error = io::Error::other("a fault");
    bench.reactor.fail_all(&error, &mut bench.events);
    bench.settle();
    second_peer.write_all(&message(b"unread")).unwrap();
    bench.settle();
    assert_eq!(bench.seen, [(first, Seen::Error(ErrorKind::Other)), (second, Seen::Error(ErrorKind::Other))]);

    let (third, _third, mut third_peer) = bench.connect();
    third_peer.write_all(&message(b"works")).unwrap();
    bench.reactor.send(third, |out| out.extend_from_slice(b"works"));
    bench.until(|bench| bench.messages_of(third) == [b"works"]);
    assert_eq!(read_some(&mut third_peer), b"works");
}

#[test]
fn the_error_of_the_operating_system_is_that_of_every_connection() {
    let mut bench = Bench::new();
    let (id, ..) = bench.connect();
    bench.reactor.fail_all(&io::Error::from(rustix::io::Errno::BADF), &mut bench.events);
    let entry = bench.events.pop().unwrap();
    assert_eq!(entry.id, id);
    let SocketEvent::Error(error) = entry.event else { panic!("{entry:?}") };
    assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::BADF.raw_os_error()));
}

// --------------------------------------------------------------------------------------------------- at random

#[derive(Debug, Clone)]
enum Step {
    Send(usize),
    SendShared(usize),
    SendNow(usize),
    FanOut(usize),
    Notify,
    Flush,
    FlushSome(usize),
    FlushAll,
    FlushOne,
    Turn,
    Read(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let len = || prop_oneof![4 => 1..600_usize, 1 => 1..400_000_usize];
    prop_oneof![
        4 => len().prop_map(Step::Send),
        2 => len().prop_map(Step::SendShared),
        2 => len().prop_map(Step::SendNow),
        2 => len().prop_map(Step::FanOut),
        2 => Just(Step::Notify),
        2 => Just(Step::Flush),
        1 => (1..3_usize).prop_map(Step::FlushSome),
        1 => Just(Step::FlushAll),
        1 => Just(Step::FlushOne),
        2 => Just(Step::Turn),
        4 => (1..500_000_usize).prop_map(Step::Read),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// However bytes are sent, flushed and read: peers get all of them once and in order, and every wish to be told when
    /// they are written is answered once.
    #[test]
    fn every_byte_is_written_once_and_in_order(steps in proptest::collection::vec((step(), 0..2_usize), 1..80)) {
        let mut bench = Bench::new();
        let mut connections: Vec<_> = (0..2).map(|_| {
            let (ours, peer) = unix_pair();
            peer.set_nonblocking(true).unwrap();
            (bench.add(&ours), peer, Vec::new(), Vec::new(), 0)
        }).collect();
        let mut number = 0_u8;
        let read = |peer: &mut std::os::unix::net::UnixStream, got: &mut Vec<u8>, count: usize| {
            let mut bytes = vec![0; count];
            if let Ok(count) = peer.read(&mut bytes) {
                got.extend_from_slice(&bytes[..count]);
            }
        };
        for (step, which) in steps {
            let (id, peer, sent, got, asked) = &mut connections[which];
            let id = *id;
            let mut fill = |len| {
                number = number.wrapping_add(1);
                sent.extend(std::iter::repeat_n(number, len));
                vec![number; len]
            };
            match step {
                Step::Send(len) => {
                    let bytes = fill(len);
                    bench.reactor.send(id, |out| out.extend_from_slice(&bytes));
                }
                Step::SendShared(len) => bench.reactor.send_shared(id, &fill(len).into()),
                Step::SendNow(len) => bench.reactor.send_now(id, fill(len).chunks(1000)),
                Step::FanOut(len) => bench.reactor.fan_out(id, &fill(len).into()),
                Step::Notify => {
                    *asked += 1;
                    bench.reactor.notify(id);
                }
                Step::Flush => bench.flush(),
                Step::FlushSome(count) => { bench.reactor.flush_some(count, &mut bench.events); }
                Step::FlushAll => bench.reactor.flush_all(&mut bench.events),
                Step::FlushOne => bench.reactor.flush_one(id, &mut bench.events),
                Step::Turn => { bench.turn(Room::ALL); }
                Step::Read(count) => read(peer, got, count),
            }
        }
        for (id, ..) in &connections {
            bench.reactor.finish(*id);
        }
        bench.reactor.flush_all(&mut bench.events);
        let patience = Patience::new();
        while connections.iter().any(|(_, _, sent, got, _)| got.len() < sent.len()) {
            patience.check();
            for (_, peer, _, got, _) in &mut connections {
                read(peer, got, 1 << 20);
            }
            bench.settle();
        }
        bench.settle();
        for (id, peer, sent, got, asked) in &mut connections {
            prop_assert!(sent == got);
            prop_assert_eq!(peer.read(&mut [0]).unwrap(), 0);
            let told: u32 = bench.seen_of(*id).iter().map(|seen| match seen {
                Seen::Drained(count) => *count,
                other => panic!("{other:?}"),
            }).sum();
            prop_assert_eq!(told, *asked);
        }
    }
}
