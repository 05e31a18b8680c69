//! What is encoded is what is decoded.

use bytes::BytesMut;
use proptest::prelude::*;
use websocket::protocol::config::Role;
use websocket::protocol::encoder::message_len;
use websocket::protocol::entropy::MaskKeys;
use websocket::protocol::{Config, Connection, Event, MessageKind};

use super::{events_of, generate};

proptest! {
    #[test]
    fn messages_of_any_size_fragmentation_and_mask_come_back_with_the_heartbeats_between_their_frames(
        messages in prop::collection::vec(generate::message(3_000), 1..4),
        sizes in generate::sizes(),
    ) {
        let (mut out, mut expected) = (BytesMut::new(), Vec::new());
        for message in &messages {
            expected.extend(message.put(&mut out));
        }
        prop_assert_eq!(&events_of(generate::UNLIMITED, &out, &[usize::MAX]), &expected);
        prop_assert_eq!(&events_of(generate::UNLIMITED, &out, &sizes), &expected);
    }

    #[test]
    fn what_one_role_sends_the_other_receives(
        payload in prop::collection::vec(any::<u8>(), 0..2_000),
        threshold in prop::option::of(0..300_usize),
        client_sends in any::<bool>(),
    ) {
        let (role, peer) = if client_sends { (Role::Client, Role::Server) } else { (Role::Server, Role::Client) };
        let (mut out, mut keys) = (BytesMut::new(), MaskKeys::from_os());
        let mut sender = Connection::new(role, Config::new(role), threshold);
        prop_assert_eq!(sender.send_message(&mut out, &mut keys, MessageKind::Binary, &payload), Ok(()));
        prop_assert_eq!(out.len(), message_len(payload.len(), threshold, client_sends));
        let mut receiver = Connection::new(peer, Config::new(peer), None);
        let mut input = &mut out[..];
        let expected = Event::Message { kind: MessageKind::Binary, payload: payload.into() };
        prop_assert_eq!(receiver.receive(&mut input), Some(expected));
        prop_assert!(input.is_empty());
    }
}

#[test]
fn messages_at_the_edges_of_the_length_encodings_come_back() {
    for len in [0, 125, 126, 65_535, 65_536, 200_000] {
        let payload = vec![0xA5; len];
        for role in [Role::Client, Role::Server] {
            let (mut out, mut keys) = (BytesMut::new(), MaskKeys::from_os());
            let mut sender = Connection::new(role, Config::new(role), None);
            assert_eq!(sender.send_message(&mut out, &mut keys, MessageKind::Binary, &payload), Ok(()));
            let expected = Event::Message { kind: MessageKind::Binary, payload: payload.clone().into() };
            assert_eq!(events_of(generate::UNLIMITED, &out, &[len / 3 + 1]), [expected]);
        }
    }
}
