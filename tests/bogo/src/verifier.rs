//! The shim's verifier: trusts every chain, or none, as the runner demands, but checks every
//! signature of the handshake; remembers what it saw.

use alloc::sync::Arc;
use core::fmt;
use std::sync::Mutex;

use offwire::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use offwire::rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use offwire::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use offwire::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use offwire::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};

use crate::failure::Failure;
use crate::flags::{Flags, Setting, Switch};

/// What the flags demand of certificates.
#[derive(Clone, Debug)]
struct Policy {
    verdict: Verdict,
    require_client: bool,
    schemes: Vec<SignatureScheme>,
}

/// What becomes of the peer's certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Accept,
    /// Refused; nobody asked for verification, so the connection goes on all the same.
    Note,
    /// Refused with BoringSSL's default alert, handshake_failure.
    Refuse,
    /// Refused with the alert that the runner's own callback chooses, certificate_unknown.
    RefuseByCallback,
}

/// What was seen of the peer's certificates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) ocsp_response: Vec<u8>,
    pub(crate) accepted: Option<bool>,
    pub(crate) scheme: Option<SignatureScheme>,
}

/// The verifier of all connections of a test. It is one object, since rustls resumes a session only
/// with the verifier that it was made with; the policy changes from connection to connection.
#[derive(Debug)]
pub(crate) struct Verifier {
    algorithms: WebPkiSupportedAlgorithms,
    root_hints: Vec<DistinguishedName>,
    state: Mutex<(Policy, Seen)>,
}

impl Verifier {
    pub(crate) fn new(
        flags: &Flags,
        provider: &CryptoProvider,
        root_hints: Vec<DistinguishedName>,
    ) -> Result<Arc<Self>, Failure> {
        let algorithms = provider.signature_verification_algorithms;
        let policy = Policy::from_flags(flags, algorithms)?;
        Ok(Arc::new(Self {
            algorithms,
            root_hints,
            state: Mutex::new((policy, Seen::default())),
        }))
    }

    /// Begins a connection: takes its policy. What was seen stays, since a resumed session is that
    /// of the certificates it was made with.
    pub(crate) fn begin(&self, flags: &Flags) -> Result<(), Failure> {
        let policy = Policy::from_flags(flags, self.algorithms)?;
        if let Ok(mut state) = self.state.lock() {
            state.0 = policy;
        }
        Ok(())
    }

    /// What was seen in this connection.
    pub(crate) fn seen(&self) -> Seen {
        self.state
            .lock()
            .map(|state| state.1.clone())
            .unwrap_or_default()
    }

    fn policy<T>(&self, ask: impl FnOnce(&Policy) -> T) -> Result<T, Error> {
        let state = self.state.lock();
        let state = state.map_err(|_| Error::General("the verifier is poisoned".to_owned()))?;
        Ok(ask(&state.0))
    }

    fn judge(&self) -> Result<(), Error> {
        let verdict = self.policy(|policy| policy.verdict)?;
        if let Ok(mut state) = self.state.lock() {
            state.1.accepted = Some(verdict == Verdict::Accept);
        }
        match verdict {
            Verdict::Accept | Verdict::Note => Ok(()),
            // rustls answers a verifier's general error with handshake_failure.
            Verdict::Refuse => Err(Error::General(REFUSED.to_owned())),
            Verdict::RefuseByCallback => {
                let reason = OtherError(Arc::new(Refused));
                Err(CertificateError::Other(reason).into())
            }
        }
    }

    fn check(
        &self,
        signed: &DigitallySignedStruct,
        verify: impl FnOnce() -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.policy(|policy| policy.schemes.contains(&signed.scheme))? {
            return Err(
                offwire::rustls::PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into(),
            );
        }
        let valid = verify()?;
        if let Ok(mut state) = self.state.lock() {
            state.1.scheme = Some(signed.scheme);
        }
        Ok(valid)
    }
}

/// What BoringSSL verifies with if it is not told: neither P-521 nor Ed25519 nor ML-DSA.
const DEFAULT_SCHEMES: [SignatureScheme; 8] = [
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::RSA_PKCS1_SHA512,
];

/// The words of a refusal that was demanded; the error map knows them.
const REFUSED: &str = "the runner demands that verification fails";

/// The same as an error of its own.
#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REFUSED)
    }
}

impl core::error::Error for Refused {}

impl Policy {
    fn from_flags(flags: &Flags, algorithms: WebPkiSupportedAlgorithms) -> Result<Self, Failure> {
        let preferences: Vec<u16> = flags.numbers(Setting::VerifyPreference)?;
        let supported = algorithms.supported_schemes();
        let wanted = if preferences.is_empty() {
            DEFAULT_SCHEMES.to_vec()
        } else {
            preferences.into_iter().map(SignatureScheme::from).collect()
        };
        let schemes: Vec<_> = wanted
            .into_iter()
            .filter(|scheme| supported.contains(scheme))
            .collect();
        if schemes.is_empty() {
            return Err(Failure::Unimplemented("these signature schemes".to_owned()));
        }
        let asked = [Switch::VerifyPeer, Switch::RequireClientCertificate];
        let verdict = if !flags.has(Switch::VerifyFail) {
            Verdict::Accept
        } else if flags.has(Switch::UseCustomVerifyCallback) {
            Verdict::RefuseByCallback
        } else if asked.into_iter().any(|switch| flags.has(switch)) {
            Verdict::Refuse
        } else {
            Verdict::Note
        };
        Ok(Self {
            verdict,
            require_client: flags.has(Switch::RequireClientCertificate),
            schemes,
        })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Ok(mut state) = self.state.lock() {
            state.1.ocsp_response = ocsp_response.to_vec();
        }
        self.judge().map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check(dss, || {
            verify_tls12_signature(message, cert, dss, &self.algorithms)
        })
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check(dss, || {
            verify_tls13_signature(message, cert, dss, &self.algorithms)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.policy(|policy| policy.schemes.clone())
            .unwrap_or_default()
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.policy(|policy| policy.require_client).unwrap_or(true)
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.root_hints
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.judge().map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ServerCertVerifier::supported_verify_schemes(self)
    }
}
