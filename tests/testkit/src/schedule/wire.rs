//! The model of one direction of the wire: which records its sender committed and where each one
//! stands, and how far the transport carries them.

use offwire::{KeyUpdate, ProtocolVersion, Settings};

use super::sizes::Sizes;
use super::verdict::{Verdict, ensure, ensure_eq};
use crate::contexts::Suite;
use crate::records::{self, ContentType, HEADER, Record};

/// What a record carries that the engine sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// So many bytes of application data.
    Data(usize),
    KeyUpdate(KeyUpdate),
    /// An alert that closes (close_notify) or ends (a fatal one).
    Alert(Last),
}

/// Which alert is the last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    CloseNotify,
    Fatal,
}

impl Kind {
    fn content(self) -> usize {
        match self {
            Self::Data(len) => len,
            Self::KeyUpdate(_) => 5, // a header of four bytes, and the request
            Self::Alert(_) => 2,
        }
    }
}

/// A record that the engine sealed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealed {
    pub(super) kind: Kind,
    /// Where it begins and ends in its direction, in wire bytes.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The application data up to its end, in bytes.
    pub(super) plaintext: usize,
}

/// What happened to a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    None,
    /// It ends, where the link knows.
    Ended,
    /// A bit of the byte at this offset is flipped.
    Flipped {
        at: usize,
        bit: u8,
    },
}

/// One direction.
#[derive(Debug)]
pub(super) struct Wire {
    version: ProtocolVersion,
    /// Bytes that a record has beyond its content.
    overhead: usize,
    pub(super) sizes: Sizes,
    /// What the engine offered, as it was when it was sealed, and has not sent.
    waiting: Vec<u8>,
    /// Where `waiting` begins in the vector: what is before has left.
    head: usize,
    /// How many bytes have left the sender, and how many the receiver has taken.
    pub(super) sent: usize,
    pub(super) fed: usize,
    /// The records of the handshake; they are rustls's.
    pub(super) handshake: Vec<Foreign>,
    /// The engine's records, behind the handshake.
    pub(super) records: Vec<Sealed>,
    pub(super) damage: Damage,
}

impl Wire {
    pub(super) fn new(version: ProtocolVersion, suite: Suite, settings: Settings) -> Self {
        let explicit_nonce = match (version, suite) {
            (ProtocolVersion::Tls12, Suite::Aes128Gcm | Suite::Aes256Gcm) => 8,
            (ProtocolVersion::Tls12, Suite::ChaCha20Poly1305) => 0,
            (ProtocolVersion::Tls13, _) => 1, // the inner content type
        };
        let overhead = HEADER + explicit_nonce + 16;
        Self {
            version,
            overhead,
            sizes: Sizes::new(settings, overhead),
            waiting: Vec::new(),
            head: 0,
            sent: 0,
            fed: 0,
            handshake: Vec::new(),
            records: Vec::new(),
            damage: Damage::None,
        }
    }

    /// How many bytes wait to be sent.
    pub(super) fn waits(&self) -> usize {
        self.waiting.len() - self.head
    }

    /// Whether these are the bytes that wait to be sent.
    pub(super) fn has_waiting(&self, offered: &[&[u8]]) -> bool {
        let mut rest = self.waiting.get(self.head..).unwrap_or_default();
        offered.iter().all(|slice| {
            let same = rest.starts_with(slice);
            rest = rest.get(slice.len()..).unwrap_or_default();
            same
        }) && rest.is_empty()
    }

    /// How many of them belong to records that may use the reserve: KeyUpdates and alerts.
    pub(super) fn control_waits(&self) -> usize {
        let unsent = self.records.iter().rev();
        unsent
            .take_while(|record| record.end > self.sent)
            .filter(|record| !matches!(record.kind, Kind::Data(_)))
            .map(|record| record.end - record.start.max(self.sent))
            .sum()
    }

    /// The position behind the last byte.
    pub(super) fn end(&self) -> usize {
        self.sent + self.waits()
    }

