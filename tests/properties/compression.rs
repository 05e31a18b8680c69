//! permessage-deflate (RFC 7692): what is compressed is what is inflated.

use bytes::BytesMut;
use proptest::prelude::*;
use websocket::protocol::config::Role;
use websocket::protocol::deflate::{Compressor, Settings};
use websocket::protocol::entropy::MaskKeys;
use websocket::protocol::{Config, Connection, Event, Inflation, MessageKind};

use super::generate;

/// Something that can be compressed, and something that cannot.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..2_000),
        (prop::collection::vec(any::<u8>(), 1..40), 1..3_000_usize).prop_map(|(pattern, len)| pattern
            .into_iter()
            .cycle()
            .take(len)
            .collect()),
    ]
}

/// The messages that `receiver` makes of `bytes`.
fn messages(receiver: &mut Connection, bytes: &mut [u8]) -> Vec<Vec<u8>> {
    let mut input = bytes;
    let mut messages = Vec::new();
    while let Some(event) = receiver.receive(&mut input) {
        match event {
            Event::Message { payload, .. } => messages.push(payload.into_owned()),
            other => panic!("{other:?}"),
        }
    }
    messages
}

proptest! {
    #[test]
    fn messages_of_any_content_come_back_whatever_was_agreed(
        payloads in prop::collection::vec(payload(), 1..5),
        (settings, takeover) in generate::compressor(),
        fragments in prop::option::of(1..300_usize),
        threshold in prop_oneof![Just(0), 0..500_usize],
        client_sends in any::<bool>(),
    ) {
        let (role, peer) = if client_sends { (Role::Client, Role::Server) } else { (Role::Server, Role::Client) };
        let inflation = if takeover { Inflation::ContextTakeover } else { Inflation::EachAlone };
        let mut sender = Connection::new(role, Config::new(role), fragments);
        sender.compress_with(Compressor::new(settings, takeover), threshold);
        let mut receiver =
            Connection::new(peer, Config { inflation: Some(inflation), ..Config::new(peer) }, None);
        let (mut out, mut keys) = (BytesMut::new(), MaskKeys::from_os());
        for payload in &payloads {
            prop_assert_eq!(sender.send_message(&mut out, &mut keys, MessageKind::Binary, payload), Ok(()));
        }
        prop_assert_eq!(messages(&mut receiver, &mut out), payloads);
    }

    #[test]
    fn a_compressor_that_has_forgotten_goes_on_with_the_same_peer(
        payloads in prop::collection::vec((payload(), any::<bool>()), 1..5),
    ) {
        let mut compressor = Compressor::new(Settings { level: 6, window_bits: 15 }, true);
        let mut inflater = websocket::protocol::inflate::Inflater::lend();
        for (payload, forget) in payloads {
            let Some(compressed) = compressor.compress(&payload, <[u8]>::to_vec) else { continue };
            let mut inflated = Vec::new();
            let mut take = |chunk: &[u8]| {
                inflated.extend_from_slice(chunk);
                Ok(())
            };
            prop_assert_eq!(inflater.push(&compressed, &mut take), Ok(()));
            prop_assert_eq!(inflater.finish(&mut take), Ok(()));
            prop_assert_eq!(inflated, payload);
            if forget {
                compressor.forget();
            }
        }
    }
}
