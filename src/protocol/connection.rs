//! Both halves of a connection and the closing handshake between them (RFC 6455 section 7).
//!
//! Only tests and fuzzing use this type. The closing handshake of the package is in JavaScript
//! (lib/internal/connection/closing.js), because programs override its methods and write its properties, as they could in
//! websocket 1.0.35.
//!
//! | state          | we send Close | peer sends Close | peer breaks the protocol |
//! |----------------|---------------|------------------|--------------------------|
//! | Open           | CloseSent     | CloseReceived    | Failed                   |
//! | CloseSent      | –             | Closed           | Failed                   |
//! | CloseReceived  | Closed        | –                | –                        |
//!
//! In `Closed` and `Failed` the transport is to be closed: at once by a server, by a client when the server has
//! closed or a while has passed (section 7.1.1). In `Failed`, send a Close with the error's code first if none was sent.

#![expect(clippy::mut_mut, reason = "as in the receiver: the input is a cursor")]

use bytes::BytesMut;

use super::close::CloseFrame;
use super::config::{Config, Role};
use super::deflate::Compressor;
use super::encoder;
use super::entropy::MaskKeys;
use super::error::LocalError;
use super::event::{Event, MessageKind};
use super::header::{FrameHeader, MAX_CONTROL_PAYLOAD};
use super::opcode::OpCode;
use super::receiver::Receiver;

/// How far the closing handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Messages flow both ways.
    Open,
    /// We have sent a Close and wait for the peer's.
    CloseSent,
    /// The peer has sent a Close and waits for ours.
    CloseReceived,
    /// Both have: a clean close.
    Closed,
    /// The peer broke the protocol.
    Failed,
}

/// A connection after its opening handshake.
#[derive(Debug)]
pub struct Connection {
    role: Role,
    receiver: Receiver,
    close_sent: bool,
    close_received: bool,
    failed: bool,
    fragmentation_threshold: Option<usize>,
    compression: Option<Compression>,
}

/// How messages are compressed on their way out.
#[derive(Debug)]
struct Compression {
    compressor: Compressor,
    /// Shorter messages are sent as they are.
    threshold: usize,
}

impl Connection {
    /// A connection at its beginning. Messages longer than `fragmentation_threshold` bytes are sent in fragments.
    #[must_use]
    pub fn new(role: Role, config: Config, fragmentation_threshold: Option<usize>) -> Self {
        Self {
            role,
            receiver: Receiver::new(config),
            close_sent: false,
            close_received: false,
            failed: false,
            fragmentation_threshold,
            compression: None,
        }
    }

    /// Compresses messages of at least `threshold` bytes from now on, as was agreed in the opening handshake.
    pub fn compress_with(&mut self, compressor: Compressor, threshold: usize) {
        self.compression = Some(Compression { compressor, threshold });
    }

    /// How far the closing handshake is.
    #[must_use]
    pub fn state(&self) -> State {
        match (self.failed, self.close_sent, self.close_received) {
            (true, _, _) => State::Failed,
            (_, true, true) => State::Closed,
            (_, true, false) => State::CloseSent,
            (_, false, true) => State::CloseReceived,
            (_, false, false) => State::Open,
        }
    }

    /// Bytes held for messages and frames that are not complete; see [`Receiver::buffered`].
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.receiver.buffered()
    }

    /// Takes bytes of the peer; see [`Receiver::receive`].
    #[must_use = "events must be handled, and the rest of the input passed in again"]
    pub fn receive<'i>(&mut self, input: &mut &'i mut [u8]) -> Option<Event<'i>> {
        let event = self.receiver.receive(input)?;
        match &event {
            Event::Close(_) => self.close_received = true,
            Event::Frame { header, .. } if header.opcode == OpCode::Close => self.close_received = true,
            Event::Failed(_) => self.failed = true,
            _ => {}
        }
        Some(event)
    }

    /// Appends a message to `out`.
    ///
    /// # Errors
    /// [`LocalError::AlreadyClosing`] after a Close was sent: nothing was appended.
    pub fn send_message(
        &mut self,
        out: &mut BytesMut,
        keys: &mut MaskKeys,
        kind: MessageKind,
        payload: &[u8],
    ) -> Result<(), LocalError> {
        self.may_send()?;
        let opcode = match kind {
            MessageKind::Text | MessageKind::TextBytes => OpCode::Text,
            MessageKind::Binary => OpCode::Binary,
        };
        let masked = self.role == Role::Client;
        let mut key = || masked.then(|| keys.next_key());
        let threshold = self.fragmentation_threshold;
        let compressed =
            self.compression.as_mut().filter(|it| payload.len() >= it.threshold).and_then(|it| {
                it.compressor.compress(payload, |payload| {
                    encoder::put_compressed_message(out, opcode, payload, threshold, &mut key);
                })
            });
        if compressed.is_none() {
            encoder::put_message(out, opcode, payload, threshold, key, |_| {});
        }
        Ok(())
    }

    /// Appends a Ping to `out`.
    ///
    /// # Errors
    /// [`LocalError::AlreadyClosing`], and [`LocalError::ControlPayloadTooLong`] for more than 125 bytes.
    pub fn send_ping(
        &mut self,
        out: &mut BytesMut,
        keys: &mut MaskKeys,
        payload: &[u8],
    ) -> Result<(), LocalError> {
        self.may_send()?;
        self.put_control(out, keys, OpCode::Ping, payload)
    }

    /// Appends a Pong to `out`.
    ///
    /// # Errors
    /// As [`Connection::send_ping`].
    pub fn send_pong(
        &mut self,
        out: &mut BytesMut,
        keys: &mut MaskKeys,
        payload: &[u8],
    ) -> Result<(), LocalError> {
        self.may_send()?;
        self.put_control(out, keys, OpCode::Pong, payload)
    }

    /// Appends a Close to `out`, which starts the closing handshake or answers the peer's.
    ///
    /// # Errors
    /// [`LocalError::AlreadyClosing`] for a second one, [`LocalError::InvalidCloseCode`] and
    /// [`LocalError::ControlPayloadTooLong`].
    pub fn send_close(
        &mut self,
        out: &mut BytesMut,
        keys: &mut MaskKeys,
        close: &CloseFrame<'_>,
    ) -> Result<(), LocalError> {
        self.may_send()?;
        let mut payload = [0; MAX_CONTROL_PAYLOAD];
        let len = close.encode(&mut payload)?;
        self.put_control(out, keys, OpCode::Close, &payload[..len])?;
        self.close_sent = true;
        Ok(())
    }

    fn may_send(&self) -> Result<(), LocalError> {
        if self.close_sent { Err(LocalError::AlreadyClosing) } else { Ok(()) }
    }

    fn put_control(
        &self,
        out: &mut BytesMut,
        keys: &mut MaskKeys,
        opcode: OpCode,
        payload: &[u8],
    ) -> Result<(), LocalError> {
        if payload.len() > MAX_CONTROL_PAYLOAD {
            return Err(LocalError::ControlPayloadTooLong(payload.len()));
        }
        let mask = (self.role == Role::Client).then(|| keys.next_key());
        encoder::put_frame(out, FrameHeader { fin: true, rsv: 0, opcode, mask, len: 0 }, payload);
        Ok(())
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
