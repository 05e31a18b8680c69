//! Messages to an echo server, and one message to many connections. Every reply is compared with what was sent.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use crate::client::{self, Connection, Event, SCRATCH};
use crate::error::{Context, Result, peer};
use crate::options::{Limit, Options};
use crate::payload::{self, Template};
use crate::report::{self, Stats};

/// The bookkeeping of one connection.
#[derive(Debug, Default)]
struct Flow {
    /// Messages sent and replies received since the connection was opened.
    sent: u64,
    received: u64,
    /// How many more may be sent in this phase.
    quota: u64,
    /// When each unanswered message was sent.
    stamps: VecDeque<Instant>,
}

/// A run: connections, what they send, and the readiness set.
struct Run<'a> {
    options: &'a Options,
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    templates: Vec<Template>,
    connections: Vec<Connection>,
}

impl<'a> Run<'a> {
    fn open(options: &'a Options) -> Result<Self> {
        let templates = payload::templates(options.payload, options.size, options.fragments);
        let raw = options.raw.then(|| templates[0].wire.len());
        let mut poll = Poll::new().context("poll")?;
        let connections = client::open_all(options, &mut poll, raw)?;
        let events = Events::with_capacity(1024);
        Ok(Self { options, poll, events, scratch: vec![0; SCRATCH], templates, connections })
    }

    /// Warm-up, measurement, result, closing handshakes.
    fn finish(mut self, mut phase: impl FnMut(&mut Self, Limit) -> Result<Stats>) -> Result<()> {
        let options = self.options;
        phase(&mut self, options.warmup)?;
        report::gate(options.sync, "ready")?;
        let cpu = report::cpu_seconds()?;
        let stats = phase(&mut self, options.limit)?;
        report::result(&stats, cpu, options.sync)?;
        client::close_all(options, &mut self.poll, self.connections)
    }
}

/// The template of message `number` on connection `index`: neighbours say different things.
fn template_of(templates: &[Template], index: usize, number: u64) -> &Template {
    &templates[(number as usize + index * 7) % templates.len()]
}

/// Compares a reply with what it should be.
fn check(event: &Event<'_>, expected: &Template, raw: bool) -> Result<()> {
    match event {
        Event::Message(_, payload) if raw => {
            if *payload == expected.wire {
                Ok(())
            } else {
                peer("the bytes that came back are not those sent")
            }
        }
        Event::Message(opcode, payload) => {
            if *opcode != expected.opcode {
                return peer(format!("a reply is {opcode:?} instead of {:?}", expected.opcode));
            }
            if payload.len() != expected.payload.len() {
                return peer(format!(
                    "a reply has {} bytes instead of {}",
                    payload.len(),
                    expected.payload.len()
                ));
            }
            if *payload == expected.payload { Ok(()) } else { peer("a reply differs from what was sent") }
        }
        Event::Close(code) => peer(format!("the server closed a connection with code {code}")),
        Event::Open => peer("a second handshake"),
    }
}

/// The deadline of a phase that runs for a time.
fn deadline(limit: Limit, start: Instant) -> Option<Instant> {
    match limit {
        Limit::Messages(_) => None,
        Limit::Time(time) => Some(start + time),
    }
}

/// Whether the phase has nothing to do: a warm-up of zero.
fn is_empty(limit: Limit) -> bool {
    matches!(limit, Limit::Messages(0) | Limit::Time(Duration::ZERO))
}

/// Messages to an echo server.
pub fn run(options: &Options) -> Result<()> {
    let mut flows: Vec<Flow> = (0..options.connections).map(|_| Flow::default()).collect();
    Run::open(options)?.finish(|run, limit| echo_phase(run, &mut flows, limit))
}

