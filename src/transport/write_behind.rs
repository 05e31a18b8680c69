//! Writes what JavaScript has sent and, busy with something else, does not come to write.
//!
//! Frames wait for the end of the batch or tick in which they were sent. A program that computes for a second right after
//! a send would keep its peer waiting; this task of the runtime writes in its place after two milliseconds. It looks at a
//! counter every millisecond while there is traffic, and sleeps when there is none.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use super::exchange::Exchange;

/// How often the task looks.
const PERIOD: Duration = Duration::from_millis(1);

/// Looks without any traffic after which the task goes to sleep.
const PATIENCE: u32 = 100;

/// What the JavaScript thread tells the task.
#[derive(Default)]
pub(crate) struct Unwritten {
    /// Whether something was sent since the last flush.
    pending: AtomicBool,
    /// The number of flushes that had something to write.
    flushes: AtomicU32,
    /// Whether the task is looking.
    awake: AtomicBool,
    /// Wakes the task.
    notify: Arc<Notify>,
}

impl Unwritten {
    /// Something was sent.
    pub(crate) fn note_send(&self) {
        if self.pending.load(Relaxed) {
            return;
        }
        self.pending.store(true, SeqCst);
        if !self.awake.swap(true, SeqCst) {
            self.notify.notify_one();
        }
    }

    /// What was sent is being written.
    pub(crate) fn note_flush(&self) {
        if self.pending.load(Relaxed) {
            self.pending.store(false, Relaxed);
            self.flushes.fetch_add(1, Relaxed);
        }
    }
}

/// The task; ends with the last reference to `exchange`.
pub(crate) async fn run(exchange: Weak<Exchange>, notify: Arc<Notify>) {
    let mut seen = None;
    let mut quiet = 0;
    loop {
        let asleep = {
            let Some(exchange) = exchange.upgrade() else { return };
            let Unwritten { pending, flushes, awake, .. } = &exchange.unwritten;
            let count = flushes.load(Relaxed);
            let waiting = pending.load(SeqCst);
            if waiting && seen == Some(count) {
                // Two looks in a row: it waits for at least a millisecond.
                exchange.write_behind();
            }
            quiet = if waiting || seen.is_some_and(|before| before != count) { 0 } else { quiet + 1 };
            seen = Some(count);
            if quiet > PATIENCE {
                awake.store(false, SeqCst);
                // Unless something was sent just now by somebody who saw the task awake.
                !pending.load(SeqCst) || awake.swap(true, SeqCst)
            } else {
                false
            }
        };
        if asleep {
            quiet = 0;
            seen = None;
            notify.notified().await;
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// What [`run`] needs to be woken with.
pub(crate) fn notify(exchange: &Exchange) -> Arc<Notify> {
    Arc::clone(&exchange.unwritten.notify)
}
