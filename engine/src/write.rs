//! The `SSL_write(3)` contract: commit, seal, report, retry.
//!
//! Every record is sealed once, from the caller's slice into the outgoing queue. What cannot be
//! reported yet is a [`Commitment`], and the retry that completes it is compared with it. Knows
//! the queue's room, but nothing of what moves its content.

use crate::early::Stage;
use crate::engine::Engine;
use crate::error::{Error, Internal, Misuse};
use crate::half::{Commitment, STRETCHES, Sealed, Stretch, WriteHalf};
use crate::negotiated::ProtocolVersion;
use crate::outcome::{Handshake, KeyUpdate, Write};
use crate::outgoing::Control;
use crate::phase::{Owed, Phase};
use crate::plaintext::Plaintext;
use crate::record::ContentType;
use crate::record::post_handshake::key_update_message;
use crate::record::seal::Budget;
use crate::settings::{Completion, RetryCheck, WriteMode};
use crate::trace::event;

/// Whether a step of a write could be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    /// It was taken.
    Enough,
    /// Output must leave first.
    Missing,
}

impl Engine {
    /// Writes `plaintext` to the peer, completing the handshake first if necessary.
    ///
    /// - [`Write::Written`] with the number of bytes written: all of them, or in
    ///   [`WriteMode::Partial`] at most one record. Nothing is owed; write what follows. Under
    ///   [`Completion::Sent`] their records have left through [`Self::sent`].
    /// - [`Write::NeedWrite`]: send [`Self::outgoing`], then call again. If bytes are
    ///   [committed](Self::committed), with the same bytes, at the same or another address,
    ///   possibly with more behind them (`SSL_write(3)`: "it must be repeated with the same
    ///   arguments"). If none are, other bytes may come instead.
    /// - [`Write::NeedRead`]: the handshake waits for the peer and nothing was taken. Feed, then
    ///   call again, with the same or other bytes.
    ///
    /// No bytes emit no record: the call drives the handshake and whatever is owed, then returns
    /// `Written(0)`. After the handshake a write never needs input, and the peer's close_notify
    /// does not stop it.
    ///
    /// # Errors
    /// [`Misuse::BadWriteRetry`] if the retry is shorter than what is committed or its committed
    /// bytes differ; the connection stays usable and the right retry still works.
    /// [`Misuse::WriteAfterShutdown`] once [`Self::shutdown`] was called. [`Misuse::EarlyDataUnread`]
    /// and [`Misuse::EarlyDataRejected`] if early data must be read, or written again, first; nothing
    /// was taken. Any other error is fatal.
    pub fn write(&mut self, plaintext: &[u8]) -> Result<Write, Error> {
        self.write_contract(plaintext.into())
    }

