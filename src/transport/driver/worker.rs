//! What drives the reactor in place of Node's event loop: one task of a tokio runtime.

use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

use super::outgoing::Commands;
use super::runtime;
use super::shared_reactor::{Next, SharedReactor};

/// Has a worker drive the reactor until it is taken back. `set` is a duplicate of its set's descriptor. The caller has called
/// [`SharedReactor::give_to_worker`].
///
/// # Errors
/// When there is no runtime, or it cannot watch the set. The worker has ended then.
pub(crate) fn start(shared: &Arc<SharedReactor>, set: OwnedFd) -> io::Result<()> {
    let started = watch(set).map(|(runtime, set)| runtime.spawn(drive(Arc::clone(shared), set)));
    if started.is_err() {
        shared.worker_ends(false);
    }
    started.map(drop)
}

#[expect(unsafe_code, reason = "tokio has no safe way to watch a descriptor that is no socket of its own")]
fn watch(set: OwnedFd) -> io::Result<(&'static tokio::runtime::Runtime, AsyncFd<OwnedFd>)> {
    let runtime = runtime::get()?;
    let _context = runtime.enter();
    // SAFETY: an `OwnedFd` is open until it is dropped, and always the same descriptor.
    let set = unsafe { AsyncFd::register_with_interest(set, Interest::READABLE) }
        .map_err(|error| error.into_parts().1)?;
    Ok((runtime, set))
}

async fn drive(shared: Arc<SharedReactor>, set: AsyncFd<OwnedFd>) {
    /// Says that the worker has ended, however it does.
    struct Life {
        shared: Arc<SharedReactor>,
        failed: bool,
    }
    impl Drop for Life {
        fn drop(&mut self) {
            self.shared.worker_ends(self.failed);
        }
    }

    let mut life = Life { shared, failed: true };
    let mut commands = Commands::default();
    // Nothing to clear before the first turn, which takes what was sent while nobody drove.
    let mut ready = None;
    loop {
        let shared = &life.shared;
        let Ok(next) = catch_unwind(AssertUnwindSafe(|| shared.turn_on_worker(&mut commands))) else {
            shared.fail();
            return;
        };
        match next {
            // Others have their turn on this thread as well.
            Next::Again => tokio::task::yield_now().await,
            Next::Wait => {
                // Readiness that came during the turn stays: the guard clears what it has seen.
                if let Some(mut ready) = ready.take() {
                    AsyncFdReadyGuard::clear_ready(&mut ready);
                }
                if shared.park_worker() {
                    let Ok(guard) = set.readable().await else { return };
                    ready = Some(guard);
                    shared.worker_wakes();
                }
            }
            Next::Over => {
                life.failed = false;
                return;
            }
        }
    }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
