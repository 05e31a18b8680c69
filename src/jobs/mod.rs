//! Work that takes long, to be done on whichever thread gets to it first.
//!
//! It is begun on another thread, so that the one that handles all connections is not held up. Whoever cannot wait for it
//! calls for the result: if nobody has begun, the work is done on the spot.

pub(crate) mod compress;
pub(crate) mod receive;

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Something to be done once.
pub(crate) trait Work {
    /// What comes of it.
    type Done;

    /// Does it. A panic would leave those who wait without a result.
    fn run(self) -> Self::Done;
}

enum State<W: Work> {
    Waiting(W),
    Running,
    Done(W::Done),
    Taken,
}

/// Work, or what has come of it.
pub(crate) struct Job<W: Work> {
    state: Mutex<State<W>>,
    done: Condvar,
}

impl<W: Work> Job<W> {
    pub(crate) fn new(work: W) -> Self {
        Self { state: Mutex::new(State::Waiting(work)), done: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the work, unless somebody has begun.
    pub(crate) fn run(&self) {
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
    pub(crate) fn take(&self) -> Option<W::Done> {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::SeqCst;
    use std::time::Duration;

    use super::*;

    struct Slow(Arc<AtomicUsize>);

    impl Work for Slow {
        type Done = usize;

        fn run(self) -> usize {
            std::thread::sleep(Duration::from_millis(20));
            self.0.fetch_add(1, SeqCst) + 1
        }
    }

    #[test]
    fn work_that_nobody_has_begun_is_done_on_the_spot() {
        let runs = Arc::default();
        let job = Job::new(Slow(Arc::clone(&runs)));
        assert_eq!(job.take(), Some(1));
        assert_eq!(job.take(), None);
        job.run();
        assert_eq!(runs.load(SeqCst), 1);
    }

    #[test]
    fn whoever_calls_for_the_result_waits_for_the_thread_that_has_begun() {
        let runs = Arc::default();
        let job = Arc::new(Job::new(Slow(Arc::clone(&runs))));
        let other = Arc::clone(&job);
        let thread = std::thread::spawn(move || other.run());
        assert_eq!(job.take(), Some(1));
        thread.join().unwrap();
        assert_eq!(runs.load(SeqCst), 1);
    }
}
