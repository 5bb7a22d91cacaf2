//! A traffic key: one direction's secret, its nonces and its sequence number.
//!
//! Nonces are made in [`TrafficKey::nonce`] and nowhere else. Knows no queues and no contents. The
//! library of the AEADs is named below this file alone.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc_rs;
/// Beside AWS-LC it is compiled to be compared with it.
#[cfg(all(feature = "ring", any(test, not(feature = "aws-lc-rs"))))]
mod ring;

use alloc::boxed::Box;
use core::fmt;

use zeroize::{Zeroize, Zeroizing};

#[cfg(feature = "aws-lc-rs")]
pub(crate) use self::aws_lc_rs::Expanded;
#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
pub(crate) use self::ring::Expanded;
use crate::error::Internal;
use crate::record::EXPLICIT_NONCE;

/// The AEADs that rustls can hand over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aead {
    Aes128Gcm,
    Aes256Gcm,
    Chacha20Poly1305,
}

impl Aead {
    /// Bytes of a key.
    pub(crate) const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::Chacha20Poly1305 => 32,
        }
    }

    /// Bytes of nonce that a TLS 1.2 record carries: AES-GCM has them (RFC 5288 section 3),
    /// ChaCha20-Poly1305 has none (RFC 7905 section 2).
    pub(crate) const fn explicit_nonce_tls12(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => EXPLICIT_NONCE,
            Self::Chacha20Poly1305 => 0,
        }
    }
}

/// Bytes of every nonce in use.
pub(crate) const NONCE: usize = 12;

/// The secret half of a traffic key, as the handshake hands it over.
///
/// Zeroised on drop, and on the heap, so that an engine that is moved leaves no copy behind.
pub(crate) struct Secret {
    pub(crate) aead: Aead,
    parts: Box<Zeroizing<Parts>>,
}

/// Key and initialisation vector.
#[derive(Default)]
struct Parts {
    key: [u8; 32],
    iv: [u8; NONCE],
}

impl Zeroize for Parts {
    fn zeroize(&mut self) {
        self.key.zeroize();
        self.iv.zeroize();
    }
}

impl Secret {
    /// Takes the key and the initialisation vector.
    pub(crate) fn new(aead: Aead, key: &[u8], iv: &[u8]) -> Result<Self, Internal> {
        let mut parts = Box::<Zeroizing<Parts>>::default();
        let room = parts
            .key
            .get_mut(..aead.key_len())
            .ok_or(Internal::UnsupportedSuite)?;
        if room.len() != key.len() || iv.len() != NONCE {
            return Err(Internal::UnsupportedSuite);
        }
        room.copy_from_slice(key);
        parts.iv.copy_from_slice(iv);
        Ok(Self { aead, parts })
    }

    /// The key itself.
    pub(crate) fn key(&self) -> &[u8] {
        let key = self.parts.key.get(..self.aead.key_len());
        key.unwrap_or_default()
    }

    /// The initialisation vector.
    pub(crate) fn iv(&self) -> &[u8; NONCE] {
        &self.parts.iv
    }

    fn expand(&self) -> Result<Expanded, Internal> {
        Expanded::new(self.aead, self.key())
    }
}

/// Whether the cipher's key schedule is held in memory.
enum Schedule {
    /// Given back; rebuilt from the secret on the next record.
    Released,
    /// Ready to use.
    Expanded(Expanded),
}

/// Where the last eight bytes of a nonce come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NoncePart {
    /// From the sequence number.
    Sequence,
    /// From the record that was received.
    Explicit([u8; EXPLICIT_NONCE]),
}

/// One direction's key and the number of its next record.
pub(crate) struct TrafficKey {
    secret: Secret,
    schedule: Schedule,
    sequence: u64,
}

impl TrafficKey {
    /// The key whose next record has the given sequence number.
    pub(crate) const fn new(secret: Secret, sequence: u64) -> Self {
        Self {
            secret,
            schedule: Schedule::Released,
            sequence,
        }
    }

    pub(crate) const fn aead(&self) -> Aead {
        self.secret.aead
    }

