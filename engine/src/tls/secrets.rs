//! What outlives the handshake: derives the next traffic secrets and stores tickets.
//!
//! A client keeps rustls's `KernelConnection`, which does both. A server needs the former only,
//! and the kernel connection would be three quarters of an idle server's memory: it keeps the two
//! traffic secrets instead, caught from rustls's key log, and derives the next ones with the
//! suite's own HKDF.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};

use rustls::client::ClientConnectionData;
use rustls::crypto::tls13::OkmBlock;
use rustls::kernel::KernelConnection;
use rustls::{ConnectionTrafficSecrets, InvalidMessage, KeyLog, Tls13CipherSuite};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, Internal, Peer};
use crate::record::key::{Aead, NONCE, Secret};
use crate::tls::fault::{self, AlertSent};

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

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secrets").field(&self.role()).finish()
    }
}

/// A TLS 1.3 server's traffic secrets.
pub(crate) struct ServerSecrets {
    suite: &'static Tls13CipherSuite,
    aead: Aead,
    client: TrafficSecret,
    server: TrafficSecret,
}

/// Bytes of the longest traffic secret: SHA-384.
const MAX_SECRET: usize = 48;

/// `client_application_traffic_secret_N` or the server's (RFC 8446 section 7.1).
struct TrafficSecret {
    bytes: Zeroizing<[u8; MAX_SECRET]>,
    length: u8,
}

impl TrafficSecret {
    /// Goes on to secret N+1, "HKDF-Expand-Label(application_traffic_secret_N, "traffic upd", "",
    /// Hash.length)" (RFC 8446 section 7.2), and derives its key (section 7.3).
    fn next(&mut self, suite: &'static Tls13CipherSuite, aead: Aead) -> Result<Secret, Internal> {
        let length = usize::from(self.length);
        let mut next = Zeroizing::new([0; MAX_SECRET]);
        let room = next.get_mut(..length).ok_or(Internal::KeyUpdate)?;
        self.expand_label(suite, b"traffic upd", room)?;
        self.bytes = next;

        let mut key = Zeroizing::new([0; 32]);
        let key = key.get_mut(..aead.key_len()).ok_or(Internal::KeyUpdate)?;
        let mut iv = Zeroizing::new([0; NONCE]);
        self.expand_label(suite, b"key", key)?;
        self.expand_label(suite, b"iv", &mut *iv)?;
        Secret::new(aead, key, &*iv)
    }

    /// HKDF-Expand-Label with an empty context (RFC 8446 section 7.1).
    fn expand_label(
        &self,
        suite: &'static Tls13CipherSuite,
        label: &[u8],
        output: &mut [u8],
    ) -> Result<(), Internal> {
        const PREFIX: &[u8] = b"tls13 ";
        let secret = self
            .bytes
            .get(..usize::from(self.length))
            .ok_or(Internal::KeyUpdate)?;
        let expander = suite.hkdf_provider.expander_for_okm(&OkmBlock::new(secret));
        let length = u16::try_from(output.len()).map_err(|_| Internal::KeyUpdate)?;
        let label_length = [u8::try_from(PREFIX.len() + label.len()).unwrap_or(u8::MAX)];
        let info: [&[u8]; 5] = [&length.to_be_bytes(), &label_length, PREFIX, label, &[0]];
        expander
            .expand_slice(&info, output)
            .map_err(|_| Internal::KeyUpdate)
    }
}

/// A key log for one connection that keeps its traffic secrets, and passes everything on to the
/// configured one.
pub(crate) struct SecretCatcher {
    configured: Arc<dyn KeyLog>,
    client: Caught,
    server: Caught,
}

impl SecretCatcher {
    pub(crate) fn new(configured: Arc<dyn KeyLog>) -> Self {
        Self {
            configured,
            client: Caught::default(),
            server: Caught::default(),
        }
    }

    /// The secrets, once rustls has derived both.
    pub(crate) fn secrets(
        &self,
        suite: &'static Tls13CipherSuite,
        aead: Aead,
    ) -> Result<ServerSecrets, Internal> {
        let (client, server) = (self.client.secret(), self.server.secret());
        let (client, server) = client.zip(server).ok_or(Internal::Handover)?;
        Ok(ServerSecrets {
            suite,
            aead,
            client,
            server,
        })
    }

    fn caught(&self, label: &str) -> Option<&Caught> {
        match label {
            "CLIENT_TRAFFIC_SECRET_0" => Some(&self.client),
            "SERVER_TRAFFIC_SECRET_0" => Some(&self.server),
            _ => None,
        }
    }
}

impl KeyLog for SecretCatcher {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        if let Some(caught) = self.caught(label) {
            caught.keep(secret);
        }
        if self.configured.will_log(label) {
            self.configured.log(label, client_random, secret);
        }
    }

    fn will_log(&self, label: &str) -> bool {
        self.caught(label).is_some() || self.configured.will_log(label)
    }
}

impl fmt::Debug for SecretCatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretCatcher")
            .field("configured", &self.configured)
            .finish_non_exhaustive()
    }
}

/// A secret behind a shared reference, without a lock: rustls's key log is `Sync`, though one
/// connection logs from one thread only.
struct Caught {
    bytes: [AtomicU8; MAX_SECRET],
    length: AtomicU8,
}

impl Caught {
    fn keep(&self, secret: &[u8]) {
        let Ok(length) = u8::try_from(secret.len()) else {
            return;
        };
        if secret.len() > MAX_SECRET {
            return;
        }
        for (kept, byte) in self.bytes.iter().zip(secret) {
            kept.store(*byte, Ordering::Relaxed);
        }
        self.length.store(length, Ordering::Release);
    }

    fn secret(&self) -> Option<TrafficSecret> {
        let length = self.length.load(Ordering::Acquire);
        let mut bytes = Zeroizing::new([0; MAX_SECRET]);
        for (byte, kept) in bytes.iter_mut().zip(&self.bytes) {
            *byte = kept.load(Ordering::Relaxed);
        }
        (length > 0).then_some(TrafficSecret { bytes, length })
    }
}

impl Default for Caught {
    fn default() -> Self {
        Self {
            bytes: [const { AtomicU8::new(0) }; MAX_SECRET],
            length: AtomicU8::new(0),
        }
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        for byte in &mut self.bytes {
            byte.get_mut().zeroize();
        }
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
