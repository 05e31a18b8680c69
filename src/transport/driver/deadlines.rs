//! Has the deadlines of opening handshakes enforced: one task for each reactor, which sleeps when nobody listens.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::shared_reactor::SharedReactor;
use crate::transport::reactor::Deadlines;

/// How often deadlines are looked at.
const PERIOD: Duration = Duration::from_millis(250);

/// The task; ends with the last reference to `shared`. `listening` wakes it when somebody listens.
pub(super) async fn run(shared: Weak<SharedReactor>, listening: Arc<Notify>) {
    loop {
        let Some(next) = shared.upgrade().map(|shared: Arc<SharedReactor>| shared.expire(Instant::now()))
        else {
            return;
        };
        match next {
            Deadlines::Now => tokio::task::yield_now().await,
            Deadlines::Later => tokio::time::sleep(PERIOD).await,
            Deadlines::None => listening.notified().await,
        }
    }
}
