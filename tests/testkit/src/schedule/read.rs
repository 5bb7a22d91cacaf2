//! `read` and `peek`, told a second time: what stands ahead of a reader decides what they answer.

use offwire::{Error, Peer, Read, ReadBytes};

use super::Reading;
use super::account::{FULL, Sealing};
use super::flip::Sight;
use super::ledger::{Fate, Phase};
use super::runner::Run;
use super::verdict::{Verdict, ensure, ensure_eq};
use super::wire::{Kind, Last};
use crate::pair::Side;

/// What stands ahead of a reader, behind the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ahead {
    /// So many bytes of a record that has arrived whole.
    Data(usize),
    /// close_notify.
    CloseNotify,
    /// The alert of a peer that failed.
    Fatal,
    /// A record with a flipped bit, of which enough has arrived for this error.
    Flipped(Peer),
    /// The end of the transport.
    End,
    /// Nothing that is whole.
    Nothing,
}

impl Run {
    pub(super) fn ahead(&self, side: Side) -> Ahead {
        let wire = &self.wires[side.peer() as usize];
        let received = self.ledgers[side as usize].received;
        let (reach, error) = match self.flipped(side) {
            Some((start, error)) => (start, error),
            None => (wire.fed, None),
        };
        if let Some(record) = wire.unread(received)
            && record.end <= reach
        {
            return Ahead::Data(record.plaintext - received);
        }
        // All data before was read, so a last record counts once it has arrived whole.
        if let Some(record) = wire.records.last()
            && record.end <= reach
            && record.plaintext == received
            && let Kind::Alert(last) = record.kind
        {
            return match last {
                Last::CloseNotify => Ahead::CloseNotify,
                Last::Fatal => Ahead::Fatal,
            };
        }
        if wire.early_alert().is_some_and(|end| end <= reach) {
            return Ahead::Fatal;
        }
        let ended = self.link(side).has_ended();
        match error {
            Some(error) => Ahead::Flipped(error),
            None if ended => Ahead::End,
            None => Ahead::Nothing,
        }
    }

