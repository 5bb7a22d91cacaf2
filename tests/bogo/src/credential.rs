//! The shim's own credentials: chains and keys from the runner's files, and which is chosen.

use alloc::sync::Arc;
use core::fmt;
use std::sync::Mutex;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use offwire::rustls::client::ResolvesClientCert;
use offwire::rustls::crypto::CryptoProvider;
use offwire::rustls::pki_types::pem::PemObject;
use offwire::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use offwire::rustls::server::{ClientHello, ResolvesServerCert};
use offwire::rustls::sign::{CertifiedKey, Signer, SigningKey};
use offwire::rustls::{NamedGroup, SignatureAlgorithm, SignatureScheme};

use crate::failure::Failure;
use crate::flags::{Flags, Given, Setting, Switch, number};

/// The index by which the runner knows the credential that was not begun by a flag of its own.
const UNNUMBERED: i32 = -1;

/// A chain with its key.
#[derive(Clone, Debug)]
struct Credential {
    index: i32,
    certified: Arc<CertifiedKey>,
    /// The curve of an ECDSA key.
    curve: Option<NamedGroup>,
    /// Whether it may be used only for a peer that names its issuer.
    must_match_issuer: bool,
}

/// What the flags say of a credential, as far as they were read.
#[derive(Default)]
struct Description {
    chain: Option<String>,
    key: Option<String>,
    ocsp: Option<Vec<u8>>,
    preferences: Vec<u16>,
    must_match_issuer: bool,
}

/// The credentials of the shim, and what came of the last choice among them.
#[derive(Default)]
pub(crate) struct Credentials {
    credentials: Vec<Credential>,
    last: Mutex<Choice>,
}

/// A choice among the credentials.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// The index of the credential that was chosen.
    pub(crate) index: Option<i32>,
    /// The authorities that the server named in its CertificateRequest, in its order.
    pub(crate) authorities: Vec<Vec<u8>>,
}

impl Credentials {
    /// Loads the credentials that the flags describe, in the order of preference.
    pub(crate) fn load(flags: &Flags, provider: &CryptoProvider) -> Result<Self, Failure> {
        let mut unnumbered = Description::default();
        let mut numbered: Vec<Description> = Vec::new();
        for given in flags.in_order() {
            if let Given::Switch(Switch::NewX509Credential) = given {
                numbered.push(Description::default());
                continue;
            }
            numbered.last_mut().unwrap_or(&mut unnumbered).note(given)?;
        }
        let mut credentials = Vec::new();
        for (index, description) in (0..).zip(numbered) {
            credentials.extend(description.load(index, provider)?);
        }
        credentials.extend(unnumbered.load(UNNUMBERED, provider)?);
        Ok(Self {
            credentials,
            last: Mutex::default(),
        })
    }

    /// What came of the last choice.
    pub(crate) fn last(&self) -> Choice {
        let last = self.last.lock();
        last.map(|last| last.clone()).unwrap_or_default()
    }

    /// Chooses the first credential that can sign as the peer demands, those first that fit
    /// the groups that a client names.
    fn choose(
        &self,
        schemes: &[SignatureScheme],
        groups: Option<&[NamedGroup]>,
        names_issuer: impl Fn(&CertifiedKey) -> bool,
    ) -> Option<Arc<CertifiedKey>> {
        let mut named = self.credentials.iter().filter(|credential| {
            !credential.must_match_issuer || names_issuer(&credential.certified)
        });
        let mut signing = named
            .clone()
            .filter(|credential| credential.certified.key.choose_scheme(schemes).is_some());
        let fitting = signing
            .clone()
            .find(|credential| credential.fits_groups(groups));
        // rustls knows best what to say if none can sign.
        let credential = fitting
            .or_else(|| signing.next())
            .or_else(|| named.next())?;
        if let Ok(mut last) = self.last.lock() {
            last.index = Some(credential.index);
        }
        Some(Arc::clone(&credential.certified))
    }
}

impl Credential {
    /// Whether the client can use the curve of the certificate (RFC 8422, 5.1). rustls does not tell
    /// which version it chose, and in TLS 1.3 the groups have nothing to do with certificates: a
    /// credential that does not fit is thus used if there is no other.
    fn fits_groups(&self, groups: Option<&[NamedGroup]>) -> bool {
        match (self.curve, groups) {
            (Some(curve), Some(groups)) => groups.contains(&curve),
            (None, _) | (_, None) => true,
        }
    }
}

