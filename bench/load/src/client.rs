//! One client connection: opening handshake, frames in, messages out. It owns no clock and no readiness set.

use std::io::{ErrorKind, Read, Write};
use std::mem;
use std::sync::Arc;
use std::time::Instant;

use mio::event::Event as Readiness;
use mio::{Events, Poll, Token};
use rustls::ClientConfig;

use crate::deflate::Deflate;
use crate::error::{Context, Result, peer};
use crate::frame::{self, Header, Opcode};
use crate::handshake;
use crate::options::Options;
use crate::payload::{Kind, Template};
use crate::stream::{self, Stream};

/// Size of the buffer that all connections read into.
pub const SCRATCH: usize = 256 << 10;
/// How many handshakes are under way at a time when many connections are opened: less than any server's backlog.
const OPENING: usize = 64;
/// The key of frames that are not prepared in advance.
const KEY: [u8; 4] = [0x5a, 0xc3, 0x17, 0x9e];

/// What arrived.
#[derive(Debug)]
pub enum Event<'a> {
    /// The opening handshake succeeded.
    Open,
    /// A whole message.
    Message(Opcode, &'a [u8]),
    /// A Close frame with this code; 1005 when it carries none.
    Close(u16),
}

/// A client connection.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    open: bool,
    /// Socket.IO has not let us in yet.
    joining: bool,
    ended: bool,
    /// The beginning of a frame that has not arrived completely.
    input: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    /// The parts of a fragmented message, and what its first frame said.
    message: Vec<u8>,
    fragmented: Option<Header>,
    deflate: Option<Deflate>,
    /// Reused by compression, in and out.
    plain: Vec<u8>,
    /// No WebSocket: the length of an echo.
    raw: Option<usize>,
    limit: usize,
}

impl Connection {
    /// Connects and sends the request. With `raw`, replies have the length of a message and there is no handshake.
    pub fn connect(
        options: &Options,
        tls: Option<&Arc<ClientConfig>>,
        serial: u64,
        raw: Option<usize>,
    ) -> Result<Self> {
        let mut connection = Self {
            stream: Stream::connect(options.address, tls, serial)?,
            open: raw.is_some(),
            joining: options.payload == Kind::SocketIo,
            ended: false,
            input: Vec::new(),
            output: Vec::new(),
            written: 0,
            message: Vec::new(),
            fragmented: None,
            deflate: None,
            plain: Vec::new(),
            raw,
            limit: options.size,
        };
        if raw.is_none() {
            connection.output.extend_from_slice(handshake::request(options, serial).as_bytes());
            connection.flush()?;
        }
        Ok(connection)
    }

    /// Adds the connection to a readiness set.
    pub fn register(&mut self, poll: &Poll, token: Token) -> Result<()> {
        self.stream.register(poll.registry(), token)
    }

    /// Whether the server has ended the stream.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Whether messages may be sent.
    fn is_ready(&self) -> bool {
        self.open && !self.joining
    }

    /// Queues a message.
    pub fn send(&mut self, template: &Template) -> Result<()> {
        match &mut self.deflate {
            None => self.output.extend_from_slice(&template.wire),
            Some(deflate) => {
                deflate.compress(&template.payload, &mut self.plain)?;
                frame::encode_masked(&mut self.output, true, true, template.opcode, KEY, &self.plain);
            }
        }
        Ok(())
    }

    /// Queues a Close frame, or ends the stream where there is no WebSocket.
    pub fn close(&mut self) -> Result<()> {
        if self.raw.is_some() {
            return self.stream.shutdown();
        }
        frame::encode_masked(&mut self.output, true, false, Opcode::Close, KEY, &1000_u16.to_be_bytes());
        Ok(())
    }

