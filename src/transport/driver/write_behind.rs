//! Writes what JavaScript has sent while it is busy with something else.
//!
//! Frames wait for the end of the turn or tick in which they were sent. A program that computes for a second right after
//! a send would keep its peer waiting; this task of the runtime writes in its place after four to eight milliseconds. It looks at a
//! counter every four milliseconds while there is traffic, and sleeps when there is none.

use std::sync::Weak;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

use super::shared_reactor::SharedReactor;
use super::unwritten::Unwritten;

/// How often the task looks.
const PERIOD: Duration = Duration::from_millis(4);

/// Looks without any traffic after which the task goes to sleep.
const PATIENCE: u32 = 25;

/// The task; ends with the last reference to `shared`.
pub(super) async fn run(shared: Weak<SharedReactor>) {
    let Some(notify) = shared.upgrade().map(|shared| shared.unwritten.notify.clone()) else { return };
    let mut seen = None;
    let mut quiet = 0;
    loop {
        let asleep = {
            let Some(shared) = shared.upgrade() else { return };
            let Unwritten { pending, flushes, .. } = &shared.unwritten;
            let count = flushes.load(Relaxed);
            let waiting = pending.load(SeqCst);
            if waiting && seen == Some(count) {
                // Two looks in a row: it waits for at least four milliseconds.
                shared.write_behind();
            }
            quiet = if waiting || seen.is_some_and(|before| before != count) { 0 } else { quiet + 1 };
            seen = Some(count);
            quiet > PATIENCE && shared.unwritten.may_sleep()
        };
        if asleep {
            quiet = 0;
            seen = None;
            notify.notified().await;
        }
        tokio::time::sleep(PERIOD).await;
    }
}
