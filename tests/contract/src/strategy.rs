//! How many cases the properties of the contract try, and what they draw from beyond the test kit's
//! strategies.

use offwire::{RecordSizing, RetryCheck, Settings};
use offwire_testkit::strategy;
use proptest::prelude::*;

/// As [`strategy::settings`], but retries are always checked by content, and records are full.
pub fn settings() -> impl Strategy<Value = Settings> {
    strategy::settings().prop_map(|settings| {
        settings
            .retry_check(RetryCheck::Contents)
            .record_sizing(RecordSizing::Full)
            .max_record_size(1 << 14)
    })
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
