//! What the properties are tried on: configurations, and byte streams from correct to arbitrary.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use websocket::protocol::close::CloseFrame;
use websocket::protocol::deflate::{Compressor, Settings};
use websocket::protocol::encoder::{put_frame, put_message};
use websocket::protocol::event::Closed;
use websocket::protocol::header::{MAX_CONTROL_PAYLOAD, RSV1};
use websocket::protocol::{Config, Event, FrameHeader, Inflation, MaskPolicy, MessageKind, OpCode, TextForm};

/// Limits far above anything that is generated, and no opinion on masks.
pub(crate) const UNLIMITED: Config = Config {
    mask: MaskPolicy::Either,
    max_frame_size: u64::MAX,
    max_message_size: u64::MAX,
    assemble: true,
    inflation: None,
    text: TextForm::Checked,
};

/// Without compression half the time, and with either kind of it.
pub(crate) fn inflation() -> impl Strategy<Value = Option<Inflation>> {
    prop_oneof![
        2 => Just(None),
        1 => Just(Some(Inflation::EachAlone)),
        1 => Just(Some(Inflation::ContextTakeover)),
    ]
}

/// Any configuration, with limits that short streams meet and miss.
pub(crate) fn config() -> impl Strategy<Value = Config> {
    let mask = prop_oneof![
        1 => Just(MaskPolicy::Required),
        1 => Just(MaskPolicy::Forbidden),
        3 => Just(MaskPolicy::Either),
    ];
    let limit = || prop_oneof![0..300_u64, Just(1 << 16), Just(u64::MAX)];
    (mask, limit(), limit(), any::<bool>(), inflation()).prop_map(
        |(mask, max_frame_size, max_message_size, assemble, inflation)| Config {
            mask,
            max_frame_size,
            max_message_size,
            assemble,
            inflation,
            text: TextForm::Checked,
        },
    )
}

/// The sizes of the pieces a stream arrives in.
pub(crate) fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1..4_usize, 1..200_usize], 1..8)
}

/// Any mask, none and the one that changes nothing among them.
pub(crate) fn mask() -> impl Strategy<Value = Option<[u8; 4]>> {
    prop_oneof![Just(None), Just(Some([0; 4])), any::<[u8; 4]>().prop_map(Some)]
}

/// A Ping or Pong that is allowed anywhere.
#[derive(Debug, Clone)]
pub(crate) struct Heartbeat {
    opcode: OpCode,
    payload: Vec<u8>,
}

impl Heartbeat {
    pub(crate) fn put(&self, out: &mut BytesMut, mask: Option<[u8; 4]>) {
        put_frame(out, FrameHeader { fin: true, rsv: 0, opcode: self.opcode, mask, len: 0 }, &self.payload);
    }

    pub(crate) fn event(&self) -> Event<'static> {
        let payload = self.payload.clone().into();
        if self.opcode == OpCode::Ping { Event::Ping(payload) } else { Event::Pong(payload) }
    }
}

pub(crate) fn heartbeat() -> impl Strategy<Value = Heartbeat> {
    let payload = vec(any::<u8>(), 0..=MAX_CONTROL_PAYLOAD);
    (prop_oneof![Just(OpCode::Ping), Just(OpCode::Pong)], payload)
        .prop_map(|(opcode, payload)| Heartbeat { opcode, payload })
}

/// A message, how it is cut into frames, and what comes between those.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    kind: MessageKind,
    payload: Vec<u8>,
    threshold: Option<usize>,
    mask: Option<[u8; 4]>,
    between: Vec<Heartbeat>,
}

