//! One record opened, straight into the caller's buffer or where it lies (RFC 8446 section 5.2,
//! RFC 5246 section 6.2.3.3). Knows no queue and no contract.

use core::ops::Range;

use crate::error::{Error, Peer};
use crate::negotiated::ProtocolVersion;
use crate::record::key::{NoncePart, Secret, TrafficKey};
use crate::record::seal::additional_data_tls12;
use crate::record::{ContentType, EXPLICIT_NONCE, HEADER, Header, MAX_PLAINTEXT, TAG};

/// A record that was authenticated: what it carries, and where its content stands in the buffer
/// it was opened in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) content_type: ContentType,
    pub(crate) content: Range<usize>,
}

/// The receiving direction: opens records under one key after the other.
#[derive(Debug)]
pub(crate) struct Opener {
    key: TrafficKey,
    version: ProtocolVersion,
}

/// Either form of additional data.
enum AdditionalData {
    Tls13([u8; HEADER]),
    Tls12([u8; 13]),
}

impl AsRef<[u8]> for AdditionalData {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Tls13(header) => header,
            Self::Tls12(pseudo_header) => pseudo_header,
        }
    }
}

impl Opener {
    pub(crate) const fn new(key: TrafficKey, version: ProtocolVersion) -> Self {
        Self { key, version }
    }

    pub(crate) const fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// Bytes that a buffer must have for [`Self::open_into`]: in TLS 1.3 the content type and the
    /// padding are written there as well.
    pub(crate) fn inner_len(&self, header: &Header) -> Result<usize, Peer> {
        // A record too short to hold a tag cannot be authenticated.
        header
            .length
            .checked_sub(self.prefix() + TAG)
            .ok_or(Peer::BadRecordMac)
    }

    /// Opens `body`, the record behind its header, into the front of `into`, which is
    /// [`Self::inner_len`] bytes long. On an error nothing of `into` may be handed out.
    pub(crate) fn open_into(
        &mut self,
        header: &Header,
        body: &[u8],
        into: &mut [u8],
    ) -> Result<Opened, Error> {
        let (explicit, sealed) = self.split(body)?;
        let (ciphertext, tag) = sealed
            .split_at_checked(into.len())
            .ok_or(Peer::BadRecordMac)?;
        let aad = self.additional_data(header, ciphertext.len())?;
        let (key, nonce) = self.key.next(explicit)?;
        key.open_into(nonce, aad.as_ref(), (ciphertext, tag), into)?;
        self.key.advance()?;
        Ok(self.inspect(header, into, 0)?)
    }

    /// Opens `body`, the record behind its header, where it lies. On an error nothing of it may
    /// be handed out.
    pub(crate) fn open_in_place(
        &mut self,
        header: &Header,
        body: &mut [u8],
    ) -> Result<Opened, Error> {
        let inner = self.inner_len(header)?;
        let (explicit, _) = self.split(body)?;
        let aad = self.additional_data(header, inner)?;
        let prefix = self.prefix();
        let sealed = body.get_mut(prefix..).ok_or(Peer::BadRecordMac)?;
        let (key, nonce) = self.key.next(explicit)?;
        let (text, tag) = sealed
            .split_at_mut_checked(inner)
            .ok_or(Peer::BadRecordMac)?;
        key.open_in_place(nonce, aad.as_ref(), (&mut *text, tag))?;
        self.key.advance()?;
        Ok(self.inspect(header, text, prefix)?)
    }

    /// The key, with the number of the next record.
    pub(crate) fn into_key(self) -> TrafficKey {
        self.key
    }

    /// Changes to the next key, whose records are numbered from zero.
    pub(crate) fn change_key(&mut self, secret: Secret) {
        self.key = TrafficKey::new(secret, 0);
    }

    /// Gives the expanded key back.
    pub(crate) fn release(&mut self) {
        self.key.release();
    }

