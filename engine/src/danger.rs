//! The way out: a live connection taken apart, so that something else goes on with its records, a
//! kernel (kTLS) or a network card.
//!
//! Everything here says danger: whoever holds a key and a sequence number must never use a number
//! twice, or the key is lost, and with it the connection.

use core::fmt;

use bytes::Bytes;

use crate::engine::Engine;
use crate::error::{Error, Misuse};
use crate::half::{ReadHalf, WriteHalf};
use crate::negotiated::ProtocolVersion;
use crate::phase::{Owed, Phase};
use crate::record::key::{NONCE, Secret, TrafficKey};
use crate::tls::secrets::Secrets;

/// What a live connection consists of, once its engine has given it away.
#[derive(Debug)]
#[non_exhaustive]
pub struct DangerousParts {
    /// The key to seal with, and the number of the next record.
    pub sealing: DangerousKey,
    /// The key to open with, and the number of the next record.
    pub opening: DangerousKey,
    /// What derives the keys behind a KeyUpdate, and stores tickets.
    pub secrets: DangerousSecrets,
    /// Plaintext that was opened and not read: the first that a reader must get.
    pub plaintext: Bytes,
    /// Ciphertext that was received and not opened. It begins with a record, whose number is that of
    /// [`Self::opening`], and the last of its records may not be whole.
    pub ciphertext: Bytes,
    /// Records that were sealed and not sent: they must leave before any that is sealed from now on.
    pub outgoing: Bytes,
}

/// A traffic key in the clear. Zeroised on drop, and never printed.
pub struct DangerousKey(TrafficKey);

impl DangerousKey {
    /// The key: 16 bytes for AES-128-GCM, 32 for AES-256-GCM and ChaCha20-Poly1305.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.0.secret().key()
    }

    /// The initialisation vector. Linux calls its first four bytes the salt where the cipher is
    /// AES-GCM, and the others the vector.
    #[must_use]
    pub fn iv(&self) -> &[u8; NONCE] {
        self.0.secret().iv()
    }

    /// The number of the next record.
    ///
    /// A nonce is the vector, exclusive-or this number in its last eight bytes (RFC 8446 section 5.3,
    /// RFC 7905 section 2). The engine has sealed the records of TLS 1.2 with AES-GCM likewise, and
    /// put those eight bytes before each (RFC 5288 section 3).
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.0.sequence()
    }
}

impl From<Secret> for DangerousKey {
    fn from(secret: Secret) -> Self {
        Self(TrafficKey::new(secret, 0))
    }
}

impl fmt::Debug for DangerousKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DangerousKey").field(&self.0).finish()
    }
}

/// What derives the next traffic keys (RFC 8446 section 7.2). Zeroised on drop, and never printed.
#[derive(Debug)]
pub struct DangerousSecrets {
    secrets: Secrets,
    version: ProtocolVersion,
}

impl DangerousSecrets {
    /// The key that follows the one sealed with, for behind a KeyUpdate of ours.
    ///
    /// # Errors
    /// [`Misuse::KeyUpdateInTls12`]; [`Error::Internal`] if the key schedule fails.
    pub fn next_sealing(&mut self) -> Result<DangerousKey, Error> {
        self.check_version()?;
        Ok(self.secrets.next_sealing()?.into())
    }

    /// The key that follows the one opened with, for behind a KeyUpdate of the peer's.
    ///
    /// # Errors
    /// As [`Self::next_sealing`].
    pub fn next_opening(&mut self) -> Result<DangerousKey, Error> {
        self.check_version()?;
        Ok(self.secrets.next_opening()?.into())
    }

    /// Stores the session that the body of a NewSessionTicket describes, without the four bytes of the
    /// message's header; clients of TLS 1.3 only.
    ///
    /// # Errors
    /// [`Error::Peer`] if the body cannot be decoded, or this side is no client of TLS 1.3.
    pub fn store_ticket(&mut self, body: &[u8]) -> Result<(), Error> {
        self.secrets.store_ticket(body)
    }

    fn check_version(&self) -> Result<(), Misuse> {
        match self.version {
            ProtocolVersion::Tls12 => Err(Misuse::KeyUpdateInTls12),
            ProtocolVersion::Tls13 => Ok(()),
        }
    }
}

impl Engine {
    /// Gives the connection away, so that something else seals and opens its records from here on:
    /// kTLS, say. To move a connection from one loop to another, move the engine instead: it is a
    /// value, and knows no loop.
    ///
    /// Afterwards the engine is spent: its verbs return [`Misuse::HandedOver`], and what it is fed is
    /// discarded. What was negotiated and the counters can still be asked for; keying material cannot.
    ///
    /// # Dangers
    /// The taker owes all that the engine saw to: that no sequence number is used twice, that
    /// [`DangerousParts::outgoing`] leaves first, KeyUpdates before a key's limit, the answers to the
    /// peer's, and close_notify.
    ///
    /// # Errors
    /// Nothing changes. [`Misuse::HandOverInHandshake`] before the handshake is complete;
    /// [`Misuse::HandOverUnsettled`] while a write is blocked (repeat it), a KeyUpdate is owed (an
    /// empty write sends it), half a handshake message has arrived (read on), after `shutdown`, and
    /// once the peer or its transport has ended. A dead connection returns its error.
    pub fn dangerous_hand_over(&mut self) -> Result<DangerousParts, Error> {
        let open = match &self.phase {
            Phase::Handshaking(_) => return Err(Misuse::HandOverInHandshake.into()),
            Phase::Dead(error) => return Err(error.clone()),
            Phase::Open(open) => open,
        };
        match (&self.write_half, self.read_half, open.owed) {
            (WriteHalf::Ready, ReadHalf::Open, Owed::Nothing)
                if !open.post_handshake.is_partial() => {}
            _ => return Err(Misuse::HandOverUnsettled.into()),
        }
        let spent = Phase::Dead(Misuse::HandedOver.into());
        let Phase::Open(open) = core::mem::replace(&mut self.phase, spent) else {
            return Err(Misuse::HandOverUnsettled.into());
        };
        let plaintext = Bytes::copy_from_slice(self.incoming.plaintext());
        let ciphertext = Bytes::copy_from_slice(self.incoming.ciphertext());
        self.incoming.discard_plaintext(plaintext.len());
        self.incoming.clear_ciphertext();
        let outgoing = self.take_outgoing();
        self.release();
        let version = open.opener.version();
        Ok(DangerousParts {
            sealing: DangerousKey(open.sealer.into_key()),
            opening: DangerousKey(open.opener.into_key()),
            secrets: DangerousSecrets {
                secrets: open.secrets,
                version,
            },
            plaintext,
            ciphertext,
            outgoing,
        })
    }
}
