//! Reading, on real sockets: order, room, fairness, pausing, ends, and how a connection is given to somebody else.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use proptest::prelude::*;

use super::super::read_buffer::READ_LEN;
use super::super::test_support::*;
use super::*;

const ONE_EVENT: Room = Room { events: 1, bytes: usize::MAX };

fn numbered(range: std::ops::Range<u8>) -> Vec<Vec<u8>> {
    range.map(|number| vec![number; 10]).collect()
}

fn frames(messages: &[Vec<u8>]) -> Vec<u8> {
    messages.iter().flat_map(|payload| message(payload)).collect()
}

#[test]
fn messages_arrive_in_the_order_in_which_they_were_sent() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    peer.write_all(&frames(&numbered(0..100))).unwrap();
    bench.until(|bench| bench.messages_of(id).len() == 100);
    assert_eq!(bench.messages_of(id), numbered(0..100));
}

#[test]
fn payloads_stay_in_the_read_buffer_and_what_lies_there_is_released() {
    let mut bench = Bench::with_ring(2);
    let (id, _ours, mut peer) = bench.connect();
    for round in 0..50 {
        peer.write_all(&message(&vec![round; 30_000])).unwrap();
        bench.until(|bench| bench.messages_of(id).len() == usize::from(round) + 1);
        assert_eq!(bench.messages_of(id)[usize::from(round)], vec![round; 30_000]);
    }
}

#[test]
fn a_message_of_many_reads_arrives_whole() {
    let mut bench = Bench::new();
    let (id, _ours, peer) = bench.connect();
    let payload: Vec<u8> = (0..10 * READ_LEN + 77).map(|at| at as u8).collect();
    write_aside(&peer, message(&payload));
    bench.until(|bench| !bench.messages_of(id).is_empty());
    assert_eq!(bench.messages_of(id), [payload]);
}

#[test]
fn what_was_read_before_a_socket_was_added_comes_first() {
    let mut bench = Bench::new();
    let (ours, mut peer) = tcp_pair();
    peer.write_all(&frames(&numbered(3..5))).unwrap();
    let mut early = frames(&numbered(0..3));
    // A part of a frame, and more than one read.
    early.extend(message(&vec![9; 2 * READ_LEN]));
    let id = bench.add_with(&ours, config(), &early);
    bench.until(|bench| bench.messages_of(id).len() == 6);
    let [.., large, fourth, fifth] = &bench.messages_of(id)[..] else { panic!("six messages") };
    assert_eq!(bench.messages_of(id)[..3], numbered(0..3));
    assert_eq!((large.len(), fourth, fifth), (2 * READ_LEN, &vec![3; 10], &vec![4; 10]));
}

// ------------------------------------------------------------------------------------------------ room and fairness

#[test]
fn nothing_is_read_without_room_for_what_comes_of_it() {
    let mut bench = Bench::new();
    let (first, _first, mut first_peer) = bench.connect();
    let (second, _second, mut second_peer) = bench.connect();
    first_peer.write_all(&message(b"a")).unwrap();
    second_peer.write_all(&message(b"b")).unwrap();
    assert!(bench.wait_ready(PATIENCE));
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(bench.turn(ONE_EVENT), Progress::Full);
    assert_eq!(bench.events.len(), 1, "one read was possible");
    assert_eq!(bench.turn(ONE_EVENT), Progress::Full, "nothing has been taken");
    assert_eq!(bench.events.len(), 1);
    assert!(bench.reactor.has_work());
    bench.take_all();
    assert_eq!(bench.turn(ONE_EVENT), Progress::Idle);
    bench.take_all();
    assert_eq!(bench.messages_of(first).len() + bench.messages_of(second).len(), 2);
}

#[test]
fn bytes_count_as_well_as_events() {
    let mut bench = Bench::new();
    let (id, _ours, peer) = bench.connect();
    // Messages of several reads own their memory.
    write_aside(&peer, [message(&vec![1; 3 * READ_LEN]), message(&vec![2; 3 * READ_LEN])].concat());
    let room = Room { events: usize::MAX, bytes: 100_000 };
    let mut most = 0;
    let patience = Patience::new();
    while bench.messages_of(id).len() < 2 {
        patience.check();
        bench.wait_ready(Duration::from_millis(5));
        for _ in 0..10 {
            bench.turn(room);
            most = most.max(bench.events.owned_bytes());
        }
        bench.take_all();
    }
    assert!(most <= 4 * READ_LEN, "one read beyond the room at most, and not {most}");
}