impl Description {
    /// Notes a flag, if it is about a credential.
    fn note(&mut self, given: &Given) -> Result<(), Failure> {
        match given {
            Given::Setting(Setting::CertFile, path) => self.chain = Some(path.clone()),
            Given::Setting(Setting::KeyFile, path) => self.key = Some(path.clone()),
            Given::Setting(Setting::OcspResponse, text) => self.ocsp = Some(decode(text)?),
            Given::Setting(Setting::SigningPreference, text) => {
                self.preferences.push(number(text)?);
            }
            Given::Switch(Switch::MustMatchIssuer) => self.must_match_issuer = true,
            Given::Setting(..) | Given::Switch(_) => {}
        }
        Ok(())
    }

    fn load(self, index: i32, provider: &CryptoProvider) -> Result<Option<Credential>, Failure> {
        let (Some(chain), Some(key)) = (self.chain, self.key) else {
            return Ok(None);
        };
        let unreadable = |what: &dyn fmt::Display| Failure::Unimplemented(what.to_string());
        let chain = CertificateDer::pem_file_iter(&chain)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unreadable(&error))?;
        let key = PrivateKeyDer::from_pem_file(&key).map_err(|error| unreadable(&error))?;
        let key = provider
            .key_provider
            .load_private_key(key)
            .map_err(|error| unreadable(&error))?;
        let curve = curve(key.as_ref());
        let preferences = self.preferences.into_iter().map(SignatureScheme::from);
        let key = PreferringKey {
            key,
            preferences: preferences.collect(),
        };
        let mut certified = CertifiedKey::new(chain, Arc::new(key));
        certified.ocsp = self.ocsp;
        Ok(Some(Credential {
            index,
            certified: Arc::new(certified),
            curve,
            must_match_issuer: self.must_match_issuer,
        }))
    }
}

impl ResolvesServerCert for Credentials {
    /// The cipher suites need no look: rustls has reduced the signature schemes to those of the
    /// suites that both sides have.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let authorities = hello.certificate_authorities().unwrap_or_default();
        let schemes = hello.signature_schemes();
        self.choose(schemes, hello.named_groups(), |certified| {
            authorities
                .iter()
                .any(|name| is_issued_by(certified, name.as_ref()))
        })
    }
}

impl ResolvesClientCert for Credentials {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        if let Ok(mut last) = self.last.lock() {
            last.authorities = root_hint_subjects
                .iter()
                .map(|name| name.to_vec())
                .collect();
        }
        self.choose(schemes, None, |certified| {
            root_hint_subjects
                .iter()
                .any(|name| is_issued_by(certified, name))
        })
    }

    fn has_certs(&self) -> bool {
        !self.credentials.is_empty()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("credentials", &self.credentials.len())
            .finish_non_exhaustive()
    }
}

/// Whether a certificate of the chain names this authority. Nothing is parsed: the runner's encoded
/// names are long enough not to stand in a certificate by chance.
fn is_issued_by(certified: &CertifiedKey, name: &[u8]) -> bool {
    certified.cert.iter().any(|certificate| {
        certificate
            .windows(name.len().max(1))
            .any(|window| window == name)
    })
}

/// The curve of an ECDSA key, each of which signs by one scheme.
fn curve(key: &dyn SigningKey) -> Option<NamedGroup> {
    [
        (
            SignatureScheme::ECDSA_NISTP256_SHA256,
            NamedGroup::secp256r1,
        ),
        (
            SignatureScheme::ECDSA_NISTP384_SHA384,
            NamedGroup::secp384r1,
        ),
        (
            SignatureScheme::ECDSA_NISTP521_SHA512,
            NamedGroup::secp521r1,
        ),
    ]
    .into_iter()
    .find_map(|(scheme, curve)| key.choose_scheme(&[scheme]).map(|_| curve))
}

/// A key that signs by the runner's order of preference, and in no other way.
#[derive(Debug)]
struct PreferringKey {
    key: Arc<dyn SigningKey>,
    /// Empty: the key's own preferences.
    preferences: Vec<SignatureScheme>,
}

impl SigningKey for PreferringKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        if self.preferences.is_empty() {
            return self.key.choose_scheme(offered);
        }
        self.preferences
            .iter()
            .filter(|preferred| offered.contains(preferred))
            .find_map(|preferred| self.key.choose_scheme(&[*preferred]))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}

/// Bytes that a flag holds in base64.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Failure> {
    BASE64_STANDARD
        .decode(text)
        .map_err(|error| Failure::Unimplemented(format!("base64: {error}")))
}
