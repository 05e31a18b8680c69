//! TLS between a socket and what it carries.
//!
//! The session belongs to the [`Socket`](super::socket::Socket). Reading decrypts in the read buffer. Writing encrypts what
//! waits in the outbox, and no more of it than the operating system takes at once: what waits stays plaintext.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use bytes::{Buf, BytesMut};

use super::event::ListenerId;
use super::outbox::{Outbox, Spares};
use super::read_buffer::READ_LEN;
use crate::tls::{End, ROOM, Session, TlsError};

/// Plaintext that is encrypted before it is written: four records.
const SEALED_AT_ONCE: usize = 4 * ROOM;

/// The longest alert that a peer may have sent before its end, in a record.
const ALERT: usize = 64;

/// What a step of a handshake counts for among the bytes of a turn: signing takes longer than reading a lot.
const HANDSHAKE: u64 = READ_LEN as u64;

/// A session, and its ciphertext.
#[derive(Debug)]
pub(crate) struct Secure {
    pub(super) session: Session,
    /// Records that are not written yet.
    pending: BytesMut,
    /// Bytes of plaintext in these.
    sealed: usize,
    /// Bytes of plaintext that are written since somebody has asked.
    written: usize,
    /// How the direction from the peer has ended, if that is to be told with the next read.
    end: Option<io::Result<()>>,
    /// The last read has brought as much as there was room for.
    was_full: bool,
    /// What reading has cost since somebody has asked, beyond the plaintext.
    cost: u64,
}

/// A handshake of TLS that has come to nothing.
#[derive(Debug)]
pub(crate) struct Unsecured {
    pub(crate) listener: ListenerId,
    pub(crate) peer: SocketAddr,
    pub(crate) error: TlsError,
}

/// The error of TLS within one of a socket.
pub(crate) fn tls_error(error: &io::Error) -> Option<&TlsError> {
    error.get_ref()?.downcast_ref()
}

impl Secure {
    pub(super) fn new(session: Session) -> Self {
        Self { session, pending: BytesMut::new(), sealed: 0, written: 0, end: None, was_full: false, cost: 0 }
    }

    /// Reads once, and leaves the plaintext at the beginning of `memory`. As with a plain socket, 0 is the end; the kind
    /// `WouldBlock` means that nothing has come of it and the set tells of more, `Interrupted` that there may be more.
    /// `is_over`: an end without `close_notify` is no error. `reads_to_end`: see [`Socket`](super::socket::Socket).
    pub(super) fn read(
        &mut self,
        mut stream: &TcpStream,
        memory: &mut [u8],
        is_over: bool,
        reads_to_end: bool,
    ) -> io::Result<usize> {
        if let Some(end) = self.end.take() {
            return end.map(|()| 0);
        }
        self.was_full = false;
        let space = self.session.space(memory);
        let room = space.len();
        let count = stream.read(space)?;
        if count == 0 {
            return if is_over { Ok(0) } else { Err(io::Error::other(self.session.truncated())) };
        }
        self.was_full = count == room;
        self.cost += count as u64;
        if self.session.is_handshaking() {
            self.cost += HANDSHAKE;
        }
        let received = self.session.receive(memory, count, &mut self.pending);
        self.cost = self.cost.saturating_sub(received.plain as u64);
        self.end = received.end.map(|end| match end {
            End::Closed => Ok(()),
            End::Failed(error) => Err(io::Error::other(error)),
        });
        match received.plain {
            0 => match self.end.take() {
                Some(end) => end.map(|()| 0),
                None if self.was_full || reads_to_end => Err(io::ErrorKind::Interrupted.into()),
                None => Err(io::ErrorKind::WouldBlock.into()),
            },
            plain => Ok(plain),
        }
    }

    /// Whether another read may bring more although the set does not say so.
    pub(super) fn may_have_more(&self) -> bool {
        self.was_full || self.end.is_some()
    }

    /// What reading has cost since the last call, in bytes, beyond the plaintext.
    pub(super) fn take_cost(&mut self) -> u64 {
        std::mem::take(&mut self.cost)
    }

    /// Looks whether the peer has closed a connection that is not read otherwise. What it has said before its end goes to
    /// `early`; it is not looked at when it is more than an alert.
    pub(super) fn look_at_the_end(&mut self, stream: &TcpStream, early: &mut Vec<u8>) -> io::Result<usize> {
        if stream.peek(&mut [0; ALERT + 1])? > ALERT {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut memory = vec![0; ROOM + self.session.kept_len() + ALERT + 1];
        let plain = self.read(stream, &mut memory, true, true)?;
        early.extend_from_slice(&memory[..plain]);
        match (plain, self.end.take()) {
            (0, _) => Ok(0),
            (_, Some(end)) => end.map(|()| 0),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Whether everything that was encrypted is written.
    pub(super) fn is_written(&self) -> bool {
        self.pending.is_empty()
    }

    /// Encrypts and writes what waits, as far as the socket takes it, and returns how much plaintext is written now. `ends`:
    /// nothing follows it.
    pub(super) fn flush(
        &mut self,
        stream: &TcpStream,
        outbox: &mut Outbox,
        spares: &mut Spares,
        ends: bool,
    ) -> io::Result<usize> {
        if outbox.is_empty() && self.pending.is_empty() && !ends {
            return Ok(0);
        }
        if self.pending.capacity() == 0 {
            self.pending = spares.take();
        }
        outbox.flush(Sealing { secure: self, stream }, spares)?;
        if outbox.is_empty() && ends {
            self.session.close(&mut self.pending);
        }
        match self.write_pending(stream) {
            Ok(()) => spares.put(std::mem::take(&mut self.pending)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(std::mem::take(&mut self.written))
    }

    /// Writes a last answer, which is sent as a whole or not at all.
    pub(super) fn answer(&mut self, mut stream: &TcpStream, answer: &[u8]) -> io::Result<()> {
        self.session.seal(answer, &mut self.pending).map_err(io::Error::other)?;
        self.session.close(&mut self.pending);
        stream.write_all(&std::mem::take(&mut self.pending))
    }

    fn write_pending(&mut self, mut stream: &TcpStream) -> io::Result<()> {
        while !self.pending.is_empty() {
            match stream.write(&self.pending) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.pending.advance(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.written += std::mem::take(&mut self.sealed);
        Ok(())
    }
}

/// Takes plaintext, and writes it as records.
struct Sealing<'a> {
    secure: &'a mut Secure,
    stream: &'a TcpStream,
}

impl Write for Sealing<'_> {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        let Self { secure, stream } = self;
        secure.write_pending(stream)?;
        let len = plain.len().min(SEALED_AT_ONCE);
        secure.session.seal(&plain[..len], &mut secure.pending).map_err(io::Error::other)?;
        secure.sealed = len;
        match secure.write_pending(stream) {
            // It is taken: it will be written.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(len),
            Err(error) => Err(error),
            Ok(()) => Ok(len),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[cfg(feature = "tls")]
#[path = "secure_tests.rs"]
mod tests;
