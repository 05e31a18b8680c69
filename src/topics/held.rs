//! Messages that wait for a slow subscriber with the policy `latest`: the newest of each topic.

use bytes::Bytes;

use crate::slots::SlotId;

/// A message that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Shared by all for whom it waits.
    pub(crate) payload: Bytes,
    pub(crate) is_text: bool,
    /// Whether it may be compressed.
    pub(crate) compress: bool,
}

/// See the module. In the order in which they were published.
#[derive(Debug, Default)]
pub(crate) struct Held(Vec<(SlotId, Message)>);

impl Held {
    /// Whether a message of this topic waits.
    pub(crate) fn has(&self, topic: SlotId) -> bool {
        self.0.iter().any(|(of, _)| *of == topic)
    }

    /// Keeps a message in place of the one before of its topic. True when nothing has waited before.
    pub(crate) fn keep(&mut self, topic: SlotId, message: &Message) -> bool {
        let first = self.0.is_empty();
        self.forget(topic);
        self.0.push((topic, message.clone()));
        first
    }

    /// The subscription has ended: its message is not wanted any more.
    pub(crate) fn forget(&mut self, topic: SlotId) {
        self.0.retain(|(of, _)| *of != topic);
    }

    /// All messages.
    pub(crate) fn into_messages(self) -> Vec<Message> {
        self.0.into_iter().map(|(_, message)| message).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &'static str) -> Message {
        Message { payload: Bytes::from_static(text.as_bytes()), is_text: true, compress: true }
    }

    #[test]
    fn the_latest_of_each_topic_waits_in_the_order_of_publishing() {
        let (a, b) = (SlotId::from_raw(1), SlotId::from_raw(2));
        let mut held = Held::default();
        assert!(held.keep(a, &message("a1")));
        assert!(!held.keep(b, &message("b1")));
        assert!(!held.keep(a, &message("a2")));
        assert!(held.has(a));
        assert_eq!(held.into_messages(), [message("b1"), message("a2")]);
    }

    #[test]
    fn what_is_not_wanted_any_more_does_not_wait() {
        let (a, b) = (SlotId::from_raw(1), SlotId::from_raw(2));
        let mut held = Held::default();
        held.keep(a, &message("a1"));
        held.keep(b, &message("b1"));
        held.forget(a);
        assert!(!held.has(a));
        assert_eq!(held.into_messages(), [message("b1")]);
    }
}