    /// What it was made from.
    pub(crate) const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The sequence number of the next record.
    pub(crate) const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The expanded key, and the nonce of the next record with the given part that varies.
    ///
    /// [`Self::advance`] follows each use that succeeded, so that no nonce is used twice.
    pub(crate) fn next(&mut self, part: NoncePart) -> Result<(&Expanded, [u8; NONCE]), Internal> {
        if let Schedule::Released = self.schedule {
            self.schedule = Schedule::Expanded(self.secret.expand()?);
        }
        let nonce = self.nonce(part);
        match &self.schedule {
            Schedule::Expanded(key) => Ok((key, nonce)),
            Schedule::Released => Err(Internal::UnsupportedSuite),
        }
    }

    /// Counts the record that was sealed or opened: "Sequence numbers do not wrap" (RFC 8446
    /// section 5.3 and RFC 5246 section 6.1).
    pub(crate) fn advance(&mut self) -> Result<(), Internal> {
        self.sequence = self
            .sequence
            .checked_add(1)
            .ok_or(Internal::KeysExhausted)?;
        Ok(())
    }

    /// Gives the expanded key back; it is rebuilt on the next record.
    pub(crate) fn release(&mut self) {
        self.schedule = Schedule::Released;
    }

    /// Makes the nonce of the next record, for every suite and both directions.
    ///
    /// The sequence number, padded to the left, is exclusive-ored into the initialisation vector
    /// (RFC 8446 section 5.3; RFC 7905 section 2 for TLS 1.2). TLS 1.2 with AES-GCM puts the last
    /// eight bytes on the wire (RFC 5288 section 3): those we send may be any that do not repeat,
    /// and made like this they do not; those received take the place of the last eight.
    fn nonce(&self, part: NoncePart) -> [u8; NONCE] {
        let mut nonce = self.secret.parts.iv;
        let varying = nonce.iter_mut().skip(NONCE - EXPLICIT_NONCE);
        match part {
            NoncePart::Sequence => {
                let sequence = self.sequence.to_be_bytes();
                varying
                    .zip(sequence)
                    .for_each(|(byte, of_sequence)| *byte ^= of_sequence);
            }
            NoncePart::Explicit(explicit) => {
                varying
                    .zip(explicit)
                    .for_each(|(byte, received)| *byte = received);
            }
        }
        nonce
    }
}

impl fmt::Debug for TrafficKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrafficKey")
            .field("aead", &self.secret.aead)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Aead, NoncePart, Secret, TrafficKey};
    use crate::error::Internal;

    fn key(sequence: u64) -> TrafficKey {
        let iv: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        TrafficKey::new(
            Secret::new(Aead::Aes128Gcm, &[7; 16], &iv).unwrap(),
            sequence,
        )
    }

    fn nonce(sequence: u64, part: NoncePart) -> [u8; 12] {
        key(sequence).next(part).unwrap().1
    }

    #[test]
    fn a_nonce_is_the_vector_exclusive_or_the_sequence_number() {
        assert_eq!(
            nonce(0, NoncePart::Sequence),
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
        );
        let sequence = 0x0102_0304_0506_0708;
        assert_eq!(
            nonce(sequence, NoncePart::Sequence),
            [
                0,
                1,
                2,
                3,
                4 ^ 1,
                5 ^ 2,
                6 ^ 3,
                7 ^ 4,
                8 ^ 5,
                9 ^ 6,
                10 ^ 7,
                11 ^ 8
            ]
        );
    }

    #[test]
    fn an_explicit_nonce_takes_the_place_of_the_last_eight_bytes() {
        let nonce = nonce(9, NoncePart::Explicit([0xaa; 8]));
        assert_eq!(nonce, [0, 1, 2, 3, 170, 170, 170, 170, 170, 170, 170, 170]);
    }

    #[test]
    fn sequence_numbers_do_not_wrap() {
        let mut last = key(u64::MAX - 1);
        assert_eq!(last.advance(), Ok(()));
        assert_eq!(last.advance(), Err(Internal::KeysExhausted));
        assert_eq!(last.sequence(), u64::MAX);
    }

    #[test]
    fn a_secret_of_the_wrong_length_is_refused() {
        assert!(Secret::new(Aead::Aes256Gcm, &[7; 16], &[0; 12]).is_err());
        assert!(Secret::new(Aead::Aes128Gcm, &[7; 16], &[0; 8]).is_err());
    }

    #[test]
    fn keys_are_never_printed() {
        let shown = alloc::format!("{:?}", key(3));
        assert_eq!(shown, "TrafficKey { aead: Aes128Gcm, sequence: 3, .. }");
    }
}
