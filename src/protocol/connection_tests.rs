//! Both roles back to back, and the table of the closing handshake.

use super::*;
use crate::protocol::close::CloseError;
use crate::protocol::config::Inflation;
use crate::protocol::deflate::Settings;
use crate::protocol::error::PeerError;
use crate::protocol::event::Closed;
use crate::protocol::header::RSV1;

/// A connection with its masking keys, which are [1; 4], [2; 4] and so on, and with what it has written.
struct End {
    connection: Connection,
    keys: MaskKeys,
    out: BytesMut,
}

impl End {
    fn new(role: Role) -> Self {
        Self::with(role, Config::new(role), None)
    }

    fn with(role: Role, config: Config, fragmentation_threshold: Option<usize>) -> Self {
        Self {
            connection: Connection::new(role, config, fragmentation_threshold),
            keys: MaskKeys::new(|pool| {
                for (i, byte) in pool.iter_mut().enumerate() {
                    *byte = (i / 4 + 1) as u8;
                }
            }),
            out: BytesMut::new(),
        }
    }

    fn message(&mut self, kind: MessageKind, payload: &[u8]) -> Result<(), LocalError> {
        self.connection.send_message(&mut self.out, &mut self.keys, kind, payload)
    }

    fn ping(&mut self, payload: &[u8]) -> Result<(), LocalError> {
        self.connection.send_ping(&mut self.out, &mut self.keys, payload)
    }

    fn pong(&mut self, payload: &[u8]) -> Result<(), LocalError> {
        self.connection.send_pong(&mut self.out, &mut self.keys, payload)
    }

    fn close(&mut self, code: Option<u16>, reason: &str) -> Result<(), LocalError> {
        self.connection.send_close(&mut self.out, &mut self.keys, &CloseFrame { code, reason })
    }

    fn receive(&mut self, bytes: &[u8]) -> Vec<Event<'static>> {
        let mut bytes = bytes.to_vec();
        let mut input = &mut bytes[..];
        let mut events = Vec::new();
        while let Some(event) = self.connection.receive(&mut input) {
            events.push(event.into_owned());
        }
        events
    }

    /// Receives all that `peer` has written.
    fn receive_from(&mut self, peer: &mut End) -> Vec<Event<'static>> {
        let bytes = peer.out.split();
        self.receive(&bytes)
    }

    fn state(&self) -> State {
        self.connection.state()
    }
}

/// Both orders: who speaks first and who listens.
fn both_ways() -> [(End, End); 2] {
    [(End::new(Role::Client), End::new(Role::Server)), (End::new(Role::Server), End::new(Role::Client))]
}

fn text(payload: &str) -> Event<'static> {
    Event::Message { kind: MessageKind::Text, payload: payload.as_bytes().to_vec().into() }
}

fn binary(payload: &[u8]) -> Event<'static> {
    Event::Message { kind: MessageKind::Binary, payload: payload.to_vec().into() }
}

fn closed(code: Option<u16>, reason: &str) -> Event<'static> {
    Event::Close(Ok(Closed { code, reason: reason.to_owned() }))
}

#[test]
fn client_and_server_exchange_messages_pings_and_pongs() {
    for (mut a, mut b) in both_ways() {
        assert_eq!(a.message(MessageKind::Text, "Grüße".as_bytes()), Ok(()));
        assert_eq!(a.ping(b"are you there?"), Ok(()));
        assert_eq!(a.message(MessageKind::Binary, &vec![0xFF; 65_536]), Ok(()));
        assert_eq!(a.message(MessageKind::Text, b""), Ok(()));
        let expected = [
            text("Grüße"),
            Event::Ping(b"are you there?".to_vec().into()),
            binary(&vec![0xFF; 65_536]),
            text(""),
        ];
        assert_eq!(b.receive_from(&mut a), expected);

        assert_eq!(b.pong(b"are you there?"), Ok(()));
        assert_eq!(b.message(MessageKind::Text, b"yes"), Ok(()));
        assert_eq!(a.receive_from(&mut b), [Event::Pong(b"are you there?".to_vec().into()), text("yes")]);
        assert_eq!((a.state(), b.state()), (State::Open, State::Open));
    }
}

#[test]
fn a_message_over_the_threshold_goes_out_in_fragments_and_arrives_as_one() {
    for (role, peer) in [(Role::Client, Role::Server), (Role::Server, Role::Client)] {
        for (len, frames) in [(0, 1), (9, 1), (10, 1), (11, 2), (100, 10), (101, 11)] {
            let mut sender = End::with(role, Config::new(role), Some(10));
            let payload = vec![b'x'; len];
            assert_eq!(sender.message(MessageKind::Binary, &payload), Ok(()));
            let bytes = sender.out.split();
            assert_eq!(End::new(peer).receive(&bytes), [binary(&payload)]);
            let config = Config { assemble: false, ..Config::new(peer) };
            let events = End::with(peer, config, None).receive(&bytes);
            assert_eq!(events.len(), frames, "{len} bytes");
            assert!(
                events.iter().all(|event| matches!(event, Event::Frame { header, .. } if header.len <= 10))
            );
        }
    }
}

