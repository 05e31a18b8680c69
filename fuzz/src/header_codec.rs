//! Frame headers to bytes and back.

use websocket::protocol::FrameHeader;
use websocket::protocol::header::MAX_HEADER_LEN;

/// A header that is read comes out the same when it is written, no shorter prefix suffices, and what is refused stays
/// refused whatever follows.
///
/// # Panics
/// When that does not hold.
pub fn check(data: &[u8]) {
    let data = &data[..data.len().min(MAX_HEADER_LEN + 2)];
    let whole = FrameHeader::decode(data);
    if let Ok(Some((header, len))) = whole {
        assert!(len <= data.len() && len == header.encoded_len());
        let mut out = [0; MAX_HEADER_LEN];
        assert_eq!(header.encode(&mut out), len);
        assert_eq!(out[..len], data[..len], "there is one way to write a header");
    }
    for cut in 0..data.len() {
        match FrameHeader::decode(&data[..cut]) {
            Ok(None) => assert!(!matches!(whole, Ok(Some((_, len))) if len <= cut)),
            part => assert_eq!(part, whole, "after {cut} bytes"),
        }
    }
}
