//! Carries a schedule out, beside the model.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use offwire::{BufferPool, ProtocolVersion};

use super::broken::Broken;
use super::contexts;
use super::ledger::Ledger;
use super::operation::Operation;
use super::verdict::{Rule, Verdict};
use super::wire::Wire;
use super::{Authentication, Reading, Schedule, Start};
use crate::link::Link;
use crate::pair::{Pair, Side};
use crate::panics;

/// A connection that kept its contract to the end.
#[derive(Debug)]
pub struct Finished {
    /// Both engines, closed or failed as the schedule had it.
    pub pair: Pair,
    /// How many bytes were written by the client and by the server: what `Written` told in all.
    pub written: [usize; 2],
    /// How many bytes the client and the server read.
    pub read: [usize; 2],
    /// How often it came into the situations that schedules are about.
    pub met: Met,
}

/// How often a connection came into situations that a rule is about. A property that is to show
/// something of one should meet it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// Writes that were left with committed bytes.
    pub blocked_writes: usize,
    /// And then at both sides at once.
    pub both_blocked: usize,
    /// Retries of committed bytes that were taken.
    pub retries: usize,
    /// Retries that were refused.
    pub refused_retries: usize,
    /// First calls of `shutdown` with committed bytes.
    pub blocked_shutdowns: usize,
    /// And then with a record that had left in part.
    pub shutdowns_in_a_record: usize,
    /// Writes behind which the queue held more than its limit, by control records.
    pub reserve_uses: usize,
    /// Engines that met a flipped bit behind the handshake and failed.
    pub flips: usize,
    /// Engines that failed in the handshake with a flipped bit ahead.
    pub flips_in_handshake: usize,
    /// Connections that closed cleanly although a bit was flipped in their handshake, in a field
    /// that is ignored.
    pub ignored_flips: usize,
    /// Reads behind the handshake that told the transport's end.
    pub truncated: usize,
    /// Handshakes that resumed a session, counted at both sides.
    pub resumed: usize,
    /// Handshakes in which a server verified a client's certificate.
    pub client_certificates: usize,
    /// Records of application data that were smaller than a full one although more was offered.
    pub small_records: usize,
    /// Writes of one byte a slice.
    pub single_bytes: usize,
    /// Peeks that opened a full record into the caller's buffer.
    pub full_peeks: usize,
    /// Records that were handed out in storage of their own.
    pub handed_out: usize,
    /// Calls by which an engine borrowed a buffer.
    pub borrowed: usize,
    /// Calls by which an engine returned one that the pool kept.
    pub returned: usize,
    /// Calls by which one returned none since it held something.
    pub kept: usize,
}

/// Carries a schedule out, then brings both sides to their end.
///
/// Every step is checked. A schedule that breaks a rule is carried out a second time to record it.
///
/// # Errors
/// The first rule that was broken, with its ladder. A panic of an engine counts as one.
pub fn run(schedule: &Schedule) -> Result<Finished, Broken> {
    run_with(schedule, |_| Ok(()))
}

/// As [`run`], and then asks `rule`, which says in words what is wrong with the finished
/// connection. A rule of your own that is broken shows its ladder like any other.
///
/// # Errors
/// The first rule that was broken.
pub fn run_with(
    schedule: &Schedule,
    rule: impl Fn(&Finished) -> Result<(), String>,
) -> Result<Finished, Broken> {
    let attempt = |pair| {
        let (run, verdict) = Run::new(schedule, pair).guarded(schedule);
        let step = run.step;
        let finished = run.finished();
        let verdict = verdict.and_then(|()| rule(&finished).map_err(Rule));
        (finished, verdict, step)
    };
    let (finished, verdict, step) = attempt(contexts::pair(schedule));
    let Err(first) = verdict else {
        return Ok(finished);
    };
    let (recorded, verdict, again) = attempt(contexts::pair(schedule).recording());
    let (rule, step) = match verdict {
        Err(rule) => (rule.0, again),
        Ok(()) => (format!("{} (once, and not again)", first.0), step),
    };
    let step = match step {
        Step::Connecting => "the handshake before the operations".into(),
        Step::Operation(number) => {
            format!("operation {number}, {:?}", schedule.operations[number])
        }
        Step::Finishing => "the end, behind all operations".into(),
    };
    let ladder = recorded.pair.ladder();
    Err(Broken { rule, step, ladder })
}

