//! See `websocket_fuzz::header_codec::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| websocket_fuzz::header_codec::check(data));
