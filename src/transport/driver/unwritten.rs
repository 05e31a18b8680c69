//! Whether JavaScript has sent something that nobody has written yet, for [`super::write_behind`].

use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use super::surroundings::Notify;
use crate::transport::sync::{AtomicBool, AtomicU32};

/// What the JavaScript thread tells the task that writes behind.
#[derive(Default)]
pub(super) struct Unwritten {
    /// Whether something was sent since the last flush.
    pub(super) pending: AtomicBool,
    /// The number of flushes that had something to write.
    pub(super) flushes: AtomicU32,
    /// Whether the task is looking.
    awake: AtomicBool,
    /// Wakes the task.
    pub(super) notify: Arc<Notify>,
}

impl Unwritten {
    /// Something was sent.
    pub(super) fn note_send(&self) {
        if self.pending.load(Relaxed) {
            return;
        }
        self.pending.store(true, SeqCst);
        if !self.awake.swap(true, SeqCst) {
            self.notify.notify_one();
        }
    }

    /// The task has seen no traffic for a while. True when it sleeps from now on, until it is notified.
    pub(super) fn may_sleep(&self) -> bool {
        // A swap, so that it is in one order with that of `note_send`: the later of the two sees what the earlier one did.
        self.awake.swap(false, SeqCst);
        // Unless something was sent just now by somebody who saw the task awake.
        !self.pending.load(SeqCst) || self.awake.swap(true, SeqCst)
    }

    /// What was sent is being written.
    pub(super) fn note_flush(&self) {
        if self.pending.load(Relaxed) {
            self.pending.store(false, Relaxed);
            self.flushes.fetch_add(1, Relaxed);
        }
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::thread;

    use super::super::loom_tests::model;
    use super::*;

    #[test]
    fn what_is_sent_while_the_task_falls_asleep_wakes_it() {
        model(|| {
            let unwritten = Arc::new(Unwritten::default());
            unwritten.awake.store(true, SeqCst);
            let other = Arc::clone(&unwritten);
            let task = thread::spawn(move || {
                while !other.pending.load(SeqCst) {
                    if other.may_sleep() {
                        other.notify.wait();
                    }
                }
            });
            unwritten.note_send();
            unwritten.note_flush();
            unwritten.note_send();
            task.join().expect("no panic");
        });
    }

    #[test]
    fn the_task_finds_what_was_sent_before_it_was_asleep() {
        model(|| {
            let unwritten = Arc::new(Unwritten::default());
            let other = Arc::clone(&unwritten);
            let task = thread::spawn(move || {
                other.notify.wait();
                while !other.pending.load(SeqCst) {
                    if other.may_sleep() {
                        other.notify.wait();
                    }
                }
            });
            unwritten.note_send();
            task.join().expect("no panic");
        });
    }
}
