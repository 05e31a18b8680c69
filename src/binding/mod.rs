//! The N-API binding: the only code that knows JavaScript.
//!
//! Plain exported functions with integer ids (they cost a fraction of what methods of native classes cost); the
//! classes of the public API are JavaScript (`lib/`) and hold such ids. Every function catches panics, so that a
//! fault of ours becomes a JavaScript Error and never ends the process.

#![expect(unreachable_pub, reason = "exported to JavaScript by #[napi], which wants `pub`")]
#![expect(clippy::needless_pass_by_value, reason = "arguments from JavaScript come by value")]
#![expect(clippy::trivially_copy_pass_by_ref, reason = "napi lends the environment")]

mod arguments;
mod compressors;
mod handshake;
mod node;
mod publishing;
mod raw;
mod rows;
#[cfg(unix)]
mod sockets;
mod streams;
#[cfg(unix)]
mod tls;
mod topics;

use napi::bindgen_prelude::Object;
use napi::{Env, Result};
use napi_derive::napi;

/// Adds the functions that are written on N-API itself to the exports of the addon.
#[napi(module_exports)]
pub fn init(exports: Object<'_>, env: Env) -> Result<()> {
    #[cfg(unix)]
    sockets::fast_calls::init(&exports, &env)?;
    publishing::init(&exports, &env)
}
