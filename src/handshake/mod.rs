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

/// The longest request or response head that is parsed, in bytes.
pub const MAX_HEAD_LEN: usize = 16 * 1024;

/// The most header lines a head may have.
pub const MAX_HEADERS: usize = 128;
