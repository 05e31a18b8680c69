//! What JavaScript says about TLS of a server.

use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, External};
use napi::{Error, Result, Status};
use napi_derive::napi;

use crate::tls::{Context, Identity, Settings};

/// What JavaScript keeps for its listeners.
pub(super) type TlsContext = External<Arc<Context>>;

/// Keys and certificates, each key with its certificate.
#[napi(object, object_to_js = false)]
pub struct TlsIdentities {
    /// The name they are for; empty for all that have none of their own.
    pub name: String,
    /// PEM or DER.
    pub keys: Vec<Buffer>,
    /// PEM or DER.
    pub certs: Vec<Buffer>,
}

/// The option `tls`, checked and without defaults; see [`Settings`].
#[expect(clippy::struct_excessive_bools, reason = "independent settings")]
#[napi(object, object_to_js = false)]
pub struct TlsSettings {
    /// For all names.
    pub identities: Vec<TlsIdentities>,
    /// See [`Settings::request_cert`].
    pub request_cert: bool,
    /// See [`Settings::reject_unauthorized`].
    pub reject_unauthorized: bool,
    /// See [`Settings::ca`].
    pub ca: Buffer,
    /// See [`Settings::ca_is_lenient`].
    pub ca_is_lenient: bool,
    /// See [`Settings::only_tls13`].
    pub only_tls13: bool,
    /// See [`Settings::alpn`].
    pub alpn: Vec<String>,
    /// See [`Settings::ticket_keys`].
    pub ticket_keys: Buffer,
    /// See [`Settings::ocsp`].
    pub ocsp: Buffer,
}

/// Prepares keys and certificates for listeners. Throws what is wrong with them.
#[napi(catch_unwind)]
pub fn native_tls_context(settings: TlsSettings) -> Result<TlsContext> {
    let mut converted = Settings {
        request_cert: settings.request_cert,
        reject_unauthorized: settings.reject_unauthorized,
        ca: settings.ca.to_vec(),
        ca_is_lenient: settings.ca_is_lenient,
        only_tls13: settings.only_tls13,
        alpn: settings.alpn.into_iter().map(String::into_bytes).collect(),
        ticket_keys: settings.ticket_keys.to_vec(),
        ocsp: settings.ocsp.to_vec(),
        ..Settings::default()
    };
    for TlsIdentities { name, keys, certs } in settings.identities {
        let pairs = keys.iter().zip(&certs);
        let identities =
            pairs.map(|(key, cert)| Identity { key: key.to_vec(), cert: cert.to_vec() }).collect();
        if name.is_empty() {
            converted.identities = identities;
        } else {
            converted.names.push((name, identities));
        }
    }
    let context =
        Context::new(&converted).map_err(|error| Error::new(Status::InvalidArg, error.to_string()))?;
    Ok(External::new(Arc::new(context)))
}
