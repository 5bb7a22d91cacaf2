//! Bytes that move, and what is done to them on the way.

use offwire::{Error, Interest, Misuse};

use super::operation::{Harm, Misreport};
use super::runner::Run;
use super::verdict::{Verdict, ensure_eq};
use super::wire::Damage;
use crate::link::{Inlet, Outlet};
use crate::pair::{Pair, Side};

impl Run {
    /// Takes bytes out of a side, as far as the link has room for them.
    pub(super) fn take(&mut self, side: Side, outlet: Outlet, len: usize) -> Verdict<usize> {
        let room = self.pair.link_to(side.peer()).room();
        if outlet == Outlet::Owned && room < self.wire_from(side).waits() {
            return Ok(0);
        }
        let count = self.pair.pull_through(side, outlet, len.min(room));
        self.left(side, count)
    }

    /// Feeds a side with what is in flight.
    pub(super) fn feed(&mut self, side: Side, inlet: Inlet, len: usize) -> Verdict<usize> {
        self.check_space(side)?;
        Ok(self.deliver(side, |pair| pair.push_through(side, inlet, len)))
    }

    /// Moves one cut towards a side.
    pub(super) fn move_cut(&mut self, side: Side) -> Verdict<usize> {
        let pulled = self.pull(side.peer())?;
        Ok(pulled + self.push(side))
    }

    /// Takes one cut out of a side.
    pub(super) fn pull(&mut self, side: Side) -> Verdict<usize> {
        let count = self.pair.pull(side);
        self.left(side, count)
    }

    /// Delivers one cut to a side.
    pub(super) fn push(&mut self, side: Side) -> usize {
        self.deliver(side, |pair| pair.push(side))
    }

    /// Counts what a side takes, and what of it it does not discard.
    fn deliver(&mut self, side: Side, push: impl FnOnce(&mut Pair) -> usize) -> usize {
        let discards = self.discards(side) || self.pair.link_to(side).has_ended();
        let count = push(&mut self.pair);
        self.wire_from(side.peer()).fed += count;
        self.ledger(side).kept += if discards { 0 } else { count };
        count
    }

    /// Whether a side discards what arrives: it has failed, or has met an end.
    pub(super) fn discards(&self, side: Side) -> bool {
        let ledger = &self.ledgers[side as usize];
        ledger.is_dead() || ledger.end.is_some()
    }

    fn left(&mut self, side: Side, count: usize) -> Verdict<usize> {
        let link = match side {
            Side::Client => &self.pair.to_server,
            Side::Server => &self.pair.to_client,
        };
        let sent = link.sent();
        self.wires[side as usize].leave(&sent[sent.len() - count..])?;
        Ok(count)
    }

    /// `interest` says Read if and only if there is space to receive into.
    fn check_space(&mut self, side: Side) -> Verdict {
        let engine = self.pair.engine(side);
        let has_space = !engine.feed_space().is_empty();
        let wants = matches!(engine.interest(), Interest::Read | Interest::ReadWrite);
        ensure_eq!(
            wants,
            has_space,
            "interest: Read if and only if there is room"
        );
        Ok(())
    }

    pub(super) fn misreport(&mut self, side: Side, misreport: Misreport, excess: u16) -> Verdict {
        let before = self.before(side);
        let excess = usize::from(excess) + 1;
        let engine = self.pair.engine(side);
        let (outcome, misuse) = match misreport {
            Misreport::Sent => (engine.sent(before.waits + excess), Misuse::SentTooMuch),
            Misreport::Fed => {
                let space = engine.feed_space().len();
                (engine.fed(space + excess), Misuse::FedTooMuch)
            }
        };
        ensure_eq!(
            outcome,
            Err(Error::Misuse(misuse)),
            "{misreport:?} by {excess}"
        );
        self.unchanged(side, before, "misuse changes nothing")
    }

    /// Harms the direction towards a side, unless it is harmed already.
    pub(super) fn harm(&mut self, side: Side, harm: Harm) {
        let wire = &mut self.wires[side.peer() as usize];
        let link = match side {
            Side::Client => &mut self.pair.to_client,
            Side::Server => &mut self.pair.to_server,
        };
        if wire.damage != Damage::None {
            return;
        }
        let in_flight = link.in_flight();
        let place = |at: u32| link.delivered() + at as usize % in_flight.max(1);
        match harm {
            Harm::End => {
                link.end();
                wire.damage = Damage::Ended;
            }
            Harm::Truncate(at) => {
                link.end_at(place(at));
                wire.damage = Damage::Ended;
            }
            Harm::Flip(at, bit) => {
                let at = place(at);
                if in_flight == 0 {
                    return;
                }
                let bit = bit % 8;
                link.flip_bit(at, bit);
                wire.damage = Damage::Flipped { at, bit };
            }
        }
        self.pair
            .note(side, &format!("{harm:?} towards the {side:?}"));
    }

    pub(super) fn reset(&mut self) {
        self.pair.reset();
        for wire in &mut self.wires {
            wire.damage_by_end();
        }
    }
}
