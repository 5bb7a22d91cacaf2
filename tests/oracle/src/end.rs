//! One end of a connection, Offwire's or OpenSSL's, over a BIO pair whose network half the
//! comparison holds.

use alloc::rc::Rc;
use core::cell::RefCell;
use std::io;

use offwire::{Engine, Handshake, KeyUpdate, Read, Shutdown, Write};
use offwire_bio::{BioHalf, BioPair, Reading, Writing};
use offwire_stream::{Error, Stream};
use offwire_testkit::Side;
use offwire_testkit::schedule::{Slices, ragged};

use crate::contexts::{Contexts, Setting};
use crate::fault::Fault;
use crate::judge::{Answer, Judge, Operation, Order};
use crate::outcome::{self, Cause, Life, Outcome, Reply, Verb, index};
use crate::pattern::{Copy, Pattern};

/// How many bytes may wait to be read: more than any schedule moves, so that only the emitting
/// direction blocks. (OpenSSL reads record by record and our stream ahead, so a bound here would
/// make room at different moments.)
const INCOMING: usize = 1 << 22;

/// The most that is moved at once.
const MOVE: usize = 1 << 17;

/// One end of a connection.
#[derive(Debug)]
pub(crate) enum End {
    /// Ours.
    Offwire(Box<Offwire>),
    /// OpenSSL's.
    OpenSsl(OpenSsl),
}

/// Our end: a stream over one half of a pair.
#[derive(Debug)]
pub(crate) struct Offwire {
    stream: Stream<BioHalf>,
    network: BioHalf,
    pattern: Rc<Pattern>,
    /// What it does wrong, to show that it is noticed.
    pub(crate) fault: Fault,
    /// How much of a write a fault has written and not told, in bytes.
    pub(crate) written_ahead: usize,
}

/// OpenSSL's end, in the judge.
#[derive(Debug)]
pub(crate) struct OpenSsl {
    judge: Rc<RefCell<Judge>>,
    number: u8,
    life: Life,
}

impl End {
    /// Our end.
    pub(crate) fn offwire(
        contexts: &Contexts,
        side: Side,
        setting: &Setting,
    ) -> Result<Self, Error> {
        let BioPair { a, b } = BioPair::new(setting.capacity, INCOMING);
        Ok(Self::Offwire(Box::new(Offwire {
            stream: contexts.stream(side, setting, a)?,
            network: b,
            pattern: Rc::clone(&contexts.pattern),
            fault: setting.fault,
            written_ahead: 0,
        })))
    }

    /// OpenSSL's end.
    pub(crate) fn openssl(
        judge: &Rc<RefCell<Judge>>,
        side: Side,
        setting: &Setting,
    ) -> io::Result<Self> {
        let number = u8::try_from(index(side)).map_err(io::Error::other)?;
        judge.borrow_mut().ask(&Order {
            flags: setting.flags(side),
            a: setting.capacity,
            b: INCOMING,
            ..Order::new(Operation::New, number)
        })?;
        Ok(Self::OpenSsl(OpenSsl {
            judge: Rc::clone(judge),
            number,
            life: Life::Alive,
        }))
    }

    /// Makes one call.
    pub(crate) fn call(&mut self, verb: Verb) -> io::Result<Reply> {
        match self {
            Self::Offwire(end) => Ok(end.call(verb)),
            Self::OpenSsl(end) => end.call(verb),
        }
    }

    /// Takes up to `len` bytes that the end has emitted.
    pub(crate) fn take(&mut self, len: usize) -> io::Result<Vec<u8>> {
        let len = len.min(MOVE);
        match self {
            Self::Offwire(end) => Ok(end.take(len)),
            Self::OpenSsl(end) => end.network(Operation::Take, len, &[]).map(|a| a.payload),
        }
    }

    /// Gives the end bytes to read.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = match self {
                Self::Offwire(end) => match end.network.try_write(rest) {
                    Writing::Written(n) => n,
                    Writing::Full | Writing::Shut => 0,
                },
                Self::OpenSsl(end) => {
                    let answer = end.network(Operation::Put, 0, rest)?;
                    usize::try_from(answer.result).unwrap_or_default()
                }
            };
            if taken == 0 {
                return Err(io::Error::other("the incoming direction is full"));
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Ends what the end can read, behind what it was given.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        match self {
            Self::Offwire(end) => end.network.shutdown_write(),
            Self::OpenSsl(end) => {
                end.network(Operation::End, 0, &[])?;
            }
        }
        Ok(())
    }

    /// How many bytes it has emitted that nobody has taken.
    pub(crate) fn out(&mut self) -> io::Result<usize> {
        match self {
            Self::Offwire(end) => Ok(end.network.pending()),
            Self::OpenSsl(end) => end.network(Operation::Take, 0, &[]).map(|a| a.out),
        }
    }

    /// Our engine, if it is our end.
    pub(crate) fn engine(&self) -> Option<&Engine> {
        match self {
            Self::Offwire(end) => Some(end.stream.engine()),
            Self::OpenSsl(_) => None,
        }
    }

    /// Our engine, if it is our end.
    pub(crate) fn engine_mut(&mut self) -> Option<&mut Engine> {
        match self {
            Self::Offwire(end) => Some(end.stream.engine_mut()),
            Self::OpenSsl(_) => None,
        }
    }

    /// Has our engine give back what it does not need.
    pub(crate) fn release(&mut self) {
        if let Some(engine) = self.engine_mut() {
            engine.release();
        }
    }
}

