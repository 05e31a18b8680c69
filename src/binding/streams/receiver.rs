//! Bytes of a JavaScript stream to events: one crossing for each chunk, whatever is in it.
//!
//! The chunk is copied into a slab that JavaScript owns and lends for the call, and is unmasked there. Events are
//! handed over as rows, see `rows`.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use napi::bindgen_prelude::{Array, AsyncTask, Buffer, BufferSlice};
use napi::{Env, Error, Result, Status};
use napi_derive::napi;

use crate::binding::arguments::{config, limit, limits};
use crate::binding::node::pool::{self, Pooled};
use crate::binding::rows::row::{ROW_LEN, Row};
use crate::binding::rows::values::Values;
use crate::jobs::Job;
use crate::jobs::receive::Receive;
use crate::protocol::Event;
use crate::protocol::receiver::Receiver;
use crate::slots::{SlotId, Slots};

/// What a stream is received with.
struct Receiving {
    /// One that is over, while another thread has the real one.
    receiver: Receiver,
    /// The work of that thread.
    inflating: Option<Arc<Job<Receive>>>,
    /// What has happened there, for the next call of `receive`.
    events: VecDeque<Event<'static>>,
}

thread_local! {
    // Of this thread, and so of this JavaScript environment: a worker has a thread of its own.
    static RECEIVERS: RefCell<Slots<Receiving>> = const { RefCell::new(Slots::new()) };
}

/// Works with a receiver; `None` when it has been released.
fn with_receiver<T>(id: u32, work: impl FnOnce(&mut Receiving) -> T) -> Option<T> {
    RECEIVERS.with_borrow_mut(|receivers| receivers.get_mut(SlotId::from_raw(id)).map(work))
}

/// Creates a receiver and returns its id. `mask`: 0 forbids masked frames, 1 requires them, 2 takes both. `inflation`: 0
/// forbids compressed messages, 1 takes them each for itself, 2 with context takeover. `text`: 0 reports text as strings, 1 as bytes that
/// are checked to be UTF-8, 2 as bytes that are not.
#[napi(catch_unwind)]
pub fn create_receiver(
    mask: u32,
    max_frame_size: f64,
    max_message_size: f64,
    assemble: bool,
    inflation: u32,
    text: u32,
) -> Result<u32> {
    add_receiver(Receiver::new(config(mask, max_frame_size, max_message_size, assemble, inflation, text)))
}

/// Gives a receiver an id.
pub(in crate::binding) fn add_receiver(receiver: Receiver) -> Result<u32> {
    let receiving = Receiving { receiver, inflating: None, events: VecDeque::new() };
    let id = RECEIVERS.with_borrow_mut(|receivers| receivers.insert(receiving));
    id.map(SlotId::raw).ok_or_else(|| Error::new(Status::GenericFailure, "too many receivers"))
}

/// Changes limits and mode of a receiver, which is not inflating; they hold from the next frame on.
#[napi(catch_unwind)]
pub fn configure_receiver(id: u32, max_frame_size: f64, max_message_size: f64, assemble: bool) {
    with_receiver(id, |receiving| {
        receiving.receiver.configure(limit(max_frame_size), limit(max_message_size), assemble);
    });
}

/// Sets limits on numbers and rates, Infinity for none.
#[napi(catch_unwind)]
pub fn limit_receiver(id: u32, fragments: f64, messages_per_second: f64, bytes_per_second: f64) {
    let limits = limits(fragments, messages_per_second, bytes_per_second);
    with_receiver(id, |receiving| receiving.receiver.limit(limits));
}

/// The number of frames that a receiver has received, and of payload bytes of compressed messages.
#[napi(catch_unwind)]
pub fn receiver_counters(id: u32) -> Vec<f64> {
    let counters = with_receiver(id, |it| (it.receiver.frames(), it.receiver.compressed_bytes()));
    let (frames, compressed) = counters.unwrap_or_default();
    vec![frames as f64, compressed as f64]
}

/// Frees a receiver and all it holds. The id must not be used any more.
#[napi(catch_unwind)]
pub fn release_receiver(id: u32) {
    RECEIVERS.with_borrow_mut(|receivers| drop(receivers.remove(SlotId::from_raw(id))));
}

