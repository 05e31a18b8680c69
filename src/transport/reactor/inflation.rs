//! Input that takes long to inflate goes to a thread of its own, with the receiver it is for.
//!
//! A socket is not read from the moment such input has come until all of it is inflated, so order and backpressure stay as
//! they are. Work is done in portions (see [`Receive`]), few at a time, and only while there is room for what comes out:
//! that bounds the memory, however many peers send how much.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use mio::Waker;

use super::event::ConnectionId;
use crate::jobs::Job;
use crate::jobs::receive::Receive;
use crate::protocol::receiver::Receiver;

/// Portions that are worked on, or are finished and not taken back, at a time.
const MAX_UNDER_WAY: usize = 4;

/// With the input of this many sockets waiting, sockets that may bring more of the kind are not read.
const CROWD: usize = 64;

/// Has something run on another thread.
pub(crate) type Spawn = Box<dyn Fn(Box<dyn FnOnce() + Send>) + Send>;

/// Limits and mode that a receiver gets when it is back; see [`Receiver::configure`].
pub(super) type Configuration = (u64, u64, bool);

/// What a socket has while its input is inflated.
pub(super) struct Inflating {
    pub(super) step: Step,
    pub(super) configure: Option<Configuration>,
}

pub(super) enum Step {
    /// The input waits for a thread; the socket has its receiver.
    Waiting(Vec<u8>),
    /// A thread has both.
    Running(Arc<Job<Receive>>),
}

/// The inflations of one reactor.
pub(super) struct Inflations {
    spawn: Spawn,
    finished: Arc<Finished>,
    under_way: usize,
    waiting: VecDeque<ConnectionId>,
    /// Sockets that are not read because too many wait.
    crowded: Vec<ConnectionId>,
}

struct Finished {
    ids: Mutex<Vec<ConnectionId>>,
    waker: Arc<Waker>,
}

impl Finished {
    fn push(&self, id: ConnectionId) {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        // It fails only when the counter behind it overflows, and then the descriptor is readable anyway.
        let _ = self.waker.wake();
    }
}

impl Inflations {
    pub(super) fn new(waker: Arc<Waker>, spawn: Spawn) -> Self {
        Self {
            spawn,
            finished: Arc::new(Finished { ids: Mutex::default(), waker }),
            under_way: 0,
            waiting: VecDeque::new(),
            crowded: Vec::new(),
        }
    }

    /// A socket has input that waits.
    pub(super) fn enqueue(&mut self, id: ConnectionId) {
        self.waiting.push_back(id);
    }

    /// The next socket whose input a thread should get; `None` when none waits or enough is under way.
    pub(super) fn next_waiting(&mut self) -> Option<ConnectionId> {
        if self.under_way < MAX_UNDER_WAY { self.waiting.pop_front() } else { None }
    }

    /// Whether a thread could be given something.
    pub(super) fn can_start(&self) -> bool {
        self.under_way < MAX_UNDER_WAY && !self.waiting.is_empty()
    }

    /// Has a thread work on a portion. The reactor is woken when that is done.
    pub(super) fn start(
        &mut self,
        id: ConnectionId,
        receiver: Receiver,
        input: Vec<u8>,
    ) -> Arc<Job<Receive>> {
        let job = Arc::new(Job::new(Receive { receiver, input }));
        let (work, finished) = (Arc::clone(&job), Arc::clone(&self.finished));
        self.under_way += 1;
        (self.spawn)(Box::new(move || {
            work.run();
            finished.push(id);
        }));
        job
    }

    /// Whether a portion is done and was not taken back.
    pub(super) fn has_finished(&self) -> bool {
        self.under_way > 0 && !self.finished.ids.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// A socket whose portion is done.
    pub(super) fn next_finished(&mut self) -> Option<ConnectionId> {
        if self.under_way == 0 {
            return None;
        }
        let id = self.finished.ids.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        self.under_way -= 1;
        Some(id)
    }

    /// Whether sockets that may bring more have to wait.
    pub(super) fn is_crowded(&self) -> bool {
        self.waiting.len() >= CROWD
    }

    /// Notes a socket that is not read until [`Inflations::take_crowded`] names it.
    pub(super) fn crowd_out(&mut self, id: ConnectionId) {
        self.crowded.push(id);
    }

    /// The sockets that may be read again.
    pub(super) fn take_crowded(&mut self) -> Vec<ConnectionId> {
        if self.waiting.len() < CROWD / 2 { std::mem::take(&mut self.crowded) } else { Vec::new() }
    }
}

#[cfg(test)]
#[path = "inflation_tests.rs"]
mod tests;
