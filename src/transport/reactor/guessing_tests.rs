//! Turns that read from the only socket without asking the set.

use std::io::Write;

use super::super::Look;
use super::super::test_support::*;
use super::*;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Takes a turn whenever the set is ready, as the loop does, until something was seen.
fn guess_until(bench: &mut Bench, is_true: impl Fn(&Bench) -> bool) {
    let patience = Patience::new();
    while !is_true(bench) {
        patience.check();
        let mut look = if bench.wait_ready(Duration::from_millis(5)) { Look::Guess } else { Look::Nowhere };
        while bench.reactor.turn(look, Room::ALL, &mut bench.events).expect("the set works") != Progress::Idle
        {
            look = Look::Nowhere;
            bench.take_all();
        }
        bench.take_all();
    }
}

#[test]
fn the_only_socket_is_read_without_asking_the_set() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    for round in 1..=3 {
        peer.write_all(&message(b"x")).unwrap();
        guess_until(&mut bench, |bench| bench.messages_of(id).len() == round);
    }
    assert_eq!(bench.reactor.guesses, 2, "the first turn does not know it yet");
}

#[test]
fn a_peer_that_never_stops_does_not_hide_the_others() {
    let mut bench = Bench::new();
    let (busy, _busy, busy_peer) = bench.connect();
    write_aside(&busy_peer, message(&vec![1; 60_000]).repeat(200));
    guess_until(&mut bench, |bench| bench.messages_of(busy).len() >= 5);
    let (listener, address) = bench
        .reactor
        .listen((std::net::Ipv4Addr::LOCALHOST, 0).into(), false, PATIENCE, 4096, None)
        .expect("a port");
    let mut newcomer = TcpStream::connect(address).unwrap();
    newcomer.write_all(REQUEST.as_bytes()).unwrap();
    guess_until(&mut bench, |bench| {
        bench.seen.iter().any(|(_, seen)| matches!(seen, Seen::Requested(of) if *of == listener))
    });
    guess_until(&mut bench, |bench| bench.messages_of(busy).len() == 200);
}

#[test]
fn the_end_and_the_reset_of_the_only_socket_are_noticed() {
    for is_reset in [false, true] {
        let mut bench = Bench::new();
        let (id, _ours, mut peer) = bench.connect();
        peer.write_all(&message(b"x")).unwrap();
        guess_until(&mut bench, |bench| bench.messages_of(id).len() == 1);
        if is_reset {
            reset(peer);
        } else {
            drop(peer);
        }
        guess_until(&mut bench, |bench| {
            bench.seen.iter().any(|(_, seen)| matches!(seen, Seen::End | Seen::Error(_)))
        });
    }
}

#[test]
fn what_waits_for_a_slow_peer_is_written_when_it_reads() {
    let mut bench = Bench::new();
    let (id, ours, mut peer) = bench.connect();
    peer.write_all(&message(b"x")).unwrap();
    guess_until(&mut bench, |bench| bench.messages_of(id).len() == 1);
    bench.reactor.send(id, |out| out.extend_from_slice(&vec![7; 16 << 20]));
    bench.reactor.notify(id);
    bench.flush();
    let reader = std::thread::spawn(move || io::copy(&mut peer, &mut io::sink()));
    guess_until(&mut bench, |bench| bench.seen.iter().any(|(_, seen)| matches!(seen, Seen::Drained(1))));
    bench.reactor.remove(id);
    drop(bench);
    drop(ours);
    assert_eq!(reader.join().expect("no panic").expect("a clean end"), 16 << 20);
}
