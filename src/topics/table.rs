//! The topics of one server, and their members.
//!
//! A subscription has a place in the list of its topic and one in the list of its member, and each knows the other. So it is
//! found, made and ended without a search, and a member that leaves costs as much as it has subscriptions.
//!
//! Memory: an entry of 12 bytes in one list and of 8 in the other, and lists grow by half. That is 20 to 30 bytes for each
//! subscription, see `heap_len()`.

use std::collections::HashMap;
use std::sync::Arc;

use super::held::{Held, Message};
use super::slow::Policy;
use crate::slots::{SlotId, Slots};

/// The name of a topic: opaque bytes, UTF-8 when they come from JavaScript.
pub(crate) type Name = Arc<[u8]>;

/// See the module. `M` is what the owner keeps of each member.
#[expect(clippy::struct_field_names, reason = "topics have topics")]
pub(crate) struct Topics<M> {
    members: Slots<Member<M>>,
    topics: Slots<Topic>,
    by_name: HashMap<Name, SlotId>,
    subscriptions: usize,
    /// Topics that one member may have.
    pub(crate) max_topics: usize,
    /// Bytes in the name of a topic.
    pub(crate) max_name: usize,
}

struct Member<M> {
    value: M,
    subscriptions: Vec<Subscription>,
    held: Option<Box<Held>>,
}

/// A subscription, in the list of its member.
#[derive(Clone, Copy)]
struct Subscription {
    topic: SlotId,
    /// Its place in the list of the topic.
    place: u32,
}

struct Topic {
    name: Name,
    entries: Vec<Entry>,
}

/// A subscription, in the list of its topic.
#[derive(Clone, Copy)]
struct Entry {
    member: SlotId,
    /// Its place in the list of the member.
    place: u32,
    policy: Policy,
}

/// What [`Topics::subscribe`] has done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Subscribed {
    /// The member has subscribed before; the policy is the new one.
    Again,
    New,
    /// The topic has had no member before.
    First,
}

/// Why [`Topics::subscribe`] has done nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no such member.
    NoMember,
    /// The name has no bytes, or too many.
    Name,
    /// The member has as many topics as it may.
    TooMany,
    /// There is no room for one more topic.
    Full,
}

/// A topic that a member has left.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) topic: Name,
    /// Nobody else is subscribed to it.
    pub(crate) was_last: bool,
}

/// A member whose turn it is to get a message.
pub(crate) struct Recipient<'a, M> {
    pub(crate) id: SlotId,
    pub(crate) policy: Policy,
    /// The topic; `None` for a message to everybody.
    pub(crate) topic: Option<SlotId>,
    pub(crate) value: &'a mut M,
    held: &'a mut Option<Box<Held>>,
}

impl<M> Recipient<'_, M> {
    /// Whether an earlier message on the topic is held.
    pub(crate) fn holds(&self) -> bool {
        self.topic.is_some_and(|topic| self.held.as_ref().is_some_and(|held| held.has(topic)))
    }

    /// Holds a message until everything that waits is written. True when nothing was held before.
    pub(crate) fn keep(self, message: &Message) -> bool {
        self.topic.is_some_and(|topic| self.held.get_or_insert_default().keep(topic, message))
    }
}

impl<M> Topics<M> {
    pub(crate) fn new(max_topics: usize, max_name: usize) -> Self {
        Self {
            members: Slots::new(),
            topics: Slots::new(),
            by_name: HashMap::new(),
            subscriptions: 0,
            max_topics,
            max_name,
        }
    }

    // ---------------------------------------------------------------------------------------------------- members

    /// Adds a member; `None` when there is no room for it.
    pub(crate) fn join(&mut self, value: M) -> Option<SlotId> {
        self.members.insert(Member { value, subscriptions: Vec::new(), held: None })
    }

    /// Removes a member with all its subscriptions.
    pub(crate) fn leave(&mut self, id: SlotId) -> Option<(M, Vec<Ended>)> {
        // From the end: nothing has to move in the list of the member.
        let mut ended = Vec::new();
        while let Some(&Subscription { topic, place }) = self.members.get(id)?.subscriptions.last() {
            ended.extend(self.end(id, topic, place));
        }
        ended.reverse();
        self.members.remove(id).map(|member| (member.value, ended))
    }

