//! A whole connection: two ends, what their programs do, and a network that cuts, holds back and adds.

use std::collections::VecDeque;

use arbitrary::{Arbitrary, Unstructured};
use bytes::BytesMut;
use websocket::protocol::close::CloseFrame;
use websocket::protocol::connection::State;
use websocket::protocol::encoder::{fragments, message_headers, message_len};
use websocket::protocol::entropy::MaskKeys;
use websocket::protocol::header::{MAX_CONTROL_PAYLOAD, MAX_HEADER_LEN};
use websocket::protocol::{Config, Connection, Event, LocalError, MaskPolicy, MessageKind, OpCode, Role};

use crate::frames::check_events;
use crate::model::{Outcome, understand};

/// One end of the connection.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum End {
    Client,
    Server,
}

/// Something that happens at one end.
#[derive(Debug, Arbitrary)]
enum Step {
    /// The program sends a message: its payload once, or now and then many times over, as text where it is some.
    Message { text: bool, payload: Vec<u8>, times: u8 },
    /// The program sends a Ping.
    Ping(Vec<u8>),
    /// The program sends a Pong that nobody has asked for.
    Pong(Vec<u8>),
    /// The program closes.
    Close { code: Option<u16>, reason: String },
    /// The network takes so many bytes of what was written: a short write.
    Write(u16),
    /// The network brings so many bytes: a short read.
    Read(u16),
    /// The program pauses or resumes.
    Pause(bool),
    /// The network brings bytes that the other end never wrote, behind those it has.
    Inject(Vec<u8>),
}

/// What the two ends are told at the start.
#[derive(Debug, Arbitrary)]
struct Options {
    max_frame_size: Option<u16>,
    max_message_size: Option<u16>,
    fragmentation_threshold: Option<u16>,
}

impl Options {
    fn config(&self, role: Role) -> Config {
        let default = Config::new(role);
        Config {
            max_frame_size: self.max_frame_size.map_or(default.max_frame_size, u64::from),
            max_message_size: self.max_message_size.map_or(default.max_message_size, u64::from),
            ..default
        }
    }
}

#[derive(Debug, Arbitrary)]
struct Session {
    client: Options,
    server: Options,
    steps: Vec<(End, Step)>,
}

/// How much each end may send, in bytes of payload: enough for a length of 64 bits, and little enough for speed.
const BUDGET: usize = 70_000;

struct Side {
    connection: Connection,
    config: Config,
    keys: MaskKeys,
    threshold: Option<usize>,
    /// Written, and not yet taken by the network.
    out: BytesMut,
    /// All that was ever written.
    written: Vec<u8>,
    /// What was sent successfully, in order.
    sent: Vec<Event<'static>>,
    /// On its way here.
    wire: VecDeque<u8>,
    /// All that has arrived.
    arrived: Vec<u8>,
    events: Vec<Event<'static>>,
    paused: bool,
    tampered: bool,
    close_sent: bool,
    budget: usize,
}

impl Side {
    fn new(role: Role, options: &Options) -> Self {
        let config = options.config(role);
        let threshold = options.fragmentation_threshold.map(usize::from);
        // Keys need not be secret here, but an input must always mean the same.
        let keys =
            MaskKeys::new(|pool| (1..).zip(pool).for_each(|(i, byte): (usize, _)| *byte = (i * 31) as u8));
        Self {
            connection: Connection::new(role, config, threshold),
            config,
            keys,
            threshold,
            out: BytesMut::new(),
            written: Vec::new(),
            sent: Vec::new(),
            wire: VecDeque::new(),
            arrived: Vec::new(),
            events: Vec::new(),
            paused: false,
            tampered: false,
            close_sent: false,
            budget: BUDGET,
        }
    }

