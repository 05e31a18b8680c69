//! Functions of the addon on N-API itself, since the conversions that `#[napi]` generates cost more than the work of a small
//! call: 150 ns a call where these take 60 to 80.

#![expect(unsafe_code, reason = "N-API is C")]

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use napi::bindgen_prelude::Object;
use napi::{Env, JsValue, Result, sys};

/// Strings up to nearly this many bytes of UTF-8 cross the border in one call.
const SCRATCH_LEN: usize = 64 * 1024;

thread_local! {
    // Strings on their way out.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_LEN]);
}

/// What a function of this module is.
pub(super) type Function = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

/// Adds a function to the exports of the addon.
pub(super) fn define(env: &Env, exports: &Object<'_>, name: &CStr, function: Function) -> Result<()> {
    let mut value = ptr::null_mut();
    // SAFETY: the environment is the one of this call, the name ends with a zero.
    let status = unsafe {
        sys::napi_create_function(
            env.raw(),
            name.as_ptr(),
            name.count_bytes().cast_signed(),
            Some(function),
            ptr::null_mut(),
            &raw mut value,
        )
    };
    napi::check_status!(status)?;
    // SAFETY: both are values of the handle scope that is open.
    napi::check_status!(unsafe {
        sys::napi_set_named_property(env.raw(), exports.raw(), name.as_ptr(), value)
    })
}

thread_local! {
    /// Whether the last string was not ASCII. The next one is taken as UTF-16 then, which V8 copies as it is, where making
    /// UTF-8 of it would take it twice the time that it takes here.
    static WIDE: Cell<bool> = const { Cell::new(false) };
    static UNITS: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
}

/// Units of UTF-16 that always fit into the scratch memory.
const UNITS_LEN: usize = SCRATCH_LEN / 3;

/// Lends the UTF-8 of a string to `work`.
pub(super) fn with_text<T>(
    env: sys::napi_env,
    text: sys::napi_value,
    work: impl FnOnce(&[u8]) -> T,
) -> Option<T> {
    SCRATCH.with_borrow_mut(|scratch| {
        if WIDE.get()
            && let Some(len) = wide(env, text, scratch)
        {
            WIDE.set(!scratch[..len].is_ascii());
            return Some(work(&scratch[..len]));
        }
        let len = utf8(env, text, scratch)?;
        // One byte is for the zero at the end, and characters are not cut: with less left there may be more.
        if len + 4 < SCRATCH_LEN {
            WIDE.set(!scratch[..len].is_ascii());
            return Some(work(&scratch[..len]));
        }
        let mut long = vec![0; utf8_len(env, text)? + 1];
        let len = utf8(env, text, &mut long)?;
        Some(work(&long[..len]))
    })
}

/// Lends the UTF-8 of a short string to `work`; may be used within [`with_text`].
pub(super) fn with_name<T>(
    env: sys::napi_env,
    text: sys::napi_value,
    work: impl FnOnce(&[u8]) -> T,
) -> Option<T> {
    let mut short = [0; 512];
    let len = utf8(env, text, &mut short)?;
    // As in `with_text`.
    if len + 4 < short.len() {
        return Some(work(&short[..len]));
    }
    let mut long = vec![0; utf8_len(env, text)? + 1];
    let len = utf8(env, text, &mut long)?;
    Some(work(&long[..len]))
}

/// Writes a string into `memory` by way of UTF-16; `None` when it may be too long for that. Half a surrogate pair becomes
/// U+FFFD, as it does in V8.
fn wide(env: sys::napi_env, text: sys::napi_value, memory: &mut [u8]) -> Option<usize> {
    UNITS.with_borrow_mut(|units| {
        units.resize(UNITS_LEN, 0);
        let mut len = 0;
        // SAFETY: the value is one of the arguments; at most the length of the memory is written.
        let status = unsafe {
            sys::napi_get_value_string_utf16(env, text, units.as_mut_ptr(), UNITS_LEN, &raw mut len)
        };
        // One unit is for the zero at the end: when all the others are taken, there may be more.
        (status == sys::Status::napi_ok && len + 1 < UNITS_LEN)
            .then(|| encoding_rs::mem::convert_utf16_to_utf8(&units[..len], memory))
    })
}

