//! The tokio runtime of this process.

use std::io;
use std::num::NonZero;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// The runtime, started when it is first needed, shared by all environments of the process, sized to the cores.
///
/// # Errors
/// When the operating system gives no threads; it is not tried again.
pub(crate) fn get() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let start = || {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Builder::new_multi_thread()
            .thread_name("websocket")
            // They inflate: more threads than cores would not make it faster.
            .max_blocking_threads(cores)
            .enable_io()
            .enable_time()
            .build()
            .ok()
    };
    RUNTIME
        .get_or_init(start)
        .as_ref()
        .ok_or_else(|| io::Error::other("the tokio runtime could not be started"))
}
