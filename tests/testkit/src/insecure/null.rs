//! The null provider: nothing is random, nothing is secret, nothing is checked.
//!
//! While rustls shakes hands, records are protected by a tag that anybody can write ([`TAG`]), and
//! every hash, secret, signature and MAC is one byte over and over ([`HANDSHAKE_FILLING`]). So a
//! fuzzer can change any byte of a handshake and still see it complete, and the same bytes always
//! mean the same. Since anybody can write the tag, a record of the handshake passes in either
//! direction: telling them apart is rustls's.
//!
//! Application data is sealed with real AES-128-GCM, since rustls can only name real ciphers to the
//! engine, under keys that everybody knows ([`filling`]) and that [`RawPeer`](crate::RawPeer) seals
//! with. Each direction and each generation (a KeyUpdate begins the next) has a key and an IV of its
//! own, so a record that is reflected to its sender, or sealed under an earlier key, is refused as
//! it is with real keys.

mod cipher;
mod filling;
mod peers;
mod schedule;
mod work;

use offwire::rustls::crypto::{
    ActiveKeyExchange, CipherSuiteCommon, CryptoProvider, GetRandomFailed, KeyExchangeAlgorithm,
    KeyProvider, SecureRandom, SharedSecret, SupportedKxGroup, WebPkiSupportedAlgorithms,
};
use offwire::rustls::pki_types::PrivateKeyDer;
use offwire::rustls::server::ProducesTickets;
use offwire::rustls::sign::SigningKey;
use offwire::rustls::{
    CipherSuite, Error, NamedGroup, SignatureScheme, SupportedCipherSuite, Tls12CipherSuite,
    Tls13CipherSuite,
};

use alloc::sync::Arc;

pub use self::cipher::TAG;
pub use self::filling::filling;
pub use self::peers::CERTIFICATE;
pub(crate) use self::peers::{NullCertificate, NullVerifier};
pub use self::work::NullWork;

/// What every key, secret, random value, MAC and signature of the handshake is made of.
pub const HANDSHAKE_FILLING: u8 = 0x42;

/// The only scheme of the null provider. Nothing is signed.
const SCHEME: SignatureScheme = SignatureScheme::ED25519;

/// Records under one AES-GCM key (RFC 8446 section 5.5), as rustls counts them.
const CONFIDENTIALITY_LIMIT: u64 = 1 << 24;

static TLS13: Tls13CipherSuite = Tls13CipherSuite {
    common: CipherSuiteCommon {
        suite: CipherSuite::TLS13_AES_128_GCM_SHA256,
        hash_provider: &schedule::NullHash,
        confidentiality_limit: CONFIDENTIALITY_LIMIT,
    },
    hkdf_provider: &schedule::NullHkdf,
    aead_alg: &cipher::NullAead,
    quic: None,
};

static TLS12: Tls12CipherSuite = Tls12CipherSuite {
    common: CipherSuiteCommon {
        suite: CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        hash_provider: &schedule::NullHash,
        confidentiality_limit: CONFIDENTIALITY_LIMIT,
    },
    prf_provider: &schedule::NullPrf,
    kx: KeyExchangeAlgorithm::ECDHE,
    sign: &[SCHEME],
    aead_alg: &cipher::NullAead,
};

/// A provider without cryptography, for fuzzing. It protects nothing.
///
/// It has one cipher suite a version, one group, called x25519, and one signature scheme, called
/// Ed25519. Its key provider loads no key: certificates come from a resolver, and the
/// peer's are checked by a verifier of one's own. [`Contexts`](crate::Contexts) has both.
#[must_use]
pub fn danger_null_provider_for_tests() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            SupportedCipherSuite::Tls13(&TLS13),
            SupportedCipherSuite::Tls12(&TLS12),
        ],
        kx_groups: vec![&Null],
        signature_verification_algorithms: WebPkiSupportedAlgorithms {
            all: &[],
            mapping: &[],
        },
        secure_random: &Null,
        key_provider: &Null,
    }
}

/// Where keys and random values would come from.
#[derive(Debug)]
struct Null;

impl SecureRandom for Null {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
        buffer.fill(HANDSHAKE_FILLING);
        Ok(())
    }
}

impl KeyProvider for Null {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        let message = "the null provider signs with its own key only";
        Err(Error::General(message.into()))
    }
}

impl SupportedKxGroup for Null {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(Self))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

impl ActiveKeyExchange for Null {
    fn complete(self: Box<Self>, _: &[u8]) -> Result<SharedSecret, Error> {
        Ok(SharedSecret::from(&[HANDSHAKE_FILLING; 32][..]))
    }

    fn pub_key(&self) -> &[u8] {
        &[HANDSHAKE_FILLING; 32]
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

/// Tickets in the clear, with [`TAG`] behind them.
#[derive(Debug)]
pub(crate) struct NullTicketer;

impl ProducesTickets for NullTicketer {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        12 * 60 * 60
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        Some([plain, &TAG].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        ticket.strip_suffix(&TAG).map(<[u8]>::to_vec)
    }
}
