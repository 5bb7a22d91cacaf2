//! ring's AEADs. They work in place only: a record is copied to where it shall be, then sealed or
//! opened there.

use alloc::boxed::Box;

use ::ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, Tag,
    UnboundKey,
};

use crate::error::{Internal, Peer};
use crate::plaintext::Plaintext;
use crate::record::TAG;
use crate::record::key::{Aead, NONCE};

/// A key whose schedule is expanded. ring does not wipe it on drop, nor lets others do so; on the
/// heap, so that an engine that is moved leaves no copy, and one that is released gives it back.
pub(crate) struct Expanded(Box<LessSafeKey>);

impl Expanded {
    pub(super) fn new(aead: Aead, key: &[u8]) -> Result<Self, Internal> {
        let key = UnboundKey::new(algorithm(aead), key);
        key.map(|key| Self(Box::new(LessSafeKey::new(key))))
            .map_err(|_| Internal::UnsupportedSuite)
    }

    /// Seals `plaintext` and behind it `inner` into `out`, which is longer by a tag. On an error
    /// nothing of `out` is left of the plaintext.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        (plaintext, inner): (Plaintext<'_>, &[u8]),
        out: &mut [u8],
    ) -> Result<(), Internal> {
        let (text, tag) = out.split_last_chunk_mut::<TAG>().ok_or(Internal::Seal)?;
        let (front, back) = text
            .split_at_mut_checked(plaintext.len())
            .ok_or(Internal::Seal)?;
        if back.len() != inner.len() {
            return Err(Internal::Seal);
        }
        match plaintext.contiguous() {
            Some(bytes) => front.copy_from_slice(bytes),
            None => plaintext.gather(front),
        }
        back.copy_from_slice(inner);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let sealed = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(aad), text);
        let Ok(made) = sealed else {
            text.fill(0);
            return Err(Internal::Seal);
        };
        tag.copy_from_slice(made.as_ref());
        Ok(())
    }

    /// Opens `ciphertext` into `into`, which is as long. On an error nothing of it may be handed out.
    pub(crate) fn open_into(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        (ciphertext, tag): (&[u8], &[u8]),
        into: &mut [u8],
    ) -> Result<(), Peer> {
        if into.len() != ciphertext.len() {
            return Err(Peer::BadRecordMac);
        }
        into.copy_from_slice(ciphertext);
        self.open_in_place(nonce, aad, (into, tag))
    }

    /// Opens `text` where it lies; ring leaves zeros of it on an error.
    pub(crate) fn open_in_place(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        (text, tag): (&mut [u8], &[u8]),
    ) -> Result<(), Peer> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = Tag::try_from(tag).map_err(|_| Peer::BadRecordMac)?;
        self.0
            .open_in_place_separate_tag(nonce, Aad::from(aad), tag, text, 0..)
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

/// Both libraries side by side.
#[cfg(all(test, feature = "aws-lc-rs"))]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::Expanded;
    use crate::plaintext::Plaintext;
    use crate::record::TAG;
    use crate::record::key::{Aead, aws_lc_rs};

    const AEADS: [Aead; 3] = [Aead::Aes128Gcm, Aead::Aes256Gcm, Aead::Chacha20Poly1305];
    const LENGTHS: [usize; 8] = [0, 1, 15, 16, 17, 255, 16_383, 16_384];
    const NONCE: [u8; 12] = [9; 12];
    const AAD: &[u8] = &[23, 3, 3, 1, 2];

    fn keys(aead: Aead) -> (Expanded, aws_lc_rs::Expanded) {
        let key = [7; 32];
        let key = key.get(..aead.key_len()).expect("no longer key");
        (
            Expanded::new(aead, key).expect("a key"),
            aws_lc_rs::Expanded::new(aead, key).expect("a key"),
        )
    }

    fn text(length: usize) -> Vec<u8> {
        (0_u8..251).cycle().take(length).collect()
    }

    #[test]
    fn ring_seals_what_aws_lc_seals() {
        for (aead, length) in AEADS.into_iter().flat_map(|a| LENGTHS.map(|l| (a, l))) {
            let (ring, aws_lc) = keys(aead);
            let text = text(length);
            let halves = [&text[..length / 2], &text[length / 2..]];
            for inner in [&[23][..], &[]] {
                for plaintext in [Plaintext::from(&text[..]), Plaintext::concatenated(&halves)] {
                    let mut records = [(); 2].map(|()| vec![0; length + inner.len() + TAG]);
                    let [ours, theirs] = &mut records;
                    ring.seal(NONCE, AAD, (plaintext, inner), ours).unwrap();
                    aws_lc.seal(NONCE, AAD, (plaintext, inner), theirs).unwrap();
                    assert_eq!(ours, theirs, "{aead:?} {length}");
                }
            }
        }
    }

    #[test]
    fn ring_opens_both_ways_what_aws_lc_seals() {
        for (aead, length) in AEADS.into_iter().flat_map(|a| LENGTHS.map(|l| (a, l))) {
            let (ring, aws_lc) = keys(aead);
            let text = text(length);
            let mut record = vec![0; length + TAG];
            aws_lc
                .seal(NONCE, AAD, (text[..].into(), &[]), &mut record)
                .unwrap();
            let (sealed, tag) = record.split_at_mut(length);
            let mut into = vec![0; length];
            ring.open_into(NONCE, AAD, (sealed, tag), &mut into)
                .unwrap();
            assert_eq!(into, text, "{aead:?} {length}");
            ring.open_in_place(NONCE, AAD, (sealed, tag)).unwrap();
            assert_eq!(sealed, text, "{aead:?} {length}");
        }
    }

    #[test]
    fn what_ring_cannot_open_is_left_as_zeros() {
        for aead in AEADS {
            let (ring, _) = keys(aead);
            let mut record = vec![0; 100 + TAG];
            ring.seal(NONCE, AAD, (text(100)[..].into(), &[]), &mut record)
                .unwrap();
            for byte in 0..record.len() {
                let mut flipped = record.clone();
                flipped[byte] ^= 1;
                let (sealed, tag) = flipped.split_at_mut(100);
                let mut into = vec![1; 100];
                assert!(
                    ring.open_into(NONCE, AAD, (sealed, tag), &mut into)
                        .is_err()
                );
                assert!(ring.open_in_place(NONCE, AAD, (sealed, tag)).is_err());
                assert_eq!((&*sealed, &into[..]), (&[0; 100][..], &[0; 100][..]));
            }
        }
    }

    #[test]
    fn buffers_of_the_wrong_length_are_refused() {
        let (ring, _) = keys(Aead::Aes128Gcm);
        let mut out = [0; 5 + 1 + TAG];
        for length in [0, TAG, 5 + TAG, 4 + 1 + TAG] {
            let out = &mut out[..length];
            assert!(
                ring.seal(NONCE, AAD, (b"hello"[..].into(), &[23]), out)
                    .is_err()
            );
        }
        let parts = (&b"hello"[..], &[0; TAG - 1][..]);
        assert!(ring.open_into(NONCE, AAD, parts, &mut [0; 5]).is_err());
        let parts = (&b"hello"[..], &[0; TAG][..]);
        assert!(ring.open_into(NONCE, AAD, parts, &mut [0; 4]).is_err());
    }
}
