//! Bytes on their way to a socket.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};

use bytes::{Buf, Bytes, BytesMut};

/// Capacity that memory of an outbox may have to be used again; more is given back to the system.
const KEEP: usize = 256 * 1024;

/// Shared frames up to this length are copied: one write of much is cheaper than many pieces.
const COPY: usize = 512;

/// Pieces that go into one write at the most.
const PIECES: usize = 64;

/// Frames that wait to be written, in order. Holds no memory of frames when it is empty.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// What comes before `tail`.
    front: VecDeque<Bytes>,
    tail: BytesMut,
    /// How much of the first piece has been written.
    written: usize,
}

/// Memory of outboxes that are empty, for those that are not.
#[derive(Debug, Default)]
pub(crate) struct Spares(Vec<BytesMut>);

impl Spares {
    /// How many are kept.
    const MAX: usize = 64;

    pub(super) fn take(&mut self) -> BytesMut {
        self.0.pop().unwrap_or_default()
    }

    pub(super) fn put(&mut self, mut memory: BytesMut) {
        if self.0.len() < Self::MAX && (1..=KEEP).contains(&memory.capacity()) {
            memory.clear();
            self.0.push(memory);
        }
    }
}

impl Outbox {
    /// The place to append frames to.
    pub(crate) fn tail(&mut self, spares: &mut Spares) -> &mut BytesMut {
        if self.tail.capacity() == 0 {
            self.tail = spares.take();
        }
        &mut self.tail
    }

    /// Appends frames that others send as well.
    pub(crate) fn push_shared(&mut self, frames: &Bytes, spares: &mut Spares) {
        if frames.len() <= COPY {
            self.tail(spares).extend_from_slice(frames);
            return;
        }
        if !self.tail.is_empty() {
            self.front.push_back(self.tail.split().freeze());
        }
        self.front.push_back(frames.clone());
    }

    /// All that waits.
    pub(crate) fn into_bytes(mut self) -> BytesMut {
        let mut bytes = BytesMut::with_capacity(self.len());
        for piece in &self.front {
            bytes.extend_from_slice(piece);
        }
        bytes.extend_from_slice(&self.tail);
        bytes.advance(std::mem::take(&mut self.written));
        bytes
    }

    /// The number of bytes that wait.
    pub(crate) fn len(&self) -> usize {
        self.front.iter().map(Bytes::len).sum::<usize>() + self.tail.len() - self.written
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.front.is_empty() && self.tail.len() == self.written
    }

    /// Writes as much as `socket` takes, and returns how much that was.
    ///
    /// # Errors
    /// Those of the socket. That it takes no more at present is none.
    pub(crate) fn flush(&mut self, mut socket: impl Write, spares: &mut Spares) -> io::Result<usize> {
        let mut count = 0;
        while !self.is_empty() {
            match self.write(&mut socket) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    count += written;
                    self.advance(written);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.compact();
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.written = 0;
        spares.put(std::mem::take(&mut self.tail));
        Ok(count)
    }

    fn write(&self, socket: &mut impl Write) -> io::Result<usize> {
        // One piece does not go through `writev`, which costs a tenth more.
        match (self.front.len(), self.tail.len()) {
            (0, _) => return socket.write(&self.tail[self.written..]),
            (1, 0) => return socket.write(&self.front[0][self.written..]),
            _ => {}
        }
        let tail = (!self.tail.is_empty()).then_some(&self.tail[..]);
        let all = self.front.iter().map(|piece| &piece[..]).chain(tail);
        let mut pieces: [IoSlice<'_>; PIECES] = [IoSlice::new(&[]); PIECES];
        let mut len = 0;
        for (place, piece) in pieces.iter_mut().zip(all) {
            *place = IoSlice::new(if len == 0 { &piece[self.written..] } else { piece });
            len += 1;
        }
        socket.write_vectored(&pieces[..len])
    }

    fn advance(&mut self, count: usize) {
        self.written += count;
        while let Some(first) = self.front.front()
            && first.len() <= self.written
        {
            self.written -= first.len();
            self.front.pop_front();
        }
    }

    /// Lets go of what has been written, when that is most of the memory.
    fn compact(&mut self) {
        if self.front.is_empty() && self.written > self.tail.len() / 2 {
            self.tail = BytesMut::from(&self.tail[self.written..]);
            self.written = 0;
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
            let count = bytes.len().min(self.room).min(30);
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
        let (mut outbox, mut spares) = (Outbox::default(), Spares::default());
        let mut socket = Slow { taken: Vec::new(), room: 0 };
        let mut sent = Vec::new();
        for round in 0..200u8 {
            let bytes = [round; 7];
            outbox.tail(&mut spares).extend_from_slice(&bytes);
            sent.extend_from_slice(&bytes);
            if round % 7 == 0 {
                let shared = Bytes::from(vec![round; COPY - 3 + usize::from(round % 5)]);
                outbox.push_shared(&shared, &mut spares);
                sent.extend_from_slice(&shared);
            }
            socket.room = usize::from(round % 13) * 20;
            outbox.flush(&mut socket, &mut spares).expect("a slow socket is no error");
            assert_eq!(outbox.len(), sent.len() - socket.taken.len());
        }
        socket.room = usize::MAX;
        outbox.flush(&mut socket, &mut spares).expect("a slow socket is no error");
        assert!(outbox.is_empty());
        assert_eq!(socket.taken, sent);
    }

    #[test]
    fn memory_of_a_large_message_is_given_back() {
        let (mut outbox, mut spares) = (Outbox::default(), Spares::default());
        outbox.tail(&mut spares).resize(1 << 20, 1);
        outbox.flush(io::sink(), &mut spares).expect("a sink takes everything");
        assert_eq!(outbox.tail.capacity(), 0);
        assert!(spares.0.is_empty());
    }

    #[test]
    fn memory_of_small_messages_goes_from_one_outbox_to_the_next() {
        let (mut outbox, mut other, mut spares) = (Outbox::default(), Outbox::default(), Spares::default());
        outbox.tail(&mut spares).extend_from_slice(&[1; 1000]);
        outbox.flush(io::sink(), &mut spares).expect("a sink takes everything");
        assert_eq!(outbox.tail.capacity(), 0);
        assert!(other.tail(&mut spares).capacity() >= 1000);
        assert!(other.is_empty());
    }

    #[test]
    fn what_waits_can_be_taken_out() {
        let (mut outbox, mut spares) = (Outbox::default(), Spares::default());
        outbox.tail(&mut spares).extend_from_slice(b"abc");
        outbox.push_shared(&Bytes::from(vec![b'd'; COPY + 1]), &mut spares);
        outbox.tail(&mut spares).extend_from_slice(b"ef");
        let mut socket = Slow { taken: Vec::new(), room: 2 };
        outbox.flush(&mut socket, &mut spares).expect("a slow socket is no error");
        let rest = outbox.into_bytes();
        assert_eq!((rest.first(), rest.len(), rest.last()), (Some(&b'c'), COPY + 4, Some(&b'f')));
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
        let (mut outbox, mut spares) = (Outbox::default(), Spares::default());
        outbox.tail(&mut spares).extend_from_slice(&[1]);
        assert_eq!(
            outbox.flush(Broken, &mut spares).map_err(|error| error.kind()),
            Err(io::ErrorKind::BrokenPipe)
        );
    }
}
