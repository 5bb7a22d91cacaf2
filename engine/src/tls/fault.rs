//! rustls's errors, sorted by blame into this crate's own.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls's enums are not exhaustive"
)]

use alloc::string::ToString;

use rustls::{AlertDescription, CertificateError, PeerIncompatible};

use crate::alert::Alert;
use crate::error::{Certificate, Error, Fault, Internal, Peer};

/// What rustls said to the peer when the handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlertSent {
    /// Nothing: not every error has an alert.
    Nothing,
    /// This alert, in the clear.
    Plain(Alert),
    /// An alert that cannot be read any more.
    Encrypted,
}

impl AlertSent {
    /// The alert, where it is known: an encrypted one if only one goes with the error.
    fn known(self, only: Option<Alert>) -> Option<Alert> {
        match self {
            Self::Nothing => None,
            Self::Plain(alert) => Some(alert),
            Self::Encrypted => only,
        }
    }
}

/// The error that a failed handshake ends in.
pub(crate) fn from_handshake(error: rustls::Error, alert: AlertSent) -> Error {
    use rustls::Error as Rustls;

    let fault = |only| Fault::new(&error.to_string(), alert.known(only));
    match &error {
        Rustls::AlertReceived(alert) => Error::Alert(alert_from(*alert)),
        Rustls::InvalidCertificate(reason) => Error::Certificate(certificate(reason)),
        Rustls::NoCertificatesPresented => Error::Certificate(Certificate::Missing),
        Rustls::PeerIncompatible(PeerIncompatible::ServerRejectedEncryptedClientHello(_)) => {
            Peer::Incompatible(fault(Some(Alert::ENCRYPTED_CLIENT_HELLO_REQUIRED))).into()
        }
        Rustls::PeerIncompatible(_) => Peer::Incompatible(fault(None)).into(),
        Rustls::NoApplicationProtocol => {
            Peer::Incompatible(fault(Some(Alert::NO_APPLICATION_PROTOCOL))).into()
        }
        Rustls::PeerMisbehaved(_) | Rustls::InvalidEncryptedClientHello(_) => {
            Peer::HandshakeMisbehaved(fault(None)).into()
        }
        Rustls::InappropriateMessage { .. } | Rustls::InappropriateHandshakeMessage { .. } => {
            Peer::HandshakeMisbehaved(fault(Some(Alert::UNEXPECTED_MESSAGE))).into()
        }
        Rustls::InvalidMessage(message) => {
            Peer::HandshakeMalformed(fault(Some(alert_from((*message).into())))).into()
        }
        Rustls::DecryptError => Peer::HandshakeUnverified(fault(None)).into(),
        Rustls::PeerSentOversizedRecord => Peer::RecordOverflow.into(),
        _ => Internal::Handshake(fault(None)).into(),
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
    use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};

    use super::{AlertSent, certificate, from_handshake};
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
            let ours = certificate(&reason).alert();
            let theirs: u8 = AlertDescription::from(reason.clone()).into();
            assert_eq!(ours.code(), theirs, "{reason:?}");
        }
    }

    #[test]
    fn blame_is_sorted() {
        let error = from_handshake(
            rustls::Error::AlertReceived(AlertDescription::UnknownCA),
            AlertSent::Nothing,
        );
        assert_eq!(error, Error::Alert(Alert::UNKNOWN_CA));

        let incompatible =
            rustls::Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon);
        let error = from_handshake(incompatible, AlertSent::Plain(Alert::HANDSHAKE_FAILURE));
        assert!(
            matches!(error, Error::Peer(Peer::Incompatible(_))),
            "{error:?}"
        );
        assert_eq!(error.alert(), Some(Alert::HANDSHAKE_FAILURE));
    }

    #[test]
    fn an_alert_is_told_only_if_one_was_sent() {
        let malformed = || rustls::Error::InvalidMessage(InvalidMessage::MessageTooLarge);
        for (sent, told) in [
            (AlertSent::Nothing, None),
            (AlertSent::Encrypted, Some(Alert::DECODE_ERROR)),
            (
                AlertSent::Plain(Alert::ACCESS_DENIED),
                Some(Alert::ACCESS_DENIED),
            ),
        ] {
            assert_eq!(from_handshake(malformed(), sent).alert(), told, "{sent:?}");
        }
        let unverified = from_handshake(rustls::Error::DecryptError, AlertSent::Encrypted);
        assert_eq!(unverified.alert(), None, "two alerts may go with it");
    }
}
