//! The receiving half: bytes in, events out.
//!
//! States and transitions (`Over` has no way out):
//!
//! | state   | input                                    | next    | event                                    |
//! |---------|------------------------------------------|---------|------------------------------------------|
//! | Header  | header incomplete                        | Header  |                                          |
//! | Header  | two bytes that are not allowed here      | Over    | Failed                                   |
//! | Header  | a length that is not allowed here        | Over    | Failed                                   |
//! | Header  | whole header                             | Payload |                                          |
//! | Payload | part of the payload, text that is UTF-8  | Payload |                                          |
//! | Payload | text that is not UTF-8                   | Over    | Failed                                   |
//! | Payload | rest of a data frame without FIN         | Header  | (Frame, when frames are not assembled)   |
//! | Payload | rest of a data frame with FIN            | Header  | Message (or Frame)                       |
//! | Payload | rest of a Ping or Pong                   | Header  | Ping, Pong (or Frame)                    |
//! | Payload | rest of a Close                          | Over    | Close (or Frame)                         |
//! | Header, Payload | more bytes than the limits allow | Exceeded |                                       |
//! | Exceeded | anything                                | Over    | Failed                                   |

#![expect(clippy::mut_mut, reason = "the input is a cursor: a call moves the start of the slice it is given")]

mod place;

use std::borrow::Cow;
use std::time::Instant;

pub use place::Place;

use super::close::CloseFrame;
use super::config::{Config, Inflation, MaskPolicy, Role, TextForm};
use super::error::PeerError;
use super::event::{Event, MessageKind};
use super::header::{FrameHeader, MAX_HEADER_LEN, Prefix, RSV1};
use super::inflate::Inflater;
use super::limits::{Limits, Usage};
use super::mask::apply_mask;
use super::opcode::OpCode;
use super::utf8::{self, Utf8Validator};

/// Turns the bytes of a peer into events. Holds no memory between messages, unless compressed ones may refer to each other.
#[derive(Debug)]
pub struct Receiver {
    config: Config,
    /// What `config.assemble` will be when no message is in progress.
    assemble_next: bool,
    state: State,
    /// The beginning of a header that has not arrived as a whole.
    head: [u8; MAX_HEADER_LEN],
    head_len: u8,
    /// The message in progress, from its first frame to its last.
    message: Option<MessageKind>,
    /// Whether the message in progress is compressed.
    compressed: bool,
    /// From the first compressed message on if the next one may refer to it, else while one is in progress.
    inflater: Option<Box<Inflater>>,
    utf8: Utf8Validator,
    /// What has arrived of the message in progress (of the frame in progress, when frames are not assembled).
    buffer: Vec<u8>,
    /// What has arrived of the control frame in progress.
    control: Vec<u8>,
    /// Limits on numbers and rates, which few connections have.
    usage: Option<Box<Usage>>,
    /// Frames that have begun.
    frames: u64,
    /// Payload bytes of compressed messages, as they came.
    compressed_bytes: u64,
    /// What was inflated since a read began with a new message.
    inflated: usize,
}

/// Bytes that [`Receiver::receive_lightly`] inflates without a break: a fraction of a millisecond.
const LIGHT: usize = 256 * 1024;

/// Compressed bytes between two looks at that, a thousand times of which can come out.
const LIGHT_PIECE: usize = 4 * 1024;

#[derive(Debug, Clone, Copy)]
enum State {
    Header,
    Payload {
        header: FrameHeader,
        received: u64,
    },
    /// Too much has arrived; the next call says so.
    Exceeded(PeerError),
    Over,
}

