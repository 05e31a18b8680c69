//! Masking keys from a cryptographically secure source (RFC 6455 sections 5.3 and 10.3).

/// Fills a buffer with bytes nobody can predict.
pub type FillRandom = fn(&mut [u8]);

/// Hands out masking keys from a pool, so that the source (usually a system call) is asked once for many frames.
pub struct MaskKeys {
    pool: Box<[u8; POOL_LEN]>,
    used: usize,
    fill: FillRandom,
}

const POOL_LEN: usize = 2048;

impl MaskKeys {
    /// A source that asks `fill` whenever its pool is used up.
    #[must_use]
    pub fn new(fill: FillRandom) -> Self {
        Self { pool: Box::new([0; POOL_LEN]), used: POOL_LEN, fill }
    }

    /// A source that asks the operating system.
    ///
    /// # Panics
    /// `next_key` panics when the operating system has no randomness to give, which a supported one always has.
    #[must_use]
    pub fn from_os() -> Self {
        Self::new(|bytes| getrandom::fill(bytes).expect("the operating system's random source works"))
    }

    /// The next key. No key is handed out twice, and used ones are wiped from the pool.
    pub fn next_key(&mut self) -> [u8; 4] {
        if self.used == POOL_LEN {
            (self.fill)(&mut self.pool[..]);
            self.used = 0;
        }
        let key = &mut self.pool[self.used..self.used + 4];
        let next = [key[0], key[1], key[2], key[3]];
        key.fill(0);
        self.used += 4;
        next
    }
}

impl std::fmt::Debug for MaskKeys {
    /// Says nothing of the keys to come.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MaskKeys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn keys_of_the_operating_system_do_not_repeat() {
        let mut keys = MaskKeys::from_os();
        let seen: HashSet<_> = (0..4096).map(|_| keys.next_key()).collect();
        // 4,096 of 2^32: a repetition has a chance of one in five hundred, three of them less than one in 10^8
        assert!(seen.len() > 4093);
    }

    #[test]
    fn the_source_is_asked_again_when_the_pool_is_used_up() {
        let mut keys = MaskKeys::new(|bytes| {
            for (i, byte) in bytes.iter_mut().enumerate() {
                *byte = (i / 4 % 251) as u8;
            }
        });
        for i in 0..POOL_LEN / 4 * 3 {
            let expected = (i % (POOL_LEN / 4) % 251) as u8;
            assert_eq!(keys.next_key(), [expected; 4]);
        }
    }

    #[test]
    fn debug_output_keeps_the_pool_secret() {
        assert_eq!(format!("{:?}", MaskKeys::from_os()), "MaskKeys { .. }");
    }
}
