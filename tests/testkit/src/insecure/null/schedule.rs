//! The null key schedule: every hash, secret and MAC is one byte over and over, and the traffic
//! secrets of application data (RFC 8446 section 7.1) are another.

use offwire::rustls::Error;
use offwire::rustls::crypto::ActiveKeyExchange;
use offwire::rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};
use offwire::rustls::crypto::hmac::Tag;
use offwire::rustls::crypto::tls12::Prf;
use offwire::rustls::crypto::tls13::{Hkdf, HkdfExpander, OkmBlock, OutputLengthError};

use super::{APPLICATION_FILLING, HANDSHAKE_FILLING};

/// Bytes of a hash that passes for SHA-256.
const HASH: usize = 32;

/// A hash that forgets what it was shown.
pub(super) struct NullHash;

/// HKDF over [`NullHash`].
pub(super) struct NullHkdf;

/// Expands a secret made of this byte.
struct NullExpander(u8);

/// The PRF of TLS 1.2 over [`NullHash`].
pub(super) struct NullPrf;

impl Hash for NullHash {
    fn start(&self) -> Box<dyn Context> {
        Box::new(Self)
    }

    fn hash(&self, _: &[u8]) -> Output {
        Output::new(&[HANDSHAKE_FILLING; HASH])
    }

    fn output_len(&self) -> usize {
        HASH
    }

    fn algorithm(&self) -> HashAlgorithm {
        HashAlgorithm::SHA256
    }
}

impl Context for NullHash {
    fn fork_finish(&self) -> Output {
        self.hash(&[])
    }

    fn fork(&self) -> Box<dyn Context> {
        self.start()
    }

    fn finish(self: Box<Self>) -> Output {
        self.hash(&[])
    }

    fn update(&mut self, _: &[u8]) {}
}

impl Hkdf for NullHkdf {
    fn extract_from_zero_ikm(&self, _: Option<&[u8]>) -> Box<dyn HkdfExpander> {
        Box::new(NullExpander(HANDSHAKE_FILLING))
    }

    fn extract_from_secret(&self, _: Option<&[u8]>, _: &[u8]) -> Box<dyn HkdfExpander> {
        Box::new(NullExpander(HANDSHAKE_FILLING))
    }

    fn expander_for_okm(&self, okm: &OkmBlock) -> Box<dyn HkdfExpander> {
        Box::new(NullExpander(match okm.as_ref() {
            [APPLICATION_FILLING, ..] => APPLICATION_FILLING,
            _ => HANDSHAKE_FILLING,
        }))
    }

    fn hmac_sign(&self, _: &OkmBlock, _: &[u8]) -> Tag {
        Tag::new(&[HANDSHAKE_FILLING; HASH])
    }
}

impl NullExpander {
    /// What a secret, key or IV is made of: application data's begin with a secret of their own,
    /// labelled `"c ap traffic"` or `"s ap traffic"`.
    fn filling(&self, info: &[&[u8]]) -> u8 {
        if info.iter().any(|part| part.ends_with(b" ap traffic")) {
            APPLICATION_FILLING
        } else {
            self.0
        }
    }
}

impl HkdfExpander for NullExpander {
    fn expand_slice(&self, info: &[&[u8]], output: &mut [u8]) -> Result<(), OutputLengthError> {
        output.fill(self.filling(info));
        Ok(())
    }

    fn expand_block(&self, info: &[&[u8]]) -> OkmBlock {
        OkmBlock::new(&[self.filling(info); HASH])
    }

    fn hash_len(&self) -> usize {
        HASH
    }
}

impl Prf for NullPrf {
    fn for_key_exchange(
        &self,
        output: &mut [u8; 48],
        _: Box<dyn ActiveKeyExchange>,
        _: &[u8],
        _: &[u8],
        _: &[u8],
    ) -> Result<(), Error> {
        output.fill(HANDSHAKE_FILLING);
        Ok(())
    }

    fn for_secret(&self, output: &mut [u8], _: &[u8], label: &[u8], _: &[u8]) {
        output.fill(match label {
            b"key expansion" => APPLICATION_FILLING,
            _ => HANDSHAKE_FILLING,
        });
    }
}
