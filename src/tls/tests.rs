//! Sessions with a client of rustls as the peer, however the bytes are cut.

use std::io::{Read, Write};
use std::sync::Arc;

use bytes::BytesMut;
use proptest::prelude::*;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion, version};

use super::*;

const CA: &[u8] = include_bytes!("test_data/ca.pem");
const SERVER: &[u8] = include_bytes!("test_data/server.pem");
const SERVER_KEY: &[u8] = include_bytes!("test_data/server-key.pem");
const OTHER: &[u8] = include_bytes!("test_data/other.pem");
const OTHER_KEY: &[u8] = include_bytes!("test_data/other-key.pem");
const RSA: &[u8] = include_bytes!("test_data/rsa.pem");
const RSA_KEY: &[u8] = include_bytes!("test_data/rsa-key.pem");
const SELF_SIGNED: &[u8] = include_bytes!("test_data/self.pem");
const SELF_SIGNED_KEY: &[u8] = include_bytes!("test_data/self-key.pem");
const CLIENT: &[u8] = include_bytes!("test_data/client.pem");
const CLIENT_KEY: &[u8] = include_bytes!("test_data/client-key.pem");
const ENCRYPTED_KEY: &[u8] = include_bytes!("test_data/encrypted-key.pem");

const MEMORY: usize = 64 * 1024;

fn identity(key: &[u8], cert: &[u8]) -> Identity {
    Identity { key: key.to_vec(), cert: cert.to_vec() }
}

fn settings() -> Settings {
    Settings {
        identities: vec![identity(SERVER_KEY, SERVER)],
        alpn: vec![b"http/1.1".to_vec()],
        reject_unauthorized: true,
        ..Settings::default()
    }
}

fn session(settings: &Settings) -> Session {
    let context = Arc::new(Context::new(settings).expect("settings that can be used"));
    Session::new(&context).expect("a session")
}

#[derive(Clone, Copy)]
struct Client {
    version: &'static SupportedProtocolVersion,
    certificate: Option<(&'static [u8], &'static [u8])>,
    alpn: &'static str,
}

const MODERN: Client = Client { version: &version::TLS13, certificate: None, alpn: "" };
const OLD: Client = Client { version: &version::TLS12, ..MODERN };

impl Client {
    fn config(self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(CA).expect("a certificate")).expect("an authority");
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[self.version])
            .expect("a version")
            .with_root_certificates(roots);
        let mut config = match self.certificate {
            None => builder.with_no_client_auth(),
            Some((key, cert)) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(cert).expect("a certificate")],
                    PrivateKeyDer::from_pem_slice(key).expect("a key"),
                )
                .expect("a pair"),
        };
        if !self.alpn.is_empty() {
            config.alpn_protocols = vec![self.alpn.as_bytes().to_vec()];
        }
        Arc::new(config)
    }

    fn connect(self, name: &'static str) -> ClientConnection {
        ClientConnection::new(self.config(), ServerName::try_from(name).expect("a name")).expect("a client")
    }
}

/// A client and a session, and the bytes between them.
struct Pair {
    client: ClientConnection,
    session: Session,
    memory: Vec<u8>,
    plain: Vec<u8>,
    /// Plaintext that the client has received.
    answered: Vec<u8>,
    end: Option<End>,
    opened: usize,
}

impl Pair {
    fn new(client: ClientConnection, session: Session) -> Self {
        Self {
            client,
            session,
            memory: vec![0; MEMORY],
            plain: Vec::new(),
            answered: Vec::new(),
            end: None,
            opened: 0,
        }
    }

    fn sent_by_client(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut bytes).expect("a Vec takes everything");
        }
        bytes
    }

    /// Gives bytes to the session, and its answer to the client.
    fn give(&mut self, bytes: &[u8]) {
        self.session.space(&mut self.memory)[..bytes.len()].copy_from_slice(bytes);
        let mut out = BytesMut::new();
        let received = self.session.receive(&mut self.memory, bytes.len(), &mut out);
        self.plain.extend_from_slice(&self.memory[..received.plain]);
        self.opened += usize::from(received.opened);
        self.end = self.end.take().or(received.end);
        self.answer(&out);
    }

    /// Gives bytes to the client. What it thinks of them is its business.
    fn answer(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let _ = self.client.read_tls(&mut bytes).expect("bytes");
            let _ = self.client.process_new_packets();
            let _ = self.client.reader().read_to_end(&mut self.answered);
        }
    }

    /// Passes bytes to and fro until there are no more, `len` of them at a time.
    fn pump(&mut self, len: usize) {
        loop {
            let bytes = self.sent_by_client();
            if bytes.is_empty() {
                return;
            }
            bytes.chunks(len).for_each(|piece| self.give(piece));
        }
    }

    fn send(&mut self, plain: &[u8]) {
        let mut out = BytesMut::new();
        self.session.seal(plain, &mut out).expect("an open session");
        self.answer(&out);
    }

    fn received_by_client(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.answered)
    }

    fn error(&self) -> &TlsError {
        match &self.end {
            Some(End::Failed(error)) => error,
            other => panic!("the session has not failed: {other:?}"),
        }
    }
}

