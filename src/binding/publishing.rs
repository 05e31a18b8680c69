//! One message for many: a topic's subscribers, or all connections of a server.
//!
//! The message is encoded once for each kind of connection. Connections of the reactor get it here; those that JavaScript sends
//! to, and those that need something else, are left for JavaScript, which asks for them with `topicsAttention`.

#![expect(unsafe_code, reason = "N-API is C")]

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};
use napi::bindgen_prelude::{BufferSlice, Object};
use napi::{Env, Result, sys};
use napi_derive::napi;

use super::arguments::next_key;
use super::compressors;
use super::raw::{arguments, define, guard, number, with_bytes, with_name, with_text};
#[cfg(unix)]
use super::sockets::environment::{Environment, with_environment_if_any};
use super::topics::{Route, Table, with_table};
use crate::protocol::{OpCode, encoder};
use crate::slots::SlotId;
use crate::topics::held::Message;
use crate::topics::slow::{Backlog, Verdict};
use crate::topics::table::Recipient;

/// The arguments of `topicsPublish` that are flags.
const TEXT: u32 = 1;
const COMPRESS: u32 = 2;
/// To all members, whatever they are subscribed to.
const ALL: u32 = 4;
/// The data are a string, not a Buffer.
const STRING: u32 = 8;

/// In the result of `topicsPublish`: there is something for JavaScript to do.
const ATTENTION: u32 = 1 << 31;

/// What JavaScript has to do about a member, besides its policy in the lowest two bits.
const SEND: u32 = 0;
/// So much waits now that a `drain` has to follow.
const FULL: u32 = 4;
/// The first message is held: it is sent when everything that waits is written.
const HELD: u32 = 8;
/// The connection has to end.
const CLOSE: u32 = 12;
/// No message fits into `maxBufferedAmount`.
const NO_ROOM: u32 = 16;

thread_local! {
    /// Pairs of a member and what to do about it.
    static FOR_JAVASCRIPT: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// Adds the functions to the exports of the addon.
pub(super) fn init(exports: &Object<'_>, env: &Env) -> Result<()> {
    define(env, exports, c"topicsPublish", topics_publish)
}

/// `topicsPublish(table, topic, data, flags, sender, except)`: sends a message to the subscribers of a topic but the member
/// `sender` (`u32::MAX` for none) and those in the Buffer `except` of 32-bit numbers (or null). Returns how many it has
/// reached or will; see [`ATTENTION`].
unsafe extern "C" fn topics_publish(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    guard(env, || {
        let [table, topic, data, flags, sender, except] = arguments(env, info)?;
        let (table, flags, sender) = (number(env, table)?, number(env, flags)?, number(env, sender)?);
        let mut excepted = Vec::new();
        with_bytes(env, except, |bytes| {
            excepted
                .extend(bytes.as_chunks::<4>().0.iter().map(|id| SlotId::from_raw(u32::from_ne_bytes(*id))));
        });
        if sender != u32::MAX {
            excepted.push(SlotId::from_raw(sender));
        }
        excepted.sort_unstable_by_key(|id| id.raw());
        with_name(env, topic, |topic| {
            let topic = (flags & ALL == 0).then_some(topic);
            let publish = |payload: &[u8]| publish(table, topic, payload, flags, &excepted);
            if flags & STRING == 0 { with_bytes(env, data, publish) } else { with_text(env, data, publish) }
        })??
    })
}

/// What the last `topicsPublish` has left to do: 32-bit numbers, pairs of a member and what to do about it.
#[napi(catch_unwind)]
pub fn topics_attention(env: &Env) -> Result<BufferSlice<'_>> {
    FOR_JAVASCRIPT.with_borrow_mut(|list| {
        let bytes: Vec<u8> = std::mem::take(list).into_iter().flat_map(u32::to_ne_bytes).collect();
        BufferSlice::copy_from(env, bytes)
    })
}

/// See [`topics_publish`]; `None` for all members in place of a topic.
fn publish(table: u32, topic: Option<&[u8]>, payload: &[u8], flags: u32, except: &[SlotId]) -> Option<u32> {
    with_table(table, |table| {
        FOR_JAVASCRIPT.with_borrow_mut(|for_javascript| {
            for_javascript.clear();
            let fan = Fan {
                payload,
                is_text: flags & TEXT != 0,
                compress: flags & COMPRESS != 0,
                threshold: table.threshold,
                mark: table.mark,
                max: table.max,
                expected: topic.map_or(0, |topic| table.topics.members_of(topic).len()),
                kinds: Vec::new(),
                message: None,
                suspects: Vec::new(),
                for_javascript,
                reached: 0,
            };
            with_environment_if_any(|environment| fan.run(table, topic, except, environment))
        })
    })
}

/// Where no sockets are taken over, there is no such thing.
#[cfg(not(unix))]
enum Environment {}

#[cfg(not(unix))]
fn with_environment_if_any<T>(work: impl FnOnce(Option<&mut Environment>) -> T) -> T {
    work(None)
}

#[cfg(not(unix))]
impl Environment {
    fn waiting(&mut self, _: SlotId) -> Option<u64> {
        match *self {}
    }

    fn note_sent(&mut self, _: SlotId, _: u64) {
        match *self {}
    }

    fn send_shared(&mut self, _: Vec<SlotId>, _: Bytes) {
        match *self {}
    }

    fn try_flush(&mut self, _: impl Iterator<Item = SlotId>) {
        match *self {}
    }
}

