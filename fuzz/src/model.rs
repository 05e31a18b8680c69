//! RFC 6455 read a second time, as slowly and plainly as possible: a stream that is there as a whole is taken apart
//! frame by frame. The core is held against it, and what the core writes has to pass it.
//!
//! Shares the event types with the core and nothing else.

use std::borrow::Cow;

use websocket::protocol::close::CloseError;
use websocket::protocol::event::Closed;
use websocket::protocol::{Config, Event, FrameHeader, MaskPolicy, MessageKind, OpCode};

/// How a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// More may come.
    Open,
    /// A Close frame was the last thing that counted.
    Closed,
    /// The peer has to be sent a Close with this code.
    Failed {
        /// 1002, 1007 or 1009.
        code: u16,
        /// Whether the frame at fault is there to its last byte.
        whole: bool,
        /// Whether its length is not in the fewest possible bytes, or cannot be in a control frame.
        length: bool,
    },
}

/// A stream, understood.
#[derive(Debug)]
pub struct Understood {
    /// All that happened before the end.
    pub events: Vec<Event<'static>>,
    /// The end.
    pub outcome: Outcome,
    /// Bytes of the last message, frame and header that are not complete.
    pub pending: usize,
}

/// The opcode of a frame, if it has one of section 5.2.
fn opcode(first: u8) -> Option<OpCode> {
    match first & 0x0F {
        0 => Some(OpCode::Continuation),
        1 => Some(OpCode::Text),
        2 => Some(OpCode::Binary),
        8 => Some(OpCode::Close),
        9 => Some(OpCode::Ping),
        10 => Some(OpCode::Pong),
        _ => None,
    }
}

/// A header: its length in bytes, the payload's length and the key.
struct Head {
    len: usize,
    payload: u64,
    key: Option<[u8; 4]>,
    minimal: bool,
}

fn head(bytes: &[u8]) -> Option<Head> {
    let short = bytes.get(1)? & 0x7F;
    let (payload, at, minimal) = match short {
        126 => {
            let len = u64::from(*bytes.get(2)?) << 8 | u64::from(*bytes.get(3)?);
            (len, 4, len >= 126)
        }
        127 => {
            let len = bytes.get(2..10)?.iter().fold(0_u64, |len, &byte| len << 8 | u64::from(byte));
            (len, 10, len > 0xFFFF)
        }
        len => (u64::from(len), 2, true),
    };
    if bytes[1] & 0x80 == 0 {
        return Some(Head { len: at, payload, key: None, minimal });
    }
    let key = bytes.get(at..at + 4)?;
    Some(Head { len: at + 4, payload, key: Some([key[0], key[1], key[2], key[3]]), minimal })
}

/// What a Close frame with this payload says (sections 5.5.1 and 7.4).
fn close(payload: &[u8]) -> Result<Closed, CloseError> {
    if payload.is_empty() {
        return Ok(Closed { code: None, reason: String::new() });
    }
    if payload.len() == 1 {
        return Err(CloseError::TruncatedCode);
    }
    let code = u16::from(payload[0]) << 8 | u16::from(payload[1]);
    let reserved =
        code < 1000 || (1004..=1006).contains(&code) || (1015..3000).contains(&code) || code > 4999;
    if reserved {
        return Err(CloseError::InvalidCode(code));
    }
    let reason = String::from_utf8(payload[2..].to_vec()).map_err(|_| CloseError::InvalidReason)?;
    Ok(Closed { code: Some(code), reason })
}

/// A message that is not complete.
struct Message {
    kind: MessageKind,
    data: Vec<u8>,
    /// How much of the beginning is known to be UTF-8.
    valid: usize,
}

impl Message {
    /// Whether what is there can be the beginning of UTF-8, or, with `whole`, is UTF-8.
    fn may_be_text(&mut self, whole: bool) -> bool {
        match std::str::from_utf8(&self.data[self.valid..]) {
            Ok(text) => {
                self.valid += text.len();
                true
            }
            Err(error) => {
                self.valid += error.valid_up_to();
                error.error_len().is_none() && !whole
            }
        }
    }
}

/// Takes apart a stream that a peer of `config` sends.
#[must_use]
pub fn understand(bytes: &[u8], config: &Config) -> Understood {
    understand_fragments(bytes, config, u64::MAX)
}