#[test]
fn a_full_read_buffer_stops_reading_until_javascript_has_seen_what_lies_there() {
    let mut bench = Bench::with_ring(3);
    let (id, _ours, peer) = bench.connect();
    let messages: Vec<_> = (0..200_u8).map(|number| vec![number; 5_000]).collect();
    write_aside(&peer, frames(&messages));
    let mut was_full = false;
    let patience = Patience::new();
    while bench.messages_of(id).len() < messages.len() {
        patience.check();
        bench.wait_ready(Duration::from_millis(5));
        while bench.turn(Room::ALL) == Progress::More {}
        was_full |= bench.turn(Room::ALL) == Progress::Full;
        bench.take_all();
    }
    assert!(was_full, "a megabyte does not fit");
    assert_eq!(bench.messages_of(id), messages);
}

#[test]
fn a_busy_peer_does_not_keep_the_others_waiting() {
    let mut bench = Bench::new();
    let mut busy = Vec::new();
    for _ in 0..8 {
        let (id, ours, peer) = bench.connect();
        write_aside(&peer, message(&vec![7; 60_000]).repeat(40));
        busy.push((id, ours, peer));
    }
    for _ in 0..10 {
        bench.turn(Room::ALL);
        bench.take_all();
    }
    let (id, _ours, mut peer) = bench.connect();
    peer.write_all(&message(b"small")).unwrap();
    let mut turns = 0;
    while bench.messages_of(id).is_empty() {
        let before: Vec<_> = busy.iter().map(|(id, ..)| bench.messages_of(*id).len()).collect();
        bench.turn(Room::ALL);
        bench.take_all();
        for ((id, ..), before) in busy.iter().zip(before) {
            assert!(bench.messages_of(*id).len() - before <= 2, "one read in a turn");
        }
        turns += 1;
        assert!(turns < 100, "the small message waits behind the large ones");
    }
}

#[test]
fn all_are_read_when_more_are_ready_than_the_set_tells_of_at_once() {
    const COUNT: usize = EVENTS + 100;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    if limit.is_some_and(|limit| limit < 4 * COUNT as u64) {
        eprintln!("SKIPPED: {COUNT} connections need more descriptors than {limit:?}");
        return;
    }
    let mut bench = Bench::new();
    let pairs: Vec<_> = (0..COUNT).map(|_| unix_pair()).collect();
    for (ours, _) in &pairs {
        bench.add(ours);
    }
    for (_, mut peer) in pairs.iter().map(|(ours, peer)| (ours, peer)) {
        peer.write_all(&message(b"x")).unwrap();
    }
    assert_eq!(bench.turn(Room::ALL), Progress::More, "the set has more to tell");
    bench.settle();
    assert_eq!(bench.seen.len(), COUNT);
}

// ------------------------------------------------------------------------------------------------ pausing and ends

#[test]
fn what_arrives_while_a_connection_is_paused_is_read_when_it_goes_on() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    bench.reactor.pause(id, true);
    peer.write_all(&frames(&numbered(0..3))).unwrap();
    assert!(bench.wait_ready(PATIENCE));
    bench.settle();
    assert_eq!(bench.seen, []);
    bench.reactor.pause(id, false);
    assert!(bench.reactor.has_work(), "the set does not say it again");
    bench.settle();
    assert_eq!(bench.messages_of(id), numbered(0..3));
}

#[test]
fn a_connection_that_was_paused_and_got_nothing_is_not_read_at_once() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    bench.settle();
    bench.reactor.pause(id, true);
    bench.settle();
    bench.reactor.pause(id, false);
    assert!(!bench.reactor.has_work());
    peer.write_all(&message(b"later")).unwrap();
    bench.until(|bench| bench.messages_of(id) == [b"later"]);
}

#[test]
fn a_connection_that_is_paused_in_the_midst_of_much_goes_on_where_it_was() {
    let mut bench = Bench::new();
    let (id, _ours, peer) = bench.connect();
    let messages: Vec<_> = (0..100_u8).map(|number| vec![number; 20_000]).collect();
    write_aside(&peer, frames(&messages));
    let patience = Patience::new();
    while bench.messages_of(id).len() < messages.len() {
        patience.check();
        bench.wait_ready(Duration::from_millis(5));
        bench.turn(Room::ALL);
        bench.take_all();
        bench.reactor.pause(id, true);
        let seen = bench.messages_of(id).len();
        bench.settle();
        assert_eq!(bench.messages_of(id).len(), seen, "it is paused");
        bench.reactor.pause(id, false);
    }
    assert_eq!(bench.messages_of(id), messages);
}

