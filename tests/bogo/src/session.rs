//! An engine and its transport: repeats a verb until it is done, moves bytes when it waits, and
//! checks at each step that a repeated call answers the same.

use core::fmt;

use offwire::{
    Engine, Error, Handshake, KeyUpdate, Read, ReadEarlyData, Shutdown, Write, WriteEarlyData,
};

use crate::failure::Failure;
use crate::transport::Transport;

/// What a verb came to.
#[derive(Debug)]
enum Progress<T> {
    Done(T),
    NeedRead,
    NeedWrite,
}

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// So many bytes of plaintext.
    Plaintext(usize),
    /// The peer's close_notify.
    Closed,
    /// The end of the transport without one.
    Truncated,
}

/// What an early write came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EarlyWrite {
    /// So many bytes were written early.
    Written(usize),
    /// So many were, and no more can be.
    Ended(usize),
}

/// The write that was begun and has to stay unfinished for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unfinished {
    Nothing,
    /// One of early data: the rest of the handshake lies behind it in the queue.
    Early,
    /// One after the handshake.
    Late,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) engine: Engine,
    transport: Transport,
    unfinished: Unfinished,
}

impl Session {
    pub(crate) fn new(engine: Engine, transport: Transport) -> Self {
        Self {
            engine,
            transport,
            unfinished: Unfinished::Nothing,
        }
    }

    /// Shakes hands by [`Engine::handshake`].
    pub(crate) fn handshake(&mut self) -> Result<(), Failure> {
        self.perform(|engine| {
            Ok(match engine.handshake()? {
                Handshake::Complete => Progress::Done(()),
                Handshake::NeedRead => Progress::NeedRead,
                Handshake::NeedWrite => Progress::NeedWrite,
            })
        })
    }