fn open(client: Client, settings: &Settings) -> Pair {
    let mut pair = Pair::new(client.connect("localhost"), session(settings));
    pair.pump(MEMORY / 2);
    pair
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The handshake, messages in both directions and the end are the same however the bytes are cut.
    #[test]
    fn bytes_may_come_in_pieces_of_any_size(piece in 1..700_usize, len in 0..40_000_usize, old: bool) {
        let mut pair = Pair::new(if old { OLD } else { MODERN }.connect("localhost"), session(&settings()));
        pair.pump(piece);
        prop_assert_eq!(pair.opened, 1);
        let message: Vec<u8> = (0..len).map(|index| index as u8).collect();
        pair.client.writer().write_all(&message).expect("room");
        pair.pump(piece);
        prop_assert_eq!(&pair.plain, &message);
        prop_assert!(pair.session.kept.is_empty() && pair.session.kept.capacity() == 0, "an idle session holds no buffer");
        pair.send(&message);
        prop_assert_eq!(pair.received_by_client(), message);
        pair.client.send_close_notify();
        pair.pump(piece);
        prop_assert_eq!(&pair.end, &Some(End::Closed));
    }

    /// Whatever comes is an error or waits for more, and nothing panics.
    #[test]
    fn garbage_ends_a_session_or_waits_for_more(bytes in proptest::collection::vec(any::<u8>(), 0..2000), piece in 1..100_usize) {
        let mut pair = Pair::new(MODERN.connect("localhost"), session(&settings()));
        bytes.chunks(piece).for_each(|piece| if pair.end.is_none() { pair.give(piece) });
        prop_assert_eq!(pair.opened, 0);
    }

    /// One changed byte anywhere in the stream of the client is found out.
    #[test]
    fn a_changed_record_ends_the_session(at in 0..1000_usize, old: bool) {
        let mut pair = open(if old { OLD } else { MODERN }, &settings());
        pair.client.writer().write_all(&[7; 800]).expect("room");
        let mut bytes = pair.sent_by_client();
        // The first three bytes of a record mean nothing in TLS 1.3, and a longer record waits for its end.
        let at = 5 + at % (bytes.len() - 5);
        bytes[at] ^= 0x10;
        pair.give(&bytes);
        prop_assert!(pair.plain.is_empty());
        prop_assert!(matches!(pair.end, Some(End::Failed(_))));
    }
}

#[test]
fn what_was_agreed_on_is_known() {
    let mut pair = open(Client { alpn: "http/1.1", ..MODERN }, &settings());
    let info = pair.session.info();
    assert_eq!(
        (info.protocol, info.alpn.as_str(), info.server_name.as_str()),
        ("TLSv1.3", "http/1.1", "localhost")
    );
    assert!(info.cipher.starts_with("TLS_") && !info.is_resumed && !info.is_authorized);
    assert_eq!(info.authorization_error, "", "nobody was asked");
    assert!(pair.session.peer_certificates().is_empty());
    pair = open(OLD, &settings());
    let info = pair.session.info();
    assert_eq!((info.protocol, info.alpn.as_str()), ("TLSv1.2", ""));
    assert!(info.cipher.starts_with("TLS_ECDHE_ECDSA_WITH_"), "{}", info.cipher);
}

#[test]
fn a_client_that_speaks_another_protocol_only_is_refused() {
    let mut pair = open(Client { alpn: "h2", ..MODERN }, &settings());
    assert_eq!(pair.error().code, "ERR_SSL_NO_APPLICATION_PROTOCOL");
    assert!(pair.client.process_new_packets().is_err(), "the client was told");
}

#[test]
fn a_minimum_version_is_kept() {
    let pair = open(OLD, &Settings { only_tls13: true, ..settings() });
    assert_eq!(pair.error().code, "ERR_SSL_UNSUPPORTED_PROTOCOL");
    assert_eq!(open(MODERN, &Settings { only_tls13: true, ..settings() }).opened, 1);
}

