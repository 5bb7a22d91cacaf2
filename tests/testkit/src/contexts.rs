//! Ready contexts for both roles, by what a test wants to vary.
//!
//! Everything is verified: the client checks the server's certificate and name, the server the
//! client's certificate if it asks for one.

mod crypto;

use offwire::rustls::client::EchMode;
use offwire::rustls::pki_types::ServerName;
use offwire::rustls::{CipherSuite, ClientConfig, NamedGroup, ServerConfig};
use offwire::{Client, EarlyData, ProtocolVersion, Server, Settings};

use self::crypto::Crypto;
use crate::certificates::{Identity, Kind};
use crate::insecure::DangerSeededForTests;
use crate::records::HEADER;

/// A record cipher; which TLS cipher suite that is depends on version and certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Suite {
    /// AES-128-GCM.
    Aes128Gcm,
    /// AES-256-GCM.
    Aes256Gcm,
    /// ChaCha20-Poly1305.
    ChaCha20Poly1305,
}

impl Suite {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Aes128Gcm, Self::Aes256Gcm, Self::ChaCha20Poly1305];

    fn numbers(self) -> [CipherSuite; 3] {
        match self {
            Self::Aes128Gcm => [
                CipherSuite::TLS13_AES_128_GCM_SHA256,
                CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            ],
            Self::Aes256Gcm => [
                CipherSuite::TLS13_AES_256_GCM_SHA384,
                CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
                CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            ],
            Self::ChaCha20Poly1305 => [
                CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
                CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
                CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
            ],
        }
    }
}

/// Whether the server asks for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAuth {
    /// It does not ask.
    None,
    /// It asks and goes on without.
    Optional,
    /// It asks and insists.
    Required,
}

/// Whether the server may send application data behind its first flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HalfRtt {
    Off,
    On,
}

/// A builder of client and server contexts that fit each other.
///
/// The default is rustls's choice of version, suite and group, AES-128-GCM apart, an ECDSA P-256
/// certificate, no client certificate, no ALPN, two tickets, and [`Settings::default`].
#[derive(Clone, Debug)]
pub struct Contexts {
    crypto: Crypto,
    versions: Vec<ProtocolVersion>,
    suite: Suite,
    client_groups: Vec<NamedGroup>,
    server_groups: Vec<NamedGroup>,
    server_identity: Identity,
    client_identity: Option<Identity>,
    client_auth: ClientAuth,
    client_alpn: Vec<Vec<u8>>,
    server_alpn: Vec<Vec<u8>>,
    ech: Option<EchMode>,
    tickets: usize,
    early_data: u32,
    half_rtt: HalfRtt,
    max_fragment_size: Option<usize>,
    client_settings: Settings,
    server_settings: Settings,
    server_name: String,
}

impl Contexts {
    /// The default described above.
    #[must_use]
    pub fn new() -> Self {
        Self {
            crypto: Crypto::Real,
            versions: vec![ProtocolVersion::Tls12, ProtocolVersion::Tls13],
            suite: Suite::Aes128Gcm,
            client_groups: Vec::new(),
            server_groups: Vec::new(),
            server_identity: Identity::server(Kind::EcdsaP256),
            client_identity: None,
            client_auth: ClientAuth::None,
            client_alpn: Vec::new(),
            server_alpn: Vec::new(),
            ech: None,
            tickets: 2,
            early_data: 0,
            half_rtt: HalfRtt::Off,
            max_fragment_size: None,
            client_settings: Settings::default(),
            server_settings: Settings::default(),
            server_name: "localhost".into(),
        }
    }

    /// What is random comes from a seed ([`DangerSeededForTests`](crate::insecure::DangerSeededForTests)), the
    /// clock stands still, and certificates are the kit's fixed Ed25519 ones whatever else was asked
    /// for: two builds whose engines see the same calls put the same bytes on the wire.
    ///
    /// The groups are X25519 and secp256r1. For tests only: whoever knows the seed knows the keys.
    #[must_use]
    pub fn danger_seeded_crypto_for_tests(self, seed: u64) -> Self {
        let crypto = Crypto::Seeded(seed);
        Self { crypto, ..self }
    }

