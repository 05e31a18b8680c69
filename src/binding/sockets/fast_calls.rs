//! Functions that are called once for each message.

#![expect(unsafe_code, reason = "N-API is C")]

use napi::bindgen_prelude::Object;
use napi::{Env, Result, sys};

use super::sending::{send_compressed, send_message};
use crate::binding::raw::{arguments, boolean, define, guard, number, with_bytes, with_text};

/// Adds the functions to the exports of the addon.
pub(in crate::binding) fn init(exports: &Object<'_>, env: &Env) -> Result<()> {
    define(env, exports, c"nativeSendText", send_text)?;
    define(env, exports, c"nativeSendBytes", send_bytes)?;
    define(env, exports, c"nativeSendCompressedText", send_compressed_text)?;
    define(env, exports, c"nativeSendCompressedBytes", send_compressed_bytes)
}

/// `nativeSendText(id, text, threshold, masked)`: sends a text message, in fragments of at most `threshold` bytes (0: in
/// one frame). Returns how many bytes wait to be written then.
unsafe extern "C" fn send_text(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    guard(env, || {
        let [id, text, threshold, masked] = arguments(env, info)?;
        let (id, threshold, masked) = (number(env, id)?, number(env, threshold)?, boolean(env, masked)?);
        with_text(env, text, |text| send_message(id, 1, text, threshold, masked))
    })
}

/// `nativeSendBytes(id, opcode, payload, threshold, masked)`: sends a message whose first frame has this opcode.
unsafe extern "C" fn send_bytes(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    guard(env, || {
        let [id, opcode, payload, threshold, masked] = arguments(env, info)?;
        let (id, opcode, threshold) = (number(env, id)?, number(env, opcode)?, number(env, threshold)?);
        let masked = boolean(env, masked)?;
        with_bytes(env, payload, |payload| send_message(id, opcode, payload, threshold, masked))
    })
}

/// `nativeSendCompressedText(id, compressor, text, threshold, masked)`: as `nativeSendText`, compressed if that is worth
/// while.
unsafe extern "C" fn send_compressed_text(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    guard(env, || {
        let [id, compressor, text, threshold, masked] = arguments(env, info)?;
        let (id, compressor) = (number(env, id)?, number(env, compressor)?);
        let (threshold, masked) = (number(env, threshold)?, boolean(env, masked)?);
        with_text(env, text, |text| send_compressed(id, compressor, 1, text, threshold, masked))
    })
}

/// `nativeSendCompressedBytes(id, compressor, opcode, payload, threshold, masked)`: as `nativeSendBytes`, compressed if
/// that is worth while.
unsafe extern "C" fn send_compressed_bytes(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    guard(env, || {
        let [id, compressor, opcode, payload, threshold, masked] = arguments(env, info)?;
        let (id, compressor, opcode) = (number(env, id)?, number(env, compressor)?, number(env, opcode)?);
        let (threshold, masked) = (number(env, threshold)?, boolean(env, masked)?);
        with_bytes(env, payload, |payload| {
            send_compressed(id, compressor, opcode, payload, threshold, masked)
        })
    })
}
