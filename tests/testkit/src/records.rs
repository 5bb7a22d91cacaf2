//! What stood on the wire: bytes split into records by their headers (RFC 8446 section 5.1).
//!
//! Nothing is opened here; a [`RawPeer`](crate::RawPeer) can do that.

use core::fmt;

/// The bytes of a record's header.
pub const HEADER: usize = 5;

/// A record's outer content type.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentType(pub u8);

impl ContentType {
    /// `change_cipher_spec`.
    pub const CHANGE_CIPHER_SPEC: Self = Self(20);
    /// `alert`.
    pub const ALERT: Self = Self(21);
    /// `handshake`.
    pub const HANDSHAKE: Self = Self(22);
    /// `application_data`; in TLS 1.3 the outer type of every protected record.
    pub const APPLICATION_DATA: Self = Self(23);
}

impl fmt::Debug for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::CHANGE_CIPHER_SPEC => f.write_str("change_cipher_spec"),
            Self::ALERT => f.write_str("alert"),
            Self::HANDSHAKE => f.write_str("handshake"),
            Self::APPLICATION_DATA => f.write_str("application_data"),
            Self(other) => write!(f, "content type {other}"),
        }
    }
}

/// One record as it stands on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The outer content type.
    pub content_type: ContentType,
    /// The version field, e.g. `0x0303`.
    pub version: u16,
    /// What follows the header, in bytes.
    pub body: &'a [u8],
}

impl Record<'_> {
    /// The length of the record in bytes, its header included.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        HEADER + self.body.len()
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} {:#06x} {} bytes",
            self.content_type,
            self.version,
            self.body.len()
        )
    }
}

/// Splits `wire` into whole records, and what is left of an incomplete last one.
#[must_use]
pub fn split(wire: &[u8]) -> (Vec<Record<'_>>, &[u8]) {
    let mut records = Vec::new();
    let mut rest = wire;
    while let Some((record, behind)) = first(rest) {
        records.push(record);
        rest = behind;
    }
    (records, rest)
}

/// Splits `wire` into records.
///
/// # Panics
/// If `wire` does not end at the end of a record.
#[must_use]
pub fn split_whole(wire: &[u8]) -> Vec<Record<'_>> {
    let (records, rest) = split(wire);
    assert!(
        rest.is_empty(),
        "{} bytes behind {} records",
        rest.len(),
        records.len()
    );
    records
}

/// The plaintext lengths of the application records in `wire`, which must all be application data
/// under the given overhead (bytes a record beyond its plaintext, header included).
///
/// # Panics
/// If `wire` holds anything else, or part of a record.
#[must_use]
pub fn application_lengths(wire: &[u8], overhead: usize) -> Vec<usize> {
    let lengths = split_whole(wire).into_iter().map(|record| {
        assert_eq!(record.content_type, ContentType::APPLICATION_DATA);
        record.wire_len() - overhead
    });
    lengths.collect()
}

/// Cuts the plaintext handshake records in `wire` into records of at most `len` bytes of content;
/// other records, and all behind the first change_cipher_spec, stay as they are.
///
/// # Panics
/// If `len` is 0, or `wire` does not end at the end of a record.
#[must_use]
pub fn refragment(wire: &[u8], len: usize) -> Vec<u8> {
    let (mut cut, mut protected) = (Vec::new(), false);
    for record in split_whole(wire) {
        protected |= record.content_type != ContentType::HANDSHAKE;
        let pieces = record.body.chunks(if protected { usize::MAX } else { len });
        for piece in pieces {
            cut.push(record.content_type.0);
            cut.extend(record.version.to_be_bytes());
            cut.extend(u16::try_from(piece.len()).unwrap().to_be_bytes());
            cut.extend(piece);
        }
    }
    cut
}

fn first(wire: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (header, rest) = wire.split_at_checked(HEADER)?;
    let len = usize::from(u16::from_be_bytes([header[3], header[4]]));
    let (body, rest) = rest.split_at_checked(len)?;
    let version = u16::from_be_bytes([header[1], header[2]]);
    Some((
        Record {
            content_type: ContentType(header[0]),
            version,
            body,
        },
        rest,
    ))
}

#[cfg(test)]
mod tests {
    use super::{ContentType, split};

    #[test]
    fn records_are_split_and_the_rest_is_kept() {
        let wire = [21, 3, 3, 0, 2, 1, 0, 23, 3, 3, 0, 9, 1];
        let (records, rest) = split(&wire);
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].content_type, ContentType::ALERT);
        assert_eq!(records[0].body, [1, 0]);
        assert_eq!(rest, [23, 3, 3, 0, 9, 1]);
    }
}
