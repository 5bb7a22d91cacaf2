//! What many connections share: the certificate, our contexts, the plaintext.

use alloc::rc::Rc;
use core::fmt;

use offwire::rustls::NamedGroup;
use offwire::rustls::pki_types::ServerName;
use offwire::{Client, ProtocolVersion, Server, Settings, WriteMode};
use offwire_bio::BioHalf;
use offwire_stream::{Error, Stream};
use offwire_testkit::{Identity, Kind, Side};

use crate::pattern::Pattern;

/// How a connection is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) version: ProtocolVersion,
    pub(crate) mode: WriteMode,
    /// How many bytes an end can emit that nobody has taken.
    pub(crate) capacity: usize,
    pub(crate) buffer: Buffer,
    /// What our end does wrong.
    pub(crate) fault: Fault,
}

/// A defect that our end is given, to show that the comparison notices it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the tests name them")]
pub enum Fault {
    /// None.
    #[default]
    None,
    /// It refuses right retries, as if they were wrong.
    RefusesRetries,
    /// It dies where it should be truncated.
    DiesOfTheEnd,
    /// It calls a bad record something else.
    DiesOtherwise,
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
        let side = match side {
            Side::Client => 0,
            Side::Server => 1,
        };
        let version = match self.version {
            ProtocolVersion::Tls12 => 2,
            ProtocolVersion::Tls13 => 0,
        };
        let mode = match self.mode {
            WriteMode::Whole => 0,
            WriteMode::Partial => 4,
        };
        let buffer = match self.buffer {
            Buffer::Moving => 0,
            Buffer::Fixed => 8,
        };
        side | version | mode | buffer
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}, {:?} mode, pairs of {} bytes, {:?} buffer",
            self.version, self.mode, self.capacity, self.buffer
        )
    }
}

/// What many connections share.
#[derive(Debug)]
pub(crate) struct Contexts {
    pub(crate) pattern: Rc<Pattern>,
    identity: String,
    name: ServerName<'static>,
    tls12: (Client, Server),
    tls13: (Client, Server),
}

impl Contexts {
    /// Makes a certificate and our contexts: Ed25519, X25519, AES-128-GCM, no tickets.
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
            tls12: kit.clone().version(ProtocolVersion::Tls12).build(),
            tls13: kit.version(ProtocolVersion::Tls13).build(),
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
        let (client, server) = match setting.version {
            ProtocolVersion::Tls12 => &self.tls12,
            ProtocolVersion::Tls13 => &self.tls13,
        };
        let settings = Settings::default().write_mode(setting.mode);
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