    pub(crate) fn member(&self, id: SlotId) -> Option<&M> {
        self.members.get(id).map(|member| &member.value)
    }

    pub(crate) fn member_mut(&mut self, id: SlotId) -> Option<&mut M> {
        self.members.get_mut(id).map(|member| &mut member.value)
    }

    /// Takes out what waits for a slow member.
    pub(crate) fn take_held(&mut self, id: SlotId) -> Vec<Message> {
        let held = self.members.get_mut(id).and_then(|member| member.held.take());
        held.map_or_else(Vec::new, |held| held.into_messages())
    }

    // ---------------------------------------------------------------------------------------------- subscriptions

    /// # Errors
    /// When it exceeds a limit; nothing has changed then.
    pub(crate) fn subscribe(
        &mut self,
        id: SlotId,
        name: &[u8],
        policy: Policy,
    ) -> Result<Subscribed, Refused> {
        if name.is_empty() || name.len() > self.max_name {
            return Err(Refused::Name);
        }
        if let Some((topic, place)) = self.find(id, name) {
            if let Some(topic) = self.topics.get_mut(topic) {
                topic.entries[place as usize].policy = policy;
            }
            return Ok(Subscribed::Again);
        }
        let Some(member) = self.members.get_mut(id) else { return Err(Refused::NoMember) };
        if member.subscriptions.len() >= self.max_topics {
            return Err(Refused::TooMany);
        }
        let known = self.by_name.get(name).copied();
        let topic_id = if let Some(topic) = known {
            topic
        } else {
            let name = Name::from(name);
            let topic = Topic { name: Arc::clone(&name), entries: Vec::new() };
            let topic = self.topics.insert(topic).ok_or(Refused::Full)?;
            self.by_name.insert(name, topic);
            topic
        };
        let Some(topic) = self.topics.get_mut(topic_id) else { return Err(Refused::Full) };
        let (in_topic, in_member) = (topic.entries.len() as u32, member.subscriptions.len() as u32);
        push(&mut topic.entries, Entry { member: id, place: in_member, policy });
        push(&mut member.subscriptions, Subscription { topic: topic_id, place: in_topic });
        self.subscriptions += 1;
        Ok(if known.is_none() { Subscribed::First } else { Subscribed::New })
    }

    /// Ends a subscription; `None` when there is none.
    pub(crate) fn unsubscribe(&mut self, id: SlotId, name: &[u8]) -> Option<Ended> {
        let (topic, place) = self.find(id, name)?;
        self.end(id, topic, place)
    }

    pub(crate) fn is_subscribed(&self, id: SlotId, name: &[u8]) -> bool {
        self.find(id, name).is_some()
    }

    /// The topic of a subscription, and the place in its list. The shorter list is searched: with all subscriptions that fit
    /// into memory, those are some thousand entries.
    fn find(&self, id: SlotId, name: &[u8]) -> Option<(SlotId, u32)> {
        let topic_id = *self.by_name.get(name)?;
        let (topic, member) = (self.topics.get(topic_id)?, self.members.get(id)?);
        let place = if topic.entries.len() < member.subscriptions.len() {
            topic.entries.iter().position(|entry| entry.member == id)? as u32
        } else {
            member.subscriptions.iter().find(|subscription| subscription.topic == topic_id)?.place
        };
        Some((topic_id, place))
    }

    /// Ends the subscription at this place in the list of a topic.
    fn end(&mut self, id: SlotId, topic_id: SlotId, place: u32) -> Option<Ended> {
        let topic = self.topics.get_mut(topic_id)?;
        let in_member = topic.entries.swap_remove(place as usize).place as usize;
        let moved = topic.entries.get(place as usize).copied();
        shrink(&mut topic.entries);
        let name = Arc::clone(&topic.name);
        let was_last = topic.entries.is_empty();
        if let Some(moved) = moved
            && let Some(other) = self.members.get_mut(moved.member)
        {
            other.subscriptions[moved.place as usize].place = place;
        }
        let member = self.members.get_mut(id)?;
        if let Some(held) = &mut member.held {
            held.forget(topic_id);
        }
        member.subscriptions.swap_remove(in_member);
        let moved = member.subscriptions.get(in_member).copied();
        shrink(&mut member.subscriptions);
        if let Some(moved) = moved
            && let Some(other) = self.topics.get_mut(moved.topic)
        {
            other.entries[moved.place as usize].place = in_member as u32;
        }
        if was_last {
            self.topics.remove(topic_id);
            self.by_name.remove(&name);
        }
        self.subscriptions -= 1;
        Some(Ended { topic: name, was_last })
    }

