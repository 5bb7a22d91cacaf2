//! Where plaintext goes: the caller's buffer, or storage of its own that is handed out.

use alloc::vec::Vec;

/// Takes the plaintext of a read.
pub(crate) trait Destination {
    /// Room to open a record into, `length` bytes of it, or `None` if the record must be opened
    /// where it lies.
    ///
    /// Content type and padding are written there as well, and nothing of it is the caller's
    /// before the record is authenticated.
    fn space(&mut self, length: usize) -> Option<&mut [u8]>;

    /// Copies plaintext that was opened where it lay; returns how much of it was taken.
    fn copy(&mut self, plaintext: &[u8]) -> usize;
}

/// A caller's buffer: a record that is longer is opened where it lies.
impl Destination for [u8] {
    fn space(&mut self, length: usize) -> Option<&mut [u8]> {
        self.get_mut(..length)
    }

    fn copy(&mut self, plaintext: &[u8]) -> usize {
        let length = plaintext.len().min(self.len());
        if let (Some(into), Some(plaintext)) = (self.get_mut(..length), plaintext.get(..length)) {
            into.copy_from_slice(plaintext);
        }
        length
    }
}

/// Storage that becomes as large as the record. A record is whole before it is opened, so a peer
/// cannot make it large by announcing much.
impl Destination for Vec<u8> {
    fn space(&mut self, length: usize) -> Option<&mut [u8]> {
        // A fresh `vec!` asks the allocator for zeros, which costs less than writing them.
        if self.capacity() < length {
            *self = alloc::vec![0; length];
        } else {
            self.resize(length, 0);
        }
        Some(self)
    }

    fn copy(&mut self, plaintext: &[u8]) -> usize {
        self.clear();
        self.extend_from_slice(plaintext);
        plaintext.len()
    }
}
