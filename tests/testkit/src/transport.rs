//! Transports for tests of adapters: `std::io` in memory that fails, blocks, cuts and ends wherever
//! a test wants.
//!
//! * [`Memory`]: one end of two [`Pipe`]s, non-blocking, with a [`Fault`] for every call.
//! * [`Waiting`]: one end of two bounded pipes that blocks, for two threads; where both would wait
//!   for ever, both are told so.
//!
//! ```
//! use std::io::{ErrorKind, Read, Write};
//!
//! use offwire_testkit::transport::{Fault, Memory};
//!
//! let mut near = Memory::default();
//! let mut far = near.opposite();
//! near.fail(
//!     |call, aim| match call == aim {
//!         true => Fault::Fails(ErrorKind::Interrupted),
//!         false => Fault::Short(2),
//!     },
//!     1,
//! );
//! assert_eq!(near.write(b"hello")?, 2);
//! assert_eq!(near.write(b"llo").unwrap_err().kind(), ErrorKind::Interrupted);
//!
//! let mut buffer = [0; 5];
//! assert_eq!(far.read(&mut buffer)?, 2);
//! assert_eq!(far.read(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
//! near.outgoing.end();
//! assert_eq!(far.read(&mut buffer)?, 0);
//! # Ok::<(), std::io::Error>(())
//! ```

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use std::io::{self, ErrorKind};

use crate::random::Random;

mod waiting;

pub use waiting::Waiting;

/// What a call on a transport does instead of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does its work.
    None,
    /// It fails with this kind of error, having moved nothing.
    Fails(ErrorKind),
    /// It moves at most so many bytes.
    Short(usize),
    /// It moves as many bytes as a generator of this seed chooses, at least one.
    Cut(usize),
}

impl Fault {
    /// How much of `available` bytes passes in the call of this number.
    ///
    /// # Errors
    /// The one that it stands for.
    pub fn most(self, call: usize, available: usize) -> io::Result<usize> {
        match self {
            Self::None => Ok(available),
            Self::Fails(kind) => Err(kind.into()),
            Self::Short(most) => Ok(most.min(available)),
            Self::Cut(_) if available == 0 => Ok(0),
            Self::Cut(seed) => Ok(Random::new((seed * 1_000_003 + call) as u64).cut(available)),
        }
    }
}

/// Decides the fault of each call, which are numbered from 0 on each transport; `aim` is whatever
/// number the test gave [`Memory::fail`].
pub type Faults = fn(call: usize, aim: usize) -> Fault;

/// One direction between two [`Memory`]s.
#[derive(Debug, Default)]
pub struct Pipe {
    /// What was written and not read yet: tests look at it, take from it, and spoil it.
    pub bytes: RefCell<VecDeque<u8>>,
    /// How many bytes were ever written.
    pub total: Cell<usize>,
    /// How many more are taken before a writer would block, if there is a limit.
    room: Cell<Option<usize>>,
    /// How many more come out before the pipe ends, if it does.
    ends_in: Cell<Option<usize>>,
}

impl Pipe {
    /// Lets the writer write so many more bytes before it would block.
    pub fn set_room(&self, room: usize) {
        self.room.set(Some(room));
    }

    /// Ends the pipe once so many more bytes have come out.
    pub fn end_in(&self, bytes: usize) {
        self.ends_in.set(Some(bytes));
    }

    /// Ends the pipe behind what it holds.
    pub fn end(&self) {
        self.end_in(self.bytes.borrow().len());
    }
}

/// A non-blocking transport in memory, or a blocking one whose time limit strikes at once.
#[derive(Debug)]
pub struct Memory {
    /// Where reads come from.
    pub incoming: Rc<Pipe>,
    /// Where writes go.
    pub outgoing: Rc<Pipe>,
    /// How many calls there were since the last [`Self::fail`].
    pub calls: Rc<Cell<usize>>,
    faults: Faults,
    aim: usize,
}

impl Default for Memory {
    /// Two empty pipes without a limit, and no faults.
    fn default() -> Self {
        Self::between(Rc::default(), Rc::default())
    }
}

impl Memory {
    fn between(incoming: Rc<Pipe>, outgoing: Rc<Pipe>) -> Self {
        Self {
            incoming,
            outgoing,
            calls: Rc::default(),
            faults: |_, _| Fault::None,
            aim: 0,
        }
    }

    /// The other end of the same pipes, without faults.
    #[must_use]
    pub fn opposite(&self) -> Self {
        Self::between(Rc::clone(&self.outgoing), Rc::clone(&self.incoming))
    }

    /// Sets who decides, and the number that is handed to it; calls are counted from 0 again.
    pub fn fail(&mut self, faults: Faults, aim: usize) {
        (self.faults, self.aim) = (faults, aim);
        self.calls.set(0);
    }

    fn most(&self, available: usize) -> io::Result<usize> {
        let call = self.calls.replace(self.calls.get() + 1);
        (self.faults)(call, self.aim).most(call, available)
    }
}

impl io::Read for Memory {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.incoming.bytes.borrow_mut();
        let left = self.incoming.ends_in.get();
        let available = bytes.len().min(left.unwrap_or(usize::MAX));
        let n = self.most(into.len())?.min(available);
        if n == 0 && left != Some(0) {
            return Err(ErrorKind::WouldBlock.into());
        }
        for (to, from) in into.iter_mut().zip(bytes.drain(..n)) {
            *to = from;
        }
        self.incoming.ends_in.set(left.map(|left| left - n));
        Ok(n)
    }
}

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = self.most(bytes.len())?;
        let pipe = &self.outgoing;
        let n = pipe.room.get().map_or(most, |room| most.min(room));
        if n == 0 && most > 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        pipe.room.set(pipe.room.get().map(|room| room - n));
        pipe.bytes.borrow_mut().extend(&bytes[..n]);
        pipe.total.set(pipe.total.get() + n);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.most(0).map(drop)
    }
}
