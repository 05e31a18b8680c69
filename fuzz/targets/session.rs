//! See `websocket_fuzz::session::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| websocket_fuzz::session::check(data));
