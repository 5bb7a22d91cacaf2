//! AWS-LC's AEADs: records are sealed and opened from one buffer into another, without a copy.

use ::aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};

use crate::error::{Internal, Peer};
use crate::plaintext::Plaintext;
use crate::record::key::{Aead, NONCE};

/// A key whose schedule is expanded; AWS-LC wipes it on drop.
pub(crate) struct Expanded(LessSafeKey);

impl Expanded {
    pub(super) fn new(aead: Aead, key: &[u8]) -> Result<Self, Internal> {
        let key = UnboundKey::new(algorithm(aead), key);
        key.map(|key| Self(LessSafeKey::new(key)))
            .map_err(|_| Internal::UnsupportedSuite)
    }

    /// Seals `plaintext` and behind it `inner` into `out`, which is longer by a tag: from where the
    /// plaintext lies in the caller's memory, or gathered and then in place.
    // Left to itself the compiler makes it a function, which costs a tenth of a record's instructions.
    #[inline(always)]
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        (plaintext, inner): (Plaintext<'_>, &[u8]),
        out: &mut [u8],
    ) -> Result<(), Internal> {
        let (ciphertext, end) = out
            .split_at_mut_checked(plaintext.len())
            .ok_or(Internal::Seal)?;
        let (nonce, aad) = (Nonce::assume_unique_for_key(nonce), Aad::from(aad));
        match plaintext.contiguous() {
            Some(bytes) => {
                let key = &self.0;
                key.seal_out_of_place_scatter(nonce, aad, bytes, ciphertext, inner, end)
            }
            None => {
                plaintext.gather(ciphertext);
                self.0
                    .seal_in_place_scatter(nonce, aad, ciphertext, inner, end)
            }
        }
        .map_err(|_| Internal::Seal)
    }

    /// Opens `ciphertext` into `into`, which is as long. On an error nothing of it may be handed out.
    #[inline]
    pub(crate) fn open_into(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        (ciphertext, tag): (&[u8], &[u8]),
        into: &mut [u8],
    ) -> Result<(), Peer> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0
            .open_separate_gather(nonce, Aad::from(aad), ciphertext, tag, into)
            .map_err(|_| Peer::BadRecordMac)
    }

    /// Opens `text` where it lies. On an error nothing of it may be handed out.
    #[inline]
    pub(crate) fn open_in_place(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        (text, tag): (&mut [u8], &[u8]),
    ) -> Result<(), Peer> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0
            .open_in_place_separate_tag(nonce, Aad::from(aad), tag, text)
            .map(|_| ())
            .map_err(|_| Peer::BadRecordMac)
    }
}

fn algorithm(aead: Aead) -> &'static Algorithm {
    match aead {
        Aead::Aes128Gcm => &AES_128_GCM,
        Aead::Aes256Gcm => &AES_256_GCM,
        Aead::Chacha20Poly1305 => &CHACHA20_POLY1305,
    }
}
