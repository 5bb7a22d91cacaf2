//! Random schedules: two engines, any order of calls, any cut of the bytes between them; and a
//! model that knows what each call may answer.
//!
//! The model is the write contract told a second time, in the words of its rules: a ledger a
//! side remembers what was offered, what was reported and what is committed, and every outcome is
//! checked against it. A message names the rule that was broken.

mod ledger;
mod plan;

use offwire::{
    Completion, Error, Handshake, Interest, KeyUpdate, Misuse, ProtocolVersion, Read, Shutdown,
    Write, WriteMode,
};
use offwire_testkit::{Pair, Side};

pub use self::plan::{BadRetry, Op, Plan, Start};

use self::ledger::Ledger;
use crate::{FULL, quiet, waiting};

/// Runs a schedule, then brings both sides to an orderly end; returns the pair.
///
/// # Panics
/// If a rule of the contract is broken.
pub fn run(plan: &Plan) -> Pair {
    let contexts = quiet(plan.version)
        .tickets(1)
        .client_settings(plan.settings[0])
        .server_settings(plan.settings[1]);
    let pair = Pair::of(&contexts).cuts(plan.cuts).capacity(plan.capacity);
    let mut run = Run {
        pair,
        version: plan.version,
        ledgers: [Ledger::new(1), Ledger::new(2)],
    };
    if let Start::Connected = plan.start {
        run.pair.handshake();
    }
    for op in &plan.ops {
        run.perform(*op);
        run.check_bounds();
    }
    run.finish();
    run.pair
}

/// A schedule in progress.
struct Run {
    pair: Pair,
    version: ProtocolVersion,
    ledgers: [Ledger; 2],
}

impl Run {
    fn ledger(&mut self, side: Side) -> &mut Ledger {
        &mut self.ledgers[side as usize]
    }

    fn perform(&mut self, op: Op) {
        match op {
            Op::Move(side, cuts) => {
                for _ in 0..cuts {
                    self.pair.step_towards(side);
                }
            }
            Op::Handshake(side) => self.handshake(side),
            Op::Write(side, len) => self.write(side, len),
            Op::WriteNothing(side) => self.write_nothing(side),
            Op::BadRetry(side, wrong) => self.bad_retry(side, wrong),
            Op::Read(side, size) => {
                let _ = self.read(side, size);
            }
            Op::Peek(side, size) => self.peek(side, size),
            Op::KeyUpdate(side, update) => self.key_update(side, update),
            Op::Release(side) => self.pair.engine(side).release(),
            Op::PortMisuse(side) => self.port_misuse(side),
            Op::Shutdown(side) => {
                self.shutdown(side);
            }
        }
    }

    /// Rules 6 and the contract of `interest`, which hold after every call.
    fn check_bounds(&mut self) {
        for side in Side::BOTH {
            let engine = self.pair.engine(side);
            let limit = engine.settings().effective_outgoing_limit().max(16_413) + 128;
            let waits = waiting(engine);
            assert!(waits <= limit, "rule 6: {waits} bytes wait, {limit} may");
            let wants = matches!(engine.interest(), Interest::Write | Interest::ReadWrite);
            assert_eq!(
                wants,
                waits > 0,
                "interest: Write if and only if output is waiting"
            );
            let held = engine.stats().incoming_high_water;
            let may = engine
                .settings()
                .effective_incoming_limit()
                .max(128 * 1_024);
            assert!(held <= may, "{held} bytes were held, {may} may");
        }
    }

    fn is_complete(&mut self, side: Side) -> bool {
        self.pair.engine(side).negotiated().is_some()
    }

    fn handshake(&mut self, side: Side) {
        let engine = self.pair.engine(side);
        match engine.handshake().unwrap() {
            Handshake::Complete => assert!(engine.negotiated().is_some()),
            Handshake::NeedRead => assert_eq!(waiting(engine), 0, "rule 10"),
            Handshake::NeedWrite => assert!(waiting(engine) > 0, "rule 3"),
        }
    }

