//! Early data (`SSL_write_early_data(3)`, `SSL_read_early_data(3)`): application data before the
//! handshake is complete, under the write contract.
//!
//! Its records are sealed and opened by rustls, behind the seam. What the server rejects is told
//! apart from what it takes, and nothing can be written in its place unnoticed.

use crate::engine::Engine;
use crate::error::{Error, Misuse};
use crate::half::WriteHalf;
use crate::outcome::{EarlyDataStatus, Handshake as Outcome, ReadEarlyData, WriteEarlyData};
use crate::phase::Phase;
use crate::plaintext::Plaintext;
use crate::tls::early::Window;
use crate::tls::handshake::{Handshake, Progress};
use crate::tls::secrets::Role;
use crate::trace::event;

/// Who seals a write's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// rustls, before the handshake is complete.
    Early,
    /// The engine.
    Traffic,
}

impl Engine {
    /// Writes `plaintext` before the handshake is complete (`SSL_write_early_data(3)`).
    ///
    /// **A client** writes early data (0-RTT): the first call emits its ClientHello as well. It is
    /// possible while a session's ticket permits it, and until [`Self::write`] or
    /// [`Self::handshake`] is called or a read meets the server's Finished. An attacker can
    /// [replay](crate::Settings::danger_early_data) it. A write says nothing of whether the server
    /// takes the data: see [`Self::rejected_early_data`].
    ///
    /// **A server** answers behind its first flight (0.5-RTT), before the client's Finished has
    /// come: it does not know yet that the client is alive, and the ClientHello may be a replay. It
    /// takes `send_half_rtt_data` in rustls's configuration, and no client certificate.
    ///
    /// The contract is that of [`Self::write`], whole or partial, with the same retry:
    ///
    /// - [`WriteEarlyData::Written`]: so many bytes are written.
    /// - [`WriteEarlyData::NeedWrite`]: send [`Self::outgoing`], then call again, with the same
    ///   bytes if any are [committed](Self::committed).
    /// - [`WriteEarlyData::NeedRead`], a server's only: the ClientHello has not come.
    /// - [`WriteEarlyData::Ended`]: there is no early data any more, or none was possible: no
    ///   session, the session's limit (which cannot be asked for), the handshake that went on. So
    ///   many bytes of this call's are written; write the others with [`Self::write`].
    ///
    /// A client's call reads nothing. No bytes emit no record: `Written(0)` says that early data is
    /// possible.
    ///
    /// # Errors
    /// [`Misuse::BadWriteRetry`] if the retry is shorter than what is committed, its committed
    /// bytes differ, or it belongs to the other verb; nothing changes. [`Misuse::WriteAfterShutdown`]
    /// once [`Self::shutdown`] was called. Any other error is fatal.
    pub fn write_early_data(&mut self, plaintext: &[u8]) -> Result<WriteEarlyData, Error> {
        let outcome = self.write_early_contract(plaintext.into());
        match outcome {
            Ok(WriteEarlyData::NeedRead) => self.stats.need_reads += 1,
            Ok(WriteEarlyData::NeedWrite) => {
                self.stats.need_writes += 1;
                event!(
                    trace,
                    outgoing = self.outgoing.len(),
                    committed = self.committed(),
                    "write of early data blocked"
                );
            }
            Ok(WriteEarlyData::Written(_) | WriteEarlyData::Ended(_)) | Err(_) => {}
        }
        outcome
    }

