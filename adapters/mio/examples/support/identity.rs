//! The server's certificate and key: from PEM files, or made on the spot for localhost.

use alloc::sync::Arc;
use core::time::Duration;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use offwire::rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use offwire::rustls::pki_types::pem::PemObject;
use offwire::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use offwire::rustls::{ClientConfig, RootCertStore, ServerConfig};
use offwire::{Client, Server, Settings};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};

use crate::support::{ECHO, Failure, HTTP, failed};

/// The names of a certificate that is made on the spot.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// How long it is valid. Browsers refuse more than 398 days.
const VALIDITY: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How far a client's clock may be behind ours.
const CLOCK_SKEW: Duration = Duration::from_secs(24 * 60 * 60);

/// A certificate chain and the key of its first certificate.
#[derive(Debug)]
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads both from PEM files.
    pub(crate) fn from_files(cert: &Path, key: &Path) -> Result<Self, Failure> {
        let attempt = format!("cannot read the key {}", key.display());
        let key = PrivateKeyDer::from_pem_file(key).map_err(failed(&attempt))?;
        let chain = certificates(cert)?;
        Ok(Self { chain, key })
    }

    /// Makes both, and writes the certificate to a file for those who are to trust it.
    pub(crate) fn make(cert_out: &Path) -> Result<Self, Failure> {
        let (certificate, key) = self_signed().map_err(failed("cannot make a certificate"))?;
        let attempt = format!("cannot write {}", cert_out.display());
        fs::write(cert_out, certificate.pem()).map_err(failed(&attempt))?;
        Ok(Self {
            chain: vec![certificate.der().clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }

    /// A server that speaks one application protocol, with the smallest queues there are.
    pub(crate) fn server(self, protocol: &[u8]) -> Result<Server, Failure> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.chain, self.key)?;
        config.alpn_protocols = vec![protocol.to_vec()];
        config.ticketer = Ticketer::new()?;
        Ok(Server::new(config).with_settings(smallest()))
    }
}

/// A client that trusts the certificates of a file, and shakes hands in full every time.
pub(crate) fn client(ca: &Path) -> Result<Client, Failure> {
    use offwire::rustls::client::Resumption;

    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate)?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![HTTP.to_vec(), ECHO.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Client::new(config).with_settings(smallest()))
}

/// One record each way: the bound of what a connection can hold.
fn smallest() -> Settings {
    Settings::default().incoming_limit(0).outgoing_limit(0)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let attempt = format!("cannot read certificates from {}", file.display());
    let pem = fs::read(file).map_err(failed(&attempt))?;
    let found = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(failed(&attempt))?;
    match found.is_empty() {
        true => Err(format!("{attempt}: there is none in it").into()),
        false => Ok(found),
    }
}

fn self_signed() -> Result<(rcgen::Certificate, KeyPair), rcgen::Error> {
    let now = SystemTime::now();
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(NAMES.map(String::from))?;
    params.not_before = (now - CLOCK_SKEW).into();
    params.not_after = (now + VALIDITY).into();
    let name = "localhost, made by an example of offwire-mio";
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok((params.self_signed(&key)?, key))
}
