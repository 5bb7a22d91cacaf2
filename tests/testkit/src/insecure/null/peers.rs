//! Null identities: a certificate that is none, a key that signs nothing, a verifier that accepts
//! every peer.

use alloc::sync::Arc;

use offwire::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use offwire::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use offwire::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use offwire::rustls::sign::{CertifiedKey, Signer, SigningKey};
use offwire::rustls::{
    DigitallySignedStruct, DistinguishedName, Error, SignatureAlgorithm, SignatureScheme,
};

use super::{HANDSHAKE_FILLING, SCHEME};
use crate::contexts::ClientAuth;

/// What null peers show as their certificate. Nobody parses it.
pub const CERTIFICATE: &[u8] = b"offwire-null-certificate";

/// A key that signs anything with the same bytes.
#[derive(Debug)]
pub(crate) struct NullCertificate;

impl NullCertificate {
    pub(crate) fn certified() -> Arc<CertifiedKey> {
        let certificate = CertificateDer::from_slice(CERTIFICATE);
        Arc::new(CertifiedKey::new(vec![certificate], Arc::new(Self)))
    }
}

impl SigningKey for NullCertificate {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SCHEME)
            .then(|| Box::new(Self) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl Signer for NullCertificate {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(vec![HANDSHAKE_FILLING; 64])
    }

    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }
}

/// Accepts every certificate and every signature.
#[derive(Debug)]
pub(crate) struct NullVerifier(pub(crate) ClientAuth);

impl ServerCertVerifier for NullVerifier {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SCHEME]
    }
}

impl ClientCertVerifier for NullVerifier {
    fn offer_client_auth(&self) -> bool {
        self.0 != ClientAuth::None
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0 == ClientAuth::Required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SCHEME]
    }
}
