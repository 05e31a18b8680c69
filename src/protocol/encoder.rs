//! The sending half: frames and messages to bytes, fragmentation included (RFC 6455 sections 5.2 and 5.4).

use bytes::{BufMut, BytesMut};

use super::header::{FrameHeader, MAX_HEADER_LEN, RSV1, header_len};
use super::mask::apply_mask;
use super::opcode::OpCode;

/// Appends one frame: header, then payload, masked when the header has a key.
///
/// `header.len` is replaced by the length of `payload`.
pub fn put_frame(out: &mut BytesMut, mut header: FrameHeader, payload: &[u8]) {
    header.len = payload.len() as u64;
    let mut head = [0; MAX_HEADER_LEN];
    let head_len = header.encode(&mut head);
    out.reserve(head_len + payload.len());
    out.put_slice(&head[..head_len]);
    let at = out.len();
    out.put_slice(payload);
    if let Some(key) = header.mask {
        apply_mask(&mut out[at..], key, 0);
    }
}

/// How a message of `len` bytes is cut into frames of at most `threshold` bytes: the payload range of each frame.
///
/// A message no longer than `threshold`, or a `threshold` of `None` or 0, gives a single frame.
pub fn fragments(len: usize, threshold: Option<usize>) -> impl Iterator<Item = std::ops::Range<usize>> {
    let size = threshold.filter(|&size| size > 0 && size < len).unwrap_or(len);
    let count = if len == 0 { 1 } else { len.div_ceil(size) };
    (0..count).map(move |i| i * size..len.min((i + 1) * size))
}

/// The number of bytes that a message of `len` bytes takes on the wire.
#[must_use]
pub fn message_len(len: usize, threshold: Option<usize>, masked: bool) -> usize {
    fragments(len, threshold).map(|range| header_len(range.len() as u64, masked) + range.len()).sum()
}

/// The headers of the frames of an unmasked message of `len` bytes, each with its length; see [`fragments`].
#[must_use]
pub fn message_headers(
    opcode: OpCode,
    len: usize,
    threshold: Option<usize>,
) -> Vec<([u8; MAX_HEADER_LEN], usize)> {
    let header = |range: std::ops::Range<usize>| {
        let header = FrameHeader {
            fin: range.end == len,
            rsv: 0,
            opcode: if range.start == 0 { opcode } else { OpCode::Continuation },
            mask: None,
            len: range.len() as u64,
        };
        let mut bytes = [0; MAX_HEADER_LEN];
        let header_len = header.encode(&mut bytes);
        (bytes, header_len)
    };
    fragments(len, threshold).map(header).collect()
}

/// Appends a message as one frame or several, and reports where each frame ends in `out`.
///
/// The first frame has `opcode`, the others are Continuation frames, the last has FIN. `mask` is asked for a key for
/// each frame; `None` leaves it unmasked.
pub fn put_message(
    out: &mut BytesMut,
    opcode: OpCode,
    payload: &[u8],
    threshold: Option<usize>,
    mask: impl FnMut() -> Option<[u8; 4]>,
    frame_ends_at: impl FnMut(usize),
) {
    put_frames(out, 0, opcode, payload, threshold, mask, frame_ends_at);
}

/// Appends a compressed message, as [`put_message`]: fragments are cut after compression, and the first one has RSV1
/// (RFC 7692 section 6.1).
pub fn put_compressed_message(
    out: &mut BytesMut,
    opcode: OpCode,
    payload: &[u8],
    threshold: Option<usize>,
    mask: impl FnMut() -> Option<[u8; 4]>,
) {
    put_frames(out, RSV1, opcode, payload, threshold, mask, |_| {});
}

fn put_frames(
    out: &mut BytesMut,
    rsv: u8,
    opcode: OpCode,
    payload: &[u8],
    threshold: Option<usize>,
    mut mask: impl FnMut() -> Option<[u8; 4]>,
    mut frame_ends_at: impl FnMut(usize),
) {
    for range in fragments(payload.len(), threshold) {
        let header = FrameHeader {
            fin: range.end == payload.len(),
            rsv: if range.start == 0 { rsv } else { 0 },
            opcode: if range.start == 0 { opcode } else { OpCode::Continuation },
            mask: mask(),
            len: 0,
        };
        put_frame(out, header, &payload[range]);
        frame_ends_at(out.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(payload: &[u8], threshold: Option<usize>) -> (BytesMut, Vec<usize>) {
        let (mut out, mut ends) = (BytesMut::new(), Vec::new());
        put_message(&mut out, OpCode::Text, payload, threshold, || None, |end| ends.push(end));
        assert_eq!(out.len(), message_len(payload.len(), threshold, false));
        (out, ends)
    }

    #[test]
    fn the_examples_of_rfc_6455_section_5_7() {
        assert_eq!(encode(b"Hello", None).0, &[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f][..]);
        let (fragmented, ends) = encode(b"Hello", Some(3));
        assert_eq!(fragmented, &[0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f][..]);
        assert_eq!(ends, [5, 9]);
        let mut out = BytesMut::new();
        put_message(&mut out, OpCode::Text, b"Hello", None, || Some([0x37, 0xfa, 0x21, 0x3d]), |_| {});
        assert_eq!(out, &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58][..]);
    }

    #[test]
    fn a_message_up_to_the_threshold_is_one_frame() {
        for (len, threshold, frames) in [
            (0, Some(5), 1),
            (4, Some(5), 1),
            (5, Some(5), 1),
            (6, Some(5), 2),
            (10, Some(5), 2),
            (11, Some(5), 3),
            (11, None, 1),
            (11, Some(0), 1), // a threshold that no frame could meet is none
        ] {
            assert_eq!(fragments(len, threshold).count(), frames, "{len} {threshold:?}");
            assert_eq!(fragments(len, threshold).map(|range| range.len()).sum::<usize>(), len);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes when interpreted")]
    fn headers_without_payload_are_those_of_the_whole_message() {
        for (len, threshold) in [(0, None), (5, Some(2)), (70_000, None), (70_000, Some(300))] {
            let payload = vec![7; len];
            let pieces: Vec<u8> = message_headers(OpCode::Text, len, threshold)
                .iter()
                .zip(fragments(len, threshold))
                .flat_map(|((header, header_len), range)| [&header[..*header_len], &payload[range]].concat())
                .collect();
            assert_eq!(encode(&payload, threshold).0, pieces);
        }
    }

    #[test]
    fn only_the_first_frame_of_a_compressed_message_has_rsv1() {
        let mut out = BytesMut::new();
        put_compressed_message(&mut out, OpCode::Text, &[1, 2, 3], Some(2), || None);
        put_compressed_message(&mut out, OpCode::Binary, &[4], None, || None);
        assert_eq!(out, &[0x41, 2, 1, 2, 0x80, 1, 3, 0xC2, 1, 4][..]);
    }

    #[test]
    fn every_frame_of_a_message_has_a_key_of_its_own() {
        let mut key = 0;
        let mut next = || {
            key += 1;
            Some([key, 0, 0, 0])
        };
        let mut out = BytesMut::new();
        put_message(&mut out, OpCode::Binary, &[0; 4], Some(2), &mut next, |_| {});
        assert_eq!(out, &[0x02, 0x82, 1, 0, 0, 0, 1, 0, 0x80, 0x82, 2, 0, 0, 0, 2, 0][..]);
        assert_eq!(out.len(), message_len(4, Some(2), true));
    }
}
