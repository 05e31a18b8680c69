//! Frames of RFC 6455 section 5.2: encoding, masking, reading a header.

/// The opcodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// The next part of a message.
    Continuation = 0,
    /// Text.
    Text = 1,
    /// Binary.
    Binary = 2,
    /// Close.
    Close = 8,
    /// Ping.
    Ping = 9,
    /// Pong.
    Pong = 10,
}

impl Opcode {
    /// Reads the four bits; `None` for those that are reserved.
    fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }
}

/// A frame header.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    /// Whether the message ends here.
    pub fin: bool,
    /// Whether the message is compressed.
    pub rsv1: bool,
    /// What kind of frame.
    pub opcode: Opcode,
    /// The masking key.
    pub mask: Option<[u8; 4]>,
    /// Bytes of payload.
    pub length: usize,
    /// Bytes of the header itself.
    pub size: usize,
}

/// Reads a header; `Ok(None)` when more bytes are needed.
pub fn decode(bytes: &[u8]) -> Result<Option<Header>, String> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let Some(opcode) = Opcode::from_bits(first & 0x0f) else {
        return Err(format!("a frame with the reserved opcode {}", first & 0x0f));
    };
    if first & 0x30 != 0 {
        return Err("a frame with RSV2 or RSV3".to_owned());
    }
    let (length, extra) = match second & 0x7f {
        126 => match rest.first_chunk::<2>() {
            Some(bytes) => (usize::from(u16::from_be_bytes(*bytes)), 2),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(bytes) => (u64::from_be_bytes(*bytes) as usize, 8),
            None => return Ok(None),
        },
        length => (usize::from(length), 0),
    };
    let (mask, size) = if second & 0x80 == 0 {
        (None, 2 + extra)
    } else {
        match rest[extra..].first_chunk::<4>() {
            Some(key) => (Some(*key), 6 + extra),
            None => return Ok(None),
        }
    };
    Ok(Some(Header { fin: first & 0x80 != 0, rsv1: first & 0x40 != 0, opcode, mask, length, size }))
}

/// Appends a header.
pub fn encode_header(out: &mut Vec<u8>, fin: bool, rsv1: bool, opcode: Opcode, masked: bool, length: usize) {
    let mask = if masked { 0x80 } else { 0 };
    out.push(u8::from(fin) << 7 | u8::from(rsv1) << 6 | opcode as u8);
    match length {
        0..126 => out.push(mask | length as u8),
        126..0x1_0000 => {
            out.push(mask | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(mask | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// Appends a frame as a client sends it.
pub fn encode_masked(out: &mut Vec<u8>, fin: bool, rsv1: bool, opcode: Opcode, key: [u8; 4], payload: &[u8]) {
    encode_header(out, fin, rsv1, opcode, true, payload.len());
    out.extend_from_slice(&key);
    let start = out.len();
    out.extend_from_slice(payload);
    mask(&mut out[start..], key);
}

/// Masks or unmasks in place, eight bytes at a time.
pub fn mask(data: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (chunks, rest) = data.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_any_length_reads_back() {
        for length in [0, 1, 125, 126, 127, 65535, 65536] {
            let payload: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let mut wire = Vec::new();
            encode_masked(&mut wire, true, false, Opcode::Binary, [1, 2, 3, 4], &payload);
            let header = decode(&wire).unwrap().unwrap();
            assert_eq!((header.length, header.size + length), (length, wire.len()));
            let mut body = wire[header.size..].to_vec();
            mask(&mut body, header.mask.unwrap());
            assert_eq!(body, payload);
            assert!((0..header.size).all(|cut| decode(&wire[..cut]).unwrap().is_none()));
        }
    }
}
