//! The writes of the comparison: fresh ones, retries right and wrong, and the account of what was
//! reported.

use offwire::WriteMode;
use offwire_testkit::Side;
use offwire_testkit::schedule::{Offer, Repeat, Slices};

use crate::difference::Difference;
use crate::duel::{Duel, Flow, Trouble};
use crate::ladder::Row;
use crate::outcome::{Outcome, Refusal, Reply, Verb};
use crate::pattern::{self, BUDGET, Copy};
use crate::record::FULL;
use crate::state::{Front, Met, Owed, Standing, Writing};

/// How often a longer retry is made although it makes the two part (T5): one in so many.
const FILLED_UP: usize = 8;

/// Bytes that are handed to a write, and how.
#[derive(Clone, Copy, Debug)]
struct Handing {
    len: usize,
    copy: Copy,
    slices: Slices,
}

impl Handing {
    /// So many bytes of the plaintext. What ours is given in slices is joined for OpenSSL, and so it
    /// stands at another address.
    const fn new(len: usize, slices: Slices) -> Self {
        let copy = match slices {
            Slices::One => Copy::First,
            Slices::Every(_) | Slices::Ragged(_) => Copy::Second,
        };
        Self { len, copy, slices }
    }
}

impl Duel<'_> {
    /// Offers bytes: fresh ones, or a repetition of the write that is blocked.
    pub(crate) fn offer(&mut self, side: Side, offer: Offer) -> Result<Flow, Trouble> {
        let most = self.setting.most();
        let Writing::Blocked { len, ahead, .. } = self.state(side).writing else {
            return match offer.fresh {
                0 => Ok(Flow::On),
                fresh => self.fresh_write(side, 1 + (fresh - 1) % most, offer.slices),
            };
        };
        let handing = |len| Handing::new(len, offer.slices);
        let sealed = ahead + self.committed(side);
        let fresh = offer.fresh.min(most.saturating_sub(len));
        match offer.repeat {
            // OpenSSL has sealed nothing of it either (K8), so it is another write.
            _ if sealed == 0 => self.fresh_write(side, fresh, offer.slices),
            Repeat::AsOffered => self.right_retry(side, handing(len), fresh),
            Repeat::Committed => self.right_retry(side, handing(sealed), fresh),
            // It must not end within what was reported, where it would be a right one (X5).
            _ if sealed == ahead => self.write(side, handing(len)),
            Repeat::TooShort(by) => {
                let by = usize::try_from(by).unwrap_or_default() % (sealed - ahead);
                self.write(side, handing(sealed - 1 - by))
            }
            // OpenSSL's record in flight may be a KeyUpdate, and nothing of the data sealed.
            Repeat::Changed(_) => {
                let copy = Copy::Changed;
                let changed = Handing {
                    copy,
                    ..handing(len)
                };
                self.write(side, changed)
            }
        }
    }

    /// A call of `write` without bytes: in a blocked write a wrong retry (T6).
    pub(crate) fn write_nothing(&mut self, side: Side) -> Result<Flow, Trouble> {
        self.write(side, Handing::new(0, Slices::One))
    }

    fn fresh_write(&mut self, side: Side, len: usize, slices: Slices) -> Result<Flow, Trouble> {
        let left = BUDGET - self.state(side).position.min(BUDGET);
        self.write(side, Handing::new(len.min(left), slices))
    }

    /// Repeats a blocked write with so many bytes behind it.
    fn right_retry(&mut self, side: Side, base: Handing, fresh: usize) -> Result<Flow, Trouble> {
        let longer = Handing {
            len: base.len + fresh,
            ..base
        };
        let Writing::Blocked { ahead, .. } = self.state(side).writing else {
            return Ok(Flow::On);
        };
        let sealed = ahead + self.committed(side);
        let as_it_is = Handing {
            len: sealed,
            ..base
        };
        if longer.len == sealed || self.reference.is_ours(side) {
            return self.write(side, longer);
        }
        // An answer that is owed would stand before the bytes behind (X16).
        if self.state(side).updates.owed == Owed::Answer {
            return self.write(side, as_it_is);
        }
        if !self.has_sealed_ahead(side) {
            return self.write(side, longer);
        }
        if !fresh.is_multiple_of(FILLED_UP) {
            return self.write(side, as_it_is);
        }
        self.fill_up(side, longer)
    }

    /// Repeats a blocked write with bytes behind it that OpenSSL puts into the record that ours has
    /// sealed (T5). From here on the two emit other records.
    fn fill_up(&mut self, side: Side, handing: Handing) -> Result<Flow, Trouble> {
        self.tally.meet(Difference::T5)?;
        if let Writing::Blocked { len, .. } = &mut self.state(side).writing {
            *len = handing.len;
        }
        Ok(Flow::Parted(Difference::T5, side))
    }

    /// Writes, or repeats a write, on both.
    fn write(&mut self, side: Side, handing: Handing) -> Result<Flow, Trouble> {
        let Handing { len, copy, slices } = handing;
        let at = pattern::start(side) + self.state(side).position;
        let verb = Verb::Write {
            copy,
            at,
            len,
            slices,
        };
        let state = self.state(side);
        let (ahead, front) = match (state.writing, state.updates.is_due()) {
            (Writing::Blocked { ahead, front, .. }, _) => (ahead, front),
            (Writing::Free, true) => (0, Front::KeyUpdate),
            (Writing::Free, false) => (0, Front::Data),
        };
        let committed = self.committed(side);
        let wrong = committed > 0 && (copy == Copy::Changed || len < ahead + committed);
        let theirs = self.reference.call(side, verb)?;
        let (mine, ahead, met) = self.our_write(side, verb, ahead, &theirs)?;
        self.check_refusal(side, wrong, (&theirs, &mine))?;
        let flow = self.compare(side, verb, &theirs, &mine, met)?;
        match mine.outcome {
            Outcome::NeedWrite => {
                self.state(side).writing = Writing::Blocked {
                    len,
                    ahead,
                    front,
                    copy,
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
        let Verb::Write {
            copy,
            at,
            len,
            slices,
        } = verb
        else {
            return Err(Trouble::Broken("only writes are written".into()));
        };
        loop {
            let rest = Verb::Write {
                copy,
                at: at + ahead,
                len: len.saturating_sub(ahead),
                slices,
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
            if !hidden || self.setting.mode(side) == WriteMode::Whole || n == 0 {
                reply.outcome = Outcome::Done(ahead);
                return Ok((reply, ahead, met));
            }
            let row = Row::call(side, rest, theirs, &reply, Some(Difference::X5));
            self.ladder.push(row);
            self.tally.meet(Difference::X5)?;
        }
    }

    /// Whether our end has sealed a short last record that OpenSSL has not begun: it seals one
    /// record at a time, and more bytes would make that record longer.
    fn has_sealed_ahead(&mut self, side: Side) -> bool {
        let Some(engine) = self.ours.end(side).engine() else {
            return false;
        };
        let queued: usize = engine.outgoing_slices().iter().map(|run| run.len()).sum();
        let last = self.state(side).last_record;
        last < FULL && queued > last + self.setting.overhead()
    }
}
