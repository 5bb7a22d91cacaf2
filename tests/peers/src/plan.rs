//! Who is measured, and what is measured of them.

use core::str::FromStr;

use crate::Problem;
use crate::order::{Measure, Order, Suite, Version};

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "all of them")]
pub enum Peer {
    /// This engine.
    Offwire,
    /// This engine, with buffers of its loop.
    OffwirePool,
    /// The AEAD of aws-lc-rs and nothing else.
    Raw,
    /// rustls 0.23, buffered.
    Rustls,
    /// rustls 0.23, unbuffered.
    RustlsUnbuffered,
    /// rustls 0.24, before its release.
    RustlsNext,
    /// OpenSSL.
    Openssl,
    /// OpenSSL over its own BIO pair.
    OpensslPair,
    /// BoringSSL.
    Boringssl,
    /// s2n-tls.
    S2n,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Offwire,
        Self::OffwirePool,
        Self::Raw,
        Self::Rustls,
        Self::RustlsUnbuffered,
        Self::RustlsNext,
        Self::Openssl,
        Self::OpensslPair,
        Self::Boringssl,
        Self::S2n,
    ];

    /// The name in the measured file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Offwire => "offwire",
            Self::OffwirePool => "offwire-pool",
            Self::Raw => "raw",
            Self::Rustls => "rustls-0.23",
            Self::RustlsUnbuffered => "rustls-0.23-unbuffered",
            Self::RustlsNext => "rustls-0.24-dev",
            Self::Openssl => "openssl",
            Self::OpensslPair => "openssl-bio-pair",
            Self::Boringssl => "boringssl",
            Self::S2n => "s2n-tls",
        }
    }
}

impl FromStr for Peer {
    type Err = Problem;

    fn from_str(name: &str) -> Result<Self, Problem> {
        let found = Self::ALL.into_iter().find(|peer| peer.name() == name);
        found.ok_or_else(|| format!("no peer: {name}").into())
    }
}

/// The sizes of writes whose cost is drawn against them.
pub const SIZES: [usize; 6] = [64, 256, 1_024, 4_096, 16_384, 65_536];

/// The measures of time.
#[must_use]
pub fn times() -> Vec<Order> {
    let mut orders = Vec::new();
    let mut add = |measure, version, suite, size, count| {
        orders.push(Order {
            measure,
            version,
            suite,
            size,
            count,
        });
    };
    for size in SIZES {
        // As much plaintext as takes the engine about 4 ms, and no more than 20,000 writes.
        let count = ((16 << 20) / size).min(20_000);
        add(Measure::Seal, Version::Tls13, Suite::Aes128, size, count);
        add(Measure::Open, Version::Tls13, Suite::Aes128, size, count);
    }
    for (version, suite) in [
        (Version::Tls13, Suite::Aes256),
        (Version::Tls13, Suite::ChaCha20),
        (Version::Tls12, Suite::Aes128),
    ] {
        add(Measure::Seal, version, suite, 16_384, 512);
        add(Measure::Open, version, suite, 16_384, 512);
    }
    for version in [Version::Tls13, Version::Tls12] {
        add(Measure::Trip, version, Suite::Aes128, 100, 4_000);
        add(Measure::Full, version, Suite::Aes128, 0, 48);
    }
    add(Measure::Resumed, Version::Tls13, Suite::Aes128, 0, 48);
    orders
}

/// The measures of memory.
#[must_use]
pub fn weights(peer: Peer) -> Vec<Order> {
    let (version, suite) = (Version::Tls13, Suite::Aes128);
    let order = |measure, size, count| Order {
        measure,
        version,
        suite,
        size,
        count,
    };
    let mut orders = vec![
        order(Measure::MemoryMessage, 0, 0),
        order(Measure::MemoryBulk, 0, 0),
        order(Measure::MemoryReleased, 0, 0),
        order(Measure::Allocated, 100, 100),
        order(Measure::Allocated, 16_384, 100),
        order(Measure::Idle, 0, 1),
        order(Measure::Idle, 0, 1_000),
    ];
    if peer == Peer::Offwire {
        orders.push(order(Measure::Idle, 0, 100_000));
        orders.push(order(Measure::Certificates, 0, 1));
    }
    orders
}