#[test]
fn clients_mask_every_frame_with_a_key_of_its_own_and_servers_mask_none() {
    let send_all = |role| {
        let mut end = End::with(role, Config::new(role), Some(4));
        assert_eq!(end.message(MessageKind::Text, b"eight by"), Ok(()));
        assert_eq!(end.ping(b"ping"), Ok(()));
        assert_eq!(end.pong(b"pong"), Ok(()));
        assert_eq!(end.close(Some(1000), ""), Ok(()));
        let (mut keys, mut rest) = (Vec::new(), &end.out[..]);
        while let Ok(Some((header, len))) = FrameHeader::decode(rest) {
            keys.push(header.mask);
            rest = &rest[len + header.len as usize..];
        }
        assert!(rest.is_empty());
        keys
    };
    assert_eq!(send_all(Role::Server), [None; 5]);
    assert_eq!(send_all(Role::Client), [1, 2, 3, 4, 5].map(|i| Some([i; 4])));
}

#[test]
fn what_the_other_role_sends_is_refused() {
    for (role, error) in [(Role::Client, PeerError::MaskedFrame), (Role::Server, PeerError::UnmaskedFrame)] {
        let (mut one, mut other) = (End::new(role), End::new(role));
        assert_eq!(one.message(MessageKind::Text, b"hello"), Ok(()));
        assert_eq!(other.receive_from(&mut one), [Event::Failed(error)]);
        assert_eq!(other.state(), State::Failed);
    }
}

#[test]
fn the_closing_handshake_goes_from_open_to_closed_on_both_sides() {
    for (mut a, mut b) in both_ways() {
        assert_eq!(a.close(Some(1001), "going away"), Ok(()));
        assert_eq!((a.state(), b.state()), (State::CloseSent, State::Open));
        // what was on its way when we closed still arrives
        assert_eq!(b.message(MessageKind::Text, b"crossing"), Ok(()));
        assert_eq!(a.receive_from(&mut b), [text("crossing")]);
        assert_eq!(a.state(), State::CloseSent);

        assert_eq!(b.receive_from(&mut a), [closed(Some(1001), "going away")]);
        assert_eq!(b.state(), State::CloseReceived);
        // the side that was asked may finish its message first (section 5.5.1)
        assert_eq!(b.message(MessageKind::Text, b"last words"), Ok(()));
        assert_eq!(b.close(Some(1000), ""), Ok(()));
        assert_eq!(b.state(), State::Closed);

        assert_eq!(a.receive_from(&mut b), [text("last words"), closed(Some(1000), "")]);
        assert_eq!(a.state(), State::Closed);
    }
}

#[test]
fn close_frames_may_cross() {
    let (mut a, mut b) = (End::new(Role::Client), End::new(Role::Server));
    assert_eq!(a.close(None, ""), Ok(()));
    assert_eq!(b.close(Some(4999), "tschüß"), Ok(()));
    let from_a = a.out.split();
    assert_eq!(a.receive_from(&mut b), [closed(Some(4999), "tschüß")]);
    assert_eq!(b.receive(&from_a), [closed(None, "")]);
    assert_eq!((a.state(), b.state()), (State::Closed, State::Closed));
}

#[test]
fn every_state_meets_a_violation_of_the_protocol() {
    let violation = [0xFF, 0xFF];
    // Open
    let mut end = End::new(Role::Server);
    assert_eq!(end.receive(&violation).len(), 1);
    assert_eq!(end.state(), State::Failed);
    assert_eq!(end.close(Some(1002), "so we say why"), Ok(()));
    assert_eq!(end.state(), State::Failed);
    assert_eq!(end.close(Some(1002), "but once"), Err(LocalError::AlreadyClosing));
    // CloseSent
    let mut end = End::new(Role::Server);
    assert_eq!(end.close(Some(1000), ""), Ok(()));
    assert_eq!(end.receive(&violation).len(), 1);
    assert_eq!(end.state(), State::Failed);
    // CloseReceived and Closed do not look at it
    let mut end = End::new(Role::Server);
    assert_eq!(end.receive(&[0x88, 0x80, 0, 0, 0, 0, 0xFF, 0xFF]), [closed(None, "")]);
    assert_eq!(end.receive(&violation), []);
    assert_eq!(end.state(), State::CloseReceived);
    assert_eq!(end.close(Some(1000), ""), Ok(()));
    assert_eq!(end.receive(&violation), []);
    assert_eq!(end.state(), State::Closed);
}

