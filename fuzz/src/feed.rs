//! How a stream comes apart on its way to the core.

use std::time::Instant;

use websocket::protocol::Event;
use websocket::protocol::receiver::Receiver;

/// Passes one piece in and returns what happened. What takes long to inflate goes in as another thread would pass it in.
///
/// # Panics
/// When not all of the piece was taken.
pub fn receive(receiver: &mut Receiver, piece: &[u8]) -> Vec<Event<'static>> {
    let mut piece = piece.to_vec();
    let mut input = &mut piece[..];
    let mut events = Vec::new();
    receiver.arrived(input.len(), Instant::now);
    while let Some(event) = receiver.receive_lightly(&mut input) {
        events.push(event.into_owned());
    }
    while let Some(event) = receiver.receive(&mut input) {
        events.push(event.into_owned());
    }
    assert!(input.is_empty(), "all input is taken");
    events
}

/// Cuts `bytes` into pieces whose lengths `sizes` gives, over and over; a 0 stands for 256.
pub fn pieces<'b>(mut bytes: &'b [u8], sizes: &'b [u8]) -> impl Iterator<Item = &'b [u8]> {
    let sizes = if sizes.is_empty() { &[1] } else { sizes };
    sizes.iter().cycle().map_while(move |&size| {
        let size = if size == 0 { 256 } else { usize::from(size) };
        let (piece, rest) = bytes.split_at(size.min(bytes.len()));
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Takes `N` bytes off the front of `data`, zeroes where there are none left.
pub fn take<const N: usize>(data: &mut &[u8]) -> [u8; N] {
    let mut taken = [0; N];
    let len = N.min(data.len());
    taken[..len].copy_from_slice(&data[..len]);
    *data = &data[len..];
    taken
}
