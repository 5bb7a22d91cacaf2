//! How much the null provider was asked to do, so that a test can bound the work on what a peer sends.

use core::cell::Cell;
use core::ops::Sub;

thread_local! {
    static DONE: Cell<NullWork> = const { Cell::new(NullWork::NOTHING) };
}

/// What the null provider has done on a thread. Application data is not in it: it has real ciphers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NullWork {
    /// Records of handshakes that were opened, or refused.
    pub records_opened: u64,
    /// Bytes of their bodies.
    pub bytes_opened: u64,
    /// Bytes that were hashed.
    pub bytes_hashed: u64,
}

impl NullWork {
    const NOTHING: Self = Self {
        records_opened: 0,
        bytes_opened: 0,
        bytes_hashed: 0,
    };

    /// What was done on this thread since it began.
    #[must_use]
    pub fn of_this_thread() -> Self {
        DONE.get()
    }

    pub(super) fn opened(bytes: usize) {
        let done = DONE.get();
        DONE.set(Self {
            records_opened: done.records_opened + 1,
            bytes_opened: done.bytes_opened + bytes as u64,
            ..done
        });
    }

    pub(super) fn hashed(bytes: usize) {
        let done = DONE.get();
        DONE.set(Self {
            bytes_hashed: done.bytes_hashed + bytes as u64,
            ..done
        });
    }
}

impl Sub for NullWork {
    type Output = Self;

    /// What was done since `before`.
    fn sub(self, before: Self) -> Self {
        Self {
            records_opened: self.records_opened - before.records_opened,
            bytes_opened: self.bytes_opened - before.bytes_opened,
            bytes_hashed: self.bytes_hashed - before.bytes_hashed,
        }
    }
}