    /// Reads early data (`SSL_read_early_data(3)`). A server's only.
    ///
    /// **It may be a replay**: see [`Settings::danger_early_data`](crate::Settings::danger_early_data).
    ///
    /// - [`ReadEarlyData::Read`]: so many bytes, all of one record.
    /// - [`ReadEarlyData::NeedRead`]: feed, then call again.
    /// - [`ReadEarlyData::NeedWrite`]: send [`Self::outgoing`], then call again.
    /// - [`ReadEarlyData::Ended`]: no more will come, because the client offers none or it was
    ///   rejected (then at once), or because the handshake is complete. Go on with [`Self::read`].
    ///
    /// rustls decides whether early data is accepted, by its configuration. What was accepted must
    /// be read: until then the other verbs say [`Misuse::EarlyDataUnread`]. The handshake goes as
    /// far as the input allows.
    ///
    /// # Errors
    /// [`Misuse::EarlyDataReadByClient`]; nothing changes. Every other error is fatal and sticky,
    /// more early data than the configuration permits among them.
    pub fn read_early_data(&mut self, into: &mut [u8]) -> Result<ReadEarlyData, Error> {
        let outcome = self.read_early_contract(into);
        match outcome {
            Ok(ReadEarlyData::NeedRead) => self.stats.need_reads += 1,
            Ok(ReadEarlyData::NeedWrite) => self.stats.need_writes += 1,
            Ok(ReadEarlyData::Read(_) | ReadEarlyData::Ended) | Err(_) => {}
        }
        outcome
    }

    /// What became of early data (`SSL_get_early_data_status(3)`), as far as it is known: both sides
    /// know when their handshake is complete, at the latest.
    ///
    /// rustls does not say, so it is told by what is seen. A client's early data was accepted if an
    /// EndOfEarlyData begins its second flight (RFC 8446 section 4.5), which its length of 26 bytes
    /// shows. A server has accepted it once it has opened some, or a record of that length; it has
    /// rejected it if the handshake is not a resumption, or if a record could not be opened. If none
    /// came at all, a client that pads its records can make a server's answer wrong, and nothing else.
    pub fn early_data(&self) -> EarlyDataStatus {
        self.early_data
    }

    /// Bytes of early data that were reported as written and that the server has rejected. They
    /// are the first that were written: write them again.
    ///
    /// Tells them once, then 0. Until it was asked, [`Self::write`] says
    /// [`Misuse::EarlyDataRejected`], so that nothing overtakes them.
    #[must_use = "these bytes have not arrived"]
    pub fn rejected_early_data(&mut self) -> usize {
        let WriteHalf::EarlyRejected(rejected) = self.write_half else {
            return 0;
        };
        self.write_half = WriteHalf::Ready;
        rejected
    }

    /// A client goes over to the handshake: "no early write after it".
    pub(crate) fn close_early_data(&mut self) {
        match &mut self.phase {
            Phase::Handshaking(handshake) => handshake.close_early(),
            Phase::Open(_) | Phase::Dead(_) => {}
        }
    }

    fn write_early_contract(&mut self, plaintext: Plaintext<'_>) -> Result<WriteEarlyData, Error> {
        if let Phase::Dead(error) = &self.phase {
            return Err(error.clone());
        }
        match &self.write_half {
            WriteHalf::Ready | WriteHalf::EarlyRejected(_) => {}
            WriteHalf::EarlyCommitted(commitment) => self.check_retry(commitment, plaintext)?,
            WriteHalf::Committed(_) => return Err(Misuse::BadWriteRetry.into()),
            WriteHalf::Closing(_) | WriteHalf::Closed => {
                return Err(Misuse::WriteAfterShutdown.into());
            }
        }
        match self.reach_early_data()? {
            Progress::NeedRoom => return Ok(WriteEarlyData::NeedWrite),
            Progress::NeedInput | Progress::EarlyData | Progress::Complete => {}
        }
        match self.early_window() {
            Window::Open => {}
            Window::Ended => return Ok(self.report_ended(plaintext.len())),
            Window::Shut => {
                return Ok(match self.wait_for_input()? {
                    Outcome::NeedRead => WriteEarlyData::NeedRead,
                    Outcome::NeedWrite | Outcome::Complete => WriteEarlyData::NeedWrite,
                });
            }
        }
        if plaintext.is_empty() {
            let done = self.is_complete(self.outgoing.end());
            return Ok(if done {
                WriteEarlyData::Written(0)
            } else {
                WriteEarlyData::NeedWrite
            });
        }
        if let Some(written) = self.seal(plaintext, Stage::Early)? {
            return Ok(WriteEarlyData::Written(written));
        }
        Ok(match self.early_window() {
            Window::Ended => self.report_ended(plaintext.len()),
            Window::Open | Window::Shut => WriteEarlyData::NeedWrite,
        })
    }

