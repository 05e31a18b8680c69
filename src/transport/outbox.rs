//! Bytes on their way to a socket.

use std::io;
use std::io::Write;

use bytes::{Buf, BytesMut};

/// Capacity an empty outbox may keep; more is given back, so that a large message does not stay in memory.
const KEEP: usize = 16 * 1024;

/// Frames that wait to be written, in order.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: BytesMut,
}

impl Outbox {
    /// The place to append frames to.
    pub(crate) fn tail(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }

    /// All that waits.
    pub(crate) fn into_bytes(self) -> BytesMut {
        self.bytes
    }

    /// The number of bytes that wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Writes as much as `socket` takes, and returns how much that was.
    ///
    /// # Errors
    /// Those of the socket. That it takes no more at present is none.
    pub(crate) fn flush(&mut self, mut socket: impl Write) -> io::Result<usize> {
        let before = self.len();
        while !self.is_empty() {
            match socket.write(&self.bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.bytes.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let count = before - self.len();
        if self.is_empty() {
            self.reuse(before);
        }
        Ok(count)
    }

    /// Makes the memory of `used` bytes available again, or gives it back if it is much.
    fn reuse(&mut self, used: usize) {
        if used > KEEP {
            self.bytes = BytesMut::new();
        } else {
            // What was written is behind the start now; this moves the start back.
            let _ = self.bytes.try_reclaim(used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a few bytes at a time, and then none.
    struct Slow {
        taken: Vec<u8>,
        room: usize,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let count = bytes.len().min(self.room).min(3);
            self.taken.extend_from_slice(&bytes[..count]);
            self.room -= count;
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_socket_does_not_take_waits_in_order() {
        let mut outbox = Outbox::default();
        let mut socket = Slow { taken: Vec::new(), room: 0 };
        let mut sent = Vec::new();
        for round in 0..200u8 {
            let bytes = [round; 7];
            outbox.tail().extend_from_slice(&bytes);
            sent.extend_from_slice(&bytes);
            socket.room = usize::from(round % 13);
            outbox.flush(&mut socket).expect("a slow socket is no error");
            assert_eq!(outbox.len(), sent.len() - socket.taken.len());
        }
        socket.room = usize::MAX;
        outbox.flush(&mut socket).expect("a slow socket is no error");
        assert!(outbox.is_empty());
        assert_eq!(socket.taken, sent);
    }

    #[test]
    fn memory_of_a_large_message_is_given_back() {
        let mut outbox = Outbox::default();
        outbox.tail().resize(1 << 20, 1);
        outbox.flush(io::sink()).expect("a sink takes everything");
        assert!(outbox.bytes.capacity() <= KEEP);
    }

    #[test]
    fn errors_of_the_socket_are_reported() {
        struct Broken;
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut outbox = Outbox::default();
        outbox.tail().extend_from_slice(&[1]);
        assert_eq!(outbox.flush(Broken).map_err(|error| error.kind()), Err(io::ErrorKind::BrokenPipe));
    }
}