    /// As [`Self::write`] of the concatenation of `slices`, which are packed into full records.
    ///
    /// A retry may regroup the bytes, or come by [`Self::write`]: only the concatenation counts. A
    /// record whose bytes lie in one slice is sealed from there; one that spans slices is gathered
    /// first, which copies its bytes once. [`Write::Written`] counts bytes, not slices.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_vectored(&mut self, slices: &[&[u8]]) -> Result<Write, Error> {
        self.write_contract(Plaintext::concatenated(slices))
    }

    /// Schedules a KeyUpdate (RFC 8446 section 4.6.3), which the next [`Self::write`] seals before
    /// any other record.
    ///
    /// The engine updates its key by itself before the suite's limit; this is for callers with a
    /// policy of their own. Scheduled twice, it is sent once.
    ///
    /// # Errors
    /// [`Misuse::KeyUpdateInHandshake`], [`Misuse::KeyUpdateInTls12`],
    /// [`Misuse::KeyUpdateAfterShutdown`]: nothing changes. A dead connection returns its error.
    pub fn key_update(&mut self, update: KeyUpdate) -> Result<(), Error> {
        let open = match &mut self.phase {
            Phase::Handshaking(_) => return Err(Misuse::KeyUpdateInHandshake.into()),
            Phase::Open(open) => open,
            Phase::Dead(error) => return Err(error.clone()),
        };
        match (open.opener.version(), &self.write_half) {
            (ProtocolVersion::Tls12, _) => Err(Misuse::KeyUpdateInTls12.into()),
            (ProtocolVersion::Tls13, WriteHalf::Closing(_) | WriteHalf::Closed) => {
                Err(Misuse::KeyUpdateAfterShutdown.into())
            }
            (
                ProtocolVersion::Tls13,
                WriteHalf::Ready
                | WriteHalf::Committed(_)
                | WriteHalf::EarlyCommitted(_)
                | WriteHalf::EarlyRejected(_),
            ) => {
                open.owed = open.owed.and(update);
                Ok(())
            }
        }
    }

    /// Bytes of plaintext that are sealed of a write that was not reported: the retry must begin
    /// with them. Zero if no write is in progress.
    #[must_use]
    pub fn committed(&self) -> usize {
        self.write_half.committed()
    }

    fn write_contract(&mut self, plaintext: Plaintext<'_>) -> Result<Write, Error> {
        let outcome = self.commit_or_report(plaintext);
        match outcome {
            Ok(Write::NeedRead) => self.stats.need_reads += 1,
            Ok(Write::NeedWrite) => {
                self.stats.need_writes += 1;
                event!(
                    trace,
                    outgoing = self.outgoing.len(),
                    committed = self.committed(),
                    "write blocked"
                );
            }
            Ok(Write::Written(_)) | Err(_) => {}
        }
        outcome
    }

    fn commit_or_report(&mut self, plaintext: Plaintext<'_>) -> Result<Write, Error> {
        if let Phase::Dead(error) = &self.phase {
            return Err(error.clone());
        }
        match &self.write_half {
            WriteHalf::Ready | WriteHalf::EarlyRejected(_) => {}
            WriteHalf::Committed(commitment) => self.check_retry(commitment, plaintext)?,
            WriteHalf::EarlyCommitted(_) => return Err(Misuse::BadWriteRetry.into()),
            WriteHalf::Closing(_) | WriteHalf::Closed => {
                return Err(Misuse::WriteAfterShutdown.into());
            }
        }
        self.close_early_data();
        match self.drive()? {
            Handshake::Complete => {}
            Handshake::NeedRead => return Ok(Write::NeedRead),
            Handshake::NeedWrite => return Ok(Write::NeedWrite),
        }
        if plaintext.is_empty() {
            return self.write_nothing();
        }
        if let WriteHalf::EarlyRejected(_) = self.write_half {
            return Err(Misuse::EarlyDataRejected.into());
        }
        let written = self.seal(plaintext, Stage::Traffic)?;
        Ok(written.map_or(Write::NeedWrite, Write::Written))
    }

    /// Seals `plaintext` behind what is committed of it, as far as there is room. Returns the bytes
    /// that are written, or `None` if the write is not done: what is sealed of it is committed.
    pub(crate) fn seal(
        &mut self,
        plaintext: Plaintext<'_>,
        stage: Stage,
    ) -> Result<Option<usize>, Error> {
        let before = self.write_half.committed();
        let (mut done, mut end) = (before, self.write_half.end());
        let mut sealed = Sealed::default();
        let mut failed = None;
        let mut rest = plaintext;
        rest.take(done);
        while !self.is_sealed(done, plaintext.len()) {
            let next = match stage {
                Stage::Early => self.seal_next_early(&mut rest),
                Stage::Traffic => self.seal_next(&mut rest),
            };
            match next {
                Ok(Some(length)) => {
                    done += length;
                    end = self.outgoing.end();
                    sealed.note(length, end);
                }
                Ok(None) => break,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        if done == 0 {
            return failed.map_or(Ok(None), Err);
        }
        if self.is_sealed(done, plaintext.len()) && self.is_complete(end) {
            self.write_half = WriteHalf::Ready;
            return Ok(Some(done));
        }
        // Also after an error: `committed` tells how much was sealed before it.
        let commitment = self.commit(plaintext, before, &sealed, end);
        self.write_half = match stage {
            Stage::Early => WriteHalf::EarlyCommitted(commitment),
            Stage::Traffic => WriteHalf::Committed(commitment),
        };
        failed.map_or(Ok(None), Err)
    }

    /// An empty write: performs what is owed, emits no record of its own.
    fn write_nothing(&mut self) -> Result<Write, Error> {
        if self.seal_owed()? == Room::Missing || !self.is_complete(self.outgoing.end()) {
            return Ok(Write::NeedWrite);
        }
        Ok(Write::Written(0))
    }

    /// Whether nothing more is to be sealed before a write can be reported.
    pub(crate) fn is_sealed(&self, done: usize, len: usize) -> bool {
        match self.settings.effective_write_mode() {
            WriteMode::Whole => done == len,
            WriteMode::Partial => done > 0,
        }
    }

    /// Whether a write is done that ends at this position of the outgoing queue.
    pub(crate) fn is_complete(&self, end: u64) -> bool {
        match self.settings.effective_completion() {
            Completion::Queued => true,
            Completion::Sent => end <= self.outgoing.sent_total(),
        }
    }

    /// Seals what is owed and then one record with the beginning of `rest`, which it is removed
    /// from; returns its length in bytes of plaintext, or `None` if there is no room for it.
    fn seal_next(&mut self, rest: &mut Plaintext<'_>) -> Result<Option<usize>, Error> {
        self.spare_key()?;
        if self.seal_owed()? == Room::Missing {
            return Ok(None);
        }
        let Phase::Open(open) = &mut self.phase else {
            return Ok(None);
        };
        let sealer = &mut open.sealer;
        let length = rest.len().min(sealer.next_record());
        let record = sealer.record_len(length);
        // A record is never shortened to the room that is left.
        if record > self.outgoing.room() {
            return Ok(None);
        }
        let plaintext = rest.take(length);
        let seal = |out: &mut [u8]| sealer.seal(ContentType::ApplicationData, plaintext, out);
        if let Err(internal) = self.outgoing.append(record, seal) {
            return Err(self.fail(internal.into()));
        }
        self.stats.records_sealed += 1;
        self.stats.plaintext_sealed += length as u64;
        Ok(Some(length))
    }

    /// Sees to it that no key is used beyond its suite's limit: TLS 1.3 owes a KeyUpdate, TLS 1.2
    /// can only close.
    fn spare_key(&mut self) -> Result<(), Error> {
        let Phase::Open(open) = &mut self.phase else {
            return Ok(());
        };
        match (open.sealer.budget(), open.opener.version()) {
            (Budget::Enough, _) => Ok(()),
            (Budget::LastRecord, ProtocolVersion::Tls13) => {
                event!(debug, "key nearly used up");
                open.owed = open.owed.and(KeyUpdate::Ours);
                Ok(())
            }
            (Budget::LastRecord, ProtocolVersion::Tls12) => {
                Err(self.fail(Internal::KeysExhausted.into()))
            }
        }
    }

    /// Seals the KeyUpdate that is owed, and changes the key.
    fn seal_owed(&mut self) -> Result<Room, Error> {
        let Phase::Open(open) = &mut self.phase else {
            return Ok(Room::Enough);
        };
        let Owed::KeyUpdate(update) = open.owed else {
            return Ok(Room::Enough);
        };
        if !self.outgoing.has_reserve(Control::KeyUpdate) {
            return Ok(Room::Missing);
        }
        let message = key_update_message(update);
        if let Err(internal) =
            self.seal_control(Control::KeyUpdate, ContentType::Handshake, &message)
        {
            return Err(self.fail(internal.into()));
        }
        self.stats.key_updates_sealed += 1;
        event!(debug, ?update, "KeyUpdate queued");
        let Phase::Open(open) = &mut self.phase else {
            return Ok(Room::Enough);
        };
        open.owed = Owed::Nothing;
        // "sealed under the old key, then the key changes" (RFC 8446 section 4.6.3).
        match open.secrets.next_sealing() {
            Ok(secret) => open.sealer.change_key(secret),
            Err(internal) => return Err(self.fail(internal.into())),
        }
        Ok(Room::Enough)
    }

    /// Refuses a retry that is shorter than what is committed, or that differs where it may still
    /// be unsent. Earlier bytes are compared by length, unless they are of the same stretch; that
    /// bounds the work of a retry by what the queue held.
    pub(crate) fn check_retry(
        &self,
        commitment: &Commitment,
        plaintext: Plaintext<'_>,
    ) -> Result<(), Misuse> {
        if plaintext.len() < commitment.sealed {
            return Err(Misuse::BadWriteRetry);
        }
        let mut offered = plaintext;
        let mut rest = offered.take(commitment.sealed);
        let sent = self.outgoing.sent_total();
        for stretch in commitment.stretches.iter().rev() {
            if stretch.end <= sent {
                break;
            }
            let mut bytes = rest;
            rest = bytes.take(rest.len().saturating_sub(stretch.length));
            if bytes.fingerprint() != stretch.fingerprint {
                return Err(Misuse::BadWriteRetry);
            }
        }
        Ok(())
    }

    /// Remembers what the retry of a blocked write must begin with: what was committed `before`,
    /// and what this call has `sealed`.
    fn commit(
        &mut self,
        plaintext: Plaintext<'_>,
        before: usize,
        sealed: &Sealed,
        end: u64,
    ) -> Commitment {
        let sent = self.outgoing.sent_total();
        let mut commitment = match core::mem::replace(&mut self.write_half, WriteHalf::Ready) {
            WriteHalf::Committed(commitment) | WriteHalf::EarlyCommitted(commitment) => commitment,
            WriteHalf::Ready
            | WriteHalf::EarlyRejected(_)
            | WriteHalf::Closing(_)
            | WriteHalf::Closed => Commitment::default(),
        };
        commitment.end = end;
        let records = sealed.records();
        commitment.sealed = before + records.iter().map(|(length, _)| length).sum::<usize>();
        if self.settings.effective_retry_check() == RetryCheck::Contents {
            commitment.stretches.retain(|stretch| stretch.end > sent);
            let mut start = before;
            for (length, end) in records {
                let mut stretch = Stretch {
                    length: *length,
                    fingerprint: 0,
                    end: *end,
                };
                if commitment.stretches.len() == STRETCHES {
                    let merged = commitment.stretches.pop().map_or(0, |last| last.length);
                    stretch.length += merged;
                    start -= merged;
                }
                let mut bytes = plaintext;
                bytes.take(start);
                stretch.fingerprint = bytes.take(stretch.length).fingerprint();
                commitment.stretches.push(stretch);
                start += stretch.length;
            }
        }
        commitment
    }
}
