//! Strategies for operations, by how often each kind comes.

use offwire::KeyUpdate;
use proptest::prelude::*;
use proptest::strategy::Union;

use super::{inlet, length, outlet, side};
use crate::schedule::{Content, Harm, Misreport, Offer, Operation, Repeat, Slices};

/// How often each kind of operation comes, relative to the others; 0 for never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Bytes that move: cuts of the link, and any number through any port.
    pub moves: u32,
    /// `write`, mostly of fresh bytes or right retries.
    pub writes: u32,
    /// Retries that are wrong, empty writes, misreports of what passed a port.
    pub misuse: u32,
    /// `read` and, more rarely, `peek`.
    pub reads: u32,
    /// `key_update`.
    pub updates: u32,
    /// `shutdown`.
    pub shutdowns: u32,
    /// Ends, truncations, flipped bits and resets of the transport.
    pub harm: u32,
    /// Buffers that are borrowed from a pool or returned, and others that come into it.
    pub buffers: u32,
}

impl Default for Weights {
    /// What a busy connection does, without shutdown and on an unharmed transport.
    fn default() -> Self {
        Self {
            moves: 8,
            writes: 6,
            misuse: 2,
            reads: 6,
            updates: 1,
            shutdowns: 0,
            harm: 0,
            buffers: 2,
        }
    }
}

/// An operation, by these weights.
///
/// # Panics
/// If the weights overflow.
pub fn operation(weights: Weights) -> impl Strategy<Value = Operation> {
    let buffer = || prop_oneof![0..30_usize, 0..20_000_usize, 16_384..16_400_usize];
    let update = prop_oneof![Just(KeyUpdate::Ours), Just(KeyUpdate::Both)];
    let call = prop_oneof![
        side().prop_map(Operation::Handshake),
        side().prop_map(Operation::Release),
    ];
    let write = (side(), offer()).prop_map(|(side, offer)| Operation::Write(side, offer));
    let read = prop_oneof![
        3 => (side(), buffer()).prop_map(|(side, size)| Operation::Read(side, size)),
        1 => (side(), buffer()).prop_map(|(side, size)| Operation::Peek(side, size)),
    ];
    let update = (side(), update).prop_map(|(side, update)| Operation::KeyUpdate(side, update));
    let kinds = vec![
        (weights.moves, movement().boxed()),
        (weights.writes, write.boxed()),
        (weights.misuse, misuse().boxed()),
        (weights.reads, read.boxed()),
        (1, call.boxed()),
        (weights.updates, update.boxed()),
        (
            weights.shutdowns,
            side().prop_map(Operation::Shutdown).boxed(),
        ),
        (weights.harm, harm().boxed()),
        (weights.buffers, lending().boxed()),
    ];
    Union::new_weighted(
        kinds
            .into_iter()
            .filter(|(weight, _)| *weight > 0)
            .collect(),
    )
}

/// What a write offers: fresh bytes, or a right retry, shorter, as before or longer.
pub fn offer() -> impl Strategy<Value = Offer> {
    let repeat = prop_oneof![3 => Just(Repeat::AsOffered), 1 => Just(Repeat::Committed)];
    let fresh = prop_oneof![1 => Just(0_usize), 3 => length()];
    (repeat, fresh, content(), slices()).prop_map(|(repeat, fresh, content, slices)| Offer {
        repeat,
        fresh,
        content,
        slices,
    })
}

/// Any harm to the transport, resets among it.
pub fn harm() -> impl Strategy<Value = Operation> {
    let place = prop_oneof![0..40_u32, any::<u32>()];
    let harm = prop_oneof![
        1 => Just(Harm::End),
        2 => place.clone().prop_map(Harm::Truncate),
        3 => (place, 0..8_u8).prop_map(|(at, bit)| Harm::Flip(at, bit)),
    ];
    prop_oneof![
        8 => (side(), harm).prop_map(|(side, harm)| Operation::Harm(side, harm)),
        1 => Just(Operation::Reset),
    ]
}

/// Buffers that go from hand to hand.
fn lending() -> impl Strategy<Value = Operation> {
    let carried = prop_oneof![6 => 2_000..70_000_u32, 1 => 70_000..900_000_u32];
    prop_oneof![
        5 => side().prop_map(Operation::BorrowBuffers),
        5 => side().prop_map(Operation::ReturnBuffers),
        3 => carried.prop_map(Operation::Stock),
        1 => Just(Operation::ClearPool),
    ]
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![4 => Just(Content::Noise), 1 => any::<u8>().prop_map(Content::Byte)]
}

fn slices() -> impl Strategy<Value = Slices> {
    prop_oneof![
        2 => Just(Slices::One),
        1 => prop_oneof![1..4_u16, 4..500_u16, 500..20_000_u16].prop_map(Slices::Every),
        1 => any::<u64>().prop_map(Slices::Ragged),
    ]
}

fn movement() -> impl Strategy<Value = Operation> {
    let len = || prop_oneof![0..10_usize, 0..3_000_usize, 0..40_000_usize, Just(1 << 21)];
    prop_oneof![
        2 => (side(), 1..6_u8).prop_map(|(side, cuts)| Operation::Move(side, cuts)),
        1 => (side(), outlet(), len())
            .prop_map(|(side, outlet, len)| Operation::Take(side, outlet, len)),
        1 => (side(), inlet(), len())
            .prop_map(|(side, inlet, len)| Operation::Feed(side, inlet, len)),
    ]
}

fn misuse() -> impl Strategy<Value = Operation> {
    let wrong = prop_oneof![
        (1..40_000_u32).prop_map(Repeat::TooShort),
        any::<u32>().prop_map(Repeat::Changed),
    ];
    let misreport = prop_oneof![Just(Misreport::Sent), Just(Misreport::Fed)];
    let excess = prop_oneof![0..3_u16, any::<u16>()];
    prop_oneof![
        2 => (side(), wrong, length(), slices()).prop_map(|(side, repeat, fresh, slices)| {
            let offer = Offer { repeat, slices, ..Offer::fresh(fresh) };
            Operation::Write(side, offer)
        }),
        1 => side().prop_map(Operation::WriteNothing),
        1 => (side(), misreport, excess)
            .prop_map(|(side, misreport, excess)| Operation::Misreport(side, misreport, excess)),
    ]
}
