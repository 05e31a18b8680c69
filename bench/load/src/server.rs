//! The other side: an echo server on one epoll loop. As `floor` it shows what the operating system alone costs; as
//! `serve` it is what the clients are measured against. It validates nothing and echoes frame by frame.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::{mem, thread};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use serde_json::json;

use crate::client::SCRATCH;
use crate::error::{Context, Result};
use crate::frame::{self, Header, Opcode};
use crate::handshake;
use crate::options::Options;
use crate::report;

const LISTENER: Token = Token(usize::MAX);

/// The server's side of a connection.
#[derive(Debug)]
struct Client {
    socket: TcpStream,
    open: bool,
    closing: bool,
    /// The beginning of a frame that has not arrived completely.
    input: Vec<u8>,
    /// What the socket would not take.
    output: Vec<u8>,
}

/// Serves until stdin ends.
pub fn run(options: &Options) -> Result<()> {
    let mut poll = Poll::new().context("poll")?;
    let mut listener = TcpListener::bind(options.address).context("listen")?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).context("register")?;
    report::print(&json!({ "port": listener.local_addr().context("address")?.port() }))?;
    thread::spawn(answer_questions);

    let mut events = Events::with_capacity(1024);
    let mut scratch = vec![0; SCRATCH];
    let mut out = Vec::with_capacity(SCRATCH);
    let mut clients: Vec<Option<Client>> = Vec::new();
    let mut free = Vec::new();
    loop {
        if let Err(error) = poll.poll(&mut events, None) {
            if error.kind() == ErrorKind::Interrupted {
                continue;
            }
            return Err(error).context("poll");
        }
        for event in &events {
            if event.token() == LISTENER {
                accept(&poll, &listener, &mut clients, &mut free)?;
                continue;
            }
            let index = event.token().0;
            let Some(client) = clients[index].as_mut() else { continue };
            let mut alive = !event.is_writable() || client.output.is_empty() || client.flush();
            if alive && event.is_readable() {
                out.clear();
                alive = client.read(event.is_read_closed(), &mut scratch, &mut out);
                if options.broadcast && client.open && !client.closing {
                    for client in clients.iter_mut().flatten().filter(|client| client.open) {
                        client.write(&out);
                    }
                } else {
                    alive &= client.write(&out);
                }
            }
            if !alive {
                clients[index] = None;
                free.push(index);
            }
        }
    }
}

fn accept(
    poll: &Poll,
    listener: &TcpListener,
    clients: &mut Vec<Option<Client>>,
    free: &mut Vec<usize>,
) -> Result<()> {
    loop {
        let mut socket = match listener.accept() {
            Ok((socket, _)) => socket,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {
                continue;
            }
            Err(error) => return Err(error).context("accept"),
        };
        socket.set_nodelay(true).context("set TCP_NODELAY")?;
        let index = free.pop().unwrap_or(clients.len());
        poll.registry()
            .register(&mut socket, Token(index), Interest::READABLE | Interest::WRITABLE)
            .context("register")?;
        let client = Client { socket, open: false, closing: false, input: Vec::new(), output: Vec::new() };
        if index == clients.len() {
            clients.push(Some(client));
        } else {
            clients[index] = Some(client);
        }
    }
}

impl Client {
    /// Reads until the socket is empty, or until its end when it `ends`; the answers go to `out`. False when the
    /// connection is over.
    fn read(&mut self, ends: bool, scratch: &mut [u8], out: &mut Vec<u8>) -> bool {
        loop {
            // The rest of a large frame goes straight behind its beginning, everything else through the shared buffer.
            if let Some(missing) = self.missing().filter(|missing| *missing > scratch.len()) {
                self.input.reserve_exact(missing);
                match (&self.socket).take(missing as u64).read_to_end(&mut self.input) {
                    Ok(count) if count < missing => return false,
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                    Err(_) => return false,
                }
                let mut input = mem::take(&mut self.input);
                self.frames(&mut input, out);
                continue;
            }
            let count = match self.socket.read(scratch) {
                Ok(0) => return false,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return false,
            };
            let used;
            if self.input.is_empty() {
                used = self.frames(&mut scratch[..count], out);
                self.input.extend_from_slice(&scratch[used..count]);
            } else {
                let mut input = mem::take(&mut self.input);
                input.extend_from_slice(&scratch[..count]);
                used = self.frames(&mut input, out);
                input.drain(..used);
                self.input = input;
            }
            if count < scratch.len() && !ends && self.missing().is_none_or(|missing| missing <= scratch.len())
            {
                return true;
            }
        }
    }

