//! `write`, told a second time: rules 1 to 9 of the write contract.

use offwire::{Error, Misuse, RetryCheck, Write, WriteMode};

use super::account::{Before, Sealing};
use super::ledger::{Fate, Writes};
use super::operation::Slices;
use super::runner::Run;
use super::verdict::{Verdict, ensure, ensure_eq};
use crate::pair::Side;
use crate::random::Random;

/// What becomes of an offer that repeats a blocked write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judgement {
    Right,
    /// It differs where what is committed may still be unsent, or is too short.
    Wrong,
    /// It differs where bytes have left: it may pass, and then what is sealed stays as it was.
    Unnoticed,
}

impl Run {
    /// Writes at least one byte.
    pub(super) fn write(
        &mut self,
        side: Side,
        bytes: Vec<u8>,
        slices: Slices,
    ) -> Verdict<Option<Write>> {
        if let Some(error) = self.ledger(side).death() {
            let outcome = self.hand_over(side, &bytes, slices);
            ensure_eq!(outcome, Err(error), "a dead connection returns its error");
            return Ok(None);
        }
        let judgement = self.judge(side, &bytes);
        let before = self.before(side);
        let outcome = self.hand_over(side, &bytes, slices);
        let fresh = &bytes[before.committed.min(bytes.len())..];
        match outcome {
            Ok(outcome) => {
                ensure!(judgement != Judgement::Wrong, "rule 4: a bad retry passed");
                ensure!(
                    !self.ledger(side).is_closed(),
                    "rule 12: a write after shutdown"
                );
                self.met.retries += usize::from(before.committed > 0);
                self.settle(side, before, Sealing::Data(fresh))?;
                self.check_write(side, before, outcome, bytes)?;
                Ok(Some(outcome))
            }
            Err(Error::Misuse(misuse)) => {
                let expected = if self.ledger(side).is_closed() {
                    Misuse::WriteAfterShutdown
                } else {
                    Misuse::BadWriteRetry
                };
                ensure_eq!(misuse, expected, "rules 4 and 12: how a write is misused");
                ensure!(
                    judgement != Judgement::Right || misuse == Misuse::WriteAfterShutdown,
                    "rule 4: the right retry is refused"
                );
                self.met.refused_retries += usize::from(misuse == Misuse::BadWriteRetry);
                self.unchanged(side, before, "misuse changes nothing")?;
                Ok(None)
            }
            Err(error) => {
                self.die(side, before, &error)?;
                Ok(None)
            }
        }
    }

    fn hand_over(&mut self, side: Side, bytes: &[u8], slices: Slices) -> Result<Write, Error> {
        self.met.single_bytes += usize::from(slices == Slices::Every(1));
        let mut caller = self.pair.on(side);
        match slices {
            Slices::One => caller.write(bytes),
            Slices::Every(len) => {
                let slices: Vec<&[u8]> = bytes.chunks(usize::from(len).max(1)).collect();
                caller.write_vectored(&slices)
            }
            Slices::Ragged(seed) => caller.write_vectored(&ragged(bytes, seed)),
        }
    }

    fn judge(&mut self, side: Side, bytes: &[u8]) -> Judgement {
        let check = self.pair.engine(side).settings().effective_retry_check();
        let ledger = &self.ledgers[side as usize];
        let Writes::Blocked { offered, committed } = &ledger.writes else {
            return Judgement::Right;
        };
        let (Some(retry), Some(sealed)) = (bytes.get(..*committed), offered.get(..*committed))
        else {
            return Judgement::Wrong;
        };
        let Some(at) = (0..*committed).rev().find(|at| retry[*at] != sealed[*at]) else {
            return Judgement::Right;
        };
        let wire = &self.wires[side as usize];
        let holds = wire.unread(ledger.reported + at);
        match (check, holds) {
            (RetryCheck::Contents, Some(record)) if record.end > wire.sent => Judgement::Wrong,
            (RetryCheck::Contents, _) => Judgement::Unnoticed,
            // Contents are not compared: it passes, and what is sealed stays as it was.
            (RetryCheck::Length, _) => Judgement::Right,
        }
    }

    fn check_write(
        &mut self,
        side: Side,
        before: Before,
        outcome: Write,
        bytes: Vec<u8>,
    ) -> Verdict {
        let settings = self.pair.engine(side).settings();
        let complete = self.ledger(side).fate == Fate::Open;
        let committed = self.pair.engine(side).committed();
        let sealed = self.ledger(side).stream.len() - self.ledger(side).reported;
        let (waits, end) = (
            self.wire_from(side).waits(),
            self.wire_from(side).data_end(),
        );
        let is_sealed = match settings.effective_write_mode() {
            WriteMode::Whole => sealed == bytes.len(),
            WriteMode::Partial => sealed > 0,
        };
        match outcome {
            Write::Written(n) => {
                ensure_eq!(n, sealed, "Written tells what was sealed");
                ensure!(
                    is_sealed,
                    "rule 2: {n} bytes of {} are not all",
                    bytes.len()
                );
                ensure!(
                    self.is_written(side, end),
                    "rule 5: its records have not left"
                );
                return self.report(side, before, n, bytes.len());
            }
            Write::NeedRead => {
                ensure!(
                    !complete,
                    "rule 9: a write needs no input behind the handshake"
                );
                ensure_eq!((waits, committed), (0, 0), "rules 10 and 1");
            }
            Write::NeedWrite => {
                ensure!(waits > 0, "rule 3: NeedWrite, and there is nothing to send");
                ensure_eq!(committed, sealed, "rule 3");
                let waits_for = !complete
                    || (is_sealed && !self.is_written(side, end))
                    || (!is_sealed && self.lacks_room(side, bytes.len() - sealed));
                ensure!(waits_for, "NeedWrite without a reason");
            }
        }
        self.repeat_write(side, &bytes, outcome)?;
        self.met.blocked_writes += usize::from(committed > 0);
        let both = self.ledgers.iter().all(|ledger| ledger.committed() > 0);
        self.met.both_blocked += usize::from(both);
        self.ledger(side).writes = match committed {
            0 => Writes::Free,
            committed => Writes::Blocked {
                offered: bytes,
                committed,
            },
        };
        Ok(())
    }

