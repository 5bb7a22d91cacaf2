//! The libraries of Rust, s2n-tls among them, and the raw AEAD.

pub mod offwire;
pub mod raw;
pub mod rustls_buffered;
pub mod rustls_next;
pub mod rustls_unbuffered;
pub mod s2n;

use ::offwire::ProtocolVersion;
use offwire_testkit::Contexts;
use rustls::client::Resumption;
use rustls::{ClientConfig, NamedGroup, ServerConfig};

use crate::order::{Suite, Version};
use crate::peer::Setting;

/// The configurations that everything on rustls 0.23 has.
fn configurations(setting: Setting) -> (ClientConfig, ServerConfig) {
    let version = match setting.version {
        Version::Tls12 => ProtocolVersion::Tls12,
        Version::Tls13 => ProtocolVersion::Tls13,
    };
    let suite = match setting.suite {
        Suite::Aes128 => offwire_testkit::Suite::Aes128Gcm,
        Suite::Aes256 => offwire_testkit::Suite::Aes256Gcm,
        Suite::ChaCha20 => offwire_testkit::Suite::ChaCha20Poly1305,
    };
    let contexts = Contexts::new()
        .version(version)
        .suite(suite)
        .group(NamedGroup::X25519)
        .tickets(setting.tickets);
    let mut client = contexts.client_config();
    if setting.tickets == 0 {
        client.resumption = Resumption::disabled();
    }
    (client, contexts.server_config())
}
