//! rustls's configurations from the command line: whom to trust, who we are, what to offer.

use alloc::sync::Arc;
use std::env;
use std::fs;
use std::path::Path;

use offwire::rustls::client::{EchConfig, EchMode};
use offwire::rustls::crypto::aws_lc_rs::hpke::ALL_SUPPORTED_SUITES;
use offwire::rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use offwire::rustls::pki_types::pem::PemObject as _;
use offwire::rustls::pki_types::{CertificateDer, EchConfigListBytes};
use offwire::rustls::server::{ProducesTickets, WebPkiClientVerifier};
use offwire::rustls::version::{TLS12, TLS13};
use offwire::rustls::{
    ClientConfig, Error, KeyLog, KeyLogFile, RootCertStore, ServerConfig, SupportedProtocolVersion,
};
use offwire::{Client, EarlyData, Server, Settings};

use crate::args::{Connect, Serve, Version};
use crate::exit::{Failure, local};
use crate::identity::{Identity, certificates};
use crate::terminal::note;

/// The client of `connect`.
pub(crate) fn client(args: &Connect) -> Result<Client, Failure> {
    let roots = match &args.ca {
        Some(file) => trusting(certificates(file)?, file)?,
        None => system_roots()?,
    };
    let versions: &[&SupportedProtocolVersion] = match args.tls {
        None => &[&TLS13, &TLS12],
        Some(Version::Tls12) => &[&TLS12],
        Some(Version::Tls13) => &[&TLS13],
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = match &args.ech {
        Some(file) => builder.with_ech(EchMode::Enable(ech(file)?)),
        None => builder.with_protocol_versions(versions),
    };
    let builder = builder.map_err(unusable)?.with_root_certificates(roots);
    let mut config = match (&args.cert, &args.key) {
        (Some(cert), Some(key)) => {
            let identity = Identity::from_files(cert, key)?;
            builder
                .with_client_auth_cert(identity.chain, identity.key)
                .map_err(unusable)?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = args
        .alpn
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    log_keys(&mut config.key_log);
    let mut settings = Settings::default().exporter(args.export.exporter());
    if args.early_data.is_some() {
        config.enable_early_data = true;
        settings = settings.danger_early_data(EarlyData::Replayable);
    }
    Ok(Client::new(config).with_settings(settings))
}

/// How to encrypt the ClientHello: from an ECHConfigList, PEM (RFC 9934) or bare.
fn ech(file: &Path) -> Result<EchConfig, Failure> {
    let attempt = format!("cannot use the ECHConfigList of {}", file.display());
    let bytes = fs::read(file).map_err(local(&attempt))?;
    let list = match EchConfigListBytes::from_pem_slice(&bytes) {
        Ok(list) => list,
        Err(_) => EchConfigListBytes::from(bytes),
    };
    EchConfig::new(list, ALL_SUPPORTED_SUITES).map_err(local(&attempt))
}

/// The client of `demo`, which trusts one certificate and nothing else.
pub(crate) fn demo_client(certificate: CertificateDer<'static>) -> Result<Client, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).map_err(unusable)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![DEMO_PROTOCOL.to_vec()];
    log_keys(&mut config.key_log);
    Ok(Client::new(config))
}

/// The server of `demo`.
pub(crate) fn demo_server(identity: Identity) -> Result<Server, Failure> {
    let mut config = server_config(identity, None)?;
    config.ticketer = ticketer()?;
    config.alpn_protocols = vec![DEMO_PROTOCOL.to_vec()];
    log_keys_quietly(&mut config.key_log);
    Ok(Server::new(config))
}

/// The server of `serve`.
pub(crate) fn server(args: &Serve, identity: Identity) -> Result<Server, Failure> {
    let mut config = server_config(identity, args.client_ca.as_deref())?;
    if args.http {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
    }
    log_keys(&mut config.key_log);
    let mut settings = Settings::default().exporter(args.export.exporter());
    // rustls takes early data only with sessions that the server keeps, each once.
    if args.early_data == 0 {
        config.ticketer = ticketer()?;
    } else {
        config.max_early_data_size = args.early_data;
        settings = settings.danger_early_data(EarlyData::Replayable);
    }
    Ok(Server::new(config).with_settings(settings))
}

/// What the two ends of `demo` agree on.
const DEMO_PROTOCOL: &[u8] = b"offwire-demo";

fn server_config(identity: Identity, client_ca: Option<&Path>) -> Result<ServerConfig, Failure> {
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let roots = Arc::new(trusting(certificates(file)?, file)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            let attempt = format!("cannot verify clients with {}", file.display());
            builder.with_client_cert_verifier(verifier.map_err(local(&attempt))?)
        }
    };
    builder
        .with_single_cert(identity.chain, identity.key)
        .map_err(unusable)
}

fn ticketer() -> Result<Arc<dyn ProducesTickets>, Failure> {
    Ticketer::new().map_err(unusable)
}

fn trusting(
    certificates: Vec<CertificateDer<'static>>,
    file: &Path,
) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    let attempt = format!("cannot trust the certificates of {}", file.display());
    for certificate in certificates {
        roots.add(certificate).map_err(local(&attempt))?;
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, Failure> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A system's store often holds a few certificates that nothing modern accepts.
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        let reasons: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        let reasons = reasons.join("; ");
        return Err(Failure::Local(format!(
            "no root certificates on this system: {reasons}"
        )));
    }
    Ok(roots)
}

/// Writes the secrets of all connections to the file that SSLKEYLOGFILE names, and says so.
fn log_keys(key_log: &mut Arc<dyn KeyLog>) {
    if let Some(file) = env::var_os("SSLKEYLOGFILE").filter(|file| !file.is_empty()) {
        note(format_args!(
            "warning: SSLKEYLOGFILE is set: the secrets of every connection are appended to {}; \
             whoever reads them can read the traffic",
            Path::new(&file).display(),
        ));
        log_keys_quietly(key_log);
    }
}

/// As [`log_keys`], where the warning has been given.
fn log_keys_quietly(key_log: &mut Arc<dyn KeyLog>) {
    *key_log = Arc::new(KeyLogFile::new());
}

fn unusable(error: Error) -> Failure {
    Failure::Local(format!("the configuration cannot work: {error}"))
}