/// Lends the memory of a Buffer to `work`, which must not call into JavaScript.
pub(super) fn with_bytes<T>(
    env: sys::napi_env,
    bytes: sys::napi_value,
    work: impl FnOnce(&[u8]) -> T,
) -> Option<T> {
    let mut is_buffer = false;
    // Before Node 20, asking for the memory of something else ends the process.
    // SAFETY: the value is one of the arguments.
    let status = unsafe { sys::napi_is_buffer(env, bytes, &raw mut is_buffer) };
    if status != sys::Status::napi_ok || !is_buffer {
        return None;
    }
    let (mut data, mut len) = (ptr::null_mut(), 0);
    // SAFETY: the value is one of the arguments, and a Buffer.
    let status = unsafe { sys::napi_get_buffer_info(env, bytes, &raw mut data, &raw mut len) };
    if status != sys::Status::napi_ok {
        return None;
    }
    if len == 0 {
        return Some(work(&[]));
    }
    // SAFETY: memory of a Buffer that is alive during this call, in which no JavaScript runs.
    Some(work(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len) }))
}

/// Calls `work`, and turns a panic or wrong arguments (`None`) into a JavaScript Error.
pub(super) fn guard(env: sys::napi_env, work: impl FnOnce() -> Option<u32>) -> sys::napi_value {
    let mut value = ptr::null_mut();
    let message = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Some(number)) => {
            // SAFETY: the environment is the one of this call.
            unsafe { sys::napi_create_uint32(env, number, &raw mut value) };
            return value;
        }
        Ok(None) => c"wrong arguments for a function of the websocket addon",
        Err(_) => c"a fault in the websocket addon; its message is on stderr",
    };
    // SAFETY: the environment is the one of this call, the message ends with a zero.
    unsafe { sys::napi_throw_error(env, ptr::null(), message.as_ptr()) };
    value
}

pub(super) fn arguments<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> Option<[sys::napi_value; N]> {
    let mut values = [ptr::null_mut(); N];
    let mut count = N;
    // SAFETY: there is room for as many values as are asked for; missing ones become undefined.
    let status = unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            values.as_mut_ptr(),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    (status == sys::Status::napi_ok).then_some(values)
}

pub(super) fn number(env: sys::napi_env, value: sys::napi_value) -> Option<u32> {
    let mut number = 0;
    // SAFETY: the value is one of the arguments.
    let status = unsafe { sys::napi_get_value_uint32(env, value, &raw mut number) };
    (status == sys::Status::napi_ok).then_some(number)
}

pub(super) fn boolean(env: sys::napi_env, value: sys::napi_value) -> Option<bool> {
    let mut boolean = false;
    // SAFETY: the value is one of the arguments.
    let status = unsafe { sys::napi_get_value_bool(env, value, &raw mut boolean) };
    (status == sys::Status::napi_ok).then_some(boolean)
}

/// Writes a string into `memory`, as much of it as there is room for and a zero behind it, and returns its length.
fn utf8(env: sys::napi_env, text: sys::napi_value, memory: &mut [u8]) -> Option<usize> {
    let mut len = 0;
    // SAFETY: the value is one of the arguments; at most the length of the memory is written.
    let status = unsafe {
        sys::napi_get_value_string_utf8(
            env,
            text,
            memory.as_mut_ptr().cast::<c_char>(),
            memory.len(),
            &raw mut len,
        )
    };
    (status == sys::Status::napi_ok).then_some(len)
}

/// The number of bytes a string has in UTF-8.
fn utf8_len(env: sys::napi_env, text: sys::napi_value) -> Option<usize> {
    let mut len = 0;
    // SAFETY: the value is one of the arguments; without memory only the length is written.
    let status = unsafe { sys::napi_get_value_string_utf8(env, text, ptr::null_mut(), 0, &raw mut len) };
    (status == sys::Status::napi_ok).then_some(len)
}
