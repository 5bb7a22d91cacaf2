//! Certificates made in memory: an authority, and identities of every kind that it issues.
//!
//! Keys are real and fresh in every process; nothing is read from files. The shared authority and
//! its identities are made once, since an RSA key takes longer than a whole handshake.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};

use offwire::rustls::RootCertStore;
use offwire::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, date_time_ymd,
};

/// The algorithm of a certificate's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// RSA with 2048 bits.
    Rsa,
    /// ECDSA on P-256.
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
    /// Ed25519.
    Ed25519,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Rsa, Self::EcdsaP256, Self::EcdsaP384, Self::Ed25519];

    fn key(self) -> KeyPair {
        let algorithm = match self {
            Self::Rsa => &PKCS_RSA_SHA256,
            Self::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
            Self::EcdsaP384 => &PKCS_ECDSA_P384_SHA384,
            Self::Ed25519 => &PKCS_ED25519,
        };
        KeyPair::generate_for(algorithm).unwrap()
    }
}

/// What a certificate may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Usage {
    /// `serverAuth`, for the names `localhost`, `server.test`, 127.0.0.1 and ::1.
    Server,
    /// `clientAuth`, for the name `client.test`.
    Client,
}

impl Usage {
    fn names(self) -> Vec<String> {
        let names: &[&str] = match self {
            Self::Server => &["localhost", "server.test", "127.0.0.1", "::1"],
            Self::Client => &["client.test"],
        };
        names.iter().map(ToString::to_string).collect()
    }

    fn purpose(self) -> ExtendedKeyUsagePurpose {
        match self {
            Self::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Self::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }
    }
}

/// A certificate chain with the key of its first certificate. Cheap to clone.
#[derive(Clone)]
pub struct Identity(Arc<Parts>);

struct Parts {
    chain: Vec<CertificateDer<'static>>,
    chain_pem: String,
    key: Vec<u8>,
    key_pem: String,
}

impl Identity {
    /// A valid server certificate of the shared authority; the same one every time.
    #[must_use]
    pub fn server(kind: Kind) -> Self {
        static MADE: [OnceLock<Identity>; 4] = [const { OnceLock::new() }; 4];
        MADE[kind as usize]
            .get_or_init(|| Authority::shared().issue(kind, Usage::Server))
            .clone()
    }

    /// A valid client certificate of the shared authority; the same one every time.
    #[must_use]
    pub fn client(kind: Kind) -> Self {
        static MADE: [OnceLock<Identity>; 4] = [const { OnceLock::new() }; 4];
        MADE[kind as usize]
            .get_or_init(|| Authority::shared().issue(kind, Usage::Client))
            .clone()
    }

    /// A valid Ed25519 certificate of [`Authority::fixed`]: the same one everywhere and always.
    #[must_use]
    pub fn fixed(usage: Usage) -> Self {
        static MADE: [OnceLock<Identity>; 2] = [const { OnceLock::new() }; 2];
        let key = match usage {
            Usage::Server => fixed_key(1),
            Usage::Client => fixed_key(2),
        };
        MADE[usage as usize]
            .get_or_init(|| Authority::fixed().issue_for(leaf(usage, usage.names()), &key))
            .clone()
    }

    /// The chain: its own certificate first, the authority's not included.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.0.chain
    }

    /// The private key, in PKCS #8 form.
    #[must_use]
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.0.key.clone()))
    }

    /// The chain as PEM, for programs that read files.
    #[must_use]
    pub fn chain_pem(&self) -> &str {
        &self.0.chain_pem
    }

    /// The private key as PEM, for programs that read files.
    #[must_use]
    pub fn key_pem(&self) -> &str {
        &self.0.key_pem
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("chain", &self.0.chain.len())
            .finish_non_exhaustive()
    }
}