    /// What an authenticated record carries; `offset` is where `inner` begins in the buffer.
    fn inspect(&self, header: &Header, inner: &[u8], offset: usize) -> Result<Opened, Peer> {
        let (content_type, length) = match self.version {
            ProtocolVersion::Tls13 => unpad(inner)?,
            ProtocolVersion::Tls12 => (header.content_type, inner.len()),
        };
        if length > MAX_PLAINTEXT {
            return Err(Peer::RecordOverflow);
        }
        Ok(Opened {
            content_type,
            content: offset..offset + length,
        })
    }

    fn additional_data(&self, header: &Header, inner: usize) -> Result<AdditionalData, Error> {
        Ok(match self.version {
            ProtocolVersion::Tls13 => AdditionalData::Tls13(header.bytes),
            ProtocolVersion::Tls12 => AdditionalData::Tls12(additional_data_tls12(
                self.key.sequence(),
                header.content_type,
                inner,
            )?),
        })
    }

    /// The nonce's varying part, and what is sealed.
    fn split<'a>(&self, body: &'a [u8]) -> Result<(NoncePart, &'a [u8]), Peer> {
        if self.prefix() == 0 {
            return Ok((NoncePart::Sequence, body));
        }
        let (explicit, sealed) = body
            .split_first_chunk::<EXPLICIT_NONCE>()
            .ok_or(Peer::BadRecordMac)?;
        Ok((NoncePart::Explicit(*explicit), sealed))
    }

    /// Bytes between header and ciphertext.
    const fn prefix(&self) -> usize {
        match self.version {
            ProtocolVersion::Tls13 => 0,
            ProtocolVersion::Tls12 => self.key.aead().explicit_nonce_tls12(),
        }
    }
}

