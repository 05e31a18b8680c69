//! Tables of topics, by id: one for each server. A connection is a member of the table of its server, whoever moves its bytes.

use std::cell::RefCell;

use bytes::Bytes;
use napi::bindgen_prelude::Buffer;
use napi::{Error, Result, Status};
use napi_derive::napi;

use super::arguments::limit;
use crate::slots::{SlotId, Slots};
use crate::topics::held::Message;
use crate::topics::slow::{Backlog, Policy, Verdict};
use crate::topics::table::{Ended, Refused, Subscribed, Topics};

/// The topics of a server, and its options for sending.
pub(super) struct Table {
    pub(super) topics: Topics<Route>,
    /// The longest payload of a frame, 0 for no limit.
    pub(super) threshold: u32,
    /// The option `highWaterMark`, if the program has set it.
    pub(super) mark: Option<u64>,
    /// The option `maxBufferedAmount`.
    pub(super) max: u64,
}

/// How a message reaches a member.
#[derive(Default)]
pub(super) struct Route {
    /// The connection of the reactor; `None` when JavaScript sends.
    pub(super) socket: Option<SlotId>,
    /// What all have in common who get the same frames. The lowest bit says that they are masked, the others which group of
    /// compression they belong to; 0 is none.
    pub(super) kind: u8,
    /// Compresses for the group, if there is one.
    pub(super) compressor: u32,
    /// The high-water mark of the socket.
    pub(super) mark: u32,
    /// Messages that were sent without JavaScript.
    pub(super) messages: u64,
    /// Bytes of those that another connection's compressor has compressed.
    pub(super) compressed: u64,
}

impl Route {
    fn new(socket: i64, kind: u32, compressor: u32, mark: f64) -> Self {
        Self {
            socket: u32::try_from(socket).ok().map(SlotId::from_raw),
            kind: kind as u8,
            compressor,
            mark: u32::try_from(limit(mark)).unwrap_or(u32::MAX),
            ..Self::default()
        }
    }
}

thread_local! {
    // Of this thread, and so of this JavaScript environment: a worker has a thread of its own.
    static TABLES: RefCell<Slots<Table>> = const { RefCell::new(Slots::new()) };
}

/// Works with a table; `None` when there is no such.
pub(super) fn with_table<T>(id: u32, work: impl FnOnce(&mut Table) -> T) -> Option<T> {
    TABLES.with_borrow_mut(|tables| tables.get_mut(SlotId::from_raw(id)).map(work))
}

/// The same for functions that JavaScript calls.
fn known<T>(id: u32, work: impl FnOnce(&mut Table) -> T) -> Result<T> {
    with_table(id, work)
        .ok_or_else(|| Error::new(Status::InvalidArg, format!("there is no table of topics {id}")))
}

