//! Cryptography that protects nothing, for tests: a seeded provider whose sessions can be replayed
//! byte by byte, and a null provider that lets a fuzzer past every check.
//!
//! Neither may ever meet a network. They are parts of this test kit alone: no feature of the engine
//! or of an adapter leads here. [`Contexts`](crate::Contexts) takes them by the methods
//! [`danger_seeded_crypto_for_tests`](crate::Contexts::danger_seeded_crypto_for_tests) and
//! [`danger_null_crypto_for_tests`](crate::Contexts::danger_null_crypto_for_tests).

mod null;
mod seeded;

use core::time::Duration;

use offwire::rustls::pki_types::UnixTime;
use offwire::rustls::time_provider::TimeProvider;

pub use null::{
    CERTIFICATE, HANDSHAKE_FILLING, NullWork, TAG, danger_null_provider_for_tests, filling,
};
pub(crate) use null::{NullCertificate, NullTicketer, NullVerifier};
pub use seeded::DangerSeededForTests;

/// A clock that stands still at noon on 1 January 2026, within the validity of every certificate of
/// this kit.
#[derive(Clone, Copy, Debug)]
pub struct StoppedClock;

impl TimeProvider for StoppedClock {
    fn current_time(&self) -> Option<UnixTime> {
        const NOON: Duration = Duration::from_secs(1_767_268_800);
        Some(UnixTime::since_unix_epoch(NOON))
    }
}
