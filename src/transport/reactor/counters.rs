//! What is counted of a connection.

use std::sync::atomic::AtomicU64;

/// What a connection has brought and taken. Readable on every thread, and a little late there.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Bytes read.
    pub(crate) read: AtomicU64,
    /// Bytes written.
    pub(crate) written: AtomicU64,
    /// Frames received.
    pub(crate) frames: AtomicU64,
    /// Payload bytes of compressed messages received.
    pub(crate) compressed: AtomicU64,
}
