//! permessage-deflate (RFC 7692) of one connection: one window each way, kept from message to message.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::error::{Error, Result, peer};
use crate::handshake::Agreed;

/// What ends every flushed block and is left out on the wire.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Both windows.
#[derive(Debug)]
pub struct Deflate {
    compress: Compress,
    decompress: Decompress,
    agreed: Agreed,
}

impl Deflate {
    /// Fresh windows; level 1, which is the load generator's own cost and not measured.
    #[must_use]
    pub fn new(agreed: Agreed) -> Self {
        Self {
            compress: Compress::new(Compression::fast(), false),
            decompress: Decompress::new(false),
            agreed,
        }
    }

    /// Compresses one message into `out`, which is cleared first.
    pub fn compress(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<()> {
        if self.agreed.client_no_context_takeover {
            self.compress.reset();
        }
        out.clear();
        out.reserve(payload.len() / 2 + 64);
        let start = self.compress.total_in();
        loop {
            let done = (self.compress.total_in() - start) as usize;
            self.compress
                .compress_vec(&payload[done..], out, FlushCompress::Sync)
                .map_err(|error| Error::Peer(format!("deflate failed: {error}")))?;
            // Room left means that the flush is complete.
            if out.len() < out.capacity() && (self.compress.total_in() - start) as usize == payload.len() {
                break;
            }
            out.reserve(out.capacity().max(64));
        }
        debug_assert!(out.ends_with(&TAIL));
        out.truncate(out.len() - TAIL.len());
        Ok(())
    }

    /// Restores one message into `out`, which is cleared first. `limit` bounds what may come out.
    pub fn decompress(&mut self, payload: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<()> {
        out.clear();
        out.reserve(limit + 64);
        self.inflate(payload, out)?;
        self.inflate(&TAIL, out)?;
        if self.agreed.server_no_context_takeover {
            self.decompress.reset(false);
        }
        Ok(())
    }

    fn inflate(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let start = self.decompress.total_in();
        while ((self.decompress.total_in() - start) as usize) < input.len() {
            let done = (self.decompress.total_in() - start) as usize;
            let before = out.len();
            let status = self
                .decompress
                .decompress_vec(&input[done..], out, FlushDecompress::Sync)
                .map_err(|error| Error::Peer(format!("a reply does not inflate: {error}")))?;
            let consumed = (self.decompress.total_in() - start) as usize - done;
            if status == Status::StreamEnd {
                // A block marked as the last one ends the stream; RFC 7692 section 7.2.3.4 allows it.
                self.decompress.reset(false);
                return Ok(());
            }
            if consumed == 0 && out.len() == before {
                return peer("a compressed reply is longer than what was sent");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_one_connection_survive_and_profit_from_the_window() {
        let mut ours = Deflate::new(Agreed::default());
        let message = b"a message that repeats itself from time to time, from time to time".repeat(5);
        let (mut wire, mut back, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..3 {
            ours.compress(&message, &mut wire).unwrap();
            sizes.push(wire.len());
            ours.decompress(&wire, &mut back, message.len()).unwrap();
            assert_eq!(back, message);
        }
        assert!(sizes[1] < sizes[0], "{sizes:?}");
    }
}