    /// Writes what is queued, as far as the socket takes it; a readiness event continues.
    pub fn flush(&mut self) -> Result<()> {
        while self.written < self.output.len() {
            match self.stream.write(&self.output[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("write"),
            }
        }
        if self.written == self.output.len() {
            self.output.clear();
            self.written = 0;
        }
        match self.stream.flush() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error).context("write"),
            _ => Ok(()),
        }
    }

    /// Reads until the socket is empty, or until its end when the readiness event said that there is one: a short
    /// read tells that the data is used up, not that nothing follows.
    pub fn read(
        &mut self,
        ready: &Readiness,
        scratch: &mut [u8],
        mut on: impl FnMut(Event<'_>) -> Result<()>,
    ) -> Result<()> {
        while !self.ended {
            let count = match self.stream.read(scratch) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("read"),
            };
            self.ended = count == 0;
            if self.input.is_empty() {
                let used = self.parse(&scratch[..count], &mut on)?;
                self.input.extend_from_slice(&scratch[used..count]);
            } else {
                let mut input = mem::take(&mut self.input);
                input.extend_from_slice(&scratch[..count]);
                let used = self.parse(&input, &mut on)?;
                input.drain(..used);
                self.input = input;
            }
            if count < scratch.len() && !ready.is_read_closed() && self.stream.short_read_is_last() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes whole frames from `bytes` and returns how many bytes they were.
    fn parse(&mut self, bytes: &[u8], on: &mut impl FnMut(Event<'_>) -> Result<()>) -> Result<usize> {
        if let Some(length) = self.raw {
            let chunks = bytes.chunks_exact(length);
            let used = bytes.len() - chunks.remainder().len();
            chunks.into_iter().try_for_each(|chunk| on(Event::Message(Opcode::Binary, chunk)))?;
            return Ok(used);
        }
        let mut used = 0;
        while let Some(header) = frame::decode(&bytes[used..]).or_else(peer)? {
            let Some(payload) = bytes[used + header.size..].get(..header.length) else { break };
            used += header.size + header.length;
            self.frame(header, payload, on)?;
        }
        Ok(used)
    }

    fn frame(
        &mut self,
        header: Header,
        payload: &[u8],
        on: &mut impl FnMut(Event<'_>) -> Result<()>,
    ) -> Result<()> {
        if header.mask.is_some() {
            return peer("the server masked a frame");
        }
        match header.opcode {
            Opcode::Close => {
                let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                on(Event::Close(code))
            }
            Opcode::Ping => {
                frame::encode_masked(&mut self.output, true, false, Opcode::Pong, KEY, payload);
                self.flush()
            }
            Opcode::Pong => Ok(()),
            Opcode::Continuation => {
                let Some(first) = self.fragmented else { return peer("a continuation of nothing") };
                self.message.extend_from_slice(payload);
                if header.fin {
                    self.fragmented = None;
                    let message = mem::take(&mut self.message);
                    self.deliver(first, &message, on)?;
                    self.message = message;
                    self.message.clear();
                }
                Ok(())
            }
            Opcode::Text | Opcode::Binary if self.fragmented.is_some() => peer("a message inside a message"),
            Opcode::Text | Opcode::Binary if header.fin => self.deliver(header, payload, on),
            Opcode::Text | Opcode::Binary => {
                self.message.extend_from_slice(payload);
                self.fragmented = Some(header);
                Ok(())
            }
        }
    }

    fn deliver(
        &mut self,
        first: Header,
        payload: &[u8],
        on: &mut impl FnMut(Event<'_>) -> Result<()>,
    ) -> Result<()> {
        if self.joining {
            return self.join(payload);
        }
        match (&mut self.deflate, first.rsv1) {
            (_, false) => on(Event::Message(first.opcode, payload)),
            (Some(deflate), true) => {
                deflate.decompress(payload, &mut self.plain, self.limit)?;
                on(Event::Message(first.opcode, &self.plain))
            }
            (None, true) => peer("a compressed frame without permessage-deflate"),
        }
    }

    /// Takes a packet of Engine.IO until that of Socket.IO which lets us into the default namespace.
    fn join(&mut self, packet: &[u8]) -> Result<()> {
        if packet.starts_with(b"0{") {
            frame::encode_masked(&mut self.output, true, false, Opcode::Text, KEY, b"40");
            return self.flush();
        }
        if !packet.starts_with(b"40{") {
            return peer(format!("Socket.IO answered {}", String::from_utf8_lossy(packet)));
        }
        self.joining = false;
        Ok(())
    }

    /// As `read`, with the opening handshake before it.
    pub fn read_opening(
        &mut self,
        options: &Options,
        ready: &Readiness,
        scratch: &mut [u8],
        mut on: impl FnMut(Event<'_>) -> Result<()>,
    ) -> Result<()> {
        while !self.open && !self.ended {
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(count) => {
                    self.ended = count == 0;
                    self.input.extend_from_slice(&buffer[..count]);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("read"),
            }
            let Some((end, agreed)) = handshake::response(&self.input, options)? else { continue };
            self.open = true;
            self.deflate = agreed.deflate.then(|| Deflate::new(agreed));
            self.input.drain(..end);
            on(Event::Open)?;
            let early = mem::take(&mut self.input);
            let used = self.parse(&early, &mut on)?;
            self.input.extend_from_slice(&early[used..]);
        }
        if self.open { self.read(ready, scratch, on) } else { Ok(()) }
    }
}

/// The TLS configuration that the options ask for.
pub fn tls_of(options: &Options) -> Result<Option<Arc<ClientConfig>>> {
    options.tls.then(stream::tls).transpose()
}

/// Opens all connections of a run and registers each under its index.
pub fn open_all(options: &Options, poll: &mut Poll, raw: Option<usize>) -> Result<Vec<Connection>> {
    let tls = tls_of(options)?;
    let mut scratch = vec![0; SCRATCH];
    let mut events = Events::with_capacity(OPENING);
    let mut connections: Vec<Connection> = Vec::with_capacity(options.connections);
    let mut open = 0;
    let mut progress = Instant::now();
    while open < options.connections {
        while connections.len() < options.connections.min(open + OPENING) {
            let index = connections.len();
            let mut connection = Connection::connect(options, tls.as_ref(), index as u64, raw)?;
            connection.register(poll, Token(index))?;
            open += usize::from(connection.is_ready());
            connections.push(connection);
        }
        if open == options.connections {
            break;
        }
        poll_once(poll, &mut events, options)?;
        for ready in &events {
            let connection = &mut connections[ready.token().0];
            let before = connection.is_ready();
            connection.read_opening(options, ready, &mut scratch, |event| match event {
                Event::Open => Ok(()),
                other => peer(format!("unasked for: {other:?}")),
            })?;
            if connection.ended {
                return peer("the server ended a connection during or right after the handshake");
            }
            if connection.is_ready() && !before {
                open += 1;
                progress = Instant::now();
            }
        }
        if progress.elapsed() > options.stall {
            return peer(format!("only {open} of {} connections could be opened", options.connections));
        }
    }
    Ok(connections)
}

/// Waits for readiness, at most as long as a stall.
pub fn poll_once(poll: &mut Poll, events: &mut Events, options: &Options) -> Result<()> {
    match poll.poll(events, Some(options.stall)) {
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            events.clear();
            Ok(())
        }
        other => other.context("poll"),
    }
}

/// Ends all connections properly. A message before the server's Close is a reply too many.
pub fn close_all(options: &Options, poll: &mut Poll, mut connections: Vec<Connection>) -> Result<()> {
    let mut scratch = vec![0; SCRATCH];
    let mut events = Events::with_capacity(1024);
    let mut closed = vec![false; connections.len()];
    let mut left = connections.len();
    for connection in &mut connections {
        connection.close()?;
        connection.flush()?;
    }
    let mut progress = Instant::now();
    while left > 0 {
        poll_once(poll, &mut events, options)?;
        for ready in &events {
            let index = ready.token().0;
            if closed[index] {
                continue;
            }
            let connection = &mut connections[index];
            connection.flush()?;
            connection.read(ready, &mut scratch, |event| match event {
                Event::Message(..) => peer("a reply too many"),
                _ => {
                    closed[index] = true;
                    Ok(())
                }
            })?;
            if connection.ended && connection.raw.is_none() && !closed[index] {
                return peer("the server ended a connection without Close");
            }
            if connection.ended || closed[index] {
                closed[index] = true;
                left -= 1;
                progress = Instant::now();
            }
        }
        if left > 0 && progress.elapsed() > options.stall {
            return peer(format!("{left} connections were not closed by the server"));
        }
    }
    // Bytes that belong to no whole reply are too many as well.
    if connections.iter().any(|connection| connection.raw.is_some() && !connection.input.is_empty()) {
        return peer("bytes too many");
    }
    Ok(())
}
