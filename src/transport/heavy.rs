//! Input that takes long to inflate goes to a thread of the runtime, with the receiver it is for.
//!
//! The socket is not read until both are back, so order and backpressure stay as they are, and no connection has more than
//! one read under way.

use std::sync::{Arc, Mutex, PoisonError};

use mio::Waker;

use super::reactor::Id;
use super::runtime;
use crate::jobs::Job;
use crate::jobs::receive::Receive;
use crate::protocol::receiver::Receiver;

/// What a socket has instead of its receiver.
pub(super) struct Away {
    pub(super) job: Arc<Job<Receive>>,
    /// What the receiver is to be told when it is back; see [`Receiver::configure`].
    pub(super) configure: Option<(u64, u64, bool)>,
}

/// The jobs of one readiness set.
pub(super) struct Heavy {
    /// Jobs that were begun and not asked for by [`Heavy::next`].
    under_way: usize,
    finished: Arc<Finished>,
}

struct Finished {
    ids: Mutex<Vec<Id>>,
    waker: Arc<Waker>,
}

impl Finished {
    fn push(&self, id: Id) {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        // It fails only when the counter behind it overflows, and then the descriptor is readable anyway.
        let _ = self.waker.wake();
    }
}

impl Heavy {
    pub(super) fn new(waker: Arc<Waker>) -> Self {
        let finished = Arc::new(Finished { ids: Mutex::default(), waker });
        Self { under_way: 0, finished }
    }

    /// Has a receiver work on `input`; the set is woken when that is done.
    pub(super) fn start(&mut self, id: Id, receiver: Receiver, input: &[u8]) -> Away {
        let job = Arc::new(Job::new(Receive { receiver, input: input.to_vec() }));
        let (work, finished) = (Arc::clone(&job), Arc::clone(&self.finished));
        self.under_way += 1;
        let run = move || {
            work.run();
            finished.push(id);
        };
        match runtime::get() {
            Ok(runtime) => drop(runtime.spawn_blocking(run)),
            Err(_) => run(),
        }
        Away { job, configure: None }
    }

    /// A connection whose job is done.
    pub(super) fn next(&mut self) -> Option<Id> {
        if self.under_way == 0 {
            return None;
        }
        let id = self.finished.ids.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        self.under_way -= 1;
        Some(id)
    }
}
