//! Engines over ring's provider, and what carries bytes between two of them. The test kit is of no
//! use here: its engine has AWS-LC.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test kit fails by panicking"
)]

extern crate alloc;

use alloc::sync::Arc;

use offwire::rustls::crypto::CryptoProvider;
use offwire::rustls::crypto::ring::default_provider;
use offwire::rustls::pki_types::PrivateKeyDer;
use offwire::rustls::server::ServerSessionMemoryCache;
use offwire::rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedCipherSuite, version};
use offwire::{Client, EarlyData, Engine, Exporter, Handshake, Server, Settings};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};

/// Early data that a server takes, in bytes.
const MAX_EARLY_DATA: u32 = 10_000;

/// A client and the server that it trusts.
#[derive(Debug)]
pub struct Contexts {
    client: Client,
    config: ServerConfig,
    server: Server,
}

impl Contexts {
    /// A new pair of engines.
    #[must_use]
    pub fn engines(&self) -> (Engine, Engine) {
        let name = "localhost".try_into().expect("a name");
        let client = self.client.connect(name).expect("a client");
        (client, self.server.accept())
    }

    /// Lets the server forget all sessions.
    pub fn forget(&mut self) {
        self.config.session_storage = ServerSessionMemoryCache::new(8);
        self.server = Server::new(self.config.clone()).with_settings(settings());
    }
}

/// Contexts with one cipher suite.
#[must_use]
pub fn contexts(suite: SupportedCipherSuite) -> Contexts {
    let provider = Arc::new(CryptoProvider {
        cipher_suites: vec![suite],
        ..default_provider()
    });
    let versions = match suite {
        SupportedCipherSuite::Tls12(_) => [&version::TLS12],
        SupportedCipherSuite::Tls13(_) => [&version::TLS13],
    };
    let CertifiedKey { cert, signing_key } = identity();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).expect("a certificate");
    let mut client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions)
        .expect("a version for the suite")
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.enable_early_data = true;
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .expect("a version for the suite")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("the key of the certificate");
    server.max_early_data_size = MAX_EARLY_DATA;
    let mut contexts = Contexts {
        client: Client::new(client).with_settings(settings()),
        server: Server::new(server.clone()),
        config: server,
    };
    contexts.forget();
    contexts
}

fn settings() -> Settings {
    Settings::default()
        .exporter(Exporter::Kept)
        .danger_early_data(EarlyData::Replayable)
}

/// Moves what waits, in pieces of this many bytes.
pub fn carry(from: &mut Engine, to: &mut Engine, piece: usize) {
    while !from.outgoing().is_empty() {
        let waiting = from.outgoing();
        let taken = to.feed(waiting.get(..piece).unwrap_or(waiting));
        from.sent(taken).expect("no more than waits");
        if taken == 0 {
            return;
        }
    }
}

/// Completes the handshake of both.
pub fn shake_hands(client: &mut Engine, server: &mut Engine) {
    loop {
        let ours = client.handshake().expect("a handshake");
        carry(client, server, 1_000);
        let theirs = server.handshake().expect("a handshake");
        carry(server, client, 1_000);
        if (ours, theirs) == (Handshake::Complete, Handshake::Complete) {
            return;
        }
    }
}

fn identity() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate")
}
