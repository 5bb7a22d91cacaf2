//! Strategies for whole schedules.

use core::ops::Range;

use proptest::collection;
use proptest::prelude::*;

use super::operations::{Weights, operation};
use super::{authentication, cuts, settings, suite, version};
use crate::schedule::{Buffers, Reading, Schedule, Start};

/// How many bytes may be in flight: one, a few records, or any number.
pub fn capacity() -> impl Strategy<Value = usize> {
    prop_oneof![
        1 => 1..100_usize,
        2 => 100..3_000_usize,
        2 => 3_000..40_000_usize,
        2 => Just(usize::MAX),
    ]
}

/// How many bytes a reader takes at once: few, about a record, or what there is.
pub fn buffer() -> impl Strategy<Value = usize> {
    prop_oneof![
        2 => Just(usize::from(u16::MAX)),
        1 => 1..10_usize,
        1 => 10..20_000_usize,
    ]
}

/// Which verb a side reads by.
fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![3 => Just(Reading::Buffer), 1 => Just(Reading::Bytes)]
}

/// How many buffers the pool keeps, and whose the loop at the end works with. Nothing is drawn for a
/// schedule without a pool.
fn pool(weights: Weights) -> BoxedStrategy<(usize, Buffers)> {
    if weights.buffers == 0 {
        return Just((0, Buffers::Kept)).boxed();
    }
    let buffers = prop_oneof![2 => Just(Buffers::Kept), 1 => Just(Buffers::Lent)];
    (0..4_usize, buffers).boxed()
}

/// Any schedule at all: fresh or connected, harmed or not, shut down or not.
pub fn schedule() -> impl Strategy<Value = Schedule> {
    let weights = Weights {
        shutdowns: 1,
        harm: 1,
        ..Weights::default()
    };
    let start = prop_oneof![Just(Start::Connected), Just(Start::Fresh)];
    (start, schedule_of(weights, 0..120))
        .prop_map(|(start, schedule)| Schedule { start, ..schedule })
}

/// A connected schedule whose operations come by these weights, in this number, in every
/// combination of version, suite, settings, cuts and capacity, made
/// [affordable](Schedule::affordable).
pub fn schedule_of(weights: Weights, operations: Range<usize>) -> impl Strategy<Value = Schedule> {
    (
        (version(), suite(), authentication(), [reading(), reading()]),
        (settings(), settings()),
        (cuts(), capacity(), buffer()),
        collection::vec(operation(weights), operations),
        pool(weights),
    )
        .prop_map(
            |(
                (version, suite, authentication, reading),
                (client, server),
                (cuts, capacity, buffer),
                operations,
                (pool, buffers),
            )| {
                let schedule = Schedule {
                    start: Start::Connected,
                    version,
                    suite,
                    settings: [client, server],
                    cuts,
                    capacity,
                    operations,
                    bulk: [0; 2],
                    buffer,
                    authentication,
                    reading,
                    pool,
                    buffers,
                };
                schedule.affordable()
            },
        )
}
