//! The end of every schedule: a loop that obeys the engines' outcomes and `interest`, and nothing
//! else, completes what was begun, moves bulk both ways, and closes.
//!
//! It is the loop of `Engine`'s documentation. A verb that waits is not repeated until what it
//! waits for has happened, so an outcome that is not the truth stops the loop, and that is found: a
//! potential must fall in every round.

use offwire::{Interest, Read, Shutdown, Write, WriteMode};

use super::Schedule;
use super::account::FULL;
use super::ledger::{Fate, Writes};
use super::operation::{Offer, Slices};
use super::runner::Run;
use super::verdict::{Verdict, ensure, ensure_eq};
use super::wire::{Damage, Wire};
use crate::pair::Side;

/// How many fresh bytes the loop offers at once: more than two records.
const OFFER: usize = 40_000;

/// When a verb may be called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Now,
    /// Once more than so many bytes were fed, or the transport has ended.
    Fed(usize),
    /// Once more than so many bytes have left.
    Sent(usize),
    /// Once a read has told the end.
    AtEnd,
    /// Not again: shutdown is complete.
    Never,
}

/// What the loop is about to do at one side.
#[derive(Debug)]
pub(super) struct Plan {
    /// `handshake`, `write` or `shutdown`, whichever comes next.
    verb: Pace,
    read: Pace,
    /// How much plaintext is to be sealed in all, in bytes.
    pub(super) target: usize,
}

impl Run {
    /// Completes both handshakes, and moves what they leave behind.
    pub(super) fn connect(&mut self) -> Verdict {
        let mut plans = self.plans([0; 2]);
        loop {
            for side in Side::BOTH {
                if self.may(side, plans[side as usize].verb) {
                    self.next_verb(side, &mut plans[side as usize], Goal::Open)?;
                }
                self.check_bounds()?;
            }
            let mut moved = 0;
            for side in Side::BOTH {
                moved += self.move_cut(side)?;
            }
            let open = self.ledgers.iter().all(|ledger| ledger.fate == Fate::Open);
            if open && moved == 0 {
                return Ok(());
            }
            ensure!(moved > 0, "the handshake on an unharmed link is stuck");
        }
    }

    /// Writes the schedule's bulk, reads with its buffer, then closes both sides.
    pub(super) fn finish(&mut self, schedule: &Schedule) -> Verdict {
        let buffer = schedule.buffer.max(1);
        let mut plans = self.plans(schedule.bulk);
        let mut potential = self.potential(&plans);
        while !Side::BOTH.iter().all(|side| self.is_over(*side, &plans)) {
            for side in Side::BOTH {
                self.served(side, schedule.buffers, |run| {
                    run.act(side, &mut plans[side as usize], buffer)
                })?;
                self.check_bounds()?;
            }
            for side in Side::BOTH {
                self.served(side, schedule.buffers, |run| run.move_as_wanted(side))?;
                self.check_bounds()?;
            }
            let mut now = self.potential(&plans);
            if now >= potential {
                self.end_damaged();
                now = self.potential(&plans);
            }
            ensure!(
                now < potential,
                "a loop that obeys is stuck: its potential went from {potential} to {now}; {}",
                self.pair
            );
            potential = now;
        }
        self.check_end()
    }

    fn plans(&mut self, bulk: [usize; 2]) -> [Plan; 2] {
        Side::BOTH.map(|side| {
            let mode = self.pair.engine(side).settings().effective_write_mode();
            let ledger = self.ledger(side);
            let begun = match (&ledger.writes, mode) {
                (Writes::Blocked { offered, .. }, WriteMode::Whole) => {
                    ledger.reported + offered.len()
                }
                (Writes::Blocked { .. } | Writes::Free | Writes::Closed, _) => ledger.stream.len(),
            };
            let more = if ledger.is_closed() {
                0
            } else {
                bulk[side as usize]
            };
            Plan {
                verb: Pace::Now,
                read: Pace::Now,
                target: begun + more,
            }
        })
    }

