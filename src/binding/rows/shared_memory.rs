//! Memory of a Buffer that JavaScript has lent for as long as its environment lives.

#![expect(unsafe_code, reason = "the memory belongs to JavaScript, which Rust knows by its address")]

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use napi::bindgen_prelude::Buffer;

/// Memory for rows. It is of the JavaScript thread, and cannot be borrowed twice.
pub(in crate::binding) struct SharedMemory {
    start: NonNull<u8>,
    len: usize,
    is_borrowed: Cell<bool>,
    /// Its reference dies with the environment, which is past taking it back when this is dropped.
    _buffer: ManuallyDrop<Buffer>,
}

impl SharedMemory {
    /// `None` for an empty Buffer.
    pub(in crate::binding) fn new(mut buffer: Buffer) -> Option<Self> {
        let len = buffer.len();
        let start = NonNull::new(buffer.as_mut_ptr()).filter(|_| len > 0)?;
        Some(Self { start, len, is_borrowed: Cell::new(false), _buffer: ManuallyDrop::new(buffer) })
    }

    /// Where the memory begins, and how many bytes it has.
    pub(in crate::binding) fn parts(&self) -> (NonNull<u8>, usize) {
        (self.start, self.len)
    }

    /// Lends the memory to `work`, which must not call into JavaScript: JavaScript reads it.
    ///
    /// # Panics
    /// When it is lent already: a fault of ours.
    pub(in crate::binding) fn with<T>(&self, work: impl FnOnce(&mut [u8]) -> T) -> T {
        struct Returned<'a>(&'a Cell<bool>);
        impl Drop for Returned<'_> {
            fn drop(&mut self) {
                self.0.set(false);
            }
        }
        assert!(!self.is_borrowed.replace(true), "memory of rows is used twice at a time");
        let _returned = Returned(&self.is_borrowed);
        // SAFETY: the Buffer is alive, initialised memory. Rust refers to it here only, as the flag shows, and JavaScript,
        // which has it as well, does not run meanwhile.
        work(unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) })
    }
}
