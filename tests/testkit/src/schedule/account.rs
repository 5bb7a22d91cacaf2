//! What one call did to the wire and to the counters, compared with what it may have done; and what
//! holds after every step, whatever it was.

use offwire::{Completion, Error, HandshakeKind, Interest, KeyUpdate, ProtocolVersion, Stats};

use super::Authentication;
use super::flip::Sight;
use super::ledger::{Fate, Phase};
use super::runner::Run;
use super::verdict::{Verdict, ensure, ensure_eq};
use super::wire::{Begins, Kind, Last};
use crate::pair::Side;

/// The most plaintext that one record carries, in bytes.
pub(super) const FULL: usize = 16_384;

/// The largest record in wire bytes: with less room than that a handshake does not go on.
const LARGEST: usize = 16_413;

/// Wire bytes beyond the limit that control records may use.
const RESERVE: usize = 128;

/// The most that the incoming queue may hold while the handshake lasts.
const HANDSHAKE_BOUND: usize = 128 * 1_024;

/// How one side stood before a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    pub(super) stats: Stats,
    pub(super) committed: usize,
    pub(super) pending: usize,
    pub(super) waits: usize,
    /// The most plaintext of the next record.
    pub(super) record: usize,
    pub(super) begins: Begins,
}

/// What a call may seal besides a KeyUpdate that is owed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sealing<'a> {
    Nothing,
    /// The offer of a write, from the byte on that is not committed yet.
    Data(&'a [u8]),
    CloseNotify,
    /// The alert of a failure.
    Fatal,
}

impl Run {
    pub(super) fn before(&mut self, side: Side) -> Before {
        let wire = self.wire_from(side);
        let (waits, record) = (wire.waits(), wire.sizes.next());
        let begins = match self.ledgers[side as usize].fate {
            Fate::Handshaking if self.is_behind_flights(side) => Begins::BehindFlights,
            Fate::Handshaking => Begins::InHandshake,
            Fate::Open | Fate::Dead { .. } => Begins::Behind,
        };
        let engine = self.pair.engine(side);
        Before {
            stats: engine.stats(),
            committed: engine.committed(),
            pending: engine.pending(),
            waits,
            record,
            begins,
        }
    }

    /// Accounts for a call that did not fail.
    pub(super) fn settle(&mut self, side: Side, before: Before, sealing: Sealing<'_>) -> Verdict {
        self.account(side, before, sealing)?;
        if self.ledger(side).fate == Fate::Handshaking && self.sight(side) == Sight::Fails {
            let limit = self.pair.engine(side).settings().effective_outgoing_limit();
            ensure!(
                self.wire_from(side).waits() + LARGEST > limit,
                "a flipped bit has arrived, and the handshake goes on"
            );
        }
        Ok(())
    }

    /// Accounts for a call: its records on the wire, its counters, what it received.
    fn account(&mut self, side: Side, before: Before, sealing: Sealing<'_>) -> Verdict {
        let engine = self.pair.engine(side);
        let (stats, complete) = (engine.stats(), engine.negotiated().is_some());
        let completes = complete && before.begins != Begins::Behind;
        let updates = stats.key_updates_sealed - before.stats.key_updates_sealed;
        let data = stats.plaintext_sealed - before.stats.plaintext_sealed;
        let data = usize::try_from(data).unwrap_or(usize::MAX);

        let mut sealed = Vec::new();
        if updates > 0 {
            ensure_eq!(updates, 1, "one KeyUpdate serves every reason for one");
            let Some(update) = self.ledger(side).owed.take() else {
                ensure!(false, "a KeyUpdate that nobody asked for");
                return Ok(());
            };
            sealed.push(Kind::KeyUpdate(update));
        }
        match sealing {
            Sealing::Nothing => ensure_eq!(data, 0, "only a write seals application data"),
            Sealing::Data(offer) => {
                let lengths = self.wire_from(side).sizes.split(offer.len(), data)?;
                let cut = lengths
                    .len()
                    .saturating_sub(usize::from(data == offer.len()));
                let small = lengths.iter().take(cut).filter(|length| **length < FULL);
                self.met.small_records += small.count();
                sealed.extend(lengths.into_iter().map(Kind::Data));
                self.ledger(side).stream.extend_from_slice(&offer[..data]);
                ensure!(
                    data == 0 || self.ledger(side).owed.is_none(),
                    "rule 9: a KeyUpdate that is owed comes before the next record"
                );
            }
            Sealing::CloseNotify => sealed.push(Kind::Alert(Last::CloseNotify)),
            Sealing::Fatal => sealed.push(Kind::Alert(Last::Fatal)),
        }
        ensure_eq!(
            stats.records_sealed - before.stats.records_sealed,
            sealed.len() as u64,
            "every record sealed is accounted for ({sealed:?})"
        );
        let offered = self.pair.engine(side).outgoing_slices();
        self.wires[side as usize].grow(&offered, &sealed, before.begins)?;
        drop(offered);
        if data > 0 {
            self.check_reserve(side)?;
        }
        self.count_updates(side, &sealed);
        if completes {
            let sight = self.sight(side);
            ensure_eq!(sight, Sight::Passes, "a handshake with a flipped bit");
            let fed = self.wire_from(side.peer()).fed;
            self.check_authentication(side)?;
            self.ledger(side).fate = Fate::Open;
            self.ledger(side).fed_in_handshake = fed;
        }
        self.receive_updates(side, stats.key_updates_received)
    }