impl Message {
    /// As [`Message::put`], with the message as its sender compresses it.
    pub(crate) fn put_compressed(
        &self,
        compressor: &mut Compressor,
        out: &mut BytesMut,
    ) -> Vec<Event<'static>> {
        let compressed = compressor.compress(&self.payload, |payload| Self {
            kind: self.kind,
            payload: payload.to_vec(),
            threshold: self.threshold,
            mask: self.mask,
            between: self.between.clone(),
        });
        let Some(compressed) = compressed else { return self.put(out) };
        let start = out.len();
        let mut events = compressed.put(out);
        // RSV1 of the first frame.
        out[start] |= 0x40;
        events.pop();
        events.push(self.event());
        events
    }

    fn event(&self) -> Event<'static> {
        Event::Message { kind: self.kind, payload: self.payload.clone().into() }
    }

    /// Appends the bytes of the message, a heartbeat between any two frames as long as there are some left, and
    /// returns what they mean.
    pub(crate) fn put(&self, out: &mut BytesMut) -> Vec<Event<'static>> {
        let opcode = match self.kind {
            MessageKind::Text | MessageKind::TextBytes => OpCode::Text,
            MessageKind::Binary => OpCode::Binary,
        };
        let (mut frames, mut ends) = (BytesMut::new(), Vec::new());
        put_message(&mut frames, opcode, &self.payload, self.threshold, || self.mask, |end| ends.push(end));
        let (mut at, mut events) = (0, Vec::new());
        for (i, &end) in ends.iter().enumerate() {
            if let Some(heartbeat) = self.between.get(i.wrapping_sub(1)) {
                heartbeat.put(out, self.mask);
                events.push(heartbeat.event());
            }
            out.extend_from_slice(&frames[at..end]);
            at = end;
        }
        events.push(self.event());
        events
    }
}

/// A message with a payload of up to `max` bytes.
pub(crate) fn message(max: usize) -> impl Strategy<Value = Message> {
    let text = vec(any::<char>(), 0..max / 4).prop_map(|text| {
        let text: String = text.into_iter().collect();
        (MessageKind::Text, text.into_bytes())
    });
    let binary = vec(any::<u8>(), 0..max).prop_map(|payload| (MessageKind::Binary, payload));
    let threshold = prop_oneof![Just(None), (1..20_usize).prop_map(Some), (1..2 * max).prop_map(Some)];
    (prop_oneof![text, binary], threshold, mask(), vec(heartbeat(), 0..3)).prop_map(
        |((kind, payload), threshold, mask, between)| Message { kind, payload, threshold, mask, between },
    )
}

/// A correct stream that ends, perhaps, with a Close, and what it means.
pub(crate) fn valid_stream() -> impl Strategy<Value = (Vec<u8>, Vec<Event<'static>>)> {
    let close = prop::option::of((1000..1004_u16, "\\PC{0,20}"));
    (vec(message(150), 0..6), close).prop_map(|(messages, close)| {
        let (mut out, mut events) = (BytesMut::new(), Vec::new());
        for message in messages {
            events.extend(message.put(&mut out));
        }
        if let Some((code, reason)) = close {
            let mut payload = [0; MAX_CONTROL_PAYLOAD];
            let close = CloseFrame { code: Some(code), reason: &reason };
            let len = close.encode(&mut payload).expect("a Close that may be sent");
            let header = FrameHeader { fin: true, rsv: 0, opcode: OpCode::Close, mask: None, len: 0 };
            put_frame(&mut out, header, &payload[..len]);
            events.push(Event::Close(Ok(Closed { code: Some(code), reason })));
        }
        (out.to_vec(), events)
    })
}

/// Any compressor: level, window, context takeover.
pub(crate) fn compressor() -> impl Strategy<Value = (Settings, bool)> {
    (0..=9_u8, 8..=15_u8, any::<bool>())
        .prop_map(|(level, window_bits, takeover)| (Settings { level, window_bits }, takeover))
}

/// A correct stream of messages most of which are compressed, and what it means. What one says the next may repeat.
pub(crate) fn compressed_stream() -> impl Strategy<Value = (Vec<u8>, Vec<Event<'static>>)> {
    (vec((message(600), any::<bool>()), 0..5), compressor()).prop_map(|(messages, (settings, takeover))| {
        let mut compressor = Compressor::new(settings, takeover);
        let (mut out, mut events) = (BytesMut::new(), Vec::new());
        for (message, twice) in messages {
            events.extend(message.put_compressed(&mut compressor, &mut out));
            if twice {
                events.extend(message.put_compressed(&mut compressor, &mut out));
                events.extend(message.put(&mut out));
            }
        }
        (out.to_vec(), events)
    })
}