    fn write(&mut self, side: Side, len: usize) {
        let before = self.pair.engine(side).committed();
        let offer = self.ledger(side).offer(before, len);
        let engine = self.pair.engine(side);
        let settings = engine.settings();
        let outcome = engine.write(&offer);
        let (committed, waits) = (engine.committed(), waiting(engine));
        let complete = self.is_complete(side);
        let ledger = self.ledger(side);
        match outcome {
            Ok(Write::Written(n)) => {
                assert!(complete, "rule 1: the handshake comes first");
                let record = if before > 0 {
                    before
                } else {
                    FULL.min(offer.len())
                };
                match settings.effective_write_mode() {
                    WriteMode::Whole => assert_eq!(n, offer.len(), "rule 2"),
                    WriteMode::Partial => assert_eq!(n, record, "rule 2"),
                }
                if settings.effective_completion() == Completion::Sent {
                    assert!(waits <= 128, "rule 5: {waits} bytes have not left");
                }
                assert_eq!(committed, 0, "nothing is owed");
                ledger.written(&offer[..n]);
            }
            Ok(Write::NeedRead) => {
                assert!(!complete, "rule 9: a write needs no input");
                assert_eq!((waits, committed), (0, 0), "rules 10 and 1");
            }
            Ok(Write::NeedWrite) => {
                assert!(waits > 0, "rule 3: there must be something to send");
                assert!(before <= committed && committed <= offer.len(), "rule 3");
                ledger.blocked(offer, committed);
            }
            Err(error) => {
                assert_eq!(error, Error::Misuse(Misuse::WriteAfterShutdown), "rule 12");
                assert!(ledger.is_closed(), "rule 12: only shutdown stops writes");
            }
        }
    }

    fn write_nothing(&mut self, side: Side) {
        let engine = self.pair.engine(side);
        let (before, data) = (engine.committed(), engine.stats().plaintext_sealed);
        let outcome = engine.write(b"");
        assert_eq!(engine.stats().plaintext_sealed, data, "rule 7: no record");
        assert_eq!(engine.committed(), before);
        let waits = waiting(engine);
        let complete = self.is_complete(side);
        match outcome {
            Ok(Write::Written(n)) => assert_eq!((n, before, complete), (0, 0, true), "rule 7"),
            Ok(Write::NeedRead) => assert_eq!((waits, complete), (0, false), "rule 10"),
            Ok(Write::NeedWrite) => assert!(waits > 0, "rule 3"),
            Err(Error::Misuse(Misuse::BadWriteRetry)) => assert!(before > 0, "rule 7"),
            Err(error) => {
                assert_eq!(error, Error::Misuse(Misuse::WriteAfterShutdown), "rule 7");
                assert!(self.ledger(side).is_closed(), "rule 12");
            }
        }
    }

    fn bad_retry(&mut self, side: Side, wrong: BadRetry) {
        let engine = self.pair.engine(side);
        let (committed, waits) = (engine.committed(), waiting(engine));
        if committed == 0 || waits <= 128 {
            return; // what has left is compared by length only
        }
        let mut retry = self.ledgers[side as usize].in_progress().to_vec();
        match wrong {
            BadRetry::Short => retry.truncate(committed - 1),
            BadRetry::Changed => retry[committed - 1] ^= 1,
        }
        let engine = self.pair.engine(side);
        let refused = Err(Error::Misuse(Misuse::BadWriteRetry));
        assert_eq!(engine.write(&retry), refused, "rule 4");
        assert_eq!(
            (engine.committed(), waiting(engine)),
            (committed, waits),
            "rule 4"
        );
    }

    fn read(&mut self, side: Side, size: usize) -> Read {
        let complete = self.is_complete(side);
        let pending = self.pair.engine(side).pending();
        let mut into = vec![0; size];
        let outcome = self.pair.engine(side).read(&mut into).unwrap();
        match outcome {
            Read::Read(0) => assert_eq!(size, 0, "rule 14"),
            Read::Read(n) => {
                assert!(
                    pending == 0 || n == pending.min(size),
                    "one record, as far as it goes"
                );
                let at = self.ledger(side).received;
                let committed = self.pair.engine(side.peer()).committed();
                let stream = self.ledger(side.peer()).stream(committed);
                assert!(
                    stream[at..].starts_with(&into[..n]),
                    "the bytes of the peer, in order"
                );
                self.ledger(side).received += n;
            }
            Read::NeedRead => {
                let waits = waiting(self.pair.engine(side));
                assert!(waits == 0 || self.is_complete(side), "rule 10");
            }
            Read::NeedWrite => assert!(!complete, "rule 10: never after the handshake"),
            Read::Closed => {
                let at = self.ledger(side).received;
                assert!(
                    self.ledger(side.peer()).is_closed(),
                    "Closed without a close_notify"
                );
                assert_eq!(
                    at,
                    self.ledger(side.peer()).stream(0).len(),
                    "plaintext comes first"
                );
            }
            Read::Truncated => panic!("nobody ended the transport"),
        }
        outcome
    }