/// The number of receivers alive on this thread, for tests of leaks.
#[napi(catch_unwind)]
pub fn receiver_count() -> u32 {
    RECEIVERS.with_borrow(|receivers| receivers.len() as u32)
}

/// Passes `chunk` from `offset` on to a receiver, as much of it as `slab` and `rows` have room for. The values of the
/// events go into `values`, from its beginning. `is_new`: its bytes have just arrived, and count for limits on rates.
///
/// Returns the number of events. The first row is no event but says, as its first number, up to which offset the chunk
/// was taken; call again until that is the length of the chunk. Its second number is one of `LEFT` in lib/internal/addon/rows.js:
/// nothing is left, there may be more events without more input, or what is left takes long to inflate and is for
/// `startInflation`.
#[napi(catch_unwind, strict)]
#[allow(clippy::too_many_arguments, reason = "one call for each chunk, without an object made for it")]
pub fn receive(
    env: &Env,
    id: u32,
    chunk: &[u8],
    offset: u32,
    is_new: bool,
    mut slab: BufferSlice<'_>,
    mut rows: BufferSlice<'_>,
    values: Array<'_>,
) -> Result<u32> {
    let (rows, _) = rows.as_chunks_mut::<ROW_LEN>();
    let Some((first, rows)) = rows.split_first_mut() else {
        return Err(Error::new(Status::InvalidArg, "the buffer for rows has no room for any"));
    };
    let rest = &chunk[(offset as usize).min(chunk.len())..];
    let taken = rest.len().min(slab.len());
    let start = slab.as_ptr() as usize;
    let mut input = &mut slab[..taken];
    input.copy_from_slice(&rest[..taken]);

    let mut values = Values::new(values);
    let mut count = 0;
    let received = with_receiver(id, |Receiving { receiver, events, .. }| {
        if is_new {
            receiver.arrived(chunk.len(), Instant::now);
        }
        for row in rows {
            let event = events.pop_front().or_else(|| receiver.receive_lightly(&mut input));
            let Some(event) = event else {
                return Ok((input.len(), if input.is_empty() { NOTHING_LEFT } else { LEFT_IS_HEAVY }));
            };
            *row = Row::of_event(env, id, event, start, &mut values)?.to_bytes();
            count += 1;
        }
        Ok::<_, Error>((input.len(), MORE_EVENTS))
    });
    // A released receiver takes no more input: whatever comes after the end of a connection is dropped.
    let (left, state) = received.unwrap_or(Ok((0, NOTHING_LEFT)))?;
    let end = Row { id: offset + (taken - left) as u32, kind: state, ..Row::default() };
    *first = end.to_bytes();
    Ok(count)
}

// What `receive` says is left.
const NOTHING_LEFT: u32 = 0;
const MORE_EVENTS: u32 = 1;
const LEFT_IS_HEAVY: u32 = 2;

/// Has a receiver take `rest` on another thread, as `receive` has asked for. The promise is fulfilled when that is done;
/// then, or before, call `finishInflation`, and nothing else until then.
#[napi(catch_unwind, strict)]
pub fn start_inflation(id: u32, rest: &[u8]) -> Result<AsyncTask<Pooled<Receive>>> {
    let started = with_receiver(id, |receiving| {
        if receiving.inflating.is_some() {
            return None;
        }
        let receiver = std::mem::replace(&mut receiving.receiver, Receiver::over());
        let job = Arc::new(Job::new(Receive { receiver, input: rest.to_vec() }));
        receiving.inflating = Some(Arc::clone(&job));
        Some(pool::start(&job))
    });
    started.flatten().ok_or_else(|| unknown(id))
}

/// Takes the receiver back, waiting for it if need be. What has happened to it is for `receive`. Returns what is left of the
/// input, to be received when those events have been delivered.
#[napi(catch_unwind)]
pub fn finish_inflation(id: u32) -> Result<Buffer> {
    let rest = with_receiver(id, |receiving| {
        let received = receiving.inflating.take().and_then(|job| job.take())?;
        receiving.receiver = received.receiver;
        receiving.events.extend(received.events);
        Some(received.rest)
    });
    rest.flatten().map(Buffer::from).ok_or_else(|| unknown(id))
}

fn unknown(id: u32) -> Error {
    Error::new(Status::InvalidArg, format!("there is no receiver {id}, or it is not where it should be"))
}
