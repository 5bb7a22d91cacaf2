//! The hand-over: takes the traffic keys from a completed handshake, with what goes on to derive
//! the next ones and to store tickets.

use alloc::boxed::Box;
use core::fmt;

use rustls::client::ClientConnectionData;
use rustls::kernel::KernelConnection;
use rustls::server::ServerConnectionData;
use rustls::{ConnectionTrafficSecrets, SupportedCipherSuite};

use crate::error::{Internal, Peer};
use crate::negotiated::{CipherSuite, HandshakeKind, NamedGroup, Negotiated, ProtocolVersion};
use crate::record::key::{Aead, Secret, TrafficKey};
use crate::record::open::Opener;
use crate::record::seal::Sealer;
use crate::tls::handshake::{Connection, Handshake, RequestedName};

/// The role of this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

/// What a completed handshake leaves behind.
pub(crate) struct Handover {
    pub(crate) sealer: Sealer,
    pub(crate) opener: Opener,
    pub(crate) secrets: Secrets,
    pub(crate) negotiated: Negotiated,
}

/// What outlives the handshake: derives the next traffic secrets and stores tickets.
pub(crate) enum Secrets {
    /// TLS 1.2 has neither KeyUpdate nor tickets after the handshake.
    Tls12(Role),
    Client(Box<KernelConnection<ClientConnectionData>>),
    Server(Box<KernelConnection<ServerConnectionData>>),
}

impl Secrets {
    pub(crate) const fn role(&self) -> Role {
        match self {
            Self::Tls12(role) => *role,
            Self::Client(_) => Role::Client,
            Self::Server(_) => Role::Server,
        }
    }

    /// Derives the next key to seal with (RFC 8446 section 7.2).
    pub(crate) fn next_sealing(&mut self) -> Result<Secret, Internal> {
        let next = match self {
            Self::Tls12(_) => return Err(Internal::KeyUpdate),
            Self::Client(kernel) => kernel.update_tx_secret(),
            Self::Server(kernel) => kernel.update_tx_secret(),
        };
        secret(&next.map_err(|_| Internal::KeyUpdate)?.1)
    }

    /// Derives the next key to open with (RFC 8446 section 7.2).
    pub(crate) fn next_opening(&mut self) -> Result<Secret, Internal> {
        let next = match self {
            Self::Tls12(_) => return Err(Internal::KeyUpdate),
            Self::Client(kernel) => kernel.update_rx_secret(),
            Self::Server(kernel) => kernel.update_rx_secret(),
        };
        secret(&next.map_err(|_| Internal::KeyUpdate)?.1)
    }

    /// Stores the session that a NewSessionTicket's body describes. Clients only.
    pub(crate) fn store_ticket(&mut self, body: &[u8]) -> Result<(), Peer> {
        match self {
            Self::Client(kernel) => kernel
                .handle_new_session_ticket(body)
                .map_err(|_| Peer::Malformed),
            Self::Tls12(_) | Self::Server(_) => Err(Peer::UnexpectedHandshake),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secrets").field(&self.role()).finish()
    }
}

impl Handshake {
    /// Takes the keys over. The caller has seen [`Progress::Complete`].
    ///
    /// [`Progress::Complete`]: crate::tls::handshake::Progress::Complete
    pub(crate) fn hand_over(self: Box<Self>) -> Result<Handover, Internal> {
        if !self.is_drained() {
            return Err(Internal::Handover);
        }
        let Self {
            connection,
            requested_name,
            max_plaintext,
            ..
        } = *self;
        let negotiated = negotiated(&connection, requested_name)?;
        let suite = connection
            .negotiated_cipher_suite()
            .ok_or(Internal::Handover)?;
        let version = negotiated.version;
        let handed_over = match connection {
            Connection::Client(client) => client
                .dangerous_into_kernel_connection()
                .map(|(keys, kernel)| (keys, Secrets::client(version, kernel))),
            Connection::Server(server) => server
                .dangerous_into_kernel_connection()
                .map(|(keys, kernel)| (keys, Secrets::server(version, kernel))),
        };
        let (keys, secrets) = handed_over.map_err(|_| Internal::Handover)?;
        let sealing = TrafficKey::new(secret(&keys.tx.1)?, keys.tx.0);
        let opening = TrafficKey::new(secret(&keys.rx.1)?, keys.rx.0);
        let limit = confidentiality_limit(suite);
        Ok(Handover {
            sealer: Sealer::new(sealing, version, max_plaintext, limit),
            opener: Opener::new(opening, version),
            secrets,
            negotiated,
        })
    }
}

impl Secrets {
    fn client(version: ProtocolVersion, kernel: KernelConnection<ClientConnectionData>) -> Self {
        match version {
            ProtocolVersion::Tls12 => Self::Tls12(Role::Client),
            ProtocolVersion::Tls13 => Self::Client(Box::new(kernel)),
        }
    }

    fn server(version: ProtocolVersion, kernel: KernelConnection<ServerConnectionData>) -> Self {
        match version {
            ProtocolVersion::Tls12 => Self::Tls12(Role::Server),
            ProtocolVersion::Tls13 => Self::Server(Box::new(kernel)),
        }
    }
}

fn secret(secrets: &ConnectionTrafficSecrets) -> Result<Secret, Internal> {
    match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv } => {
            Secret::new(Aead::Aes128Gcm, key.as_ref(), iv.as_ref())
        }
        ConnectionTrafficSecrets::Aes256Gcm { key, iv } => {
            Secret::new(Aead::Aes256Gcm, key.as_ref(), iv.as_ref())
        }
        ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => {
            Secret::new(Aead::Chacha20Poly1305, key.as_ref(), iv.as_ref())
        }
        _ => Err(Internal::UnsupportedSuite),
    }
}

fn confidentiality_limit(suite: SupportedCipherSuite) -> u64 {
    match suite {
        SupportedCipherSuite::Tls12(suite) => suite.common.confidentiality_limit,
        SupportedCipherSuite::Tls13(suite) => suite.common.confidentiality_limit,
    }
}

fn negotiated(
    connection: &Connection,
    requested_name: RequestedName,
) -> Result<Negotiated, Internal> {
    use rustls::HandshakeKind as Kind;

    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => ProtocolVersion::Tls12,
        Some(rustls::ProtocolVersion::TLSv1_3) => ProtocolVersion::Tls13,
        _ => return Err(Internal::Handover),
    };
    let kind = match connection.handshake_kind() {
        Some(Kind::Full) => HandshakeKind::Full,
        Some(Kind::FullWithHelloRetryRequest) => HandshakeKind::FullWithHelloRetryRequest,
        Some(Kind::Resumed) => HandshakeKind::Resumed,
        None => return Err(Internal::Handover),
    };
    let suite = connection
        .negotiated_cipher_suite()
        .ok_or(Internal::Handover)?;
    let group = connection.negotiated_key_exchange_group();
    Ok(Negotiated {
        version,
        kind,
        cipher_suite: CipherSuite::from_code(suite.suite().into()),
        group: group.map(|group| NamedGroup::from_code(group.name().into())),
        alpn: connection.alpn_protocol().map(Box::from),
        server_name: match requested_name {
            RequestedName::Known(name) => name,
            RequestedName::Reading(_) => None,
        },
        peer_certificates: connection.peer_certificates().unwrap_or_default().to_vec(),
    })
}
