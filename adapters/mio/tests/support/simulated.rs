//! A transport in memory that is edge-triggered in the strictest way that mio permits.
//!
//! An event comes only after the transport said `WouldBlock`, or when an interest is registered
//! that is ready already. Who stops before `WouldBlock`, or registers less than it needs, hears
//! nothing more.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;
use std::io::{self, ErrorKind};

use mio::event::Source;
use mio::{Interest, Registry, Token};
use offwire_testkit::transport::{Fault, Faults};

/// What the owner of one end of a pipe is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notice {
    /// It was not told `WouldBlock` since the last event.
    Quiet,
    /// It was, and is to be told when it is worth while to try again.
    Wanted,
    /// It is worth while.
    Due,
}

impl Notice {
    fn becomes_ready(&mut self) {
        if *self == Self::Wanted {
            *self = Self::Due;
        }
    }

    /// The transport became ready right after it said that it would block.
    fn is_put_off(&mut self, error: &io::Error) {
        if error.kind() == ErrorKind::WouldBlock {
            *self = Self::Due;
        }
    }
}

/// One direction.
pub(crate) struct Pipe {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// The transport ends once so many bytes have passed; later ones vanish.
    ends_at: usize,
    pub(crate) passed: usize,
    reader: Notice,
    writer: Notice,
}

impl Pipe {
    fn new(capacity: usize) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self {
            bytes: VecDeque::new(),
            capacity,
            ends_at: usize::MAX,
            passed: 0,
            reader: Notice::Quiet,
            writer: Notice::Quiet,
        }))
    }

    pub(crate) fn end_at(&mut self, offset: usize) {
        self.ends_at = offset;
    }

    /// Ends the transport behind what has passed.
    pub(crate) fn end(&mut self) {
        self.ends_at = self.ends_at.min(self.passed);
        self.reader.becomes_ready();
    }

    /// Nobody reads any more: what is written vanishes.
    pub(crate) fn abandon(&mut self) {
        self.capacity = usize::MAX;
        self.writer.becomes_ready();
    }

    fn is_readable(&self) -> bool {
        !self.bytes.is_empty() || self.passed >= self.ends_at
    }

    fn is_writable(&self) -> bool {
        self.bytes.len() < self.capacity
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, capacity) = (self.bytes.len(), self.capacity);
        let (reader, writer) = (self.reader, self.writer);
        write!(
            f,
            "{bytes} of {capacity}, reader {reader:?}, writer {writer:?}"
        )
    }
}

/// What a poll was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Registered(Token, Interest),
    Reregistered(Token, Interest),
    Deregistered,
}

/// One end of two pipes.
#[derive(Debug)]
pub(crate) struct Simulated {
    pub(crate) incoming: Rc<RefCell<Pipe>>,
    pub(crate) outgoing: Rc<RefCell<Pipe>>,
    pub(crate) told: Vec<Told>,
    pub(crate) calls: usize,
    faults: Faults,
    aim: usize,
}

impl Simulated {
    /// Two ends, with so many bytes between them in each direction.
    pub(crate) fn pair(capacity: usize) -> (Self, Self) {
        let (up, down) = (Pipe::new(capacity), Pipe::new(capacity));
        let end = |incoming: &Rc<_>, outgoing: &Rc<_>| Self {
            incoming: Rc::clone(incoming),
            outgoing: Rc::clone(outgoing),
            told: Vec::new(),
            calls: 0,
            faults: |_, _| Fault::None,
            aim: 0,
        };
        (end(&down, &up), end(&up, &down))
    }

    /// Sets who decides, and the number that is handed to it.
    pub(crate) fn fail(&mut self, faults: Faults, aim: usize) {
        (self.faults, self.aim) = (faults, aim);
    }

    /// Whether an event is delivered now.
    pub(crate) fn take_event(&mut self) -> bool {
        let Some(Told::Registered(_, interest) | Told::Reregistered(_, interest)) =
            self.told.last()
        else {
            return false;
        };
        let mut incoming = self.incoming.borrow_mut();
        let mut outgoing = self.outgoing.borrow_mut();
        let take = |wanted: bool, notice: &mut Notice| {
            let due = wanted && *notice == Notice::Due;
            if due {
                *notice = Notice::Quiet;
            }
            due
        };
        let readable = take(interest.is_readable(), &mut incoming.reader);
        let writable = take(interest.is_writable(), &mut outgoing.writer);
        readable || writable
    }

    /// How much of `available` bytes this call may move.
    fn most(&mut self, available: usize) -> io::Result<usize> {
        let call = self.calls;
        self.calls += 1;
        (self.faults)(call, self.aim).most(call, available)
    }

    /// As `EPOLL_CTL_MOD` does: what is ready already is told.
    fn check(&mut self, interest: Interest) {
        let mut incoming = self.incoming.borrow_mut();
        if interest.is_readable() && incoming.is_readable() {
            incoming.reader = Notice::Due;
        }
        let mut outgoing = self.outgoing.borrow_mut();
        if interest.is_writable() && outgoing.is_writable() {
            outgoing.writer = Notice::Due;
        }
    }
}

impl io::Read for Simulated {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = self.most(into.len());
        let mut pipe = self.incoming.borrow_mut();
        let most = most.inspect_err(|error| pipe.reader.is_put_off(error))?;
        if !pipe.is_readable() {
            pipe.reader = Notice::Wanted;
            return Err(ErrorKind::WouldBlock.into());
        }
        let n = most.min(pipe.bytes.len());
        for (to, from) in into.iter_mut().zip(pipe.bytes.drain(..n)) {
            *to = from;
        }
        pipe.writer.becomes_ready();
        Ok(n)
    }
}

impl io::Write for Simulated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = self.most(bytes.len());
        let mut pipe = self.outgoing.borrow_mut();
        let most = most.inspect_err(|error| pipe.writer.is_put_off(error))?;
        if !pipe.is_writable() {
            pipe.writer = Notice::Wanted;
            return Err(ErrorKind::WouldBlock.into());
        }
        let n = most.min(pipe.capacity - pipe.bytes.len());
        let kept = n.min(pipe.ends_at - pipe.passed);
        pipe.bytes.extend(&bytes[..kept]);
        pipe.passed += kept;
        pipe.reader.becomes_ready();
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Simulated {
    fn register(&mut self, _: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.told.push(Told::Registered(token, interests));
        self.check(interests);
        Ok(())
    }

    fn reregister(&mut self, _: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.told.push(Told::Reregistered(token, interests));
        self.check(interests);
        Ok(())
    }

    fn deregister(&mut self, _: &Registry) -> io::Result<()> {
        self.told.push(Told::Deregistered);
        Ok(())
    }
}