/// An authority that issues certificates.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// Makes an authority that nobody trusts yet. Each has a name of its own, so that one is not
    /// taken for another whose signature is wrong.
    ///
    /// # Panics
    /// If no random bytes can be had.
    #[must_use]
    pub fn new() -> Self {
        Self::with_key(Kind::EcdsaP256)
    }

    /// As [`Self::new`], with a key of the given kind. What an Ed25519 key signs always has the
    /// same length.
    ///
    /// # Panics
    /// If no random bytes can be had.
    #[must_use]
    pub fn with_key(kind: Kind) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let params = authority_params(&format!("Offwire test authority {number}"));
        Self {
            issuer: CertifiedIssuer::self_signed(params, kind.key()).unwrap(),
        }
    }

    /// The authority that [`Contexts`](crate::Contexts) trusts, one a process.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Authority> = LazyLock::new(Authority::new);
        &SHARED
    }

    /// The authority of [`Identity::fixed`]. Its Ed25519 key is known to everybody.
    ///
    /// # Panics
    /// Never: its key was tested.
    #[must_use]
    pub fn fixed() -> &'static Self {
        static FIXED: LazyLock<Authority> = LazyLock::new(|| {
            let params = authority_params("Offwire fixed test authority");
            let issuer = CertifiedIssuer::self_signed(params, fixed_key(0)).unwrap();
            Authority { issuer }
        });
        &FIXED
    }

    /// The authority's own certificate.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        self.issuer.der()
    }

    /// The authority's own certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A store that trusts this authority and nobody else.
    ///
    /// # Panics
    /// Never: the certificate was made here.
    #[must_use]
    pub fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate().clone()).unwrap();
        Arc::new(roots)
    }

    /// Issues a valid certificate with a fresh key.
    #[must_use]
    pub fn issue(&self, kind: Kind, usage: Usage) -> Identity {
        self.issue_from(leaf(usage, usage.names()), kind)
    }

    /// Issues a certificate for other names (DNS names or addresses).
    #[must_use]
    pub fn issue_named(&self, kind: Kind, usage: Usage, names: &[&str]) -> Identity {
        self.issue_from(
            leaf(usage, names.iter().map(ToString::to_string).collect()),
            kind,
        )
    }

    /// Issues a certificate that expired in 2021.
    #[must_use]
    pub fn issue_expired(&self, kind: Kind, usage: Usage) -> Identity {
        let mut params = leaf(usage, usage.names());
        params.not_after = date_time_ymd(2021, 1, 1);
        self.issue_from(params, kind)
    }

    /// Issues a certificate that is not valid before 2110.
    #[must_use]
    pub fn issue_not_yet_valid(&self, kind: Kind, usage: Usage) -> Identity {
        let mut params = leaf(usage, usage.names());
        params.not_before = date_time_ymd(2110, 1, 1);
        self.issue_from(params, kind)
    }

    /// Issues a chain of about `size` bytes: a certificate and two intermediates, padded.
    ///
    /// A Certificate message holds at most 64 KiB (rustls), so `size` should stay below 65,000.
    ///
    /// # Panics
    /// If no random bytes can be had.
    #[must_use]
    pub fn issue_huge(&self, kind: Kind, usage: Usage, size: usize) -> Identity {
        let padding = size.saturating_sub(1_500) / 3;
        let mut outer = authority_params("Offwire test intermediate 1");
        outer.custom_extensions.push(padded(padding));
        let outer = CertifiedIssuer::signed_by(outer, Kind::EcdsaP256.key(), &self.issuer).unwrap();
        let mut inner = authority_params("Offwire test intermediate 2");
        inner.custom_extensions.push(padded(padding));
        let inner = CertifiedIssuer::signed_by(inner, Kind::EcdsaP256.key(), &outer).unwrap();
        let mut params = leaf(usage, usage.names());
        params.custom_extensions.push(padded(padding));
        let key = kind.key();
        let leaf = params.signed_by(&key, &inner).unwrap();
        identity(
            vec![leaf.der().clone(), inner.der().clone(), outer.der().clone()],
            [leaf.pem(), inner.pem(), outer.pem()].concat(),
            &key,
        )
    }

    fn issue_from(&self, params: CertificateParams, kind: Kind) -> Identity {
        self.issue_for(params, &kind.key())
    }

    fn issue_for(&self, params: CertificateParams, key: &KeyPair) -> Identity {
        let leaf = params.signed_by(key, &self.issuer).unwrap();
        identity(vec![leaf.der().clone()], leaf.pem(), key)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// An Ed25519 key that is no secret: so many times the same byte (RFC 8410 section 7).
fn fixed_key(byte: u8) -> KeyPair {
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend([byte; 32]);
    KeyPair::try_from(der).unwrap()
}

fn identity(chain: Vec<CertificateDer<'static>>, chain_pem: String, key: &KeyPair) -> Identity {
    let (key, key_pem) = (key.serialize_der(), key.serialize_pem());
    Identity(Arc::new(Parts {
        chain,
        chain_pem,
        key,
        key_pem,
    }))
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = dated(CertificateParams::default(), name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn leaf(usage: Usage, names: Vec<String>) -> CertificateParams {
    let common_name = match usage {
        Usage::Server => "Offwire test server",
        Usage::Client => "Offwire test client",
    };
    let mut params = dated(CertificateParams::new(names).unwrap(), common_name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage.purpose()];
    params.use_authority_key_identifier_extension = true;
    params
}

fn dated(mut params: CertificateParams, common_name: &str) -> CertificateParams {
    // Derived from the key, its encoding would be a byte shorter now and then.
    static ISSUED: AtomicU64 = AtomicU64::new(1 << 56);
    params.serial_number = Some(ISSUED.fetch_add(1, Ordering::Relaxed).into());
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params
}

/// An extension that nobody knows and that is not critical: verifiers skip it.
fn padded(len: usize) -> CustomExtension {
    // An OCTET STRING with a length in two bytes: well-formed for those who look inside.
    let mut content = vec![0x04, 0x82];
    content.extend(u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes());
    content.extend(core::iter::repeat_n(0, len));
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 55_555, 1], content)
}

#[cfg(test)]
mod tests {
    use super::{Authority, Kind, Usage};

    #[test]
    fn a_huge_chain_has_the_size_asked_for() {
        let identity = Authority::shared().issue_huge(Kind::EcdsaP256, Usage::Server, 47_000);
        let size: usize = identity
            .chain()
            .iter()
            .map(|certificate| certificate.len())
            .sum();
        assert!((46_000..48_500).contains(&size), "{size}");
    }

    #[test]
    fn every_kind_can_be_issued() {
        for kind in Kind::ALL {
            let identity = Authority::shared().issue(kind, Usage::Client);
            assert_eq!(identity.chain().len(), 1);
            assert!(identity.key_pem().contains("PRIVATE KEY"));
        }
    }
}