fn echo_phase(run: &mut Run<'_>, flows: &mut [Flow], limit: Limit) -> Result<Stats> {
    let options = run.options;
    let depth = options.in_flight as u64;
    let count = run.connections.len() as u64;
    let mut latency = report::histogram()?;
    let (mut messages, mut outstanding) = (0_u64, 0_u64);
    let start = Instant::now();
    let deadline = deadline(limit, start);
    let mut last = start;
    for (index, flow) in flows.iter_mut().enumerate() {
        flow.quota = match limit {
            Limit::Messages(all) => all / count + u64::from((index as u64) < all % count),
            Limit::Time(_) if is_empty(limit) => 0,
            Limit::Time(_) => u64::MAX,
        };
        outstanding +=
            refill(&mut run.connections[index], flow, index, &run.templates, depth, Instant::now())?;
    }
    while outstanding > 0 {
        client::poll_once(&mut run.poll, &mut run.events, options)?;
        for ready in &run.events {
            let index = ready.token().0;
            let (connection, flow) = (&mut run.connections[index], &mut flows[index]);
            if ready.is_writable() {
                connection.flush()?;
            }
            let mut replies = 0_u64;
            connection.read(ready, &mut run.scratch, |event| {
                if flow.received == flow.sent {
                    return peer(format!("a reply too many: {event:?}"));
                }
                check(&event, template_of(&run.templates, index, flow.received), options.raw)?;
                flow.received += 1;
                replies += 1;
                Ok(())
            })?;
            if connection.ended() {
                return peer("the server ended a connection; replies are missing");
            }
            if replies == 0 {
                continue;
            }
            let now = Instant::now();
            last = now;
            messages += replies;
            outstanding -= replies;
            for stamp in flow.stamps.drain(..replies as usize) {
                latency.saturating_record((now - stamp).as_nanos() as u64);
            }
            if deadline.is_some_and(|deadline| now >= deadline) {
                flow.quota = 0;
            }
            let wanted = match options.burst {
                true if flow.received == flow.sent => depth,
                true => 0,
                false => replies,
            };
            outstanding += refill(connection, flow, index, &run.templates, wanted, now)?;
        }
        if outstanding > 0 && last.elapsed() > options.stall {
            return peer(format!("{outstanding} replies are missing"));
        }
    }
    Ok(Stats { messages, elapsed: last - start, latency })
}

/// Sends up to `wanted` messages in one write and returns how many.
fn refill(
    connection: &mut Connection,
    flow: &mut Flow,
    index: usize,
    templates: &[Template],
    wanted: u64,
    now: Instant,
) -> Result<u64> {
    let count = wanted.min(flow.quota);
    for _ in 0..count {
        connection.send(template_of(templates, index, flow.sent))?;
        flow.sent += 1;
        flow.stamps.push_back(now);
    }
    flow.quota -= count;
    if count > 0 {
        connection.flush()?;
    }
    Ok(count)
}

/// Messages to a server that sends each to everyone; counts deliveries.
pub fn run_broadcast(options: &Options) -> Result<()> {
    run_rooms(options, &mut [Room::new(0, 0..options.connections)], options.connections)
}

/// Messages to a server that sends each to all others in the room of whoever has sent it; the first one in each room does.
pub fn run_topics(options: &Options) -> Result<()> {
    let size = options.room;
    let mut rooms: Vec<Room> = (0..options.connections / size)
        .map(|room| Room::new(room * size, room * size + 1..(room + 1) * size))
        .collect();
    run_rooms(options, &mut rooms, size)
}

fn run_rooms(options: &Options, rooms: &mut [Room], size: usize) -> Result<()> {
    Run::open(options)?.finish(|run, limit| rooms_phase(run, rooms, size, limit))
}

/// The bookkeeping of messages that one connection sends and others get.
struct Room {
    /// Who sends.
    sender: usize,
    audience: Range<usize>,
    sent: u64,
    /// How many have arrived on each connection of the audience.
    received: Vec<u64>,
    /// Those under way, the oldest first: when they were sent, and to how many they have yet to be delivered.
    pending: VecDeque<(Instant, usize)>,
}

