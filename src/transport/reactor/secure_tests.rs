//! Sockets with TLS in the reactor. The peer is a client of rustls on a real socket.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::super::Deadlines;
use super::super::event::{ConnectionId, ListenerId};
use super::super::test_support::*;
use crate::tls::{Context, Identity, Settings};

const CA: &[u8] = include_bytes!("../../tls/test_data/ca.pem");
const CERT: &[u8] = include_bytes!("../../tls/test_data/server.pem");
const KEY: &[u8] = include_bytes!("../../tls/test_data/server-key.pem");

const LONG: Duration = Duration::from_secs(60);

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

type Client = StreamOwned<ClientConnection, TcpStream>;

fn listen(bench: &mut Bench, timeout: Duration) -> (ListenerId, SocketAddr) {
    let identities = vec![Identity { key: KEY.to_vec(), cert: CERT.to_vec() }];
    let context = Context::new(&Settings { identities, ..Settings::default() }).unwrap();
    let address = (Ipv4Addr::LOCALHOST, 0).into();
    bench.reactor.listen(address, false, timeout, 16 * 1024, Some(Arc::new(context))).unwrap()
}

fn client(stream: TcpStream) -> Client {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CA).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

/// What a client does in a thread of its own, while the test is the loop.
fn aside<T: Send + 'static>(
    address: SocketAddr,
    work: impl FnOnce(Client) -> T + Send + 'static,
) -> JoinHandle<T> {
    thread::spawn(move || work(client(connect(address))))
}

fn finish<T>(bench: &mut Bench, thread: JoinHandle<T>) -> T {
    bench.until(|_| thread.is_finished());
    thread.join().unwrap()
}

/// The connection whose request has arrived, accepted.
fn accept(bench: &mut Bench, listener: ListenerId) -> ConnectionId {
    bench.until(|bench| bench.seen.iter().any(|(_, seen)| *seen == Seen::Requested(listener)));
    let id = bench.seen.last().unwrap().0;
    assert!(bench.reactor.begin(id, config()));
    id
}

#[test]
fn messages_of_any_length_pass_in_both_directions_and_the_end_is_told() {
    let mut bench = Bench::new();
    let (listener, address) = listen(&mut bench, LONG);
    let large = vec![7; 3 << 20];
    let sent = large.clone();
    let peer = aside(address, move |mut client| {
        client.write_all(&[REQUEST, &message(b"behind the head")].concat()).unwrap();
        client.write_all(&message(&sent)).unwrap();
        client.flush().unwrap();
        let mut all = Vec::new();
        client.read_to_end(&mut all).unwrap();
        client.conn.send_close_notify();
        client.flush().unwrap();
        all
    });
    let id = accept(&mut bench, listener);
    bench.until(|bench| bench.messages_of(id).len() == 2);
    assert_eq!(bench.messages_of(id), [b"behind the head".to_vec(), large.clone()]);
    // More than a socket takes at once.
    let answer: Vec<u8> = (0..large.len() * 4).map(|index| (index % 251) as u8).collect();
    bench.reactor.send(id, |out| out.extend_from_slice(&answer));
    bench.reactor.notify(id);
    bench.reactor.finish(id);
    assert!(finish(&mut bench, peer) == answer, "what was sent has arrived, and its end");
    bench.until(|bench| bench.has_seen(id, &Seen::End));
    assert!(bench.has_seen(id, &Seen::Drained(1)));
}

#[test]
fn an_end_without_close_notify_is_an_error_of_an_open_connection() {
    let mut bench = Bench::new();
    let (listener, address) = listen(&mut bench, LONG);
    let peer = aside(address, |mut client| {
        client.write_all(REQUEST).unwrap();
        client.flush().unwrap();
        client
    });
    let id = accept(&mut bench, listener);
    let client = finish(&mut bench, peer);
    client.sock.shutdown(std::net::Shutdown::Write).unwrap();
    bench.until(|bench| bench.has_seen(id, &Seen::Error(std::io::ErrorKind::Other)));
}

#[test]
fn a_peer_that_closes_before_it_is_accepted_is_told_of() {
    let mut bench = Bench::new();
    let (listener, address) = listen(&mut bench, LONG);
    let peer = aside(address, |mut client| {
        client.write_all(REQUEST).unwrap();
        client.conn.send_close_notify();
        client.flush().unwrap();
    });
    bench.until(|bench| bench.seen.iter().any(|(_, seen)| *seen == Seen::Requested(listener)));
    let id = bench.seen[0].0;
    finish(&mut bench, peer);
    bench.until(|bench| bench.has_seen(id, &Seen::End));
}