/// A schedule in progress.
pub(super) struct Run {
    pub(super) pair: Pair,
    pub(super) version: ProtocolVersion,
    pub(super) authentication: Authentication,
    pub(super) reading: [Reading; 2],
    pub(super) ledgers: [Ledger; 2],
    /// The directions out of the client and out of the server.
    pub(super) wires: [Wire; 2],
    /// The buffers that both sides share, and how many it keeps for each direction.
    pub(super) pool: BufferPool,
    pub(super) most_buffers: usize,
    pub(super) met: Met,
    step: Step,
}

/// Where a schedule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Connecting,
    Operation(usize),
    Finishing,
}

impl Run {
    fn new(schedule: &Schedule, pair: Pair) -> Self {
        let Schedule {
            version,
            suite,
            authentication,
            reading,
            ..
        } = *schedule;
        Self {
            pair,
            version,
            authentication,
            reading,
            ledgers: [Ledger::new(0), Ledger::new(1 << 19)],
            wires: schedule
                .settings
                .map(|settings| Wire::new(version, suite, settings)),
            pool: BufferPool::new(schedule.pool),
            most_buffers: schedule.pool,
            met: Met::default(),
            step: Step::Connecting,
        }
    }

    pub(super) fn ledger(&mut self, side: Side) -> &mut Ledger {
        &mut self.ledgers[side as usize]
    }

    /// The link towards a side.
    pub(super) fn link(&self, side: Side) -> &Link {
        match side {
            Side::Client => &self.pair.to_client,
            Side::Server => &self.pair.to_server,
        }
    }

    /// The direction out of a side.
    pub(super) fn wire_from(&mut self, side: Side) -> &mut Wire {
        &mut self.wires[side as usize]
    }

    /// Carries the schedule out; a panic of an engine is a broken rule.
    fn guarded(mut self, schedule: &Schedule) -> (Self, Verdict) {
        let verdict = match catch_unwind(AssertUnwindSafe(|| self.perform_all(schedule))) {
            Ok(verdict) => verdict,
            Err(panic) => Err(Rule(format!("a panic: {}", panics::message(&*panic)))),
        };
        (self, verdict)
    }

    fn finished(self) -> Finished {
        let [client, server] = self.ledgers;
        Finished {
            pair: self.pair,
            written: [client.reported, server.reported],
            read: [client.received, server.received],
            met: self.met,
        }
    }

    fn perform_all(&mut self, schedule: &Schedule) -> Verdict {
        if schedule.start == Start::Connected {
            self.connect()?;
        }
        self.pair.set_cuts(schedule.cuts);
        self.pair.set_capacity(schedule.capacity.max(1));
        for (number, operation) in schedule.operations.iter().enumerate() {
            self.step = Step::Operation(number);
            self.perform(*operation)?;
            self.check_bounds()?;
        }
        self.step = Step::Finishing;
        self.finish(schedule)
    }

    fn perform(&mut self, operation: Operation) -> Verdict {
        match operation {
            Operation::Handshake(side) => self.handshake(side).map(drop),
            Operation::Write(side, offer) => {
                let bytes = self.ledger(side).offer(offer);
                self.write(side, bytes, offer.slices).map(drop)
            }
            Operation::WriteNothing(side) => self.write_nothing(side),
            Operation::Read(side, size) => self.read(side, size).map(drop),
            Operation::Peek(side, size) => self.peek(side, size),
            Operation::KeyUpdate(side, update) => self.key_update(side, update),
            Operation::Shutdown(side) => self.shutdown(side).map(drop),
            Operation::Release(side) => self.release(side),
            Operation::Misreport(side, misreport, excess) => {
                self.misreport(side, misreport, excess)
            }
            Operation::Take(side, outlet, len) => self.take(side, outlet, len).map(drop),
            Operation::Feed(side, inlet, len) => self.feed(side, inlet, len).map(drop),
            Operation::Move(side, cuts) => {
                for _ in 0..cuts {
                    self.move_cut(side)?;
                }
                Ok(())
            }
            Operation::Harm(side, harm) => {
                self.harm(side, harm);
                Ok(())
            }
            Operation::Reset => {
                self.reset();
                Ok(())
            }
            Operation::BorrowBuffers(side) => self.borrow_buffers(side),
            Operation::ReturnBuffers(side) => self.return_buffers(side),
            Operation::Stock(bytes) => self.stock(bytes),
            Operation::ClearPool => self.clear_pool(),
        }
    }
}