#[test]
fn the_certificate_is_that_of_the_name_asked_for() {
    let with_names = Settings {
        names: vec![
            ("Other.Test".to_owned(), vec![identity(OTHER_KEY, OTHER)]),
            ("*.wild.test".to_owned(), vec![identity(RSA_KEY, RSA)]),
        ],
        ..settings()
    };
    for (name, expected) in [
        ("other.test", OTHER),
        ("a.wild.test", RSA),
        ("a.b.wild.test", SERVER),
        ("wild.test", SERVER),
        ("unknown.test", SERVER),
    ] {
        let mut pair = Pair::new(MODERN.connect(name), session(&with_names));
        pair.pump(MEMORY / 2);
        // A client that does not like the name in the certificate still has seen it.
        let expected = CertificateDer::from_pem_slice(expected).expect("a certificate");
        let seen = pair.client.peer_certificates().map(|chain| chain[0].clone());
        assert!(seen == Some(expected) || (seen.is_none() && name != "other.test"), "{name}");
        assert_eq!(pair.session.info().server_name, name);
    }
}

#[test]
fn with_keys_of_two_kinds_every_client_gets_one_it_knows() {
    let both =
        Settings { identities: vec![identity(RSA_KEY, RSA), identity(SERVER_KEY, SERVER)], ..settings() };
    assert_eq!(open(MODERN, &both).opened, 1);
}

#[test]
fn clients_show_their_certificate() {
    let asks = Settings { request_cert: true, ca: CA.to_vec(), ..settings() };
    let known = Client { certificate: Some((CLIENT_KEY, CLIENT)), ..MODERN };
    let unknown = Client { certificate: Some((SELF_SIGNED_KEY, SELF_SIGNED)), ..MODERN };
    for version in [&version::TLS12, &version::TLS13] {
        let pair = open(Client { version, ..known }, &asks);
        assert!(pair.session.info().is_authorized);
        assert_eq!(pair.session.peer_certificates().len(), 1);
        assert_eq!(
            open(Client { version, ..MODERN }, &asks).error().code,
            "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"
        );
        assert_eq!(
            open(Client { version, ..unknown }, &asks).error().code,
            "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
        );
    }
    let tolerates = Settings { reject_unauthorized: false, ..asks };
    let info = |client| open(client, &tolerates).session.info();
    assert!(info(known).is_authorized);
    assert_eq!(
        (info(unknown).is_authorized, info(unknown).authorization_error),
        (false, "DEPTH_ZERO_SELF_SIGNED_CERT")
    );
    assert_eq!(
        (info(MODERN).is_authorized, info(MODERN).authorization_error),
        (false, "UNABLE_TO_GET_ISSUER_CERT")
    );
}

#[test]
fn sessions_are_resumed_with_tickets_also_by_another_process_with_the_same_keys() {
    for (keys, resumes_elsewhere) in [(Vec::new(), false), (vec![5; 48], true)] {
        for client in [MODERN, OLD] {
            let own = Settings { ticket_keys: keys.clone(), ..settings() };
            let context = Arc::new(Context::new(&own).expect("settings"));
            let config = client.config();
            let connect = |context: &Arc<Context>| {
                let name = ServerName::try_from("localhost").expect("a name");
                let client = ClientConnection::new(Arc::clone(&config), name).expect("a client");
                let mut pair = Pair::new(client, Session::new(context).expect("a session"));
                pair.pump(MEMORY / 2);
                pair.session.info()
            };
            assert!(!connect(&context).is_resumed);
            let again = connect(&context);
            assert!(again.is_resumed);
            assert_eq!(again.server_name, "localhost");
            let elsewhere = Arc::new(Context::new(&own).expect("settings"));
            assert_eq!(connect(&elsewhere).is_resumed, resumes_elsewhere);
        }
    }
}

#[test]
fn keys_may_be_updated_at_any_time() {
    let mut pair = open(MODERN, &settings());
    for round in 0..3 {
        pair.client.refresh_traffic_keys().expect("TLS 1.3");
        pair.client.writer().write_all(&[round; 10]).expect("room");
        pair.pump(7);
        let message = vec![round; 20_000];
        pair.send(&message);
        assert_eq!(pair.received_by_client(), message);
    }
    assert_eq!(pair.plain.len(), 30);
    assert_eq!(pair.end, None);
}

#[test]
fn the_end_is_told_once_and_in_both_directions() {
    let mut pair = open(MODERN, &settings());
    let mut out = BytesMut::new();
    pair.session.close(&mut out);
    pair.session.close(&mut out);
    pair.answer(&out.split());
    assert_eq!(pair.client.reader().read(&mut [0]).ok(), Some(0), "the client has seen the end");
    pair.client.writer().write_all(b"still").expect("room");
    pair.pump(1000);
    assert_eq!(pair.plain, b"still", "the other direction is open");
    assert!(pair.session.seal(b"more", &mut out).is_err());
    pair.client.send_close_notify();
    pair.pump(1000);
    assert_eq!(pair.end, Some(End::Closed));
}

