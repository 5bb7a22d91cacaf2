//! What the two sides agreed on, in this crate's own words.
//!
//! rustls's types end in `tls/`; here its numbers become names that stay the same when rustls
//! changes.

use alloc::boxed::Box;
use core::fmt;

use rustls::pki_types::CertificateDer;

/// A protocol version that the engine speaks.
#[expect(
    clippy::exhaustive_enums,
    reason = "a third version would change every caller"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProtocolVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}

/// Whether the handshake was a full one.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HandshakeKind {
    /// With certificates and one round of hellos.
    Full,
    /// With certificates, after a HelloRetryRequest.
    FullWithHelloRetryRequest,
    /// Resumed from a session ticket or session id.
    Resumed,
}

impl fmt::Display for HandshakeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::FullWithHelloRetryRequest => "full, after a HelloRetryRequest",
            Self::Resumed => "resumed",
        })
    }
}

macro_rules! registry {
    ($(#[$doc:meta])* $type:ident, $unknown:literal: $($code:literal => $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $type(u16);

        impl $type {
            /// The value with the given IANA number.
            #[must_use]
            pub const fn from_code(code: u16) -> Self {
                Self(code)
            }

            /// The IANA number.
            #[must_use]
            pub const fn code(self) -> u16 {
                self.0
            }

            /// The registered name, or `None` for a number that has no name here.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!($unknown, " {:#06x}"), self.0),
                }
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

registry! {
    /// A cipher suite by its IANA number; [`fmt::Display`] gives the registered name.
    CipherSuite, "cipher suite":
    0x1301 => "TLS_AES_128_GCM_SHA256",
    0x1302 => "TLS_AES_256_GCM_SHA384",
    0x1303 => "TLS_CHACHA20_POLY1305_SHA256",
    0xc02b => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    0xc02c => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    0xc02f => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    0xc030 => "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    0xcca8 => "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0xcca9 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
}

registry! {
    /// A key exchange group by its IANA number; [`fmt::Display`] gives the registered name.
    NamedGroup, "group":
    0x0017 => "secp256r1",
    0x0018 => "secp384r1",
    0x0019 => "secp521r1",
    0x001d => "x25519",
    0x001e => "x448",
    0x0100 => "ffdhe2048",
    0x0200 => "MLKEM512",
    0x0201 => "MLKEM768",
    0x0202 => "MLKEM1024",
    0x11eb => "SecP256r1MLKEM768",
    0x11ec => "X25519MLKEM768",
    0x11ed => "SecP384r1MLKEM1024",
}

registry! {
    /// A signature scheme by its IANA number; [`fmt::Display`] gives the registered name.
    SignatureScheme, "signature scheme":
    0x0201 => "rsa_pkcs1_sha1",
    0x0203 => "ecdsa_sha1",
    0x0401 => "rsa_pkcs1_sha256",
    0x0403 => "ecdsa_secp256r1_sha256",
    0x0501 => "rsa_pkcs1_sha384",
    0x0503 => "ecdsa_secp384r1_sha384",
    0x0601 => "rsa_pkcs1_sha512",
    0x0603 => "ecdsa_secp521r1_sha512",
    0x0804 => "rsa_pss_rsae_sha256",
    0x0805 => "rsa_pss_rsae_sha384",
    0x0806 => "rsa_pss_rsae_sha512",
    0x0807 => "ed25519",
    0x0808 => "ed448",
    0x0809 => "rsa_pss_pss_sha256",
    0x080a => "rsa_pss_pss_sha384",
    0x080b => "rsa_pss_pss_sha512",
    0x0904 => "mldsa44",
    0x0905 => "mldsa65",
    0x0906 => "mldsa87",
}

/// What the two sides agreed on; fixed once the handshake is complete.
#[derive(Clone, PartialEq, Eq)]
pub struct Negotiated {
    pub(crate) version: ProtocolVersion,
    pub(crate) kind: HandshakeKind,
    pub(crate) cipher_suite: CipherSuite,
    pub(crate) group: Option<NamedGroup>,
    pub(crate) alpn: Option<Box<[u8]>>,
    pub(crate) server_name: Option<Box<str>>,
    pub(crate) peer_certificates: Box<[CertificateDer<'static>]>,
}

impl Negotiated {
    /// The protocol version.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// Whether the handshake was full or resumed.
    #[must_use]
    pub fn kind(&self) -> HandshakeKind {
        self.kind
    }

    /// The cipher suite.
    #[must_use]
    pub fn cipher_suite(&self) -> CipherSuite {
        self.cipher_suite
    }

    /// The key exchange group; `None` for a TLS 1.2 session that was resumed without one.
    #[must_use]
    pub fn group(&self) -> Option<NamedGroup> {
        self.group
    }

    /// The application protocol (RFC 7301); `None` if none was agreed on.
    #[must_use]
    pub fn alpn(&self) -> Option<&[u8]> {
        self.alpn.as_deref()
    }

    /// The name of the server that the client asked for (SNI, RFC 6066); `None` if it asked for
    /// none, for instance because it knows an address only.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The peer's certificates, its own first; empty if it presented none. A resumed session has
    /// those of the session it came from.
    #[must_use]
    pub fn peer_certificates(&self) -> &[CertificateDer<'static>] {
        &self.peer_certificates
    }
}

impl fmt::Debug for Negotiated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Negotiated")
            .field("version", &self.version)
            .field("kind", &self.kind)
            .field("cipher_suite", &self.cipher_suite)
            .field("group", &self.group)
            .field("alpn", &self.alpn.as_deref().map(<[u8]>::escape_ascii))
            .field("server_name", &self.server_name)
            .field("peer_certificates", &self.peer_certificates.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::{CipherSuite, NamedGroup};

    #[test]
    fn numbers_have_their_registered_names() {
        assert_eq!(
            CipherSuite::from_code(0x1301).to_string(),
            "TLS_AES_128_GCM_SHA256"
        );
        assert_eq!(NamedGroup::from_code(0x11ec).to_string(), "X25519MLKEM768");
    }

    #[test]
    fn an_unknown_number_is_shown_as_a_number() {
        assert_eq!(
            CipherSuite::from_code(0x0a0a).to_string(),
            "cipher suite 0x0a0a"
        );
        assert_eq!(NamedGroup::from_code(0x0a0a).to_string(), "group 0x0a0a");
    }
}
