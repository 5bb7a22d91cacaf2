//! Two ends and the two directions between them, with a record of what stood on the wire.

use std::io;

use offwire_testkit::Side;

use crate::end::End;
use crate::outcome::{Reply, Verb, index};
use crate::record::{self, HEADER, Header};

/// A connection.
#[derive(Debug)]
pub(crate) struct Session {
    ends: [End; 2],
    /// What each side has sent.
    wires: [Wire; 2],
}

/// The records of one direction, read from their headers as the bytes pass (RFC 8446 section 5.1).
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire {
    header: Vec<u8>,
    /// Bytes that are missing of the record at hand.
    missing: usize,
    /// Content type, version and length of each record whose header has passed.
    pub(crate) records: Vec<Header>,
    /// All bytes that have passed.
    pub(crate) total: usize,
}

/// What happens to bytes on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// They arrive.
    Intact,
    /// A bit of a record's body is flipped, if there is one among them: the one this number picks.
    Flipped(usize),
}

impl Session {
    /// Joins two ends.
    pub(crate) fn new(client: End, server: End) -> Self {
        Self {
            ends: [client, server],
            wires: [Wire::default(), Wire::default()],
        }
    }

    /// An end.
    pub(crate) fn end(&mut self, side: Side) -> &mut End {
        let [client, server] = &mut self.ends;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    /// What a side has sent.
    pub(crate) fn wire(&mut self, side: Side) -> &mut Wire {
        let [client, server] = &mut self.wires;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    /// Makes a call on a side.
    pub(crate) fn call(&mut self, side: Side, verb: Verb) -> io::Result<Reply> {
        self.end(side).call(verb)
    }

    /// Moves up to `len` bytes from a side to its peer; returns how many.
    pub(crate) fn carry(&mut self, from: Side, len: usize, fate: Fate) -> io::Result<usize> {
        let mut bytes = self.end(from).take(len)?;
        self.wire(from).pass(&mut bytes, fate);
        self.end(from.peer()).put(&bytes)?;
        Ok(bytes.len())
    }

    /// Moves all there is; returns how many bytes.
    pub(crate) fn carry_all(&mut self, from: Side) -> io::Result<usize> {
        let mut moved = 0;
        loop {
            match self.carry(from, usize::MAX, Fate::Intact)? {
                0 => return Ok(moved),
                n => moved += n,
            }
        }
    }

    /// Forgets what has passed: the comparison of records begins here.
    ///
    /// Returns whether every record that began had ended.
    pub(crate) fn begin_records(&mut self) -> bool {
        let whole = self.wires.iter().all(Wire::is_between_records);
        self.wires = [Wire::default(), Wire::default()];
        whole
    }

    /// All that both have emitted and nobody has taken, in bytes.
    pub(crate) fn outs(&mut self) -> io::Result<[usize; 2]> {
        let [client, server] = &mut self.ends;
        Ok([client.out()?, server.out()?])
    }

    /// Whether a side is ours.
    pub(crate) fn is_ours(&self, side: Side) -> bool {
        self.ends
            .get(index(side))
            .is_some_and(|end| end.engine().is_some())
    }
}

impl Wire {
    /// Notes the bytes, and lets the fate befall them.
    fn pass(&mut self, bytes: &mut [u8], fate: Fate) {
        let (mut place, mut bodies) = (0, Vec::new());
        while place < bytes.len() {
            let body = self.missing.min(bytes.len() - place);
            if body > 0 {
                bodies.push(place..place + body);
                self.missing -= body;
                place += body;
                continue;
            }
            self.header.extend(bytes.get(place));
            place += 1;
            if let Ok(header) = Header::try_from(self.header.as_slice()) {
                self.missing = record::length(&header);
                self.records.push(header);
                self.header.clear();
            }
        }
        self.total += bytes.len();
        if let Fate::Flipped(pick) = fate
            && let Some(body) = bodies.get(pick % bodies.len().max(1))
            && let Some(byte) = bytes.get_mut(body.start + pick % body.len().max(1))
        {
            *byte ^= 1 << (pick % 8);
        }
    }

    /// The records of which every byte has passed.
    pub(crate) fn whole_records(&self) -> &[Header] {
        let whole = self.records.len() - usize::from(self.missing > 0);
        self.records.get(..whole).unwrap_or_default()
    }

    /// Whether no record is under way.
    pub(crate) fn is_between_records(&self) -> bool {
        self.missing == 0 && self.header.is_empty()
    }

    /// Whether a flip would find a body among the next `len` bytes.
    pub(crate) fn has_body_within(&self, len: usize) -> bool {
        let header = if self.missing > 0 {
            0
        } else {
            HEADER - self.header.len()
        };
        len > header
    }
}
