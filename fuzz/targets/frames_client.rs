//! See `websocket_fuzz::frames::check_as_client`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| websocket_fuzz::frames::check_as_client(data));
