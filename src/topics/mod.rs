//! Topics: who has subscribed to what, and what happens to subscribers that read too slowly.
//!
//! Knows no sockets, no engine and no clock. [`table`] has topics and their members, [`slow`] the policies, [`held`] what
//! waits for slow subscribers that want the latest message only.

pub(crate) mod held;
pub(crate) mod slow;
pub(crate) mod table;
