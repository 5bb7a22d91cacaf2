//! rustls 0.24, a release to come: bytes go through buffers of the caller's, records are opened in
//! place and copied by the caller.

use alloc::borrow::Cow;
use alloc::sync::Arc;

use offwire_testkit::{Authority, Identity, Kind};
use rustls_next::client::Resumption;
use rustls_next::crypto::{CryptoProvider, Identity as Chain};
use rustls_next::server::Tls13Tickets;
use rustls_next::{
    ClientConfig, ClientSide, Connection as Tls, HandshakeKind, RootCertStore, ServerConfig,
    ServerSide, Tcp, VecInput,
};
use rustls_next_aws_lc_rs as provider;

use crate::order::{Suite, Version};
use crate::peer::{Connection, Library, Progress, Setting};
use crate::{Problem, Wire};

/// Its two configurations.
#[derive(Debug)]
pub struct Next {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl Library for Next {
    type Connection = Either;

    fn new(setting: Setting) -> Result<Option<Self>, Problem> {
        let provider = Arc::new(provider_for(setting));
        let mut roots = RootCertStore::empty();
        roots.add(Authority::shared().certificate().clone())?;
        let mut client = ClientConfig::builder(Arc::clone(&provider))
            .with_root_certificates(roots)
            .with_no_client_auth()?;
        if setting.tickets == 0 {
            client.resumption = Resumption::disabled();
        }
        let identity = Identity::server(Kind::EcdsaP256);
        let chain = Chain::from_cert_chain(identity.chain().to_vec())?;
        let mut server = ServerConfig::builder(Arc::clone(&provider))
            .with_no_client_auth()
            .with_single_cert(Arc::new(chain), identity.key())?;
        server.ticketer = Some(provider.ticketer_factory.ticketer()?);
        let tickets = setting.tickets;
        server.send_tls13_tickets = Tls13Tickets {
            default: tickets,
            max: tickets,
        };
        let (client, server) = (Arc::new(client), Arc::new(server));
        Ok(Some(Self { client, server }))
    }

    fn client(&self) -> Result<Either, Problem> {
        let mut buffers = Buffers::default();
        let tls = self.client.connect("localhost".try_into()?);
        let tls = tls.build(&mut buffers.outgoing)?;
        Ok(Either::Client(Box::new(tls), buffers))
    }

    fn server(&self) -> Result<Either, Problem> {
        let tls = Tls::new(Arc::clone(&self.server))?;
        Ok(Either::Server(Box::new(tls), Buffers::default()))
    }
}

fn provider_for(setting: Setting) -> CryptoProvider {
    use provider::cipher_suite as suites;
    let mut made = match (setting.version, setting.suite) {
        (Version::Tls13, _) => provider::DEFAULT_TLS13_PROVIDER,
        (Version::Tls12, _) => provider::DEFAULT_TLS12_PROVIDER,
    };
    match setting.version {
        Version::Tls13 => {
            made.tls13_cipher_suites = Cow::Owned(vec![match setting.suite {
                Suite::Aes128 => suites::TLS13_AES_128_GCM_SHA256,
                Suite::Aes256 => suites::TLS13_AES_256_GCM_SHA384,
                Suite::ChaCha20 => suites::TLS13_CHACHA20_POLY1305_SHA256,
            }]);
        }
        Version::Tls12 => {
            made.tls12_cipher_suites = Cow::Owned(vec![match setting.suite {
                Suite::Aes128 => suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                Suite::Aes256 => suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
                Suite::ChaCha20 => suites::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            }]);
        }
    }
    made.kx_groups = Cow::Owned(vec![provider::kx_group::X25519]);
    made
}

/// A connection of either role, and the caller's buffers.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Either {
    /// The client's.
    Client(Box<Tls<ClientSide, Tcp>>, Buffers),
    /// The server's.
    Server(Box<Tls<ServerSide, Tcp>>, Buffers),
}

/// What has arrived, what is to leave, and plaintext that did not fit into the caller's buffer.
#[derive(Default)]
pub struct Buffers {
    incoming: VecInput,
    outgoing: Vec<u8>,
}

impl core::fmt::Debug for Buffers {
    fn fmt(&self, into: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        into.debug_struct("Buffers").finish_non_exhaustive()
    }
}

impl Buffers {
    fn send(&mut self, to: &mut Wire) {
        to.put(&self.outgoing);
        self.outgoing.clear();
    }
}

/// Copies the next payload, if there is a whole one.
macro_rules! next_payload {
    ($tls:expr, $buffers:expr, $into:expr) => {{
        let mut handler = $tls.read_tls(&mut $buffers.incoming, &mut $buffers.outgoing);
        match handler.next_payload() {
            Some(payload) => {
                let payload = payload?;
                let payload = payload.bytes();
                let into = $into
                    .get_mut(..payload.len())
                    .ok_or("a record does not fit")?;
                into.copy_from_slice(payload);
                payload.len()
            }
            None => 0,
        }
    }};
}

impl Either {
    fn parts(&mut self) -> &mut Buffers {
        match self {
            Self::Client(_, buffers) | Self::Server(_, buffers) => buffers,
        }
    }

    fn is_handshaking(&self) -> bool {
        match self {
            Self::Client(tls, _) => tls.is_handshaking(),
            Self::Server(tls, _) => tls.is_handshaking(),
        }
    }

    fn next(&mut self, into: &mut [u8]) -> Result<usize, Problem> {
        Ok(match self {
            Self::Client(tls, buffers) => next_payload!(tls, buffers, into),
            Self::Server(tls, buffers) => next_payload!(tls, buffers, into),
        })
    }
}

impl Connection for Either {
    fn handshake(&mut self, from: &mut Wire, to: &mut Wire) -> Result<Progress, Problem> {
        loop {
            if self.is_handshaking() && self.next(&mut [])? != 0 {
                return Err("plaintext in a handshake".into());
            }
            self.parts().send(to);
            if !self.is_handshaking() {
                return Ok(Progress::Complete);
            }
            if from.waiting() == 0 {
                return Ok(Progress::Going);
            }
            self.parts().incoming.read(from)?;
        }
    }

    fn write(&mut self, plaintext: &[u8], to: &mut Wire) -> Result<(), Problem> {
        match self {
            Self::Client(tls, buffers) => tls.write(plaintext.into(), &mut buffers.outgoing)?,
            Self::Server(tls, buffers) => tls.write(plaintext.into(), &mut buffers.outgoing)?,
        }
        self.parts().send(to);
        Ok(())
    }

    fn read(&mut self, into: &mut [u8], from: &mut Wire) -> Result<usize, Problem> {
        loop {
            let length = self.next(into)?;
            if length > 0 || from.waiting() == 0 {
                return Ok(length);
            }
            self.parts().incoming.read(from)?;
        }
    }

    fn is_resumed(&self) -> bool {
        let kind = match self {
            Self::Client(tls, _) => tls.handshake_kind(),
            Self::Server(tls, _) => tls.handshake_kind(),
        };
        kind == Some(HandshakeKind::Resumed)
    }
}
