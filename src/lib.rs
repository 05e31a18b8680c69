//! WebSocket for Node.js: the layers and the rule between them.
//!
//! ```text
//! binding    N-API: the only module that knows JavaScript; crosses the border once per portion of events
//!    │
//! transport  sockets that the addon reads and writes: the reactor, and who drives it
//!    │
//! jobs       what takes long, on a thread of its own
//! topics     who has subscribed to what; slow subscribers
//!    │
//! tls        TLS sessions: ciphertext in, plaintext out, and back
//! handshake  opening handshake (RFC 6455 section 4): requests, responses, header grammars
//! protocol   frames, messages, limits, closing (sections 5 to 8): bytes in, events out
//! ```
//!
//! A module may use the ones below it, never those above. `tls`, `protocol` and `handshake` do no I/O, know no clock and
//! contain no `unsafe`, so everything in them is tested without Node.

// Test binaries have no Node to be called by.
#[cfg(all(feature = "node", not(test)))]
mod binding;
pub mod handshake;
#[cfg(feature = "node")]
#[cfg_attr(test, allow(dead_code, reason = "the binding, which uses it, is not in test binaries"))]
mod jobs;
pub mod protocol;
#[cfg(any(feature = "node", test))]
#[cfg_attr(test, allow(dead_code, reason = "the binding, which uses it, is not in test binaries"))]
mod slots;
#[cfg(any(feature = "tls", feature = "node", all(loom, test)))]
pub mod tls;
#[cfg(any(feature = "node", all(test, not(loom))))]
#[cfg_attr(test, allow(dead_code, reason = "the binding, which uses it, is not in test binaries"))]
mod topics;
// The models of loom need no Node, and tokio and mio do not go with them.
#[cfg(all(any(feature = "node", all(loom, test)), unix))]
#[cfg_attr(test, allow(dead_code, reason = "the binding, which uses it, is not in test binaries"))]
mod transport;
