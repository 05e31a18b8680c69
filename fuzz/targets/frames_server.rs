//! See `websocket_fuzz::frames::check_as_server`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| websocket_fuzz::frames::check_as_server(data));
