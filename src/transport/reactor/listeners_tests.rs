//! Listening: requests, refusals, deadlines and limits, each listener on its own.

use std::io::{ErrorKind, Read, Write};
use std::net::Ipv4Addr;
use std::process::Command;

use super::super::event::{Room, SocketEvent};
use super::super::test_support::*;
use super::super::{Deadlines, Progress};
use super::*;
use crate::protocol::Limits;

const LONG: Duration = Duration::from_secs(60);

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

fn listen(bench: &mut Bench, timeout: Duration) -> (ListenerId, SocketAddr) {
    bench.reactor.listen((Ipv4Addr::LOCALHOST, 0).into(), false, timeout, 16 * 1024, None).unwrap()
}

/// A peer that the reactor has accepted and that has sent the beginning of a request.
fn slow_peer(bench: &mut Bench, address: SocketAddr) -> TcpStream {
    let mut peer = connect(address);
    peer.write_all(b"GET /").unwrap();
    assert!(bench.wait_ready(PATIENCE));
    // Once to accept it, and once to read.
    while bench.wait_ready(Duration::ZERO) {
        bench.settle();
    }
    peer
}

/// Waits for a request, and returns the connection's id.
fn requested(bench: &mut Bench, listener: ListenerId) -> ConnectionId {
    let count =
        |bench: &Bench| bench.seen.iter().filter(|(_, seen)| *seen == Seen::Requested(listener)).count();
    let before = count(bench);
    bench.until(|bench| count(bench) > before);
    bench.seen.iter().rev().find(|(_, seen)| *seen == Seen::Requested(listener)).unwrap().0
}

/// Enforces deadlines as of some time from now, and returns what the last look said.
fn expire(bench: &mut Bench, after: Duration) -> Deadlines {
    let now = Instant::now() + after;
    loop {
        match bench.reactor.expire(now, &mut bench.events) {
            Deadlines::Now => {}
            next => return next,
        }
    }
}

/// Whether the peer is still waited for.
fn is_open(peer: &mut TcpStream) -> bool {
    peer.set_nonblocking(true).unwrap();
    let read = peer.read(&mut [0]);
    peer.set_nonblocking(false).unwrap();
    matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// What the peer is answered, up to the end.
fn answer(bench: &mut Bench, peer: &TcpStream) -> String {
    let mut peer = peer.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).map(|_| bytes).unwrap()
    });
    bench.until(|_| reader.is_finished());
    String::from_utf8(reader.join().unwrap()).unwrap()
}

// ------------------------------------------------------------------------------------------------------- requests

#[test]
fn a_request_is_told_of_as_a_whole_and_frames_follow_when_it_is_accepted() {
    let mut bench = Bench::new();
    let (listener, address) = listen(&mut bench, LONG);
    let mut peer = connect(address);
    peer.write_all(&[REQUEST.as_bytes(), &message(b"behind the head")].concat()).unwrap();
    while bench.events.is_empty() {
        assert!(bench.wait_ready(PATIENCE));
        bench.turn(Room::ALL);
    }
    let entry = bench.events.pop().unwrap();
    let SocketEvent::Requested(request) = entry.event else { panic!("{entry:?}") };
    assert_eq!((request.from.listener, request.from.peer), (listener, peer.local_addr().unwrap()));
    assert_eq!(request.request.target, "/chat");
    let id = entry.id;

    peer.write_all(&message(b"before the answer")).unwrap();
    bench.wait_ready(PATIENCE);
    bench.settle();
    assert_eq!(bench.seen, [], "nothing is read until it is accepted");
    bench.reactor.send(id, |out| out.extend_from_slice(b"HTTP/1.1 101"));
    assert!(bench.reactor.begin(id, config()));
    assert!(!bench.reactor.begin(id, config()), "it is accepted once");
    bench.reactor.limit(id, Limits::default());
    bench.until(|bench| bench.messages_of(id).len() == 2);
    assert_eq!(bench.messages_of(id), [&b"behind the head"[..], b"before the answer"]);
    assert_eq!(read_some(&mut peer), b"HTTP/1.1 101");
}

