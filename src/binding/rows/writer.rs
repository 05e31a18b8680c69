//! Events of sockets to rows: one bounded portion at a time.

use napi::{Env, sys};

use super::row::{ROW_LEN, Row};
use super::shared_memory::SharedMemory;
use super::values::Values;
use crate::transport::reactor::event::{ConnectionId, Events, SocketEvent};
use crate::transport::reactor::read_buffer::ReceivedBytes;

/// Rows of a portion, behind the first row, which is no event.
pub(in crate::binding) const MAX_ROWS: usize = 1024;

/// Values of a portion: each becomes an argument of a call.
const MAX_VALUES: usize = 1024;

/// Bytes of payload after which a portion ends.
const MAX_BYTES: usize = 1 << 20;

/// What is being delivered.
#[derive(Debug, Default)]
pub(in crate::binding) struct Portion {
    /// Events, those included that JavaScript does not hear of.
    pub(in crate::binding) events: usize,
    /// Bytes that these owned.
    pub(in crate::binding) owned_bytes: usize,
    /// The read buffer is free up to here afterwards; 0 when nothing is known.
    pub(in crate::binding) releases: u64,
    pub(in crate::binding) rows: usize,
}

/// Writes the first events of `events` into `rows`, and their values behind those in `arguments`. Events that are not
/// admitted are left out.
pub(in crate::binding) fn write_portion(
    env: &Env,
    events: &mut Events,
    received: &ReceivedBytes,
    mut admit: impl FnMut(ConnectionId, &SocketEvent) -> bool,
    rows: &SharedMemory,
    arguments: Vec<sys::napi_value>,
) -> (Portion, Vec<sys::napi_value>) {
    let owned_before = events.owned_bytes();
    let mut values = Values::list(env, arguments);
    let mut portion = Portion::default();
    let mut bytes = 0;
    rows.with(|rows| {
        let (_, rows) = rows.as_chunks_mut::<ROW_LEN>().0.split_at_mut(1);
        while portion.rows < rows.len().min(MAX_ROWS)
            // A request has three values.
            && values.len() + 3 <= MAX_VALUES
            && bytes < MAX_BYTES
            && let Some(entry) = events.pop()
        {
            portion.events += 1;
            portion.releases = portion.releases.max(entry.releases);
            if !admit(entry.id, &entry.event) {
                continue;
            }
            bytes += entry.event.payload_len();
            // Fails only when memory has run out or the environment is going down.
            if let Ok(row) = Row::of_socket_event(env, entry.id, entry.event, received, &mut values) {
                rows[portion.rows] = row.to_bytes();
                portion.rows += 1;
            }
        }
    });
    portion.owned_bytes = owned_before - events.owned_bytes();
    (portion, values.into_list())
}