    /// The wire bytes of a record with so many bytes of application data.
    pub(super) fn record_len(&self, plaintext: usize) -> usize {
        self.overhead + plaintext
    }

    /// All application data that was sealed, in bytes.
    pub(super) fn plaintext(&self) -> usize {
        self.records.last().map_or(0, |record| record.plaintext)
    }

    /// The position behind the last record of application data, or of the handshake.
    pub(super) fn data_end(&self) -> usize {
        let is_data = |record: &&Sealed| matches!(record.kind, Kind::Data(_));
        let last = self.records.iter().rev().find(is_data);
        last.map_or_else(|| self.handshake_end(), |record| record.end)
    }

    /// The position behind the last record of the handshake so far.
    pub(super) fn handshake_end(&self) -> usize {
        self.handshake.last().map_or(0, |record| record.end)
    }

    /// Compares what the engine offers with what it had offered, and remembers what is new. Of the
    /// records in it, those that are not the engine's own belong to the handshake.
    pub(super) fn grow(&mut self, offered: &[&[u8]], sealed: &[Kind], begins: Begins) -> Verdict {
        let total: usize = offered.iter().map(|slice| slice.len()).sum();
        ensure!(
            total >= self.waits(),
            "{} bytes were sealed and only {total} still wait",
            self.waits()
        );
        if self.head == self.waiting.len() {
            self.waiting.clear();
            self.head = 0;
        }
        let (from, mut skip) = (self.waiting.len(), self.waits());
        let start = self.end();
        for slice in offered {
            let known = skip.min(slice.len());
            self.waiting.extend_from_slice(&slice[known..]);
            skip -= known;
        }
        let (new, rest) = records::split(&self.waiting[from..]);
        ensure!(rest.is_empty(), "{} bytes are no whole record", rest.len());
        let lengths: Vec<usize> = new.iter().map(Record::wire_len).collect();
        let foreign = lengths.len().saturating_sub(sealed.len());
        let expected: Vec<usize> = sealed
            .iter()
            .map(|kind| self.overhead + kind.content())
            .collect();
        ensure_eq!(
            lengths[foreign..],
            expected[..],
            "the records on the wire are those that were committed ({sealed:?}), each once"
        );
        ensure!(
            foreign == 0 || begins != Begins::Behind,
            "a record on the wire that no call committed: {lengths:?}, committed {sealed:?}"
        );
        let mut at = start;
        for record in &new[..foreign] {
            let guise = self.guise(record, begins);
            let (start, end) = (at, at + record.wire_len());
            self.handshake.push(Foreign { start, end, guise });
            at = end;
        }
        for (kind, len) in sealed.iter().zip(expected) {
            let data = match kind {
                Kind::Data(len) => *len,
                Kind::KeyUpdate(_) | Kind::Alert(_) => 0,
            };
            self.records.push(Sealed {
                kind: *kind,
                start: at,
                end: at + len,
                plaintext: self.plaintext() + data,
            });
            at += len;
        }
        Ok(())
    }

    /// Bytes have left: they must be those that were sealed.
    pub(super) fn leave(&mut self, bytes: &[u8]) -> Verdict {
        let expected = self.waiting.get(self.head..self.head + bytes.len());
        ensure!(
            expected == Some(bytes),
            "the bytes {}.. changed between being sealed and being sent",
            self.sent
        );
        self.head += bytes.len();
        self.sent += bytes.len();
        if self.head > 1 << 16 {
            self.waiting.drain(..self.head);
            self.head = 0;
        }
        Ok(())
    }

    /// The record of application data that holds the byte behind so many.
    pub(super) fn unread(&self, received: usize) -> Option<&Sealed> {
        let passed = |record: &Sealed| record.plaintext <= received;
        self.records.get(self.records.partition_point(passed))
    }

