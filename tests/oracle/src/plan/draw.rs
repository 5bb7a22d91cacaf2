//! Plans from seeds: the test kit's own strategies, with the capacities and the groups of operations
//! that this comparison needs.

use offwire::KeyUpdate;
use offwire_testkit::schedule::{Harm, Offer, Operation, Schedule, Start};
use offwire_testkit::strategy::{self, Weights};
use offwire_testkit::{Inlet, Side};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{Plan, Reference};
use crate::contexts::Buffer;
use crate::fault::Fault;
use crate::record::BUFFER;

/// How often each kind of operation comes. What parts the two connections (wrong retries, shutdowns,
/// harm) comes seldom, so that there is much to compare before it does.
const WEIGHTS: Weights = Weights {
    moves: 26,
    writes: 34,
    misuse: 2,
    reads: 24,
    updates: 4,
    shutdowns: 2,
    harm: 1,
    buffers: 0,
};

/// A length that no movement exceeds.
const ALL: usize = 1 << 20;

/// Operations that come together, which single ones seldom arrange.
#[derive(Clone, Debug)]
enum Group {
    /// A blocked write is moved and repeated until it is done.
    Settle(Side),
    /// KeyUpdates of the peer, each with so many bytes behind it, meet a write of this side or one
    /// another.
    Crowd(Side, Option<usize>, Vec<(KeyUpdate, usize)>),
    /// A write fills the pair to the brim but for so many bytes, a KeyUpdate meets it, perhaps one of
    /// the peer as well, and reads follow when so many bytes have been taken.
    Brim(Side, usize, KeyUpdate, Option<KeyUpdate>, usize),
    /// A side closes, a bit of what it sends is flipped, and its next shutdown meets the peer's alert.
    Alarm(Side, u32, u8),
}

/// The plan that belongs to a seed.
pub(super) fn plan(seed: u64) -> Plan {
    let mut bytes = [0; 32];
    for (byte, of) in bytes.iter_mut().zip(seed.to_le_bytes()) {
        *byte = of;
    }
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    // Invariant: the strategies reject nothing, so that a value can always be made.
    let tree = plans().new_tree(&mut runner).expect("nothing is rejected");
    Plan {
        seed,
        ..tree.current()
    }
}

fn plans() -> impl Strategy<Value = Plan> {
    let reference = prop_oneof![
        3 => Just(Reference::Both),
        1 => Just(Reference::Client),
        1 => Just(Reference::Server),
    ];
    let buffer = prop_oneof![7 => Just(Buffer::Moving), 1 => Just(Buffer::Fixed)];
    let start = prop_oneof![Just(Start::Connected), Just(Start::Fresh)];
    let bulk = prop_oneof![
        3 => Just([0; 2]),
        1 => [strategy::length(), strategy::length()],
    ];
    let schedule = (
        start,
        capacity(),
        bulk,
        strategy::schedule_of(WEIGHTS, 4..52),
    );
    let groups = vec((any::<Index>(), group()), 0..5);
    (reference, buffer, schedule, groups).prop_map(|(reference, buffer, schedule, groups)| {
        let (start, capacity, bulk, schedule) = schedule;
        let mut operations = schedule.operations;
        for (place, group) in groups {
            let place = place.index(operations.len() + 1);
            operations.splice(place..place, group.operations(capacity));
        }
        Plan {
            seed: 0,
            reference,
            buffer,
            fault: Fault::None,
            schedule: Schedule {
                start,
                capacity,
                bulk,
                operations,
                ..schedule
            },
        }
    })
}

/// How many bytes an end can emit. Small pairs take many calls a schedule, and so they come in a
/// smaller share of them.
fn capacity() -> impl Strategy<Value = usize> {
    prop_oneof![
        1 => Just(1_usize),
        2 => Just(5_usize),
        7 => Just(100_usize),
        12 => Just(1_000_usize),
        22 => Just(4_096_usize),
        20 => Just(16_384_usize),
        18 => Just(17_408_usize),
        12 => Just(65_536_usize),
        6 => 1_000..65_536_usize,
    ]
}

fn group() -> impl Strategy<Value = Group> {
    let update = prop_oneof![Just(KeyUpdate::Ours), Just(KeyUpdate::Both)];
    let write = prop_oneof![1 => Just(None), 2 => strategy::length().prop_map(Some)];
    let theirs = prop_oneof![Just(None), update.clone().prop_map(Some)];
    let brim = (
        strategy::side(),
        0..60_usize,
        update.clone(),
        theirs,
        1..80_usize,
    );
    prop_oneof![
        80 => strategy::side().prop_map(Group::Settle),
        20 => (strategy::side(), write, vec((update, 1..90_usize), 1..4))
            .prop_map(|(side, write, updates)| Group::Crowd(side, write, updates)),
        10 => brim.prop_map(|(side, gap, update, theirs, taken)| {
            Group::Brim(side, gap, update, theirs, taken)
        }),
        // It ends a schedule, and so it comes seldom.
        1 => (strategy::side(), any::<u32>(), 0..8_u8)
            .prop_map(|(side, at, bit)| Group::Alarm(side, at, bit)),
    ]
}

impl Group {
    fn operations(self, capacity: usize) -> Vec<Operation> {
        match self {
            // As often as the longest write needs in a pair of any but the least capacities.
            Self::Settle(side) => settle(side, (100_000 / capacity).min(200) + 3),
            Self::Crowd(side, write, updates) => {
                let mut operations = Vec::new();
                operations.extend(write.map(|fresh| Operation::write(side, fresh)));
                let peer = side.peer();
                for (update, fresh) in updates {
                    operations.push(Operation::KeyUpdate(peer, update));
                    operations.push(Operation::write(peer, fresh));
                    operations.extend(settle(peer, 150 / capacity + 2));
                }
                operations.push(Operation::Read(side, BUFFER));
                operations.push(Operation::Read(side, BUFFER));
                operations.push(Operation::write(side, 1));
                operations
            }
            Self::Brim(side, gap, update, theirs, taken) => {
                let peer = side.peer();
                let mut operations = vec![
                    Operation::Feed(peer, Inlet::Feed, ALL),
                    Operation::write(side, capacity.saturating_sub(gap).max(1)),
                    Operation::KeyUpdate(side, update),
                    Operation::write(side, 1),
                ];
                if let Some(update) = theirs {
                    operations.push(Operation::KeyUpdate(peer, update));
                    operations.push(Operation::write(peer, 1));
                    operations.push(Operation::Feed(side, Inlet::Feed, ALL));
                }
                operations.push(Operation::Feed(peer, Inlet::Feed, taken));
                operations.push(Operation::Read(side, BUFFER));
                operations.push(Operation::Read(side, BUFFER));
                operations
            }
            Self::Alarm(side, at, bit) => {
                let peer = side.peer();
                vec![
                    Operation::Feed(peer, Inlet::Feed, ALL),
                    Operation::Read(peer, BUFFER),
                    Operation::Shutdown(side),
                    Operation::Harm(peer, Harm::Flip(at, bit)),
                    Operation::Read(peer, BUFFER),
                    Operation::Read(peer, BUFFER),
                    Operation::Feed(side, Inlet::Feed, ALL),
                    Operation::Shutdown(side),
                ]
            }
        }
    }
}

/// All that a side has emitted arrives, and its write is repeated as it is; and so on.
fn settle(side: Side, times: usize) -> Vec<Operation> {
    let round = [
        Operation::Feed(side.peer(), Inlet::Feed, ALL),
        Operation::Write(side, Offer::fresh(0)),
    ];
    round.repeat(times)
}
