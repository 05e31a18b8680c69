//! The command line.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use lexopt::prelude::*;

use crate::payload::{Kind, SHORTEST_EVENT};

/// Shown by `--help` and after a mistake.
pub const HELP: &str = "\
Usage: websocket-load <mode> [options]

Modes
  echo         messages to an echo server, every reply checked
  broadcast    a message to a server that sends it to all connections; every delivery checked
  topics       messages to a server that sends each to all others in the room of its sender: the path, /0, /1, …; the first one
               in each room sends; every delivery checked
  connect      cycles of connect, opening handshake, closing handshake
  idle         opens connections and holds them until a line arrives on stdin
  serve        echo server on an epoll loop; prints {\"port\":…}; also known as floor

What is connected to
  --port N               required, except for serve (default 0: any)
  --host ADDRESS         default 127.0.0.1
  --path PATH            default /
  --protocol NAME        subprotocol to ask for
  --tls                  TLS; any certificate is accepted
  --raw                  no WebSocket: the server echoes bytes (echo and idle)
  --deflate              offer permessage-deflate with context takeover and compress what is sent

Load
  --connections N        default 1; for connect: how many at a time
  --in-flight N          messages in flight per connection, default 1
  --burst                send --in-flight messages at once and wait for all replies before the next burst
  --room N               topics: connections in a room, default 5
  --payload KIND         ascii, non-ascii, json (text), binary, or socket.io (events; connections join first); default ascii
  --size BYTES           payload of a message, default 64
  --fragments N          frames per message, default 1

How long
  --messages N           that many messages (cycles, broadcasts) in all, or …
  --duration SECONDS     … as long as this; default 2
  --warmup SECONDS       before the measurement, default 0.5; with --messages at most that many
  --stall SECONDS        without progress for so long replies count as missing; default 10

Server
  --broadcast            serve: send each message to all connections instead of back

Coordination
  --sync                 print {\"event\":\"ready\"} after the warm-up and wait for a line on stdin; the same after the
                         result, with the connections still open

Exit codes: 0 all replies were right, 1 a reply was wrong, missing or too many, or the connection broke,
2 wrong usage, 3 the server does not offer what is to be measured
";

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Messages to an echo server.
    Echo,
    /// One message, many deliveries.
    Broadcast,
    /// One message, deliveries to all others in a room.
    Topics,
    /// Connections that come and go.
    Connect,
    /// Connections that do nothing.
    Idle,
    /// The server side.
    Serve,
}

/// When a phase ends.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    /// After so many messages over all connections.
    Messages(u64),
    /// After so much time; what is in flight then is still waited for.
    Time(Duration),
}

/// Everything the command line says.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Options {
    /// What to do.
    pub mode: Mode,
    /// Where the server is, or where to listen.
    pub address: SocketAddr,
    /// The request target of the handshake.
    pub path: String,
    /// The subprotocol to ask for.
    pub protocol: Option<String>,
    /// Whether to speak TLS.
    pub tls: bool,
    /// Whether the server echoes bytes and knows nothing of WebSocket.
    pub raw: bool,
    /// Whether to offer permessage-deflate.
    pub deflate: bool,
    /// How many connections.
    pub connections: usize,
    /// Messages in flight per connection.
    pub in_flight: usize,
    /// Connections in a room.
    pub room: usize,
    /// Whether a burst has to be answered completely before the next one starts.
    pub burst: bool,
    /// What the messages consist of.
    pub payload: Kind,
    /// Bytes of payload per message.
    pub size: usize,
    /// Frames per message.
    pub fragments: usize,
    /// How long to measure.
    pub limit: Limit,
    /// How long to warm up.
    pub warmup: Limit,
    /// How long without progress means that replies are missing.
    pub stall: Duration,
    /// Server: send to everyone.
    pub broadcast: bool,
    /// Whether to wait for a line on stdin before and after the measurement.
    pub sync: bool,
}

