//! Keying material for other protocols (RFC 8446 section 7.5, RFC 5705), from what rustls's key log
//! told and the suite's own functions.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rustls::{SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite};
use zeroize::Zeroizing;

use crate::error::{Internal, Misuse};
use crate::tls::catcher::{CaughtSecret, MAX_SECRET, SecretCatcher};
use crate::tls::hkdf::{MAX_LABEL, expand_label};
use crate::tls::server_hello::{MasterSecret, ServerHello};

/// The most keying material at once: "L <= 255*HashLen" (RFC 5869 section 2.3), by the shorter hash.
const MAX_OUTPUT: usize = 255 * 32;

/// Labels that TLS 1.2 itself uses with the master secret: "Exporter labels ... MUST NOT" be among
/// them (RFC 5705 section 4).
const RESERVED: [&[u8]; 5] = [
    b"client finished",
    b"server finished",
    b"master secret",
    b"extended master secret",
    b"key expansion",
];

/// What keying material is exported from.
pub(crate) enum Exporter {
    Tls13 {
        suite: &'static Tls13CipherSuite,
        secret: CaughtSecret,
    },
    Tls12 {
        suite: &'static Tls12CipherSuite,
        secret: CaughtSecret,
        /// The client's, then the server's.
        randoms: [u8; 64],
    },
    /// Nothing: the master secret may be shared with another connection (RFC 7627).
    Unbound,
}

impl Exporter {
    /// The exporter of a completed handshake.
    pub(super) fn new(
        catcher: &SecretCatcher,
        suite: SupportedCipherSuite,
        hello: Option<ServerHello>,
    ) -> Result<Box<Self>, Internal> {
        let (secret, client_random) = catcher.exporter().ok_or(Internal::Handover)?;
        Ok(Box::new(match suite {
            SupportedCipherSuite::Tls13(suite) => Self::Tls13 { suite, secret },
            SupportedCipherSuite::Tls12(suite) => {
                let hello = hello.ok_or(Internal::Handover)?;
                match hello.master_secret {
                    MasterSecret::Unbound => Self::Unbound,
                    MasterSecret::Extended => Self::Tls12 {
                        suite,
                        secret,
                        randoms: randoms(&client_random, &hello)?,
                    },
                }
            }
        }))
    }

    /// Fills `out`. Nothing is written on misuse.
    pub(crate) fn export(
        &self,
        out: &mut [u8],
        label: &[u8],
        context: Option<&[u8]>,
    ) -> Result<(), Misuse> {
        if !(1..=MAX_OUTPUT).contains(&out.len()) {
            return Err(Misuse::ExportLength);
        }
        if label.len() > MAX_LABEL || RESERVED.contains(&label) {
            return Err(Misuse::ExportLabel);
        }
        let context_length = context.map_or(0, <[u8]>::len);
        let context_length = u16::try_from(context_length).map_err(|_| Misuse::ExportContext)?;
        match self {
            Self::Tls13 { suite, secret } => {
                export_tls13(suite, secret, out, label, context.unwrap_or_default())
            }
            Self::Tls12 {
                suite,
                secret,
                randoms,
            } => {
                let mut seed = Vec::from(randoms);
                if let Some(context) = context {
                    seed.extend_from_slice(&context_length.to_be_bytes());
                    seed.extend_from_slice(context);
                }
                suite
                    .prf_provider
                    .for_secret(out, secret.as_bytes(), label, &seed);
                Ok(())
            }
            Self::Unbound => Err(Misuse::ExportUnbound),
        }
    }
}

/// "HKDF-Expand-Label(Derive-Secret(Secret, label, ""), "exporter", Hash(context_value),
/// key_length)" (RFC 8446 section 7.5).
fn export_tls13(
    suite: &'static Tls13CipherSuite,
    secret: &CaughtSecret,
    out: &mut [u8],
    label: &[u8],
    context: &[u8],
) -> Result<(), Misuse> {
    let hash = suite.common.hash_provider;
    let mut derived = Zeroizing::new([0; MAX_SECRET]);
    let derived = derived
        .get_mut(..hash.output_len())
        .ok_or(Misuse::ExportLength)?;
    let nothing = hash.hash(&[]);
    expand_label(suite, secret.as_bytes(), label, nothing.as_ref(), derived)
        .map_err(|_| Misuse::ExportLabel)?;
    let context = hash.hash(context);
    expand_label(suite, derived, b"exporter", context.as_ref(), out)
        .map_err(|_| Misuse::ExportLength)
}

fn randoms(client: &CaughtSecret, hello: &ServerHello) -> Result<[u8; 64], Internal> {
    let mut randoms = [0; 64];
    let (first, second) = randoms.split_at_mut(32);
    let client = client.as_bytes();
    if client.len() != first.len() {
        return Err(Internal::Handover);
    }
    first.copy_from_slice(client);
    second.copy_from_slice(&hello.random);
    Ok(randoms)
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls13 { .. } => "Tls13",
            Self::Tls12 { .. } => "Tls12",
            Self::Unbound => "Unbound",
        })
    }
}