    /// Writes all of it; in partial mode by as many writes as it takes.
    pub(crate) fn write(&mut self, plaintext: &[u8]) -> Result<(), Failure> {
        let mut rest = plaintext;
        loop {
            let written = self.perform(|engine| write(engine, rest))?;
            self.unfinished = Unfinished::Nothing;
            rest = rest.get(written..).ok_or_else(|| {
                Failure::Broken(format!("{written} of {} bytes written", rest.len()))
            })?;
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    /// Writes before the handshake is complete, as much as can be.
    pub(crate) fn write_early(&mut self, plaintext: &[u8]) -> Result<EarlyWrite, Failure> {
        let mut early = 0;
        loop {
            let rest = plaintext.get(early..).unwrap_or_default();
            let outcome = self.perform(|engine| write_early(engine, rest))?;
            self.unfinished = Unfinished::Nothing;
            match outcome {
                EarlyWrite::Written(written) if written < rest.len() => early += written,
                EarlyWrite::Written(written) => return Ok(EarlyWrite::Written(early + written)),
                EarlyWrite::Ended(written) => return Ok(EarlyWrite::Ended(early + written)),
            }
        }
    }

    /// Reads early data once some is there; `None` if no more will come.
    pub(crate) fn read_early(&mut self, into: &mut [u8]) -> Result<Option<usize>, Failure> {
        self.perform(|engine| {
            Ok(match engine.read_early_data(into)? {
                ReadEarlyData::Read(length) => Progress::Done(Some(length)),
                ReadEarlyData::Ended => Progress::Done(None),
                ReadEarlyData::NeedRead => Progress::NeedRead,
                ReadEarlyData::NeedWrite => Progress::NeedWrite,
            })
        })
    }

    /// Waits for the peer's first words without taking them.
    pub(crate) fn listen(&mut self) -> Result<(), Failure> {
        self.find(|engine| engine.peek(&mut [0])).map(|_| ())
    }

    /// Begins a write and lets one byte of its output pass; the write must stay unfinished.
    pub(crate) fn begin_write(&mut self, plaintext: &[u8]) -> Result<(), Failure> {
        self.unfinished = Unfinished::Late;
        self.begin(plaintext.len(), |engine| write(engine, plaintext))
    }

    /// The same before the handshake is complete.
    pub(crate) fn begin_early_write(&mut self, plaintext: &[u8]) -> Result<(), Failure> {
        self.unfinished = Unfinished::Early;
        self.begin(plaintext.len(), |engine| write_early(engine, plaintext))
    }

    fn begin<T: fmt::Debug>(
        &mut self,
        length: usize,
        mut write: impl FnMut(&mut Engine) -> Result<Progress<T>, Error>,
    ) -> Result<(), Failure> {
        self.expect_unfinished(length, &mut write)?;
        self.transport.send(&mut self.engine)?;
        self.expect_unfinished(length, &mut write)
    }

    /// Calls a write that must wait, with all of it committed.
    fn expect_unfinished<T: fmt::Debug>(
        &mut self,
        length: usize,
        write: &mut impl FnMut(&mut Engine) -> Result<Progress<T>, Error>,
    ) -> Result<(), Failure> {
        let progress = self.call(write)?;
        let committed = self.engine.committed();
        if matches!(progress, Progress::NeedWrite) && committed == length {
            return Ok(());
        }
        Err(Failure::Broken(format!(
            "an unsent write came to {progress:?} with {committed} bytes committed"
        )))
    }

    /// Reads once something is there.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<Found, Failure> {
        self.find(|engine| engine.read(into))
    }

    /// Peeks, then reads: both must find the same.
    pub(crate) fn peek_then_read(&mut self, into: &mut [u8]) -> Result<Found, Failure> {
        let mut seen = vec![0; into.len()];
        let peeked = self.find(|engine| engine.peek(&mut seen))?;
        let mut seen_again = vec![0; into.len()];
        let again = self.find(|engine| engine.peek(&mut seen_again))?;
        let read = self.read(into)?;
        let same = match peeked {
            Found::Plaintext(length) => {
                seen.get(..length) == into.get(..length)
                    && seen_again.get(..length) == into.get(..length)
            }
            Found::Closed | Found::Truncated => true,
        };
        if peeked != read || again != read || !same {
            return Err(Failure::Broken(format!(
                "peeked {peeked:?} and {again:?}, then read {read:?}"
            )));
        }
        Ok(read)
    }

    /// Closes the write half; returns once close_notify has left.
    pub(crate) fn shutdown(&mut self) -> Result<Shutdown, Failure> {
        self.perform(|engine| {
            Ok(match engine.shutdown()? {
                Shutdown::NeedWrite => Progress::NeedWrite,
                outcome @ (Shutdown::Sent | Shutdown::Complete | Shutdown::Truncated) => {
                    Progress::Done(outcome)
                }
            })
        })
    }

    /// Feeds the engine once more.
    pub(crate) fn receive(&mut self) -> Result<(), Failure> {
        self.transport.receive(&mut self.engine)
    }

    /// Schedules a KeyUpdate.
    pub(crate) fn key_update(&mut self) -> Result<(), Failure> {
        Ok(self.engine.key_update(KeyUpdate::Ours)?)
    }

    /// Sends what is left, an alert for instance, and closes the transport gently.
    pub(crate) fn finish(mut self) {
        while !self.engine.outgoing().is_empty() {
            if self.transport.send(&mut self.engine).is_err() {
                break;
            }
        }
        self.transport.finish();
    }

    /// Repeats a read or a peek until it finds something. An end must be found again.
    fn find(
        &mut self,
        mut read: impl FnMut(&mut Engine) -> Result<Read, Error>,
    ) -> Result<Found, Failure> {
        let found = self.perform(|engine| {
            Ok(match read(engine)? {
                Read::Read(length) => Progress::Done(Found::Plaintext(length)),
                Read::Closed => Progress::Done(Found::Closed),
                Read::Truncated => Progress::Done(Found::Truncated),
                Read::NeedRead => Progress::NeedRead,
                Read::NeedWrite => Progress::NeedWrite,
            })
        })?;
        let expected = match found {
            Found::Plaintext(_) => return Ok(found),
            Found::Closed => Read::Closed,
            Found::Truncated => Read::Truncated,
        };
        match read(&mut self.engine) {
            Ok(again) if again == expected => Ok(found),
            again => Err(Failure::Broken(format!("{found:?}, then {again:?}"))),
        }
    }

    /// Repeats a verb until it is done.
    fn perform<T: fmt::Debug>(
        &mut self,
        mut verb: impl FnMut(&mut Engine) -> Result<Progress<T>, Error>,
    ) -> Result<T, Failure> {
        loop {
            match self.call(&mut verb)? {
                Progress::Done(value) => return Ok(value),
                Progress::NeedWrite => self.transport.send(&mut self.engine)?,
                // After the handshake a read waits for input whether or not output waits too.
                Progress::NeedRead => match self.unfinished {
                    Unfinished::Nothing | Unfinished::Early
                        if !self.engine.outgoing().is_empty() =>
                    {
                        self.transport.send(&mut self.engine)?;
                    }
                    // The rest of it is left to its retry.
                    Unfinished::Late | Unfinished::Nothing | Unfinished::Early => {
                        self.transport.receive(&mut self.engine)?;
                    }
                },
            }
        }
    }

    /// Calls a verb. If it waits or fails it is called again, and must answer the same: nothing has
    /// happened in between.
    fn call<T: fmt::Debug>(
        &mut self,
        verb: &mut impl FnMut(&mut Engine) -> Result<Progress<T>, Error>,
    ) -> Result<Progress<T>, Failure> {
        let first = verb(&mut self.engine);
        if let Ok(Progress::Done(_)) = first {
            return Ok(first?);
        }
        let again = verb(&mut self.engine);
        match (&first, &again) {
            (Ok(Progress::NeedRead), Ok(Progress::NeedRead))
            | (Ok(Progress::NeedWrite), Ok(Progress::NeedWrite)) => {}
            (Err(error), Err(same)) if error == same => {}
            _ => {
                return Err(Failure::Broken(format!(
                    "a call came to {first:?}, repeated to {again:?}"
                )));
            }
        }
        Ok(first?)
    }
}

fn write(engine: &mut Engine, plaintext: &[u8]) -> Result<Progress<usize>, Error> {
    Ok(match engine.write(plaintext)? {
        Write::Written(count) => Progress::Done(count),
        Write::NeedRead => Progress::NeedRead,
        Write::NeedWrite => Progress::NeedWrite,
    })
}

fn write_early(engine: &mut Engine, plaintext: &[u8]) -> Result<Progress<EarlyWrite>, Error> {
    Ok(match engine.write_early_data(plaintext)? {
        WriteEarlyData::Written(count) => Progress::Done(EarlyWrite::Written(count)),
        WriteEarlyData::Ended(count) => Progress::Done(EarlyWrite::Ended(count)),
        WriteEarlyData::NeedRead => Progress::NeedRead,
        WriteEarlyData::NeedWrite => Progress::NeedWrite,
    })
}
