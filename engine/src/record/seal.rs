//! One record sealed, from the caller's plaintext into the place where it waits to be sent
//! (RFC 8446 section 5.2, RFC 5246 section 6.2.3.3). Knows no queue and no contract.

use crate::error::Internal;
use crate::negotiated::ProtocolVersion;
use crate::plaintext::Plaintext;
use crate::record::key::{NoncePart, Secret, TrafficKey};
use crate::record::sizing::Sizing;
use crate::record::{ContentType, HEADER, TAG, VERSION_FIELD};

/// What must happen before the next record of application data is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    /// The key may seal it.
    Enough,
    /// One record is left: it must be a KeyUpdate, or in TLS 1.2 close_notify.
    LastRecord,
}

/// The sending direction: seals records under one key after the other.
#[derive(Debug)]
pub(crate) struct Sealer {
    key: TrafficKey,
    version: ProtocolVersion,
    sizing: Sizing,
    confidentiality_limit: u64,
}

impl Sealer {
    /// Seals from here on, with records of this `sizing` and at most `confidentiality_limit` of
    /// them under one key (RFC 8446 section 5.5).
    pub(crate) fn new(
        key: TrafficKey,
        version: ProtocolVersion,
        sizing: Sizing,
        confidentiality_limit: u64,
    ) -> Self {
        Self {
            key,
            version,
            sizing,
            confidentiality_limit,
        }
    }

    /// The key, with the number of the next record.
    pub(crate) fn into_key(self) -> TrafficKey {
        self.key
    }

    /// Bytes of plaintext that the next record of application data carries at most.
    pub(crate) const fn next_record(&self) -> usize {
        self.sizing.record(self.record_len(0))
    }

    /// Wire bytes of a record with so many bytes of plaintext.
    pub(crate) const fn record_len(&self, plaintext: usize) -> usize {
        HEADER + self.prefix() + plaintext + self.suffix()
    }

    /// Whether the key may seal another record and still one after it.
    pub(crate) const fn budget(&self) -> Budget {
        let last = self.confidentiality_limit.saturating_sub(1);
        if self.key.sequence() < last {
            Budget::Enough
        } else {
            Budget::LastRecord
        }
    }

    /// Seals one record into `out`, which is exactly [`Self::record_len`] bytes long.
    ///
    /// On an error nothing of `out` may be sent.
    pub(crate) fn seal(
        &mut self,
        content_type: ContentType,
        plaintext: Plaintext<'_>,
        out: &mut [u8],
    ) -> Result<(), Internal> {
        let body = u16::try_from(self.prefix() + plaintext.len() + self.suffix());
        let [high, low] = body.map_err(|_| Internal::Seal)?.to_be_bytes();
        let [major, minor] = VERSION_FIELD;
        let (header, out) = out
            .split_first_chunk_mut::<HEADER>()
            .ok_or(Internal::Seal)?;
        match self.version {
            ProtocolVersion::Tls13 => {
                *header = [ContentType::ApplicationData as u8, major, minor, high, low];
                self.seal_tls13(content_type, plaintext, *header, out)?;
            }
            ProtocolVersion::Tls12 => {
                *header = [content_type as u8, major, minor, high, low];
                self.seal_tls12(content_type, plaintext, out)?;
            }
        }
        if content_type == ContentType::ApplicationData {
            self.sizing.sealed(plaintext.len());
        }
        self.key.advance()
    }

    /// Changes to the next key, whose records are numbered from zero.
    pub(crate) fn change_key(&mut self, secret: Secret) {
        self.key = TrafficKey::new(secret, 0);
    }

    /// Gives the expanded key back; what follows an idle time may begin with small records.
    pub(crate) fn release(&mut self) {
        self.key.release();
        self.sizing.restart();
    }

    fn seal_tls13(
        &mut self,
        content_type: ContentType,
        plaintext: Plaintext<'_>,
        header: [u8; HEADER],
        out: &mut [u8],
    ) -> Result<(), Internal> {
        let (key, nonce) = self.key.next(NoncePart::Sequence)?;
        // "additional_data = TLSCiphertext.opaque_type || legacy_record_version || length"
        // (RFC 8446 section 5.2): the header as it stands.
        key.seal(nonce, &header, (plaintext, &[content_type as u8]), out)
    }

    fn seal_tls12(
        &mut self,
        content_type: ContentType,
        plaintext: Plaintext<'_>,
        out: &mut [u8],
    ) -> Result<(), Internal> {
        let prefix = self.prefix();
        let aad = additional_data_tls12(self.key.sequence(), content_type, plaintext.len())?;
        let (explicit, out) = out.split_at_mut_checked(prefix).ok_or(Internal::Seal)?;
        let (key, nonce) = self.key.next(NoncePart::Sequence)?;
        let varying = nonce.iter().skip(nonce.len() - prefix);
        explicit
            .iter_mut()
            .zip(varying)
            .for_each(|(out, nonce)| *out = *nonce);
        key.seal(nonce, &aad, (plaintext, &[]), out)
    }

    /// Bytes between header and ciphertext.
    const fn prefix(&self) -> usize {
        match self.version {
            ProtocolVersion::Tls13 => 0,
            ProtocolVersion::Tls12 => self.key.aead().explicit_nonce_tls12(),
        }
    }

    /// Bytes behind the ciphertext of the plaintext: in TLS 1.3 the content type comes first.
    const fn suffix(&self) -> usize {
        match self.version {
            ProtocolVersion::Tls13 => 1 + TAG,
            ProtocolVersion::Tls12 => TAG,
        }
    }
}

/// "additional_data = seq_num + TLSCompressed.type + TLSCompressed.version +
/// TLSCompressed.length" (RFC 5246 section 6.2.3.3).
pub(crate) fn additional_data_tls12(
    sequence: u64,
    content_type: ContentType,
    plaintext: usize,
) -> Result<[u8; 13], Internal> {
    let [a, b, c, d, e, f, g, h] = sequence.to_be_bytes();
    let [major, minor] = VERSION_FIELD;
    let [high, low] = u16::try_from(plaintext)
        .map_err(|_| Internal::Seal)?
        .to_be_bytes();
    Ok([
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        content_type as u8,
        major,
        minor,
        high,
        low,
    ])
}
