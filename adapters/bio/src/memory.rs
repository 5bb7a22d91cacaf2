//! `MemoryBio`: one buffer that is written at its end and read from its start, as `BIO_s_mem(3)`.

use alloc::collections::VecDeque;
use std::io;

use crate::outcome::{Reading, Writing};

/// A memory BIO (`BIO_s_mem(3)`): what is written to it is read from it.
///
/// A connection has two of them, one a direction: see [`Bios`](crate::Bios).
///
/// ```
/// use offwire_bio::{MemoryBio, OnEmpty, Reading, Writing};
///
/// let mut bio = MemoryBio::capped(4);
/// assert_eq!(bio.try_write(b"hello"), Writing::Written(4));
/// assert_eq!(bio.try_write(b"o"), Writing::Full);
///
/// let mut buffer = [0; 8];
/// assert_eq!(bio.try_read(&mut buffer), Reading::Read(4));
/// assert_eq!(bio.try_read(&mut buffer), Reading::Empty);
/// bio.set_on_empty(OnEmpty::End);
/// assert_eq!(bio.try_read(&mut buffer), Reading::End);
/// ```
#[derive(Debug, Default)]
pub struct MemoryBio {
    bytes: VecDeque<u8>,
    limit: Limit,
    on_empty: OnEmpty,
}

/// What an empty [`MemoryBio`] means to its reader (`BIO_set_mem_eof_return(3)`).
#[expect(
    clippy::exhaustive_enums,
    reason = "a reader that finds nothing waits or ends"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnEmpty {
    /// More may come: the read would block (OpenSSL: -1).
    #[default]
    Wait,
    /// It was all: the end of the transport (OpenSSL: 0).
    End,
}

/// How many bytes may wait.
#[derive(Clone, Copy, Debug, Default)]
enum Limit {
    /// As many as there is memory for, as in OpenSSL.
    #[default]
    None,
    Bytes(usize),
}

impl MemoryBio {
    /// Makes an empty one without a limit, in which an empty one means [`OnEmpty::Wait`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty one that holds at most `capacity` bytes and never allocates more; 0 stands
    /// for [`DEFAULT_CAPACITY`](crate::DEFAULT_CAPACITY). Writes to a full one would block.
    #[must_use]
    pub fn capped(capacity: usize) -> Self {
        let capacity = match capacity {
            0 => crate::DEFAULT_CAPACITY,
            _ => capacity,
        };
        Self {
            limit: Limit::Bytes(capacity),
            ..Self::default()
        }
    }

    /// Sets what an empty one means, with immediate effect.
    pub fn set_on_empty(&mut self, on_empty: OnEmpty) {
        self.on_empty = on_empty;
    }

    /// Moves up to `into.len()` of the first bytes into `into`.
    pub fn try_read(&mut self, into: &mut [u8]) -> Reading {
        if into.is_empty() {
            return Reading::Read(0);
        }
        let (front, back) = self.bytes.as_slices();
        let from_front = copy(front, into);
        let rest = into.get_mut(from_front..).unwrap_or_default();
        let n = from_front + copy(back, rest);
        self.bytes.drain(..n);
        match (n, self.on_empty) {
            (0, OnEmpty::Wait) => Reading::Empty,
            (0, OnEmpty::End) => Reading::End,
            (n, _) => Reading::Read(n),
        }
    }

    /// Appends as much of `bytes` as there is room for. Never answers [`Writing::Shut`].
    pub fn try_write(&mut self, bytes: &[u8]) -> Writing {
        let n = bytes.len().min(self.write_guarantee());
        if n == 0 && !bytes.is_empty() {
            return Writing::Full;
        }
        self.reserve(n);
        self.bytes.extend(bytes.split_at(n).0);
        Writing::Written(n)
    }

    /// All bytes that wait, side by side (`BIO_get_mem_data(3)`); none is consumed.
    pub fn mem_data(&mut self) -> &[u8] {
        self.bytes.make_contiguous()
    }

    /// Discards all bytes (`BIO_reset(3)`).
    pub fn reset(&mut self) {
        self.bytes.clear();
    }

    /// How many bytes wait to be read (`BIO_ctrl_pending(3)`).
    #[must_use]
    pub fn pending(&self) -> usize {
        self.bytes.len()
    }

    /// How many bytes it is certain to take at once: its room, [`usize::MAX`] without a limit.
    #[must_use]
    pub fn write_guarantee(&self) -> usize {
        match self.limit {
            Limit::None => usize::MAX,
            Limit::Bytes(capacity) => capacity - self.bytes.len(),
        }
    }

    /// Whether no byte waits (`BIO_eof(3)`), whatever that means to a reader.
    #[must_use]
    pub fn eof(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Makes room by need, at least twofold, but never beyond the limit.
    fn reserve(&mut self, additional: usize) {
        let (len, now) = (self.bytes.len(), self.bytes.capacity());
        if len + additional <= now {
            return;
        }
        let most = match self.limit {
            Limit::None => usize::MAX,
            Limit::Bytes(capacity) => capacity,
        };
        let aim = now.saturating_mul(2).clamp(len + additional, most);
        self.bytes.reserve_exact(aim - len);
    }
}

impl io::Read for MemoryBio {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.try_read(into).into()
    }
}

impl io::Write for MemoryBio {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write(bytes).into()
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies as much as both hold. Returns how much.
fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let n = from.len().min(to.len());
    if let (Some(to), Some(from)) = (to.get_mut(..n), from.get(..n)) {
        to.copy_from_slice(from);
    }
    n
}
