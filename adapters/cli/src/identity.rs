//! Who we are: a certificate chain and its private key, from files or made on the spot.

use core::time::Duration;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use aws_lc_rs::rand;
use offwire::rustls::pki_types::pem::PemObject;
use offwire::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};

use crate::exit::{Failure, local};
use crate::facts::hex;

/// The names of a certificate that is made on the spot.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// How long it is valid. Browsers refuse more than 398 days.
const VALIDITY: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How far a client's clock may be behind ours.
const CLOCK_SKEW: Duration = Duration::from_secs(24 * 60 * 60);

/// A certificate chain and the key of its first certificate.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads both from PEM files.
    pub(crate) fn from_files(cert: &Path, key: &Path) -> Result<Self, Failure> {
        let chain = certificates(cert)?;
        let attempt = format!("cannot read the key {}", key.display());
        let key = PrivateKeyDer::from_pem_file(key).map_err(local(&attempt))?;
        Ok(Self { chain, key })
    }

    /// Makes a certificate for localhost that signs itself, and gives its PEM as well.
    ///
    /// It is no authority: whoever trusts it trusts this one server.
    pub(crate) fn make() -> Result<(Self, String), Failure> {
        let failed = local::<rcgen::Error>("cannot make a certificate");
        let (certificate, key) = self_signed(&common_name()?).map_err(failed)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok((
            Self {
                chain: vec![certificate.der().clone()],
                key,
            },
            certificate.pem(),
        ))
    }
}

/// The name to show to people; no two certificates share it, so that a verifier that trusts another
/// one can tell that this one was never issued by it.
fn common_name() -> Result<String, Failure> {
    let mut number = [0; 4];
    rand::fill(&mut number).map_err(|_| Failure::Local("no random bytes can be had".into()))?;
    Ok(format!("localhost, made by offwire, {}", hex(&number)))
}

fn self_signed(common_name: &str) -> Result<(rcgen::Certificate, KeyPair), rcgen::Error> {
    let now = SystemTime::now();
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(NAMES.map(String::from))?;
    params.not_before = (now - CLOCK_SKEW).into();
    params.not_after = (now + VALIDITY).into();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok((params.self_signed(&key)?, key))
}

/// Reads the certificates of a PEM file, of which there must be one at least.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let attempt = format!("cannot read certificates from {}", file.display());
    let pem = fs::read(file).map_err(local(&attempt))?;
    let found = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(local(&attempt))?;
    if found.is_empty() {
        return Err(Failure::Local(format!("{attempt}: there is none in it")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::Identity;

    #[test]
    fn a_made_certificate_is_written_as_pem() {
        let (identity, pem) = Identity::make().unwrap();
        assert_eq!(identity.chain.len(), 1);
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    }
}
