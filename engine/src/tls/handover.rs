//! The hand-over: takes the traffic keys from a completed handshake, with what goes on to derive
//! the next ones, and notes what was agreed on.

use alloc::boxed::Box;

use rustls::SupportedCipherSuite;

use crate::error::Internal;
use crate::negotiated::{CipherSuite, HandshakeKind, NamedGroup, Negotiated, ProtocolVersion};
use crate::record::key::TrafficKey;
use crate::record::open::Opener;
use crate::record::seal::Sealer;
use crate::tls::exporter::Exporter;
use crate::tls::handshake::{Connection, Handshake, RequestedName};
use crate::tls::secrets::{Role, Secrets, ServerSecrets, traffic_key};

/// What a completed handshake leaves behind.
pub(crate) struct Handover {
    pub(crate) sealer: Sealer,
    pub(crate) opener: Opener,
    pub(crate) secrets: Secrets,
    pub(crate) exporter: Option<Box<Exporter>>,
    pub(crate) negotiated: Negotiated,
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
            secrets: kept,
            sizing,
            ..
        } = *self;
        let negotiated = negotiated(&connection, requested_name)?;
        let suite = connection
            .negotiated_cipher_suite()
            .ok_or(Internal::Handover)?;
        let version = negotiated.version;
        let limit = confidentiality_limit(suite);
        let (keys, secrets) = match connection {
            Connection::Client(client) => {
                let (keys, kernel) = client
                    .dangerous_into_kernel_connection()
                    .map_err(|_| Internal::Handover)?;
                let secrets = match version {
                    ProtocolVersion::Tls12 => Secrets::Tls12(Role::Client),
                    ProtocolVersion::Tls13 => Secrets::Client(Box::new(kernel)),
                };
                (keys, secrets)
            }
            Connection::Server(server) => {
                let (keys, _) = server
                    .dangerous_into_kernel_connection()
                    .map_err(|_| Internal::Handover)?;
                let secrets = match suite {
                    SupportedCipherSuite::Tls12(_) => Secrets::Tls12(Role::Server),
                    SupportedCipherSuite::Tls13(suite) => {
                        let aead = traffic_key(&keys.tx.1)?.aead;
                        let catcher = kept.catcher().ok_or(Internal::Handover)?;
                        let caught = ServerSecrets::caught(catcher, suite, aead)?;
                        Secrets::Server(Box::new(caught))
                    }
                };
                (keys, secrets)
            }
        };
        let exporter = kept.exporter(suite)?;
        let sealing = TrafficKey::new(traffic_key(&keys.tx.1)?, keys.tx.0);
        let opening = TrafficKey::new(traffic_key(&keys.rx.1)?, keys.rx.0);
        Ok(Handover {
            sealer: Sealer::new(sealing, version, sizing, limit),
            opener: Opener::new(opening, version),
            secrets,
            exporter,
            negotiated,
        })
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
            // rustls has read the ClientHello, so its name is known here too.
            RequestedName::Reading(_) | RequestedName::Refused => return Err(Internal::Handover),
        },
        peer_certificates: connection.peer_certificates().unwrap_or_default().into(),
    })
}
