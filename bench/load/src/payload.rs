//! What the messages consist of. A run cycles through a few different messages, so that a reply out of order, twice
//! or from another connection's past is a wrong reply.

use std::str::FromStr;

use crate::frame::{self, Opcode};

/// The kinds of payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text of one byte per character.
    Ascii,
    /// Text in several scripts, with characters of one to four bytes.
    NonAscii,
    /// Text that is JSON: repetitive, as records are.
    Json,
    /// Bytes of all values.
    Binary,
    /// Text that is an event of Socket.IO with one argument.
    SocketIo,
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "ascii" => Ok(Self::Ascii),
            "non-ascii" => Ok(Self::NonAscii),
            "json" => Ok(Self::Json),
            "binary" => Ok(Self::Binary),
            "socket.io" => Ok(Self::SocketIo),
            other => Err(format!("unknown payload {other:?}")),
        }
    }
}

/// One message: what it says, and the masked frames that say it.
#[derive(Debug)]
pub struct Template {
    /// Text or binary.
    pub opcode: Opcode,
    /// What the reply has to contain.
    pub payload: Vec<u8>,
    /// The message as it goes onto the wire, uncompressed.
    pub wire: Vec<u8>,
}

/// All messages of one run take at most this many bytes, except that there are always two.
const MEMORY: usize = 16 << 20;

/// What is before and behind the argument of an event of Socket.IO.
const EVENT_BEGIN: &[u8] = b"42[\"m\",\"";
const EVENT_END: &[u8] = b"\"]";
/// Bytes of the shortest event whose argument says which message it is.
pub const SHORTEST_EVENT: usize = 32;

/// Makes the messages that a run cycles through: up to 61, a prime, so that no usual depth divides it.
#[must_use]
pub fn templates(kind: Kind, size: usize, fragments: usize) -> Vec<Template> {
    let count = (MEMORY / size.max(1)).clamp(2, 61);
    (0..count)
        .map(|index| {
            let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (index as u64 + 1));
            let payload = bytes(kind, size, index, &mut random);
            let opcode = if kind == Kind::Binary { Opcode::Binary } else { Opcode::Text };
            let mut wire = Vec::with_capacity(size + 14 * fragments);
            let mut key = || (random.next() as u32).to_ne_bytes();
            let fragments = fragments.min(size.max(1));
            for fragment in 0..fragments {
                let part = &payload[size * fragment / fragments..size * (fragment + 1) / fragments];
                let opcode = if fragment == 0 { opcode } else { Opcode::Continuation };
                frame::encode_masked(&mut wire, fragment + 1 == fragments, false, opcode, key(), part);
            }
            Template { opcode, payload, wire }
        })
        .collect()
}

/// The payload of message `index`, exactly `size` bytes.
fn bytes(kind: Kind, size: usize, index: usize, random: &mut Random) -> Vec<u8> {
    if kind == Kind::Binary {
        let mut data: Vec<u8> = (0..size.div_ceil(8)).flat_map(|_| random.next().to_ne_bytes()).collect();
        data.truncate(size);
        return data;
    }
    if kind == Kind::SocketIo {
        let argument = bytes(Kind::Ascii, size - EVENT_BEGIN.len() - EVENT_END.len(), index, random);
        return [EVENT_BEGIN, &argument, EVENT_END].concat();
    }
    let mut text = String::with_capacity(size + 128);
    text.push_str(match kind {
        Kind::Json => "[",
        _ => "message ",
    });
    if kind != Kind::Json {
        text.push_str(&index.to_string());
    }
    while text.len() < size {
        match kind {
            Kind::NonAscii => {
                text.push_str(
                    [" Zażółć gęślą jaźń,", " съешь ещё булок", " 日本語の文章", " 🦀🚀", " plain words"]
                        [random.below(5)],
                );
            }
            Kind::Json => text.push_str(&record(random)),
            _ => text
                .push_str([" the quick", " brown fox", " jumps over", " the lazy", " dog;"][random.below(5)]),
        }
    }
    let mut end = size;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    // Filled up, so that every message of a run has the same length.
    while text.len() < size {
        text.push('.');
    }
    text.into_bytes()
}

/// One record of the JSON payload, of the kind that price feeds and chats send.
fn record(random: &mut Random) -> String {
    let names = ["Ada", "Grace", "Edsger", "Barbara", "Donald", "Leslie", "Radia", "Tim"];
    format!(
        r#"{{"id":{},"user":"{}","active":{},"price":{}.{:02},"tags":["{}","{}"],"at":"2025-{:02}-{:02}T{:02}:{:02}:00Z"}},"#,
        random.below(1_000_000),
        names[random.below(8)],
        random.below(2) == 0,
        random.below(1000),
        random.below(100),
        ["alpha", "beta", "gamma", "delta"][random.below(4)],
        ["north", "east", "south", "west"][random.below(4)],
        random.below(12) + 1,
        random.below(28) + 1,
        random.below(24),
        random.below(60),
    )
}

/// xorshift64: the same messages in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_size_asked_for_and_text_is_text() {
        for kind in [Kind::Ascii, Kind::NonAscii, Kind::Json, Kind::Binary, Kind::SocketIo] {
            let least = if kind == Kind::SocketIo { SHORTEST_EVENT } else { 1 };
            for size in [1, 16, 32, 64, 1000, 1024].into_iter().filter(|size| *size >= least) {
                for template in templates(kind, size, 1) {
                    assert_eq!(template.payload.len(), size, "{kind:?}");
                    assert!(
                        kind == Kind::Binary || std::str::from_utf8(&template.payload).is_ok(),
                        "{kind:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn messages_of_one_run_differ() {
        let all = templates(Kind::Ascii, 16, 1);
        assert!(all.iter().enumerate().all(|(i, a)| all[..i].iter().all(|b| a.payload != b.payload)));
    }
}
