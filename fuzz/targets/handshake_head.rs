//! See `websocket_fuzz::handshake::check_head`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| websocket_fuzz::handshake::check_head(data));
