//! TLS sessions: a client that misbehaves before, in and after the handshake.

use std::io::{Read, Write};
use std::sync::{Arc, LazyLock};

use bytes::BytesMut;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use websocket::tls::{Context, End, Identity, ROOM, Session, Settings};

use crate::feed::{pieces, take};

const CA: &[u8] = include_bytes!("../../src/tls/test_data/ca.pem");
const CERT: &[u8] = include_bytes!("../../src/tls/test_data/server.pem");
const KEY: &[u8] = include_bytes!("../../src/tls/test_data/server-key.pem");

/// What a session may keep of what has not arrived as a whole, and one piece.
const MAX_KEPT: usize = 48 * 1024;

static SERVER: LazyLock<Arc<Context>> = LazyLock::new(|| {
    let identities = vec![Identity { key: KEY.to_vec(), cert: CERT.to_vec() }];
    Arc::new(Context::new(&Settings { identities, ..Settings::default() }).expect("settings"))
});

static CLIENT: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CA).expect("a certificate")).expect("an authority");
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions");
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
});

struct Server {
    session: Session,
    memory: Vec<u8>,
    plain: Vec<u8>,
    is_open: bool,
    end: Option<End>,
}

impl Server {
    fn new() -> Self {
        let session = Session::new(&SERVER).expect("a session");
        Self { session, memory: vec![0; 64 * 1024], plain: Vec::new(), is_open: false, end: None }
    }

    /// Gives a piece to the session, and returns what it has to say.
    fn receive(&mut self, piece: &[u8]) -> BytesMut {
        let mut out = BytesMut::new();
        if self.end.is_some() {
            return out;
        }
        let space = self.session.space(&mut self.memory);
        assert!(64 * 1024 - ROOM - space.len() <= MAX_KEPT, "what is kept is bounded");
        space[..piece.len()].copy_from_slice(piece);
        let received = self.session.receive(&mut self.memory, piece.len(), &mut out);
        self.is_open |= received.opened;
        assert!(received.plain == 0 || self.is_open, "nothing is received before the handshake has ended");
        self.plain.extend_from_slice(&self.memory[..received.plain]);
        self.end = received.end;
        out
    }
}

/// A client whose stream is cut, and changed in one place; and then bytes of somebody else.
///
/// # Panics
/// When a session takes what it must not, or keeps more than it may.
pub fn check(mut data: &[u8]) {
    let [sizes @ .., mode, at_high, at_low, flip] = take::<8>(&mut data);
    let mut server = Server::new();
    if mode % 2 == 0 {
        for piece in pieces(data, &sizes) {
            server.receive(piece);
        }
        assert!(!server.is_open, "nobody can guess a handshake");
        return;
    }
    let mut changed_at = usize::from(u16::from_be_bytes([at_high, at_low])) % 2048;
    let name = ServerName::try_from("localhost").expect("a name");
    let mut client = ClientConnection::new(Arc::clone(&CLIENT), name).expect("a client");
    let mut was_changed = false;
    for round in 0..6 {
        if round == 3 {
            let _ = client.writer().write_all(data);
        }
        let mut sent = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut sent).expect("a Vec takes everything");
        }
        if let Some(byte) = sent.get_mut(changed_at) {
            *byte ^= flip;
            was_changed |= flip != 0;
            changed_at = usize::MAX;
        } else {
            changed_at = changed_at.saturating_sub(sent.len());
        }
        for piece in pieces(&sent, &sizes) {
            let answer = server.receive(piece);
            let mut answer = &answer[..];
            while !answer.is_empty() && client.read_tls(&mut answer).is_ok() {
                if client.process_new_packets().is_err() {
                    return;
                }
            }
            let _ = client.reader().read(&mut [0; 64]);
        }
    }
    assert!(data.starts_with(&server.plain), "what is received is what was sent");
    if !was_changed {
        assert!(server.is_open && server.end.is_none() && server.plain.len() == data.len());
    }
    if server.end.is_none() && server.is_open {
        let mut out = BytesMut::new();
        server.session.seal(data, &mut out).expect("an open session");
        server.session.close(&mut out);
    }
}
