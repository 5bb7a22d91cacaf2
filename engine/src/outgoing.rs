//! The outgoing queue: sealed records on their way to the transport, in order and bounded.
//!
//! It is the BIO of `SSL_write(3)`. Records are sealed into it and never moved or copied again:
//! one that does not fit behind the last begins at the front, where room has become free, so the
//! content lies in one run or in two. Knows lengths only, not what a record means.

mod control;

use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;
use smallvec::SmallVec;

pub(crate) use self::control::Control;
use crate::outgoing::control::ByKind;
use crate::record::LARGEST_OUTGOING_RECORD;

/// Bytes beyond the limit that only control records may use: an alert, a renegotiation warning
/// and a KeyUpdate, each at most once outstanding, take at most 31 + 31 + 27.
pub(crate) const CONTROL_RESERVE: usize = 128;

/// The smallest storage worth an allocation.
const SMALLEST_STORAGE: usize = 128;

/// Storage beyond this size is made at its largest at once, so that the old and the new one together
/// are never much more than what a full queue takes.
const LARGEST_STEP: usize = 64 * 1024;

/// Where the content lies in the storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runs {
    /// In `head..tail`.
    One { head: usize, tail: usize },
    /// In `head..end`, then in `0..tail`.
    Two {
        head: usize,
        end: usize,
        tail: usize,
    },
}

const EMPTY: Runs = Runs::One { head: 0, tail: 0 };

/// Whether an emptied storage is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// Until `release`: the steady state allocates nothing.
    Always,
    /// Until it is empty: it grew for the handshake, which will not come back.
    UntilEmpty,
}

/// The queue of sealed records.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// Initialised throughout; only growth writes zeros.
    storage: Vec<u8>,
    runs: Runs,
    keep: Keep,
    /// At most 1 GiB (`Settings`): small, since every connection has one.
    limit: u32,
    /// Bytes that have left since the connection began.
    sent: u64,
    /// The most bytes that ever waited.
    high_water: usize,
    /// The position behind the last control record: it waits until [`Self::sent_total`] is there.
    control_ends: ByKind<u64>,
    control_lengths: ByKind<u8>,
}

