//! A schedule: how a connection is set up, and the calls on its two ends.
//!
//! A plan is data, so that it can be printed, shortened and run again. It holds what both OpenSSL
//! and Offwire can do; a call that makes no sense where it stands is passed over by the comparison.

use core::fmt;

use offwire::{KeyUpdate, ProtocolVersion, WriteMode};
use offwire_testkit::{Random, Side};

use crate::contexts::{Buffer, Fault, Setting};

/// The largest plaintext of a record, in bytes.
const FULL: usize = 16_384;

/// A schedule.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it was made from.
    pub(crate) seed: u64,
    pub(crate) setting: Setting,
    pub(crate) reference: Reference,
    /// How each side begins: the client, then the server.
    pub(crate) openings: [Opening; 2],
    pub(crate) calls: Vec<Call>,
}

/// Who speaks on the reference's ends. Beside it, the same calls run on two of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// OpenSSL with itself.
    Both,
    /// OpenSSL's client with our server.
    Client,
    /// Our client with OpenSSL's server.
    Server,
}

/// The verb with which a side shakes hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    Handshake,
    Read,
    Write(usize),
}

/// How a retry is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slip {
    /// It ends within the committed bytes: after this many thousandths of them.
    Short(usize),
    /// Its bytes are others.
    Changed,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Write so many fresh bytes; repeat the write if it is blocked.
    Write(Side, usize),
    /// Repeat a blocked write with so many more bytes behind it, from the same or another address.
    Retry(Side, usize, Address),
    /// Repeat a blocked write wrongly.
    BadRetry(Side, Slip),
    /// Let a blocked write finish: move what it emits and repeat it, until it is done.
    Settle(Side),
    /// Read into a buffer of so many bytes.
    Read(Side, usize),
    /// Peek with a buffer of so many bytes.
    Peek(Side, usize),
    Shutdown(Side),
    /// Schedule a KeyUpdate, then write so many bytes.
    KeyUpdate(Side, KeyUpdate, usize),
    /// Move up to so many bytes that a side has emitted.
    Move(Side, usize),
    /// Move them, with a bit flipped.
    Flip(Side, usize, usize),
    /// End the transport behind what a side's peer was given.
    End(Side),
}

/// Where the bytes of a retry stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Same,
    Other,
}

impl Plan {
    /// The same schedule through pairs of another capacity, in bytes.
    #[must_use]
    pub fn with_capacity(mut self, capacity: usize) -> Self {
        self.setting.capacity = capacity;
        self
    }

    /// The same schedule in another write mode.
    #[must_use]
    pub fn with_mode(mut self, mode: WriteMode) -> Self {
        self.setting.mode = mode;
        self
    }

    /// The same schedule with our ends at fault.
    #[must_use]
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.setting.fault = fault;
        self
    }

    /// How many steps it has.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.calls.len()
    }

    /// Plans that are simpler by one thing, the much simpler ones first.
    pub(crate) fn simpler(&self) -> Vec<Self> {
        let mut plans = Vec::new();
        if self.openings != [Opening::Handshake; 2] {
            plans.push(Self {
                openings: [Opening::Handshake; 2],
                ..self.clone()
            });
        }
        let mut chunk = self.calls.len().div_ceil(2);
        while chunk > 0 {
            for start in (0..self.calls.len()).step_by(chunk) {
                let rest = |place: &usize| !(start..start + chunk).contains(place);
                let calls = self.calls.iter().enumerate();
                let calls = calls
                    .filter(|(place, _)| rest(place))
                    .map(|(_, call)| *call);
                plans.push(Self {
                    calls: calls.collect(),
                    ..self.clone()
                });
            }
            chunk /= 2;
        }
        plans
    }

    /// The plan that belongs to a seed; the same on every machine.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let mut dice = Dice(Random::new(seed));
        let setting = dice.setting();
        let openings = [dice.opening(&setting), dice.opening(&setting)];
        let reference = match dice.0.below(5) {
            0 => Reference::Client,
            1 => Reference::Server,
            _ => Reference::Both,
        };
        let length = 4 + dice.0.below(48);
        let mut calls = Vec::new();
        while calls.len() < length {
            dice.step(&setting, &mut calls);
        }
        Self {
            seed,
            setting,
            reference,
            openings,
            calls,
        }
    }
}

/// The choices.
struct Dice(Random);