    /// Does what a program may do; `length` is what the call must append when it succeeds.
    fn send(
        &mut self,
        event: Event<'static>,
        length: usize,
        call: impl FnOnce(&mut Connection, &mut BytesMut, &mut MaskKeys) -> Result<(), LocalError>,
    ) {
        let before = self.out.len();
        let result = call(&mut self.connection, &mut self.out, &mut self.keys);
        let appended = &self.out[before..];
        match result {
            Ok(()) => {
                assert!(!self.close_sent, "nothing follows a Close");
                assert_eq!(appended.len(), length);
                self.written.extend_from_slice(appended);
                self.close_sent = matches!(event, Event::Close(_));
                self.sent.push(event);
            }
            Err(error) => {
                assert!(appended.is_empty(), "{error:?}, and yet something was written");
                assert_eq!(error == LocalError::AlreadyClosing, self.close_sent);
            }
        }
    }

    fn masked(&self) -> bool {
        self.config.mask == MaskPolicy::Forbidden
    }

    fn message(&mut self, kind: MessageKind, payload: &[u8]) {
        let length = message_len(payload.len(), self.threshold, self.masked());
        let event = Event::Message { kind, payload: payload.to_vec().into() };
        let at = self.out.len();
        self.send(event, length, |connection, out, keys| connection.send_message(out, keys, kind, payload));
        if !self.masked() && self.out.len() > at {
            // A broadcast puts the same headers before pieces of the payload that it does not copy.
            let opcode = if kind == MessageKind::Text { OpCode::Text } else { OpCode::Binary };
            let headers = message_headers(opcode, payload.len(), self.threshold);
            let pieces = headers.iter().zip(fragments(payload.len(), self.threshold));
            let shared: Vec<u8> = pieces
                .flat_map(|((header, len), range)| [&header[..*len], &payload[range]].concat())
                .collect();
            assert_eq!(self.out[at..], shared);
        }
    }

    fn ping(&mut self, payload: &[u8]) {
        let length = message_len(payload.len(), None, self.masked());
        let event = Event::Ping(payload.to_vec().into());
        self.send(event, length, |connection, out, keys| connection.send_ping(out, keys, payload));
    }

    fn pong(&mut self, payload: &[u8]) {
        let length = message_len(payload.len(), None, self.masked());
        let event = Event::Pong(payload.to_vec().into());
        self.send(event, length, |connection, out, keys| connection.send_pong(out, keys, payload));
    }

    fn close(&mut self, code: Option<u16>, reason: &str) {
        let reason = if code.is_some() { reason } else { "" };
        let payload = code.map_or(0, |_| 2 + reason.len());
        let length = message_len(payload, None, self.masked());
        let said = websocket::protocol::event::Closed { code, reason: reason.to_owned() };
        self.send(Event::Close(Ok(said)), length, |connection, out, keys| {
            connection.send_close(out, keys, &CloseFrame { code, reason })
        });
    }

    /// Reads up to `count` bytes and answers as a program should.
    fn read(&mut self, count: usize) {
        if self.paused {
            return;
        }
        let count = count.min(self.wire.len());
        let mut piece: Vec<u8> = self.wire.drain(..count).collect();
        self.arrived.extend_from_slice(&piece);
        let mut input = &mut piece[..];
        let mut events = Vec::new();
        while let Some(event) = self.connection.receive(&mut input) {
            events.push(event.into_owned());
        }
        assert!(input.is_empty(), "all input is taken");
        let bound = self.config.max_message_size + (MAX_CONTROL_PAYLOAD + MAX_HEADER_LEN) as u64;
        assert!(self.connection.buffered() as u64 <= bound);
        for event in &events {
            match event {
                Event::Ping(payload) => self.pong(payload),
                Event::Close(Ok(said)) => self.close(said.code, ""),
                Event::Close(Err(_)) => self.close(Some(1002), ""),
                Event::Failed(error) => self.close(Some(error.close_code()), &error.to_string()),
                _ => {}
            }
        }
        self.events.append(&mut events);
        self.check_state();
    }

