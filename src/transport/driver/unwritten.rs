//! Whether JavaScript has sent something that nobody has written yet, for [`super::write_behind`].

use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32};

use tokio::sync::Notify;

/// What the JavaScript thread tells the task that writes behind.
#[derive(Default)]
pub(super) struct Unwritten {
    /// Whether something was sent since the last flush.
    pub(super) pending: AtomicBool,
    /// The number of flushes that had something to write.
    pub(super) flushes: AtomicU32,
    /// Whether the task is looking.
    pub(super) awake: AtomicBool,
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

    /// What was sent is being written.
    pub(super) fn note_flush(&self) {
        if self.pending.load(Relaxed) {
            self.pending.store(false, Relaxed);
            self.flushes.fetch_add(1, Relaxed);
        }
    }
}
