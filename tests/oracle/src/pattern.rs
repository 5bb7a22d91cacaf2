//! The plaintext of all writes: long, without repetition, and the same on both sides of the pipe.

use offwire_testkit::{Random, Side};

/// How many bytes of plaintext there are; `PATTERN` in `judge.c`.
const LENGTH: usize = 1 << 22;

/// How many bytes one side may write in a schedule.
pub(crate) const BUDGET: usize = 1 << 20;

/// Which copy of the plaintext a write is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copy {
    /// The plaintext.
    First = 0,
    /// The same bytes at another address.
    Second = 1,
    /// Other bytes: every one differs.
    Changed = 2,
}

/// All plaintext.
#[derive(Debug)]
pub(crate) struct Pattern {
    bytes: Vec<u8>,
    changed: Vec<u8>,
}

impl Pattern {
    /// Makes the plaintext.
    pub(crate) fn new() -> Self {
        let mut random = Random::new(0);
        let bytes: Vec<u8> = (0..LENGTH / 8)
            .flat_map(|_| random.bits().to_le_bytes())
            .collect();
        let changed = bytes.iter().map(|byte| !byte).collect();
        Self { bytes, changed }
    }

    /// `len` bytes from `at` on. The engine sees slices, whose address has no meaning, so the first
    /// two copies are one here.
    pub(crate) fn slice(&self, copy: Copy, at: usize, len: usize) -> &[u8] {
        let bytes = match copy {
            Copy::First | Copy::Second => &self.bytes,
            Copy::Changed => &self.changed,
        };
        bytes.get(at..at + len).unwrap_or_default()
    }
}

/// Where the plaintext of a side begins.
pub(crate) fn start(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Server => LENGTH / 2,
    }
}
