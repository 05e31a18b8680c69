//! Session tickets with keys of the program, which several processes can share.

use std::fmt;

use getrandom::fill;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use rustls::server::ProducesTickets;

/// Bytes of a key: as long as those of Node, so that the same ones can be used.
pub(super) const KEY_LEN: usize = 48;

const NAME_LEN: usize = 16;

/// How long a ticket is good for, in seconds.
const LIFETIME: u32 = 12 * 60 * 60;

/// The longest ticket that is looked at: with certificates of the client it is some kilobytes.
const MAX_TICKET: usize = 32 * 1024;

/// Encrypts the state of a session for the client to keep: name of the key, nonce, ciphertext and tag.
pub(super) struct Tickets {
    /// The first one encrypts.
    keys: Vec<TicketKey>,
}

struct TicketKey {
    name: [u8; NAME_LEN],
    key: LessSafeKey,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tickets").field("keys", &self.keys.len()).finish()
    }
}

impl Tickets {
    /// `None` unless there is a whole number of keys, and at least one.
    pub(super) fn new(keys: &[u8]) -> Option<Self> {
        let (keys, rest) = keys.as_chunks::<KEY_LEN>();
        if keys.is_empty() || !rest.is_empty() {
            return None;
        }
        let keys = keys.iter().map(TicketKey::new).collect::<Option<_>>()?;
        Some(Self { keys })
    }
}

impl TicketKey {
    fn new(bytes: &[u8; KEY_LEN]) -> Option<Self> {
        let (name, secret) = bytes.split_first_chunk::<NAME_LEN>()?;
        // Node has two keys of 16 bytes in the rest. One of 32 bytes is derived from both.
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), b"websocket session tickets");
        let key = UnboundKey::new(&AES_256_GCM, derived.as_ref()).ok()?;
        Some(Self { name: *name, key: LessSafeKey::new(key) })
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        LIFETIME
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let TicketKey { name, key } = self.keys.first()?;
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce).ok()?;
        let mut sealed = plain.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(name), &mut sealed)
            .ok()?;
        Some([&name[..], &nonce, &sealed].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        if ticket.len() > MAX_TICKET {
            return None;
        }
        let (name, rest) = ticket.split_first_chunk::<NAME_LEN>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let TicketKey { key, .. } = self.keys.iter().find(|key| key.name == *name)?;
        let mut sealed = sealed.to_vec();
        let plain =
            key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(name), &mut sealed).ok()?;
        Some(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_of_an_older_key_is_understood_and_a_new_one_has_the_first_key() {
        let (old, new) = ([1; KEY_LEN], [2; KEY_LEN]);
        let ticket = Tickets::new(&old).and_then(|tickets| tickets.encrypt(b"state")).expect("a ticket");
        let rotated = Tickets::new(&[new, old].concat()).expect("two keys");
        assert_eq!(rotated.decrypt(&ticket).as_deref(), Some(&b"state"[..]));
        let renewed = rotated.encrypt(b"state").expect("a ticket");
        assert_eq!(renewed[..NAME_LEN], [2; NAME_LEN]);
        assert_eq!(Tickets::new(&old).and_then(|tickets| tickets.decrypt(&renewed)), None);
    }

    #[test]
    fn a_ticket_that_was_changed_is_none() {
        let tickets = Tickets::new(&[1; KEY_LEN]).expect("a key");
        let ticket = tickets.encrypt(b"state").expect("a ticket");
        for index in 0..ticket.len() {
            let mut changed = ticket.clone();
            changed[index] ^= 1;
            assert_eq!(tickets.decrypt(&changed), None);
            assert_eq!(tickets.decrypt(&ticket[..index]), None);
        }
    }

    #[test]
    fn keys_have_48_bytes_each() {
        assert!(Tickets::new(&[]).is_none() && Tickets::new(&[0; KEY_LEN + 1]).is_none());
    }
}
