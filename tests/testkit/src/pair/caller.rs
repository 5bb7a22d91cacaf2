//! The verbs of one end of a pair, noted if the pair is recording.

use core::fmt::Debug;

use offwire::{
    BufferPool, Engine, Error, Handshake, KeyUpdate, Read, ReadBytes, ReadEarlyData, Shutdown,
    Write, WriteEarlyData,
};

use super::Side;
use crate::recorder::{Event, Recorder};

/// Whoever calls the verbs of one end. Each does what the engine's verb of the same name does.
#[derive(Debug)]
pub struct Caller<'a> {
    engine: &'a mut Engine,
    side: Side,
    recorder: &'a mut Recorder,
}

impl<'a> Caller<'a> {
    pub(super) fn new(engine: &'a mut Engine, side: Side, recorder: &'a mut Recorder) -> Self {
        Self {
            engine,
            side,
            recorder,
        }
    }

    /// [`Engine::handshake`].
    ///
    /// # Errors
    /// The engine's.
    pub fn handshake(&mut self) -> Result<Handshake, Error> {
        let outcome = self.engine.handshake();
        self.called(|| "handshake()".into(), &outcome);
        outcome
    }

    /// [`Engine::write`].
    ///
    /// # Errors
    /// The engine's.
    pub fn write(&mut self, plaintext: &[u8]) -> Result<Write, Error> {
        let outcome = self.engine.write(plaintext);
        self.called(|| format!("write({})", plaintext.len()), &outcome);
        outcome
    }

    /// [`Engine::write_vectored`].
    ///
    /// # Errors
    /// The engine's.
    pub fn write_vectored(&mut self, slices: &[&[u8]]) -> Result<Write, Error> {
        let outcome = self.engine.write_vectored(slices);
        let len = || slices.iter().map(|slice| slice.len()).sum::<usize>();
        self.called(|| format!("writev({})", len()), &outcome);
        outcome
    }

    /// [`Engine::read`].
    ///
    /// # Errors
    /// The engine's.
    pub fn read(&mut self, into: &mut [u8]) -> Result<Read, Error> {
        let outcome = self.engine.read(into);
        self.called(|| format!("read({})", into.len()), &outcome);
        outcome
    }

    /// [`Engine::read_bytes`].
    ///
    /// # Errors
    /// The engine's.
    pub fn read_bytes(&mut self) -> Result<ReadBytes, Error> {
        let outcome = self.engine.read_bytes();
        let told = match &outcome {
            // The bytes themselves would fill the ladder.
            Ok(ReadBytes::Read(bytes)) => format!("Read({})", bytes.len()),
            Ok(outcome) => format!("{outcome:?}"),
            Err(error) => format!("{error:?}"),
        };
        self.recorder.note(self.side, || Event::Call {
            verb: "read_bytes()".into(),
            outcome: told,
        });
        outcome
    }

    /// [`Engine::peek`].
    ///
    /// # Errors
    /// The engine's.
    pub fn peek(&mut self, into: &mut [u8]) -> Result<Read, Error> {
        let outcome = self.engine.peek(into);
        self.called(|| format!("peek({})", into.len()), &outcome);
        outcome
    }

    /// [`Engine::write_early_data`].
    ///
    /// # Errors
    /// The engine's.
    pub fn write_early_data(&mut self, plaintext: &[u8]) -> Result<WriteEarlyData, Error> {
        let outcome = self.engine.write_early_data(plaintext);
        self.called(|| format!("write_early({})", plaintext.len()), &outcome);
        outcome
    }

    /// [`Engine::read_early_data`].
    ///
    /// # Errors
    /// The engine's.
    pub fn read_early_data(&mut self, into: &mut [u8]) -> Result<ReadEarlyData, Error> {
        let outcome = self.engine.read_early_data(into);
        self.called(|| format!("read_early({})", into.len()), &outcome);
        outcome
    }

    /// [`Engine::shutdown`].
    ///
    /// # Errors
    /// The engine's.
    pub fn shutdown(&mut self) -> Result<Shutdown, Error> {
        let outcome = self.engine.shutdown();
        self.called(|| "shutdown()".into(), &outcome);
        outcome
    }

    /// [`Engine::key_update`].
    ///
    /// # Errors
    /// The engine's.
    pub fn key_update(&mut self, update: KeyUpdate) -> Result<(), Error> {
        let outcome = self.engine.key_update(update);
        self.called(|| format!("key_update({update:?})"), &outcome);
        outcome
    }

    /// [`Engine::release`].
    pub fn release(&mut self) {
        self.engine.release();
        self.called(|| "release()".into(), &Ok(()));
    }

    /// [`Engine::borrow_buffers`].
    pub fn borrow_buffers(&mut self, pool: &mut BufferPool) {
        self.engine.borrow_buffers(pool);
        self.called(|| "borrow_buffers".into(), &Ok(()));
    }

    /// [`Engine::return_buffers`].
    pub fn return_buffers(&mut self, pool: &mut BufferPool) {
        self.engine.return_buffers(pool);
        self.called(|| "return_buffers".into(), &Ok(()));
    }

    /// Reads into `received` until the engine has nothing more, and returns the last outcome.
    ///
    /// # Errors
    /// The engine's, behind the plaintext that came before it.
    pub fn read_available(&mut self, received: &mut Vec<u8>) -> Result<Read, Error> {
        let mut buffer = vec![0; 16_385]; // a record and its spare byte
        loop {
            match self.read(&mut buffer)? {
                Read::Read(n) => received.extend_from_slice(&buffer[..n]),
                last @ (Read::NeedRead | Read::NeedWrite | Read::Closed | Read::Truncated) => {
                    return Ok(last);
                }
            }
        }
    }

    fn called<T: Debug>(&mut self, verb: impl FnOnce() -> String, outcome: &Result<T, Error>) {
        self.recorder.note(self.side, || Event::Call {
            verb: verb(),
            outcome: match outcome {
                Ok(outcome) => match format!("{outcome:?}").as_str() {
                    "()" => "Ok".into(),
                    outcome => outcome.into(),
                },
                Err(error) => format!("{error:?}"),
            },
        });
    }
}
