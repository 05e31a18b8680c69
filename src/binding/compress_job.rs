//! Large messages are compressed on another thread, so that the JavaScript thread is not held up.
//!
//! The compressor goes with the message and comes back with the result, so nothing else can be compressed by it meanwhile;
//! what else is to be sent by the connection waits in JavaScript. Whoever cannot wait calls for the result: if nobody has
//! begun, it is made on the spot.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Result, Task};

use crate::protocol::Compressor;

/// A message and what compresses it.
pub(super) struct Work {
    pub(super) compressor: Compressor,
    pub(super) payload: Vec<u8>,
}

/// What has become of it.
pub(super) struct Done {
    pub(super) compressor: Compressor,
    pub(super) payload: Vec<u8>,
    pub(super) compressed: bool,
}

impl Work {
    fn run(self) -> Done {
        let Self { mut compressor, payload } = self;
        // Should it fail: the message goes out as it is, and nothing refers to it.
        match catch_unwind(AssertUnwindSafe(|| compressor.compress(&payload, <[u8]>::to_vec))) {
            Ok(Some(payload)) => return Done { compressor, payload, compressed: true },
            Ok(None) => {}
            Err(_) => compressor.forget(),
        }
        Done { compressor, payload, compressed: false }
    }
}

enum State {
    Waiting(Work),
    Running,
    Done(Done),
    Taken,
}

/// The work on one message.
pub(super) struct Job {
    state: Mutex<State>,
    done: Condvar,
}

impl Job {
    pub(super) fn new(work: Work) -> Self {
        Self { state: Mutex::new(State::Waiting(work)), done: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the work, unless somebody has begun.
    fn run(&self) {
        let mut state = self.lock();
        if !matches!(*state, State::Waiting(_)) {
            return;
        }
        let State::Waiting(work) = std::mem::replace(&mut *state, State::Running) else { return };
        drop(state);
        let done = work.run();
        *self.lock() = State::Done(done);
        self.done.notify_all();
    }

    /// The result, once: waits for it, or makes it here if nobody has begun.
    pub(super) fn take(&self) -> Option<Done> {
        self.run();
        let mut state = self.lock();
        while matches!(*state, State::Running) {
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        match std::mem::replace(&mut *state, State::Taken) {
            State::Done(done) => Some(done),
            _ => None,
        }
    }
}

/// Work for a thread of libuv's pool.
pub struct Compression(pub(super) Arc<Job>);

impl Task for Compression {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        self.0.run();
        Ok(())
    }

    fn resolve(&mut self, _: Env, (): ()) -> Result<()> {
        Ok(())
    }
}

impl Compression {
    pub(super) fn task(job: &Arc<Job>) -> AsyncTask<Self> {
        AsyncTask::new(Self(Arc::clone(job)))
    }
}
