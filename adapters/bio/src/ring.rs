//! A ring of bytes with a fixed capacity: where they lie, and how they are copied in and out.
//!
//! Knows nothing of ends, requests and halves. The storage is allocated once, by the first byte
//! that needs it, and may be lent: whoever fills or reads it in place holds it meanwhile.

#![expect(
    clippy::indexing_slicing,
    reason = "Invariant: every run lies within the storage, which is `capacity` long"
)]

use core::mem;
use core::ops::Range;

/// Bytes in the order in which they were written.
#[derive(Debug)]
pub(crate) struct Ring {
    storage: Storage,
    span: Span,
}

/// Where the storage is.
#[derive(Debug)]
enum Storage {
    /// Not needed so far.
    Unallocated,
    /// Here, `capacity` bytes long.
    Here(Vec<u8>),
    /// With somebody who works in place.
    Lent,
}

/// Which places of the storage hold bytes.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// Where the first byte is. Invariant: less than `capacity`, and 0 if there is no byte.
    head: usize,
    /// Invariant: at most `capacity`.
    len: usize,
    capacity: usize,
}

impl Ring {
    /// An empty ring for at most `capacity` bytes, which is not 0.
    pub(crate) fn new(capacity: usize) -> Self {
        debug_assert!(capacity > 0, "a ring without room is always full");
        Self {
            storage: Storage::Unallocated,
            span: Span {
                head: 0,
                len: 0,
                capacity,
            },
        }
    }

    /// Moves bytes out. Returns how many; none while the storage is lent.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> usize {
        let Storage::Here(storage) = &self.storage else {
            return 0;
        };
        let mut copied = 0;
        // Twice, since the bytes may wrap around.
        for _ in 0..2 {
            let run = self.span.filled();
            let n = run.len().min(into.len() - copied);
            into[copied..copied + n].copy_from_slice(&storage[run][..n]);
            self.span.consume(n);
            copied += n;
        }
        copied
    }

    /// Moves bytes in. Returns how many; none while the storage is lent.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> usize {
        self.allocate();
        let Storage::Here(storage) = &mut self.storage else {
            return 0;
        };
        let mut copied = 0;
        // Twice, since the room may wrap around.
        for _ in 0..2 {
            let run = self.span.vacant();
            let n = run.len().min(bytes.len() - copied);
            storage[run][..n].copy_from_slice(&bytes[copied..copied + n]);
            self.span.commit(n);
            copied += n;
        }
        copied
    }

    /// Gives the storage away, to be filled at [`Self::vacant`] or read at [`Self::filled`].
    /// Nothing if it is away already.
    pub(crate) fn lend(&mut self) -> Option<Vec<u8>> {
        self.allocate();
        match mem::replace(&mut self.storage, Storage::Lent) {
            Storage::Here(storage) => Some(storage),
            Storage::Unallocated | Storage::Lent => None,
        }
    }

    /// Takes the storage back.
    pub(crate) fn take_back(&mut self, storage: Vec<u8>) {
        debug_assert_eq!(storage.len(), self.span.capacity);
        self.storage = Storage::Here(storage);
    }

    /// Forgets up to so many of the first bytes.
    pub(crate) fn consume(&mut self, n: usize) {
        self.span.consume(n.min(self.span.len));
    }

    /// Counts up to so many bytes at the front of the room as written.
    pub(crate) fn commit(&mut self, n: usize) {
        self.span.commit(n.min(self.space()));
    }

    /// Forgets all bytes.
    pub(crate) fn clear(&mut self) {
        self.span.consume(self.span.len);
    }

    /// The first bytes, as far as they lie side by side.
    pub(crate) fn filled(&self) -> Range<usize> {
        self.span.filled()
    }

    /// The first places of the room, as far as they lie side by side.
    pub(crate) fn vacant(&self) -> Range<usize> {
        self.span.vacant()
    }

    pub(crate) fn len(&self) -> usize {
        self.span.len
    }

    pub(crate) fn space(&self) -> usize {
        self.span.capacity - self.span.len
    }

    pub(crate) fn capacity(&self) -> usize {
        self.span.capacity
    }

    pub(crate) fn is_lent(&self) -> bool {
        matches!(self.storage, Storage::Lent)
    }

    fn allocate(&mut self) {
        if let Storage::Unallocated = self.storage {
            self.storage = Storage::Here(vec![0; self.span.capacity]);
        }
    }
}

impl Span {
    fn filled(self) -> Range<usize> {
        self.head..self.capacity.min(self.head + self.len)
    }

    fn vacant(self) -> Range<usize> {
        let to_end = self.capacity - self.head;
        if self.len < to_end {
            self.head + self.len..self.capacity
        } else {
            self.len - to_end..self.head
        }
    }

    fn consume(&mut self, n: usize) {
        debug_assert!(n <= self.len, "more bytes go than there are");
        self.len -= n;
        let to_end = self.capacity - self.head;
        self.head = match self.len {
            // From the start again: the whole capacity lies side by side.
            0 => 0,
            _ if n < to_end => self.head + n,
            _ => n - to_end,
        };
    }

    fn commit(&mut self, n: usize) {
        debug_assert!(n <= self.capacity - self.len, "more bytes come than fit");
        self.len += n;
    }
}

#[cfg(test)]
mod tests;
