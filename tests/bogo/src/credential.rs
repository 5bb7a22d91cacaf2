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
use offwire::rustls::{SignatureAlgorithm, SignatureScheme};

use crate::failure::Failure;
use crate::flags::{Flags, Given, Setting, Switch, number};

/// The index by which the runner knows the credential that was not begun by a flag of its own.
const UNNUMBERED: i32 = -1;

/// A chain with its key.
#[derive(Clone, Debug)]
struct Credential {
    index: i32,
    certified: Arc<CertifiedKey>,
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

/// The credentials of the shim, and which of them was chosen last.
#[derive(Default)]
pub(crate) struct Credentials {
    credentials: Vec<Credential>,
    chosen: Mutex<Option<i32>>,
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
            chosen: Mutex::default(),
        })
    }

    /// The index of the credential that was chosen last.
    pub(crate) fn chosen(&self) -> Option<i32> {
        self.chosen.lock().ok().and_then(|chosen| *chosen)
    }

    fn choose(
        &self,
        schemes: &[SignatureScheme],
        names_issuer: impl Fn(&CertifiedKey) -> bool,
    ) -> Option<Arc<CertifiedKey>> {
        let mut named = self.credentials.iter().filter(|credential| {
            !credential.must_match_issuer || names_issuer(&credential.certified)
        });
        let fitting = named
            .clone()
            .find(|credential| credential.certified.key.choose_scheme(schemes).is_some());
        // rustls knows best what to say if none fits.
        let credential = fitting.or_else(|| named.next())?;
        if let Ok(mut chosen) = self.chosen.lock() {
            *chosen = Some(credential.index);
        }
        Some(Arc::clone(&credential.certified))
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
            must_match_issuer: self.must_match_issuer,
        }))
    }
}

impl ResolvesServerCert for Credentials {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let authorities = hello.certificate_authorities().unwrap_or_default();
        self.choose(hello.signature_schemes(), |certified| {
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
        self.choose(schemes, |certified| {
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
