//! The opening handshake (RFC 6455 section 4) and the header grammars it rests on, without any I/O.
//!
//! Every parser here is linear in the length of its input and takes any bytes a peer may send.

#![forbid(unsafe_code)]

pub mod client;
pub mod cookies;
pub mod deflate;
pub mod extensions;
pub mod head;
pub mod key;
pub mod server;
pub mod tokens;

/// The longest response head that is parsed, in bytes; and the longest request head, unless the program says otherwise.
pub const MAX_HEAD_LEN: usize = 16 * 1024;

/// The most header lines a response may have. Requests with more of them are rare, and parsed more slowly.
pub const MAX_HEADERS: usize = 128;

/// The most header lines a request may have: as many as Node documents for `server.maxHeadersCount`.
pub const MAX_REQUEST_HEADERS: usize = 2000;
