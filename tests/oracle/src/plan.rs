//! A schedule: the test kit's, and who carries it out beside Offwire.
//!
//! A plan is data, so that it can be printed, shortened and run again. Its operations are those of
//! [`offwire_testkit::schedule`]; what each of them is here, and what OpenSSL cannot do, is said in
//! `step.rs`.

mod draw;

use core::fmt;

use offwire::{Settings, WriteMode};
use offwire_testkit::Side;
use offwire_testkit::schedule::{Operation, Schedule, Start};

use crate::contexts::{Buffer, Setting};
use crate::fault::Fault;

/// A schedule.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it was made from.
    pub(crate) seed: u64,
    pub(crate) reference: Reference,
    pub(crate) buffer: Buffer,
    pub(crate) fault: Fault,
    /// What happens. Taken from it are the version, the suite, the settings, the cuts, the capacity,
    /// the operations and the bulk; `start` chooses how the two shake hands.
    pub(crate) schedule: Schedule,
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
pub(crate) enum Greeting {
    Handshake,
    Read,
    Write(usize),
}

/// The longest write with which a side shakes hands, in bytes.
const LONGEST_GREETING: usize = 2_000;

impl Plan {
    /// The plan that belongs to a seed; the same on every machine.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        draw::plan(seed)
    }

    /// A schedule of the test kit, carried out by OpenSSL with itself.
    #[must_use]
    pub fn of(schedule: Schedule) -> Self {
        Self {
            seed: 0,
            reference: Reference::Both,
            buffer: Buffer::Moving,
            fault: Fault::None,
            schedule,
        }
    }

    /// The schedule.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The same schedule with OpenSSL as it is by default: a retry must come from the same address.
    #[must_use]
    pub fn with_fixed_buffer(mut self) -> Self {
        self.buffer = Buffer::Fixed;
        self
    }

    /// The same schedule through pairs of another capacity, in bytes.
    #[must_use]
    pub fn with_capacity(mut self, capacity: usize) -> Self {
        self.schedule.capacity = capacity;
        self
    }

    /// The same schedule in another write mode.
    #[must_use]
    pub fn with_mode(mut self, mode: WriteMode) -> Self {
        self.schedule.settings = self.schedule.settings.map(|of| of.write_mode(mode));
        self
    }

    /// The same schedule with our ends at fault.
    #[must_use]
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    /// How many steps it has.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.schedule.operations.len()
    }

    /// How the connection is set up. What OpenSSL has no counterpart for is left as it is by default:
    /// a retry's contents are always compared. The limits of our queues are the schedule's, since
    /// they must not show.
    pub(crate) fn setting(&self) -> Setting {
        let settings = self.schedule.settings.map(|of| {
            Settings::default()
                .write_mode(of.effective_write_mode())
                .outgoing_limit(of.effective_outgoing_limit())
                .incoming_limit(of.effective_incoming_limit())
        });
        Setting {
            version: self.schedule.version,
            suite: self.schedule.suite,
            settings,
            capacity: self.schedule.capacity,
            buffer: self.buffer,
            fault: self.fault,
        }
    }

    /// How each side shakes hands: the client, then the server. Where a schedule begins before the
    /// handshake, with the first verb that it has for the side.
    pub(crate) fn greetings(&self) -> [Greeting; 2] {
        let longest = LONGEST_GREETING.min(self.setting().most());
        Side::BOTH.map(|side| {
            let mut verbs = self.schedule.operations.iter().filter_map(|operation| {
                if let Operation::Write(of, offer) = operation {
                    let write = Greeting::Write(1 + offer.fresh % longest);
                    return (*of == side).then_some(write);
                }
                if let Operation::Read(of, _) | Operation::Peek(of, _) = operation {
                    return (*of == side).then_some(Greeting::Read);
                }
                None
            });
            match self.schedule.start {
                Start::Connected => Greeting::Handshake,
                Start::Fresh => verbs.next().unwrap_or(Greeting::Handshake),
            }
        })
    }

    /// Plans that are simpler by one thing, the much simpler ones first.
    pub(crate) fn simpler(&self) -> Vec<Self> {
        let of = |schedule: Schedule| Self {
            schedule,
            ..self.clone()
        };
        let mut plans = Vec::new();
        if self.schedule.start == Start::Fresh {
            plans.push(of(Schedule {
                start: Start::Connected,
                ..self.schedule.clone()
            }));
        }
        if self.schedule.bulk != [0; 2] {
            plans.push(of(Schedule {
                bulk: [0; 2],
                ..self.schedule.clone()
            }));
        }
        let mut chunk = self.steps().div_ceil(2);
        while chunk > 0 {
            for start in (0..self.steps()).step_by(chunk) {
                let mut schedule = self.schedule.clone();
                schedule
                    .operations
                    .drain(start..self.steps().min(start + chunk));
                plans.push(of(schedule));
            }
            chunk /= 2;
        }
        plans
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.reference {
            Reference::Both => "OpenSSL with itself",
            Reference::Client => "OpenSSL's client with our server",
            Reference::Server => "our client with OpenSSL's server",
        };
        let [client, server] = self.greetings();
        write!(
            f,
            "seed {}: {who}, {}; the client begins with {client:?}, the server with {server:?}",
            self.seed,
            self.setting()
        )
    }
}
