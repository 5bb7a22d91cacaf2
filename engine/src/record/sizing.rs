//! How much plaintext a record of application data carries: full records, or small ones until
//! there is bulk to move. Knows lengths only.

use crate::settings::RecordSizing;

/// Wire bytes of a small record. It fits into one TCP segment, IPv6 and options included, so a
/// reader can open it as soon as that segment is there.
const SMALL_RECORD: usize = 1_400;

/// Bytes of plaintext in small records before full ones follow: about what TCP's slow start has
/// sent in its first three round trips, from a window of ten segments (RFC 6928). One less than 64 KiB
/// is kept in two bytes of each connection.
const START: u16 = u16::MAX;

/// The size of the next record, and what it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizing {
    /// Bytes of plaintext that a record carries at most.
    most: u16,
    pace: Pace,
}

/// How far the connection has come since it began, or was last idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// It does not matter: records are always full.
    Full,
    /// So many bytes of plaintext go into small records yet.
    Starting(u16),
    /// It moves bulk.
    Bulk,
}

impl Sizing {
    /// Records of at most `most` bytes of plaintext.
    pub(crate) const fn new(most: u16, sizing: RecordSizing) -> Self {
        let pace = match sizing {
            RecordSizing::Full => Pace::Full,
            RecordSizing::Dynamic => Pace::Starting(START),
        };
        Self { most, pace }
    }

    /// Bytes of plaintext that the next record carries at most, if `overhead` bytes of the wire's
    /// go with them.
    pub(crate) const fn record(&self, overhead: usize) -> usize {
        let most = self.most as usize;
        match self.pace {
            Pace::Starting(_) if SMALL_RECORD - overhead < most => SMALL_RECORD - overhead,
            Pace::Full | Pace::Starting(_) | Pace::Bulk => most,
        }
    }

    /// A record with so many bytes of plaintext was sealed.
    pub(crate) fn sealed(&mut self, plaintext: usize) {
        self.pace = match self.pace {
            Pace::Starting(left) => match u16::try_from(plaintext) {
                Ok(plaintext) if plaintext < left => Pace::Starting(left - plaintext),
                Ok(_) | Err(_) => Pace::Bulk,
            },
            Pace::Full => Pace::Full,
            Pace::Bulk => Pace::Bulk,
        };
    }

    /// The connection is idle: what follows starts anew.
    pub(crate) fn restart(&mut self) {
        self.pace = match self.pace {
            Pace::Full => Pace::Full,
            Pace::Starting(_) | Pace::Bulk => Pace::Starting(START),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{START, Sizing};
    use crate::settings::RecordSizing::{Dynamic, Full};

    #[test]
    fn full_records_are_full_from_the_first() {
        let mut sizing = Sizing::new(1 << 14, Full);
        assert_eq!(sizing.record(22), 16_384);
        sizing.sealed(16_384);
        sizing.restart();
        assert_eq!(sizing.record(22), 16_384);
    }

    #[test]
    fn small_records_come_first_and_after_a_pause() {
        let mut sizing = Sizing::new(1 << 14, Dynamic);
        for _ in 0..2 {
            let mut small = 0;
            while sizing.record(22) == 1_400 - 22 {
                sizing.sealed(1_400 - 22);
                small += 1_400 - 22;
            }
            let start = usize::from(START);
            assert!((start..start + 1_400).contains(&small), "{small}");
            assert_eq!(sizing.record(22), 16_384);
            sizing.sealed(16_384);
            assert_eq!(sizing.record(22), 16_384);
            sizing.restart();
        }
    }

    #[test]
    fn no_record_exceeds_what_was_configured() {
        let mut sizing = Sizing::new(600, Dynamic);
        assert_eq!(sizing.record(29), 600);
        sizing.sealed(1 << 20);
        assert_eq!(sizing.record(29), 600);
    }
}