    fn peek(&mut self, side: Side, size: usize) {
        let mut into = vec![0; size];
        let peeked = self.pair.engine(side).peek(&mut into).unwrap();
        let mut again = vec![0; size];
        let repeated = self.pair.engine(side).peek(&mut again).unwrap();
        if let Read::Read(n) = peeked {
            assert_eq!(repeated, peeked, "a peek consumes nothing");
            assert_eq!(into[..n], again[..n], "a peek consumes nothing");
            let pending = self.pair.engine(side).pending();
            if size > 0 {
                assert_eq!(n, pending.min(size));
                assert_eq!(self.read(side, n), peeked, "a read gets what was peeked at");
            }
        }
    }

    fn key_update(&mut self, side: Side, update: KeyUpdate) {
        let misuse = match (
            self.version,
            self.is_complete(side),
            self.ledger(side).is_closed(),
        ) {
            (_, false, _) => Some(Misuse::KeyUpdateInHandshake),
            (ProtocolVersion::Tls12, true, _) => Some(Misuse::KeyUpdateInTls12),
            (ProtocolVersion::Tls13, true, true) => Some(Misuse::KeyUpdateAfterShutdown),
            (ProtocolVersion::Tls13, true, false) => None,
        };
        let expected = misuse.map_or(Ok(()), |misuse| Err(Error::Misuse(misuse)));
        let waits = waiting(self.pair.engine(side));
        assert_eq!(self.pair.engine(side).key_update(update), expected);
        assert_eq!(waiting(self.pair.engine(side)), waits, "only scheduled");
    }

    fn port_misuse(&mut self, side: Side) {
        let engine = self.pair.engine(side);
        let waits = waiting(engine);
        assert_eq!(
            engine.sent(waits + 1),
            Err(Error::Misuse(Misuse::SentTooMuch))
        );
        let space = engine.feed_space().len();
        assert_eq!(
            engine.fed(space + 1),
            Err(Error::Misuse(Misuse::FedTooMuch))
        );
        assert_eq!(waiting(engine), waits, "misuse changes nothing");
    }

    fn shutdown(&mut self, side: Side) -> Option<Shutdown> {
        let committed = self.pair.engine(side).committed();
        if !self.is_complete(side) {
            let waits = waiting(self.pair.engine(side));
            let outcome = self.pair.engine(side).shutdown();
            assert_eq!(
                outcome,
                Err(Error::Misuse(Misuse::ShutdownInHandshake)),
                "rule 12"
            );
            assert_eq!(
                waiting(self.pair.engine(side)),
                waits,
                "misuse changes nothing"
            );
            return None;
        }
        let outcome = self.pair.engine(side).shutdown().unwrap();
        self.ledger(side).close(committed);
        let waits = waiting(self.pair.engine(side));
        let peer_closed = self.ledger(side.peer()).is_closed();
        match outcome {
            Shutdown::NeedWrite => assert!(waits > 0, "rule 12"),
            Shutdown::Sent => assert_eq!(waits, 0, "rule 12"),
            Shutdown::Complete => assert!(waits == 0 && peer_closed, "rule 12"),
            Shutdown::Truncated => panic!("nobody ended the transport"),
        }
        Some(outcome)
    }

    /// Completes what was begun, reads everything, closes both sides: every byte that was reported
    /// or committed has arrived, once and in order, and nothing else.
    fn finish(&mut self) {
        let mut idle = 0;
        loop {
            let mut done = 0;
            for side in Side::BOTH {
                if self.pair.engine(side).committed() > 0 {
                    self.write(side, 0);
                } else if self.is_complete(side) {
                    done += usize::from(self.shutdown(side) == Some(Shutdown::Complete));
                } else {
                    self.handshake(side);
                }
                while let Read::Read(_) = self.read(side, FULL + 1) {}
                self.check_bounds();
            }
            if done == 2 {
                break;
            }
            idle = if self.pair.step() > 0 { 0 } else { idle + 1 };
            assert!(idle < 4, "the schedule cannot be finished: {}", self.pair);
        }
        for side in Side::BOTH {
            let sent = self.ledger(side.peer()).stream(0).len();
            assert_eq!(self.ledger(side).received, sent, "every byte once");
            assert_eq!(self.read(side, 1), Read::Closed);
        }
    }
}