    /// A write is done.
    fn report(&mut self, side: Side, before: Before, n: usize, len: usize) -> Verdict {
        let complete = self.ledger(side).fate == Fate::Open;
        ensure!(complete, "rule 1: the handshake comes first");
        let engine = self.pair.engine(side);
        if engine.settings().effective_write_mode() == WriteMode::Partial {
            let record = match before.committed {
                0 => before.record.min(len),
                committed => committed,
            };
            ensure_eq!(n, record, "rule 2: one record, and never a shortened one");
        }
        ensure_eq!(engine.committed(), 0, "nothing is owed behind Written");
        let ledger = self.ledger(side);
        ledger.reported += n;
        ledger.writes = Writes::Free;
        Ok(())
    }

    /// Whether the next record of a write does not fit, or what is owed before it.
    fn lacks_room(&mut self, side: Side, rest: usize) -> bool {
        let limit = self.pair.engine(side).settings().effective_outgoing_limit();
        let owes = self.ledger(side).owed.is_some();
        let wire = self.wire_from(side);
        let next = wire.record_len(wire.sizes.next().min(rest));
        let others = wire.waits() - wire.control_waits();
        others + next > limit || (owes && wire.key_update_waits())
    }

    /// "repeating a blocked call without moving a byte changes nothing", wherever the bytes are and
    /// however they were handed over.
    fn repeat_write(&mut self, side: Side, bytes: &[u8], outcome: Write) -> Verdict {
        let before = self.before(side);
        let moved = bytes.to_vec();
        let again = self.pair.engine(side).write(&moved);
        ensure_eq!(again, Ok(outcome), "a blocked write, repeated at once");
        self.unchanged(
            side,
            before,
            "a blocked write repeated at once changes nothing",
        )
    }

    pub(super) fn write_nothing(&mut self, side: Side) -> Verdict {
        if let Some(error) = self.ledger(side).death() {
            let outcome = self.pair.on(side).write(b"");
            ensure_eq!(outcome, Err(error), "a dead connection returns its error");
            return Ok(());
        }
        let before = self.before(side);
        let outcome = self.pair.on(side).write(b"");
        let closed = self.ledger(side).is_closed();
        match outcome {
            Ok(outcome) => {
                ensure!(!closed && before.committed == 0, "rule 7: {outcome:?}");
                self.settle(side, before, Sealing::Data(b""))?;
                let (waits, end) = (self.wire_from(side).waits(), self.wire_from(side).end());
                let complete = self.ledger(side).fate == Fate::Open;
                let owes = self.ledger(side).owed.is_some();
                let expected = match (complete, owes || !self.is_written(side, end), waits) {
                    (true, false, _) => Write::Written(0),
                    (true, true, _) | (false, _, 1..) => Write::NeedWrite,
                    (false, _, 0) => Write::NeedRead,
                };
                ensure_eq!(outcome, expected, "rule 7: an empty write");
                ensure!(
                    !owes || self.wire_from(side).key_update_waits(),
                    "rule 7: owed"
                );
                let again = self.before(side);
                let repeated = self.pair.engine(side).write(b"");
                ensure_eq!(repeated, Ok(outcome), "an empty write, repeated");
                self.unchanged(side, again, "an empty write repeated changes nothing")
            }
            Err(Error::Misuse(misuse)) => {
                let expected = match closed {
                    true => Misuse::WriteAfterShutdown,
                    false => Misuse::BadWriteRetry,
                };
                ensure_eq!(misuse, expected, "rule 7");
                ensure!(
                    closed || before.committed > 0,
                    "rule 7: nothing was misused"
                );
                self.unchanged(side, before, "misuse changes nothing")
            }
            Err(error) => self.die(side, before, &error),
        }
    }

    /// Nothing happened: no byte, and no counter but those of the waits.
    pub(super) fn unchanged(&mut self, side: Side, before: Before, rule: &str) -> Verdict {
        let now = self.before(side);
        let mut stats = now.stats;
        stats.need_reads = before.stats.need_reads;
        stats.need_writes = before.stats.need_writes;
        ensure_eq!(stats, before.stats, "{rule}");
        let bytes = |before: Before| (before.committed, before.pending, before.waits);
        ensure_eq!(bytes(now), bytes(before), "{rule}");
        let waits: usize = {
            let slices = self.pair.engine(side).outgoing_slices();
            slices.iter().map(|slice| slice.len()).sum()
        };
        ensure_eq!(waits, before.waits, "{rule}");
        Ok(())
    }
}

/// Cuts bytes into slices of any length by a seed, as [`Slices::Ragged`] hands them over: empty ones,
/// single bytes, and up to more than a record.
#[must_use]
pub fn ragged(bytes: &[u8], seed: u64) -> Vec<&[u8]> {
    let (mut random, mut rest) = (Random::new(seed), bytes);
    let mut slices = Vec::new();
    while !rest.is_empty() {
        let len = match random.below(4) {
            0 => 0,
            1 => 1,
            2 => random.below(1_000),
            _ => random.below(20_000),
        };
        let (slice, behind) = rest.split_at(len.min(rest.len()));
        slices.push(slice);
        rest = behind;
    }
    slices
}