    /// As [`Self::danger_seeded_crypto_for_tests`], from a client's and a server's generator that
    /// the caller seeds again for each session, instead of making contexts for each.
    pub(crate) fn reseeded_crypto(self, sides: [DangerSeededForTests; 2]) -> Self {
        let crypto = Crypto::Reseeded(sides);
        Self { crypto, ..self }
    }

    /// No cryptography during the handshake, and known keys after it
    /// ([`danger_null_provider_for_tests`](crate::insecure::danger_null_provider_for_tests)): every certificate and every
    /// signature is accepted. Suite, groups and the kinds of certificates do not count.
    ///
    /// For fuzzing only: nothing is protected.
    #[must_use]
    pub fn danger_null_crypto_for_tests(self) -> Self {
        let crypto = Crypto::Null;
        Self { crypto, ..self }
    }

    /// Both sides speak this version only.
    #[must_use]
    pub fn version(self, version: ProtocolVersion) -> Self {
        Self {
            versions: vec![version],
            ..self
        }
    }

    /// Both sides offer this cipher only.
    #[must_use]
    pub fn suite(self, suite: Suite) -> Self {
        Self { suite, ..self }
    }

    /// The server has a certificate of this kind.
    #[must_use]
    pub fn certificate(self, kind: Kind) -> Self {
        self.server_identity(Identity::server(kind))
    }

    /// The server has this certificate.
    #[must_use]
    pub fn server_identity(self, server_identity: Identity) -> Self {
        Self {
            server_identity,
            ..self
        }
    }

    /// The server insists on a client certificate, and the client has one (ECDSA P-256 unless
    /// [`Self::client_identity`] gives another).
    #[must_use]
    pub fn client_auth(self) -> Self {
        let identity = self.client_identity.clone();
        let identity = identity.unwrap_or_else(|| Identity::client(Kind::EcdsaP256));
        self.client_auth_as(ClientAuth::Required)
            .client_identity(identity)
    }

    /// Whether the server asks for a client certificate; the client has none of itself.
    #[must_use]
    pub fn client_auth_as(self, client_auth: ClientAuth) -> Self {
        Self {
            client_auth,
            ..self
        }
    }

    /// The client has this certificate.
    #[must_use]
    pub fn client_identity(self, identity: Identity) -> Self {
        Self {
            client_identity: Some(identity),
            ..self
        }
    }

    /// Both sides support these application protocols, in this order.
    #[must_use]
    pub fn alpn(self, protocols: &[&[u8]]) -> Self {
        self.client_alpn(protocols).server_alpn(protocols)
    }

    /// The client offers these application protocols.
    #[must_use]
    pub fn client_alpn(self, protocols: &[&[u8]]) -> Self {
        Self {
            client_alpn: protocols.iter().map(|name| name.to_vec()).collect(),
            ..self
        }
    }

    /// The server supports these application protocols.
    #[must_use]
    pub fn server_alpn(self, protocols: &[&[u8]]) -> Self {
        Self {
            server_alpn: protocols.iter().map(|name| name.to_vec()).collect(),
            ..self
        }
    }

    /// Both sides support this key exchange group only.
    #[must_use]
    pub fn group(self, group: NamedGroup) -> Self {
        self.groups(&[group], &[group])
    }

    /// The groups of the client and of the server, most wanted first.
    #[must_use]
    pub fn groups(self, client: &[NamedGroup], server: &[NamedGroup]) -> Self {
        Self {
            client_groups: client.to_vec(),
            server_groups: server.to_vec(),
            ..self
        }
    }

    /// The server answers a TLS 1.3 client with a HelloRetryRequest.
    #[must_use]
    pub fn hello_retry(self) -> Self {
        let offered = [NamedGroup::X25519, NamedGroup::secp256r1];
        self.groups(&offered, &[NamedGroup::secp256r1])
    }

