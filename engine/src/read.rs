//! The `SSL_read(3)` contract: plaintext first, then what stands behind it, be it a clean end, a
//! truncation or an error.
//!
//! A record is opened when it is asked for: straight into the caller's buffer if that can hold it
//! and its spare byte, else where it lies, to be handed out piece by piece.

pub(crate) mod destination;

use alloc::vec::Vec;

use bytes::Bytes;

use crate::alert::Alert;
use crate::engine::Engine;
use crate::error::Error;
use crate::half::{ReadHalf, WriteHalf};
use crate::outcome::{Handshake, KeyUpdate, Read, ReadBytes};
use crate::outgoing::Control;
use crate::phase::{Open, Phase};
use crate::read::destination::Destination;
use crate::record::open::Opened;
use crate::record::post_handshake::{Notice, Request};
use crate::record::seal::Budget;
use crate::record::{ContentType, HEADER, Header};
use crate::stats::Stats;
use crate::trace::event;

/// What a record without application data demands of the whole connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Nothing,
    Ticket,
    CloseNotify,
    Renegotiate,
}

/// What the next record in the incoming queue came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// It is not whole.
    Incomplete,
    /// So many bytes of plaintext were opened into the caller's buffer.
    Opened(usize),
    /// Its plaintext waits in the incoming queue.
    Pending,
    /// It had nothing for the caller.
    Consumed,
    /// It was close_notify.
    CloseNotify,
}

impl Engine {
    /// Reads plaintext, completing the handshake first if necessary.
    ///
    /// - [`Read::Read`]: so many bytes, all of one record. A buffer with room for a whole record
    ///   and one byte more (16,385 bytes) is opened into without a copy; what stands behind the
    ///   returned bytes is then unspecified.
    /// - [`Read::NeedRead`]: all input is consumed; feed, then call again. Once the handshake is
    ///   complete there may be output waiting all the same, our last flight among it: send it.
    /// - [`Read::NeedWrite`]: the handshake has output that must leave first; never said after it.
    /// - [`Read::Closed`], [`Read::Truncated`]: the end, clean or not; sticky.
    ///
    /// With an empty buffer `Read(0)` says that plaintext waits.
    ///
    /// # Errors
    /// Every error is fatal and sticky. Plaintext before it is delivered first; the alert to the
    /// peer waits in [`Self::outgoing`].
    pub fn read(&mut self, into: &mut [u8]) -> Result<Read, Error> {
        let outcome = self.read_contract(into);
        self.note_read(&outcome);
        outcome
    }

    /// As [`Self::read`], but the plaintext stays and is returned again (`SSL_peek(3)`).
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn peek(&mut self, into: &mut [u8]) -> Result<Read, Error> {
        // Nothing is opened into an empty buffer, so the record stays in the queue.
        let outcome = match self.read_contract::<[u8]>(&mut []) {
            Ok(Read::Read(_)) => Ok(Read::Read(into.copy(self.incoming.plaintext()))),
            outcome => outcome,
        };
        self.note_read(&outcome);
        outcome
    }

    /// As [`Self::read`], but hands out a record's plaintext in storage of its own, which no copy
    /// was made for: the record is opened straight into it.
    ///
    /// - [`ReadBytes::Read`]: the plaintext of one record, or what an earlier read or peek left of
    ///   it (that is copied); never empty.
    /// - The other outcomes are those of [`Self::read`].
    ///
    /// Each costs an allocation of the record's size and one of a few words that count its
    /// references, where [`Self::read`] into a buffer that is used again costs none. What the
    /// caller holds does not count against [`Settings::incoming_limit`] and keeps nothing of the
    /// engine alive; it holds at most twice its length, whatever padding the peer sent.
    ///
    /// # Errors
    /// As [`Self::read`].
    ///
    /// [`Settings::incoming_limit`]: crate::Settings::incoming_limit
    pub fn read_bytes(&mut self) -> Result<ReadBytes, Error> {
        let mut storage = Vec::new();
        let outcome = self.read_contract(&mut storage);
        self.note_read(&outcome);
        outcome.map(|outcome| match outcome {
            Read::Read(length) => ReadBytes::Read(handed_out(storage, length)),
            Read::NeedRead => ReadBytes::NeedRead,
            Read::NeedWrite => ReadBytes::NeedWrite,
            Read::Closed => ReadBytes::Closed,
            Read::Truncated => ReadBytes::Truncated,
        })
    }

