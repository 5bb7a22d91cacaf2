//! `Session`: an engine whose calls and records are traced, and the loop that drives it.
//!
//! [`drive`] is the whole of embedding the engine: call a verb; on `NeedWrite` send what is
//! outgoing, on `NeedRead` feed what arrives; call the verb again.

use core::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use bytes::Bytes;
use offwire::{Engine, Error, Handshake, Read, Shutdown, Write, WriteEarlyData};

use crate::exit::{Failure, broken};
use crate::ladder::{Event, Tracer};
use crate::records::Scanner;

/// An engine and the eyes upon it.
#[derive(Debug)]
pub(crate) struct Session {
    engine: Engine,
    tracer: Tracer,
    outgoing: Scanner,
    incoming: Scanner,
}

impl Session {
    pub(crate) fn new(engine: Engine, tracer: Tracer) -> Self {
        Self {
            engine,
            tracer,
            outgoing: Scanner::new(),
            incoming: Scanner::new(),
        }
    }

    pub(crate) fn handshake(&mut self) -> Result<Handshake, Error> {
        let outcome = self.engine.handshake();
        self.called(format_args!("handshake()"), &outcome);
        outcome
    }

    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<Read, Error> {
        let outcome = self.engine.read(into);
        self.called(format_args!("read({})", into.len()), &outcome);
        outcome
    }

    pub(crate) fn write(&mut self, plaintext: &[u8]) -> Result<Write, Error> {
        let outcome = self.engine.write(plaintext);
        self.called(format_args!("write({})", plaintext.len()), &outcome);
        outcome
    }

    pub(crate) fn write_early_data(&mut self, plaintext: &[u8]) -> Result<WriteEarlyData, Error> {
        let outcome = self.engine.write_early_data(plaintext);
        self.called(
            format_args!("write_early_data({})", plaintext.len()),
            &outcome,
        );
        outcome
    }

    pub(crate) fn rejected_early_data(&mut self) -> usize {
        self.engine.rejected_early_data()
    }

    pub(crate) fn shutdown(&mut self) -> Result<Shutdown, Error> {
        let outcome = self.engine.shutdown();
        self.called(format_args!("shutdown()"), &outcome);
        outcome
    }

    /// Feeds what arrived; returns the bytes taken.
    pub(crate) fn feed(&mut self, ciphertext: &[u8]) -> usize {
        let taken = self.engine.feed(ciphertext);
        if self.tracer.is_on() {
            for run in self
                .incoming
                .scan(ciphertext.get(..taken).unwrap_or_default())
            {
                self.tracer.event(Event::Arrived(run));
            }
        }
        taken
    }

    pub(crate) fn feed_eof(&mut self) {
        self.engine.feed_eof();
    }

    /// Takes what has to be sent now; empty if there is nothing.
    pub(crate) fn take_outgoing(&mut self) -> Bytes {
        let taken = self.engine.take_outgoing();
        if self.tracer.is_on() {
            for run in self.outgoing.scan(&taken) {
                self.tracer.event(Event::Left(run));
            }
        }
        taken
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn into_engine(self) -> Engine {
        self.engine
    }

    fn called<O: fmt::Debug>(&self, verb: fmt::Arguments<'_>, outcome: &Result<O, Error>) {
        if self.tracer.is_on() {
            let outcome = match outcome {
                Ok(outcome) => format!("{outcome:?}"),
                Err(error) => format!("error: {error}"),
            };
            self.tracer.event(Event::Call {
                verb: verb.to_string(),
                outcome,
            });
        }
    }
}

/// What a verb's outcome asks of the loop.
#[derive(Debug)]
pub(crate) enum Next<D> {
    /// Nothing: it is done.
    Done(D),
    /// Feed what arrives.
    Receive,
    /// Send what is outgoing.
    Send,
}

/// The outcome of a verb that can be driven.
pub(crate) trait Outcome {
    /// What is left of it once nothing has to be waited for.
    type Done;

    fn next(self) -> Next<Self::Done>;
}

impl Outcome for Handshake {
    type Done = ();

    fn next(self) -> Next<()> {
        match self {
            Self::Complete => Next::Done(()),
            Self::NeedRead => Next::Receive,
            Self::NeedWrite => Next::Send,
        }
    }
}

impl Outcome for Write {
    /// The bytes written.
    type Done = usize;

    fn next(self) -> Next<usize> {
        match self {
            Self::Written(n) => Next::Done(n),
            Self::NeedRead => Next::Receive,
            Self::NeedWrite => Next::Send,
        }
    }
}

impl Outcome for WriteEarlyData {
    /// The bytes written, and whether more may be.
    type Done = Early;

    fn next(self) -> Next<Early> {
        match self {
            Self::Written(n) => Next::Done(Early::Open(n)),
            Self::Ended(n) => Next::Done(Early::Ended(n)),
            Self::NeedRead => Next::Receive,
            Self::NeedWrite => Next::Send,
        }
    }
}

/// So many bytes of early data are written, and more may be or not.
#[derive(Debug)]
pub(crate) enum Early {
    Open(usize),
    Ended(usize),
}

impl Outcome for Read {
    /// The bytes read; `None` at the end, clean or not.
    type Done = Option<usize>;

    fn next(self) -> Next<Option<usize>> {
        match self {
            Self::Read(n) => Next::Done(Some(n)),
            Self::NeedRead => Next::Receive,
            Self::NeedWrite => Next::Send,
            Self::Closed | Self::Truncated => Next::Done(None),
        }
    }
}

/// Repeats `verb` over a blocking socket until it is done.
pub(crate) fn drive<O: Outcome>(
    session: &mut Session,
    mut socket: &TcpStream,
    mut verb: impl FnMut(&mut Session) -> Result<O, Error>,
) -> Result<O::Done, Failure> {
    loop {
        match verb(session).map(Outcome::next) {
            Ok(Next::Done(done)) => return Ok(done),
            Ok(Next::Send) => socket.write_all(&session.take_outgoing()).map_err(broken)?,
            Ok(Next::Receive) => receive(session, socket).map_err(broken)?,
            Err(error) => {
                // The alert; that it cannot be sent changes nothing.
                let _ = socket.write_all(&session.take_outgoing());
                return Err(error.into());
            }
        }
    }
}

/// Feeds the session what one read of the socket brings.
fn receive(session: &mut Session, mut socket: &TcpStream) -> io::Result<()> {
    let mut ciphertext = [0; CIPHERTEXT];
    let arrived = loop {
        match socket.read(&mut ciphertext) {
            Ok(arrived) => break arrived,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    match ciphertext.get(..arrived) {
        None | Some([]) => session.feed_eof(),
        // A verb that says NeedRead has consumed all input, so there is room for all of this.
        Some(bytes) => {
            let _ = session.feed(bytes);
        }
    }
    Ok(())
}

/// How much is read from a socket at once, in bytes: less than the engine's smallest queue.
pub(crate) const CIPHERTEXT: usize = 16_384;

/// Room for the plaintext of one record, and for what a record has beside it.
pub(crate) const PLAINTEXT: usize = 17 * 1_024;
