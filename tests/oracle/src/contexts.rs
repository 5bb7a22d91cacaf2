//! What many connections share: the certificate, our contexts, the plaintext.

use alloc::rc::Rc;
use core::fmt;

use offwire::rustls::NamedGroup;
use offwire::rustls::pki_types::ServerName;
use offwire::{Client, ProtocolVersion, Server, Settings, WriteMode};
use offwire_bio::BioHalf;
use offwire_stream::{Error, Stream};
use offwire_testkit::{Identity, Kind, Side, Suite};

use crate::fault::Fault;
use crate::outcome::index;
use crate::pattern::Pattern;

/// How a connection is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) version: ProtocolVersion,
    pub(crate) suite: Suite,
    /// The settings of the client and of the server. OpenSSL has the write mode only.
    pub(crate) settings: [Settings; 2],
    /// How many bytes an end can emit that nobody has taken.
    pub(crate) capacity: usize,
    pub(crate) buffer: Buffer,
    /// What our end does wrong.
    pub(crate) fault: Fault,
}

/// Whether OpenSSL lets a retry come from another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Buffer {
    /// `SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER`.
    Moving,
    /// OpenSSL's default.
    Fixed,
}

impl Setting {
    /// The judge's flags for an end.
    pub(crate) fn flags(&self, side: Side) -> u8 {
        let role = match side {
            Side::Client => 0,
            Side::Server => 1,
        };
        let version = match self.version {
            ProtocolVersion::Tls12 => 2,
            ProtocolVersion::Tls13 => 0,
        };
        let mode = match self.mode(side) {
            WriteMode::Whole => 0,
            WriteMode::Partial => 4,
        };
        let buffer = match self.buffer {
            Buffer::Moving => 0,
            Buffer::Fixed => 8,
        };
        let suite = match self.suite {
            Suite::Aes128Gcm => 0,
            Suite::Aes256Gcm => 16,
            Suite::ChaCha20Poly1305 => 32,
        };
        role | version | mode | buffer | suite
    }

    /// A side's write mode.
    pub(crate) fn mode(&self, side: Side) -> WriteMode {
        self.of(side).effective_write_mode()
    }

    /// How many bytes a record has beyond its plaintext, its header among them (RFC 8446 section
    /// 5.2; RFC 5288 section 3 and RFC 7905 section 2 for TLS 1.2).
    pub(crate) const fn overhead(&self) -> usize {
        match (self.version, self.suite) {
            (ProtocolVersion::Tls13, _) => 22,
            (ProtocolVersion::Tls12, Suite::Aes128Gcm | Suite::Aes256Gcm) => 29,
            (ProtocolVersion::Tls12, Suite::ChaCha20Poly1305) => 21,
        }
    }

    /// The most bytes that one write offers: no more than the pair carries in a few hundred calls.
    pub(crate) const fn most(&self) -> usize {
        match self.capacity {
            0..5 => 150,
            5..100 => 1_000,
            100..1_000 => 18_000,
            _ => 100_000,
        }
    }

    fn of(&self, side: Side) -> Settings {
        let settings = self.settings.get(index(side)).copied();
        settings.unwrap_or_default()
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [client, server] = Side::BOTH.map(|side| self.mode(side));
        write!(
            f,
            "{:?} with {:?}, {client:?} and {server:?} mode, pairs of {} bytes, {:?} buffer",
            self.version, self.suite, self.capacity, self.buffer
        )
    }
}

/// What many connections share.
#[derive(Debug)]
pub(crate) struct Contexts {
    pub(crate) pattern: Rc<Pattern>,
    identity: String,
    name: ServerName<'static>,
    suites: [Versions; 3],
}

/// The contexts of one cipher suite.
#[derive(Debug)]
struct Versions {
    suite: Suite,
    tls12: (Client, Server),
    tls13: (Client, Server),
}

impl Contexts {
    /// Makes a certificate and our contexts: Ed25519, X25519, no tickets.
    pub(crate) fn new() -> Self {
        let identity = Identity::server(Kind::Ed25519);
        let kit = offwire_testkit::Contexts::new()
            .server_identity(identity.clone())
            .group(NamedGroup::X25519)
            .tickets(0);
        Self {
            pattern: Rc::new(Pattern::new()),
            identity: format!("{}{}", identity.chain_pem(), identity.key_pem()),
            name: kit.name(),
            suites: Suite::ALL.map(|suite| {
                let kit = kit.clone().suite(suite);
                Versions {
                    suite,
                    tls12: kit.clone().version(ProtocolVersion::Tls12).build(),
                    tls13: kit.version(ProtocolVersion::Tls13).build(),
                }
            }),
        }
    }

    /// The server's certificate and key, as PEM.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    /// Our end over a transport.
    pub(crate) fn stream(
        &self,
        side: Side,
        setting: &Setting,
        transport: BioHalf,
    ) -> Result<Stream<BioHalf>, Error> {
        let [first, ..] = &self.suites;
        let suite = self.suites.iter().find(|has| has.suite == setting.suite);
        let versions = suite.unwrap_or(first);
        let (client, server) = match setting.version {
            ProtocolVersion::Tls12 => &versions.tls12,
            ProtocolVersion::Tls13 => &versions.tls13,
        };
        let settings = setting.of(side);
        match side {
            Side::Client => {
                let client = client.clone().with_settings(settings);
                Stream::connect(&client, self.name.clone(), transport)
            }
            Side::Server => Ok(Stream::accept(
                &server.clone().with_settings(settings),
                transport,
            )),
        }
    }
}
