//! Bytes of a JavaScript stream to events: one crossing for each chunk, whatever is in it.
//!
//! The chunk is copied into a slab that JavaScript owns and lends for the call, and is unmasked there. Events are
//! handed over as rows, see `rows`.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use napi::bindgen_prelude::{Array, AsyncTask, BufferSlice};
use napi::{Env, Error, Result, Status};
use napi_derive::napi;

use super::pool::{self, Pooled};
use super::rows::{self, Row, Values};
use super::slots::Slots;
use crate::jobs::Job;
use crate::jobs::receive::Receive;
use crate::protocol::receiver::Receiver;
use crate::protocol::{Config, Event, Inflation, Limits, MaskPolicy};

/// What a stream is received with.
struct Receiving {
    /// One that is over, while the real one is away.
    receiver: Receiver,
    /// It is inflating on another thread.
    away: Option<Arc<Job<Receive>>>,
    /// What has happened there, for the next call of `receive`.
    events: VecDeque<Event<'static>>,
}

thread_local! {
    // Of this thread, and so of this JavaScript environment: a worker has a thread of its own.
    static RECEIVERS: RefCell<Slots<Receiving>> = const { RefCell::new(Slots::new()) };
}

fn with_receiver<T>(id: u32, f: impl FnOnce(&mut Option<Receiving>) -> T) -> Result<T> {
    RECEIVERS.with_borrow_mut(|receivers| {
        receivers
            .place(id)
            .map(f)
            .ok_or_else(|| Error::new(Status::InvalidArg, format!("there is no receiver {id}")))
    })
}

/// A limit as JavaScript has it: what is no number, or beyond all numbers, is no limit.
pub(super) fn limit(value: f64) -> u64 {
    #[expect(
        clippy::cast_sign_loss,
        reason = "it saturates: negative limits become 0, which allows empty messages only"
    )]
    let number = value as u64;
    if value.is_nan() { u64::MAX } else { number }
}

pub(super) fn config(
    mask: u32,
    max_frame_size: f64,
    max_message_size: f64,
    assemble: bool,
    inflation: u32,
) -> Config {
    let mask = match mask {
        0 => MaskPolicy::Forbidden,
        1 => MaskPolicy::Required,
        _ => MaskPolicy::Either,
    };
    Config {
        mask,
        max_frame_size: limit(max_frame_size),
        max_message_size: limit(max_message_size),
        assemble,
        inflation: match inflation {
            0 => None,
            1 => Some(Inflation::EachAlone),
            _ => Some(Inflation::ContextTakeover),
        },
    }
}

/// Creates a receiver and returns its id. `mask`: 0 forbids masked frames, 1 requires them, 2 takes both. `inflation`: 0
/// forbids compressed messages, 1 takes them each for itself, 2 with context takeover.
#[napi(catch_unwind)]
pub fn create_receiver(
    mask: u32,
    max_frame_size: f64,
    max_message_size: f64,
    assemble: bool,
    inflation: u32,
) -> u32 {
    add_receiver(Receiver::new(config(mask, max_frame_size, max_message_size, assemble, inflation)))
}

/// Gives a receiver an id.
pub(super) fn add_receiver(receiver: Receiver) -> u32 {
    let receiving = Receiving { receiver, away: None, events: VecDeque::new() };
    RECEIVERS.with_borrow_mut(|receivers| receivers.add(receiving))
}

/// Changes limits and mode of a receiver, which is not inflating; they hold from the next frame on.
#[napi(catch_unwind)]
pub fn configure_receiver(id: u32, max_frame_size: f64, max_message_size: f64, assemble: bool) -> Result<()> {
    with_receiver(id, |slot| {
        if let Some(receiving) = slot {
            receiving.receiver.configure(limit(max_frame_size), limit(max_message_size), assemble);
        }
    })
}

/// Limits numbers and rates as JavaScript has them.
pub(super) fn limits(max_fragments: f64, max_messages_per_second: f64, max_bytes_per_second: f64) -> Limits {
    Limits {
        max_fragments: limit(max_fragments),
        max_messages_per_second: limit(max_messages_per_second),
        max_bytes_per_second: limit(max_bytes_per_second),
    }
}

/// Sets limits on numbers and rates, Infinity for none.
#[napi(catch_unwind)]
pub fn limit_receiver(
    id: u32,
    fragments: f64,
    messages_per_second: f64,
    bytes_per_second: f64,
) -> Result<()> {
    with_receiver(id, |slot| {
        if let Some(receiving) = slot {
            receiving.receiver.limit(limits(fragments, messages_per_second, bytes_per_second));
        }
    })
}

/// The number of frames that a receiver has received, and of payload bytes of compressed messages.
#[napi(catch_unwind)]
pub fn receiver_counters(id: u32) -> Result<Vec<f64>> {
    with_receiver(id, |slot| {
        let count = |number: fn(&Receiver) -> u64| slot.as_ref().map_or(0, |it| number(&it.receiver)) as f64;
        vec![count(Receiver::frames), count(Receiver::compressed_bytes)]
    })
}

/// Frees a receiver and all it holds. The id must not be used any more.
#[napi(catch_unwind)]
pub fn release_receiver(id: u32) {
    RECEIVERS.with_borrow_mut(|receivers| receivers.remove(id));
}

/// The number of receivers alive on this thread, for tests of leaks.
#[napi(catch_unwind)]
pub fn receiver_count() -> u32 {
    RECEIVERS.with_borrow(|receivers| receivers.len() as u32)
}

/// Passes `chunk` from `offset` on to a receiver, as much of it as `slab` and `rows` have room for. The values of the
/// events go into `values`, from its beginning.
///
/// Returns the number of events. The first row is no event but says, as its first number, up to which offset the chunk
/// was taken; call again until that is the length of the chunk. Its second number is 1 when there may be more events
/// without more input, and 2 when what is left takes long to inflate: it is for `startInflation` then.
#[napi(catch_unwind, strict)]
pub fn receive(
    env: &Env,
    id: u32,
    chunk: &[u8],
    offset: u32,
    mut slab: BufferSlice<'_>,
    mut rows: BufferSlice<'_>,
    values: Array<'_>,
) -> Result<u32> {
    let (rows, _) = rows.as_chunks_mut::<{ rows::ROW_LEN }>();
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
    let (left, state) = with_receiver(id, |slot| {
        // A released receiver takes no more input: whatever comes after the end of a connection is dropped.
        let Some(Receiving { receiver, events, .. }) = slot else { return Ok((0, 0)) };
        if offset == 0 {
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
    })??;
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
    with_receiver(id, |slot| {
        let receiving =
            slot.as_mut().filter(|receiving| receiving.away.is_none()).ok_or_else(|| unknown(id))?;
        let receiver = std::mem::replace(&mut receiving.receiver, Receiver::over());
        let job = Arc::new(Job::new(Receive { receiver, input: rest.to_vec() }));
        receiving.away = Some(Arc::clone(&job));
        Ok(pool::start(&job))
    })?
}

/// Takes the receiver back, waiting for it if need be. What has happened to it is for `receive`.
#[napi(catch_unwind)]
pub fn finish_inflation(id: u32) -> Result<()> {
    with_receiver(id, |slot| {
        let receiving = slot.as_mut().ok_or_else(|| unknown(id))?;
        let received = receiving.away.take().and_then(|job| job.take()).ok_or_else(|| unknown(id))?;
        receiving.receiver = received.receiver;
        receiving.events.extend(received.events);
        Ok(())
    })?
}

fn unknown(id: u32) -> Error {
    Error::new(Status::InvalidArg, format!("there is no receiver {id}, or it is not where it should be"))
}