    fn read_contract<D: Destination + ?Sized>(&mut self, into: &mut D) -> Result<Read, Error> {
        loop {
            if self.incoming.pending() > 0 && !self.has_early_data() {
                return Ok(Read::Read(self.take_pending(into)));
            }
            match self.read_half {
                ReadHalf::CloseNotify if self.is_alive() => return Ok(Read::Closed),
                ReadHalf::Truncated if self.is_alive() => return Ok(Read::Truncated),
                ReadHalf::Open | ReadHalf::Ending | ReadHalf::CloseNotify | ReadHalf::Truncated => {
                }
            }
            match self.drive()? {
                Handshake::Complete => {}
                Handshake::NeedRead => return Ok(Read::NeedRead),
                Handshake::NeedWrite => return Ok(Read::NeedWrite),
            }
            match self.next_record(into)? {
                Record::Opened(length) => return Ok(Read::Read(length)),
                Record::Pending | Record::Consumed | Record::CloseNotify => {}
                Record::Incomplete => {
                    self.read_half.input_exhausted();
                    if self.read_half == ReadHalf::Open {
                        return Ok(Read::NeedRead);
                    }
                    self.incoming.clear_ciphertext();
                }
            }
        }
    }

    /// Opens the next record and acts on it, into `into` if it can hold the record.
    pub(crate) fn next_record<D: Destination + ?Sized>(
        &mut self,
        into: &mut D,
    ) -> Result<Record, Error> {
        match self.open_record(into) {
            Ok(Record::CloseNotify) => {
                // "Any data received after a closure alert has been received MUST be ignored."
                // (RFC 8446 section 6.1)
                event!(debug, "close_notify received");
                self.read_half = ReadHalf::CloseNotify;
                self.incoming.clear_ciphertext();
                Ok(Record::CloseNotify)
            }
            Ok(record) => Ok(record),
            Err(error) => Err(self.fail(error)),
        }
    }

    fn open_record<D: Destination + ?Sized>(&mut self, into: &mut D) -> Result<Record, Error> {
        let Phase::Open(open) = &mut self.phase else {
            return Ok(Record::Incomplete);
        };
        let ciphertext = self.incoming.ciphertext_mut();
        let Some((header, rest)) = ciphertext.split_first_chunk_mut::<HEADER>() else {
            return Ok(Record::Incomplete);
        };
        let header = Header::parse(*header, open.opener.version())?;
        let Some(body) = rest.get_mut(..header.length) else {
            return Ok(Record::Incomplete);
        };
        let wire_len = HEADER + header.length;
        let inner_len = open.opener.inner_len(&header)?;

        if let Some(into) = into.space(inner_len) {
            let Opened {
                content_type,
                content,
            } = open.opener.open_into(&header, body, into)?;
            self.stats.records_opened += 1;
            self.incoming.discard(wire_len);
            if content_type == ContentType::ApplicationData {
                open.post_handshake.application_data(content.len())?;
                self.stats.plaintext_opened += content.len() as u64;
                return Ok(match content.len() {
                    0 => Record::Consumed,
                    length => Record::Opened(length),
                });
            }
            let content = into.get(content).unwrap_or_default();
            let meaning = open.act(content_type, content, &mut self.stats);
            // What is not application data was never the caller's.
            into.fill(0);
            return self.obey(meaning?);
        }

        let Opened {
            content_type,
            content,
        } = open.opener.open_in_place(&header, body)?;
        self.stats.records_opened += 1;
        if content_type == ContentType::ApplicationData {
            open.post_handshake.application_data(content.len())?;
            self.stats.plaintext_opened += content.len() as u64;
            let record = if content.is_empty() {
                Record::Consumed
            } else {
                Record::Pending
            };
            let content = HEADER + content.start..HEADER + content.end;
            self.incoming.keep_plaintext(wire_len, content);
            return Ok(record);
        }
        let content = body.get(content).unwrap_or_default();
        let meaning = open.act(content_type, content, &mut self.stats);
        self.incoming.discard(wire_len);
        self.obey(meaning?)
    }

