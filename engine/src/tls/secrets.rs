//! What outlives the handshake: derives the next traffic secrets and stores tickets.
//!
//! A client keeps rustls's `KernelConnection`, which does both. A server needs the former only,
//! and the kernel connection would be three quarters of an idle server's memory: it keeps the two
//! traffic secrets instead, caught from rustls's key log, and derives the next ones with the
//! suite's own HKDF.

use alloc::boxed::Box;
use core::fmt;

use rustls::client::ClientConnectionData;
use rustls::kernel::KernelConnection;
use rustls::{ConnectionTrafficSecrets, InvalidMessage, Tls13CipherSuite};
use zeroize::Zeroizing;

use crate::error::{Error, Internal, Peer};
use crate::record::key::{Aead, NONCE, Secret};
use crate::tls::catcher::{CaughtSecret, MAX_SECRET, SecretCatcher};
use crate::tls::fault::{self, AlertSent};
use crate::tls::hkdf::expand_label;

/// The role of this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

/// What outlives the handshake.
pub(crate) enum Secrets {
    /// TLS 1.2 has neither KeyUpdate nor tickets after the handshake.
    Tls12(Role),
    Client(Box<KernelConnection<ClientConnectionData>>),
    Server(Box<ServerSecrets>),
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
        match self {
            Self::Tls12(_) => Err(Internal::KeyUpdate),
            Self::Client(kernel) => from_kernel(kernel.update_tx_secret()),
            Self::Server(secrets) => secrets.server.next(secrets.suite, secrets.aead),
        }
    }

    /// Derives the next key to open with (RFC 8446 section 7.2).
    pub(crate) fn next_opening(&mut self) -> Result<Secret, Internal> {
        match self {
            Self::Tls12(_) => Err(Internal::KeyUpdate),
            Self::Client(kernel) => from_kernel(kernel.update_rx_secret()),
            Self::Server(secrets) => secrets.client.next(secrets.suite, secrets.aead),
        }
    }

    /// Stores the session that a NewSessionTicket's body describes. Clients only.
    pub(crate) fn store_ticket(&mut self, body: &[u8]) -> Result<(), Error> {
        match self {
            Self::Client(kernel) => match kernel.handle_new_session_ticket(body) {
                Ok(()) => Ok(()),
                // "There MUST NOT be more than one extension of the same type in a given extension
                // block" (RFC 8446 section 4.2): it can be decoded all the same.
                Err(rustls::Error::InvalidMessage(InvalidMessage::DuplicateExtension(_))) => {
                    Err(Peer::IllegalParameter.into())
                }
                Err(rustls::Error::InvalidMessage(_)) => Err(Peer::Malformed.into()),
                Err(rustls::Error::PeerMisbehaved(_)) => Err(Peer::IllegalParameter.into()),
                Err(error) => Err(fault::from_handshake(error, AlertSent::Nothing)),
            },
            Self::Tls12(_) | Self::Server(_) => Err(Peer::UnexpectedHandshake.into()),
        }
    }
}

/// A TLS 1.3 server's traffic secrets.
pub(crate) struct ServerSecrets {
    suite: &'static Tls13CipherSuite,
    aead: Aead,
    client: TrafficSecret,
    server: TrafficSecret,
}

impl ServerSecrets {
    /// The secrets, once rustls has derived both.
    pub(super) fn caught(
        catcher: &SecretCatcher,
        suite: &'static Tls13CipherSuite,
        aead: Aead,
    ) -> Result<Self, Internal> {
        let (client, server) = catcher.traffic().ok_or(Internal::Handover)?;
        Ok(Self {
            suite,
            aead,
            client: TrafficSecret(client),
            server: TrafficSecret(server),
        })
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secrets").field(&self.role()).finish()
    }
}

/// `client_application_traffic_secret_N` or the server's (RFC 8446 section 7.1).
struct TrafficSecret(CaughtSecret);

impl TrafficSecret {
    /// Goes on to secret N+1, "HKDF-Expand-Label(application_traffic_secret_N, "traffic upd", "",
    /// Hash.length)" (RFC 8446 section 7.2), and derives its key (section 7.3).
    fn next(&mut self, suite: &'static Tls13CipherSuite, aead: Aead) -> Result<Secret, Internal> {
        let mut next = CaughtSecret {
            bytes: Zeroizing::new([0; MAX_SECRET]),
            length: self.0.length,
        };
        let room = next
            .bytes
            .get_mut(..next.length.into())
            .ok_or(Internal::KeyUpdate)?;
        self.expand(suite, b"traffic upd", room)?;
        self.0 = next;

        let mut key = Zeroizing::new([0; 32]);
        let key = key.get_mut(..aead.key_len()).ok_or(Internal::KeyUpdate)?;
        let mut iv = Zeroizing::new([0; NONCE]);
        self.expand(suite, b"key", key)?;
        self.expand(suite, b"iv", &mut *iv)?;
        Secret::new(aead, key, &*iv)
    }

    fn expand(
        &self,
        suite: &'static Tls13CipherSuite,
        label: &[u8],
        output: &mut [u8],
    ) -> Result<(), Internal> {
        expand_label(suite, self.0.as_bytes(), label, &[], output).map_err(|_| Internal::KeyUpdate)
    }
}

fn from_kernel(
    next: Result<(u64, ConnectionTrafficSecrets), rustls::Error>,
) -> Result<Secret, Internal> {
    traffic_key(&next.map_err(|_| Internal::KeyUpdate)?.1)
}

/// A traffic key in this crate's own form.
pub(super) fn traffic_key(secrets: &ConnectionTrafficSecrets) -> Result<Secret, Internal> {
    let (aead, key, iv) = match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (Aead::Aes128Gcm, key, iv),
        ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (Aead::Aes256Gcm, key, iv),
        ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (Aead::Chacha20Poly1305, key, iv),
        _ => return Err(Internal::UnsupportedSuite),
    };
    Secret::new(aead, key.as_ref(), iv.as_ref())
}
