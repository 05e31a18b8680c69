//! Connections that come and go, and connections that do nothing.

use std::time::Instant;

use mio::{Events, Poll, Token};
use serde_json::json;

use crate::client::{self, Connection, Event, SCRATCH};
use crate::error::{Context, Result, peer};
use crate::options::{Limit, Options};
use crate::report::{self, Stats};

/// A connection on its way through one cycle.
struct Cycle {
    connection: Connection,
    started: Instant,
    closed: bool,
}

/// Cycles of connect, opening handshake, closing handshake, end of stream; `--connections` at a time.
pub fn run(options: &Options) -> Result<()> {
    let mut poll = Poll::new().context("poll")?;
    let mut serial = 0;
    cycles(options, &mut poll, &mut serial, options.warmup)?;
    report::gate(options.sync, "ready")?;
    let cpu = report::cpu_seconds()?;
    let stats = cycles(options, &mut poll, &mut serial, options.limit)?;
    report::result(&stats, cpu, options.sync)
}

fn cycles(options: &Options, poll: &mut Poll, serial: &mut u64, limit: Limit) -> Result<Stats> {
    let tls = client::tls_of(options)?;
    let mut scratch = vec![0; SCRATCH];
    let mut events = Events::with_capacity(1024);
    let mut latency = report::histogram()?;
    let start = Instant::now();
    let (mut quota, deadline) = match limit {
        Limit::Messages(count) => (count, None),
        Limit::Time(time) if time.is_zero() => (0, None),
        Limit::Time(time) => (u64::MAX, Some(start + time)),
    };
    let mut last = start;
    let mut messages = 0;
    let mut slots: Vec<Option<Cycle>> = Vec::new();
    let begin = |poll: &mut Poll, index: usize, serial: &mut u64| -> Result<Cycle> {
        let started = Instant::now();
        let mut connection = Connection::connect(options, tls.as_ref(), *serial, None)?;
        *serial += 1;
        connection.register(poll, Token(index))?;
        Ok(Cycle { connection, started, closed: false })
    };
    while slots.len() < options.connections && quota > 0 {
        quota -= 1;
        slots.push(Some(begin(poll, slots.len(), serial)?));
    }
    while slots.iter().any(Option::is_some) {
        client::poll_once(poll, &mut events, options)?;
        for ready in &events {
            let index = ready.token().0;
            let Some(cycle) = &mut slots[index] else { continue };
            let mut open = false;
            let outcome = cycle.connection.read_opening(options, ready, &mut scratch, |event| match event {
                Event::Open => {
                    open = true;
                    Ok(())
                }
                Event::Close(1000) => {
                    cycle.closed = true;
                    Ok(())
                }
                other => peer(format!("unasked for: {other:?}")),
            });
            // A reset after the closing handshake is an end like any other.
            if !cycle.closed {
                outcome?;
            }
            if open {
                cycle.connection.close()?;
                cycle.connection.flush()?;
            }
            if !cycle.connection.ended() {
                continue;
            }
            if !cycle.closed {
                return peer("the server ended a connection without Close");
            }
            last = Instant::now();
            latency.saturating_record((last - cycle.started).as_nanos() as u64);
            messages += 1;
            if deadline.is_some_and(|deadline| last >= deadline) {
                quota = 0;
            }
            slots[index] = None;
            if quota > 0 {
                quota -= 1;
                slots[index] = Some(begin(poll, index, serial)?);
            }
        }
        if last.elapsed() > options.stall {
            return peer("connections were not closed by the server");
        }
    }
    Ok(Stats { messages, elapsed: last - start, latency })
}

/// Opens connections and holds them until told to go.
pub fn run_idle(options: &Options) -> Result<()> {
    let mut poll = Poll::new().context("poll")?;
    let connections = client::open_all(options, &mut poll, options.raw.then_some(1))?;
    report::print(&json!({ "event": "ready", "connections": connections.len() }))?;
    report::wait_for_line()?;
    client::close_all(options, &mut poll, connections)
}