#[test]
fn a_request_may_arrive_in_pieces() {
    let mut bench = Bench::new();
    let (listener, address) = listen(&mut bench, LONG);
    let mut peer = connect(address);
    let (most, last) = REQUEST.as_bytes().split_at(REQUEST.len() - 3);
    for piece in most.chunks(7) {
        peer.write_all(piece).unwrap();
        bench.wait_ready(PATIENCE);
        bench.settle();
    }
    peer.write_all(last).unwrap();
    requested(&mut bench, listener);
}

#[test]
fn the_end_of_a_peer_whose_request_waits_for_an_answer_is_told_at_once() {
    let mut bench = Bench::new();
    let (listener, address) = listen(&mut bench, LONG);
    let mut peer = connect(address);
    peer.write_all(REQUEST.as_bytes()).unwrap();
    let id = requested(&mut bench, listener);
    drop(peer);
    bench.until(|bench| bench.has_seen(id, &Seen::End));

    let mut peer = connect(address);
    peer.write_all(REQUEST.as_bytes()).unwrap();
    let id = requested(&mut bench, listener);
    reset(peer);
    bench.until(|bench| bench.has_seen(id, &Seen::Error(ErrorKind::ConnectionReset)));
}

#[test]
fn nothing_is_told_of_a_peer_that_goes_before_its_request_is_whole() {
    let mut bench = Bench::new();
    let (_, address) = listen(&mut bench, LONG);
    drop(slow_peer(&mut bench, address));
    reset(slow_peer(&mut bench, address));
    bench.until(|bench| bench.reactor.count_sockets() == 0);
    assert_eq!(bench.seen, []);
}

#[test]
fn a_request_for_a_listener_that_is_closed_meanwhile_names_no_other_one() {
    let mut bench = Bench::new();
    let (first, address) = listen(&mut bench, LONG);
    let mut peer = connect(address);
    peer.write_all(REQUEST.as_bytes()).unwrap();
    while bench.events.is_empty() {
        assert!(bench.wait_ready(PATIENCE));
        bench.turn(Room::ALL);
    }
    // The request is on its way to JavaScript.
    bench.reactor.close_listener(first);
    let (second, _) = listen(&mut bench, LONG);
    assert_eq!(second.index(), first.index());
    bench.take_all();
    assert!(
        matches!(bench.seen[..], [(_, Seen::Requested(listener))] if listener == first && listener != second)
    );
}

