//! Nothing a peer sends makes the core panic, or go on after the end.

use proptest::prelude::*;
use websocket::handshake::{client, cookies, extensions, server};
use websocket::protocol::config::Role;
use websocket::protocol::receiver::Receiver;
use websocket::protocol::{Config, Connection, Event, OpCode};

use super::{generate, pieces, receive};

/// Whether nothing may come after this event.
fn is_last(event: &Event<'_>) -> bool {
    match event {
        Event::Close(_) | Event::Failed(_) => true,
        Event::Frame { header, .. } => header.opcode == OpCode::Close,
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_close_or_a_failure_is_the_last_event_of_any_stream(
        config in generate::config(),
        bytes in generate::any_stream(),
        sizes in generate::sizes(),
    ) {
        let mut receiver = Receiver::new(config);
        let mut over = false;
        for piece in pieces(&bytes, &sizes) {
            for event in receive(&mut receiver, piece) {
                prop_assert!(!over, "{:?} after the end", event);
                over = is_last(&event);
            }
            prop_assert_eq!(receiver.is_over(), over);
        }
    }

    #[test]
    fn text_that_is_handed_out_is_utf_8_and_messages_keep_to_the_limit(
        config in generate::config(),
        bytes in generate::any_stream(),
        sizes in generate::sizes(),
    ) {
        let mut receiver = Receiver::new(config);
        for piece in pieces(&bytes, &sizes) {
            for event in receive(&mut receiver, piece) {
                match event {
                    Event::Message { kind, payload } => {
                        prop_assert!(config.assemble && payload.len() as u64 <= config.max_message_size);
                        if kind == websocket::protocol::MessageKind::Text {
                            prop_assert!(std::str::from_utf8(&payload).is_ok());
                        }
                    }
                    Event::Frame { header, payload } => {
                        let compressed = config.inflation.map_or(0, |_| config.max_message_size);
                        prop_assert!(!config.assemble);
                        prop_assert!(header.len <= config.max_frame_size.max(compressed));
                        prop_assert_eq!(header.len, payload.len() as u64);
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn a_connection_of_either_role_takes_any_bytes(bytes in generate::any_stream(), client in any::<bool>()) {
        let role = if client { Role::Client } else { Role::Server };
        let mut connection = Connection::new(role, Config::new(role), None);
        let mut bytes = bytes;
        let mut input = &mut bytes[..];
        while connection.receive(&mut input).is_some() {}
        prop_assert!(input.is_empty());
    }

    #[test]
    fn the_opening_handshake_takes_any_bytes(
        start in prop_oneof![Just(""), Just("GET / HTTP/1.1\r\n"), Just("HTTP/1.1 101 x\r\n")],
        bytes in prop_oneof![
            generate::any_bytes(),
            "([A-Za-z-]{0,12}[: ]{1,2}[\\PC\t]{0,20}\r\n){0,6}(\r\n)?".prop_map(String::into_bytes),
        ],
    ) {
        let bytes = [start.as_bytes(), &bytes].concat();
        if let Ok(Some((request, len))) = server::parse(&bytes) {
            prop_assert!(len <= bytes.len());
            let _ = request.check();
        }
        if let Ok(Some((response, len))) = client::parse(&bytes) {
            prop_assert!(len <= bytes.len());
            let _ = response.check("dGhlIHNhbXBsZSBub25jZQ==", &["chat"], None);
        }
        let header = String::from_utf8_lossy(&bytes);
        let _ = (cookies::parse(&header), extensions::parse(&header));
    }

    #[test]
    fn a_head_that_was_refused_or_complete_stays_so_when_more_comes(
        head in "GET / HTTP/1.1\r\n([a-c]{0,2}: ?[a-z\r\n]{0,4}\r\n){0,5}\r\n",
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = head.as_bytes();
        let whole = server::parse(bytes);
        match server::parse(&bytes[..cut.index(bytes.len() + 1)]) {
            Ok(None) => {}
            part => prop_assert_eq!(part, whole),
        }
    }
}
