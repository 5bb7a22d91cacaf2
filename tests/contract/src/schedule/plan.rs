//! A schedule as data, for a generator to make and to shrink.

use offwire::{KeyUpdate, ProtocolVersion, Settings};
use offwire_testkit::{Cuts, Side};

/// One step of a schedule.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// Move cuts towards a side.
    Move(Side, usize),
    /// Call `handshake`.
    Handshake(Side),
    /// Write so many fresh bytes, or repeat what is committed, with so many more behind it.
    Write(Side, usize),
    /// Write nothing.
    WriteNothing(Side),
    /// Repeat a blocked write wrongly, if there is one.
    BadRetry(Side, BadRetry),
    /// Read into a buffer of so many bytes.
    Read(Side, usize),
    /// Peek with a buffer of so many bytes.
    Peek(Side, usize),
    /// Schedule a KeyUpdate.
    KeyUpdate(Side, KeyUpdate),
    /// Release buffers and keys.
    Release(Side),
    /// Report more as sent or fed than is there.
    PortMisuse(Side),
    /// Shut the write half down.
    Shutdown(Side),
}

/// How a retry is wrong.
#[derive(Clone, Copy, Debug)]
pub enum BadRetry {
    /// It ends within the committed bytes.
    Short,
    /// The last committed byte differs.
    Changed,
}

/// Where a schedule begins.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// Before the handshake: much of the schedule happens within it.
    Fresh,
    /// Behind it.
    Connected,
}

/// A schedule and the connection it runs on.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it begins.
    pub start: Start,
    /// The protocol version.
    pub version: ProtocolVersion,
    /// The settings of the client and of the server.
    pub settings: [Settings; 2],
    /// Where the link cuts.
    pub cuts: Cuts,
    /// How many bytes may be in flight in each direction.
    pub capacity: usize,
    /// What happens.
    pub ops: Vec<Op>,
}
