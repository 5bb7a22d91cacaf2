//! The verbs of a watched engine that seal, and what the write contract says of each call.

use offwire::{
    Completion, EarlyDataStatus, Error, Misuse, RecordSizing, RetryCheck, Settings, Shutdown,
    Stats, Write, WriteEarlyData, WriteMode,
};

use super::{Half, Watched};

/// What stood before a call.
struct Before {
    committed: usize,
    waiting: usize,
    stats: Stats,
}

/// Who seals what a write commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Early,
    Traffic,
}

impl Stage {
    const fn other(self) -> Self {
        match self {
            Self::Early => Self::Traffic,
            Self::Traffic => Self::Early,
        }
    }
}

impl Watched {
    pub(crate) fn write(&mut self, plaintext: &[u8]) -> Result<Write, Error> {
        let before = self.before();
        let outcome = self.engine.write(plaintext);
        self.note(&outcome);
        self.check_owner(&outcome, Stage::Traffic);
        match &outcome {
            Ok(Write::Written(n)) => {
                assert!(self.is_complete(), "written during the handshake");
                self.written += *n as u64;
                self.check_written(*n, plaintext.len(), &before);
                let sealed = self.sealed_since(&before);
                assert_eq!(
                    *n,
                    before.committed + sealed,
                    "what was sealed, and no other"
                );
            }
            Ok(Write::NeedRead) => {
                assert!(
                    !self.is_complete(),
                    "a write needs no input after the handshake"
                );
                assert_eq!(self.engine.committed(), 0, "nothing was taken");
                self.check_need_read();
            }
            Ok(Write::NeedWrite) => self.check_blocked(plaintext.len(), &before),
            Err(_) => {}
        }
        self.check_sealed(plaintext.len(), &before);
        self.check_misuse(&outcome, &before);
        self.check();
        outcome
    }

    /// Early data, or a server's answer to it.
    pub(crate) fn write_early(&mut self, plaintext: &[u8]) -> Result<WriteEarlyData, Error> {
        let before = self.before();
        let outcome = self.engine.write_early_data(plaintext);
        self.note(&outcome);
        self.check_owner(&outcome, Stage::Early);
        match &outcome {
            Ok(WriteEarlyData::Written(n)) => {
                self.written_early += n;
                self.check_written(*n, plaintext.len(), &before);
            }
            Ok(WriteEarlyData::Ended(n)) => {
                assert!(*n <= plaintext.len());
                let rejected = self.engine.early_data() == EarlyDataStatus::Rejected;
                assert!(*n >= before.committed || (rejected && *n == 0), "{n} bytes");
                assert_eq!(self.engine.committed(), 0, "nothing is owed");
                self.written_early += n;
            }
            Ok(WriteEarlyData::NeedRead) => {
                assert_eq!(self.engine.committed(), 0, "nothing was taken");
                self.check_need_read();
            }
            Ok(WriteEarlyData::NeedWrite) => self.check_blocked(plaintext.len(), &before),
            Err(_) => {}
        }
        assert_eq!(self.sealed_since(&before), 0, "rustls seals early data");
        self.check_misuse(&outcome, &before);
        self.check();
        outcome
    }

    /// How many bytes of early data must be written again; all that were reported, or none.
    pub(crate) fn rejected_early_data(&mut self) -> usize {
        let rejected = self.engine.rejected_early_data();
        if rejected > 0 {
            assert_eq!(self.engine.early_data(), EarlyDataStatus::Rejected);
            assert_eq!(rejected, self.written_early, "all of it");
        }
        self.check();
        rejected
    }

    /// Bytes that were reported as written early, whatever became of them.
    pub(crate) const fn written_early(&self) -> usize {
        self.written_early
    }

    /// Whether an early write must be repeated.
    pub(crate) fn owes_early(&self) -> bool {
        self.owner == Stage::Early && self.engine.committed() > 0
    }

    /// Repeats a write that may be blocked, `offer`, in ways that the contract forbids: each is refused
    /// and changes nothing, so the right retry still works.
    pub(crate) fn retry_wrongly(&mut self, offer: &[u8]) {
        let committed = self.engine.committed();
        if committed == 0 || self.error().is_some() {
            return;
        }
        let before = self.before();
        let mut bad = vec![offer[..committed - 1].to_vec(), Vec::new()];
        // What has left may be compared by its length alone.
        let compared = self.engine.settings().effective_retry_check() == RetryCheck::Contents;
        if compared && self.sent == self.sent_at_commit {
            let mut changed = offer.to_vec();
            changed[committed - 1] ^= 1;
            bad.push(changed);
        }
        let refused = Err(Error::Misuse(Misuse::BadWriteRetry));
        for retry in bad {
            let outcome = self.repeat_by(self.owner, &retry);
            assert_eq!(outcome, refused, "{} bytes", retry.len());
            self.check_misuse(&outcome, &before);
        }
        let outcome = self.repeat_by(self.owner.other(), offer);
        assert_eq!(outcome, refused, "the right bytes by the other verb");
        self.check_misuse(&outcome, &before);
        self.check();
    }

    fn repeat_by(&mut self, stage: Stage, retry: &[u8]) -> Result<(), Error> {
        match stage {
            Stage::Early => self.engine.write_early_data(retry).map(drop),
            Stage::Traffic => self.engine.write(retry).map(drop),
        }
    }

