//! Blocks of deflate (RFC 1951 section 3.2) in messages (RFC 7692 section 7.2.3), written out by hand.

use super::*;

/// What a message is that comes in these pieces.
fn inflate(inflater: &mut Inflater, pieces: &[&[u8]]) -> Result<Vec<u8>, PeerError> {
    let mut message = Vec::new();
    let mut take = |chunk: &[u8]| {
        message.extend_from_slice(chunk);
        Ok(())
    };
    for piece in pieces {
        inflater.push(piece, &mut take)?;
    }
    inflater.finish(&mut take)?;
    Ok(message)
}

fn text(inflater: &mut Inflater, message: &[u8]) -> Result<String, PeerError> {
    inflate(inflater, &[message]).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

const HELLO: Result<&str, &PeerError> = Ok("Hello");

#[test]
fn the_examples_of_rfc_7692_section_7_2_3() {
    let inflater = &mut Inflater::default();
    // one compressed block, then the same by reference to the first (sections 7.2.3.1 and 7.2.3.2)
    assert_eq!(text(inflater, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]).as_deref(), HELLO);
    assert_eq!(text(inflater, &[0xf2, 0x00, 0x11, 0x00, 0x00]).as_deref(), HELLO);
    // a block without compression (7.2.3.3)
    assert_eq!(
        text(inflater, &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]).as_deref(),
        HELLO
    );
    // a block that says it is the last (7.2.3.4), and one after it
    assert_eq!(text(inflater, &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]).as_deref(), HELLO);
    assert_eq!(text(inflater, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]).as_deref(), HELLO);
    // two blocks (7.2.3.5)
    assert_eq!(
        text(inflater, &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00])
            .as_deref(),
        HELLO
    );
    // nothing at all (7.2.3.6)
    assert_eq!(text(inflater, &[0x00]), Ok(String::new()));
    assert_eq!(text(inflater, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]).as_deref(), HELLO);
}

#[test]
fn a_last_block_without_anything_behind_it_ends_the_message() {
    let inflater = &mut Inflater::default();
    for _ in 0..3 {
        assert_eq!(text(inflater, &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]).as_deref(), HELLO);
        assert_eq!(text(inflater, &[]), Ok(String::new()));
    }
}

#[test]
fn what_follows_a_last_block_in_the_same_message_belongs_to_it() {
    let block = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    assert_eq!(text(&mut Inflater::default(), &block.repeat(3)), Ok("HelloHelloHello".to_owned()));
}

#[test]
fn a_reference_to_what_was_before_the_message_needs_the_message_before() {
    let again = &[0xf2, 0x00, 0x11, 0x00, 0x00];
    assert_eq!(text(&mut Inflater::default(), again), Err(PeerError::InvalidDeflate));
    // nor does an inflater that was used for another connection know anything
    let mut inflater = Inflater::lend();
    assert_eq!(text(&mut inflater, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]).as_deref(), HELLO);
    inflater.give_back();
    assert_eq!(text(&mut Inflater::lend(), again), Err(PeerError::InvalidDeflate));
}

#[test]
fn bytes_that_are_no_deflate_are_refused() {
    for bytes in [
        &[0x07][..],                                 // a block of a type that does not exist
        &[0x00, 0x05, 0x00, 0x00, 0x00],             // a length and a complement that do not match
        &[0x05, 0xff, 0xff, 0xff, 0xff, 0xff],       // code lengths that make no code
        &[0xf2, 0x48, 0x05, 0x40, 0x00, 0x00, 0x02], // a distance of nowhere
    ] {
        assert_eq!(text(&mut Inflater::default(), bytes), Err(PeerError::InvalidDeflate), "{bytes:x?}");
    }
}

#[test]
fn a_thread_keeps_a_few_inflaters_only() {
    let lent: Vec<_> = (0..3 * MAX_IDLE).map(|_| Inflater::lend()).collect();
    lent.into_iter().for_each(Inflater::give_back);
    assert_eq!(IDLE.with_borrow(Vec::len), MAX_IDLE);
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes when interpreted")]
fn a_bomb_stops_where_its_receiver_says_so() {
    let mut compressor = crate::protocol::Compressor::new(
        crate::protocol::deflate::Settings { level: 9, window_bits: 15 },
        false,
    );
    let bomb = compressor.compress(&vec![0; 64 << 20], <[u8]>::to_vec).expect("it becomes shorter");
    let mut seen = 0;
    let result = Inflater::default().push(&bomb, |chunk| {
        assert!(chunk.len() <= CHUNK);
        seen += chunk.len();
        if seen > 1 << 20 { Err(PeerError::MessageTooLarge) } else { Ok(()) }
    });
    assert_eq!(result, Err(PeerError::MessageTooLarge));
    assert!(seen <= (1 << 20) + CHUNK);
}
