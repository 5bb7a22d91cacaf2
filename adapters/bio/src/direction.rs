//! One direction of a pair: a ring, whether bytes still come and go, and what the reader asked for.
//!
//! Follows `BIO_s_bio(3)` call by call. Each function names the half that calls it: the writer or
//! the reader.

use core::mem;
use core::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::outcome::{Reading, Writing};
use crate::ring::Ring;

/// Bytes on their way from one half to the other.
#[derive(Debug)]
pub(crate) struct Direction {
    ring: Ring,
    flow: Flow,
}

/// Whether bytes still come and go.
#[derive(Debug)]
enum Flow {
    /// The writer may write. `request` is what the reader's last read asked for in vain, else 0.
    /// Invariant: 0 unless the ring is empty.
    Open { request: usize },
    /// The writer has shut its end; what is in the ring can still be read.
    Shut,
    /// The reader is gone, and with it all that it had not read.
    Abandoned,
}

impl Direction {
    /// An empty direction; 0 stands for the default.
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = match capacity {
            0 => crate::DEFAULT_CAPACITY,
            _ => capacity,
        };
        Self {
            ring: Ring::new(capacity),
            flow: Flow::Open { request: 0 },
        }
    }

    /// The reader: moves bytes out.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Reading {
        self.set_request(0);
        if into.is_empty() {
            return Reading::Read(0);
        }
        match self.ring.read(into) {
            0 => self.nothing_to_read(into.len()),
            n => Reading::Read(n),
        }
    }

    /// The reader: how many bytes lie side by side.
    pub(crate) fn readable(&mut self) -> Reading {
        self.set_request(0);
        match self.ring.filled().len() {
            0 => self.nothing_to_read(1),
            _ if self.ring.is_lent() => Reading::Empty,
            n => Reading::Read(n),
        }
    }

    /// The writer: moves bytes in, from one slice after the other.
    pub(crate) fn write<'a>(&mut self, slices: impl IntoIterator<Item = &'a [u8]>) -> Writing {
        let mut slices = slices
            .into_iter()
            .filter(|slice| !slice.is_empty())
            .peekable();
        if slices.peek().is_none() {
            return Writing::Written(0);
        }
        if let Writing::Shut = self.writable() {
            return Writing::Shut;
        }
        match slices.map(|slice| self.ring.write(slice)).sum() {
            0 => Writing::Full,
            n => Writing::Written(n),
        }
    }

    /// The writer: how many places lie side by side.
    pub(crate) fn writable(&mut self) -> Writing {
        self.set_request(0);
        match self.flow {
            Flow::Open { .. } => match self.ring.vacant().len() {
                0 => Writing::Full,
                _ if self.ring.is_lent() => Writing::Full,
                n => Writing::Written(n),
            },
            Flow::Shut | Flow::Abandoned => Writing::Shut,
        }
    }

    /// The writer: no byte will follow.
    pub(crate) fn shut(&mut self) {
        if let Flow::Open { .. } = self.flow {
            self.flow = Flow::Shut;
        }
    }

    /// The reader: no byte will be read.
    pub(crate) fn abandon(&mut self) {
        self.flow = Flow::Abandoned;
        // The storage is of no more use to anyone.
        self.ring = Ring::new(self.ring.capacity());
    }

    /// The writer: takes back what was not read.
    pub(crate) fn reset(&mut self) {
        self.ring.clear();
    }

    /// The writer: forgets what the reader asked for.
    pub(crate) fn reset_request(&mut self) {
        self.set_request(0);
    }

    /// The writer: what the reader asked for in vain.
    pub(crate) fn request(&self) -> usize {
        match self.flow {
            Flow::Open { request } => request,
            Flow::Shut | Flow::Abandoned => 0,
        }
    }

    /// The writer: how much could be written at once.
    pub(crate) fn guarantee(&self) -> usize {
        match self.flow {
            Flow::Open { .. } if !self.ring.is_lent() => self.ring.space(),
            Flow::Open { .. } | Flow::Shut | Flow::Abandoned => 0,
        }
    }

    /// The reader: whether nothing is there and nothing will come.
    pub(crate) fn is_ended(&self) -> bool {
        match self.flow {
            Flow::Open { .. } => false,
            Flow::Shut | Flow::Abandoned => self.ring.len() == 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ring.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    fn nothing_to_read(&mut self, wanted: usize) -> Reading {
        // "or the buffer size if it is less" (BIO_s_bio(3)): what one write can bring.
        self.set_request(wanted.min(self.ring.capacity()));
        if self.is_ended() {
            Reading::End
        } else {
            Reading::Empty
        }
    }

    fn set_request(&mut self, wanted: usize) {
        if let Flow::Open { request } = &mut self.flow {
            // Bytes that are there but lent are no reason to ask for more.
            *request = if self.ring.len() == 0 { wanted } else { 0 };
        }
    }
}

/// The storage of a direction, held by a half that works in place. Nobody holds the lock meanwhile.
///
/// It goes back on drop, and with it the count of bytes that were taken or filled, so that neither
/// a panic nor an early return loses a byte.
pub(crate) struct Loan<'a> {
    direction: &'a Mutex<Direction>,
    pub(crate) storage: Vec<u8>,
    pub(crate) run: Range<usize>,
    pub(crate) moved: Moved,
}

/// What the holder of a loan did.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moved {
    /// The reader took so many bytes.
    Taken(usize),
    /// The writer filled so many places.
    Filled(usize),
}

impl<'a> Loan<'a> {
    /// The bytes that lie side by side, for the reader.
    pub(crate) fn filled(direction: &'a Mutex<Direction>) -> Result<Self, Reading> {
        let mut guard = lock(direction);
        match guard.readable() {
            Reading::Read(_) => {
                let run = guard.ring.filled();
                let storage = guard.ring.lend().ok_or(Reading::Empty)?;
                Ok(Self {
                    direction,
                    storage,
                    run,
                    moved: Moved::Taken(0),
                })
            }
            nothing @ (Reading::Empty | Reading::End) => Err(nothing),
        }
    }

    /// The places that lie side by side, for the writer.
    pub(crate) fn vacant(direction: &'a Mutex<Direction>) -> Result<Self, Writing> {
        let mut guard = lock(direction);
        match guard.writable() {
            Writing::Written(_) => {
                let run = guard.ring.vacant();
                let storage = guard.ring.lend().ok_or(Writing::Full)?;
                Ok(Self {
                    direction,
                    storage,
                    run,
                    moved: Moved::Filled(0),
                })
            }
            nothing @ (Writing::Full | Writing::Shut) => Err(nothing),
        }
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let mut guard = lock(self.direction);
        let Direction { ring, flow } = &mut *guard;
        if let Flow::Abandoned = flow {
            return; // nobody will read
        }
        ring.take_back(mem::take(&mut self.storage));
        match self.moved {
            Moved::Taken(n) => ring.consume(n),
            Moved::Filled(0) => {}
            Moved::Filled(n) => {
                ring.commit(n);
                guard.reset_request();
            }
        }
    }
}

/// Locks a direction. No code of the caller runs under the lock, so nobody waits long, and what a
/// panic elsewhere left is whole.
pub(crate) fn lock(direction: &Mutex<Direction>) -> MutexGuard<'_, Direction> {
    direction.lock().unwrap_or_else(PoisonError::into_inner)
}
