//! Strategies for proptest: settings, payloads, cuts, operations and schedules.
//!
//! ```
//! use offwire_testkit::schedule::run;
//! use offwire_testkit::strategy;
//! use proptest::prelude::*;
//!
//! proptest! {
//!     #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]
//!
//!     fn any_schedule_keeps_the_contract(schedule in strategy::schedule()) {
//!         run(&schedule)?;
//!     }
//! }
//! any_schedule_keeps_the_contract();
//! ```
//!
//! For a protocol of your own, [`settings`], [`suite`], [`version`] and [`cuts`] vary what TLS and
//! the transport may do beneath it, and a [`Pair`](crate::Pair) carries it. [`explained`] shows the ladder
//! of a pair on which a property failed.

mod explained;
mod operations;
mod schedules;

use offwire::{Completion, ProtocolVersion, RecordSizing, RetryCheck, Settings, WriteMode};
use proptest::collection;
use proptest::prelude::*;

use crate::contexts::Suite;
use crate::link::{Cuts, Inlet, Outlet};
use crate::pair::Side;
use crate::schedule::Authentication;

pub use self::explained::explained;
pub use self::operations::{Weights, harm, offer, operation};
pub use self::schedules::{buffer, capacity, schedule, schedule_of};

/// The most plaintext that one record carries, in bytes.
const FULL: usize = 16_384;

/// Either version; shrinks to TLS 1.3.
pub fn version() -> impl Strategy<Value = ProtocolVersion> {
    prop_oneof![Just(ProtocolVersion::Tls13), Just(ProtocolVersion::Tls12)]
}

/// Any record cipher.
pub fn suite() -> impl Strategy<Value = Suite> {
    prop_oneof![
        2 => Just(Suite::Aes128Gcm),
        1 => Just(Suite::Aes256Gcm),
        1 => Just(Suite::ChaCha20Poly1305),
    ]
}

/// Mostly a server's certificate alone; now and then a client's too, or a session that is resumed.
pub fn authentication() -> impl Strategy<Value = Authentication> {
    prop_oneof![
        6 => Just(Authentication::Server),
        1 => Just(Authentication::Mutual),
        1 => Just(Authentication::Resumed),
    ]
}

/// Either role.
pub fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Client), Just(Side::Server)]
}

/// Every mode, completion and retry check; any size of records, full ones most often; limits from
/// the least (one largest record) to 1 MiB, the least most often.
pub fn settings() -> impl Strategy<Value = Settings> {
    let mode = prop_oneof![Just(WriteMode::Whole), Just(WriteMode::Partial)];
    let completion = prop_oneof![Just(Completion::Queued), Just(Completion::Sent)];
    let check = prop_oneof![3 => Just(RetryCheck::Contents), 1 => Just(RetryCheck::Length)];
    let limits = (limit(), limit());
    let sizing = prop_oneof![4 => Just(RecordSizing::Full), 1 => Just(RecordSizing::Dynamic)];
    let how = (mode, completion, check, sizing);
    (how, record_size(), limits).prop_map(|(how, size, (outgoing, incoming))| {
        let (mode, completion, check, sizing) = how;
        Settings::default()
            .write_mode(mode)
            .completion(completion)
            .retry_check(check)
            .record_sizing(sizing)
            .max_record_size(size)
            .outgoing_limit(outgoing)
            .incoming_limit(incoming)
    })
}

/// The most plaintext of a record: mostly what TLS permits, else anything from the least on.
fn record_size() -> impl Strategy<Value = usize> {
    prop_oneof![
        6 => Just(FULL),
        1 => Just(0_usize),
        1 => 512..2_000_usize,
        1 => 2_000..FULL,
    ]
}

fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![
        3 => Just(0_usize),
        2 => FULL..120_000_usize,
        1 => Just(1 << 20),
    ]
}

/// How many bytes a write or a message has: one to several records, often close to a record's end.
pub fn length() -> impl Strategy<Value = usize> {
    prop_oneof![
        3 => 1..100_usize,
        2 => 1..20_000_usize,
        1 => FULL - 4..FULL + 6,
        1 => 2 * FULL - 2..2 * FULL + 3,
        1 => 50_000..120_000_usize,
    ]
}

/// Plaintext of up to `longest` bytes.
pub fn payload(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    collection::vec(any::<u8>(), 0..=longest)
}

/// Any cuts: none, every so many bytes, or by a seed.
pub fn cuts() -> impl Strategy<Value = Cuts> {
    prop_oneof![
        Just(Cuts::Whole),
        prop_oneof![1..50_usize, 1..20_000_usize].prop_map(Cuts::Bytes),
        any::<u64>().prop_map(Cuts::Seeded),
    ]
}

/// Any port through which ciphertext leaves.
pub fn outlet() -> impl Strategy<Value = Outlet> {
    prop_oneof![
        Just(Outlet::First),
        Just(Outlet::Slices),
        Just(Outlet::Owned)
    ]
}

/// Any port through which ciphertext enters.
pub fn inlet() -> impl Strategy<Value = Inlet> {
    prop_oneof![Just(Inlet::Feed), Just(Inlet::FeedSpace)]
}
