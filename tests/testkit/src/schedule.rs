//! Schedules: any order of calls by two callers, any movement of bytes between them, any harm to
//! the transport; and a model that knows what each call may answer.
//!
//! A [`Schedule`] is data. [`run`] carries it out on two real engines, step by step, beside a model
//! of the write, read and shutdown contracts, and compares the two after every step. Then it brings
//! the connection to its end, as a loop does that obeys the engines' outcomes and
//! [`interest`](offwire::Engine::interest), and checks that this never stops short of it.
//!
//! What the model holds the engines to:
//!
//! * Every byte arrives once and in order, and no sooner than its record has arrived whole.
//! * The records on the wire are those that the calls committed, byte for byte in number and
//!   length: nothing is sealed twice, and no sealed byte changes before it leaves.
//! * `Written` is said when the settings say so and not before; its sum is what the peer reads.
//! * Outcomes are truthful. A call that waits has a reason, repeating it changes nothing, and only
//!   what it waits for helps.
//! * A retry that is too short or differs is refused without a trace, and the right one completes.
//! * Queues never hold more wire bytes than their limits allow, in any phase.
//! * Buffers that are borrowed or returned change nothing that shows. Nothing is lent or taken in the
//!   handshake or after a failure, and who returned what it does not hold returns all that it borrows.
//! * Shutdown loses no committed byte. `Closed` comes only behind close_notify, `Truncated` only
//!   behind the transport's end without one, and both behind all plaintext.
//! * A flipped bit ends in an error, behind exactly the plaintext of the records before it and as
//!   soon as it can be known. Two fields of the header are ignored in the handshake; there it must
//!   change nothing.
//! * A potential (bytes weighted by how far they have to go) falls in every round of an obedient
//!   loop, so no live lock and no deadlock.
//!
//! ```
//! use offwire_testkit::Side;
//! use offwire_testkit::schedule::{Harm, Offer, Operation, Schedule, run};
//!
//! let operations = vec![
//!     Operation::Write(Side::Client, Offer::fresh(100_000)), // more than the queue holds
//!     Operation::Move(Side::Server, 1),
//!     Operation::Harm(Side::Server, Harm::End),
//! ];
//! let finished = run(&Schedule { operations, ..Schedule::default() })?;
//! assert!(finished.pair.server.stats().plaintext_opened < 100_000);
//! # Ok::<(), offwire_testkit::schedule::Broken>(())
//! ```
//!
//! With the feature `proptest`, [`strategy`](crate::strategy) makes schedules; with `arbitrary`, a
//! fuzzer does. [`Broken`] is an error like any other, so in a property `run(&schedule)?` is
//! enough: its message names the rule and the step, and shows the ladder of the whole connection.

mod account;
mod broken;
mod contexts;
mod finish;
mod flip;
mod ledger;
mod lending;
mod operation;
mod ports;
mod read;
mod runner;
mod sizes;
#[cfg(feature = "arbitrary")]
mod unstructured;
mod verbs;
mod verdict;
mod wire;
mod write;

use offwire::{ProtocolVersion, Settings};

use crate::contexts::Suite;
use crate::link::Cuts;

pub use self::broken::Broken;
pub use self::operation::{Content, Harm, Misreport, Offer, Operation, Repeat, Slices};
pub use self::runner::{Finished, Met, run, run_with};
pub use self::write::ragged;

/// A connection, and what happens on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Where the operations begin.
    pub start: Start,
    /// The protocol version.
    pub version: ProtocolVersion,
    /// The record cipher.
    pub suite: Suite,
    /// The settings of the client and of the server.
    pub settings: [Settings; 2],
    /// Where the link cuts, for [`Operation::Move`] and at the end.
    pub cuts: Cuts,
    /// How many bytes may be in flight in each direction; at least 1.
    pub capacity: usize,
    /// What happens.
    pub operations: Vec<Operation>,
    /// How many more bytes the client and the server write at the same time, behind the operations
    /// and before they close.
    pub bulk: [usize; 2],
    /// How many bytes the loop at the end reads at once; at least 1. If no full record fits, it
    /// reads once between two movements of the link, and is slower than that.
    pub buffer: usize,
    /// How the sides know each other.
    pub authentication: Authentication,
    /// Which verb the client and the server read by.
    pub reading: [Reading; 2],
    /// How many buffers the pool that both sides share keeps for each direction. It is empty at first.
    pub pool: usize,
    /// Whose buffers the loop at the end works with.
    pub buffers: Buffers,
}

/// Where a schedule begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Start {
    /// Before the handshake: much of the schedule happens within it.
    Fresh,
    /// Behind it.
    Connected,
}

/// Which verb a side reads by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Reading {
    /// `read`, into a buffer.
    #[default]
    Buffer,
    /// `read_bytes`, which hands storage out; the sizes of buffers do not count.
    Bytes,
}

/// Whose buffers a loop works with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Buffers {
    /// Each engine keeps its own.
    #[default]
    Kept,
    /// The pool's: borrowed before each side's calls, and returned behind them.
    Lent,
}

/// How the sides of a connection know each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Authentication {
    /// The client verifies the server's certificate.
    Server,
    /// And the server verifies the client's.
    Mutual,
    /// They resume a session, in which the client had verified the server's certificate.
    Resumed,
}

impl Authentication {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Server, Self::Mutual, Self::Resumed];
}

impl Default for Schedule {
    /// A connected TLS 1.3 pair with the default settings and a server's certificate, on a link that neither cuts nor bounds;
    /// nothing happens.
    fn default() -> Self {
        Self {
            start: Start::Connected,
            version: ProtocolVersion::Tls13,
            suite: Suite::Aes128Gcm,
            settings: [Settings::default(); 2],
            cuts: Cuts::Whole,
            capacity: usize::MAX,
            operations: Vec::new(),
            bulk: [0; 2],
            buffer: usize::from(u16::MAX),
            authentication: Authentication::Server,
            reading: [Reading::Buffer; 2],
            pool: 1,
            buffers: Buffers::Kept,
        }
    }
}

impl Schedule {
    /// Raises the capacity, the shortest cut and the buffer as far as is needed to move all that the
    /// operations write in a few thousand movements. Many bytes through a link of one byte show
    /// no more than some bytes do, and take long.
    #[must_use]
    pub fn affordable(self) -> Self {
        self.affordable_within(MOVEMENTS)
    }

    /// As [`Self::affordable`], in about so many movements of each direction. Each may cost a retry of
    /// all that a blocked write offers.
    #[must_use]
    pub fn affordable_within(self, movements: usize) -> Self {
        let fresh = self.operations.iter().map(Operation::fresh);
        let total = fresh.chain(self.bulk).fold(0, usize::saturating_add);
        let least = total / movements.max(1) + 1;
        Self {
            capacity: self.capacity.max(least),
            buffer: self.buffer.max(least),
            cuts: match self.cuts {
                Cuts::Bytes(bytes) => Cuts::Bytes(bytes.max(least)),
                Cuts::Whole | Cuts::Seeded(_) => self.cuts,
            },
            ..self
        }
    }
}

/// About how many movements of one direction a schedule may need.
const MOVEMENTS: usize = 1_000;
