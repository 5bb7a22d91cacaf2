//! What the properties draw from, and how many cases they try.

use offwire::ProtocolVersion::{self, Tls12, Tls13};
use offwire::{Completion, Settings, WriteMode};
use offwire_testkit::Side;
use proptest::prelude::*;

use crate::FULL;

/// Either version.
pub fn version() -> impl Strategy<Value = ProtocolVersion> {
    prop_oneof![Just(Tls12), Just(Tls13)]
}

/// Either role.
pub fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Client), Just(Side::Server)]
}

/// Every mode and completion, with the least limit or any.
pub fn settings() -> impl Strategy<Value = Settings> {
    let mode = prop_oneof![Just(WriteMode::Whole), Just(WriteMode::Partial)];
    let completion = prop_oneof![Just(Completion::Queued), Just(Completion::Sent)];
    let limit = prop_oneof![Just(0_usize), 16_413..100_000_usize];
    (mode, completion, limit).prop_map(|(mode, completion, limit)| {
        Settings::default()
            .write_mode(mode)
            .completion(completion)
            .outgoing_limit(limit)
    })
}

/// A length from one byte to several records, often close to a record's end.
pub fn length() -> impl Strategy<Value = usize> {
    prop_oneof![
        1..100_usize,
        1..80_000_usize,
        FULL - 2..FULL + 3,
        2 * FULL - 2..2 * FULL + 3
    ]
}

/// So many cases, or as many as the environment's `PROPTEST_CASES` asks for.
#[must_use]
pub fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let asked = std::env::var_os("PROPTEST_CASES").map(|_| default.cases);
    ProptestConfig {
        cases: asked.unwrap_or(cases),
        failure_persistence: None,
        ..default
    }
}
