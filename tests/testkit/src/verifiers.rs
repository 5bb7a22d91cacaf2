//! Verifiers that see what rustls's own pass over, the stapled OCSP response and a raw public key;
//! and what a resolver presents to them.

use alloc::sync::Arc;
use std::sync::{Mutex, PoisonError};

use offwire::rustls::client::WebPkiServerVerifier;
use offwire::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use offwire::rustls::crypto::aws_lc_rs::default_provider;
use offwire::rustls::crypto::aws_lc_rs::sign::any_supported_type;
use offwire::rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use offwire::rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use offwire::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use offwire::rustls::sign::CertifiedKey;
use offwire::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
};

use crate::certificates::{Authority, Identity};

/// A client's verifier that keeps the OCSP response it was shown (RFC 6066 section 8), and
/// otherwise does as rustls's own with the shared authority.
#[derive(Debug)]
pub struct StaplingVerifier {
    verifier: Arc<WebPkiServerVerifier>,
    shown: Mutex<Option<Vec<u8>>>,
}

impl StaplingVerifier {
    /// One that has seen nothing.
    ///
    /// # Panics
    /// Never: the authority was made here.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let (roots, provider) = (Authority::shared().roots(), Arc::new(default_provider()));
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
        Arc::new(Self {
            verifier: verifier.unwrap(),
            shown: Mutex::new(None),
        })
    }

    /// The response that came with the last certificate, empty if there was none; `None` before the
    /// first certificate.
    #[must_use]
    pub fn shown(&self) -> Option<Vec<u8>> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.clone()
    }
}

impl ServerCertVerifier for StaplingVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = Some(ocsp_response.to_vec());
        let verifier = &self.verifier;
        verifier.verify_server_cert(certificate, intermediates, name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verifier = &self.verifier;
        verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verifier = &self.verifier;
        verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// A verifier of either side that knows the peer's raw public key (RFC 7250) and accepts no
/// certificate. It verifies the signatures of TLS 1.3 alone.
#[derive(Debug)]
pub struct PinningVerifier(pub SubjectPublicKeyInfoDer<'static>);

impl PinningVerifier {
    fn check(&self, key: &CertificateDer<'_>) -> Result<(), Error> {
        let Self(pinned) = self;
        match key.as_ref() == pinned.as_ref() {
            true => Ok(()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }
}

impl ServerCertVerifier for PinningVerifier {
    fn verify_server_cert(
        &self,
        key: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(key).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(CertificateError::BadSignature.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(key.as_ref());
        verify_tls13_signature_with_raw_key(message, &key, signed, &algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for PinningVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        key: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(key).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, key, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, key, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ServerCertVerifier::supported_verify_schemes(self)
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl Identity {
    /// Chain and key as a resolver of rustls's hands them out, without an OCSP response.
    ///
    /// # Panics
    /// Never: every kind of key can be used.
    #[must_use]
    pub fn certified_key(&self) -> CertifiedKey {
        let key = any_supported_type(&self.key()).unwrap();
        CertifiedKey::new(self.chain().to_vec(), key)
    }

    /// The public key in the chain's place (RFC 7250), for rustls's resolvers of raw public keys.
    #[must_use]
    pub fn raw_key(&self) -> CertifiedKey {
        let mut certified = self.certified_key();
        certified.cert = vec![CertificateDer::from(self.public_key().as_ref().to_vec())];
        certified
    }

    /// The public key, as a raw public key is presented (RFC 7250).
    ///
    /// # Panics
    /// Never: every kind of key has one.
    #[must_use]
    pub fn public_key(&self) -> SubjectPublicKeyInfoDer<'static> {
        let key = self.certified_key().key;
        key.public_key().unwrap().into_owned()
    }
}

fn algorithms() -> WebPkiSupportedAlgorithms {
    default_provider().signature_verification_algorithms
}
