//! How large the records of one side are, told a second time: at most what is configured, and at
//! first small ones if they are to grow with the connection.

use offwire::{RecordSizing, Settings};

use super::verdict::{Verdict, ensure, ensure_eq};

/// Wire bytes of a record that fits into one TCP segment.
const SMALL: usize = 1_400;

/// Plaintext that goes into small records before larger ones follow.
const START: usize = 65_535;

/// The sizes of the records to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    most: usize,
    /// Plaintext that still goes into small records.
    small: usize,
    /// And as much again when the connection was idle.
    restart: usize,
    /// Bytes that a record has beyond its plaintext.
    overhead: usize,
}

impl Sizes {
    pub(super) fn new(settings: Settings, overhead: usize) -> Self {
        let small = match settings.effective_record_sizing() {
            RecordSizing::Full => 0,
            RecordSizing::Dynamic => START,
        };
        Self {
            most: settings.effective_max_record_size(),
            small,
            restart: small,
            overhead,
        }
    }

    /// The most plaintext that the next record carries, in bytes.
    pub(super) fn next(&self) -> usize {
        match self.small {
            0 => self.most,
            _ => self.most.min(SMALL - self.overhead),
        }
    }

    /// The connection was idle.
    pub(super) fn restart(&mut self) {
        self.small = self.restart;
    }

    /// The records that so many bytes of an offer take, and which it passes: each as large as it
    /// may be, the last as long as the offer has it. A record is never shortened to the room that
    /// is left.
    pub(super) fn split(&mut self, offered: usize, sealed: usize) -> Verdict<Vec<usize>> {
        let (mut lengths, mut at) = (Vec::new(), 0);
        while at < sealed {
            let len = self.next().min(offered - at);
            ensure!(len > 0, "{sealed} bytes were sealed of {offered} offered");
            lengths.push(len);
            self.small = self.small.saturating_sub(len);
            at += len;
        }
        ensure_eq!(
            at,
            sealed,
            "rule 2: a record is never shortened to the room that is left"
        );
        Ok(lengths)
    }
}