#[test]
fn an_address_in_use_is_an_error() {
    let mut bench = Bench::new();
    let (_, address) = listen(&mut bench, LONG);
    let error = bench.reactor.listen(address, false, LONG, 1024, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[test]
fn many_connections_at_once_are_accepted_some_at_a_time() {
    let mut bench = Bench::new();
    let (_, address) = listen(&mut bench, LONG);
    let peers: Vec<_> = (0..ACCEPTED_AT_ONCE + 5).map(|_| connect(address)).collect();
    assert!(bench.wait_ready(PATIENCE));
    assert_eq!(bench.turn(Room::ALL), Progress::More);
    bench.settle();
    // More than may wait at a time; see MAX_HEADS.
    assert_eq!(bench.reactor.count_sockets(), MAX_HEADS);
    drop(peers);
}

// ------------------------------------------------------------------------------------------------------- refusals

#[test]
fn what_is_no_opening_handshake_is_answered_and_lingers_until_the_peer_has_gone() {
    let mut bench = Bench::new();
    let (_, address) = listen(&mut bench, LONG);
    let mut peer = connect(address);
    peer.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert!(answer(&mut bench, &peer).starts_with("HTTP/1.1 426 "));
    // What it still sends is thrown away, so that it reads the answer and gets no reset.
    peer.write_all(&vec![0; 100_000]).unwrap();
    bench.wait_ready(PATIENCE);
    bench.settle();
    assert_eq!(bench.reactor.count_sockets(), 1);
    drop(peer);
    bench.until(|bench| bench.reactor.count_sockets() == 0);
    assert_eq!(bench.seen, [], "JavaScript never hears of it");
}

#[test]
fn a_refused_peer_that_does_not_go_is_closed_after_a_while() {
    let mut bench = Bench::new();
    let (_, address) = listen(&mut bench, LONG);
    let mut peer = connect(address);
    peer.write_all(b"nonsense\r\n\r\n").unwrap();
    assert!(answer(&mut bench, &peer).starts_with("HTTP/1.1 400 "));
    expire(&mut bench, LINGER / 2);
    assert_eq!(bench.reactor.count_sockets(), 1);
    expire(&mut bench, LINGER);
    assert_eq!(bench.reactor.count_sockets(), 0);
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let mut bench = Bench::new();
    let (_, address) = bench.reactor.listen((Ipv4Addr::LOCALHOST, 0).into(), false, LONG, 100, None).unwrap();
    let mut peer = connect(address);
    peer.write_all(format!("GET / HTTP/1.1\r\nLong: {}\r\n", "x".repeat(70_000)).as_bytes()).unwrap();
    assert!(answer(&mut bench, &peer).starts_with("HTTP/1.1 431 "));
}

// ------------------------------------------------------------------------------------- requests for somebody else

/// Listens for somebody who takes what is no opening handshake.
fn listen_and_pass_on(bench: &mut Bench, timeout: Duration) -> (ListenerId, SocketAddr) {
    let (listener, address) = listen(bench, timeout);
    bench.reactor.pass_on(listener);
    (listener, address)
}

/// The last connection that was passed on, and what was read of it.
fn passed(bench: &mut Bench, listener: ListenerId) -> (ConnectionId, Vec<u8>) {
    let count = |bench: &Bench| {
        bench.seen.iter().filter(|(_, seen)| matches!(seen, Seen::Passed(by, _) if *by == listener)).count()
    };
    let before = count(bench);
    bench.until(|bench| count(bench) > before);
    let Some((id, Seen::Passed(_, bytes))) = bench.seen.last() else { panic!("{:?}", bench.seen) };
    (*id, bytes.clone())
}

#[test]
fn what_is_no_opening_handshake_is_passed_on_with_all_its_bytes_and_its_descriptor() {
    let mut bench = Bench::new();
    let (listener, address) = listen_and_pass_on(&mut bench, LONG);
    let requests = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
        "\u{16}\u{3}\u{1} nonsense",
    ];
    for request in requests {
        let mut peer = connect(address);
        peer.write_all(request.as_bytes()).unwrap();
        let (id, bytes) = passed(&mut bench, listener);
        assert_eq!(bytes, request.as_bytes());
        peer.write_all(b" and more").unwrap();
        bench.wait_ready(PATIENCE);
        bench.settle();
        let mut socket = TcpStream::from(bench.reactor.hand_over(id).expect("it was passed on"));
        assert!(bench.reactor.hand_over(id).is_none(), "once");
        assert_eq!(bench.reactor.count_sockets(), 0);
        assert_eq!(read_some(&mut socket), b" and more", "the reactor has read nothing behind it");
        socket.write_all(b"answer").unwrap();
        assert_eq!(read_some(&mut peer), b"answer");
        // Nor does the set tell of it any more.
        bench.settle();
        assert!(!bench.reactor.has_work());
    }
}

#[test]
fn another_method_is_passed_on_before_its_head_is_complete() {
    let mut bench = Bench::new();
    let (listener, address) = listen_and_pass_on(&mut bench, LONG);
    let mut post = connect(address);
    post.write_all(b"P").unwrap();
    assert_eq!(passed(&mut bench, listener).1, b"P");
    let mut get = slow_peer(&mut bench, address);
    bench.settle();
    assert!(is_open(&mut get));
    get.write_all(b"x").unwrap();
    get.write_all(b" HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(passed(&mut bench, listener).1, b"GET /x HTTP/1.1\r\n\r\n");
}

#[test]
fn an_opening_handshake_is_not_passed_on_and_a_slow_head_has_its_limits() {
    let mut bench = Bench::new();
    let (listener, address) = listen_and_pass_on(&mut bench, Duration::from_secs(1));
    let mut peer = connect(address);
    peer.write_all(REQUEST.as_bytes()).unwrap();
    let id = requested(&mut bench, listener);
    assert!(bench.reactor.hand_over(id).is_none(), "it is ours");
    let late = slow_peer(&mut bench, address);
    expire(&mut bench, LONG);
    assert!(answer(&mut bench, &late).starts_with("HTTP/1.1 408 "));

    let mut long = connect(address);
    let head = format!("GET / HTTP/1.1\r\nLong: {}\r\n", "x".repeat(70_000));
    long.write_all(head.as_bytes()).unwrap();
    let (_, bytes) = passed(&mut bench, listener);
    assert_eq!(bytes, &head.as_bytes()[..bytes.len()]);
    assert!(bytes.len() > 16 * 1024, "as much as it takes to see that it is too long");
}

#[test]
fn what_was_passed_on_counts_as_memory_and_not_as_a_slow_head() {
    let mut bench = Bench::new();
    let (_, address) = listen_and_pass_on(&mut bench, LONG);
    let request = b"POST / HTTP/1.1\r\n\r\n";
    let mut peers = Vec::new();
    for _ in 0..MAX_HEADS + 2 {
        let mut peer = connect(address);
        peer.write_all(request).unwrap();
        while bench.events.is_empty() {
            assert!(bench.wait_ready(PATIENCE));
            bench.turn(Room::ALL);
        }
        assert_eq!(bench.events.owned_bytes(), request.len());
        bench.take_all();
        peers.push(peer);
    }
    assert!(peers.iter_mut().all(is_open), "nobody had to give way");
    assert_eq!(bench.reactor.count_sockets(), peers.len());
    expire(&mut bench, LONG);
    assert!(peers.iter_mut().all(is_open));
}

#[test]
fn nobody_wants_what_was_passed_on() {
    let mut bench = Bench::new();
    let (listener, address) = listen_and_pass_on(&mut bench, LONG);
    let mut peer = connect(address);
    peer.write_all(b"POST /").unwrap();
    let (id, _) = passed(&mut bench, listener);
    assert!(bench.reactor.remove(id));
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    assert!(bench.reactor.hand_over(id).is_none());

    let peer = connect(address);
    (&peer).write_all(b"POST /").unwrap();
    let (id, _) = passed(&mut bench, listener);
    reset(peer);
    bench.wait_ready(PATIENCE);
    bench.settle();
    assert!(bench.reactor.hand_over(id).is_some(), "whoever reads it learns of its end");
}

// ------------------------------------------------------------------------------------------------------ deadlines

#[test]
fn each_listener_has_a_deadline_of_its_own() {
    let mut bench = Bench::new();
    let (_, patient) = listen(&mut bench, LONG);
    let (_, impatient) = listen(&mut bench, Duration::from_secs(1));
    // The one with more time comes first.
    let mut slow = slow_peer(&mut bench, patient);
    let late = slow_peer(&mut bench, impatient);
    assert_eq!(bench.reactor.expire(Instant::now(), &mut bench.events), Deadlines::Later);
    assert_eq!(expire(&mut bench, Duration::from_secs(2)), Deadlines::Later);
    assert!(answer(&mut bench, &late).starts_with("HTTP/1.1 408 "));
    assert!(is_open(&mut slow));
    expire(&mut bench, LONG);
    assert!(answer(&mut bench, &slow).starts_with("HTTP/1.1 408 "));
    assert_eq!(bench.seen, []);
}

#[test]
fn a_request_that_has_arrived_has_no_deadline() {
    let mut bench = Bench::new();
    let (listener, address) = listen(&mut bench, Duration::from_secs(1));
    let mut peer = connect(address);
    peer.write_all(REQUEST.as_bytes()).unwrap();
    let id = requested(&mut bench, listener);
    expire(&mut bench, LONG);
    assert!(is_open(&mut peer) && bench.reactor.begin(id, config()));
}

#[test]
fn closing_a_listener_leaves_the_others_and_their_connections_alone() {
    let mut bench = Bench::new();
    let (closed, closed_address) = listen(&mut bench, LONG);
    let (open, open_address) = listen(&mut bench, LONG);
    let mut lost = slow_peer(&mut bench, closed_address);
    let mut slow = slow_peer(&mut bench, open_address);
    let mut accepted = connect(closed_address);
    accepted.write_all(REQUEST.as_bytes()).unwrap();
    let id = requested(&mut bench, closed);

    bench.reactor.close_listener(closed);
    bench.reactor.close_listener(closed);
    assert_eq!(lost.read(&mut [0]).unwrap_or_default(), 0, "nobody is there to answer it");
    assert!(TcpStream::connect(closed_address).is_err());
    // Five seconds later, neither deadline is over.
    assert_eq!(expire(&mut bench, Duration::from_secs(6)), Deadlines::Later);
    assert!(is_open(&mut slow) && is_open(&mut accepted));
    assert!(bench.reactor.begin(id, config()));
    slow.write_all(&REQUEST.as_bytes()["GET /".len()..]).unwrap();
    requested(&mut bench, open);
}

#[test]
fn deadlines_are_watched_only_as_long_as_something_can_be_late() {
    let mut bench = Bench::new();
    assert_eq!(expire(&mut bench, LONG), Deadlines::None);
    let (listener, address) = listen(&mut bench, LONG);
    assert_eq!(expire(&mut bench, LONG), Deadlines::Later);
    let mut peer = connect(address);
    peer.write_all(b"nonsense\r\n\r\n").unwrap();
    answer(&mut bench, &peer);
    bench.reactor.close_listener(listener);
    assert_eq!(expire(&mut bench, Duration::ZERO), Deadlines::Later, "one that was refused lingers");
    assert_eq!(expire(&mut bench, LINGER), Deadlines::None);
}

// --------------------------------------------------------------------------------------------------------- limits

#[test]
fn the_oldest_connection_without_a_request_gives_way_to_one_more() {
    let mut bench = Bench::new();
    let (_, first) = listen(&mut bench, LONG);
    let (_, second) = listen(&mut bench, LONG);
    let mut peers: Vec<_> = (0..MAX_HEADS + 2)
        .map(|number| slow_peer(&mut bench, if number % 2 == 0 { first } else { second }))
        .collect();
    let open: Vec<_> = peers.iter_mut().map(is_open).collect();
    assert_eq!(open, [vec![false; 2], vec![true; MAX_HEADS]].concat());
}

#[test]
fn connections_that_have_come_and_gone_do_not_count() {
    let mut bench = Bench::new();
    let (listener, address) = listen(&mut bench, LONG);
    for round in 0..3 * MAX_HEADS {
        let mut peer = slow_peer(&mut bench, address);
        match round % 3 {
            0 => drop(peer),
            1 => {
                peer.write_all(b"\r\n\r\n").unwrap();
                assert!(answer(&mut bench, &peer).starts_with("HTTP/1.1 400 "));
            }
            _ => {
                peer.write_all(&REQUEST.as_bytes()["GET /".len()..]).unwrap();
                let id = requested(&mut bench, listener);
                bench.reactor.remove(id);
            }
        }
        bench.settle();
    }
    let mut peers: Vec<_> = (0..MAX_HEADS).map(|_| slow_peer(&mut bench, address)).collect();
    assert!(peers.iter_mut().all(is_open), "as many as may wait do");
    let mut one_more = slow_peer(&mut bench, address);
    assert!(is_open(&mut one_more));
    let open = peers.iter_mut().filter_map(|peer| is_open(peer).then_some(())).count();
    assert_eq!(open, MAX_HEADS - 1, "one of them gives way, and not one that has gone long ago");
}

const FEW_DESCRIPTORS: &str = "WEBSOCKET_TEST_FEW_DESCRIPTORS";

/// Runs itself again in a process of its own, since the limit is the process's.
#[test]
fn a_listener_goes_on_when_there_are_descriptors_again() {
    if std::env::var_os(FEW_DESCRIPTORS).is_some() {
        return use_up_descriptors();
    }
    let name = std::thread::current().name().expect("the test's").to_owned();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--test-threads=1"])
        .env(FEW_DESCRIPTORS, "1")
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{output:?}");
}

fn use_up_descriptors() {
    let mut bench = Bench::new();
    let (listener, address) = listen(&mut bench, LONG);
    let limits = rustix::process::Rlimit { current: Some(64), maximum: Some(64) };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limits).unwrap();
    let mut hoard = Vec::new();
    let mut peer = connect(address);
    peer.write_all(REQUEST.as_bytes()).unwrap();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        hoard.push(file);
    }
    // Neither fails, nor goes round and round.
    assert_eq!(bench.turn(Room::ALL), Progress::Idle);
    assert_eq!(bench.turn(Room::ALL), Progress::Idle);
    assert!(!bench.reactor.has_work());
    assert_eq!(expire(&mut bench, RETRY / 2), Deadlines::Later);
    assert!(!bench.reactor.has_work(), "not yet");
    drop(hoard);
    expire(&mut bench, RETRY);
    assert!(bench.reactor.has_work());
    requested(&mut bench, listener);
}
