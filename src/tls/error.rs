//! Errors of rustls by the codes that Node has for them.

use rustls::pki_types::CertificateDer;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

use super::TlsError;

/// An error of a session.
pub(super) fn of_rustls(error: &Error) -> TlsError {
    TlsError::new(code(error), error.to_string())
}

fn code(error: &Error) -> &'static str {
    match error {
        Error::AlertReceived(alert) => alert_code(*alert),
        Error::NoApplicationProtocol => "ERR_SSL_NO_APPLICATION_PROTOCOL",
        Error::NoCertificatesPresented => "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE",
        Error::InvalidCertificate(_) => certificate_code(error, false),
        Error::DecryptError => "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
        Error::PeerSentOversizedRecord | Error::InvalidMessage(InvalidMessage::MessageTooLarge) => {
            "ERR_SSL_PACKET_LENGTH_TOO_LONG"
        }
        Error::InvalidMessage(
            InvalidMessage::UnknownProtocolVersion | InvalidMessage::InvalidContentType,
        ) => "ERR_SSL_WRONG_VERSION_NUMBER",
        Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge) => "ERR_SSL_EXCESSIVE_MESSAGE_SIZE",
        Error::InvalidMessage(_) => "ERR_SSL_BAD_RECORD_TYPE",
        Error::PeerIncompatible(
            PeerIncompatible::NoCipherSuitesInCommon
            | PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NoSignatureSchemesInCommon,
        ) => "ERR_SSL_NO_SHARED_CIPHER",
        Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::Tls13RequiredForQuic
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => "ERR_SSL_UNSUPPORTED_PROTOCOL",
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "ERR_SSL_UNEXPECTED_MESSAGE"
        }
        _ => "ERR_SSL_SSL_HANDSHAKE_FAILURE",
    }
}

/// An alert of the peer, as OpenSSL names it.
fn alert_code(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::UnexpectedMessage => "ERR_SSL_SSLV3_ALERT_UNEXPECTED_MESSAGE",
        AlertDescription::BadRecordMac => "ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC",
        AlertDescription::RecordOverflow => "ERR_SSL_TLSV1_ALERT_RECORD_OVERFLOW",
        AlertDescription::HandshakeFailure => "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
        AlertDescription::BadCertificate => "ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE",
        AlertDescription::UnsupportedCertificate => "ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        AlertDescription::CertificateRevoked => "ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED",
        AlertDescription::CertificateExpired => "ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED",
        AlertDescription::CertificateUnknown => "ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        AlertDescription::IllegalParameter => "ERR_SSL_SSLV3_ALERT_ILLEGAL_PARAMETER",
        AlertDescription::UnknownCA => "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
        AlertDescription::AccessDenied => "ERR_SSL_TLSV1_ALERT_ACCESS_DENIED",
        AlertDescription::DecodeError => "ERR_SSL_TLSV1_ALERT_DECODE_ERROR",
        AlertDescription::DecryptError => "ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR",
        AlertDescription::ProtocolVersion => "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
        AlertDescription::InsufficientSecurity => "ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY",
        AlertDescription::InternalError => "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR",
        AlertDescription::UserCanceled => "ERR_SSL_TLSV1_ALERT_USER_CANCELLED",
        AlertDescription::NoRenegotiation => "ERR_SSL_TLSV1_ALERT_NO_RENEGOTIATION",
        AlertDescription::CertificateRequired => "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
        AlertDescription::NoApplicationProtocol => "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
        _ => "ERR_SSL_TLSV1_ALERT",
    }
}

/// Why a certificate does not count.
pub(super) fn certificate_code(error: &Error, is_self_signed: bool) -> &'static str {
    let Error::InvalidCertificate(error) = error else { return "CERT_REJECTED" };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "CERT_HAS_EXPIRED",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "CERT_NOT_YET_VALID",
        CertificateError::Revoked => "CERT_REVOKED",
        CertificateError::UnknownIssuer if is_self_signed => "DEPTH_ZERO_SELF_SIGNED_CERT",
        CertificateError::UnknownIssuer => "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        CertificateError::BadSignature => "CERT_SIGNATURE_FAILURE",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "INVALID_PURPOSE"
        }
        _ => "CERT_REJECTED",
    }
}

/// Whether the issuer of a certificate is its subject.
pub(super) fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    // Certificate, its first part; version, serial number, algorithm, issuer, validity, subject (RFC 5280 section 4.1).
    let parts = sequence(certificate).and_then(|(body, _)| sequence(body)).map(|(mut rest, _)| {
        let mut parts = Vec::new();
        while let Some((value, after)) = value(rest) {
            parts.push(value);
            rest = after;
        }
        parts
    });
    parts.is_some_and(|parts| {
        // The version may be missing.
        let first = usize::from(parts.first().is_some_and(|part| part.first() == Some(&0xa0)));
        matches!((parts.get(first + 2), parts.get(first + 4)), (Some(issuer), Some(subject)) if issuer == subject)
    })
}

/// The content of a SEQUENCE, and what follows it.
fn sequence(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (whole, rest) = value(der)?;
    let header = header_len(whole)?;
    (whole.first() == Some(&0x30)).then(|| (&whole[header..], rest))
}

/// The first value of DER with its header, and what follows it.
fn value(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let header = header_len(der)?;
    let len = match header {
        2 => usize::from(der[1]),
        _ => der[2..header].iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
    };
    (der.len() >= header + len).then(|| der.split_at(header + len))
}

fn header_len(der: &[u8]) -> Option<usize> {
    let first = *der.get(1)?;
    let more = if first < 0x80 { 0 } else { usize::from(first & 0x7f) };
    (more <= 4 && der.len() >= 2 + more).then_some(2 + more)
}
