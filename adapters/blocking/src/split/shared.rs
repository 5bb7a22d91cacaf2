//! What the two halves share: the engine, and the right to send.
//!
//! The order of the locks and the invariant between them are told in `split.rs`.

use std::io;
use std::sync::{Mutex, MutexGuard};

use bytes::{Buf, Bytes};
use offwire::{Engine, Write};
use offwire_stream::Link;

use crate::error::{self, poisoned, unexpected};

/// What both halves use.
pub(super) struct Shared<W> {
    pub(super) engine: Mutex<Engine>,
    pub(super) sender: Mutex<Sender<W>>,
}

/// The transport's writer, and what the engine gave away that it has not taken.
pub(super) struct Sender<W> {
    pub(super) link: Link<W>,
    pub(super) unsent: Bytes,
}

impl<W> Shared<W> {
    pub(super) fn engine(&self) -> io::Result<MutexGuard<'_, Engine>> {
        // What a panic has left behind may seal a second record under the same nonce.
        self.engine.lock().map_err(|_| poisoned())
    }

    pub(super) fn sender(&self) -> io::Result<MutexGuard<'_, Sender<W>>> {
        self.sender.lock().map_err(|_| poisoned())
    }
}

impl<W: io::Write> Shared<W> {
    /// Repeats a write, by this verb of the engine's, until its first record is taken.
    pub(super) fn write(
        &self,
        mut verb: impl FnMut(&mut Engine) -> Result<Write, offwire::Error>,
    ) -> io::Result<usize> {
        let mut sender = self.sender()?;
        loop {
            // First of all: while this fails, nothing was taken.
            sender.drain()?;
            let outcome = {
                let mut engine = self.engine()?;
                let outcome = verb(&mut engine);
                sender.unsent = engine.take_outgoing();
                outcome
            };
            match outcome {
                Ok(Write::Written(n)) => {
                    // The bytes are taken, so an error is the next call's to meet.
                    let _ = sender.drain();
                    return Ok(n);
                }
                Ok(Write::NeedWrite) => {}
                Ok(Write::NeedRead) => return Err(unexpected("a write waits for input")),
                Err(error) => return Err(sender.fail(error)),
            }
        }
    }

    pub(super) fn flush(&self) -> io::Result<()> {
        let mut sender = self.sender()?;
        sender.drain()?;
        sender.unsent = self.engine()?.take_outgoing();
        sender.send()
    }

    pub(super) fn shutdown(&self) -> io::Result<()> {
        let mut sender = self.sender()?;
        sender.drain()?;
        let outcome = {
            let mut engine = self.engine()?;
            let outcome = engine.shutdown();
            sender.unsent = engine.take_outgoing();
            outcome
        };
        match outcome {
            Ok(_) => sender.send(),
            Err(error) => Err(sender.fail(error)),
        }
    }

    /// Sends the control records that wait in the engine, unless the other half is sending or has
    /// stuck: then it is the one to send them.
    ///
    /// Called by the reader before it waits or ends, and by the writer after it gave the sender back:
    /// of a record made meanwhile one of the two learns. Errors are met again by the next write.
    pub(super) fn send_control(&self) {
        while self
            .engine()
            .is_ok_and(|engine| !engine.outgoing().is_empty())
        {
            let Ok(mut sender) = self.sender.try_lock() else {
                return;
            };
            if !sender.unsent.is_empty() {
                return;
            }
            let Ok(mut engine) = self.engine() else {
                return;
            };
            sender.unsent = engine.take_outgoing();
            drop(engine);
            if sender.send().is_err() {
                return;
            }
        }
    }
}

impl<W: io::Write> Sender<W> {
    /// Sends all that the engine gave away.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            let sent = self.link.send_some([&self.unsent, &[]])?;
            self.unsent.advance(sent);
        }
        Ok(())
    }

    /// As [`Self::drain`], then flushes the transport.
    pub(super) fn send(&mut self) -> io::Result<()> {
        self.drain()?;
        self.link.flush()
    }

    /// Gives the engine's alert a chance to leave, then hands the error on.
    pub(super) fn fail(&mut self, error: offwire::Error) -> io::Error {
        // The connection is over: its error is the news, not what the transport says of it.
        let _ = self.send();
        error::tls(error)
    }
}
