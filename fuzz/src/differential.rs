//! The receiving half beside a second implementation, tungstenite: both understand the same, or both refuse.
//!
//! tungstenite differs in what docs/fuzzing.md lists; each difference is named where it is allowed for.

use std::io::{self, Cursor, Read, Write};

use tungstenite::protocol::{Message, Role as TheirRole, WebSocket, WebSocketConfig};
use websocket::protocol::close::CloseError;
use websocket::protocol::event::Closed;
use websocket::protocol::receiver::Receiver;
use websocket::protocol::{Config, Event, MessageKind, Role};

use crate::feed::{receive, take};
use crate::model::{Outcome, understand};

/// A stream that ends, and takes whatever is answered.
struct Wire(Cursor<Vec<u8>>);

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buf)? {
            0 if !buf.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What tungstenite understands: its events, and whether it refuses what comes then.
fn theirs(role: Role, data: &[u8], config: &Config) -> (Vec<Event<'static>>, bool) {
    let limit = |limit: u64| usize::try_from(limit).ok();
    let options = WebSocketConfig::default()
        .read_buffer_size(4096)
        .max_frame_size(limit(config.max_frame_size))
        .max_message_size(limit(config.max_message_size));
    let role = if role == Role::Client { TheirRole::Client } else { TheirRole::Server };
    let mut socket = WebSocket::from_raw_socket(Wire(Cursor::new(data.to_vec())), role, Some(options));
    let mut events = Vec::new();
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => {
                events.push(Event::Message {
                    kind: MessageKind::Text,
                    payload: text.as_bytes().to_vec().into(),
                });
            }
            Ok(Message::Binary(data)) => {
                events.push(Event::Message { kind: MessageKind::Binary, payload: data.to_vec().into() });
            }
            Ok(Message::Ping(data)) => events.push(Event::Ping(data.to_vec().into())),
            Ok(Message::Pong(data)) => events.push(Event::Pong(data.to_vec().into())),
            Ok(Message::Close(close)) => {
                let (code, reason) = close.map_or((None, String::new()), |close| {
                    (Some(close.code.into()), close.reason.to_string())
                });
                events.push(Event::Close(Ok(Closed { code, reason })));
                return (events, false);
            }
            Ok(Message::Frame(_)) => unreachable!("raw frames are not read"),
            Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                return (events, false);
            }
            Err(_) => return (events, true),
        }
    }
}

/// The input is a byte of configuration and a stream.
///
/// # Panics
/// When the two implementations differ in what is not on the list.
pub fn check(mut data: &[u8]) {
    let [choice] = take(&mut data);
    let role = if choice & 1 == 0 { Role::Server } else { Role::Client };
    let limit = |bits: u8| [1 << 16, 1 << 20, 300, 20][usize::from(bits & 3)];
    let config = Config {
        max_frame_size: limit(choice >> 1),
        max_message_size: limit(choice >> 3),
        ..Config::new(role)
    };
    let mut ours = receive(&mut Receiver::new(config), data);
    let (mut theirs, they_refuse) = theirs(role, data, &config);
    let we_refuse = matches!(ours.last(), Some(Event::Failed(_)));
    if we_refuse {
        ours.pop();
        let Outcome::Failed { whole, length, .. } = understand(data, &config).outcome else {
            panic!("refused, and the model does not know why");
        };
        if length {
            // They take lengths that are not minimal, and may go on for a while.
            assert!(theirs.starts_with(&ours), "{ours:?}\n{theirs:?}");
            return;
        }
        // They look at a frame when all of it is there, we at its first wrong byte.
        assert!(they_refuse || !whole, "we refuse what they take: {ours:?}\n{theirs:?}");
        assert_eq!(ours, theirs);
        return;
    }
    match ours.last() {
        // They report a code that may not be sent as 1002, and one of them is 1014, which IANA has assigned since.
        Some(Event::Close(Err(CloseError::InvalidCode(_)) | Ok(Closed { code: Some(1014), .. }))) => {
            ours.pop();
            if !they_refuse {
                let close = theirs.pop();
                assert!(
                    matches!(close, Some(Event::Close(Ok(Closed { code: Some(1002), .. })))),
                    "{close:?}"
                );
            }
        }
        // They refuse such a frame, we report the Close that it is.
        Some(Event::Close(Err(_))) => {
            ours.pop();
            assert!(they_refuse, "{theirs:?}");
        }
        _ => assert!(!they_refuse, "they refuse what we take: {ours:?}\n{theirs:?}"),
    }
    assert_eq!(ours, theirs);
}