    /// How many tickets a TLS 1.3 server sends; with 0, TLS 1.2 resumption is off as well.
    #[must_use]
    pub fn tickets(self, tickets: usize) -> Self {
        Self { tickets, ..self }
    }

    /// Both sides permit early data, up to so many bytes; the server keeps its sessions itself, which
    /// rustls's early data needs. Settings given later must permit it as well.
    #[must_use]
    pub fn danger_early_data(self, bytes: u32) -> Self {
        Self {
            early_data: bytes,
            client_settings: self
                .client_settings
                .danger_early_data(EarlyData::Replayable),
            server_settings: self
                .server_settings
                .danger_early_data(EarlyData::Replayable),
            ..self
        }
    }

    /// The server may send application data behind its first flight.
    #[must_use]
    pub fn half_rtt(self) -> Self {
        let half_rtt = HalfRtt::On;
        Self { half_rtt, ..self }
    }

    /// The largest record of both sides in bytes, as rustls counts it: header and overhead
    /// included.
    #[must_use]
    pub fn max_fragment_size(self, bytes: usize) -> Self {
        Self {
            max_fragment_size: Some(bytes),
            ..self
        }
    }

    /// The most plaintext, in bytes, that a record of either side carries by
    /// [`Self::max_fragment_size`]; settings may lower it.
    #[must_use]
    pub fn largest_plaintext(&self) -> usize {
        let size = self.max_fragment_size.unwrap_or(usize::MAX);
        size.saturating_sub(HEADER).min(1 << 14)
    }

    /// The settings of both sides.
    #[must_use]
    pub fn settings(self, settings: Settings) -> Self {
        self.client_settings(settings).server_settings(settings)
    }

    /// The settings of the client.
    #[must_use]
    pub fn client_settings(self, client_settings: Settings) -> Self {
        Self {
            client_settings,
            ..self
        }
    }

    /// The settings of the server.
    #[must_use]
    pub fn server_settings(self, server_settings: Settings) -> Self {
        Self {
            server_settings,
            ..self
        }
    }

    /// The client encrypts its ClientHello, or acts as if it did; it speaks TLS 1.3 only.
    #[must_use]
    pub fn ech(self, mode: EchMode) -> Self {
        let ech = Some(mode);
        Self { ech, ..self }
    }

    /// The name that the client asks for; `localhost` unless given.
    #[must_use]
    pub fn server_name(self, name: &str) -> Self {
        Self {
            server_name: name.into(),
            ..self
        }
    }

    /// The name that the client asks for.
    ///
    /// # Panics
    /// If the name given is neither a DNS name nor an address.
    #[must_use]
    pub fn name(&self) -> ServerName<'static> {
        ServerName::try_from(self.server_name.clone()).unwrap()
    }

    /// Both contexts. Engines made from the same contexts can resume each other's sessions.
    #[must_use]
    pub fn build(&self) -> (Client, Server) {
        (
            Client::new(self.client_config()).with_settings(self.client_settings),
            Server::new(self.server_config()).with_settings(self.server_settings),
        )
    }

    /// The client's configuration, for tests that change more than this builder can.
    ///
    /// # Panics
    /// If version, suite and certificate do not fit each other.
    #[must_use]
    pub fn client_config(&self) -> ClientConfig {
        let mut config = self.client_certified();
        config.alpn_protocols.clone_from(&self.client_alpn);
        config.enable_early_data = self.early_data > 0;
        config.max_fragment_size = self.max_fragment_size;
        config
    }

    /// The server's configuration, for tests that change more than this builder can.
    ///
    /// # Panics
    /// If version, suite and certificate do not fit each other.
    #[must_use]
    pub fn server_config(&self) -> ServerConfig {
        let mut config = self.server_certified();
        config.alpn_protocols.clone_from(&self.server_alpn);
        config.max_fragment_size = self.max_fragment_size;
        config.send_tls13_tickets = self.tickets;
        config.max_early_data_size = self.early_data;
        config.send_half_rtt_data = self.half_rtt == HalfRtt::On;
        config
    }
}

impl Default for Contexts {
    fn default() -> Self {
        Self::new()
    }
}