#[test]
fn a_malformed_close_is_a_close() {
    let mut end = End::new(Role::Client);
    assert_eq!(end.receive(&[0x88, 1, 3]), [Event::Close(Err(CloseError::TruncatedCode))]);
    assert_eq!(end.state(), State::CloseReceived);
}

#[test]
fn a_close_counts_when_frames_are_not_assembled() {
    let config = Config { assemble: false, ..Config::new(Role::Client) };
    let mut end = End::with(Role::Client, config, None);
    assert!(matches!(end.receive(&[0x89, 0])[..], [Event::Frame { .. }]));
    assert_eq!(end.state(), State::Open);
    assert!(matches!(end.receive(&[0x88, 0])[..], [Event::Frame { .. }]));
    assert_eq!(end.state(), State::CloseReceived);
}

#[test]
fn nothing_follows_a_close() {
    for role in [Role::Client, Role::Server] {
        let mut end = End::new(role);
        assert_eq!(end.close(Some(1000), "bye"), Ok(()));
        let written = end.out.len();
        assert_eq!(end.message(MessageKind::Text, b"more"), Err(LocalError::AlreadyClosing));
        assert_eq!(end.message(MessageKind::Binary, b""), Err(LocalError::AlreadyClosing));
        assert_eq!(end.ping(b""), Err(LocalError::AlreadyClosing));
        assert_eq!(end.pong(b""), Err(LocalError::AlreadyClosing));
        assert_eq!(end.close(Some(1000), ""), Err(LocalError::AlreadyClosing));
        assert_eq!(end.out.len(), written);
    }
}

#[test]
fn what_must_not_be_sent_is_refused_and_changes_nothing() {
    for role in [Role::Client, Role::Server] {
        let mut end = End::new(role);
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            assert_eq!(end.close(Some(code), ""), Err(LocalError::InvalidCloseCode(code)));
        }
        assert_eq!(end.close(Some(1000), &"x".repeat(124)), Err(LocalError::ControlPayloadTooLong(126)));
        assert_eq!(end.ping(&[0; 126]), Err(LocalError::ControlPayloadTooLong(126)));
        assert_eq!(end.pong(&[0; 126]), Err(LocalError::ControlPayloadTooLong(126)));
        assert!(end.out.is_empty());
        assert_eq!(end.state(), State::Open);
        // the longest ones go
        assert_eq!(end.ping(&[0; 125]), Ok(()));
        assert_eq!(end.pong(&[0; 125]), Ok(()));
        assert_eq!(end.close(Some(1000), &"x".repeat(123)), Ok(()));
        assert_eq!(end.state(), State::CloseSent);
    }
}

#[test]
fn what_is_sent_is_appended() {
    let mut end = End::new(Role::Server);
    end.out.extend_from_slice(b"HTTP/1.1 101\r\n\r\n");
    assert_eq!(end.message(MessageKind::Text, b"a"), Ok(()));
    assert_eq!(end.ping(b""), Ok(()));
    assert_eq!(&end.out[..], b"HTTP/1.1 101\r\n\r\n\x81\x01a\x89\x00");
}

#[test]
fn messages_from_the_threshold_on_are_compressed_and_arrive_as_they_were() {
    for (role, peer) in [(Role::Client, Role::Server), (Role::Server, Role::Client)] {
        let mut sender = End::new(role);
        sender.connection.compress_with(Compressor::new(Settings { level: 1, window_bits: 15 }, true), 100);
        let config = Config { inflation: Some(Inflation::ContextTakeover), ..Config::new(peer) };
        let mut receiver = End::with(peer, config, None);
        for (len, compressed) in [(99, false), (100, true)] {
            let payload = vec![b'x'; len];
            assert_eq!(sender.message(MessageKind::Binary, &payload), Ok(()));
            let first = FrameHeader::decode(&sender.out).ok().flatten().map(|(header, _)| header);
            let rsv = if compressed { RSV1 } else { 0 };
            assert!(first.is_some_and(|header| header.rsv == rsv && (header.len < 30) == compressed));
            assert_eq!(receiver.receive_from(&mut sender), [binary(&payload)]);
        }
    }
}

#[test]
fn what_is_held_of_a_message_is_known() {
    let (mut sender, mut receiver) = (End::new(Role::Client), End::new(Role::Server));
    assert_eq!(sender.message(MessageKind::Text, b"four"), Ok(()));
    let bytes = sender.out.split();
    let (last, most) = bytes.split_last().expect("a frame");
    assert_eq!(receiver.receive(most), []);
    assert_eq!(receiver.connection.buffered(), 3);
    assert_eq!(receiver.receive(&[*last]), [text("four")]);
    assert_eq!(receiver.connection.buffered(), 0);
}