#[test]
fn the_end_of_the_peer_comes_behind_its_messages() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    peer.write_all(&message(b"last words")).unwrap();
    drop(peer);
    bench.until(|bench| bench.has_seen(id, &Seen::End));
    assert_eq!(bench.seen_of(id), [Seen::Message(b"last words".to_vec()), Seen::End]);
    bench.settle();
    assert_eq!(bench.seen.len(), 2, "it comes once");
}

#[test]
fn the_end_of_a_peer_whose_connection_is_paused_comes_when_it_goes_on() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    bench.reactor.pause(id, true);
    peer.write_all(&message(b"last words")).unwrap();
    drop(peer);
    assert!(bench.wait_ready(PATIENCE));
    bench.settle();
    assert_eq!(bench.seen, []);
    bench.reactor.pause(id, false);
    bench.until(|bench| bench.has_seen(id, &Seen::End));
    assert_eq!(bench.seen_of(id), [Seen::Message(b"last words".to_vec()), Seen::End]);
}

#[test]
fn a_reset_is_an_error() {
    let mut bench = Bench::new();
    let (id, _ours, peer) = bench.connect();
    reset(peer);
    bench.until(|bench| !bench.seen.is_empty());
    assert_eq!(bench.seen_of(id), [Seen::Error(ErrorKind::ConnectionReset)]);
}

#[test]
fn a_reset_while_a_connection_is_paused_is_told_when_it_goes_on() {
    let mut bench = Bench::new();
    let (id, _ours, peer) = bench.connect();
    bench.reactor.pause(id, true);
    reset(peer);
    assert!(bench.wait_ready(PATIENCE));
    bench.settle();
    assert_eq!(bench.seen, []);
    bench.reactor.pause(id, false);
    bench.until(|bench| !bench.seen.is_empty());
    assert_eq!(bench.seen_of(id), [Seen::Error(ErrorKind::ConnectionReset)]);
}

#[test]
fn nothing_is_received_behind_a_mistake_of_the_peer() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    // Reserved bits, and a message.
    peer.write_all(&[&[0xF2, 0][..], &message(b"x")].concat()).unwrap();
    drop(peer);
    bench.until(|bench| bench.has_seen(id, &Seen::End));
    assert_eq!(bench.seen_of(id), [Seen::Failed, Seen::End]);
}

// ---------------------------------------------------------------------------------------- somebody else goes on

#[test]
fn stopped_follows_everything_that_was_read_and_the_rest_is_left_in_the_socket() {
    let mut bench = Bench::new();
    let (id, mut ours, mut peer) = bench.connect();
    peer.write_all(&message(b"read")).unwrap();
    assert!(bench.wait_ready(PATIENCE));
    bench.turn(Room::ALL);
    assert!(bench.reactor.stop(id, false, &mut bench.events).unwrap().is_empty());
    peer.write_all(&message(b"left")).unwrap();
    bench.wait_ready(PATIENCE);
    bench.settle();
    assert_eq!(bench.seen_of(id), [Seen::Message(b"read".to_vec()), Seen::Stopped]);
    assert!(bench.reactor.release(id).unwrap().unread.is_empty());
    bench.settle();
    assert_eq!(bench.seen.len(), 2);
    assert_eq!(read_some(&mut ours), message(b"left"));
    assert!(bench.reactor.release(id).is_none());
}

#[test]
fn a_frame_that_was_read_in_part_is_gone_on_with_by_the_released_receiver() {
    let mut bench = Bench::new();
    let (id, mut ours, mut peer) = bench.connect();
    let whole = message(b"in two pieces");
    peer.write_all(&whole[..7]).unwrap();
    assert!(bench.wait_ready(PATIENCE));
    bench.settle();
    bench.reactor.stop(id, false, &mut bench.events);
    peer.write_all(&whole[7..]).unwrap();
    let mut released = bench.reactor.release(id).unwrap();
    let mut rest = read_some(&mut ours);
    let event = released.receiver.receive(&mut &mut rest[..]).map(crate::protocol::Event::into_owned);
    let Some(crate::protocol::Event::Message { payload, .. }) = event else { panic!("{event:?}") };
    assert_eq!(&payload[..], b"in two pieces");
}

#[test]
fn what_was_never_looked_at_is_given_back() {
    let mut bench = Bench::new();
    let (ours, _peer) = tcp_pair();
    let id = bench.add_with(&ours, config(), &message(b"early"));
    bench.reactor.stop(id, false, &mut bench.events);
    bench.settle();
    assert_eq!(bench.seen_of(id), [Seen::Stopped]);
    assert_eq!(bench.reactor.release(id).unwrap().unread, message(b"early"));
}

