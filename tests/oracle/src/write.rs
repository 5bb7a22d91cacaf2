//! The writes of the comparison: fresh ones, retries right and wrong, and the account of what was
//! reported.

use offwire::{ProtocolVersion, WriteMode};
use offwire_testkit::Side;

use crate::difference::Difference;
use crate::duel::{Duel, FULL, Flow, Trouble};
use crate::ladder::Row;
use crate::outcome::{Outcome, Refusal, Reply, Verb};
use crate::pattern::{self, BUDGET, Copy};
use crate::plan::{Address, Slip};
use crate::session::Fate;
use crate::state::{Met, Opening, Standing, Writing};

/// How often a write is repeated to settle it.
const PATIENCE: usize = 1_500;

impl Duel<'_> {
    pub(crate) fn fresh_write(&mut self, side: Side, len: usize) -> Result<Flow, Trouble> {
        let left = BUDGET - self.state(side).position.min(BUDGET);
        self.write(side, len.min(left), Copy::First)
    }

    /// Writes, or repeats a write, on both.
    pub(crate) fn write(&mut self, side: Side, len: usize, copy: Copy) -> Result<Flow, Trouble> {
        let at = pattern::start(side) + self.state(side).position;
        let verb = Verb::Write { copy, at, len };
        let state = self.state(side);
        let (ahead, opening) = match (state.writing, state.updates.is_due()) {
            (Writing::Blocked { ahead, opening, .. }, _) => (ahead, opening),
            (Writing::Free, true) => (0, Opening::KeyUpdate),
            (Writing::Free, false) => (0, Opening::Data),
        };
        let committed = self.committed(side);
        let wrong = committed > 0 && (copy == Copy::Changed || len < ahead + committed);
        let theirs = self.reference.call(side, verb)?;
        let (mine, ahead, met) = self.our_write(side, verb, ahead, &theirs)?;
        self.check_refusal(side, wrong, (&theirs, &mine))?;
        let flow = self.judge(side, verb, &theirs, &mine, met)?;
        match mine.outcome {
            Outcome::NeedWrite => {
                self.state(side).writing = Writing::Blocked {
                    len,
                    ahead,
                    opening,
                };
            }
            Outcome::Done(n) => {
                self.state(side).position += n;
                self.state(side).writing = Writing::Free;
            }
            Outcome::NeedRead
            | Outcome::Closed
            | Outcome::Truncated
            | Outcome::Sent
            | Outcome::Complete
            | Outcome::Refused(_)
            | Outcome::Dead(_) => {}
        }
        Ok(flow)
    }

    /// Whatever OpenSSL says, ours refuses a retry if it is wrong, and only then.
    fn check_refusal(
        &mut self,
        side: Side,
        wrong: bool,
        (theirs, mine): (&Reply, &Reply),
    ) -> Result<(), Trouble> {
        let refused = mine.outcome == Outcome::Refused(Refusal::BadRetry);
        let alive = self.state(side).standing != Standing::Dead;
        if !alive || wrong == refused {
            return Ok(());
        }
        let verb = if wrong {
            "takes a wrong"
        } else {
            "refuses a right"
        };
        self.unexplained(&format!(
            "ours {verb} retry: {}, OpenSSL says {}",
            mine.text, theirs.text
        ))
    }

    /// How many bytes of a blocked write our end has committed itself to.
    pub(crate) fn committed(&mut self, side: Side) -> usize {
        let engine = self.ours.end(side).engine();
        engine.map_or(0, offwire::Engine::committed)
    }

    /// Our side of a write. In partial mode it is repeated as long as OpenSSL hides that records
    /// are complete (X5); the answer then counts from where OpenSSL's does.
    fn our_write(
        &mut self,
        side: Side,
        verb: Verb,
        mut ahead: usize,
        theirs: &Reply,
    ) -> Result<(Reply, usize, Met), Trouble> {
        let Verb::Write { copy, at, len } = verb else {
            return Err(Trouble::Broken("only writes are written".into()));
        };
        loop {
            let rest = Verb::Write {
                copy,
                at: at + ahead,
                len: len.saturating_sub(ahead),
            };
            let (mut reply, met) = self.our_call(side, rest)?;
            let Outcome::Done(n) = reply.outcome else {
                return Ok((reply, ahead, met));
            };
            ahead += n;
            let hidden = match theirs.outcome {
                Outcome::Done(total) => ahead < total,
                Outcome::NeedWrite => ahead < len,
                Outcome::NeedRead
                | Outcome::Closed
                | Outcome::Truncated
                | Outcome::Sent
                | Outcome::Complete
                | Outcome::Refused(_)
                | Outcome::Dead(_) => false,
            };
            if !hidden || self.plan.setting.mode == WriteMode::Whole || n == 0 {
                reply.outcome = Outcome::Done(ahead);
                return Ok((reply, ahead, met));
            }
            let row = Row::call(side, rest, theirs, &reply, Some(Difference::X5));
            self.ladder.push(row);
            self.tally.meet(Difference::X5)?;
        }
    }

    pub(crate) fn retry(
        &mut self,
        side: Side,
        more: usize,
        address: Address,
    ) -> Result<Flow, Trouble> {
        let Writing::Blocked { len, .. } = self.state(side).writing else {
            return Ok(Flow::On);
        };
        let copy = match address {
            Address::Same => Copy::First,
            Address::Other => Copy::Second,
        };
        if more > 0 && self.has_sealed_ahead(side) {
            self.tally.meet(Difference::T5)?;
            return Ok(Flow::Parted(Difference::T5));
        }
        self.write(side, len + more, copy)
    }

    /// Whether our end has sealed a short last record that OpenSSL has not begun: it seals one
    /// record at a time, and more bytes would make that record longer.
    fn has_sealed_ahead(&mut self, side: Side) -> bool {
        let Some(engine) = self.ours.end(side).engine() else {
            return false;
        };
        let queued: usize = engine.outgoing_slices().iter().map(|run| run.len()).sum();
        let overhead = match self.plan.setting.version {
            ProtocolVersion::Tls12 => 29,
            ProtocolVersion::Tls13 => 22,
        };
        let last = self.state(side).last_record;
        last < FULL && queued > last + overhead && !self.reference.is_ours(side)
    }

    pub(crate) fn bad_retry(&mut self, side: Side, slip: Slip) -> Result<Flow, Trouble> {
        let Writing::Blocked { len, ahead, .. } = self.state(side).writing else {
            return Ok(Flow::On);
        };
        let committed = self.committed(side);
        match slip {
            _ if committed == 0 => Ok(Flow::On),
            Slip::Short(part) => self.write(side, ahead + committed * part / 1_000, Copy::Second),
            // OpenSSL's record in flight may be a KeyUpdate, and nothing of the data sealed.
            Slip::Changed => self.write(side, len, Copy::Changed),
        }
    }

    pub(crate) fn settle(&mut self, side: Side) -> Result<Flow, Trouble> {
        for _ in 0..PATIENCE {
            let Writing::Blocked { len, .. } = self.state(side).writing else {
                return Ok(Flow::On);
            };
            if self.state(side).standing != Standing::Open || self.is_gone(side) {
                return Ok(Flow::On);
            }
            for flow in [
                self.carry(side, usize::MAX, Fate::Intact)?,
                self.write(side, len, Copy::First)?,
            ] {
                if flow != Flow::On {
                    return Ok(flow);
                }
            }
        }
        Ok(Flow::On) // a pair of next to no bytes: the end of the schedule goes on with it
    }
}
