//! The seeded provider: real cryptography from a seed, so that a session can be replayed.
//!
//! Random values, key shares and tickets come from one generator; signatures are Ed25519 (RFC 8032:
//! deterministic); the clock stands still. The same seed and the same calls give the same bytes on
//! the wire. Whoever knows the seed knows the keys.

use alloc::sync::Arc;
use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey, X25519};
use offwire::rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret,
    SupportedKxGroup, aws_lc_rs as real,
};
use offwire::rustls::server::ProducesTickets;
use offwire::rustls::{Error, NamedGroup, PeerMisbehaved};

use crate::random::Random;

/// Cryptography from a seed, for one side of replayable tests. It protects nothing.
///
/// Suites, hashes and signature verification are aws-lc-rs's; what is random comes from the seed.
/// rustls wants its providers to live for ever, so each seeded provider takes some bytes until the
/// process ends.
#[derive(Clone, Copy)]
pub struct DangerSeededForTests {
    source: &'static Source,
    x25519: &'static Group,
    p256: &'static Group,
}

impl DangerSeededForTests {
    /// Cryptography from this seed. Two sides of one session should have different ones.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let source: &'static Source = Box::leak(Box::new(Source(Mutex::new(Random::new(seed)))));
        let group = |kind| Box::leak(Box::new(Group { kind, source }));
        Self {
            source,
            x25519: group(Kind::X25519),
            p256: group(Kind::P256),
        }
    }

    /// Begins again with another seed, or with the same: what is drawn from here on is what a new
    /// provider of that seed would draw. Configurations made from this one stay in use.
    pub fn reseed(&self, seed: u64) {
        *self.source.lock() = Random::new(seed);
    }

    /// The provider: the suites of aws-lc-rs, and the groups X25519 and secp256r1.
    #[must_use]
    pub fn provider(&self) -> CryptoProvider {
        CryptoProvider {
            secure_random: self.source,
            kx_groups: vec![self.x25519, self.p256],
            ..real::default_provider()
        }
    }

    /// Tickets whose key and nonces come from the seed.
    ///
    /// # Panics
    /// Never: the key has the cipher's length.
    #[must_use]
    pub fn ticketer(&self) -> Arc<dyn ProducesTickets> {
        let mut key = [0; 32];
        self.source.draw(&mut key);
        let key = UnboundKey::new(&AES_256_GCM, &key).unwrap();
        Arc::new(Ticketer {
            key: LessSafeKey::new(key),
            source: self.source,
        })
    }
}

impl fmt::Debug for DangerSeededForTests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DangerSeededForTests")
            .finish_non_exhaustive()
    }
}

/// The generator that everything draws from.
#[derive(Debug)]
struct Source(Mutex<Random>);

impl Source {
    fn draw(&self, into: &mut [u8]) {
        into.copy_from_slice(&self.lock().bytes(into.len()));
    }

    fn lock(&self) -> MutexGuard<'_, Random> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecureRandom for Source {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
        self.draw(buffer);
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    X25519,
    P256,
}

impl Kind {
    fn algorithm(self) -> &'static agreement::Algorithm {
        match self {
            Self::X25519 => &X25519,
            Self::P256 => &ECDH_P256,
        }
    }

    fn name(self) -> NamedGroup {
        match self {
            Self::X25519 => NamedGroup::X25519,
            Self::P256 => NamedGroup::secp256r1,
        }
    }
}

/// A group whose private keys come from the seed.
#[derive(Debug)]
struct Group {
    kind: Kind,
    source: &'static Source,
}

impl SupportedKxGroup for Group {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        // On P-256 one number in 2^32 is not a private key; the next one is drawn then.
        let private = loop {
            let mut bytes = [0; 32];
            self.source.draw(&mut bytes);
            if let Ok(private) = PrivateKey::from_private_key(self.kind.algorithm(), &bytes) {
                break private;
            }
        };
        let public = private.compute_public_key().map_err(|_| failed())?;
        Ok(Box::new(Exchange {
            kind: self.kind,
            private,
            public: public.as_ref().to_vec(),
        }))
    }

    fn name(&self) -> NamedGroup {
        self.kind.name()
    }
}

struct Exchange {
    kind: Kind,
    private: PrivateKey,
    public: Vec<u8>,
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let peer = UnparsedPublicKey::new(self.kind.algorithm(), peer);
        let refused = || Error::from(PeerMisbehaved::InvalidKeyShare);
        agreement::agree(&self.private, peer, refused(), |secret| {
            Ok(SharedSecret::from(secret))
        })
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        self.kind.name()
    }
}

fn failed() -> Error {
    Error::General("no public key".into())
}

/// Tickets sealed under a key of the seed.
struct Ticketer {
    key: LessSafeKey,
    source: &'static Source,
}

impl ProducesTickets for Ticketer {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        12 * 60 * 60
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        self.source.draw(&mut nonce);
        let mut sealed = plain.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::empty(),
                &mut sealed,
            )
            .ok()?;
        Some([&nonce, &sealed[..]].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = ticket.split_first_chunk::<NONCE_LEN>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let mut sealed = sealed.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::empty(), &mut sealed);
        plain.ok().map(|plain| plain.to_vec())
    }
}

impl fmt::Debug for Ticketer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticketer").finish_non_exhaustive()
    }
}