    /// The handshake was the one that the schedule asked for.
    fn check_authentication(&mut self, side: Side) -> Verdict {
        let (kind, certificates) = match self.pair.engine(side).negotiated() {
            Some(negotiated) => (negotiated.kind(), negotiated.peer_certificates().len()),
            None => return Ok(()),
        };
        let is_resumed = self.authentication == Authentication::Resumed;
        ensure_eq!(
            kind == HandshakeKind::Resumed,
            is_resumed,
            "{kind:?} handshake"
        );
        let is_known = side == Side::Client || self.authentication == Authentication::Mutual;
        ensure_eq!(certificates > 0, is_known, "the peer has a certificate");
        self.met.resumed += usize::from(is_resumed);
        self.met.client_certificates += usize::from(is_known && side == Side::Server);
        Ok(())
    }

    /// Whether a TLS 1.3 server's handshake has only tickets left to send.
    fn is_behind_flights(&self, side: Side) -> bool {
        let client = &self.wires[Side::Client as usize];
        self.version == ProtocolVersion::Tls13 && side == Side::Server && client.has_protected()
    }

    fn count_updates(&mut self, side: Side, sealed: &[Kind]) {
        let in_a_row = &mut self.ledger(side).updates_in_a_row;
        for kind in sealed {
            match kind {
                Kind::Data(_) => *in_a_row = 0,
                Kind::KeyUpdate(_) => *in_a_row += 1,
                Kind::Alert(_) => {}
            }
        }
    }

    /// The peer's KeyUpdates that this call has met: one that asks for an answer is owed one.
    fn receive_updates(&mut self, side: Side, received: u64) -> Verdict {
        let seen = self.ledger(side).updates_seen;
        let updates = self.wires[side.peer() as usize].records.iter();
        let met: Vec<KeyUpdate> = updates
            .filter_map(|record| match record.kind {
                Kind::KeyUpdate(update) => Some(update),
                Kind::Data(_) | Kind::Alert(_) => None,
            })
            .skip(usize::try_from(seen).unwrap_or(usize::MAX))
            .take(usize::try_from(received - seen).unwrap_or(usize::MAX))
            .collect();
        ensure_eq!(met.len() as u64, received - seen, "KeyUpdates received");
        let ledger = self.ledger(side);
        ledger.updates_seen = received;
        if met.contains(&KeyUpdate::Both) && !ledger.is_closed() {
            ledger.owe(KeyUpdate::Ours);
        }
        Ok(())
    }

    /// Application data was sealed: it has no part in the reserve of the control records.
    fn check_reserve(&mut self, side: Side) -> Verdict {
        let limit = self.pair.engine(side).settings().effective_outgoing_limit();
        let wire = self.wire_from(side);
        let (waits, control) = (wire.waits(), wire.control_waits());
        ensure!(
            waits - control <= limit,
            "rule 6: {waits} bytes wait, {control} of control records; others may be {limit}"
        );
        self.met.reserve_uses += usize::from(waits > limit);
        Ok(())
    }