    pub(crate) fn shutdown(&mut self) -> Result<Shutdown, Error> {
        let before = self.before();
        let outcome = self.engine.shutdown();
        self.note(&outcome);
        match &outcome {
            Ok(said) => {
                assert!(self.is_complete(), "shut down during the handshake");
                if self.half == Half::Open {
                    match self.owner {
                        Stage::Traffic => self.written += before.committed as u64,
                        Stage::Early => self.written_early += before.committed,
                    }
                    self.half = Half::Shut;
                }
                assert_eq!(self.engine.committed(), 0, "the rest is abandoned");
                assert_eq!(*said == Shutdown::NeedWrite, self.waiting() > 0, "{said:?}");
            }
            Err(Error::Misuse(_)) => assert!(!self.is_complete()),
            Err(_) => {}
        }
        self.check_misuse(&outcome, &before);
        self.check();
        outcome
    }

    fn before(&self) -> Before {
        Before {
            committed: self.engine.committed(),
            waiting: self.waiting(),
            stats: self.engine.stats(),
        }
    }

    /// Bytes of application data that the engine itself has sealed.
    fn sealed_since(&self, before: &Before) -> usize {
        let sealed = self.engine.stats().plaintext_sealed - before.stats.plaintext_sealed;
        usize::try_from(sealed).unwrap()
    }

    fn settings(&self) -> Settings {
        self.engine.settings()
    }

    /// Whose retry is owed is known from the verb that committed; and a shut half takes nothing (rule
    /// 12).
    fn check_owner<T: core::fmt::Debug>(&mut self, outcome: &Result<T, Error>, stage: Stage) {
        if self.half == Half::Shut && self.error().is_none() {
            let shut = Some(&Error::Misuse(Misuse::WriteAfterShutdown));
            assert_eq!(outcome.as_ref().err(), shut, "rule 12: {outcome:?}");
        }
        if outcome.is_ok() {
            self.owner = stage;
        }
    }

    /// Rules 2, 5 and 7: what `Written` promises by either verb.
    fn check_written(&self, n: usize, len: usize, before: &Before) {
        assert!(before.committed <= n && n <= len, "{n} bytes written");
        assert_eq!(self.engine.committed(), 0, "nothing is owed");
        assert_eq!(
            n == 0,
            len == 0,
            "rule 7: only an empty write writes nothing"
        );
        match self.settings().effective_write_mode() {
            WriteMode::Whole => assert_eq!(n, len, "rule 2: a whole write"),
            WriteMode::Partial => assert!(n <= self.record, "rule 2: one record a call"),
        }
        if self.settings().effective_completion() == Completion::Sent {
            assert_eq!(
                n, before.committed,
                "rule 5: sealed in this call, and not sent"
            );
            assert!(
                self.sent >= self.sealed_end || n == 0,
                "rule 5: not all has left"
            );
        }
    }

    /// `NeedWrite`: there is output, and what is committed only grows.
    fn check_blocked(&mut self, len: usize, before: &Before) {
        assert!(self.waiting() > 0, "NeedWrite without output");
        let committed = self.engine.committed();
        // What is rejected is not committed any more.
        let rejected = self.engine.early_data() == EarlyDataStatus::Rejected;
        let kept = committed >= before.committed || (rejected && self.owner == Stage::Early);
        assert!(kept && committed <= len, "{committed} bytes of {len}");
        if committed > before.committed {
            self.sent_at_commit = self.sent;
            self.sealed_end = self.sent + self.waiting() as u64;
        }
        match (
            self.settings().effective_completion(),
            self.settings().effective_write_mode(),
        ) {
            (Completion::Queued, WriteMode::Whole) => {
                assert!(committed < len || len == 0, "rule 5: all is queued");
            }
            (Completion::Queued, WriteMode::Partial) => {
                assert_eq!(committed, 0, "rule 5: a record is queued");
            }
            (Completion::Sent, WriteMode::Whole) => {}
            (Completion::Sent, WriteMode::Partial) => {
                assert!(committed <= self.record, "rule 2: one record a call");
            }
        }
    }

    /// Rules 2 and 8: the records that a call of `write` has sealed are full ones, except its last.
    fn check_sealed(&self, len: usize, before: &Before) {
        let sealed = self.sealed_since(before);
        let stats = self.engine.stats();
        let records = stats.records_sealed - before.stats.records_sealed;
        let updates = stats.key_updates_sealed - before.stats.key_updates_sealed;
        let records = usize::try_from(records - updates).unwrap();
        if self.error().is_some() {
            return; // an alert is a record as well
        }
        assert_eq!(sealed == 0, records == 0, "rule 7: no record without data");
        let all = before.committed + sealed == len;
        match self.settings().effective_record_sizing() {
            RecordSizing::Full if all => assert_eq!(records, sealed.div_ceil(self.record)),
            RecordSizing::Full => assert_eq!(sealed, records * self.record, "rule 2: full records"),
            RecordSizing::Dynamic => assert!(sealed <= records * self.record),
        }
        if self.settings().effective_write_mode() == WriteMode::Partial {
            assert!(records <= 1, "rule 2: {records} records in a call");
        }
    }

    /// A misuse changes nothing.
    fn check_misuse<T: core::fmt::Debug>(&self, outcome: &Result<T, Error>, before: &Before) {
        let Err(Error::Misuse(misuse)) = outcome else {
            return;
        };
        assert_eq!(self.engine.committed(), before.committed, "{misuse:?}");
        let drives = matches!(misuse, Misuse::EarlyDataUnread | Misuse::EarlyDataRejected);
        if !drives {
            assert_eq!(
                self.waiting(),
                before.waiting,
                "{misuse:?} sealed something"
            );
            assert_eq!(self.engine.stats(), before.stats, "{misuse:?}");
        }
    }
}
