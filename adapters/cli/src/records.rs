//! Which records cross the wire, told from their headers alone (RFC 8446 section 5.1).

use core::fmt;

/// The bytes of a record's header: type, version, length.
const HEADER: usize = 5;

/// A record as an observer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    content_type: u8,
    /// The bytes behind the header.
    len: u16,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { content_type, len } = self;
        match content_type {
            20 => write!(f, "change_cipher_spec {len}"),
            21 => write!(f, "alert {len}"),
            22 => write!(f, "handshake {len}"),
            23 => write!(f, "application_data {len}"),
            other => write!(f, "content type {other}, {len}"),
        }
    }
}

/// Equal records in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) record: Record,
    pub(crate) count: usize,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => fmt::Display::fmt(&self.record, f),
            count => write!(f, "{count} × {}", self.record),
        }
    }
}

/// Follows one direction of a connection, however its bytes are cut.
#[derive(Debug)]
pub(crate) struct Scanner {
    position: Position,
}

/// Where in a record the direction stands.
#[derive(Debug)]
enum Position {
    /// Behind so many bytes of a header.
    Header(Vec<u8>),
    /// In a record of which `left` bytes are missing.
    Body { record: Record, left: usize },
}

impl Scanner {
    pub(crate) fn new() -> Self {
        Self {
            position: Position::Header(Vec::with_capacity(HEADER)),
        }
    }

    /// Takes the next bytes and returns the records that end in them.
    pub(crate) fn scan(&mut self, mut bytes: &[u8]) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        while !bytes.is_empty() {
            let (record, rest) = self.step(bytes);
            bytes = rest;
            let Some(record) = record else { continue };
            match runs.last_mut() {
                Some(run) if run.record == record => run.count += 1,
                _ => runs.push(Run { record, count: 1 }),
            }
        }
        runs
    }

    /// Goes on to the end of the header or of the record; returns a record that is complete.
    fn step<'a>(&mut self, bytes: &'a [u8]) -> (Option<Record>, &'a [u8]) {
        match &mut self.position {
            Position::Header(header) => {
                let (now, rest) = bytes.split_at(bytes.len().min(HEADER - header.len()));
                header.extend_from_slice(now);
                let &[content_type, _, _, high, low] = header.as_slice() else {
                    return (None, rest);
                };
                let record = Record {
                    content_type,
                    len: u16::from_be_bytes([high, low]),
                };
                (self.enter(record, usize::from(record.len)), rest)
            }
            Position::Body { record, left } => {
                let (now, rest) = bytes.split_at(bytes.len().min(*left));
                let (record, left) = (*record, *left - now.len());
                (self.enter(record, left), rest)
            }
        }
    }

    fn enter(&mut self, record: Record, left: usize) -> Option<Record> {
        match left {
            0 => {
                *self = Self::new();
                Some(record)
            }
            _ => {
                self.position = Position::Body { record, left };
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scanner;

    const WIRE: [u8; 27] = [
        22, 3, 3, 0, 2, 1, 1, // handshake
        20, 3, 3, 0, 1, 1, // change_cipher_spec
        23, 3, 3, 0, 0, 23, 3, 3, 0, 0, // application_data, empty, twice
        21, 3, 3, 0, // the header of an alert, cut
    ];

    fn names(runs: &[super::Run]) -> Vec<String> {
        runs.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn records_are_named_and_equal_ones_counted() {
        let runs = Scanner::new().scan(&WIRE);
        assert_eq!(
            names(&runs),
            [
                "handshake 2",
                "change_cipher_spec 1",
                "2 × application_data 0"
            ]
        );
    }

    #[test]
    fn cuts_do_not_matter() {
        let mut scanner = Scanner::new();
        let mut runs = Vec::new();
        for byte in WIRE.iter().chain(&[2, 1, 0]) {
            runs.extend(scanner.scan(&[*byte]));
        }
        let expected = [
            "handshake 2",
            "change_cipher_spec 1",
            "application_data 0",
            "application_data 0",
            "alert 2",
        ];
        assert_eq!(names(&runs), expected);
    }
}
