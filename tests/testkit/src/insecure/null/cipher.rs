//! The null cipher of the handshake: plaintext, and a tag that anybody can write; AES-128-GCM behind
//! it.

use offwire::rustls::crypto::aws_lc_rs::cipher_suite;
use offwire::rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, KeyBlockShape, MessageDecrypter,
    MessageEncrypter, OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload,
    Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use offwire::rustls::{
    ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion, SupportedCipherSuite,
};

use super::work::NullWork;
use super::{HANDSHAKE_FILLING, filling};

/// What stands at the end of a record of the handshake, where a cipher would put its tag.
pub const TAG: [u8; 16] = *b"offwire-null-tag";

/// Bytes of a key.
pub(super) const KEY: usize = 16;

/// Bytes of the part of the nonce that does not travel in TLS 1.2.
pub(super) const FIXED_IV: usize = 4;

/// The part of the nonce that travels in TLS 1.2.
const EXPLICIT_NONCE: [u8; 8] = [HANDSHAKE_FILLING; 8];

/// A cipher that changes nothing, and the keys that it would have.
pub(super) struct NullAead;

/// One direction of a version.
enum Direction {
    Tls12,
    Tls13,
}

/// The cipher of application data in TLS 1.3, if this is one of its keys.
fn real(key: &AeadKey) -> Option<&'static dyn Tls13AeadAlgorithm> {
    filling::read(key.as_ref())?;
    match cipher_suite::TLS13_AES_128_GCM_SHA256 {
        SupportedCipherSuite::Tls13(suite) => Some(suite.aead_alg),
        SupportedCipherSuite::Tls12(_) => None,
    }
}

impl Tls13AeadAlgorithm for NullAead {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        // A server's rustls seals its first tickets itself, and the engine opens them.
        match real(&key) {
            Some(real) => real.encrypter(key, iv),
            None => Box::new(Direction::Tls13),
        }
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        match real(&key) {
            Some(real) => real.decrypter(key, iv),
            None => Box::new(Direction::Tls13),
        }
    }

    fn key_len(&self) -> usize {
        KEY
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Ok(ConnectionTrafficSecrets::Aes128Gcm { key, iv })
    }
}

impl Tls12AeadAlgorithm for NullAead {
    fn encrypter(&self, _: AeadKey, _: &[u8], _: &[u8]) -> Box<dyn MessageEncrypter> {
        Box::new(Direction::Tls12)
    }

    fn decrypter(&self, _: AeadKey, _: &[u8]) -> Box<dyn MessageDecrypter> {
        Box::new(Direction::Tls12)
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        KeyBlockShape {
            enc_key_len: KEY,
            fixed_iv_len: FIXED_IV,
            explicit_nonce_len: EXPLICIT_NONCE.len(),
        }
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        fixed: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        let mut iv = [0; 12];
        for (byte, with) in iv.iter_mut().zip(fixed.iter().chain(explicit)) {
            *byte = *with;
        }
        let iv = Iv::new(iv);
        Ok(ConnectionTrafficSecrets::Aes128Gcm { key, iv })
    }
}

impl MessageEncrypter for Direction {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        _: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let len = self.encrypted_payload_len(message.payload.len());
        let mut payload = PrefixedPayload::with_capacity(len);
        let (content_type, version) = match self {
            Self::Tls13 => {
                payload.extend_from_chunks(&message.payload);
                payload.extend_from_slice(&[message.typ.into()]);
                (ContentType::ApplicationData, ProtocolVersion::TLSv1_2)
            }
            Self::Tls12 => {
                payload.extend_from_slice(&EXPLICIT_NONCE);
                payload.extend_from_chunks(&message.payload);
                (message.typ, message.version)
            }
        };
        payload.extend_from_slice(&TAG);
        Ok(OutboundOpaqueMessage::new(content_type, version, payload))
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        match self {
            Self::Tls13 => payload_len + 1 + TAG.len(),
            Self::Tls12 => EXPLICIT_NONCE.len() + payload_len + TAG.len(),
        }
    }
}

impl MessageDecrypter for Direction {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        _: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        NullWork::opened(message.payload.len());
        let start = match self {
            Self::Tls13 => 0,
            Self::Tls12 => EXPLICIT_NONCE.len(),
        };
        let body = message.payload.get(start..).unwrap_or_default();
        let Some(text) = body.strip_suffix(&TAG) else {
            return Err(Error::DecryptError);
        };
        let end = start + text.len();
        match self {
            Self::Tls13 => {
                message.payload.truncate(end);
                message.into_tls13_unpadded_message()
            }
            Self::Tls12 if text.len() > 1 << 14 => Err(Error::PeerSentOversizedRecord),
            Self::Tls12 => Ok(message.into_plain_message_range(start..end)),
        }
    }
}