    /// The engine's own counters agree with the model.
    fn check_counters(&mut self, side: Side) -> Verdict {
        let engine = self.pair.engine(side);
        let stats = engine.stats();
        let ledger = &self.ledgers[side as usize];
        let own = &self.wires[side as usize];
        ensure_eq!(stats.wire_sent, own.sent as u64, "wire bytes sent");
        ensure_eq!(
            stats.plaintext_sealed,
            ledger.stream.len() as u64,
            "plaintext sealed"
        );
        ensure_eq!(stats.wire_fed, ledger.kept as u64, "wire bytes fed");
        Ok(())
    }

    /// What holds after every step: the counters, the bounds in wire bytes, and `interest`.
    pub(super) fn check_bounds(&mut self) -> Verdict {
        for side in Side::BOTH {
            self.check_counters(side)?;
            let waits = self.wire_from(side).waits();
            let held = self.held_at_least(side);
            let in_handshake = self.ledger(side).fate == Fate::Handshaking;
            let ledger = self.ledger(side);
            let is_dead = ledger.is_dead();
            let unreported = match ledger.is_closed() {
                true => 0,
                false => ledger.stream.len() - ledger.reported,
            };
            let engine = self.pair.engine(side);
            let settings = engine.settings();
            let stats = engine.stats();
            let limit = settings.effective_outgoing_limit().max(LARGEST) + RESERVE;
            ensure!(
                stats.outgoing_high_water <= limit && waits <= limit,
                "rule 6: {} bytes waited, {limit} may",
                stats.outgoing_high_water
            );
            let most = settings.effective_incoming_limit();
            ensure!(
                stats.incoming_high_water <= most.max(HANDSHAKE_BOUND),
                "the incoming queue held {} bytes",
                stats.incoming_high_water
            );
            ensure!(
                in_handshake || is_dead || held <= most,
                "the incoming queue holds {held} bytes or more, {most} may"
            );
            ensure_eq!(
                engine.committed(),
                unreported,
                "what is sealed is either reported or committed"
            );
            let wants = matches!(engine.interest(), Interest::Write | Interest::ReadWrite);
            ensure_eq!(
                wants,
                waits > 0,
                "interest: Write if and only if output is waiting"
            );
        }
        Ok(())
    }

    /// How many bytes a side's incoming queue holds at least: what was fed behind the last record
    /// that can have been consumed. What was taken during the handshake may exceed the limit.
    fn held_at_least(&self, side: Side) -> usize {
        let (ledger, wire) = (
            &self.ledgers[side as usize],
            &self.wires[side.peer() as usize],
        );
        if ledger.end.is_some() || wire.fed <= ledger.fed_in_handshake {
            return 0;
        }
        let Some(record) = wire.unread(ledger.received) else {
            return 0;
        };
        let Kind::Data(len) = record.kind else {
            return 0;
        };
        // A record that is read in pieces is held from its first unread byte on.
        let read = len - (record.plaintext - ledger.received);
        wire.fed
            .saturating_sub(record.start + read + (record.end - record.start - len))
    }

    /// Whether what is sealed up to here counts as written.
    pub(super) fn is_written(&mut self, side: Side, end: usize) -> bool {
        match self.pair.engine(side).settings().effective_completion() {
            Completion::Queued => true,
            Completion::Sent => end <= self.wire_from(side).sent,
        }
    }

    /// A call failed: the connection is dead, and there was a reason.
    pub(super) fn die(&mut self, side: Side, before: Before, error: &Error) -> Verdict {
        let closed = self.ledger(side).is_closed();
        let phase = match self.pair.engine(side).negotiated() {
            None => Phase::Handshaking,
            Some(_) => Phase::Open,
        };
        // After our close_notify nothing may follow, and the handshake's alerts are rustls's.
        let sealing = match (phase, error.alert()) {
            (Phase::Open, Some(_)) if !closed => Sealing::Fatal,
            (Phase::Open | Phase::Handshaking, _) => Sealing::Nothing,
        };
        let error = error.clone();
        // The call may have completed the handshake first: what it met then stood behind that.
        self.account(side, before, sealing)?;
        self.check_reason(side, &error)?;
        self.ledger(side).fate = Fate::Dead { error, phase };
        Ok(())
    }
}