/// A correct stream with a few bytes changed, inserted or left out.
pub(crate) fn mutated_stream() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8);
    (prop_oneof![valid_stream(), compressed_stream()], vec(edit, 1..4)).prop_map(|((mut bytes, _), edits)| {
        for (at, byte, edit) in edits {
            let at = at.index(bytes.len() + 1);
            match edit {
                0 if at < bytes.len() => bytes[at] ^= byte,
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

/// Frames that are well-formed each, or nearly so, in an order that is not; the last may announce more than there is.
pub(crate) fn frame_soup() -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![
        4 => Just(OpCode::Continuation),
        2 => Just(OpCode::Text),
        2 => Just(OpCode::Binary),
        1 => Just(OpCode::Ping),
        1 => Just(OpCode::Pong),
    ];
    let frame = (prop::bool::weighted(0.3), opcode, mask(), vec(prop_oneof![Just(b'a'), Just(0xC3)], 0..130));
    let announced = (any::<bool>(), 0..=u64::MAX >> 1, vec(any::<u8>(), 0..300));
    (vec(frame, 0..12), prop::option::of(announced)).prop_map(|(frames, announced)| {
        let mut out = BytesMut::new();
        let mut in_progress = false;
        for (fin, opcode, mask, payload) in frames {
            // mostly the frame that is due, so that messages grow long
            let (fin, opcode) = match (opcode.is_control(), in_progress, payload.len() % 8) {
                (true, ..) => (true, opcode),
                (false, _, 7) => (fin, opcode),
                (false, true, _) => (fin, OpCode::Continuation),
                (false, false, _) => (fin, OpCode::Binary),
            };
            in_progress = if opcode.is_control() { in_progress } else { !fin };
            put_frame(&mut out, FrameHeader { fin, rsv: 0, opcode, mask, len: 0 }, &payload);
        }
        if let Some((fin, len, payload)) = announced {
            let opcode = if in_progress { OpCode::Continuation } else { OpCode::Binary };
            let mut head = [0; 14];
            let head_len = FrameHeader { fin, rsv: 0, opcode, mask: None, len }.encode(&mut head);
            out.extend_from_slice(&head[..head_len]);
            out.extend_from_slice(&payload);
        }
        out.to_vec()
    })
}

/// Frames that claim to be compressed, with anything in them.
pub(crate) fn deflate_soup() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        vec(any::<u8>(), 0..300),
        // stored blocks and last blocks, whole and cut off
        vec(prop_oneof![Just(0), Just(1), Just(3), Just(0xff), Just(b'a')], 0..60),
    ];
    vec((any::<bool>(), any::<bool>(), payload, mask()), 1..6).prop_map(|frames| {
        let mut out = BytesMut::new();
        let mut in_progress = false;
        for (fin, text, payload, mask) in frames {
            let opcode = match (in_progress, text) {
                (true, _) => OpCode::Continuation,
                (false, true) => OpCode::Text,
                (false, false) => OpCode::Binary,
            };
            let rsv = if in_progress { 0 } else { RSV1 };
            in_progress = !fin;
            put_frame(&mut out, FrameHeader { fin, rsv, opcode, mask, len: 0 }, &payload);
        }
        out.to_vec()
    })
}

/// Anything at all.
pub(crate) fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..400)
}

/// All of the above.
pub(crate) fn any_stream() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        valid_stream().prop_map(|(bytes, _)| bytes),
        compressed_stream().prop_map(|(bytes, _)| bytes),
        mutated_stream(),
        frame_soup(),
        deflate_soup(),
        any_bytes()
    ]
}