    /// Goes on towards the place where records may be sealed before the handshake is complete.
    fn reach_early_data(&mut self) -> Result<Progress, Error> {
        if !self.has_early_data() {
            let progress = self.progress(Handshake::reach_early)?;
            if progress != Progress::EarlyData {
                return Ok(progress);
            }
        }
        // A server may answer early data before it has read it.
        self.progress(Handshake::settle)
    }

    fn early_window(&self) -> Window {
        match &self.phase {
            Phase::Handshaking(handshake) => handshake.early_window(),
            Phase::Open(_) | Phase::Dead(_) => Window::Ended,
        }
    }

    /// Reports a write of `len` bytes behind which nothing more can be sealed.
    fn report_ended(&mut self, len: usize) -> WriteEarlyData {
        let WriteHalf::EarlyCommitted(commitment) = &self.write_half else {
            return WriteEarlyData::Ended(0);
        };
        if !self.is_complete(commitment.end) {
            return WriteEarlyData::NeedWrite;
        }
        let sealed = commitment.sealed;
        self.write_half = WriteHalf::Ready;
        if self.is_sealed(sealed, len) {
            WriteEarlyData::Written(sealed)
        } else {
            WriteEarlyData::Ended(sealed)
        }
    }

    /// Seals one record with the beginning of `rest`, which it is removed from; returns its length
    /// in bytes of plaintext, or `None` if there is no room for it or no more may be sealed.
    pub(crate) fn seal_next_early(
        &mut self,
        rest: &mut Plaintext<'_>,
    ) -> Result<Option<usize>, Error> {
        if self.early_window() != Window::Open {
            return Ok(None);
        }
        let Phase::Handshaking(handshake) = &mut self.phase else {
            return Ok(None);
        };
        let length = rest.len().min(handshake.early_record());
        if Handshake::early_record_len(length) > self.outgoing.room() {
            return Ok(None);
        }
        let mut record = *rest;
        let record = record.take(length).contiguous().unwrap_or_default();
        match handshake.seal_early(record, &mut self.incoming, &mut self.outgoing) {
            Ok(0) => Ok(None),
            Ok(sealed) => {
                rest.take(sealed);
                Ok(Some(sealed))
            }
            Err(internal) => Err(self.fail(internal.into())),
        }
    }

    fn read_early_contract(&mut self, into: &mut [u8]) -> Result<ReadEarlyData, Error> {
        match &self.phase {
            Phase::Handshaking(handshake) if handshake.role() == Role::Server => {}
            Phase::Open(open) if open.secrets.role() == Role::Server => {
                return Ok(ReadEarlyData::Ended);
            }
            Phase::Handshaking(_) | Phase::Open(_) => {
                return Err(Misuse::EarlyDataReadByClient.into());
            }
            Phase::Dead(error) => return Err(error.clone()),
        }
        if !self.has_early_data() {
            let progress = self.progress(Handshake::advance)?;
            match (progress, self.no_early_data_will_come()) {
                (Progress::EarlyData, _) => {}
                (Progress::Complete, _) | (Progress::NeedInput | Progress::NeedRoom, true) => {
                    return Ok(ReadEarlyData::Ended);
                }
                (Progress::NeedRoom, false) => return Ok(ReadEarlyData::NeedWrite),
                (Progress::NeedInput, false) => {
                    return Ok(match self.wait_for_input()? {
                        Outcome::NeedRead => ReadEarlyData::NeedRead,
                        Outcome::NeedWrite | Outcome::Complete => ReadEarlyData::NeedWrite,
                    });
                }
            }
        }
        Ok(ReadEarlyData::Read(self.take_pending(into)))
    }

    fn no_early_data_will_come(&self) -> bool {
        match &self.phase {
            Phase::Handshaking(handshake) => handshake.early().is_over(),
            Phase::Open(_) | Phase::Dead(_) => true,
        }
    }
}
