//! Properties of the protocol core that hold for every input, through its public interface.

mod any_bytes;
mod compression;
mod generate;
mod memory;
mod round_trip;
mod splits;

use websocket::protocol::receiver::Receiver;
use websocket::protocol::{Config, Event};

/// Passes one piece in and returns what happened.
fn receive(receiver: &mut Receiver, piece: &[u8]) -> Vec<Event<'static>> {
    let mut piece = piece.to_vec();
    let mut input = &mut piece[..];
    let mut events = Vec::new();
    while let Some(event) = receiver.receive(&mut input) {
        events.push(event.into_owned());
    }
    assert!(input.is_empty(), "all input is taken");
    events
}

/// Cuts `bytes` into pieces of these sizes, over and over.
fn pieces<'b>(mut bytes: &'b [u8], sizes: &[usize]) -> Vec<&'b [u8]> {
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (piece, rest) = bytes.split_at((*size).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// What happens when `bytes` arrive in pieces of these sizes.
fn events_of(config: Config, bytes: &[u8], sizes: &[usize]) -> Vec<Event<'static>> {
    let mut receiver = Receiver::new(config);
    pieces(bytes, sizes).into_iter().flat_map(|piece| receive(&mut receiver, piece)).collect()
}
