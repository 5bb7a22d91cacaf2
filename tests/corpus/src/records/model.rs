//! What an engine must make of records behind the handshake: which data, and then which end. The rules
//! are those of RFC 8446 and RFC 5246, and the limits against floods (`docs/matrix.md`, E10); no line
//! is shared with the engine.

use alloc::collections::VecDeque;

use offwire::{Alert, Error, Flood, Peer, ProtocolVersion};
use offwire_testkit::{ContentType, Side};

use super::messages::{self, Ticket};

/// Bytes of plaintext that a record may carry.
const LONGEST: usize = 1 << 14;

/// Which key sealed a record, and under which number: KeyUpdates before it, records under that key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) generation: u64,
    pub(super) number: u64,
}

/// A record that the peer has sealed.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) position: Position,
    /// What was sealed: in TLS 1.3 with content type and padding.
    pub(super) inner: Vec<u8>,
}

/// How the data ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It has not ended.
    Open,
    /// By close_notify.
    Closed,
    /// By the first record that the engine may not accept.
    Failed(Error),
}

/// The model: it takes the stream as the engine does, and knows beforehand what comes of it.
#[derive(Debug)]
pub(super) struct Model {
    version: ProtocolVersion,
    /// The engine's role.
    role: Side,
    /// The stream from the record on that is not whole.
    stream: Vec<u8>,
    /// Where that record begins.
    offset: usize,
    /// Where each record that was sealed begins, and the record.
    sealed: VecDeque<(usize, Sealed)>,
    next: Position,
    /// The beginning of a handshake message.
    partial: Vec<u8>,
    seen: Seen,
    /// How many records were opened: the first that may not come is one of them, unless it is no
    /// record at all.
    pub(super) opened: u64,
    /// All application data before the end.
    pub(super) data: Vec<u8>,
    pub(super) end: End,
    /// How much data and how many records came up to each ticket of which rustls alone can tell whether it is one.
    unsure: Vec<(usize, u64)>,
}

/// How many came without application data between them.
#[derive(Debug, Default)]
struct Seen {
    empty_records: u32,
    warnings: u32,
    key_updates: u32,
    tickets: u32,
    renegotiations: u32,
}

impl Model {
    pub(super) fn new(version: ProtocolVersion, role: Side) -> Self {
        Self {
            version,
            role,
            stream: Vec::new(),
            offset: 0,
            sealed: VecDeque::new(),
            next: Position::default(),
            partial: Vec::new(),
            seen: Seen::default(),
            opened: 0,
            data: Vec::new(),
            end: End::Open,
            unsure: Vec::new(),
        }
    }

    /// The peer has sealed this record, which comes next in the stream.
    pub(super) fn sealed(&mut self, wire: &[u8], sealed: Sealed) {
        let at = self.offset + self.stream.len();
        self.sealed.push_back((at, sealed));
        self.take(wire);
    }

    /// These bytes come next in the stream; a record that is whole by them is acted on.
    pub(super) fn take(&mut self, wire: &[u8]) {
        self.stream.extend_from_slice(wire);
        while self.end == End::Open {
            match self.next_record() {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => self.end = End::Failed(error),
            }
        }
    }

    /// Whether an engine that has delivered so much data, and opened so many records, may have ended with this error.
    pub(super) fn may_fail(&self, (delivered, opened): (usize, u64), error: &Error) -> bool {
        let of_tickets = [
            Error::Peer(Peer::Malformed),
            Error::Peer(Peer::IllegalParameter),
        ];
        let unsure = self.unsure.contains(&(delivered, opened)) && of_tickets.contains(error);
        let foreseen = self.end == End::Failed(error.clone())
            && (delivered, opened) == (self.data.len(), self.opened);
        foreseen || unsure
    }