    fn may(&mut self, side: Side, pace: Pace) -> bool {
        match pace {
            Pace::Now => true,
            Pace::Fed(fed) => {
                self.wire_from(side.peer()).fed > fed || self.pair.link_to(side).has_ended()
            }
            Pace::Sent(sent) => self.wire_from(side).sent > sent,
            Pace::AtEnd => self.ledger(side).end.is_some(),
            Pace::Never => false,
        }
    }

    /// Calls the verbs of one side that may be called.
    fn act(&mut self, side: Side, plan: &mut Plan, buffer: usize) -> Verdict {
        if !self.ledger(side).is_dead() && self.may(side, plan.verb) {
            self.next_verb(side, plan, Goal::Closed)?;
        }
        while self.ledger(side).end.is_none() && self.may(side, plan.read) {
            let Some(outcome) = self.read(side, buffer)? else {
                break;
            };
            plan.read = match outcome {
                Read::Read(_) => Pace::Now,
                Read::NeedRead => Pace::Fed(self.wire_from(side.peer()).fed),
                Read::NeedWrite => Pace::Sent(self.wire_from(side).sent),
                Read::Closed | Read::Truncated => Pace::Never,
            };
            if plan.read == Pace::Now && buffer < FULL {
                break; // a reader that is slower than the link
            }
        }
        if self.ledger(side).is_dead() && self.wire_from(side).waits() == 0 {
            let link = self.pair.link_to(side.peer());
            if link.ends_at().is_none() {
                link.end(); // whoever has failed and sent its alert drops the transport
                self.wire_from(side).damage_by_end();
            }
        }
        Ok(())
    }

    fn next_verb(&mut self, side: Side, plan: &mut Plan, goal: Goal) -> Verdict {
        let (sent, fed) = (self.wire_from(side).sent, self.wire_from(side.peer()).fed);
        let ledger = self.ledger(side);
        let left = plan.target.saturating_sub(ledger.stream.len());
        let offer = match ledger.writes {
            Writes::Blocked { .. } => Some(0),
            Writes::Free if left > 0 => Some(left.min(OFFER)),
            Writes::Free | Writes::Closed => None,
        };
        plan.verb = if let Some(fresh) = offer {
            let bytes = ledger.offer(Offer::fresh(fresh));
            match self.write(side, bytes, Slices::One)? {
                Some(Write::NeedRead) => Pace::Fed(fed),
                Some(Write::NeedWrite) => Pace::Sent(sent),
                Some(Write::Written(_)) | None => Pace::Now,
            }
        } else if ledger.fate == Fate::Handshaking || goal == Goal::Open {
            match self.handshake(side)? {
                Some(offwire::Handshake::NeedRead) => Pace::Fed(fed),
                Some(offwire::Handshake::NeedWrite) => Pace::Sent(sent),
                Some(offwire::Handshake::Complete) | None => Pace::Now,
            }
        } else {
            match self.shutdown(side)? {
                Some(Shutdown::NeedWrite) => Pace::Sent(sent),
                Some(Shutdown::Sent) => Pace::AtEnd,
                Some(Shutdown::Complete | Shutdown::Truncated) => Pace::Never,
                None => Pace::Now,
            }
        };
        Ok(())
    }

    /// Moves one cut out of a side and one into it, where `interest` asks for it. Whoever has met
    /// its end discards.
    fn move_as_wanted(&mut self, side: Side) -> Verdict {
        let interest = self.pair.engine(side).interest();
        if matches!(interest, Interest::Write | Interest::ReadWrite) {
            self.pull(side)?;
        }
        if self.discards(side) || matches!(interest, Interest::Read | Interest::ReadWrite) {
            self.push(side);
        }
        Ok(())
    }

    /// After harm both sides may wait for each other for ever, as behind a length that grew; then
    /// somebody gives up and the transport ends.
    fn end_damaged(&mut self) {
        if Side::BOTH.iter().any(|side| self.is_harmed(*side)) {
            for side in Side::BOTH {
                if self.pair.link_to(side).ends_at().is_none() {
                    self.pair.link_to(side).end();
                    self.wire_from(side.peer()).damage_by_end();
                }
            }
        }
    }