    // -------------------------------------------------------------------------------------------------- what is there

    /// The topics of a member, in no particular order.
    pub(crate) fn topics_of(&self, id: SlotId) -> impl Iterator<Item = &Name> {
        let subscriptions = self.members.get(id).map_or(&[][..], |member| &member.subscriptions);
        subscriptions.iter().filter_map(|subscription| Some(&self.topics.get(subscription.topic)?.name))
    }

    /// All topics with a member, in no particular order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Name> {
        self.by_name.keys()
    }

    /// The members of a topic, in no particular order.
    pub(crate) fn members_of(&self, name: &[u8]) -> impl ExactSizeIterator<Item = SlotId> {
        let topic = self.by_name.get(name).and_then(|topic| self.topics.get(*topic));
        topic.map_or(&[][..], |topic| &topic.entries).iter().map(|entry| entry.member)
    }

    /// The numbers of members, topics and subscriptions.
    pub(crate) fn counts(&self) -> [usize; 3] {
        [self.members.len(), self.topics.len(), self.subscriptions]
    }

    // ----------------------------------------------------------------------------------------------------- messages

    /// Calls `each` for every member of a topic but those in `except`, which is sorted by [`SlotId::raw`].
    pub(crate) fn for_each(
        &mut self,
        name: &[u8],
        except: &[SlotId],
        mut each: impl FnMut(Recipient<'_, M>),
    ) {
        let Some(topic_id) = self.by_name.get(name) else { return };
        let Some(topic) = self.topics.get(*topic_id) else { return };
        for &Entry { member: id, policy, .. } in &topic.entries {
            if contains(except, id) {
                continue;
            }
            if let Some(Member { value, held, .. }) = self.members.get_mut(id) {
                each(Recipient { id, policy, topic: Some(*topic_id), value, held });
            }
        }
    }

    /// One subscriber of a topic again, as [`Topics::for_each`] has named it.
    pub(crate) fn recipient(&mut self, id: SlotId, name: &[u8]) -> Option<Recipient<'_, M>> {
        let (topic, place) = self.find(id, name)?;
        let policy = self.topics.get(topic)?.entries.get(place as usize)?.policy;
        let Member { value, held, .. } = self.members.get_mut(id)?;
        Some(Recipient { id, policy, topic: Some(topic), value, held })
    }

    /// The same for all members.
    pub(crate) fn for_all(&mut self, except: &[SlotId], mut each: impl FnMut(Recipient<'_, M>)) {
        for (id, Member { value, held, .. }) in self.members.iter_mut() {
            if !contains(except, id) {
                each(Recipient { id, policy: Policy::Queue, topic: None, value, held });
            }
        }
    }

    /// Bytes of memory that the lists of subscriptions have, for tests.
    #[cfg(test)]
    fn heap_len(&mut self) -> usize {
        let entries: usize = self.topics.iter_mut().map(|(_, topic)| topic.entries.capacity()).sum();
        let subscriptions: usize =
            self.members.iter_mut().map(|(_, member)| member.subscriptions.capacity()).sum();
        entries * size_of::<Entry>() + subscriptions * size_of::<Subscription>()
    }
}

fn contains(sorted: &[SlotId], id: SlotId) -> bool {
    !sorted.is_empty() && sorted.binary_search_by_key(&id.raw(), |id| id.raw()).is_ok()
}

/// Appends, and lets the list grow by half: there are many short ones.
fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 2).max(1));
    }
    list.push(item);
}

/// Gives memory back, when that is most of it.
fn shrink<T>(list: &mut Vec<T>) {
    if list.len() < list.capacity() / 4 {
        list.shrink_to(list.len() * 2);
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