/// A message on its way to many.
struct Fan<'a> {
    payload: &'a [u8],
    is_text: bool,
    compress: bool,
    threshold: u32,
    mark: Option<u64>,
    max: u64,
    expected: usize,
    kinds: Vec<Kind>,
    /// The message as those keep it for whom it is held.
    message: Option<Message>,
    /// Connections that may only seem slow, because nothing was written since the last messages were sent.
    suspects: Vec<(SlotId, SlotId)>,
    for_javascript: &'a mut Vec<u32>,
    reached: u32,
}

/// Recipients of the same frames.
struct Kind {
    number: u8,
    frames: Bytes,
    /// How much of them is compressed payload.
    compressed: u64,
    recipients: Vec<SlotId>,
}

impl Fan<'_> {
    fn run(
        mut self,
        table: &mut Table,
        topic: Option<&[u8]>,
        except: &[SlotId],
        mut environment: Option<&mut Environment>,
    ) -> u32 {
        let topics = &mut table.topics;
        let first =
            |recipient: Recipient<'_, Route>| self.offer(recipient, environment.as_deref_mut(), false);
        match topic {
            Some(topic) => topics.for_each(topic, except, first),
            None => topics.for_all(except, first),
        }
        if let Some(environment) = environment {
            let suspects = std::mem::take(&mut self.suspects);
            if !suspects.is_empty() {
                environment.try_flush(suspects.iter().map(|(_, socket)| *socket));
            }
            for (member, _) in suspects {
                if let Some(recipient) = topic.and_then(|topic| topics.recipient(member, topic)) {
                    self.offer(recipient, Some(environment), true);
                }
            }
            for Kind { frames, recipients, .. } in self.kinds {
                environment.send_shared(recipients, frames);
            }
        }
        let attention = if self.for_javascript.is_empty() { 0 } else { ATTENTION };
        self.reached.min(ATTENTION - 1) | attention
    }

    /// Sends to a member, or decides what else is to be done. `flushed`: what waits is what the peer does not take.
    fn offer(
        &mut self,
        recipient: Recipient<'_, Route>,
        environment: Option<&mut Environment>,
        flushed: bool,
    ) {
        let (member, policy) = (recipient.id, recipient.policy);
        let (Some(socket), Some(environment)) = (recipient.value.socket, environment) else {
            self.leave_to_javascript(member, SEND | policy as u32);
            return;
        };
        // A connection that ends gets nothing more.
        let Some(waiting) = environment.waiting(socket) else { return };
        let mark = self.mark.unwrap_or_else(|| u64::from(recipient.value.mark));
        let backlog = Backlog { waiting, mark, max: self.max };
        let holds = recipient.holds();
        match backlog.judge(policy, self.payload.len() as u64, holds) {
            Verdict::Send => {
                let kind = self.kind_of(recipient.value);
                let len = kind.frames.len() as u64;
                kind.recipients.push(socket);
                environment.note_sent(socket, len);
                self.reached += 1;
                if waiting < mark && waiting + len >= mark {
                    self.leave_to_javascript(member, FULL);
                }
            }
            Verdict::NoRoom => self.leave_to_javascript(member, NO_ROOM | policy as u32),
            _ if !flushed && !holds => self.suspects.push((member, socket)),
            Verdict::Drop => {}
            Verdict::Hold => {
                self.reached += 1;
                let message = self.message.get_or_insert_with(|| Message {
                    payload: Bytes::copy_from_slice(self.payload),
                    is_text: self.is_text,
                    compress: self.compress,
                });
                if recipient.keep(message) {
                    self.leave_to_javascript(member, HELD);
                }
            }
            Verdict::Close => self.leave_to_javascript(member, CLOSE),
        }
    }

    fn leave_to_javascript(&mut self, member: SlotId, what: u32) {
        self.for_javascript.extend([member.raw(), what]);
    }

    /// The frames for a member, which is counted among those that get them.
    fn kind_of(&mut self, route: &mut Route) -> &mut Kind {
        route.messages += 1;
        let number = if self.compress { route.kind } else { route.kind & 1 };
        let known = self.kinds.iter().position(|kind| kind.number == number);
        let index = if let Some(index) = known {
            route.compressed += self.kinds[index].compressed;
            index
        } else {
            let (frames, compressed) = self.encode(number, route.compressor);
            let recipients = Vec::with_capacity(self.expected);
            self.kinds.push(Kind { number, frames, compressed, recipients });
            self.kinds.len() - 1
        };
        &mut self.kinds[index]
    }

    /// The frames for a kind of connections, and how much of them is compressed payload.
    fn encode(&self, kind: u8, compressor: u32) -> (Bytes, u64) {
        let opcode = if self.is_text { OpCode::Text } else { OpCode::Binary };
        let masked = kind & 1 == 1;
        let mut frames = BytesMut::new();
        if kind > 1 {
            let compressed = compressors::with_message(compressor, opcode, self.payload, |message| {
                message.put(&mut frames, self.threshold, masked);
                message.compressed_len()
            });
            return (frames.freeze(), compressed);
        }
        let threshold = Some(self.threshold as usize);
        frames.reserve(encoder::message_len(self.payload.len(), threshold, masked));
        encoder::put_message(&mut frames, opcode, self.payload, threshold, || masked.then(next_key), |_| {});
        (frames.freeze(), 0)
    }
}
