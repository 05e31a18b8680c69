//! Messages to what a peer inflates (RFC 7692 section 7.2.1).
//!
//! A [`Compressor`] with context takeover has a state of its own, 270 KiB with the largest window, from its first message on. All others of a
//! thread share one for each level and window, which forgets everything before each message.

use std::cell::RefCell;
use std::fmt;

use zlib_rs::{Deflate, DeflateConfig, DeflateError, DeflateFlush};

use super::inflate::TAIL;

/// Output memory that a thread keeps.
const KEEP: usize = 1 << 20;

/// Where output begins that is not known to be longer.
const FIRST_OUTPUT: usize = 64 * 1024;

/// zlib's measure for the buffers of a block that is not complete: 2 thousand symbols. More costs memory and gains nothing.
const MEM_LEVEL: i32 = 5;

/// The smallest window zlib compresses with. Its longest distance is 512 - 262 bytes, so that its output suits a peer with
/// a window of 256 bytes (8 bits) as well.
const MIN_WINDOW_BITS: u8 = 9;

/// How much effort goes into compression, and over which distance repetitions are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// From 0 (none) to 9 (most).
    pub level: u8,
    /// The logarithm of the window's size in bytes, from 8 to 15.
    pub window_bits: u8,
}

impl Settings {
    fn new_stream(self) -> Deflate {
        Deflate::new_with_config(DeflateConfig {
            level: i32::from(self.level.min(9)),
            window_bits: -i32::from(self.window_bits.clamp(MIN_WINDOW_BITS, 15)),
            mem_level: MEM_LEVEL,
            ..DeflateConfig::default()
        })
    }
}

thread_local! {
    // At most one for each setting in use.
    static SHARED: RefCell<Vec<(Settings, Deflate)>> = const { RefCell::new(Vec::new()) };
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Compresses the messages of one connection.
pub struct Compressor {
    settings: Settings,
    context_takeover: bool,
    /// With context takeover, from the first message on.
    stream: Option<Deflate>,
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("settings", &self.settings)
            .field("context_takeover", &self.context_takeover)
            .field("used", &self.stream.is_some())
            .finish()
    }
}

impl Compressor {
    /// A compressor that claims no memory before it is used.
    #[must_use]
    pub fn new(settings: Settings, context_takeover: bool) -> Self {
        Self { settings, context_takeover, stream: None }
    }

    /// Lets go of what is known of earlier messages. The peer need not be told: what follows does not refer to them.
    pub fn forget(&mut self) {
        self.stream = None;
    }

    /// This compressor with all it knows; what is left in its place knows nothing.
    #[must_use]
    pub fn take(&mut self) -> Self {
        Self { stream: self.stream.take(), ..*self }
    }

    /// Whether memory is held for this compressor alone.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.stream.is_some()
    }

    /// Compresses a message and lends the result to `work`: the payload of the message as it goes out, without the four
    /// bytes that the receiver adds (section 7.2.1). `None`, and `work` is not called, for what had better go out as it is:
    /// an empty message and, without context takeover, one that does not become shorter.
    pub fn compress<T>(&mut self, payload: &[u8], work: impl FnOnce(&[u8]) -> T) -> Option<T> {
        if payload.is_empty() {
            return None;
        }
        OUTPUT.with_borrow_mut(|output| {
            let len = if self.context_takeover {
                let stream = self.stream.get_or_insert_with(|| self.settings.new_stream());
                let len = deflate(stream, payload, output);
                if len.is_none() {
                    self.stream = None;
                }
                len?
            } else {
                deflate_alone(self.settings, payload, output).filter(|&len| len < payload.len())?
            };
            let result = work(&output[..len]);
            if output.len() > KEEP {
                *output = Vec::new();
            }
            Some(result)
        })
    }
}

/// Compresses a message that knows of no other.
fn deflate_alone(settings: Settings, payload: &[u8], output: &mut Vec<u8>) -> Option<usize> {
    SHARED.with_borrow_mut(|shared| {
        let place = shared.iter().position(|(other, _)| *other == settings).unwrap_or_else(|| {
            shared.push((settings, settings.new_stream()));
            shared.len() - 1
        });
        let stream = &mut shared[place].1;
        stream.reset();
        deflate(stream, payload, output)
    })
}

/// Compresses `payload` to the beginning of `output` and returns its length without the tail; `None` if zlib fails, which
/// it does not with valid settings.
fn deflate(stream: &mut Deflate, payload: &[u8], output: &mut Vec<u8>) -> Option<usize> {
    let (total_in, total_out) = (stream.total_in(), stream.total_out());
    let (mut taken, mut len) = (0, 0);
    output.resize(output.len().max(FIRST_OUTPUT), 0);
    loop {
        let step: Result<_, DeflateError> =
            stream.compress(&payload[taken..], &mut output[len..], DeflateFlush::SyncFlush);
        step.ok()?;
        taken = (stream.total_in() - total_in) as usize;
        len = (stream.total_out() - total_out) as usize;
        // Room that is left means that the flush is complete.
        if taken == payload.len() && len < output.len() {
            break;
        }
        output.resize(2 * output.len(), 0);
    }
    output[..len].ends_with(&TAIL).then(|| len - TAIL.len())
}

#[cfg(test)]
#[path = "deflate_tests.rs"]
mod tests;
