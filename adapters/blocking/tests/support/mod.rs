//! Streams over transports in memory that fail, block and cut wherever a test wants, and the
//! session that is held over them.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

pub(crate) mod duplex;
pub(crate) mod pipe;

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use std::io::{self, Read, Write};

use offwire::ProtocolVersion;
use offwire_blocking::{CloseNotify, TlsStream};
use offwire_testkit::{Contexts, Random};

/// Both protocol versions.
pub(crate) const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// What a call on a transport does instead of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does its work.
    None,
    /// It fails with this kind of error, having moved nothing.
    Fails(io::ErrorKind),
    /// It moves at most so many bytes.
    Short(usize),
    /// It moves as many bytes as a generator of this seed chooses: the test kit's link that cuts
    /// anywhere.
    Cut(usize),
}

impl Fault {
    /// How much of `available` bytes passes in this call.
    fn most(self, call: usize, available: usize) -> io::Result<usize> {
        match self {
            Self::None => Ok(available),
            Self::Fails(kind) => Err(kind.into()),
            Self::Short(most) => Ok(most.min(available)),
            Self::Cut(_) if available == 0 => Ok(0),
            Self::Cut(seed) => Ok(Random::new((seed * 1_000_003 + call) as u64).cut(available)),
        }
    }
}

/// Decides the fault of each call, which are numbered from 0 on each transport.
pub(crate) type Faults = fn(call: usize, aim: usize) -> Fault;

/// One direction.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    pub(crate) bytes: RefCell<VecDeque<u8>>,
    /// How many bytes were ever put in.
    pub(crate) total: Cell<usize>,
    /// How many more come out before the pipe ends, if it does.
    ends_in: Cell<Option<usize>>,
}

impl Pipe {
    /// Ends the pipe once so many more bytes have come out.
    pub(crate) fn end_in(&self, bytes: usize) {
        self.ends_in.set(Some(bytes));
    }
}

/// A transport in memory. Where a blocking one would wait, its time limit strikes at once.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) incoming: Rc<Pipe>,
    pub(crate) outgoing: Rc<Pipe>,
    pub(crate) calls: Rc<Cell<usize>>,
    pub(crate) flushes: Rc<Cell<usize>>,
    faults: Faults,
    aim: usize,
}

impl Default for Memory {
    /// Two empty pipes and no faults.
    fn default() -> Self {
        Self {
            incoming: Rc::default(),
            outgoing: Rc::default(),
            calls: Rc::default(),
            flushes: Rc::default(),
            faults: |_, _| Fault::None,
            aim: 0,
        }
    }
}

impl Memory {
    /// The other end of the same pipes.
    pub(crate) fn opposite(&self) -> Self {
        let (incoming, outgoing) = (Rc::clone(&self.outgoing), Rc::clone(&self.incoming));
        Self {
            incoming,
            outgoing,
            ..Self::default()
        }
    }

    /// Sets who decides, and the number that is handed to it; calls are counted from 0 again.
    pub(crate) fn fail(&mut self, faults: Faults, aim: usize) {
        (self.faults, self.aim) = (faults, aim);
        self.calls.set(0);
    }

    fn most(&self, available: usize) -> io::Result<usize> {
        let call = self.calls.replace(self.calls.get() + 1);
        (self.faults)(call, self.aim).most(call, available)
    }
}

impl Read for Memory {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.incoming.bytes.borrow_mut();
        let left = self.incoming.ends_in.get();
        let available = bytes.len().min(left.unwrap_or(usize::MAX));
        let n = self.most(into.len())?.min(available);
        if n == 0 && left != Some(0) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        for (to, from) in into.iter_mut().zip(bytes.drain(..n)) {
            *to = from;
        }
        self.incoming.ends_in.set(left.map(|left| left - n));
        Ok(n)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.most(bytes.len())?;
        self.outgoing.bytes.borrow_mut().extend(&bytes[..n]);
        self.outgoing.total.set(self.outgoing.total.get() + n);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushes.set(self.flushes.get() + 1);
        self.most(0).map(drop)
    }
}