    /// KeyUpdates that ask for an answer and that the receiver has not met; it has met so many.
    pub(super) fn requests_unseen(&self, met: u64) -> usize {
        let updates = self.records.iter().filter_map(|record| match record.kind {
            Kind::KeyUpdate(update) => Some(update),
            Kind::Data(_) | Kind::Alert(_) => None,
        });
        let unseen = updates.skip(usize::try_from(met).unwrap_or(usize::MAX));
        unseen.filter(|update| *update == KeyUpdate::Both).count()
    }

    /// The direction ends; a bit that was flipped before stays the damage that counts.
    pub(super) fn damage_by_end(&mut self) {
        if self.damage == Damage::None {
            self.damage = Damage::Ended;
        }
    }

    /// What else may be in the way of a record: a KeyUpdate that has not left.
    pub(super) fn key_update_waits(&self) -> bool {
        let mut unsent = self.records.iter().rev();
        unsent
            .by_ref()
            .take_while(|record| record.end > self.sent)
            .any(|record| matches!(record.kind, Kind::KeyUpdate(_)))
    }

    /// Whether a record has left in part.
    pub(super) fn is_in_record(&self) -> bool {
        let record = self.record_at(self.sent);
        record.is_some_and(|record| record.start < self.sent)
    }

    /// The engine's record that holds this byte; `None` for one of the handshake.
    pub(super) fn record_at(&self, offset: usize) -> Option<&Sealed> {
        let passed = |record: &Sealed| record.end <= offset;
        let record = self.records.get(self.records.partition_point(passed));
        record.filter(|record| record.start <= offset)
    }

    /// Where the record stands that holds this byte, and which of the handshake's it is, if it is
    /// one.
    pub(super) fn place(&self, offset: usize) -> Option<(usize, usize, Option<Guise>)> {
        let passed = |record: &Foreign| record.end <= offset;
        let foreign = self.handshake.get(self.handshake.partition_point(passed));
        match foreign {
            Some(record) => Some((record.start, record.end, Some(record.guise))),
            None => self
                .record_at(offset)
                .map(|record| (record.start, record.end, None)),
        }
    }

    /// Where the alert ends of a sender that failed in its handshake.
    pub(super) fn early_alert(&self) -> Option<usize> {
        let last = self.handshake.last();
        last.filter(|record| record.guise == Guise::Alert)
            .map(|record| record.end)
    }

    /// Whether the handshake has sent a record under keys.
    pub(super) fn has_protected(&self) -> bool {
        let mut records = self.handshake.iter();
        records.any(|record| record.guise == Guise::Protected)
    }

    fn guise(&self, record: &Record<'_>, begins: Begins) -> Guise {
        let changed = |record: &Foreign| record.guise == Guise::ChangeCipherSpec;
        match (record.content_type, self.version) {
            (ContentType::CHANGE_CIPHER_SPEC, _) => Guise::ChangeCipherSpec,
            (ContentType::ALERT, _) => Guise::Alert,
            (ContentType::APPLICATION_DATA, ProtocolVersion::Tls13)
                if record.wire_len() == self.overhead + Kind::Alert(Last::Fatal).content() =>
            {
                Guise::Alert // the shortest message of a handshake is longer
            }
            (ContentType::APPLICATION_DATA, _) => match begins {
                Begins::BehindFlights => Guise::Ticket,
                Begins::InHandshake | Begins::Behind => Guise::Protected,
            },
            (_, ProtocolVersion::Tls12) if self.handshake.iter().any(changed) => Guise::Protected,
            _ => Guise::Handshake,
        }
    }
}

/// A record of the handshake.
#[derive(Clone, Copy, Debug)]
pub(super) struct Foreign {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) guise: Guise,
}

/// What a record of the handshake looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guise {
    /// Messages in the clear.
    Handshake,
    ChangeCipherSpec,
    /// Messages under keys.
    Protected,
    /// A ticket of TLS 1.3, which the client reads behind its handshake.
    Ticket,
    /// The alert of a side that failed.
    Alert,
}

/// Whether a call began in the handshake: only then may records appear that are not the engine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    InHandshake,
    /// And the client has sent all of its own: what a TLS 1.3 server still sends are tickets.
    BehindFlights,
    Behind,
}