    pub(super) fn read(&mut self, side: Side, size: usize) -> Verdict<Option<Read>> {
        let reading = self.reading[side as usize];
        let size = match reading {
            Reading::Buffer => size,
            Reading::Bytes => usize::MAX,
        };
        if self.ledger(side).is_dead() {
            let (outcome, bytes) = self.read_by(side, reading, size);
            return self.read_dead(side, &outcome, &bytes).map(|()| None);
        }
        let before = self.before(side);
        let (outcome, bytes) = self.read_by(side, reading, size);
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                self.die(side, before, &error)?;
                return Ok(None);
            }
        };
        self.settle(side, before, Sealing::Nothing)?;
        self.check_read(side, outcome, size)?;
        match outcome {
            Read::Read(n) => {
                self.met.handed_out += usize::from(reading == Reading::Bytes);
                self.receive(side, &bytes[..n])?;
            }
            Read::NeedRead | Read::NeedWrite => {
                let again = self.before(side);
                let engine = self.pair.engine(side);
                let repeated = match reading {
                    Reading::Buffer => engine.read(&mut vec![0; size]),
                    Reading::Bytes => told(engine.read_bytes()).0,
                };
                ensure_eq!(repeated, Ok(outcome), "a read that waits, repeated at once");
                self.unchanged(side, again, "a read that waits changes nothing")?;
            }
            Read::Closed | Read::Truncated => self.ledger(side).end = Some(outcome),
        }
        Ok(Some(outcome))
    }

    /// Calls the verb that a side reads by; the bytes that were read stand at the front.
    fn read_by(
        &mut self,
        side: Side,
        reading: Reading,
        size: usize,
    ) -> (Result<Read, Error>, Vec<u8>) {
        match reading {
            Reading::Buffer => {
                let mut into = vec![0; size];
                (self.pair.on(side).read(&mut into), into)
            }
            Reading::Bytes => told(self.pair.on(side).read_bytes()),
        }
    }

    /// Compares an outcome with what stands ahead.
    fn check_read(&mut self, side: Side, outcome: Read, size: usize) -> Verdict {
        let waits = self.wire_from(side).waits();
        if self.ledger(side).fate == Fate::Handshaking {
            let expected = match waits {
                0 => Read::NeedRead,
                _ => Read::NeedWrite,
            };
            ensure_eq!(outcome, expected, "rule 10: a read in the handshake");
            return Ok(());
        }
        if let Some(end) = self.ledger(side).end {
            ensure_eq!(outcome, end, "an end is told again and again");
            return Ok(());
        }
        let ahead = self.ahead(side);
        self.met.truncated += usize::from(outcome == Read::Truncated);
        let expected = match ahead {
            Ahead::Data(rest) => Read::Read(rest.min(size)),
            Ahead::CloseNotify => Read::Closed,
            Ahead::End => Read::Truncated,
            Ahead::Nothing => Read::NeedRead,
            Ahead::Fatal | Ahead::Flipped(_) => {
                ensure!(false, "{outcome:?}, and an error stands ahead ({ahead:?})");
                return Ok(());
            }
        };
        ensure_eq!(outcome, expected, "a read with {ahead:?} ahead");
        Ok(())
    }

    /// The peer's bytes, in order.
    fn receive(&mut self, side: Side, bytes: &[u8]) -> Verdict {
        let at = self.ledger(side).received;
        let stream = &self.ledgers[side.peer() as usize].stream;
        ensure!(
            stream[at..].starts_with(bytes),
            "the bytes {at}..{} read are not those written",
            at + bytes.len()
        );
        self.ledger(side).received += bytes.len();
        Ok(())
    }

    /// Plaintext that was opened before the failure, then the error for ever.
    fn read_dead(&mut self, side: Side, outcome: &Result<Read, Error>, into: &[u8]) -> Verdict {
        match outcome {
            Ok(Read::Read(n)) => self.receive(side, &into[..*n]),
            outcome => {
                let pending = self.pair.engine(side).pending();
                ensure_eq!(pending, 0, "plaintext comes before the error");
                let error = self.ledger(side).death();
                ensure_eq!(outcome.as_ref().err(), error.as_ref(), "errors are sticky");
                Ok(())
            }
        }
    }

    pub(super) fn peek(&mut self, side: Side, size: usize) -> Verdict {
        let mut into = vec![0; size];
        let before = self.before(side);
        let is_dead = self.ledger(side).is_dead();
        let outcome = self.pair.on(side).peek(&mut into);
        if is_dead {
            let received = self.ledger(side).received;
            self.read_dead(side, &outcome, &into)?;
            self.ledger(side).received = received;
            return Ok(());
        }
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return self.die(side, before, &error),
        };
        self.settle(side, before, Sealing::Nothing)?;
        self.check_read(side, outcome, size)?;
        match outcome {
            Read::Read(n) => {
                self.met.full_peeks += usize::from(n == FULL && before.pending == 0);
                self.receive(side, &into[..n])?;
                self.ledger(side).received -= n;
            }
            Read::Closed | Read::Truncated => self.ledger(side).end = Some(outcome),
            Read::NeedRead | Read::NeedWrite => {}
        }
        let mut again = vec![0; size];
        let before = self.before(side);
        let repeated = self.pair.engine(side).peek(&mut again);
        ensure_eq!(repeated, Ok(outcome), "a peek consumes nothing");
        ensure_eq!(again, into, "a peek consumes nothing");
        self.unchanged(side, before, "a peek consumes nothing")
    }

    /// A failure must have a reason: something that arrived, or an end in the handshake.
    pub(super) fn check_reason(&mut self, side: Side, error: &Error) -> Verdict {
        let peer = &self.ledgers[side.peer() as usize].fate;
        let peer_died_early = matches!(
            peer,
            Fate::Dead {
                phase: Phase::Handshaking,
                ..
            }
        );
        if self.ledgers[side as usize].fate == Fate::Handshaking {
            let (sight, theirs) = (self.sight(side), self.sight(side.peer()));
            let ended = self.pair.link_to(side).has_ended();
            let reason = ended
                || peer_died_early
                || matches!(sight, Sight::Fails | Sight::Disagrees)
                || theirs == Sight::Disagrees;
            self.met.flips_in_handshake += usize::from(sight != Sight::Passes);
            ensure!(
                reason,
                "the handshake failed without a reason: {error:?}, with a bit that {sight:?}"
            );
            return Ok(());
        }
        let ahead = self.ahead(side);
        match ahead {
            Ahead::Flipped(expected) => {
                self.met.flips += 1;
                ensure_eq!(*error, Error::Peer(expected), "a flipped bit");
            }
            Ahead::Fatal => {
                ensure!(
                    matches!(error, Error::Alert(_)),
                    "{error:?}, and an alert came"
                );
            }
            Ahead::Data(_) | Ahead::CloseNotify | Ahead::End | Ahead::Nothing => {
                ensure!(false, "{error:?}, and {ahead:?} stands ahead");
            }
        }
        Ok(())
    }
}

/// What was handed out, as `read` would tell it.
fn told(outcome: Result<ReadBytes, Error>) -> (Result<Read, Error>, Vec<u8>) {
    match outcome {
        Ok(ReadBytes::Read(bytes)) => (Ok(Read::Read(bytes.len())), bytes.to_vec()),
        Ok(ReadBytes::NeedRead) => (Ok(Read::NeedRead), Vec::new()),
        Ok(ReadBytes::NeedWrite) => (Ok(Read::NeedWrite), Vec::new()),
        Ok(ReadBytes::Closed) => (Ok(Read::Closed), Vec::new()),
        Ok(ReadBytes::Truncated) => (Ok(Read::Truncated), Vec::new()),
        Err(error) => (Err(error), Vec::new()),
    }
}
