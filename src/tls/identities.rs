//! The keys and certificates of a server, and the choice between them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::{Identity, Settings, TlsError};

thread_local! {
    /// The name that the client asks for whose handshake goes on in this thread right now: rustls tells it to the one who
    /// chooses the certificate, and to nobody else.
    static ASKED_FOR: RefCell<Option<Box<str>>> = const { RefCell::new(None) };
}

/// The name that the client has asked for whose hello was handled since the last call in this thread.
pub(super) fn take_asked_name() -> Option<Box<str>> {
    ASKED_FOR.take()
}

/// An error of the settings. The text begins with what is wrong, and names the member of the option `tls`.
pub(super) fn settings_error(message: impl Into<String>) -> TlsError {
    TlsError::new("ERR_WEBSOCKET_TLS", message)
}

/// Chooses a certificate by the name that the client has asked for, and by the kinds of keys it knows.
#[derive(Debug)]
pub(super) struct Identities {
    default: Vec<Arc<CertifiedKey>>,
    names: HashMap<String, Vec<Arc<CertifiedKey>>>,
}

impl Identities {
    pub(super) fn new(settings: &Settings, provider: &CryptoProvider) -> Result<Self, TlsError> {
        let mut default = load_all(&settings.identities, provider, "tls")?;
        if !settings.ocsp.is_empty()
            && let Some(first) = default.first_mut().and_then(Arc::get_mut)
        {
            first.ocsp = Some(settings.ocsp.clone());
        }
        let mut names = HashMap::new();
        for (name, identities) in &settings.names {
            let loaded = load_all(identities, provider, &format!("tls.sni['{name}']"))?;
            names.insert(name.to_ascii_lowercase(), loaded);
        }
        Ok(Self { default, names })
    }

    /// Those for a name: its own, or those of `*` and what follows the first dot (RFC 6125 section 6.4.3).
    fn for_name(&self, name: &str) -> &[Arc<CertifiedKey>] {
        let name = name.to_ascii_lowercase();
        let wildcard = || {
            let (_, parent) = name.split_once('.')?;
            self.names.get(&format!("*.{parent}"))
        };
        self.names.get(&name).or_else(wildcard).unwrap_or(&self.default)
    }
}

impl ResolvesServerCert for Identities {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        ASKED_FOR.set(hello.server_name().map(Box::from));
        let identities = hello.server_name().map_or(&self.default[..], |name| self.for_name(name));
        let usable =
            |identity: &&Arc<CertifiedKey>| identity.key.choose_scheme(hello.signature_schemes()).is_some();
        identities.iter().find(usable).or_else(|| identities.first()).cloned()
    }
}

fn load_all(
    identities: &[Identity],
    provider: &CryptoProvider,
    whose: &str,
) -> Result<Vec<Arc<CertifiedKey>>, TlsError> {
    if identities.is_empty() {
        return Err(settings_error(format!("{whose} needs a key and a certificate (key, cert)")));
    }
    identities.iter().map(|identity| load(identity, provider, whose).map(Arc::new)).collect()
}

fn load(identity: &Identity, provider: &CryptoProvider, whose: &str) -> Result<CertifiedKey, TlsError> {
    let chain = certificates(&identity.cert);
    let Some(own) = chain.first() else {
        return Err(settings_error(format!("{whose}.cert has no certificate: it must be PEM or DER")));
    };
    if is_encrypted(&identity.key) {
        return Err(settings_error(format!(
            "{whose}.key is encrypted: decrypt it first, with crypto.createPrivateKey({{ key, passphrase }}).export({{ type: 'pkcs8', format: 'pem' }})"
        )));
    }
    let key = private_key(&identity.key).ok_or_else(|| {
        settings_error(format!(
            "{whose}.key has no private key: it must be PEM or DER (PKCS#8, PKCS#1 or SEC1)"
        ))
    })?;
    let key = provider.key_provider.load_private_key(key).map_err(|_| {
        settings_error(format!("{whose}.key is of a kind that is not supported: RSA from 2048 bits on, P-256, P-384 and Ed25519 are"))
    })?;
    let own = own.clone();
    let certified = CertifiedKey::new(chain, key);
    let belongs = match certified.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => true,
        Err(Error::InconsistentKeys(_)) => false,
        // A certificate that webpki does not read, of X.509 version 1 perhaps: it contains the public key as it is.
        Err(_) => certified
            .key
            .public_key()
            .is_none_or(|public| own.windows(public.len().max(1)).any(|part| part == public.as_ref())),
    };
    if belongs {
        Ok(certified)
    } else {
        Err(settings_error(format!("{whose}.key does not belong to the certificate in {whose}.cert")))
    }
}

/// The certificates of a file. What is no PEM is one certificate in DER.
pub(super) fn certificates(bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    if is_pem(bytes) {
        CertificateDer::pem_slice_iter(bytes).collect::<Result<_, _>>().unwrap_or_default()
    } else if bytes.first() == Some(&0x30) {
        vec![CertificateDer::from(bytes.to_vec())]
    } else {
        Vec::new()
    }
}

fn private_key(bytes: &[u8]) -> Option<PrivateKeyDer<'static>> {
    if is_pem(bytes) {
        PrivateKeyDer::from_pem_slice(bytes).ok()
    } else {
        PrivateKeyDer::try_from(bytes.to_vec()).ok()
    }
}

fn is_pem(bytes: &[u8]) -> bool {
    contains(bytes, b"-----BEGIN ")
}

fn is_encrypted(key: &[u8]) -> bool {
    contains(key, b"-----BEGIN ENCRYPTED PRIVATE KEY-----") || contains(key, b"Proc-Type: 4,ENCRYPTED")
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
