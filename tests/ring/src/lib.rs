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
use rcgen::{CertificateParams, KeyPair};

/// Early data that a server takes, in bytes.
const MAX_EARLY_DATA: u32 = 10_000;

/// ring makes no RSA keys, so this one was made once, and is nobody's.
const RSA_KEY: &str = include_str!("rsa-2048.pem");

/// The algorithm of a server's key.
#[expect(clippy::exhaustive_enums, reason = "the suites know no other")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// ECDSA on P-256.
    Ecdsa,
    /// RSA with 2048 bits.
    Rsa,
}

impl Key {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ecdsa, Self::Rsa];

    /// Whether a server with such a key can choose the suite: those of TLS 1.2 name a key, those of
    /// TLS 1.3 leave it open.
    #[must_use]
    pub fn serves(self, suite: SupportedCipherSuite) -> bool {
        let name = suite.suite().as_str().unwrap_or_default();
        match self {
            Self::Ecdsa => !name.contains("_RSA_"),
            Self::Rsa => !name.contains("_ECDSA_"),
        }
    }

    fn pair(self) -> KeyPair {
        match self {
            Self::Ecdsa => KeyPair::generate(),
            Self::Rsa => KeyPair::from_pem(RSA_KEY),
        }
        .expect("a key")
    }
}

/// A client and the server that it trusts.
#[derive(Debug)]
pub struct Contexts {
    /// The client's.
    pub client: Client,
    config: ServerConfig,
    /// The server's.
    pub server: Server,
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

/// Contexts with one cipher suite, and a key that serves it.
#[must_use]
pub fn contexts(suite: SupportedCipherSuite, key: Key) -> Contexts {
    let provider = Arc::new(CryptoProvider {
        cipher_suites: vec![suite],
        ..default_provider()
    });
    let versions = match suite {
        SupportedCipherSuite::Tls12(_) => [&version::TLS12],
        SupportedCipherSuite::Tls13(_) => [&version::TLS13],
    };
    let key = key.pair();
    let certificate = CertificateParams::new(["localhost".to_owned()])
        .and_then(|parameters| parameters.self_signed(&key))
        .expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).expect("a certificate");
    let mut client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions)
        .expect("a version for the suite")
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.enable_early_data = true;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .expect("a version for the suite")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
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
