//! Values of JavaScript that go with rows.

#![cfg_attr(unix, expect(unsafe_code, reason = "values become handles of N-API, which is C"))]

use std::cell::RefCell;

use napi::bindgen_prelude::{Array, BufferSlice, ToNapiValue};
#[cfg(unix)]
use napi::sys;
use napi::{Env, JsString, Result};

/// What is not a number, in order.
pub(in crate::binding) struct Values<'env> {
    store: Store<'env>,
    len: u32,
}

enum Store<'env> {
    /// An array of JavaScript's, filled from its beginning.
    Array(Array<'env>),
    /// Handles, to become arguments of a call: putting each into an array costs as much as making a string.
    #[cfg(unix)]
    List(&'env Env, Vec<sys::napi_value>),
}

impl<'env> Values<'env> {
    pub(in crate::binding) fn new(array: Array<'env>) -> Self {
        Self { store: Store::Array(array), len: 0 }
    }

    /// Handles that become arguments of a call, behind those that `list` has already.
    #[cfg(unix)]
    pub(super) fn list(env: &'env Env, list: Vec<sys::napi_value>) -> Self {
        Self { store: Store::List(env, list), len: 0 }
    }

    /// The number of values.
    #[cfg(unix)]
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// The handles, with those that were there before.
    #[cfg(unix)]
    pub(super) fn into_list(self) -> Vec<sys::napi_value> {
        match self.store {
            Store::List(_, list) => list,
            Store::Array(_) => Vec::new(),
        }
    }

    pub(super) fn push(&mut self, value: impl ToNapiValue) -> Result<u32> {
        match &mut self.store {
            Store::Array(array) => array.set(self.len, value)?,
            #[cfg(unix)]
            Store::List(env, list) => {
                // SAFETY: the environment is that of the call in which this was made, and a handle scope is open.
                list.push(unsafe { ToNapiValue::to_napi_value(env.raw(), value) }?);
            }
        }
        self.len += 1;
        Ok(self.len - 1)
    }
}

/// A string of what the receiver has found to be UTF-8. Making UTF-16 of it here takes half the time that V8 takes.
pub(super) fn utf16_string<'e>(env: &'e Env, text: &[u8]) -> Result<JsString<'e>> {
    thread_local! {
        static UNITS: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
    }
    UNITS.with_borrow_mut(|units| {
        // The conversion asks for room for one unit more than there are bytes.
        if units.len() <= text.len() {
            units.resize(text.len() + 1, 0);
        }
        let len = encoding_rs::mem::convert_utf8_to_utf16(text, units);
        let string = env.create_string_utf16(&units[..len]);
        if units.len() > MAX_UNITS {
            *units = Vec::new();
        }
        string
    })
}

/// Units that are kept for the next string.
const MAX_UNITS: usize = 64 * 1024;

/// Buffers from this many bytes on are not copied into memory of V8: it costs more than a finalizer does.
const EXTERNAL: usize = 64 * 1024;

/// A Buffer of bytes that are nobody else's.
pub(super) fn buffer(env: &Env, mut bytes: Vec<u8>) -> Result<BufferSlice<'_>> {
    if bytes.len() < EXTERNAL {
        return BufferSlice::copy_from(env, &bytes);
    }
    bytes.shrink_to_fit();
    BufferSlice::from_data(env, bytes)
}