/// Finds the content type behind the zero padding: "If a receiving implementation does not find a
/// non-zero octet in the cleartext, it MUST terminate the connection with an unexpected_message
/// alert." (RFC 8446 section 5.4).
fn unpad(inner: &[u8]) -> Result<(ContentType, usize), Peer> {
    // "the full encoded TLSInnerPlaintext MUST NOT exceed 2^14 + 1 octets" (the same section).
    if inner.len() > MAX_PLAINTEXT + 1 {
        return Err(Peer::RecordOverflow);
    }
    let last = inner
        .iter()
        .rposition(|byte| *byte != 0)
        .ok_or(Peer::EmptyRecord)?;
    let content_type = inner.get(last).copied().and_then(ContentType::from_byte);
    Ok((content_type.ok_or(Peer::UnexpectedRecord)?, last))
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::{Opened, Opener, unpad};
    use crate::error::{Error, Peer};
    use crate::negotiated::ProtocolVersion::{self, Tls12, Tls13};
    use crate::record::key::{Aead, Secret, TrafficKey};
    use crate::record::seal::{Budget, Sealer};
    use crate::record::sizing::Sizing;
    use crate::record::{ContentType, HEADER, Header};
    use crate::settings::RecordSizing;

    const AEADS: [Aead; 3] = [Aead::Aes128Gcm, Aead::Aes256Gcm, Aead::Chacha20Poly1305];

    fn secret(aead: Aead) -> Secret {
        let key = if aead == Aead::Aes128Gcm {
            &[9; 16][..]
        } else {
            &[9; 32]
        };
        Secret::new(aead, key, &[3; 12]).unwrap()
    }

    fn pair(aead: Aead, version: ProtocolVersion) -> (Sealer, Opener) {
        let sealer = Sealer::new(TrafficKey::new(secret(aead), 5), version, sizing(), 100);
        (
            sealer,
            Opener::new(TrafficKey::new(secret(aead), 5), version),
        )
    }

    fn sizing() -> Sizing {
        Sizing::new(1 << 14, RecordSizing::Full)
    }

    fn seal(sealer: &mut Sealer, content_type: ContentType, plaintext: &[u8]) -> Vec<u8> {
        let mut record = vec![0; sealer.record_len(plaintext.len())];
        sealer
            .seal(content_type, plaintext.into(), &mut record)
            .unwrap();
        record
    }

    fn open(opener: &mut Opener, record: &mut [u8]) -> Result<(Opened, Vec<u8>), Error> {
        let (header, body) = record.split_first_chunk_mut::<HEADER>().unwrap();
        let header = Header::parse(*header, opener.version())?;
        let opened = opener.open_in_place(&header, body)?;
        let content = body[opened.content.clone()].to_vec();
        Ok((opened, content))
    }

    #[test]
    fn what_is_sealed_is_opened_both_ways() {
        for (aead, version) in AEADS.into_iter().flat_map(|a| [(a, Tls12), (a, Tls13)]) {
            let (mut sealer, mut opener) = pair(aead, version);
            for content_type in [ContentType::ApplicationData, ContentType::Alert] {
                let mut record = seal(&mut sealer, content_type, b"hello");
                let (opened, content) = open(&mut opener, &mut record).unwrap();
                assert_eq!(
                    (opened.content_type, &content[..]),
                    (content_type, &b"hello"[..])
                );

                let record = seal(&mut sealer, content_type, b"hello");
                let (header, body) = record.split_first_chunk::<HEADER>().unwrap();
                let header = Header::parse(*header, version).unwrap();
                let mut into = vec![0; opener.inner_len(&header).unwrap()];
                let opened = opener.open_into(&header, body, &mut into).unwrap();
                assert_eq!(opened.content_type, content_type);
                assert_eq!(&into[opened.content], b"hello");
            }
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused() {
        for (aead, version) in AEADS.into_iter().flat_map(|a| [(a, Tls12), (a, Tls13)]) {
            let (mut sealer, _) = pair(aead, version);
            let record = seal(&mut sealer, ContentType::ApplicationData, b"hello");
            for bit in 0..record.len() * 8 {
                let mut flipped = record.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let refused = open(&mut pair(aead, version).1, &mut flipped);
                assert!(refused.is_err(), "{aead:?} {version} bit {bit}");
            }
        }
    }

    #[test]
    fn a_record_too_short_for_its_tag_is_a_bad_mac() {
        for (length, version) in [(15_u8, Tls13), (23, Tls12)] {
            let (_, mut opener) = pair(Aead::Aes128Gcm, version);
            let mut record = vec![0; HEADER + usize::from(length)];
            record[..HEADER].copy_from_slice(&[23, 3, 3, 0, length]);
            assert_eq!(
                open(&mut opener, &mut record),
                Err(Peer::BadRecordMac.into())
            );
        }
    }

    #[test]
    fn padding_is_stripped_and_all_zeros_refused() {
        assert_eq!(
            unpad(&[5, 6, 23, 0, 0]),
            Ok((ContentType::ApplicationData, 2))
        );
        assert_eq!(unpad(&[22]), Ok((ContentType::Handshake, 0)));
        assert_eq!(unpad(&[0, 0, 0]), Err(Peer::EmptyRecord));
        assert_eq!(unpad(&[]), Err(Peer::EmptyRecord));
        assert_eq!(unpad(&[1, 20]), Err(Peer::UnexpectedRecord));
    }

    #[test]
    fn an_inner_plaintext_over_its_limit_is_an_overflow() {
        let mut inner = vec![0; 16_386];
        inner[0] = 23;
        assert_eq!(
            unpad(&inner[..16_385]),
            Ok((ContentType::ApplicationData, 0))
        );
        assert_eq!(unpad(&inner), Err(Peer::RecordOverflow));
    }

    #[test]
    fn a_key_ends_before_its_confidentiality_limit() {
        let key = |sequence| TrafficKey::new(secret(Aead::Aes128Gcm), sequence);
        let budget = |sequence| Sealer::new(key(sequence), Tls13, sizing(), 10).budget();
        assert_eq!(budget(8), Budget::Enough);
        assert_eq!(budget(9), Budget::LastRecord);
    }
}