    /// How much of the frame whose beginning is there has yet to come.
    fn missing(&self) -> Option<usize> {
        let header = frame::decode(&self.input).ok().flatten().filter(|_| self.open)?;
        (header.size + header.length).checked_sub(self.input.len())
    }

    /// Answers whole frames and returns how many bytes they were.
    fn frames(&mut self, bytes: &mut [u8], out: &mut Vec<u8>) -> usize {
        let mut used = 0;
        if !self.open {
            match handshake::answer(bytes) {
                Ok(Some((end, response))) => {
                    out.extend_from_slice(response.as_bytes());
                    self.open = true;
                    used = end;
                    // Alone, so that a broadcast does not send the handshake to everyone.
                    if !self.write(out) {
                        self.closing = true;
                    }
                    out.clear();
                }
                Ok(None) => return 0,
                Err(_) => self.closing = true,
            }
        }
        while !self.closing {
            let Ok(Some(header)) = frame::decode(&bytes[used..]) else { break };
            let body = used + header.size;
            let Some(payload) = bytes.get_mut(body..body + header.length) else { break };
            used = body + header.length;
            self.frame(header, payload, out);
        }
        used
    }

    fn frame(&mut self, header: Header, payload: &mut [u8], out: &mut Vec<u8>) {
        if let Some(key) = header.mask {
            frame::mask(payload, key);
        }
        let opcode = match header.opcode {
            Opcode::Pong => return,
            Opcode::Ping => Opcode::Pong,
            other => other,
        };
        self.closing = opcode == Opcode::Close;
        frame::encode_header(out, header.fin, false, opcode, false, payload.len());
        out.extend_from_slice(payload);
    }

    /// Writes, and keeps what the socket does not take. False when the connection is over.
    fn write(&mut self, bytes: &[u8]) -> bool {
        if !self.output.is_empty() {
            self.output.extend_from_slice(bytes);
            return true;
        }
        let written = self.write_some(bytes);
        if let Some(written) = written {
            self.output.extend_from_slice(&bytes[written..]);
        }
        self.end_when_done(written.is_some())
    }

    /// Writes what was kept. False when the connection is over.
    fn flush(&mut self) -> bool {
        let output = mem::take(&mut self.output);
        let written = self.write_some(&output);
        if let Some(written) = written {
            self.output.extend_from_slice(&output[written..]);
        }
        self.end_when_done(written.is_some())
    }

    fn write_some(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut written = 0;
        while written < bytes.len() {
            match self.socket.write(&bytes[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        Some(written)
    }

    /// The server ends the stream first, after its Close has left (RFC 6455 section 7.1.1).
    fn end_when_done(&mut self, alive: bool) -> bool {
        if alive && self.closing && self.output.is_empty() {
            drop(self.socket.shutdown(Shutdown::Write));
        }
        alive
    }
}

/// The runner's questions, a word a line: answered beside the loop, so that they do not disturb it.
fn answer_questions() {
    for line in std::io::stdin().lines().map_while(std::result::Result::ok) {
        let answer = match line.trim() {
            "cpu" => report::cpu_micros()
                .map(|(user, system)| json!({ "user": user, "system": system, "main": user + system })),
            "memory" => Ok(json!({ "rss": resident(), "heap": null })),
            _ => Ok(json!({ "error": "unknown question" })),
        };
        if answer.and_then(|answer| report::print(&answer)).is_err() {
            break;
        }
    }
    std::process::exit(0);
}

/// Resident memory in bytes, where /proc tells it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
