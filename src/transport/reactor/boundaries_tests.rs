//! What cuts a read short although more is there: TCP urgent data, and ancillary messages on a Unix socket.

use std::io::{IoSlice, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering::Relaxed;

use proptest::prelude::*;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, send, sendmsg};

use super::super::event::ConnectionId;
use super::super::test_support::*;

/// Sends a byte of urgent data, which is no part of the stream. Only one at a time is not: another one must not follow before
/// something behind this one was read.
fn send_urgent(peer: &impl AsFd) {
    send(peer, b"!", SendFlags::OOB).expect("the socket takes it");
}

/// Sends bytes together with a descriptor, which nobody takes.
fn send_with_descriptor(peer: &UnixStream, bytes: &[u8]) {
    let descriptors = [peer.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)));
    let sent = sendmsg(peer, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::empty())
        .expect("the socket takes it");
    assert_eq!(sent, bytes.len());
}

fn bytes_read(bench: &Bench, id: ConnectionId) -> usize {
    bench.reactor.counters(id).expect("the socket takes it").read.load(Relaxed) as usize
}

fn add_unix(bench: &mut Bench, ours: &UnixStream) -> ConnectionId {
    bench.reactor.add(ours.as_fd(), config(), &[], true, true).expect("the socket takes it").0
}

#[test]
fn a_message_behind_urgent_data_is_read() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    peer.write_all(&message(b"before")).expect("the socket takes it");
    send_urgent(&peer);
    peer.write_all(&message(b"behind")).expect("the socket takes it");
    bench.until(|bench| bench.messages_of(id).len() == 2);
    assert_eq!(bench.messages_of(id), [b"before", b"behind"]);
}

#[test]
fn urgent_data_in_the_midst_of_a_frame_does_not_hold_it_up() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    let whole = message(&[7; 1000]);
    let mut sent = 0;
    for piece in whole.chunks(100) {
        peer.write_all(piece).expect("the socket takes it");
        sent += piece.len();
        bench.until(|bench| bytes_read(bench, id) == sent);
        send_urgent(&peer);
    }
    bench.until(|bench| bench.messages_of(id) == [[7; 1000]]);
}

#[test]
fn a_message_behind_urgent_data_is_read_while_others_are() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    for round in 1..=20 {
        peer.write_all(&message(b"before")).expect("the socket takes it");
        // The set has told of the first before the rest is there, or not.
        if round % 2 == 0 {
            bench.settle();
        }
        send_urgent(&peer);
        peer.write_all(&message(b"behind")).expect("the socket takes it");
        bench.until(|bench| bench.messages_of(id).len() == 2 * round);
    }
}

#[test]
fn a_paused_connection_reads_what_is_behind_urgent_data_when_it_goes_on() {
    let mut bench = Bench::new();
    let (id, _ours, mut peer) = bench.connect();
    bench.reactor.pause(id, true);
    peer.write_all(&message(b"before")).expect("the socket takes it");
    send_urgent(&peer);
    peer.write_all(&message(b"behind")).expect("the socket takes it");
    bench.settle();
    bench.reactor.pause(id, false);
    bench.until(|bench| bench.messages_of(id).len() == 2);
}

#[test]
fn a_message_behind_an_ancillary_one_is_read() {
    let mut bench = Bench::new();
    let (ours, mut peer) = unix_pair();
    let id = add_unix(&mut bench, &ours);
    peer.write_all(&message(b"before")).expect("the socket takes it");
    send_with_descriptor(&peer, &message(b"with a descriptor"));
    send_with_descriptor(&peer, &message(b"with another one"));
    peer.write_all(&message(b"behind")).expect("the socket takes it");
    bench.until(|bench| bench.messages_of(id).len() == 4);
    assert_eq!(bench.messages_of(id), [&b"before"[..], b"with a descriptor", b"with another one", b"behind"]);
}

#[test]
fn the_end_behind_an_ancillary_message_is_seen() {
    let mut bench = Bench::new();
    let (ours, peer) = unix_pair();
    let id = add_unix(&mut bench, &ours);
    send_with_descriptor(&peer, &message(b"last words"));
    drop(peer);
    bench.until(|bench| bench.has_seen(id, &Seen::End));
    assert_eq!(bench.messages_of(id), [b"last words"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Wherever boundaries lie in the stream, and whenever it is read: nothing stays in the socket.
    #[test]
    fn nothing_stays_unread_wherever_boundaries_are(
        pieces in proptest::collection::vec((1..40_usize, any::<bool>(), any::<bool>()), 1..40),
    ) {
        let mut bench = Bench::new();
        let (tcp, _ours, mut tcp_peer) = bench.connect();
        let (ours, mut unix_peer) = unix_pair();
        let unix = add_unix(&mut bench, &ours);
        let payloads: Vec<_> = (0..20_u8).map(|number| vec![number; 20]).collect();
        let stream: Vec<u8> = payloads.iter().flat_map(|payload| message(payload)).collect();
        let mut rest = &stream[..];
        let mut pieces = pieces.into_iter().cycle();
        while !rest.is_empty() {
            let (len, has_boundary, turns) = pieces.next().expect("the socket takes it");
            let (piece, later) = rest.split_at(len.min(rest.len()));
            rest = later;
            tcp_peer.write_all(piece).expect("the socket takes it");
            let sent = stream.len() - rest.len();
            if has_boundary {
                bench.until(|bench| bytes_read(bench, tcp) == sent);
                send_urgent(&tcp_peer);
                send_with_descriptor(&unix_peer, piece);
            } else {
                unix_peer.write_all(piece).expect("the socket takes it");
            }
            if turns {
                bench.settle();
            }
        }
        bench.until(|bench| bench.messages_of(tcp).len() == 20 && bench.messages_of(unix).len() == 20);
        prop_assert_eq!(bench.messages_of(tcp), &payloads[..]);
        prop_assert_eq!(bench.messages_of(unix), &payloads[..]);
    }
}