#[test]
fn bytes_before_a_fault_are_not_lost() {
    let mut pair = open(MODERN, &settings());
    pair.client.writer().write_all(b"first").expect("room");
    let mut bytes = pair.sent_by_client();
    bytes.extend_from_slice(&[23, 3, 3, 0, 20]);
    bytes.extend_from_slice(&[0; 20]);
    pair.give(&bytes);
    assert_eq!(pair.plain, b"first");
    assert_eq!(pair.error().code, "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC");
}

#[test]
fn an_alert_of_the_peer_has_the_code_of_openssl() {
    let mut pair = Pair::new(MODERN.connect("localhost"), session(&settings()));
    pair.give(&[21, 3, 3, 0, 2, 2, 48]);
    assert_eq!(pair.error().code, "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA");
}

#[test]
fn a_record_longer_than_any_may_be_is_refused_before_it_has_arrived() {
    let mut pair = Pair::new(MODERN.connect("localhost"), session(&settings()));
    pair.give(&[22, 3, 1, 0xff, 0xff]);
    assert_eq!(pair.error().code, "ERR_SSL_PACKET_LENGTH_TOO_LONG");
}

#[test]
fn a_message_of_the_handshake_that_never_ends_is_refused() {
    let mut pair = Pair::new(MODERN.connect("localhost"), session(&settings()));
    // A ClientHello of 65,535 bytes, in records of 1,000.
    let mut record = vec![22, 3, 1, 3, 0xe8];
    record.resize(1005, 0);
    let mut first = record.clone();
    first[5..9].copy_from_slice(&[1, 0, 0xff, 0xff]);
    pair.give(&first);
    for _ in 0..64 {
        if pair.end.is_none() {
            pair.give(&record);
        }
        assert!(pair.session.kept.len() <= 42 * 1024);
    }
    assert_eq!(pair.error().code, "ERR_SSL_EXCESSIVE_MESSAGE_SIZE");
}

#[test]
fn a_client_that_speaks_plain_http_is_recognised() {
    for request in ["GET / HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n", "G"] {
        let mut pair = Pair::new(MODERN.connect("localhost"), session(&settings()));
        pair.give(request.as_bytes());
        assert!(pair.error().is_plain_http(), "{request}");
    }
    let mut pair = Pair::new(MODERN.connect("localhost"), session(&settings()));
    pair.give(b"\x05\x01\x00");
    assert!(pair.end.is_none() || !pair.error().is_plain_http());
}

#[test]
fn settings_that_cannot_be_used_say_why() {
    let text = |identities: Vec<Identity>| {
        let error = Context::new(&Settings { identities, ..settings() }).expect_err("an error");
        assert_eq!(error.code, "ERR_WEBSOCKET_TLS");
        error.message
    };
    assert!(text(vec![identity(OTHER_KEY, SERVER)]).contains("does not belong to the certificate"));
    assert!(text(vec![identity(RSA_KEY, SERVER)]).contains("does not belong to the certificate"));
    assert!(text(vec![identity(ENCRYPTED_KEY, SERVER)]).contains("tls.key is encrypted"));
    assert!(text(vec![identity(SERVER, SERVER)]).contains("tls.key has no private key"));
    assert!(text(vec![identity(SERVER_KEY, SERVER_KEY)]).contains("tls.cert has no certificate"));
    assert!(text(vec![]).contains("tls needs a key and a certificate"));
    let error = |settings: Settings| Context::new(&settings).expect_err("an error").message;
    assert!(
        error(Settings { ticket_keys: vec![1; 47], ..settings() })
            .contains("tls.ticketKeys must have 48 bytes")
    );
    assert!(error(Settings { request_cert: true, ..settings() }).contains("tls.ca has no certificate"));
    assert!(
        error(Settings { names: vec![("a".to_owned(), vec![identity(RSA_KEY, OTHER)])], ..settings() })
            .contains("tls.sni['a'].key does not belong")
    );
}

#[test]
fn keys_and_certificates_may_be_der() {
    let der = |pem| CertificateDer::from_pem_slice(pem).expect("a certificate").to_vec();
    let key = PrivateKeyDer::from_pem_slice(SERVER_KEY).expect("a key");
    let settings = Settings { identities: vec![identity(key.secret_der(), &der(SERVER))], ..settings() };
    assert_eq!(open(MODERN, &settings).opened, 1);
}