#[test]
fn a_failed_handshake_is_told_once_and_leaves_nothing() {
    let mut bench = Bench::new();
    let (_, address) = listen(&mut bench, LONG);
    let cases: [(&[u8], &str); 3] = [
        (&[22, 3, 1, 0xff, 0xff, 0], "ERR_SSL_PACKET_LENGTH_TOO_LONG"),
        (b"GET / HTTP/1.1\r\n\r\n", "ERR_SSL_HTTP_REQUEST"),
        (&[22, 3, 1], "ECONNRESET"),
    ];
    for (bytes, code) in cases {
        let mut peer = connect(address);
        peer.write_all(bytes).unwrap();
        if code == "ECONNRESET" {
            peer.shutdown(std::net::Shutdown::Write).unwrap();
        }
        bench.until(|bench| bench.seen.last().is_some_and(|(_, seen)| *seen == Seen::Unsecured(code)));
        let mut answer = Vec::new();
        let _ = peer.read_to_end(&mut answer);
        assert_eq!(answer.starts_with(b"HTTP/1.1 400 "), code == "ERR_SSL_HTTP_REQUEST");
        drop(peer);
        while bench.reactor.count_sockets() > 0 {
            assert!(bench.wait_ready(PATIENCE));
            bench.settle();
        }
    }
    assert_eq!(bench.seen.len(), cases.len());
}

#[test]
fn a_handshake_that_takes_too_long_is_ended_and_told_of() {
    let mut bench = Bench::new();
    let (_, address) = listen(&mut bench, Duration::from_secs(1));
    let mut begun = connect(address);
    let silent = connect(address);
    begun.write_all(&[22, 3, 1]).unwrap();
    bench.until(|bench| bench.reactor.count_sockets() == 2);
    while bench.wait_ready(Duration::from_millis(50)) {
        bench.settle();
    }
    let later = Instant::now() + Duration::from_secs(2);
    while bench.reactor.expire(later, &mut bench.events) == Deadlines::Now {}
    bench.settle();
    assert_eq!(
        bench.seen.iter().map(|(_, seen)| seen.clone()).collect::<Vec<_>>(),
        [Seen::Unsecured("ERR_TLS_HANDSHAKE_TIMEOUT")]
    );
    assert_eq!(begun.read(&mut [0]).unwrap(), 0);
    drop(silent);
}

#[test]
fn a_turn_takes_a_few_steps_of_handshakes_only() {
    let mut bench = Bench::new();
    let (_, address) = listen(&mut bench, LONG);
    let peers: Vec<_> = (0..7)
        .map(|_| aside(address, |mut client| client.conn.complete_io(&mut client.sock).map(|_| ())))
        .collect();
    let mut most = 0;
    let end = Instant::now() + PATIENCE;
    while !peers.iter().all(JoinHandle::is_finished) {
        assert!(Instant::now() < end, "the handshakes do not end");
        if bench.wait_ready(Duration::from_millis(10)) {
            bench.turn(super::super::event::Room::ALL);
            most = most.max(bench.events.load.served);
            bench.events.load.served = 0;
        }
    }
    assert!(most <= 8, "{most} steps in one turn");
}

#[test]
fn plaintext_can_be_handed_to_the_program() {
    let mut bench = Bench::new();
    let (listener, address) = listen(&mut bench, LONG);
    let peer = aside(address, |mut client| {
        client.write_all(&[REQUEST, b"early"].concat()).unwrap();
        client.flush().unwrap();
        let mut answer = [0; 5];
        client.read_exact(&mut answer).unwrap();
        client.write_all(b"late").unwrap();
        client.conn.send_close_notify();
        client.flush().unwrap();
        answer
    });
    bench.until(|bench| bench.seen.iter().any(|(_, seen)| *seen == Seen::Requested(listener)));
    let id = bench.seen[0].0;
    let released = bench.reactor.unwrap(id).unwrap();
    assert!(b"early".starts_with(&released.unread[..]));
    let rest = b"early".len() - released.unread.len();
    bench.reactor.send(id, |out| out.extend_from_slice(b"hello"));
    bench.flush();
    bench.reactor.pause(id, false);
    assert_eq!(&finish(&mut bench, peer), b"hello");
    bench.until(|bench| bench.has_seen(id, &Seen::End));
    assert_eq!(bench.messages_of(id).concat().split_off(rest), b"late");
}
