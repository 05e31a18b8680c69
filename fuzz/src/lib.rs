//! What the fuzz targets check: one function for each, which panics when the core does not keep its word.
//!
//! `docs/fuzzing.md` has the list, the invariants and how to run them.

#![forbid(unsafe_code)]

pub mod deflate;
pub mod differential;
pub mod feed;
pub mod frames;
pub mod grammars;
pub mod handshake;
pub mod header_codec;
pub mod model;
pub mod session;
pub mod tls;

/// A check of one input of any bytes.
pub type Check = fn(&[u8]);

/// The targets by name, each with what it runs.
pub const TARGETS: &[(&str, Check)] = &[
    ("header_codec", header_codec::check),
    ("frames_server", frames::check_as_server),
    ("frames_client", frames::check_as_client),
    ("handshake_request", handshake::check_request),
    ("handshake_head", handshake::check_head),
    ("handshake_response", handshake::check_response),
    ("handshake_encode", handshake::check_encode),
    ("header_grammars", grammars::check),
    ("negotiation", deflate::check_negotiation),
    ("inflate", deflate::check_inflate),
    ("deflate", deflate::check_deflate),
    ("session", session::check),
    ("differential", differential::check),
    ("tls", tls::check),
];