impl Offwire {
    fn call(&mut self, verb: Verb) -> Reply {
        let mut data = Vec::new();
        let outcome = match self.faulty_attempt(verb, &mut data) {
            Ok(outcome) => outcome,
            Err(error) => outcome::refused(&error),
        };
        let outcome = match (self.fault, outcome) {
            (Fault::DiesOtherwise, Outcome::Dead(Cause::BadRecord)) => Outcome::Dead(Cause::Other),
            _ => outcome,
        };
        Reply {
            outcome,
            said: None,
            data,
            out: self.network.pending(),
            pending: self.stream.engine().pending(),
            reason: 0,
            text: format!("{outcome:?}"),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.stream.engine()
    }

    /// Takes up to `len` bytes that it has emitted.
    pub(crate) fn take(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len.min(self.network.pending())];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.network.try_read(rest) {
                Reading::Read(n) => filled += n,
                Reading::Empty | Reading::End => break,
            }
        }
        bytes.truncate(filled);
        bytes
    }

    pub(crate) fn attempt(&mut self, verb: Verb, data: &mut Vec<u8>) -> Result<Outcome, Error> {
        let outcome = match verb {
            Verb::Handshake => match self.stream.handshake()? {
                Handshake::Complete => Outcome::Done(0),
                Handshake::NeedRead => Outcome::NeedRead,
                Handshake::NeedWrite => Outcome::NeedWrite,
            },
            Verb::Write {
                copy,
                at,
                len,
                slices,
            } => match self.write(copy, at, len, slices)? {
                Write::Written(n) => Outcome::Done(n),
                Write::NeedRead => Outcome::NeedRead,
                Write::NeedWrite => Outcome::NeedWrite,
            },
            Verb::Read(len) => self.pull(len, data, Stream::read)?,
            Verb::Peek(len) => self.pull(len, data, Stream::peek)?,
            Verb::Shutdown => match self.stream.shutdown()? {
                Shutdown::NeedWrite => Outcome::NeedWrite,
                Shutdown::Sent => Outcome::Sent,
                Shutdown::Complete => Outcome::Complete,
                Shutdown::Truncated => Outcome::Truncated,
            },
            Verb::KeyUpdate(update) => self.key_update(update)?,
            Verb::Renegotiate => Outcome::Refused(outcome::Refusal::Other),
        };
        Ok(outcome)
    }

    fn write(&mut self, copy: Copy, at: usize, len: usize, slices: Slices) -> Result<Write, Error> {
        let pattern = Rc::clone(&self.pattern);
        let bytes = pattern.slice(copy, at, len);
        match slices {
            Slices::One => self.stream.write(bytes),
            Slices::Every(len) => {
                let slices: Vec<&[u8]> = bytes.chunks(usize::from(len).max(1)).collect();
                self.write_vectored(&slices)
            }
            Slices::Ragged(seed) => self.write_vectored(&ragged(bytes, seed)),
        }
    }

    /// What the stream does for one run of bytes, done for several: its engine is asked, and what it
    /// emits is sent, until the pair is full.
    fn write_vectored(&mut self, slices: &[&[u8]]) -> Result<Write, Error> {
        loop {
            match self.stream.engine_mut().write_vectored(slices)? {
                Write::NeedWrite => {}
                outcome @ (Write::Written(_) | Write::NeedRead) => return Ok(outcome),
            }
            let waiting = self.stream.engine().outgoing().to_vec();
            match self.stream.transport_mut().try_write(&waiting) {
                Writing::Written(n) => self.stream.engine_mut().sent(n)?,
                Writing::Full | Writing::Shut => return Ok(Write::NeedWrite),
            }
        }
    }

    fn key_update(&mut self, update: KeyUpdate) -> Result<Outcome, Error> {
        self.stream.engine_mut().key_update(update)?;
        Ok(Outcome::Done(0))
    }

    fn pull(
        &mut self,
        len: usize,
        data: &mut Vec<u8>,
        verb: fn(&mut Stream<BioHalf>, &mut [u8]) -> Result<Read, Error>,
    ) -> Result<Outcome, Error> {
        data.resize(len, 0);
        let read = verb(&mut self.stream, data);
        data.truncate(match &read {
            Ok(Read::Read(n)) => *n,
            Ok(Read::NeedRead | Read::NeedWrite | Read::Closed | Read::Truncated) | Err(_) => 0,
        });
        Ok(match read? {
            Read::Read(n) => Outcome::Done(n),
            Read::NeedRead => Outcome::NeedRead,
            Read::NeedWrite => Outcome::NeedWrite,
            Read::Closed => Outcome::Closed,
            Read::Truncated => Outcome::Truncated,
        })
    }
}

impl OpenSsl {
    fn call(&mut self, verb: Verb) -> io::Result<Reply> {
        let (operation, a, b, flags) = outcome::order(verb);
        let answer = self.judge.borrow_mut().ask(&Order {
            flags,
            a,
            b,
            ..Order::new(operation, self.number)
        })?;
        let (outcome, said) = outcome::translate(verb, &answer, self.life);
        match outcome {
            Outcome::Dead(cause) => self.life = Life::Dead(cause),
            Outcome::Truncated => self.life = Life::Dead(Cause::End),
            Outcome::Done(_)
            | Outcome::NeedRead
            | Outcome::NeedWrite
            | Outcome::Closed
            | Outcome::Sent
            | Outcome::Complete
            | Outcome::Refused(_) => {}
        }
        Ok(Reply {
            outcome,
            said,
            text: outcome::spell(&answer),
            data: answer.payload,
            out: answer.out,
            pending: answer.pending,
            reason: answer.reason,
        })
    }

    fn network(&mut self, operation: Operation, len: usize, bytes: &[u8]) -> io::Result<Answer> {
        self.judge.borrow_mut().ask(&Order {
            a: len,
            payload: bytes,
            ..Order::new(operation, self.number)
        })
    }
}