/// A client and a server whose transports are each other's; no handshake yet.
pub(crate) fn pair(contexts: &Contexts) -> (TlsStream<Memory>, TlsStream<Memory>) {
    let near = Memory::default();
    let far = near.opposite();
    let (client, server) = contexts.build();
    let client = TlsStream::connect_lazy(&client, contexts.name(), near).unwrap();
    (client, TlsStream::accept_lazy(&server, far))
}

/// A pair that has shaken hands, with nothing on its way.
pub(crate) fn open_pair(version: ProtocolVersion) -> (TlsStream<Memory>, TlsStream<Memory>) {
    let (client, server) = pair(&Contexts::new().version(version));
    let (mut client, mut server) = (End::of(client), End::of(server));
    client.tasks([Task::Handshake]);
    server.tasks([Task::Handshake]);
    run(&mut client, &mut server);
    // The tickets of TLS 1.3.
    assert!(is_limit(&client.stream.read(&mut [0; 8]).unwrap_err()));
    (client.stream, server.stream)
}

/// One thing that an end has to get done.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    Handshake,
    /// Writes what is left of these bytes.
    Write(Vec<u8>),
    Flush,
    /// Reads until so many bytes have arrived in all.
    ReadUntil(usize),
    /// Reads until close_notify.
    ReadEnd,
    /// `shutdown`.
    Close(CloseNotify),
}

/// A stream and what is left for it to do.
pub(crate) struct End {
    pub(crate) stream: TlsStream<Memory>,
    pub(crate) received: Vec<u8>,
    /// How often a call failed, but for [`io::ErrorKind::WouldBlock`].
    pub(crate) failures: usize,
    tasks: VecDeque<Task>,
}

impl End {
    pub(crate) fn of(stream: TlsStream<Memory>) -> Self {
        Self {
            stream,
            received: Vec::new(),
            failures: 0,
            tasks: VecDeque::new(),
        }
    }

    pub(crate) fn tasks(&mut self, tasks: impl IntoIterator<Item = Task>) {
        self.tasks.extend(tasks);
    }

    pub(crate) fn is_done(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Works until a call fails, which it returns.
    pub(crate) fn poll(&mut self) -> io::Result<()> {
        while let Some(mut task) = self.tasks.pop_front() {
            if let Err(error) = self.perform(&mut task) {
                self.tasks.push_front(task);
                return Err(error);
            }
        }
        Ok(())
    }

    fn perform(&mut self, task: &mut Task) -> io::Result<()> {
        match task {
            Task::Handshake => self.stream.handshake(),
            Task::Write(bytes) => {
                while !bytes.is_empty() {
                    let n = self.stream.write(bytes)?;
                    bytes.drain(..n);
                }
                Ok(())
            }
            Task::Flush => self.stream.flush(),
            Task::ReadUntil(len) => {
                while self.received.len() < *len {
                    assert!(self.read()? > 0, "an early end");
                }
                Ok(())
            }
            Task::ReadEnd => {
                while self.read()? > 0 {}
                Ok(())
            }
            Task::Close(until) => {
                assert_eq!(self.stream.shutdown(*until)?, *until);
                Ok(())
            }
        }
    }

    fn read(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 5_000];
        let n = self.stream.read(&mut buffer)?;
        self.received.extend(&buffer[..n]);
        Ok(n)
    }
}

/// Lets both ends work in turn until they are done.
///
/// # Panics
/// If neither gets anywhere, or TLS fails.
pub(crate) fn run(client: &mut End, server: &mut End) {
    for _ in 0..1_000_000 {
        for end in [&mut *client, &mut *server] {
            if let Err(error) = end.poll() {
                let tls = offwire_blocking::tls_error(&error);
                assert!(tls.is_none(), "{:?}: {error}", end.tasks);
                if error.kind() != io::ErrorKind::WouldBlock {
                    end.failures += 1;
                }
            }
        }
        if client.is_done() && server.is_done() {
            return;
        }
    }
    panic!("stuck: {:?} {:?}", client.tasks, server.tasks);
}

/// Whether a time limit has struck.
pub(crate) fn is_limit(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// So many bytes, with a period that divides no record's size.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}
