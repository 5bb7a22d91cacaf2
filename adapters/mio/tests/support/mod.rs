//! What the tests share: transports in memory under strict edge triggering, the ends of a session
//! over them, and the examples as processes.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

pub(crate) mod end;
pub(crate) mod example;
pub(crate) mod program;
pub(crate) mod simulated;

use offwire::ProtocolVersion;

/// Both protocol versions.
pub(crate) const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// So many bytes, with a period that divides no record's size.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}