impl Dice {
    fn setting(&mut self) -> Setting {
        // Small pairs take many calls a schedule, and so a smaller share of them.
        let capacity = match self.0.below(100) {
            0 => 1,
            1..3 => 5,
            3..10 => 100,
            10..22 => 1_000,
            22..44 => 4_096,
            44..64 => 16_384,
            64..82 => 17_408,
            82..94 => 65_536,
            _ => 1_000 + self.0.below(64_536),
        };
        Setting {
            version: self.either(ProtocolVersion::Tls12, ProtocolVersion::Tls13),
            mode: self.either(WriteMode::Whole, WriteMode::Partial),
            capacity,
            buffer: match self.0.below(8) {
                0 => Buffer::Fixed,
                _ => Buffer::Moving,
            },
            fault: Fault::None,
        }
    }

    fn opening(&mut self, setting: &Setting) -> Opening {
        match self.0.below(4) {
            0 => Opening::Read,
            1 => Opening::Write(1 + self.length(setting) % 2_000),
            _ => Opening::Handshake,
        }
    }

    fn side(&mut self) -> Side {
        self.either(Side::Client, Side::Server)
    }

    fn update(&mut self) -> KeyUpdate {
        self.either(KeyUpdate::Ours, KeyUpdate::Both)
    }

    fn either<T>(&mut self, one: T, other: T) -> T {
        match self.0.below(2) {
            0 => one,
            _ => other,
        }
    }

    /// The length of a write: often close to a record's end, no longer than the pair can carry in a
    /// few hundred calls.
    fn length(&mut self, setting: &Setting) -> usize {
        let most = match setting.capacity {
            0..5 => 150,
            5..100 => 1_000,
            100..1_000 => 18_000,
            _ => 100_000,
        };
        let length = match self.0.below(10) {
            0..3 => self.0.below(600),
            3..5 => self.0.below(FULL),
            5 => FULL - 1 + self.0.below(3),
            6 => 2 * FULL - 1 + self.0.below(3),
            7 => setting.capacity.saturating_sub(40) + self.0.below(60),
            _ => self.0.below(100_000),
        };
        1 + length % most
    }

    fn buffer(&mut self) -> usize {
        match self.0.below(8) {
            0 => 0,
            1 => 1 + self.0.below(16),
            2 => 1 + self.0.below(5_000),
            _ => FULL + self.0.below(2_000),
        }
    }

    /// How many bytes are moved: often all.
    fn moved(&mut self) -> usize {
        match self.0.below(5) {
            0 => 1 + self.0.below(30),
            1 => 1 + self.0.below(5_000),
            2 => 1 + self.0.below(40_000),
            _ => usize::MAX,
        }
    }

    fn step(&mut self, setting: &Setting, calls: &mut Vec<Call>) {
        let side = self.side();
        let call = match self.0.below(200) {
            0..46 => Call::Write(side, self.length(setting)),
            46..50 => Call::Write(side, 0),
            50..64 => Call::Retry(side, 0, Address::Other),
            64..74 => Call::Retry(side, self.0.below(3_000), Address::Same),
            74..76 => Call::BadRetry(side, Slip::Short(self.0.below(1_000))),
            76 => Call::BadRetry(side, Slip::Changed),
            77..89 => Call::Settle(side),
            89..125 => Call::Read(side, self.buffer()),
            125..132 => Call::Peek(side, self.buffer()),
            132..136 => Call::Shutdown(side),
            136..144 => Call::KeyUpdate(side, self.update(), self.length(setting)),
            144..195 => Call::Move(side, self.moved()),
            195 => Call::Flip(side, self.moved(), self.0.below(1 << 20)),
            196 => Call::End(side),
            _ => return self.crowd(setting, calls),
        };
        calls.push(call);
    }

    /// KeyUpdates that meet a blocked write or one another, which single steps seldom arrange.
    fn crowd(&mut self, setting: &Setting, calls: &mut Vec<Call>) {
        let side = self.side();
        if self.0.below(3) > 0 {
            calls.push(Call::Write(side, self.length(setting)));
        }
        for _ in 0..1 + self.0.below(3) {
            let update = self.update();
            calls.push(Call::KeyUpdate(side.peer(), update, 1 + self.0.below(90)));
            calls.push(Call::Settle(side.peer()));
            calls.push(Call::Move(side.peer(), usize::MAX));
        }
        calls.push(Call::Read(side, self.buffer()));
        calls.push(Call::Read(side, self.buffer()));
        calls.push(Call::Write(side, 0));
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.reference {
            Reference::Both => "OpenSSL with itself",
            Reference::Client => "OpenSSL's client with our server",
            Reference::Server => "our client with OpenSSL's server",
        };
        let [client, server] = self.openings;
        write!(
            f,
            "seed {}: {who}, {}; the client begins with {client:?}, the server with {server:?}",
            self.seed, self.setting
        )
    }
}
