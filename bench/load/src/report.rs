//! What goes to stdout, and the pauses in which the runner reads the server's counters.

use std::io::{BufRead, Write};
use std::time::Duration;

use hdrhistogram::Histogram;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::{Value, json};

use crate::error::{Context, Error, Result};

/// What one phase measured.
#[derive(Debug)]
pub struct Stats {
    /// Replies, deliveries or cycles.
    pub messages: u64,
    /// From the first send to the last reply.
    pub elapsed: Duration,
    /// Latency in nanoseconds.
    pub latency: Histogram<u64>,
}

/// A histogram for latencies from 100 ns to a minute, three digits precise.
pub fn histogram() -> Result<Histogram<u64>> {
    Histogram::new_with_bounds(100, 60_000_000_000, 3)
        .map_err(|error| Error::Peer(format!("histogram: {error}")))
}

/// Prints one line of JSON and makes sure that it is out.
pub fn print(value: &Value) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{value}").and_then(|()| stdout.flush()).context("stdout")
}

/// Tells the runner that a point is reached and waits for its line.
pub fn gate(sync: bool, event: &str) -> Result<()> {
    if sync {
        print(&json!({ "event": event }))?;
        wait_for_line()?;
    }
    Ok(())
}

/// Waits for a line, or the end, of stdin.
pub fn wait_for_line() -> Result<()> {
    std::io::stdin().lock().read_line(&mut String::new()).context("stdin")?;
    Ok(())
}

/// Prints the result and, when asked to, waits until the runner has read the counters.
pub fn result(stats: &Stats, cpu_before: f64, sync: bool) -> Result<()> {
    let percentile = |p: f64| stats.latency.value_at_quantile(p / 100.0) as f64 / 1000.0;
    let seconds = stats.elapsed.as_secs_f64();
    print(&json!({
        "event": "result",
        "messages": stats.messages,
        "seconds": seconds,
        "rate": stats.messages as f64 / seconds,
        "latency": {
            "p50": percentile(50.0), "p90": percentile(90.0), "p99": percentile(99.0),
            "p999": percentile(99.9), "max": stats.latency.max() as f64 / 1000.0,
        },
        "loadCpu": cpu_seconds()? - cpu_before,
    }))?;
    if sync {
        wait_for_line()?;
    }
    Ok(())
}

/// CPU seconds that this process has used, to see whether the load generator was the bottleneck.
pub fn cpu_seconds() -> Result<f64> {
    let (user, system) = cpu_micros()?;
    Ok((user + system) as f64 / 1e6)
}

/// User and system time of this process in microseconds.
pub fn cpu_micros() -> Result<(i64, i64)> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).map_err(|errno| Error::Io("getrusage", errno.into()))?;
    Ok((usage.user_time().num_microseconds(), usage.system_time().num_microseconds()))
}
