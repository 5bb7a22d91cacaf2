//! The other verbs, told a second time: `handshake`, `key_update`, `shutdown`, `release`.

use offwire::{Error, Handshake, KeyUpdate, Misuse, ProtocolVersion, Shutdown};

use super::account::Sealing;
use super::ledger::{Fate, Writes};
use super::read::Ahead;
use super::runner::Run;
use super::verdict::{Verdict, ensure_eq};
use super::wire::{Kind, Last};
use crate::pair::Side;

/// How many KeyUpdates a side schedules in a row: with the answers to as many of the peer's they
/// stay below the 32 that a peer accepts without application data between them.
const UPDATES_IN_A_ROW: usize = 15;

impl Run {
    pub(super) fn handshake(&mut self, side: Side) -> Verdict<Option<Handshake>> {
        if let Some(error) = self.ledger(side).death() {
            let outcome = self.pair.on(side).handshake();
            ensure_eq!(outcome, Err(error), "a dead connection returns its error");
            return Ok(None);
        }
        let before = self.before(side);
        let outcome = match self.pair.on(side).handshake() {
            Ok(outcome) => outcome,
            Err(error) => {
                self.die(side, before, &error)?;
                return Ok(None);
            }
        };
        self.settle(side, before, Sealing::Nothing)?;
        let (waits, end) = (
            self.wire_from(side).waits(),
            self.wire_from(side).handshake_end(),
        );
        let complete = self.ledger(side).fate == Fate::Open;
        let expected = match (complete, self.is_written(side, end), waits) {
            (true, true, _) => Handshake::Complete,
            (true, false, _) | (false, _, 1..) => Handshake::NeedWrite,
            (false, _, 0) => Handshake::NeedRead,
        };
        ensure_eq!(outcome, expected, "rules 5 and 10: handshake");
        let again = self.before(side);
        let repeated = self.pair.engine(side).handshake();
        ensure_eq!(repeated, Ok(outcome), "handshake, repeated at once");
        self.unchanged(side, again, "handshake repeated at once changes nothing")?;
        Ok(Some(outcome))
    }

    pub(super) fn key_update(&mut self, side: Side, update: KeyUpdate) -> Verdict {
        let ledger = &self.ledgers[side as usize];
        if ledger.updates_in_a_row + usize::from(ledger.owed.is_some()) >= UPDATES_IN_A_ROW {
            return Ok(()); // the peer would refuse the flood, as it should
        }
        let expected = match (&ledger.fate, ledger.is_closed()) {
            (Fate::Dead { error, .. }, _) => Err(error.clone()),
            (Fate::Handshaking, _) => Err(Misuse::KeyUpdateInHandshake.into()),
            (Fate::Open, _) if self.version == ProtocolVersion::Tls12 => {
                Err(Misuse::KeyUpdateInTls12.into())
            }
            (Fate::Open, true) => Err(Misuse::KeyUpdateAfterShutdown.into()),
            (Fate::Open, false) => Ok(()),
        };
        let before = self.before(side);
        let outcome = self.pair.on(side).key_update(update);
        ensure_eq!(outcome, expected, "key_update");
        if outcome.is_ok() {
            self.ledger(side).owe(update);
        }
        self.unchanged(side, before, "key_update only schedules")
    }

    pub(super) fn release(&mut self, side: Side) -> Verdict {
        let before = self.before(side);
        self.pair.on(side).release();
        if self.ledger(side).fate == Fate::Open {
            self.wire_from(side).sizes.restart();
        }
        self.unchanged(side, before, "release changes nothing that shows")
    }

    pub(super) fn shutdown(&mut self, side: Side) -> Verdict<Option<Shutdown>> {
        let before = self.before(side);
        let outcome = self.pair.on(side).shutdown();
        match self.ledger(side).fate.clone() {
            Fate::Dead { error, .. } => {
                ensure_eq!(outcome, Err(error), "a dead connection returns its error");
                return Ok(None);
            }
            Fate::Handshaking => {
                let misuse = Error::Misuse(Misuse::ShutdownInHandshake);
                ensure_eq!(outcome, Err(misuse), "rule 12: shutdown in the handshake");
                self.unchanged(side, before, "misuse changes nothing")?;
                return Ok(None);
            }
            Fate::Open => {}
        }
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                self.die(side, before, &error)?;
                return Ok(None);
            }
        };
        if self.ledger(side).is_closed() {
            self.settle(side, before, Sealing::Nothing)?;
        } else {
            self.count_shutdown(side);
            let ledger = self.ledger(side);
            ledger.abandoned = ledger.committed();
            ledger.writes = Writes::Closed;
            ledger.owed = None;
            self.settle(side, before, Sealing::CloseNotify)?;
            ensure_eq!(
                outcome,
                Shutdown::NeedWrite,
                "rule 12: close_notify has not left"
            );
        }
        let expected = self.closing(side);
        ensure_eq!(
            outcome,
            expected,
            "rule 12: shutdown with {:?} ahead",
            self.ahead(side)
        );
        let again = self.before(side);
        let repeated = self.pair.engine(side).shutdown();
        ensure_eq!(repeated, Ok(outcome), "shutdown, repeated at once");
        self.unchanged(side, again, "shutdown repeated at once changes nothing")?;
        Ok(Some(outcome))
    }

    fn count_shutdown(&mut self, side: Side) {
        let blocked = self.ledger(side).committed() > 0;
        let in_record = self.wire_from(side).is_in_record();
        self.met.blocked_shutdowns += usize::from(blocked);
        self.met.shutdowns_in_a_record += usize::from(blocked && in_record);
    }

    /// What shutdown answers once it was called.
    fn closing(&mut self, side: Side) -> Shutdown {
        let ahead = self.ahead(side);
        let wire = self.wire_from(side);
        let close_notify = wire
            .records
            .iter()
            .rfind(|record| record.kind == Kind::Alert(Last::CloseNotify));
        if close_notify.is_none_or(|record| record.end > wire.sent) {
            return Shutdown::NeedWrite;
        }
        match ahead {
            Ahead::CloseNotify => Shutdown::Complete,
            Ahead::End => Shutdown::Truncated,
            Ahead::Data(_) | Ahead::Nothing | Ahead::Fatal | Ahead::Flipped(_) => Shutdown::Sent,
        }
    }
}