/// As [`understand`], with a limit on the frames of a message.
#[must_use]
pub fn understand_fragments(bytes: &[u8], config: &Config, max_fragments: u64) -> Understood {
    let mut events = Vec::new();
    let mut fragments = 0;
    let mut message: Option<Message> = None;
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        let kept = if config.assemble { message.as_ref().map_or(0, |message| message.data.len()) } else { 0 };
        let open = |events, pending| Understood { events, outcome: Outcome::Open, pending };
        if rest.len() < 2 {
            return open(events, kept + rest.len());
        }
        let head = head(rest);
        let there = head.as_ref().is_some_and(|head| (rest.len() - head.len) as u64 >= head.payload);
        let fail = |events, code, length| {
            let outcome = Outcome::Failed { code, whole: there, length };
            Understood { events, outcome, pending: 0 }
        };
        // Section 5.2, in the two bytes that are always there.
        let (fin, masked, long) = (rest[0] & 0x80 != 0, rest[1] & 0x80 != 0, rest[1] & 0x7F > 125);
        let Some(opcode) = opcode(rest[0]) else { return fail(events, 1002, false) };
        let control = opcode as u8 & 0x08 != 0;
        let continuation = opcode == OpCode::Continuation;
        if rest[0] & 0x70 != 0
            || (config.mask == MaskPolicy::Required && !masked)
            || (config.mask == MaskPolicy::Forbidden && masked)
            || (control && !fin)
            || (!control && continuation != message.is_some())
        {
            return fail(events, 1002, false);
        }
        if control && long {
            return fail(events, 1002, true);
        }
        let Some(head) = head else { return open(events, kept + rest.len()) };
        if !head.minimal {
            return fail(events, 1002, true);
        }
        if head.payload > i64::MAX as u64 {
            return fail(events, 1002, false);
        }
        if head.payload > config.max_frame_size
            || (config.assemble && !control && kept as u64 + head.payload > config.max_message_size)
        {
            return fail(events, 1009, false);
        }
        if !control {
            fragments = if continuation { fragments + 1 } else { 1 };
            if fragments > max_fragments {
                return fail(events, 1009, false);
            }
        }
        let end = if there { head.len + head.payload as usize } else { rest.len() };
        let key = head.key.unwrap_or_default();
        let payload: Vec<u8> =
            rest[head.len..end].iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
        let header = FrameHeader { fin, rsv: 0, opcode, mask: head.key, len: head.payload };
        at += end;
        if control {
            if !there {
                return open(events, kept + payload.len());
            }
            let last = opcode == OpCode::Close;
            events.push(match opcode {
                _ if !config.assemble => Event::Frame { header, payload: Cow::Owned(payload) },
                OpCode::Ping => Event::Ping(Cow::Owned(payload)),
                OpCode::Pong => Event::Pong(Cow::Owned(payload)),
                _ => Event::Close(close(&payload)),
            });
            if last {
                return Understood { events, outcome: Outcome::Closed, pending: 0 };
            }
            continue;
        }
        let kind = match opcode {
            OpCode::Text => MessageKind::Text,
            OpCode::Binary => MessageKind::Binary,
            _ => message.as_ref().map_or(MessageKind::Binary, |message| message.kind),
        };
        let current = message.get_or_insert_with(|| Message { kind, data: Vec::new(), valid: 0 });
        current.data.extend_from_slice(&payload);
        if kind == MessageKind::Text && !current.may_be_text(fin && there) {
            return fail(events, 1007, false);
        }
        if !there {
            let pending = if config.assemble { current.data.len() } else { payload.len() };
            return open(events, pending);
        }
        if !config.assemble {
            events.push(Event::Frame { header, payload: Cow::Owned(payload) });
        }
        if fin {
            let data = message.take().map(|message| message.data).unwrap_or_default();
            if config.assemble {
                events.push(Event::Message { kind, payload: Cow::Owned(data) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use websocket::protocol::Role;

    fn outcome(bytes: &[u8]) -> Outcome {
        understand(bytes, &Config::new(Role::Client)).outcome
    }

    #[test]
    fn the_model_knows_the_examples_of_rfc_6455_section_5_7() {
        let config = Config { mask: MaskPolicy::Either, ..Config::new(Role::Client) };
        let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let fragments = [0x01, 3, b'H', b'e', b'l', 0x80, 2, b'l', b'o'];
        for bytes in [&masked[..], &fragments[..]] {
            let understood = understand(bytes, &config);
            let hello = Event::Message { kind: MessageKind::Text, payload: b"Hello".into() };
            assert_eq!((understood.events, understood.outcome), (vec![hello], Outcome::Open));
        }
    }

    #[test]
    fn the_model_refuses_what_the_rfc_forbids() {
        for (bytes, code) in [
            (&[0xC1, 0][..], 1002),                          // a reserved bit
            (&[0x83, 0], 1002),                              // a reserved opcode
            (&[0x81, 0x80], 1002),                           // masked by a server
            (&[0x80, 0], 1002),                              // nothing to continue
            (&[0x01, 0, 0x01, 0], 1002),                     // something to continue
            (&[0x09, 0], 1002),                              // a Ping in fragments
            (&[0x89, 126, 0, 126], 1002),                    // a Ping that is too long
            (&[0x82, 126, 0, 125], 1002),                    // a length that needs fewer bytes
            (&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], 1002), // a length with its highest bit set
            (&[0x81, 1, 0xFF], 1007),                        // no UTF-8
            (&[0x81, 1, 0xC3], 1007),                        // half a character
            (&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 1], 1009),    // 64 KiB and a byte
        ] {
            assert!(matches!(outcome(bytes), Outcome::Failed { code: c, .. } if c == code), "{bytes:x?}");
        }
        assert_eq!(outcome(&[0x88, 0, 0xFF, 0xFF]), Outcome::Closed);
        assert_eq!(outcome(&[0x01, 1, 0xC3]), Outcome::Open);
    }
}