impl Options {
    /// Reads the command line; `None` when help was asked for.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Option<Self>, lexopt::Error> {
        let mut parser = lexopt::Parser::from_args(args);
        let mut mode = None;
        let mut host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut port = 0_u16;
        let mut messages = None;
        let mut duration = 2.0_f64;
        let mut warmup = 0.5_f64;
        let mut options = Self {
            mode: Mode::Echo,
            address: SocketAddr::new(host, port),
            path: "/".to_owned(),
            protocol: None,
            tls: false,
            raw: false,
            deflate: false,
            connections: 1,
            in_flight: 1,
            room: 5,
            burst: false,
            payload: Kind::Ascii,
            size: 64,
            fragments: 1,
            limit: Limit::Messages(0),
            warmup: Limit::Messages(0),
            stall: Duration::from_secs(10),
            broadcast: false,
            sync: false,
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') | Long("help") => return Ok(None),
                Value(value) if mode.is_none() => {
                    mode = Some(match value.string()?.as_str() {
                        "echo" => Mode::Echo,
                        "broadcast" => Mode::Broadcast,
                        "topics" => Mode::Topics,
                        "connect" => Mode::Connect,
                        "idle" => Mode::Idle,
                        "serve" | "floor" => Mode::Serve,
                        other => return Err(format!("unknown mode {other:?}").into()),
                    });
                }
                Long("host") => host = parser.value()?.parse()?,
                Long("port") => port = parser.value()?.parse()?,
                Long("path") => options.path = parser.value()?.string()?,
                Long("protocol") => options.protocol = Some(parser.value()?.string()?),
                Long("tls") => options.tls = true,
                Long("raw") => options.raw = true,
                Long("deflate") => options.deflate = true,
                Long("connections") => options.connections = parser.value()?.parse()?,
                Long("in-flight") => options.in_flight = parser.value()?.parse()?,
                Long("room") => options.room = parser.value()?.parse()?,
                Long("burst") => options.burst = true,
                Long("payload") => options.payload = parser.value()?.parse()?,
                Long("size") => options.size = parser.value()?.parse()?,
                Long("fragments") => options.fragments = parser.value()?.parse()?,
                Long("messages") => messages = Some(parser.value()?.parse()?),
                Long("duration") => duration = parser.value()?.parse()?,
                Long("warmup") => warmup = parser.value()?.parse()?,
                Long("stall") => options.stall = seconds(parser.value()?.parse()?)?,
                Long("broadcast") => options.broadcast = true,
                Long("sync") => options.sync = true,
                _ => return Err(argument.unexpected()),
            }
        }
        options.mode = mode.ok_or("a mode is needed")?;
        options.address = SocketAddr::new(host, port);
        options.limit =
            messages.map_or(seconds(duration).map(Limit::Time), |count| Ok(Limit::Messages(count)))?;
        options.warmup = Limit::Time(seconds(warmup)?);
        options.check()?;
        Ok(Some(options))
    }

    /// Refuses combinations that make no sense.
    fn check(&self) -> Result<(), lexopt::Error> {
        if self.mode != Mode::Serve && self.address.port() == 0 {
            return Err("--port is needed".into());
        }
        if self.connections == 0 || self.in_flight == 0 || self.fragments == 0 {
            return Err("--connections, --in-flight and --fragments are at least 1".into());
        }
        if self.mode == Mode::Topics && (self.room < 2 || self.connections < self.room) {
            return Err("--room is at least 2, and there are enough --connections for one".into());
        }
        if self.raw && (!matches!(self.mode, Mode::Echo | Mode::Idle) || self.deflate) {
            return Err("--raw goes with echo and idle only, and not with --deflate".into());
        }
        if self.payload == Kind::SocketIo {
            if self.mode != Mode::Echo || self.deflate || self.raw {
                return Err("--payload socket.io goes with echo only, and not with --deflate or --raw".into());
            }
            if self.size < SHORTEST_EVENT {
                return Err(format!("--payload socket.io needs a --size of {SHORTEST_EVENT} at least").into());
            }
        }
        if self.deflate && self.fragments > 1 {
            return Err("--deflate sends every message as one frame".into());
        }
        Ok(())
    }
}

/// Seconds from the command line as a duration.
fn seconds(value: f64) -> Result<Duration, lexopt::Error> {
    Duration::try_from_secs_f64(value).map_err(|error| format!("{value} is no time: {error}").into())
}
