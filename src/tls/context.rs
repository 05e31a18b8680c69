//! What the sessions of a server share.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme, version,
};

use super::error::{is_self_signed, of_rustls};
use super::identities::{Identities, certificates, settings_error};
use super::tickets::{KEY_LEN, Tickets};
use super::{Settings, TlsError};

/// What the sessions of a server share: keys, certificates, what is allowed.
#[derive(Debug)]
pub struct Context {
    pub(super) config: Arc<ServerConfig>,
    /// Judges certificates of clients, if they are asked for.
    pub(super) verifier: Option<Arc<Clients>>,
}

impl Context {
    /// Checks the settings.
    ///
    /// # Errors
    /// When they cannot be used; the text names the member of the option `tls`.
    pub fn new(settings: &Settings) -> Result<Self, TlsError> {
        let provider = Arc::new(default_provider());
        let identities = Identities::new(settings, &provider)?;
        let versions: &[_] =
            if settings.only_tls13 { &[&version::TLS13] } else { &[&version::TLS13, &version::TLS12] };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .map_err(|error| of_rustls(&error))?;
        let verifier = if settings.request_cert {
            let roots = Arc::new(roots(settings)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                .build()
                .map_err(|error| settings_error(format!("tls.ca cannot be used: {error}")))?;
            Some(Arc::new(Clients { verifier, only_authorized: settings.reject_unauthorized }))
        } else {
            None
        };
        let builder = match &verifier {
            None => builder.with_no_client_auth(),
            Some(verifier) => builder.with_client_cert_verifier(Arc::<Clients>::clone(verifier)),
        };
        let mut config = builder.with_cert_resolver(Arc::new(identities));
        config.alpn_protocols.clone_from(&settings.alpn);
        // Sessions are resumed with tickets, which the clients keep: nothing is kept here.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = if settings.ticket_keys.is_empty() {
            Ticketer::new().map_err(|error| of_rustls(&error))?
        } else {
            let tickets = Tickets::new(&settings.ticket_keys).ok_or_else(|| {
                settings_error(format!(
                    "tls.ticketKeys must have {KEY_LEN} bytes, or a multiple for several keys"
                ))
            })?;
            Arc::new(tickets)
        };
        Ok(Self { config: Arc::new(config), verifier })
    }
}

fn roots(settings: &Settings) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let authorities = certificates(&settings.ca);
    if settings.ca_is_lenient {
        roots.add_parsable_certificates(authorities);
    } else {
        for authority in authorities {
            roots.add(authority).map_err(|_| {
                settings_error("tls.ca has a certificate that cannot be used as an authority (X.509 version 3 is required)")
            })?;
        }
    }
    if roots.is_empty() {
        return Err(settings_error("tls.ca has no certificate: it must be PEM or DER"));
    }
    Ok(roots)
}

/// Judges certificates of clients. With `only_authorized` false it takes every client, for the program to see who is
/// authorized; the proof that a client has the key of its certificate is demanded as ever.
#[derive(Debug)]
pub(super) struct Clients {
    verifier: Arc<dyn ClientCertVerifier>,
    only_authorized: bool,
}

impl Clients {
    /// Whether the certificate is one that counts.
    pub(super) fn judge(
        &self,
        own: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.verifier.verify_client_cert(own, chain, now).map_err(|error| match error {
            // Most certificates that sign themselves say that they are an authority, for which webpki has an error of its own.
            Error::InvalidCertificate(CertificateError::Other(_)) if is_self_signed(own) => {
                CertificateError::UnknownIssuer.into()
            }
            error => error,
        })
    }
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        self.only_authorized
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.only_authorized { self.judge(own, chain, now) } else { Ok(ClientCertVerified::assertion()) }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
