//! See `websocket_fuzz::grammars::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| websocket_fuzz::grammars::check(data));
