//! The incoming queue: ciphertext on its way in, bounded, and the plaintext that was opened where
//! it lay and is not handed out yet.
//!
//! Ciphertext is one run, since records are opened and handshake messages are read in one piece.
//! Knows lengths only, not what a record means.

use alloc::vec::Vec;
use core::mem;
use core::ops::Range;

use crate::error::Misuse;
use crate::record::LARGEST_INCOMING_RECORD;

/// The bound while the handshake lasts, in wire bytes, if the limit is lower: a certificate chain
/// must be there in one piece (a 47 KB one takes 89 KB in records of 32 bytes).
pub(crate) const HANDSHAKE_BOUND: usize = 128 * 1024;

/// The smallest storage worth an allocation.
const SMALLEST_STORAGE: usize = 128;

/// Storage beyond this size is made at its largest at once, so that the old and the new one together
/// are never much more than what a full queue takes.
const LARGEST_STEP: usize = 64 * 1024;

/// Bytes offered to a transport when nothing is known of what comes.
const FIRST_SPACE: usize = 4096;

/// The queue of received bytes.
///
/// ```text
/// storage  [ free | plaintext | spent | ciphertext | free ]
///                 ^ plaintext.start   ^ head       ^ tail
/// ```
#[derive(Debug)]
pub(crate) struct Incoming {
    /// Initialised throughout; only growth writes zeros.
    storage: Vec<u8>,
    plaintext: Range<usize>,
    head: usize,
    tail: usize,
    /// At most 1 GiB (`Settings`), as is the next: small, since every connection has one.
    bound: u32,
    /// Where the tail must stop: at the storage's end while it can neither grow nor is its content
    /// worth a move, else nowhere.
    end: u32,
}