impl Outgoing {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            storage: Vec::new(),
            runs: EMPTY,
            keep: Keep::Always,
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
            sent: 0,
            high_water: 0,
            control_ends: ByKind::default(),
            control_lengths: ByKind::default(),
        }
    }

    /// Bytes that records other than control records may take.
    const fn limit(&self) -> usize {
        self.limit as usize
    }

    /// Bytes that wait.
    pub(crate) const fn len(&self) -> usize {
        match self.runs {
            Runs::One { head, tail } => tail - head,
            Runs::Two { head, end, tail } => end - head + tail,
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that have left since the connection began.
    pub(crate) const fn sent_total(&self) -> u64 {
        self.sent
    }

    /// The position behind the last byte that waits; it has left once [`Self::sent_total`] is
    /// there.
    pub(crate) const fn end(&self) -> u64 {
        self.sent + self.len() as u64
    }

    /// Bytes that records other than control records may still use.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        let ends = &self.control_ends;
        let control = if ends.alert.max(ends.warning).max(ends.key_update) > self.sent {
            self.controls_wait()
        } else {
            0
        };
        self.limit()
            .saturating_sub(self.len().saturating_sub(control))
    }

    /// Bytes of control records that have not left.
    #[cold]
    fn controls_wait(&self) -> usize {
        [Control::Alert, Control::Warning, Control::KeyUpdate]
            .into_iter()
            .map(|kind| self.control_waits(kind))
            .sum()
    }

    /// Bytes of the last control record of this kind that have not left.
    fn control_waits(&self, kind: Control) -> usize {
        let length = self.control_lengths.get(kind);
        let waits = self.control_ends.get(kind).saturating_sub(self.sent);
        u8::try_from(waits)
            .map_or(length, |waits| waits.min(length))
            .into()
    }

    /// Whether a control record of this kind may be appended.
    pub(crate) const fn has_reserve(&self, kind: Control) -> bool {
        self.control_ends.get(kind) <= self.sent
    }

    /// The most bytes that ever waited.
    pub(crate) const fn high_water(&self) -> usize {
        self.high_water
    }

    /// Appends the `length` bytes that `fill` writes; nothing if it fails.
    ///
    /// The caller has checked [`Self::room`].
    #[inline]
    pub(crate) fn append<E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.append_at_most(length, |space| fill(space).map(|()| length))
            .map(drop)
    }

    /// As [`Self::append`], but `fill` says how many of the bytes it wrote.
    #[inline]
    pub(crate) fn append_at_most<E>(
        &mut self,
        mut length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let runs = self.make_room(length);
        let start = match runs {
            Runs::One { tail, .. } | Runs::Two { tail, .. } => tail,
        };
        // Invariant: make_room leaves `length` bytes behind the tail of the runs it returns.
        debug_assert!(start + length <= self.storage.len());
        if let Some(space) = self.storage.get_mut(start..start + length) {
            length = fill(space)?.min(length);
            if length == 0 {
                return Ok(0);
            }
            self.runs = match runs {
                Runs::One { head, tail } => Runs::One {
                    head,
                    tail: tail + length,
                },
                Runs::Two { head, end, tail } => Runs::Two {
                    head,
                    end,
                    tail: tail + length,
                },
            };
        }
        self.high_water = self.high_water.max(self.len());
        debug_assert!(self.len() <= self.limit().max(LARGEST_OUTGOING_RECORD) + CONTROL_RESERVE);
        Ok(length)
    }

    /// Appends a control record; the caller has checked [`Self::has_reserve`].
    pub(crate) fn append_control<E>(
        &mut self,
        kind: Control,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        debug_assert!(self.has_reserve(kind));
        self.append(length, fill)?;
        self.control_ends.set(kind, self.end());
        let length = u8::try_from(length).unwrap_or(u8::MAX);
        self.control_lengths.set(kind, length);
        Ok(())
    }

    /// The first contiguous run to send.
    pub(crate) fn first(&self) -> &[u8] {
        match self.runs {
            Runs::One { head, tail } => self.storage.get(head..tail),
            Runs::Two { head, end, .. } => self.storage.get(head..end),
        }
        .unwrap_or_default()
    }

    /// All that waits, in order.
    pub(crate) fn slices(&self) -> SmallVec<[&[u8]; 2]> {
        let mut slices = SmallVec::new();
        if !self.is_empty() {
            slices.push(self.first());
        }
        if let Runs::Two { tail, .. } = self.runs {
            slices.push(self.storage.get(..tail).unwrap_or_default());
        }
        slices
    }

    /// Removes `count` bytes, at most [`Self::len`], that have left.
    #[inline]
    pub(crate) fn remove(&mut self, count: usize) {
        debug_assert!(count <= self.len());
        self.sent += count as u64;
        self.runs = match self.runs {
            Runs::One { head, tail } if head + count < tail => Runs::One {
                head: head + count,
                tail,
            },
            Runs::Two { head, end, tail } if head + count < end => Runs::Two {
                head: head + count,
                end,
                tail,
            },
            Runs::Two { head, end, tail } if count - (end - head) < tail => Runs::One {
                head: count - (end - head),
                tail,
            },
            Runs::One { .. } | Runs::Two { .. } => EMPTY,
        };
        if self.is_empty() && self.keep == Keep::UntilEmpty {
            self.end_handshake();
        }
    }

    /// Removes and hands out all that waits.
    ///
    /// The storage itself is given away when it is well filled by one run, so that bulk is not
    /// copied; otherwise the bytes are, so that a few of them do not hold a large storage.
    pub(crate) fn take(&mut self) -> Bytes {
        let length = self.len();
        let bytes = match self.runs {
            Runs::One { head, tail } if length > self.storage.len() / 2 => {
                Bytes::from(mem::take(&mut self.storage)).slice(head..tail)
            }
            Runs::One { .. } | Runs::Two { .. } => {
                let mut bytes = Vec::with_capacity(length);
                self.slices()
                    .iter()
                    .for_each(|slice| bytes.extend_from_slice(slice));
                Bytes::from(bytes)
            }
        };
        self.remove(length);
        bytes
    }

    /// Gives the storage that the handshake needed back, as soon as its last flight has left.
    pub(crate) fn end_handshake(&mut self) {
        self.release();
        self.keep = if self.is_empty() {
            Keep::Always
        } else {
            Keep::UntilEmpty
        };
    }

    /// Gives the storage back if nothing waits.
    pub(crate) fn release(&mut self) {
        if self.is_empty() {
            self.storage = Vec::new();
        }
    }

    /// Whether there is no storage at all.
    pub(crate) const fn lacks_storage(&self) -> bool {
        self.storage.is_empty()
    }

    /// Takes storage that is initialised throughout, where there was none.
    pub(crate) fn use_storage(&mut self, storage: Vec<u8>) {
        debug_assert!(self.lacks_storage() && storage.len() <= self.largest_storage());
        self.storage = storage;
    }

    /// Gives storage of at least this size away if nothing waits.
    pub(crate) fn spare_storage(&mut self, least: usize) -> Option<Vec<u8>> {
        let spare = self.is_empty() && self.storage.len() >= least;
        spare.then(|| mem::take(&mut self.storage))
    }

    /// The bound of the storage. It leaves one largest record of slack: whichever way the free bytes are
    /// split by the content, one of the pieces then holds the next record, and nothing grows in the
    /// steady state.
    pub(crate) fn largest_storage(&self) -> usize {
        self.limit().max(LARGEST_OUTGOING_RECORD) + CONTROL_RESERVE + LARGEST_OUTGOING_RECORD
    }

    /// Finds or makes `length` contiguous bytes behind the tail of the runs that it returns.
    #[inline]
    fn make_room(&mut self, length: usize) -> Runs {
        // Invariant: whatever empties the queue lets it begin at the front again.
        debug_assert!(!self.is_empty() || self.runs == EMPTY);
        match self.runs {
            Runs::One { tail, .. } if tail + length <= self.storage.len() => self.runs,
            Runs::One { head, tail } if length <= head => Runs::Two {
                head,
                end: tail,
                tail: 0,
            },
            Runs::Two { head, tail, .. } if tail + length <= head => self.runs,
            Runs::One { .. } | Runs::Two { .. } => {
                self.grow(length);
                self.runs
            }
        }
    }

    /// Moves the content into a larger storage.
    #[cold]
    fn grow(&mut self, length: usize) {
        let needed = self.len() + length;
        let bound = self.largest_storage().max(needed);
        // Always larger than before, up to the bound: else it would be allocated again and again.
        let least = needed.max(self.storage.len() + 1).max(SMALLEST_STORAGE);
        let step = if least > LARGEST_STEP {
            bound
        } else {
            least.next_power_of_two()
        };
        let size = step.min(bound).max(needed);
        let mut storage = alloc::vec![0; size];
        let mut tail = 0;
        for slice in self.slices() {
            if let Some(space) = storage.get_mut(tail..tail + slice.len()) {
                space.copy_from_slice(slice);
                tail += slice.len();
            }
        }
        self.storage = storage;
        self.runs = Runs::One { head: 0, tail };
    }
}

#[cfg(test)]
mod tests;