impl Receiver {
    /// A receiver at the beginning of a connection, right after the opening handshake.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            assemble_next: config.assemble,
            state: State::Header,
            head: [0; MAX_HEADER_LEN],
            head_len: 0,
            message: None,
            compressed: false,
            inflater: None,
            utf8: Utf8Validator::default(),
            buffer: Vec::new(),
            control: Vec::new(),
            usage: None,
            frames: 0,
            compressed_bytes: 0,
            inflated: 0,
        }
    }

    /// One that takes no input any more.
    #[must_use]
    pub fn over() -> Self {
        Self { state: State::Over, ..Self::new(Config::new(Role::Server)) }
    }

    /// Whether a Close frame or a failure has ended receiving.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Changes the limits, from the next frame on, and whether messages are assembled, from the next message on.
    pub fn configure(&mut self, max_frame_size: u64, max_message_size: u64, assemble: bool) {
        self.config.max_frame_size = max_frame_size;
        self.config.max_message_size = max_message_size;
        self.assemble_next = assemble;
    }

    /// Sets limits on numbers and rates; what came before does not count.
    pub fn limit(&mut self, limits: Limits) {
        self.usage = (limits != Limits::default()).then(|| Box::new(Usage::new(limits)));
    }

    /// Says that `len` bytes have arrived, which are to be received next. Only receivers with limits on rates ask for the
    /// time.
    pub fn arrived(&mut self, len: usize, now: impl FnOnce() -> Instant) {
        if matches!(self.state, State::Header) && self.message.is_none() {
            self.inflated = 0;
        }
        if let Some(usage) = &mut self.usage
            && let Err(error) = usage.arrived(len, now())
            && !matches!(self.state, State::Over)
        {
            self.state = State::Exceeded(error);
        }
    }

    /// Whether it takes compressed messages.
    #[must_use]
    pub fn inflates(&self) -> bool {
        self.config.inflation.is_some()
    }

    /// The number of frames received, one in progress included.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Payload bytes of compressed messages that have arrived, before they were inflated.
    #[must_use]
    pub fn compressed_bytes(&self) -> u64 {
        self.compressed_bytes
    }

    /// Bytes held for messages and frames that are not complete.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.buffer.len() + self.control.len() + usize::from(self.head_len)
    }

    /// Takes bytes off the front of `input` until something happens. Call again, with what is left, until it returns
    /// `None`: then all input has been taken. Payloads are unmasked in place.
    #[must_use = "events must be handled, and the rest of the input passed in again"]
    pub fn receive<'i>(&mut self, input: &mut &'i mut [u8]) -> Option<Event<'i>> {
        self.advance::<false>(input)
    }

    /// As [`Receiver::receive`], but leaves what takes long to others: `None` with input left says that much has been
    /// inflated since [`Receiver::arrived`], and that the rest is to go to `receive`, on a thread that has the time.
    #[must_use = "events must be handled, and the rest of the input passed in again"]
    pub fn receive_lightly<'i>(&mut self, input: &mut &'i mut [u8]) -> Option<Event<'i>> {
        self.advance::<true>(input)
    }

    #[inline]
    fn advance<'i, const LIGHTLY: bool>(&mut self, input: &mut &'i mut [u8]) -> Option<Event<'i>> {
        loop {
            match self.state {
                State::Over => {
                    *input = &mut [];
                    return None;
                }
                State::Exceeded(error) => return Some(self.fail(error)),
                State::Header => match self.header(input) {
                    Ok(Some(header)) => self.state = State::Payload { header, received: 0 },
                    Ok(None) => return None,
                    Err(error) => return Some(self.fail(error)),
                },
                State::Payload { header, received } => {
                    let wanted = header.len - received;
                    if wanted > 0 && input.is_empty() {
                        return None;
                    }
                    let mut taken =
                        usize::try_from(wanted).map_or(input.len(), |wanted| wanted.min(input.len()));
                    if LIGHTLY && self.compressed && !header.opcode.is_control() {
                        if self.inflated >= LIGHT && !input.is_empty() {
                            return None;
                        }
                        taken = taken.min(LIGHT_PIECE);
                    }
                    let (piece, rest) = std::mem::take(input).split_at_mut(taken);
                    *input = rest;
                    if let Some(key) = header.mask {
                        apply_mask(piece, key, received);
                    }
                    let received = received + taken as u64;
                    self.state = State::Payload { header, received };
                    if received == header.len && piece.len() as u64 == header.len {
                        if let Some(event) = self.whole_frame(header, piece) {
                            return Some(event);
                        }
                    } else if let Some(event) = self.part_of_frame(header, piece, received == header.len) {
                        return Some(event);
                    }
                }
            }
        }
    }

    fn fail(&mut self, error: PeerError) -> Event<'static> {
        self.end();
        Event::Failed(error)
    }

    /// Ends receiving and lets go of what was kept for it.
    fn end(&mut self) {
        self.state = State::Over;
        self.head_len = 0;
        self.buffer = Vec::new();
        self.control = Vec::new();
        self.inflater = None;
    }

    /// Takes a header off `input`, or the part of one that is there.
    fn header(&mut self, input: &mut &mut [u8]) -> Result<Option<FrameHeader>, PeerError> {
        let (header, len) = if self.head_len == 0 {
            let [first, second, ..] = **input else {
                self.keep_head(input);
                return Ok(None);
            };
            let prefix = self.prefix(first, second)?;
            let len = prefix.header_len();
            if input.len() < len {
                self.keep_head(input);
                return Ok(None);
            }
            (FrameHeader::parse(prefix, input)?, len)
        } else {
            // The header comes in pieces: complete it in `head`, first its two bytes, then the rest they announce.
            let kept = usize::from(self.head_len);
            let mut taken = 0;
            if kept < 2 {
                let Some(&second) = input.first() else { return Ok(None) };
                self.head[1] = second;
                taken = 1;
            }
            let prefix = self.prefix(self.head[0], self.head[1])?;
            let (have, len) = (kept + taken, prefix.header_len());
            let more = (len - have).min(input.len() - taken);
            self.head[have..have + more].copy_from_slice(&input[taken..taken + more]);
            if have + more < len {
                self.head_len = (have + more) as u8;
                *input = &mut [];
                return Ok(None);
            }
            self.head_len = 0;
            (FrameHeader::parse(prefix, &self.head)?, taken + more)
        };
        *input = &mut std::mem::take(input)[len..];
        if self.message.is_none() {
            self.config.assemble = self.assemble_next;
            self.compressed = header.rsv != 0;
        }
        self.frames += 1;
        self.check_size(&header)?;
        if let Some(usage) = &mut self.usage {
            usage.begins(&header)?;
        }
        Ok(Some(header))
    }

    fn keep_head(&mut self, input: &mut &mut [u8]) {
        self.head[..input.len()].copy_from_slice(input);
        self.head_len = input.len() as u8;
        *input = &mut [];
    }

    /// Checks all that the first two bytes of a frame tell.
    fn prefix(&self, first: u8, second: u8) -> Result<Prefix, PeerError> {
        let prefix = Prefix::parse(first, second).map_err(|error| match error {
            // Whatever it would have meant, it does not belong here.
            PeerError::ReservedOpcode(bits @ 1..8) if self.message.is_some() => {
                PeerError::ExpectedContinuation(bits)
            }
            error => error,
        })?;
        if prefix.rsv != 0 {
            self.check_reserved_bits(prefix)?;
        }
        match self.config.mask {
            MaskPolicy::Required if !prefix.masked => return Err(PeerError::UnmaskedFrame),
            MaskPolicy::Forbidden if prefix.masked => return Err(PeerError::MaskedFrame),
            _ => {}
        }
        match prefix.opcode {
            OpCode::Continuation if self.message.is_none() => Err(PeerError::UnexpectedContinuation),
            OpCode::Text | OpCode::Binary if self.message.is_some() => {
                Err(PeerError::ExpectedContinuation(prefix.opcode as u8))
            }
            _ => Ok(prefix),
        }
    }

    /// Checks reserved bits of which at least one is set (RFC 7692 section 6.1).
    fn check_reserved_bits(&self, prefix: Prefix) -> Result<(), PeerError> {
        if self.config.inflation.is_none() || prefix.rsv != RSV1 {
            return Err(PeerError::ReservedBits(prefix.rsv));
        }
        match prefix.opcode {
            OpCode::Text | OpCode::Binary => Ok(()),
            _ => Err(PeerError::MisplacedRsv1),
        }
    }

    /// Holds the length in the header against the limits, before a byte of the payload is looked at.
    fn check_size(&self, header: &FrameHeader) -> Result<(), PeerError> {
        if header.len > self.config.max_frame_size {
            return Err(PeerError::FrameTooLarge(header.len));
        }
        // What a compressed message contains is seen when it is inflated.
        let assembled = self.config.assemble && !self.compressed && !header.opcode.is_control();
        if assembled && self.buffer.len() as u64 + header.len > self.config.max_message_size {
            return Err(PeerError::MessageTooLarge);
        }
        Ok(())
    }

    /// A frame whose payload is there as a whole, and in one piece.
    fn whole_frame<'i>(&mut self, header: FrameHeader, payload: &'i mut [u8]) -> Option<Event<'i>> {
        if header.opcode.is_control() {
            self.state = State::Header;
            return Some(self.control_frame(header, Cow::Borrowed(payload)));
        }
        if self.compressed {
            return self.part_of_compressed_frame(header, payload, true);
        }
        if !self.config.assemble {
            return Some(match self.data(header, payload, true) {
                Ok(_) => Event::Frame { header, payload: Cow::Borrowed(payload) },
                Err(error) => self.fail(error),
            });
        }
        if !header.fin || header.opcode == OpCode::Continuation {
            return self.part_of_frame(header, payload, true);
        }
        // A message of one frame: the common case touches neither buffer nor validator.
        self.state = State::Header;
        let kind = if header.opcode == OpCode::Text { MessageKind::Text } else { MessageKind::Binary };
        if self.checks(kind) && !utf8::is_valid(payload) {
            return Some(self.fail(PeerError::InvalidUtf8));
        }
        Some(self.message(kind, Cow::Borrowed(payload)))
    }

    /// A piece of a frame; with `last`, the frame is complete.
    fn part_of_frame(&mut self, header: FrameHeader, piece: &mut [u8], last: bool) -> Option<Event<'static>> {
        if header.opcode.is_control() {
            self.control.extend_from_slice(piece);
            if !last {
                return None;
            }
            self.state = State::Header;
            let payload = std::mem::take(&mut self.control);
            return Some(self.control_frame(header, Cow::Owned(payload)));
        }
        if self.compressed {
            return self.part_of_compressed_frame(header, piece, last);
        }
        let kind = match self.data(header, piece, last) {
            Ok(kind) => kind,
            Err(error) => return Some(self.fail(error)),
        };
        if self.reserve(piece.len(), &header).is_err() {
            return Some(self.fail(PeerError::OutOfMemory));
        }
        self.buffer.extend_from_slice(piece);
        self.kept(header, kind, last)
    }

    /// Part of a data frame is in the buffer; with `last`, the frame is complete.
    fn kept(&mut self, header: FrameHeader, kind: MessageKind, last: bool) -> Option<Event<'static>> {
        if !last {
            return None;
        }
        if !self.config.assemble {
            return Some(Event::Frame { header, payload: Cow::Owned(std::mem::take(&mut self.buffer)) });
        }
        if !header.fin {
            return None;
        }
        let payload = std::mem::take(&mut self.buffer);
        Some(self.message(kind, Cow::Owned(payload)))
    }

    /// A piece of a frame of a compressed message; with `last`, the frame is complete. Frames that are not assembled are
    /// handed out as if they had never been compressed, each with what could be inflated by its end.
    ///
    /// Out of line, so that messages without compression pay for one branch.
    #[inline(never)]
    fn part_of_compressed_frame(
        &mut self,
        header: FrameHeader,
        piece: &[u8],
        last: bool,
    ) -> Option<Event<'static>> {
        let kind = self.kind(header);
        self.compressed_bytes += piece.len() as u64;
        // The pieces that come out were validated one by one; what is left is the end of frame and text.
        let done = self.inflate(kind, piece, last && header.fin).and_then(|()| self.data(header, &[], last));
        if let Err(error) = done {
            return Some(self.fail(error));
        }
        if !last || (self.config.assemble && !header.fin) {
            return None;
        }
        let payload = std::mem::take(&mut self.buffer);
        if self.config.assemble {
            return Some(self.message(kind, Cow::Owned(payload)));
        }
        let header = FrameHeader { rsv: 0, len: payload.len() as u64, ..header };
        Some(Event::Frame { header, payload: Cow::Owned(payload) })
    }

    /// Inflates a piece into the buffer.
    fn inflate(&mut self, kind: MessageKind, piece: &[u8], end: bool) -> Result<(), PeerError> {
        let checks = self.checks(kind);
        let mut inflater = self.inflater.take().unwrap_or_else(Inflater::lend);
        let (buffer, utf8, limit) = (&mut self.buffer, &mut self.utf8, self.config.max_message_size);
        let made = &mut self.inflated;
        let mut take = |chunk: &[u8]| {
            let room = usize::try_from(limit.saturating_sub(buffer.len() as u64)).unwrap_or(usize::MAX);
            let (chunk, excess) = chunk.split_at(chunk.len().min(room));
            if checks {
                utf8.push(chunk).map_err(|_| PeerError::InvalidUtf8)?;
            }
            if buffer.capacity() - buffer.len() < chunk.len() {
                let double = buffer.len().min(room).max(chunk.len());
                buffer.try_reserve_exact(double).map_err(|_| PeerError::OutOfMemory)?;
            }
            buffer.extend_from_slice(chunk);
            *made = made.saturating_add(chunk.len());
            if excess.is_empty() { Ok(()) } else { Err(PeerError::MessageTooLarge) }
        };
        inflater.push(piece, &mut take)?;
        if end {
            inflater.finish(&mut take)?;
            if self.config.inflation != Some(Inflation::ContextTakeover) {
                inflater.give_back();
                return Ok(());
            }
        }
        self.inflater = Some(inflater);
        Ok(())
    }

    /// A whole message, in the form that the program wants.
    fn message<'s>(&self, kind: MessageKind, payload: Cow<'s, [u8]>) -> Event<'s> {
        let as_bytes = kind == MessageKind::Text && self.config.text != TextForm::Checked;
        Event::Message { kind: if as_bytes { MessageKind::TextBytes } else { kind }, payload }
    }

    /// Whether a message of this kind has to be UTF-8.
    fn checks(&self, kind: MessageKind) -> bool {
        kind == MessageKind::Text && self.config.text != TextForm::UncheckedBytes
    }

    /// What the message is that a data frame belongs to.
    fn kind(&self, header: FrameHeader) -> MessageKind {
        match header.opcode {
            OpCode::Text => MessageKind::Text,
            OpCode::Binary => MessageKind::Binary,
            _ => self.message.unwrap_or(MessageKind::Binary),
        }
    }

    /// Checks a piece of a data frame and moves on when the frame is complete.
    fn data(&mut self, header: FrameHeader, piece: &[u8], last: bool) -> Result<MessageKind, PeerError> {
        let kind = self.kind(header);
        if self.checks(kind) {
            self.utf8.push(piece).map_err(|_| PeerError::InvalidUtf8)?;
            if last && header.fin {
                self.utf8.finish().map_err(|_| PeerError::InvalidUtf8)?;
            }
        }
        if last {
            self.state = State::Header;
            self.message = if header.fin { None } else { Some(kind) };
        }
        Ok(kind)
    }

    /// Makes room for `more` bytes in the buffer. Memory grows with what has arrived (at most to its double), not with what was
    /// announced.
    fn reserve(
        &mut self,
        more: usize,
        header: &FrameHeader,
    ) -> Result<(), std::collections::TryReserveError> {
        if self.buffer.capacity() - self.buffer.len() >= more {
            return Ok(());
        }
        let announced = usize::try_from(header.len).unwrap_or(usize::MAX).max(more);
        let room = if header.fin { announced } else { usize::MAX };
        self.buffer.try_reserve_exact(self.buffer.len().max(more).min(room))
    }

    fn control_frame<'s>(&mut self, header: FrameHeader, payload: Cow<'s, [u8]>) -> Event<'s> {
        if header.opcode == OpCode::Close {
            self.end();
        }
        if !self.config.assemble {
            return Event::Frame { header, payload };
        }
        match header.opcode {
            OpCode::Ping => Event::Ping(payload),
            OpCode::Pong => Event::Pong(payload),
            _ => Event::Close(CloseFrame::parse(&payload).map(Into::into)),
        }
    }
}

#[cfg(test)]
#[path = "receiver_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "receiver_limits_tests.rs"]
mod limits_tests;

#[cfg(test)]
#[path = "receiver_compressed_tests.rs"]
mod compressed_tests;
