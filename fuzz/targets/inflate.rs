//! See `websocket_fuzz::deflate::check_inflate`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| websocket_fuzz::deflate::check_inflate(data));
