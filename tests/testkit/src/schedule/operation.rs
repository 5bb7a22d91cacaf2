//! What may happen to a connection, one step at a time: as data, for a generator to make and to
//! shrink.
//!
//! Every operation makes sense in every state. Numbers that depend on the state (an offset within
//! what is in flight, a byte of what is committed) are taken modulo what is there, so a smaller
//! number is always a simpler schedule.

use offwire::KeyUpdate;

use crate::link::{Inlet, Outlet};
use crate::pair::Side;

/// One step of a schedule: what a caller, the link or a third party does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Operation {
    /// Calls `handshake`.
    Handshake(Side),
    /// Calls `write` with some bytes.
    Write(Side, Offer),
    /// Calls `write` without bytes.
    WriteNothing(Side),
    /// Calls `read` with a buffer of so many bytes.
    Read(
        Side,
        #[cfg_attr(feature = "arbitrary", arbitrary(with = super::unstructured::buffer))] usize,
    ),
    /// Calls `peek` with a buffer of so many bytes.
    Peek(
        Side,
        #[cfg_attr(feature = "arbitrary", arbitrary(with = super::unstructured::buffer))] usize,
    ),
    /// Calls `key_update`.
    KeyUpdate(
        Side,
        #[cfg_attr(feature = "arbitrary", arbitrary(with = super::unstructured::key_update))]
        KeyUpdate,
    ),
    /// Calls `shutdown`.
    Shutdown(Side),
    /// Calls `release`.
    Release(Side),
    /// Reports more as sent or fed than is there.
    Misreport(Side, Misreport, u16),
    /// Takes up to so many bytes out of this side, as far as the link has room.
    Take(
        Side,
        Outlet,
        #[cfg_attr(feature = "arbitrary", arbitrary(with = super::unstructured::movement))] usize,
    ),
    /// Feeds this side up to so many of the bytes in flight towards it.
    Feed(
        Side,
        Inlet,
        #[cfg_attr(feature = "arbitrary", arbitrary(with = super::unstructured::movement))] usize,
    ),
    /// Moves so many cuts of the link towards this side.
    Move(Side, u8),
    /// Harms the transport towards this side.
    Harm(Side, Harm),
    /// Resets the transport: what is in flight is lost, both directions end.
    Reset,
    /// Calls `borrow_buffers`. A fuzzer draws this and the next three behind all others.
    #[cfg_attr(feature = "arbitrary", arbitrary(skip))]
    BorrowBuffers(Side),
    /// Calls `return_buffers`.
    #[cfg_attr(feature = "arbitrary", arbitrary(skip))]
    ReturnBuffers(Side),
    /// Another connection carries so many bytes and leaves its buffers in the pool.
    #[cfg_attr(feature = "arbitrary", arbitrary(skip))]
    Stock(u32),
    /// Frees what waits in the pool.
    #[cfg_attr(feature = "arbitrary", arbitrary(skip))]
    ClearPool,
}

/// The bytes that a write offers.
///
/// What counts for a retry is the bytes one behind another; it may hand them over otherwise than
/// the call that it repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Offer {
    /// How a write that is in progress is repeated. Where nothing is committed, `fresh` bytes are
    /// offered alone.
    pub repeat: Repeat,
    /// How many bytes follow what is repeated.
    #[cfg_attr(feature = "arbitrary", arbitrary(with = super::unstructured::length))]
    pub fresh: usize,
    /// What they are.
    pub content: Content,
    /// How all of them are handed over.
    pub slices: Slices,
}

/// How the bytes of a write are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Slices {
    /// In one run, to `write`.
    One,
    /// In slices of so many bytes (at least one), to `write_vectored`.
    Every(u16),
    /// In slices of many lengths by this seed, empty ones and single bytes among them, to
    /// `write_vectored`.
    Ragged(u64),
}

/// How a write that is in progress is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Repeat {
    /// As it was offered, with the fresh bytes behind.
    AsOffered,
    /// What is committed and nothing else of it, with the fresh bytes behind: the tail changes.
    Committed,
    /// Wrongly: so many bytes (at least one) short of what is committed; no fresh bytes.
    TooShort(u32),
    /// Wrongly: as it was offered, but with this byte of what is committed changed; no fresh bytes.
    Changed(u32),
}

/// What fresh bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Content {
    /// Bytes in which no part looks like another.
    Noise,
    /// The same byte again and again: a retry of other bytes may look right.
    Byte(u8),
}

/// How a caller misreports what passed a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Misreport {
    /// `sent` of more than waits.
    Sent,
    /// `fed` of more than there is space.
    Fed,
}

/// What happens to one direction of the transport. The first harm counts; a direction that was
/// harmed is not harmed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Harm {
    /// It ends behind what has left so far; later bytes vanish.
    End,
    /// It ends before this byte of those in flight; later bytes vanish.
    Truncate(u32),
    /// A bit of this byte of those in flight is flipped. Nothing happens if none is.
    Flip(u32, u8),
}

impl Offer {
    /// What is in progress as it was offered, and so many bytes behind it.
    #[must_use]
    pub const fn fresh(fresh: usize) -> Self {
        Self {
            repeat: Repeat::AsOffered,
            fresh,
            content: Content::Noise,
            slices: Slices::One,
        }
    }
}

impl Operation {
    /// Writes so many fresh bytes, or repeats what is in progress with so many behind it.
    #[must_use]
    pub const fn write(side: Side, fresh: usize) -> Self {
        Self::Write(side, Offer::fresh(fresh))
    }

    /// How many fresh bytes it offers at most.
    pub(super) fn fresh(&self) -> usize {
        if let Self::Write(_, offer) = self {
            offer.fresh
        } else {
            0
        }
    }
}