impl Room {
    fn new(sender: usize, audience: Range<usize>) -> Self {
        let received = vec![0; audience.len()];
        Self { sender, audience, sent: 0, received, pending: VecDeque::new() }
    }

    /// Sends as many messages as there is room for, in one write.
    fn refill(&mut self, run: &mut Run<'_>, quota: &mut u64) -> Result<()> {
        let room =
            (run.options.in_flight - self.pending.len()).min(usize::try_from(*quota).unwrap_or(usize::MAX));
        let now = Instant::now();
        let sender = &mut run.connections[self.sender];
        for _ in 0..room {
            sender.send(template_of(&run.templates, self.sender, self.sent))?;
            self.sent += 1;
            self.pending.push_back((now, self.audience.len()));
        }
        *quota -= room as u64;
        if room > 0 { sender.flush() } else { Ok(()) }
    }

    /// Takes note of a delivery and returns when its message was sent.
    fn deliver(&mut self, index: usize, event: &Event<'_>, templates: &[Template]) -> Result<Instant> {
        if !self.audience.contains(&index) {
            return peer(format!("a delivery to its sender: {event:?}"));
        }
        let received = &mut self.received[index - self.audience.start];
        let number = *received;
        if number == self.sent {
            return peer(format!("a delivery too many: {event:?}"));
        }
        check(event, template_of(templates, self.sender, number), false)?;
        *received += 1;
        let oldest = self.sent - self.pending.len() as u64;
        let (sent, left) = &mut self.pending[(number - oldest) as usize];
        *left -= 1;
        Ok(*sent)
    }

    /// Forgets what was delivered to everyone. In order: a later message cannot be complete before an earlier one.
    fn settle(&mut self) {
        while self.pending.front().is_some_and(|(_, left)| *left == 0) {
            self.pending.pop_front();
        }
    }
}

/// `size`: how many connections are in each room.
fn rooms_phase(run: &mut Run<'_>, rooms: &mut [Room], size: usize, limit: Limit) -> Result<Stats> {
    let options = run.options;
    let mut latency = report::histogram()?;
    let mut messages = 0_u64;
    let start = Instant::now();
    let deadline = deadline(limit, start);
    let mut last = start;
    let mut quota = match limit {
        Limit::Messages(count) => count,
        Limit::Time(_) if is_empty(limit) => 0,
        Limit::Time(_) => u64::MAX,
    };
    let mut active = Vec::new();
    for room in &mut *rooms {
        room.refill(run, &mut quota)?;
    }
    let mut busy = rooms.iter().filter(|room| !room.pending.is_empty()).count();
    while busy > 0 {
        client::poll_once(&mut run.poll, &mut run.events, options)?;
        for ready in &run.events {
            let index = ready.token().0;
            let connection = &mut run.connections[index];
            if ready.is_writable() {
                connection.flush()?;
            }
            let now = Instant::now();
            // Connections that are left over are in no room.
            let number = index / size;
            connection.read(ready, &mut run.scratch, |event| {
                let Some(room) = rooms.get_mut(number) else {
                    return peer(format!("a delivery to nobody's room: {event:?}"));
                };
                let sent = room.deliver(index, &event, &run.templates)?;
                latency.saturating_record((now - sent).as_nanos() as u64);
                messages += 1;
                last = now;
                active.push(number);
                Ok(())
            })?;
            if connection.ended() {
                return peer("the server ended a connection; deliveries are missing");
            }
        }
        if deadline.is_some_and(|deadline| last >= deadline) {
            quota = 0;
        }
        active.dedup();
        for number in active.drain(..) {
            let room = &mut rooms[number];
            if room.pending.is_empty() {
                continue;
            }
            room.settle();
            room.refill(run, &mut quota)?;
            busy -= usize::from(room.pending.is_empty());
        }
        if busy > 0 && last.elapsed() > options.stall {
            return peer(format!("deliveries in {busy} rooms are missing"));
        }
    }
    Ok(Stats { messages, elapsed: last - start, latency })
}
