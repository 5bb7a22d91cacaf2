//! The null key schedule: every hash, secret and MAC is one byte over and over, and the traffic
//! secrets of application data (RFC 8446 section 7.1) tell their direction and generation.

use offwire::rustls::Error;
use offwire::rustls::crypto::ActiveKeyExchange;
use offwire::rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};
use offwire::rustls::crypto::hmac::Tag;
use offwire::rustls::crypto::tls12::Prf;
use offwire::rustls::crypto::tls13::{Hkdf, HkdfExpander, OkmBlock, OutputLengthError};

use super::HANDSHAKE_FILLING;
use super::cipher::{FIXED_IV, KEY};
use super::filling::{self, filling};
use super::work::NullWork;
use crate::pair::Side;

/// Bytes of a hash that passes for SHA-256.
const HASH: usize = 32;

/// A hash that forgets what it was shown.
pub(super) struct NullHash;

/// HKDF over [`NullHash`].
pub(super) struct NullHkdf;

/// Expands a secret of this kind.
#[derive(Clone, Copy)]
enum NullExpander {
    /// Any secret of the handshake.
    Handshake,
    /// The traffic secret of a sender, behind so many KeyUpdates.
    Application(Side, u32),
}

/// The PRF of TLS 1.2 over [`NullHash`].
pub(super) struct NullPrf;

impl Hash for NullHash {
    fn start(&self) -> Box<dyn Context> {
        Box::new(Self)
    }

    fn hash(&self, data: &[u8]) -> Output {
        NullWork::hashed(data.len());
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

    fn update(&mut self, data: &[u8]) {
        NullWork::hashed(data.len());
    }
}

impl Hkdf for NullHkdf {
    fn extract_from_zero_ikm(&self, _: Option<&[u8]>) -> Box<dyn HkdfExpander> {
        Box::new(NullExpander::Handshake)
    }

    fn extract_from_secret(&self, _: Option<&[u8]>, _: &[u8]) -> Box<dyn HkdfExpander> {
        Box::new(NullExpander::Handshake)
    }

    fn expander_for_okm(&self, okm: &OkmBlock) -> Box<dyn HkdfExpander> {
        Box::new(match filling::read(okm.as_ref()) {
            Some((sender, generation)) => NullExpander::Application(sender, generation),
            None => NullExpander::Handshake,
        })
    }

    fn hmac_sign(&self, _: &OkmBlock, _: &[u8]) -> Tag {
        Tag::new(&[HANDSHAKE_FILLING; HASH])
    }
}

impl NullExpander {
    /// The secret that a label leads to. Application data's are labelled `"c ap traffic"` and
    /// `"s ap traffic"` (RFC 8446 section 7.1), and each leads to the next by `"traffic upd"` (section
    /// 7.2); keys and IVs are made like the secret that they come from.
    fn labelled(self, info: &[&[u8]]) -> Self {
        let is = |label: &[u8]| info.iter().any(|part| part.ends_with(label));
        match self {
            Self::Handshake if is(b"c ap traffic") => Self::Application(Side::Client, 0),
            Self::Handshake if is(b"s ap traffic") => Self::Application(Side::Server, 0),
            Self::Application(sender, generation) if is(b"traffic upd") => {
                Self::Application(sender, generation.wrapping_add(1))
            }
            Self::Handshake | Self::Application(..) => self,
        }
    }

    fn fill(self, output: &mut [u8]) {
        match self {
            Self::Handshake => output.fill(HANDSHAKE_FILLING),
            Self::Application(sender, generation) => {
                filling::fill(output, filling(sender, generation));
            }
        }
    }
}

impl HkdfExpander for NullExpander {
    fn expand_slice(&self, info: &[&[u8]], output: &mut [u8]) -> Result<(), OutputLengthError> {
        self.labelled(info).fill(output);
        Ok(())
    }

    fn expand_block(&self, info: &[&[u8]]) -> OkmBlock {
        let mut block = [0; HASH];
        self.labelled(info).fill(&mut block);
        OkmBlock::new(&block)
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
        output.fill(HANDSHAKE_FILLING);
        if label == b"key expansion" {
            fill_key_block(output);
        }
    }
}

/// Keys, then fixed IVs, the client's before the server's (RFC 5246 section 6.3).
fn fill_key_block(mut block: &mut [u8]) {
    for len in [KEY, FIXED_IV] {
        for sender in [Side::Client, Side::Server] {
            let Some((part, rest)) = block.split_at_mut_checked(len) else {
                return;
            };
            filling::fill(part, filling(sender, 0));
            block = rest;
        }
    }
}
