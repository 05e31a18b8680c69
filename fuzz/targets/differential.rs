//! See `websocket_fuzz::differential::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| websocket_fuzz::differential::check(data));