fn full(of: &str) -> Error {
    Error::new(Status::GenericFailure, format!("too many {of}"))
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// Creates a table and returns its id. A member has at most `max_topics` topics, whose names have at most `max_name` bytes.
#[napi(catch_unwind)]
pub fn create_topics(max_topics: f64, max_name: f64) -> Result<u32> {
    let topics = Topics::new(limit(max_topics) as usize, limit(max_name) as usize);
    let table = Table { topics, threshold: 0, mark: None, max: u64::MAX };
    let id = TABLES.with_borrow_mut(|tables| tables.insert(table));
    id.map(SlotId::raw).ok_or_else(|| full("tables of topics"))
}

/// Frees a table.
#[napi(catch_unwind)]
pub fn release_topics(table: u32) {
    TABLES.with_borrow_mut(|tables| drop(tables.remove(SlotId::from_raw(table))));
}

/// Changes limits and the options for sending. `mark` is NaN when each socket has its own.
#[napi(catch_unwind)]
pub fn topics_configure(
    table: u32,
    max_topics: f64,
    max_name: f64,
    threshold: u32,
    mark: f64,
    max: f64,
) -> Result<()> {
    known(table, |table| {
        table.topics.max_topics = limit(max_topics) as usize;
        table.topics.max_name = limit(max_name) as usize;
        table.threshold = threshold;
        table.mark = (!mark.is_nan()).then(|| limit(mark));
        table.max = limit(max);
    })
}

/// Adds a member and returns its id. `socket` is the id of its taken-over connection, -1 when JavaScript sends.
#[napi(catch_unwind)]
pub fn topics_join(table: u32, socket: i64, kind: u32, compressor: u32, mark: f64) -> Result<u32> {
    let id = known(table, |table| table.topics.join(Route::new(socket, kind, compressor, mark)))?;
    id.map(SlotId::raw).ok_or_else(|| full("connections in a table of topics"))
}

/// Changes how messages reach a member.
#[napi(catch_unwind)]
pub fn topics_route(
    table: u32,
    member: u32,
    socket: i64,
    kind: u32,
    compressor: u32,
    mark: f64,
) -> Result<()> {
    known(table, |table| {
        if let Some(route) = table.topics.member_mut(SlotId::from_raw(member)) {
            let Route { messages, compressed, .. } = *route;
            *route = Route { messages, compressed, ..Route::new(socket, kind, compressor, mark) };
        }
    })
}

/// What a member has left behind.
#[napi(object, object_from_js = false)]
pub struct LeftTopics {
    /// The topics that it was subscribed to.
    pub topics: Vec<String>,
    /// For each of them, whether it has no subscriber any more.
    pub last: Vec<bool>,
    /// Messages that were sent to it without JavaScript.
    pub messages: f64,
    /// Bytes of them that others have compressed.
    pub compressed: f64,
}

/// Removes a member with its subscriptions; `null` when it is gone.
#[napi(catch_unwind)]
pub fn topics_leave(table: u32, member: u32) -> Result<Option<LeftTopics>> {
    let left = known(table, |table| table.topics.leave(SlotId::from_raw(member)))?;
    Ok(left.map(|(route, ended)| LeftTopics {
        topics: ended.iter().map(|Ended { topic, .. }| text(topic)).collect(),
        last: ended.iter().map(|ended| ended.was_last).collect(),
        messages: route.messages as f64,
        compressed: route.compressed as f64,
    }))
}

/// Subscribes a member to a topic. Returns 0 if it was, 1 if it was not, 2 if it is the only one; -1 for a name that is empty or
/// too long, -2 when it has too many topics, -3 when there are too many, -4 when there is no such member.
#[napi(catch_unwind)]
pub fn topics_subscribe(table: u32, member: u32, topic: String, policy: u32) -> Result<i32> {
    let (member, policy) = (SlotId::from_raw(member), Policy::from_bits(policy));
    known(table, |table| match table.topics.subscribe(member, topic.as_bytes(), policy) {
        Ok(Subscribed::Again) => 0,
        Ok(Subscribed::New) => 1,
        Ok(Subscribed::First) => 2,
        Err(Refused::Name) => -1,
        Err(Refused::TooMany) => -2,
        Err(Refused::Full) => -3,
        Err(Refused::NoMember) => -4,
    })
}

/// Ends a subscription. Returns 0 if there was none, 1 if others are subscribed to the topic, 2 if nobody is.
#[napi(catch_unwind)]
pub fn topics_unsubscribe(table: u32, member: u32, topic: String) -> Result<u32> {
    let ended = known(table, |table| table.topics.unsubscribe(SlotId::from_raw(member), topic.as_bytes()))?;
    Ok(ended.map_or(0, |ended| if ended.was_last { 2 } else { 1 }))
}

/// Whether a member is subscribed to a topic.
#[napi(catch_unwind)]
pub fn topics_has(table: u32, member: u32, topic: String) -> Result<bool> {
    known(table, |table| table.topics.is_subscribed(SlotId::from_raw(member), topic.as_bytes()))
}

/// The topics of a member.
#[napi(catch_unwind)]
pub fn topics_of(table: u32, member: u32) -> Result<Vec<String>> {
    known(table, |table| table.topics.topics_of(SlotId::from_raw(member)).map(|name| text(name)).collect())
}

/// All topics that have a subscriber.
#[napi(catch_unwind)]
pub fn topics_names(table: u32) -> Result<Vec<String>> {
    known(table, |table| table.topics.names().map(|name| text(name)).collect())
}

/// The members that are subscribed to a topic.
#[napi(catch_unwind)]
pub fn topics_members(table: u32, topic: String) -> Result<Vec<u32>> {
    known(table, |table| table.topics.members_of(topic.as_bytes()).map(SlotId::raw).collect())
}

/// How many members are subscribed to a topic.
#[napi(catch_unwind)]
pub fn topics_size(table: u32, topic: String) -> Result<u32> {
    known(table, |table| table.topics.members_of(topic.as_bytes()).len() as u32)
}

/// The numbers of members, topics and subscriptions.
#[napi(catch_unwind)]
pub fn topics_counts(table: u32) -> Result<Vec<u32>> {
    known(table, |table| table.topics.counts().iter().map(|count| *count as u32).collect())
}

/// Messages that a member was sent without JavaScript, and bytes of them that others have compressed.
#[napi(catch_unwind)]
pub fn topics_sent(table: u32, member: u32) -> Result<Vec<f64>> {
    known(table, |table| {
        let route = table.topics.member(SlotId::from_raw(member));
        route.map_or(vec![0.0, 0.0], |route| vec![route.messages as f64, route.compressed as f64])
    })
}

/// What to do with a message for a member that JavaScript sends to, and knows whether it is slow. Returns 0 to send it, 1 to leave it out, 2 when it is kept, 3 when it is kept and nothing was before, 4 to end the connection.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "one call for each message, without an object made for it")]
pub fn topics_offer(
    table: u32,
    member: u32,
    topic: String,
    policy: u32,
    slow: bool,
    payload: &[u8],
    is_text: bool,
    compress: bool,
) -> Result<u32> {
    let backlog = Backlog { waiting: u64::from(slow), mark: 1, max: u64::MAX };
    known(table, |table| {
        let topics = &mut table.topics;
        let Some(recipient) = topics.recipient(SlotId::from_raw(member), topic.as_bytes()) else { return 1 };
        let verdict = backlog.judge(Policy::from_bits(policy), payload.len() as u64, recipient.holds());
        match verdict {
            Verdict::Send | Verdict::NoRoom => 0,
            Verdict::Drop => 1,
            Verdict::Hold => {
                let payload = Bytes::copy_from_slice(payload);
                2 + u32::from(recipient.keep(&Message { payload, is_text, compress }))
            }
            Verdict::Close => 4,
        }
    })
}

/// A message that has waited for a slow subscriber.
#[napi(object, object_from_js = false)]
pub struct HeldMessage {
    /// Its bytes.
    pub payload: Buffer,
    /// Whether it is text.
    pub is_text: bool,
    /// Whether it may be compressed.
    pub compress: bool,
}

/// Takes out what has waited for a member while it was slow.
#[napi(catch_unwind)]
pub fn topics_take_held(table: u32, member: u32) -> Result<Vec<HeldMessage>> {
    let held = known(table, |table| table.topics.take_held(SlotId::from_raw(member)))?;
    let held = held.into_iter().map(|Message { payload, is_text, compress }| HeldMessage {
        payload: payload.to_vec().into(),
        is_text,
        compress,
    });
    Ok(held.collect())
}
