//! Encrypted Client Hello, of which rustls has the client's half. With it a client offers TLS 1.3
//! only.

use offwire::rustls::client::{EchConfig, EchGreaseConfig, EchMode};
use offwire::rustls::crypto::aws_lc_rs::hpke::{
    ALL_SUPPORTED_SUITES, DH_KEM_X25519_HKDF_SHA256_AES_128,
};
use offwire::rustls::crypto::hpke::Hpke as _;
use offwire::rustls::pki_types::EchConfigListBytes;
use offwire::rustls::{EncryptedClientHelloError, Error};

use crate::credential::decode;
use crate::failure::Failure;
use crate::flags::{Flags, Setting, Switch};

/// What the flags demand: a configuration, or GREASE if there is none that can be used.
pub(crate) fn mode(flags: &Flags) -> Result<Option<EchMode>, Failure> {
    if let Some(list) = flags.value(Setting::EchConfigList) {
        let list = EchConfigListBytes::from(decode(list)?);
        match EchConfig::new(list, ALL_SUPPORTED_SUITES) {
            Ok(config) => return Ok(Some(config.into())),
            Err(Error::InvalidEncryptedClientHello(
                EncryptedClientHelloError::NoCompatibleConfig,
            )) => {}
            Err(error) => return Err(Failure::Expectation(error.to_string())),
        }
    }
    if !flags.has(Switch::EchGrease) {
        return Ok(None);
    }
    let suite = DH_KEM_X25519_HKDF_SHA256_AES_128;
    let (public_key, _) = suite
        .generate_key_pair()
        .map_err(|error| Failure::Unimplemented(error.to_string()))?;
    Ok(Some(EchGreaseConfig::new(suite, public_key).into()))
}
