//! See `websocket_fuzz::tls::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| websocket_fuzz::tls::check(data));