    fn is_over(&self, side: Side, plans: &[Plan; 2]) -> bool {
        let ledger = &self.ledgers[side as usize];
        if ledger.is_dead() {
            return self.wires[side as usize].waits() == 0;
        }
        ledger.end.is_some() && plans[side as usize].verb == Pace::Never
    }

    /// How far the connection still has to go: bytes weighted by the stations before them, and what
    /// each side owes, weighted by what that may put on the wire.
    fn potential(&mut self, plans: &[Plan; 2]) -> usize {
        Side::BOTH
            .iter()
            .map(|side| self.potential_of(*side, &plans[*side as usize]))
            .sum()
    }

    fn potential_of(&mut self, side: Side, plan: &Plan) -> usize {
        let in_flight = self.pair.link_to(side.peer()).in_flight();
        let link = self.pair.link_to(side);
        let ends = usize::from(link.ends_at().is_none()) + usize::from(!link.has_ended());
        let (ledger, peer) = (
            &self.ledgers[side as usize],
            &self.ledgers[side.peer() as usize],
        );
        let wire = &self.wires[side as usize];
        let moving = 3 * wire.waits() + 2 * in_flight + 10 * ends;
        // What was sealed before a failure still arrives, requests among it.
        let asked = match peer.is_dead() || peer.is_closed() {
            true => 0,
            false => 400 * wire.requests_unseen(peer.updates_seen),
        };
        if ledger.is_dead() {
            return moving + asked;
        }
        let handshake = match ledger.fate {
            Fate::Handshaking => 200_000_usize.saturating_sub(4 * wire.end()),
            Fate::Open | Fate::Dead { .. } => 0,
        };
        let unsealed = match ledger.writes {
            Writes::Blocked { .. } | Writes::Free => {
                plan.target.saturating_sub(ledger.stream.len())
            }
            Writes::Closed => 0,
        };
        let unread = match ledger.end {
            None => peer.stream.len() - ledger.received,
            Some(_) => 0,
        };
        let owed = match ledger.owed {
            None => 0,
            Some(offwire::KeyUpdate::Ours) => 200,
            Some(offwire::KeyUpdate::Both) => 600,
        };
        let steps = usize::from(ledger.committed() > 0)
            + usize::from(ledger.end.is_none())
            + usize::from(plan.verb != Pace::Never);
        let may_read = usize::from(plan.read == Pace::Now);
        let alerts = 1_000 * (1 + usize::from(!ledger.is_closed()));
        moving
            + handshake
            + 200 * unsealed
            + 2 * unread
            + may_read
            + owed
            + asked
            + 5 * steps
            + alerts
    }

    /// What both sides tell each other adds up.
    fn check_end(&mut self) -> Verdict {
        let is_flipped = |wire: &Wire| matches!(wire.damage, Damage::Flipped { .. });
        if Side::BOTH.iter().all(|side| !self.is_harmed(*side)) {
            self.met.ignored_flips += usize::from(self.wires.iter().any(is_flipped));
        }
        for side in Side::BOTH {
            let (ledger, peer) = (
                &self.ledgers[side as usize],
                &self.ledgers[side.peer() as usize],
            );
            let committed = ledger.stream.len() - ledger.reported;
            ensure!(
                ledger.is_dead() || committed == ledger.abandoned,
                "Written told {} bytes, {} were abandoned, {} were sealed",
                ledger.reported,
                ledger.abandoned,
                ledger.stream.len()
            );
            if self.flipped(side).is_some() {
                ensure!(
                    ledger.end != Some(Read::Closed),
                    "a flipped bit was read over"
                );
            }
            if Side::BOTH.iter().all(|side| !self.is_harmed(*side)) {
                ensure_eq!(ledger.end, Some(Read::Closed), "both sides closed");
                ensure_eq!(
                    ledger.received,
                    peer.stream.len(),
                    "every byte arrives once"
                );
                let sealed = self.pair.engine(side.peer()).stats().key_updates_sealed;
                ensure_eq!(
                    self.ledger(side).updates_seen,
                    sealed,
                    "KeyUpdates received"
                );
            }
        }
        Ok(())
    }
}

/// How far the loop goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Open,
    Closed,
}