    /// The table of the states, from what was seen from outside.
    fn check_state(&self) {
        let last = self.events.last();
        let expected = match (self.close_sent, last) {
            (_, Some(Event::Failed(_))) => State::Failed,
            (true, Some(Event::Close(_))) => State::Closed,
            (false, Some(Event::Close(_))) => State::CloseReceived,
            (true, _) => State::CloseSent,
            (false, _) => State::Open,
        };
        assert_eq!(self.connection.state(), expected);
    }

    /// What has happened is what the bytes that arrived mean.
    fn check_received(&self) {
        let expected = understand(&self.arrived, &self.config);
        check_events(&self.events, &expected);
    }

    /// What was written is correct to the last bit, and says what was sent.
    fn check_written(&self, peer: &Side) {
        let unlimited = Config { max_frame_size: u64::MAX, max_message_size: u64::MAX, ..peer.config };
        let read = understand(&self.written, &unlimited);
        assert_eq!(read.outcome, if self.close_sent { Outcome::Closed } else { Outcome::Open });
        assert_eq!(read.events, self.sent);
        assert_eq!(read.pending, 0, "only whole frames are written");
        if !peer.tampered && peer.arrived.len() == self.written.len() {
            let end = matches!(peer.events.last(), Some(Event::Failed(_)));
            let received = &peer.events[..peer.events.len() - usize::from(end)];
            if end {
                assert!(self.sent.starts_with(received), "a limit was met, nothing was invented");
            } else {
                assert_eq!(received, self.sent);
            }
        }
    }
}

/// The input decides what two connected ends do, and what the network does to them.
///
/// # Panics
/// When an end receives what was not sent, writes what a strict peer refuses, keeps more than its limits, or is in a
/// state that does not follow from what has happened.
pub fn check(data: &[u8]) {
    let Ok(session) = Session::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let mut client = Side::new(Role::Client, &session.client);
    let mut server = Side::new(Role::Server, &session.server);
    for (end, step) in session.steps {
        let (side, peer) = match end {
            End::Client => (&mut client, &mut server),
            End::Server => (&mut server, &mut client),
        };
        take_step(side, peer, step);
        side.check_state();
    }
    for side in [&mut client, &mut server] {
        side.paused = false;
    }
    // Everything arrives in the end. Answers are answered at most once, so this ends too.
    for _ in 0..4 {
        transfer(&mut client, &mut server, usize::MAX);
        server.read(usize::MAX);
        transfer(&mut server, &mut client, usize::MAX);
        client.read(usize::MAX);
    }
    assert!(
        client.wire.is_empty() && server.wire.is_empty() && client.out.is_empty() && server.out.is_empty()
    );
    client.check_received();
    server.check_received();
    client.check_written(&server);
    server.check_written(&client);
}

fn transfer(from: &mut Side, to: &mut Side, count: usize) {
    let count = count.min(from.out.len());
    to.wire.extend(from.out.split_to(count));
}

fn take_step(side: &mut Side, peer: &mut Side, step: Step) {
    match step {
        Step::Message { text, payload, times } => {
            let times = match times {
                0..200 => 1,
                200..252 => usize::from(times - 198),
                _ => BUDGET,
            };
            let times = times.min(side.budget / payload.len().max(1));
            let payload = payload.repeat(times);
            side.budget -= payload.len();
            if text {
                let text = String::from_utf8_lossy(&payload).into_owned();
                side.message(MessageKind::Text, text.as_bytes());
            } else {
                side.message(MessageKind::Binary, &payload);
            }
        }
        Step::Ping(payload) => side.ping(&payload),
        Step::Pong(payload) => side.pong(&payload),
        Step::Close { code, reason } => side.close(code, &reason),
        Step::Write(count) => transfer(side, peer, usize::from(count)),
        Step::Read(count) => side.read(usize::from(count)),
        Step::Pause(paused) => side.paused = paused,
        Step::Inject(bytes) => {
            side.tampered |= !bytes.is_empty();
            side.wire.extend(bytes);
        }
    }
}