#[test]
fn what_waits_to_be_written_is_given_back_unless_it_stays() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    bench.reactor.send(id, |out| out.extend_from_slice(b"unsent"));
    bench.reactor.notify(id);
    let unsent = bench.reactor.stop(id, false, &mut bench.events).unwrap();
    assert_eq!(&unsent[..], b"unsent");
    bench.settle();
    assert_eq!(bench.seen_of(id), [Seen::Stopped], "somebody else tells when it is written");

    let (id, _second, mut second) = bench.connect();
    bench.reactor.send(id, |out| out.extend_from_slice(b"stays"));
    bench.reactor.notify(id);
    assert!(bench.reactor.stop(id, true, &mut bench.events).unwrap().is_empty());
    bench.settle();
    assert_eq!(bench.seen_of(id), [Seen::Stopped, Seen::Drained(1)]);
    assert_eq!(read_some(&mut second), b"stays");
    peer.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    assert!(peer.read(&mut [0]).is_err(), "nothing was written to the first");
}

#[test]
fn a_removed_connection_is_not_heard_of_again_even_while_somebody_else_holds_its_socket() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    peer.write_all(&message(b"x")).unwrap();
    assert!(bench.reactor.remove(id));
    assert!(!bench.reactor.remove(id));
    let (next, _next_ours, _next_peer) = bench.connect();
    assert_eq!(next.index(), id.index());
    assert_ne!(next, id);
    bench.settle();
    peer.write_all(&message(b"y")).unwrap();
    assert!(!bench.wait_ready(Duration::from_millis(50)), "the set has forgotten it");
    assert_eq!(bench.seen, []);
    bench.reactor.send(id, |out| out.extend_from_slice(b"to nobody"));
    assert!(bench.reactor.stop(id, false, &mut bench.events).is_none());
    bench.settle();
    assert_eq!(bench.seen, []);
}

#[test]
fn the_descriptor_of_a_removed_connection_is_closed() {
    let mut bench = Bench::new();
    let (id, ours, mut peer) = bench.connect();
    drop(ours);
    bench.reactor.remove(id);
    assert!(read_some(&mut peer).is_empty(), "the peer sees the end");
}

// --------------------------------------------------------------------------------------------------- at random

#[derive(Debug, Clone)]
enum Step {
    Write(usize),
    Turn(Room),
    Take(usize),
    Pause(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..20_000_usize).prop_map(Step::Write),
        4 => (0..4_usize, prop_oneof![Just(1), Just(1 << 20)])
            .prop_map(|(events, bytes)| Step::Turn(Room { events, bytes })),
        3 => (0..4_usize).prop_map(Step::Take),
        1 => any::<bool>().prop_map(Step::Pause),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// However writes, turns, pauses and deliveries follow each other: every message arrives once and in order, then the end.
    #[test]
    fn every_message_arrives_once_and_in_order(
        sockets in 1..4_usize,
        steps in proptest::collection::vec((step(), 0..4_usize), 1..80),
    ) {
        let mut bench = Bench::with_ring(3);
        let mut peers: Vec<_> = (0..sockets).map(|_| {
            let (ours, peer) = unix_pair();
            (bench.add(&ours), Some(peer), Vec::new())
        }).collect();
        let mut number = 0_u8;
        for (step, which) in steps {
            let (id, peer, sent) = &mut peers[which % sockets];
            match step {
                Step::Write(len) => {
                    number = number.wrapping_add(1);
                    let frame = message(&vec![number; len]);
                    let peer = peer.as_mut().unwrap();
                    // A peer that may not block, so it sends only what surely fits.
                    if sent.iter().map(Vec::len).sum::<usize>() + len < 100_000 {
                        peer.write_all(&frame).unwrap();
                        sent.push(vec![number; len]);
                    }
                }
                Step::Turn(room) => {
                    let before = bench.events.len();
                    bench.turn(room);
                    prop_assert!(room.events > before || bench.events.len() == before);
                }
                Step::Take(count) => (0..count).for_each(|_| { bench.take_one(); }),
                Step::Pause(paused) => bench.reactor.pause(*id, paused),
            }
        }
        for (id, peer, _) in &mut peers {
            bench.reactor.pause(*id, false);
            drop::<Option<UnixStream>>(peer.take());
        }
        bench.take_all();
        bench.until(|bench| peers.iter().all(|(id, ..)| bench.has_seen(*id, &Seen::End)));
        for (id, _, sent) in &peers {
            prop_assert_eq!(&bench.messages_of(*id), sent);
        }
    }
}