    /// Acts on the next record; says whether there was a whole one.
    fn next_record(&mut self) -> Result<bool, Error> {
        let Some((&[kind, major, minor, high, low], rest)) = self.stream.split_first_chunk::<5>()
        else {
            return Ok(false);
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (allowed, longest) = match self.version {
            ProtocolVersion::Tls13 => (kind == 23, LONGEST + 256),
            ProtocolVersion::Tls12 => ((21..=23).contains(&kind), LONGEST + 2_048),
        };
        if !allowed {
            return Err(Peer::UnexpectedRecord.into());
        }
        if self.version == ProtocolVersion::Tls12 && [major, minor] != [3, 3] {
            return Err(Peer::RecordVersion.into());
        }
        if length > longest {
            return Err(Peer::RecordOverflow.into());
        }
        if rest.len() < length {
            return Ok(false);
        }
        let begin = self.offset;
        self.offset += 5 + length;
        self.stream.drain(..5 + length);
        while self.sealed.front().is_some_and(|(at, _)| *at < begin) {
            self.sealed.pop_front();
        }
        let inner = match self.sealed.pop_front() {
            Some((at, sealed)) if at == begin && sealed.position == self.next => sealed.inner,
            _ => return Err(Peer::BadRecordMac.into()),
        };
        self.next.number += 1;
        let (kind, content) = self.content(kind, inner)?;
        self.opened += 1;
        match kind {
            ContentType::APPLICATION_DATA => self.application_data(&content)?,
            ContentType::ALERT => self.alert(&content)?,
            ContentType::HANDSHAKE => self.handshake(&content)?,
            _ => unreachable!("refused before"),
        }
        Ok(true)
    }

    /// The content type and the content of a record that was opened.
    fn content(&self, outer: u8, mut inner: Vec<u8>) -> Result<(ContentType, Vec<u8>), Peer> {
        match self.version {
            ProtocolVersion::Tls12 if inner.len() > LONGEST => Err(Peer::RecordOverflow),
            ProtocolVersion::Tls12 => Ok((ContentType(outer), inner)),
            ProtocolVersion::Tls13 if inner.len() > LONGEST + 1 => Err(Peer::RecordOverflow),
            ProtocolVersion::Tls13 => {
                // The type is the last byte that is not zero, whoever put it there.
                while inner.last() == Some(&0) {
                    inner.pop();
                }
                match inner.pop() {
                    Some(kind @ 21..=23) => Ok((ContentType(kind), inner)),
                    Some(_) => Err(Peer::UnexpectedRecord),
                    None => Err(Peer::EmptyRecord),
                }
            }
        }
    }

    fn application_data(&mut self, content: &[u8]) -> Result<(), Error> {
        self.not_within_a_message()?;
        if content.is_empty() {
            return count(&mut self.seen.empty_records, 32, Flood::EmptyRecords);
        }
        self.seen = Seen::default();
        self.data.extend_from_slice(content);
        Ok(())
    }

    fn alert(&mut self, content: &[u8]) -> Result<(), Error> {
        self.not_within_a_message()?;
        let (level, code) = match content {
            [] => return Err(Peer::EmptyRecord.into()),
            [level @ 1..=2, code] => (*level, *code),
            [_, _] => return Err(Peer::IllegalParameter.into()),
            _ => return Err(Peer::Malformed.into()),
        };
        let alert = Alert::from_code(code);
        let tls13 = self.version == ProtocolVersion::Tls13;
        if alert == Alert::CLOSE_NOTIFY && (tls13 || level == 1) {
            self.end = End::Closed;
            return Ok(());
        }
        let harmless = if tls13 {
            alert == Alert::USER_CANCELED
        } else {
            level == 1
        };
        if harmless {
            return count(&mut self.seen.warnings, 4, Flood::Warnings);
        }
        Err(Error::Alert(alert))
    }

    fn handshake(&mut self, content: &[u8]) -> Result<(), Error> {
        if content.is_empty() {
            return Err(Peer::EmptyRecord.into());
        }
        self.partial.extend_from_slice(content);
        while let Some(&[kind, high, middle, low]) = self.partial.first_chunk::<4>() {
            let length = u32::from_be_bytes([0, high, middle, low]) as usize;
            let permitted = match (self.version, self.role, kind) {
                (ProtocolVersion::Tls13, _, 24) => 1..=1,
                (ProtocolVersion::Tls13, Side::Client, 4)
                | (ProtocolVersion::Tls12, Side::Server, 1) => 0..=65_535,
                (ProtocolVersion::Tls12, Side::Client, 0) => 0..=0,
                _ => return Err(Peer::UnexpectedHandshake.into()),
            };
            if !permitted.contains(&length) {
                return Err(Peer::Malformed.into());
            }
            if self.partial.len() < 4 + length {
                return Ok(());
            }
            let message: Vec<u8> = self.partial.drain(..4 + length).collect();
            self.message(kind, &message[4..])?;
        }
        Ok(())
    }

    /// A whole message that may come.
    fn message(&mut self, kind: u8, body: &[u8]) -> Result<(), Error> {
        match kind {
            24 => {
                if !self.partial.is_empty() {
                    return Err(Peer::Interleaved.into());
                }
                if !matches!(body, [0 | 1]) {
                    return Err(Peer::IllegalParameter.into());
                }
                count(&mut self.seen.key_updates, 32, Flood::KeyUpdates)?;
                self.next.generation += 1;
                self.next.number = 0;
            }
            4 => {
                count(&mut self.seen.tickets, 32, Flood::Tickets)?;
                match messages::ticket(body) {
                    Ticket::Whole => {}
                    Ticket::WithExtensions => self.unsure.push((self.data.len(), self.opened)),
                    Ticket::Malformed => return Err(Peer::Malformed.into()),
                }
            }
            _ => count(&mut self.seen.renegotiations, 32, Flood::Renegotiations)?,
        }
        Ok(())
    }

    fn not_within_a_message(&self) -> Result<(), Peer> {
        if self.partial.is_empty() {
            Ok(())
        } else {
            Err(Peer::Interleaved)
        }
    }
}

/// Counts one more; more than `most` are too many.
fn count(seen: &mut u32, most: u32, flood: Flood) -> Result<(), Error> {
    *seen += 1;
    if *seen > most {
        return Err(Peer::Flood(flood).into());
    }
    Ok(())
}
