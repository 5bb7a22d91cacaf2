//! What the flags permit of versions, cipher suites and groups.

use alloc::sync::Arc;

use offwire::rustls::crypto::{CryptoProvider, aws_lc_rs};
use offwire::rustls::version::{TLS12, TLS13};
use offwire::rustls::{NamedGroup, SupportedCipherSuite, SupportedProtocolVersion};

use crate::failure::Failure;
use crate::flags::{Flags, Setting, Switch};

/// rustls's provider over AWS-LC, restricted to what the flags permit.
pub(crate) fn provider(flags: &Flags) -> Result<Arc<CryptoProvider>, Failure> {
    let mut provider = aws_lc_rs::default_provider();
    let tls13: Vec<u16> = flags.numbers(Setting::Tls13Cipher)?;
    if !tls13.is_empty() {
        let (mut kept, others): (Vec<_>, Vec<_>) = provider
            .cipher_suites
            .iter()
            .copied()
            .partition(|suite| suite.tls13().is_some());
        kept = in_order(&tls13, &kept, |suite| suite.suite().into())?;
        kept.extend(others);
        provider.cipher_suites = kept;
    }
    if let Some(list) = flags.value(Setting::Cipher) {
        let tls12 = tls12_suites(list, &provider.cipher_suites)?;
        provider
            .cipher_suites
            .retain(|suite| suite.tls13().is_some());
        provider.cipher_suites.extend(tls12);
    }
    let curves: Vec<u16> = flags.numbers(Setting::Curves)?;
    if !curves.is_empty() {
        let groups = aws_lc_rs::ALL_KX_GROUPS;
        provider.kx_groups = in_order(&curves, groups, |group| NamedGroup::into(group.name()))?;
    }
    Ok(Arc::new(provider))
}

/// The versions that the flags permit. At least one is needed.
pub(crate) fn versions(flags: &Flags) -> Result<Vec<&'static SupportedProtocolVersion>, Failure> {
    let min: u16 = flags.number(Setting::MinVersion)?.unwrap_or(0);
    let max: u16 = flags.number(Setting::MaxVersion)?.unwrap_or(u16::MAX);
    let mut versions = Vec::new();
    for (version, excluded) in [(&TLS13, Switch::NoTls13), (&TLS12, Switch::NoTls12)] {
        if (min..=max).contains(&version.version.into()) && !flags.has(excluded) {
            versions.push(version);
        }
    }
    if versions.is_empty() {
        return Err(Failure::Unimplemented("these versions".to_owned()));
    }
    Ok(versions)
}

/// What of `known` is wanted, in the order of the wishes. Every wish must be known.
fn in_order<T: Copy>(
    wanted: &[u16],
    known: &[T],
    code: impl Fn(&T) -> u16,
) -> Result<Vec<T>, Failure> {
    wanted
        .iter()
        .map(|wanted| {
            let found = known.iter().find(|one| code(one) == *wanted);
            found
                .copied()
                .ok_or_else(|| Failure::Unimplemented(format!("the algorithm {wanted:#06x}")))
        })
        .collect()
}

/// The TLS 1.2 suites of a list by name, all of them known here.
fn tls12_suites(
    list: &str,
    known: &[SupportedCipherSuite],
) -> Result<Vec<SupportedCipherSuite>, Failure> {
    list.split(':')
        .map(|name| {
            let found = known
                .iter()
                .find(|known| known.suite().as_str() == Some(name) && known.tls13().is_none());
            found
                .copied()
                .ok_or_else(|| Failure::Unimplemented(format!("the cipher {name}")))
        })
        .collect()
}