    /// Does what a record without application data demands of the whole connection.
    fn obey(&mut self, meaning: Meaning) -> Result<Record, Error> {
        match meaning {
            Meaning::Nothing => Ok(Record::Consumed),
            Meaning::Ticket => {
                // They come once; the room that they needed, an idle client does not.
                self.incoming.release();
                Ok(Record::Consumed)
            }
            Meaning::CloseNotify => Ok(Record::CloseNotify),
            Meaning::Renegotiate => {
                event!(debug, "renegotiation not performed");
                if self.may_warn() {
                    self.seal_alert(Alert::NO_RENEGOTIATION)?;
                }
                Ok(Record::Consumed)
            }
        }
    }

    /// Whether a renegotiation warning may be sealed. One that is still waiting serves the next
    /// request as well, and none may use up the key: its last record is for close_notify.
    fn may_warn(&self) -> bool {
        match (&self.phase, &self.write_half) {
            (
                Phase::Open(open),
                WriteHalf::Ready
                | WriteHalf::Committed(_)
                | WriteHalf::EarlyCommitted(_)
                | WriteHalf::EarlyRejected(_),
            ) => {
                open.sealer.budget() == Budget::Enough
                    && self.outgoing.has_reserve(Control::Warning)
            }
            (Phase::Handshaking(_) | Phase::Open(_) | Phase::Dead(_), _) => false,
        }
    }

    /// Hands plaintext out that was opened where it lay.
    pub(crate) fn take_pending<D: Destination + ?Sized>(&mut self, into: &mut D) -> usize {
        let length = into.copy(self.incoming.plaintext());
        self.incoming.discard_plaintext(length);
        length
    }

    fn note_read(&mut self, outcome: &Result<Read, Error>) {
        match outcome {
            Ok(Read::NeedRead) => self.stats.need_reads += 1,
            Ok(Read::NeedWrite) => self.stats.need_writes += 1,
            Ok(Read::Read(_) | Read::Closed | Read::Truncated) | Err(_) => {}
        }
    }
}

/// The first `length` bytes of `storage`, which is what a record opened into it left there. Much
/// padding is not held on to.
fn handed_out(mut storage: Vec<u8>, length: usize) -> Bytes {
    if storage.capacity() / 2 > length {
        return Bytes::copy_from_slice(storage.get(..length).unwrap_or_default());
    }
    storage.truncate(length);
    Bytes::from(storage)
}

impl Open {
    /// Acts on a record that carries no application data.
    fn act(
        &mut self,
        content_type: ContentType,
        content: &[u8],
        stats: &mut Stats,
    ) -> Result<Meaning, Error> {
        let Self {
            post_handshake,
            opener,
            secrets,
            owed,
            ..
        } = self;
        let (version, role) = (opener.version(), secrets.role());
        let mut meaning = Meaning::Nothing;
        match content_type {
            ContentType::ApplicationData => {}
            ContentType::Alert => match post_handshake.alert(content, version)? {
                Notice::CloseNotify => meaning = Meaning::CloseNotify,
                Notice::Warning => {}
            },
            ContentType::Handshake => {
                post_handshake.handshake(content, (version, role), |request| {
                    match request {
                        Request::KeyUpdate(update) => {
                            opener.change_key(secrets.next_opening()?);
                            stats.key_updates_received += 1;
                            event!(debug, ?update, "KeyUpdate received");
                            if update == KeyUpdate::Both {
                                *owed = owed.and(KeyUpdate::Ours);
                            }
                        }
                        Request::Ticket(body) => {
                            secrets.store_ticket(body)?;
                            stats.tickets_received += 1;
                            event!(debug, "session ticket received");
                            meaning = Meaning::Ticket;
                        }
                        Request::Renegotiate => meaning = Meaning::Renegotiate,
                    }
                    Ok(())
                })?;
            }
        }
        Ok(meaning)
    }
}
