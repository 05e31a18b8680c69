//! What drives the reactor in place of Node's event loop: one task of a tokio runtime.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

use super::batch::Batch;
use super::exchange::{Exchange, Progress};
use super::reactor::READ_LEN;
use super::runtime;

/// Has a worker drive the reactor of `exchange` until it is taken back. `set` is a duplicate of its set's descriptor.
///
/// # Errors
/// When there is no runtime, or it cannot watch the set; nobody drives the reactor then.
#[expect(unsafe_code, reason = "tokio has no safe way to watch a descriptor that is no socket of its own")]
pub(crate) fn start(exchange: Arc<Exchange>, set: OwnedFd) -> io::Result<()> {
    let runtime = runtime::get()?;
    let _context = runtime.enter();
    // SAFETY: an `OwnedFd` is open until it is dropped, and always the same descriptor.
    let set = unsafe { AsyncFd::register_with_interest(set, Interest::READABLE) }
        .map_err(|error| error.into_parts().1)?;
    runtime.spawn(drive(exchange, set));
    Ok(())
}

async fn drive(exchange: Arc<Exchange>, set: AsyncFd<OwnedFd>) {
    /// Says that the worker is gone, however it goes.
    struct Farewell(Arc<Exchange>);
    impl Drop for Farewell {
        fn drop(&mut self) {
            self.0.worker_is_gone();
        }
    }

    let farewell = Farewell(exchange);
    let exchange = &farewell.0;
    let mut memory = vec![0; READ_LEN];
    let mut batch = Batch::default();
    // Nothing to clear before the first turn, which takes what was sent while nobody drove.
    let mut ready = None;
    loop {
        match exchange.turn(&mut memory, &mut batch) {
            // Others have their turn on this thread as well.
            Progress::Some => tokio::task::yield_now().await,
            Progress::None => {
                // Readiness that came during the turn stays: the guard clears what it has seen.
                if let Some(mut ready) = ready.take() {
                    AsyncFdReadyGuard::clear_ready(&mut ready);
                }
                if exchange.park() {
                    let Ok(guard) = set.readable().await else { break };
                    ready = Some(guard);
                    exchange.woken();
                }
            }
            Progress::Over => break,
        }
    }
}