impl Incoming {
    /// An empty queue for a handshake.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            storage: Vec::new(),
            plaintext: 0..0,
            head: 0,
            tail: 0,
            bound: small(limit.max(HANDSHAKE_BOUND)),
            end: NOWHERE,
        }
    }

    /// From here on the limit is the bound. What was taken before and exceeds it stays until it
    /// is read.
    pub(crate) fn end_handshake(&mut self, limit: usize) {
        self.bound = small(limit);
        self.release();
    }

    /// The ciphertext that is there.
    pub(crate) fn ciphertext(&self) -> &[u8] {
        self.storage.get(self.head..self.tail).unwrap_or_default()
    }

    /// The ciphertext that is there, to be opened where it lies.
    pub(crate) fn ciphertext_mut(&mut self) -> &mut [u8] {
        self.storage
            .get_mut(self.head..self.tail)
            .unwrap_or_default()
    }

    /// Bytes of plaintext that wait for the caller.
    pub(crate) fn pending(&self) -> usize {
        self.plaintext.len()
    }

    /// The plaintext that waits for the caller.
    pub(crate) fn plaintext(&self) -> &[u8] {
        self.storage.get(self.plaintext.clone()).unwrap_or_default()
    }

    /// Bytes that may still be taken.
    pub(crate) fn room(&self) -> usize {
        self.bound()
            .saturating_sub(self.held())
            .min(self.end as usize - self.tail)
    }

    /// Copies what there is room for; returns how much that was.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.room());
        self.make_room(count);
        let space = self.storage.get_mut(self.tail..self.tail + count);
        let (Some(space), Some(bytes)) = (space, bytes.get(..count)) else {
            return 0;
        };
        space.copy_from_slice(bytes);
        self.tail += count;
        count
    }

    /// Free bytes to be filled in place: at least `missing` of them if the bound permits, empty
    /// only when the queue is full.
    ///
    /// A space that was filled to its end doubles, so a busy transport soon fills large ones.
    pub(crate) fn space(&mut self, missing: usize) -> &mut [u8] {
        let room = self.room();
        let doubled = if self.tail == self.storage.len() {
            self.tail
        } else {
            0
        };
        self.make_room(room.min(missing.max(doubled).max(FIRST_SPACE)));
        let end = self.storage.len().min(self.tail + room);
        self.storage.get_mut(self.tail..end).unwrap_or_default()
    }

    /// Counts bytes that were filled into [`Self::space`].
    pub(crate) fn filled(&mut self, count: usize) -> Result<(), Misuse> {
        let space = (self.storage.len() - self.tail).min(self.room());
        if count > space {
            return Err(Misuse::FedTooMuch);
        }
        self.tail += count;
        Ok(())
    }

    /// Removes ciphertext from the front.
    pub(crate) fn discard(&mut self, count: usize) {
        debug_assert!(count <= self.tail - self.head);
        self.head = (self.head + count).min(self.tail);
        self.settle();
    }

    /// Removes a record of `count` bytes from the front and keeps its opened `content`, a range
    /// of the record, for the caller.
    pub(crate) fn keep_plaintext(&mut self, count: usize, content: Range<usize>) {
        debug_assert!(self.plaintext.is_empty());
        self.plaintext = self.head + content.start..self.head + content.end;
        self.discard(count);
    }

    /// Removes plaintext that was handed out.
    pub(crate) fn discard_plaintext(&mut self, count: usize) {
        self.plaintext.start = (self.plaintext.start + count).min(self.plaintext.end);
        self.settle();
    }

    /// Forgets the ciphertext; plaintext stays.
    pub(crate) fn clear_ciphertext(&mut self) {
        self.discard(self.tail - self.head);
    }

    /// Gives the storage back if nothing is held.
    pub(crate) fn release(&mut self) {
        if self.held() == 0 {
            self.storage = Vec::new();
            self.end = NOWHERE;
        }
    }

    /// Whether there is no storage at all.
    pub(crate) const fn lacks_storage(&self) -> bool {
        self.storage.is_empty()
    }

    /// Takes storage that is initialised throughout and at most [`Self::largest_storage`] bytes long, where
    /// there was none.
    pub(crate) fn use_storage(&mut self, storage: Vec<u8>) {
        debug_assert!(self.lacks_storage() && storage.len() <= self.largest_storage());
        self.storage = storage;
        self.moved(0);
    }

    /// Gives storage of at least this size away if nothing is held.
    pub(crate) fn spare_storage(&mut self, least: usize) -> Option<Vec<u8>> {
        if self.held() > 0 || self.storage.len() < least {
            return None;
        }
        self.end = NOWHERE;
        Some(mem::take(&mut self.storage))
    }

    /// Bytes between the first one held and the last.
    pub(crate) fn held(&self) -> usize {
        self.tail - self.front()
    }

    fn front(&self) -> usize {
        if self.plaintext.is_empty() {
            self.head
        } else {
            self.plaintext.start
        }
    }

    /// Begins at the front again once nothing is held, and gives back what only a handshake needs.
    fn settle(&mut self) {
        if self.plaintext.is_empty() && self.head == self.tail {
            (self.plaintext, self.head, self.tail) = (0..0, 0, 0);
            if self.storage.len() > self.largest_storage() {
                self.storage = Vec::new();
                self.end = NOWHERE;
            }
        } else {
            if self.front() >= self.least_move() {
                self.end = NOWHERE;
            }
            if self.storage.len() > self.largest_storage() && self.held() <= self.bound() {
                self.shrink();
            }
        }
    }

    /// Gives back what only a handshake needed, though something is held: a peer that always leaves a
    /// part of a record must not keep it for the connection's life.
    #[cold]
    fn shrink(&mut self) {
        let front = self.front();
        self.storage.copy_within(front..self.tail, 0);
        let size = self.held().next_power_of_two().max(SMALLEST_STORAGE);
        self.storage.truncate(size.min(self.largest_storage()));
        self.storage.shrink_to_fit();
        self.moved(front);
    }

    const fn bound(&self) -> usize {
        self.bound as usize
    }

    /// Bytes that must be free in front of the content before it is moved there. A flight of the
    /// handshake must fit whole, so a queue that is no larger than that needs has no such rule; its
    /// content is moved once a record.
    const fn least_move(&self) -> usize {
        if self.bound() > HANDSHAKE_BOUND {
            self.bound() / 4
        } else {
            0
        }
    }

    /// The bound of the storage. The slack beyond the queue's bound makes a move of the content
    /// rare: it comes only after a record was read.
    pub(crate) fn largest_storage(&self) -> usize {
        self.bound() + LARGEST_INCOMING_RECORD
    }

    /// Makes `count` contiguous bytes behind the tail; the caller has checked [`Self::room`].
    fn make_room(&mut self, count: usize) {
        if self.storage.len() - self.tail >= count {
            return;
        }
        let needed = self.held() + count;
        let front = self.front();
        if needed <= self.storage.len()
            && (front >= self.held() || self.storage.len() >= self.largest_storage())
        {
            self.storage.copy_within(front..self.tail, 0);
        } else {
            // Always larger than before, up to the bound: else it would be allocated again and again.
            let least = needed.max(self.storage.len() + 1).max(SMALLEST_STORAGE);
            let step = if least > LARGEST_STEP {
                self.largest_storage()
            } else {
                least.next_power_of_two()
            };
            let size = step.min(self.largest_storage()).max(needed);
            let mut storage = alloc::vec![0; size];
            let held = self.storage.get(front..self.tail).unwrap_or_default();
            if let Some(space) = storage.get_mut(..held.len()) {
                space.copy_from_slice(held);
            }
            self.storage = storage;
        }
        self.moved(front);
    }

    /// The content has moved to the front, from so many bytes behind it.
    fn moved(&mut self, front: usize) {
        // A large queue at the end of its storage takes no more until a quarter of it was read:
        // moving the rest for each record would copy every byte again and again. By then whole
        // records wait, so nobody waits for it.
        if self.storage.len() >= self.largest_storage() && self.least_move() > 0 {
            self.end = small(self.storage.len());
        }
        self.head -= front;
        self.tail -= front;
        self.plaintext = if self.plaintext.is_empty() {
            0..0
        } else {
            0..self.plaintext.end - front
        };
    }
}

/// No end.
const NOWHERE: u32 = u32::MAX;

/// A number of bytes of a queue, which holds at most 1 GiB and a record.
fn small(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(NOWHERE)
}

#[cfg(test)]
mod tests;
