//! rustls's errors, sorted by blame into this crate's own.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls's enums are not exhaustive"
)]

use alloc::string::ToString;

use rustls::{AlertDescription, CertificateError};

use crate::alert::Alert;
use crate::error::{Certificate, Error, Fault, Internal, Peer};

/// The error that a failed handshake ends in; `alert` is the one rustls queued, where it could be
/// read. Where it was encrypted, the error tells it if only one goes with it.
pub(crate) fn from_handshake(error: rustls::Error, alert: Option<Alert>) -> Error {
    use rustls::Error as Rustls;

    let fault = |alert: Option<Alert>| Fault::new(&error.to_string(), alert);
    match &error {
        Rustls::AlertReceived(alert) => Error::Alert(alert_from(*alert)),
        Rustls::InvalidCertificate(reason) => Error::Certificate(certificate(reason)),
        Rustls::NoCertificatesPresented => Error::Certificate(Certificate::Missing),
        Rustls::PeerIncompatible(_) => Peer::Incompatible(fault(alert)).into(),
        Rustls::NoApplicationProtocol => {
            Peer::Incompatible(fault(Some(Alert::NO_APPLICATION_PROTOCOL))).into()
        }
        Rustls::PeerMisbehaved(_) | Rustls::InvalidEncryptedClientHello(_) => {
            Peer::HandshakeMisbehaved(fault(alert)).into()
        }
        Rustls::InappropriateMessage { .. } | Rustls::InappropriateHandshakeMessage { .. } => {
            Peer::HandshakeMisbehaved(fault(Some(Alert::UNEXPECTED_MESSAGE))).into()
        }
        Rustls::InvalidMessage(message) => {
            let alert = alert.unwrap_or_else(|| alert_from((*message).into()));
            Peer::HandshakeMalformed(fault(Some(alert))).into()
        }
        Rustls::DecryptError => Peer::HandshakeUnverified(fault(alert)).into(),
        Rustls::PeerSentOversizedRecord => Peer::RecordOverflow.into(),
        _ => Internal::Handshake(fault(alert)).into(),
    }
}

/// The error of a configuration that rustls refuses.
pub(crate) fn from_configuration(error: &rustls::Error) -> Error {
    Internal::Configuration(Fault::new(&error.to_string(), None)).into()
}

fn alert_from(alert: AlertDescription) -> Alert {
    Alert::from_code(alert.into())
}

fn certificate(reason: &CertificateError) -> Certificate {
    match reason {
        CertificateError::BadEncoding => Certificate::BadEncoding,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Certificate::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Certificate::NotValidYet
        }
        CertificateError::Revoked => Certificate::Revoked,
        CertificateError::UnhandledCriticalExtension => Certificate::UnhandledExtension,
        CertificateError::UnknownIssuer => Certificate::UnknownIssuer,
        CertificateError::UnknownRevocationStatus
        | CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => Certificate::RevocationUnknown,
        CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            Certificate::BadSignature
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Certificate::NotValidForName
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            Certificate::InvalidPurpose
        }
        CertificateError::InvalidOcspResponse => Certificate::InvalidOcspResponse,
        CertificateError::ApplicationVerificationFailure => Certificate::Refused,
        other => Certificate::Other(Fault::new(&other.to_string(), None)),
    }
}

#[cfg(test)]
mod tests {
    use rustls::{AlertDescription, CertificateError, PeerIncompatible};

    use super::{certificate, from_handshake};
    use crate::alert::Alert;
    use crate::error::{Error, Peer};

    #[test]
    fn our_certificate_alerts_are_those_that_rustls_sends() {
        for reason in [
            CertificateError::BadEncoding,
            CertificateError::Expired,
            CertificateError::NotValidYet,
            CertificateError::Revoked,
            CertificateError::UnhandledCriticalExtension,
            CertificateError::UnknownIssuer,
            CertificateError::UnknownRevocationStatus,
            CertificateError::ExpiredRevocationList,
            CertificateError::BadSignature,
            CertificateError::NotValidForName,
            CertificateError::InvalidPurpose,
            CertificateError::InvalidOcspResponse,
            CertificateError::ApplicationVerificationFailure,
        ] {
            let ours = certificate(&reason).alert_sent();
            let theirs: u8 = AlertDescription::from(reason.clone()).into();
            assert_eq!(ours.code(), theirs, "{reason:?}");
        }
    }

    #[test]
    fn blame_is_sorted() {
        let error = from_handshake(
            rustls::Error::AlertReceived(AlertDescription::UnknownCA),
            None,
        );
        assert_eq!(error, Error::Alert(Alert::UNKNOWN_CA));

        let incompatible =
            rustls::Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon);
        let error = from_handshake(incompatible, Some(Alert::HANDSHAKE_FAILURE));
        assert!(
            matches!(error, Error::Peer(Peer::Incompatible(_))),
            "{error:?}"
        );
        assert_eq!(error.alert_sent(), Some(Alert::HANDSHAKE_FAILURE));
    }
}
