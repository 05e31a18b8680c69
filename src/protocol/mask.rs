//! Masking (RFC 6455 section 5.3).

/// XORs `data` with `key`; `data[0]` meets `key[phase % 4]`. Masking and unmasking are the same operation.
///
/// `phase` is how many bytes of the payload came before `data`, so that a payload may be processed in pieces.
/// Whole `u64` words are XORed at a time, which the compiler turns into vector instructions.
pub fn apply_mask(data: &mut [u8], key: [u8; 4], phase: u64) {
    if key == [0; 4] {
        return;
    }
    let key = u32::from_ne_bytes(key);
    // Turn the key so that it starts with the byte that data[0] needs, whichever byte order this machine has.
    let turn = 8 * (phase % 4) as u32;
    let key = if cfg!(target_endian = "big") { key.rotate_left(turn) } else { key.rotate_right(turn) };
    let wide = u64::from(key) << 32 | u64::from(key);
    let (words, rest) = data.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(wide.to_ne_bytes()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reference(data: &mut [u8], key: [u8; 4], phase: u64) {
        for (i, byte) in data.iter_mut().enumerate() {
            *byte ^= key[(phase as usize + i) % 4];
        }
    }

    #[test]
    fn the_example_of_rfc_6455_section_5_7() {
        let mut data = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        apply_mask(&mut data, [0x37, 0xfa, 0x21, 0x3d], 0);
        assert_eq!(&data, b"Hello");
    }

    proptest! {
        #[test]
        fn agrees_with_the_byte_loop_at_every_phase(
            mut data in proptest::collection::vec(any::<u8>(), 0..200),
            key in any::<[u8; 4]>(),
            phase in any::<u64>(),
        ) {
            let mut expected = data.clone();
            reference(&mut expected, key, phase % 4);
            apply_mask(&mut data, key, phase);
            prop_assert_eq!(data, expected);
        }

        #[test]
        fn a_payload_may_be_masked_in_pieces(
            data in proptest::collection::vec(any::<u8>(), 0..200),
            key in any::<[u8; 4]>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut whole = data.clone();
            apply_mask(&mut whole, key, 0);
            let mut pieces = data;
            let cut = cut.index(pieces.len() + 1);
            let (head, tail) = pieces.split_at_mut(cut);
            apply_mask(head, key, 0);
            apply_mask(tail, key, cut as u64);
            prop_assert_eq!(pieces, whole);
        }
    }
}
