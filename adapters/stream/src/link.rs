//! Moves ciphertext between an engine and a transport, until the transport would block.
//!
//! Knows nothing of TLS: the engine's queues are bytes here. [`io::ErrorKind::Interrupted`] is
//! retried, every other error is returned with the queues as they were.

use std::io::{self, IoSlice};

use offwire::Engine;

/// A transport, and whether it was told to pass on what it took.
#[derive(Debug)]
pub(crate) struct Link<T> {
    pub(crate) transport: T,
    flush: Flush,
}

/// Whether the transport may still hold bytes that it took (a `BufWriter` does).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flush {
    Done,
    Owed,
}

/// What became of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// All of it has left, and the transport is flushed.
    Done,
    /// The transport would block.
    WouldBlock,
}

/// What one read of the transport brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiving {
    /// Bytes, or the end of the transport: the engine has news.
    News,
    /// The transport would block.
    WouldBlock,
    /// The engine has no room, so the transport was not asked.
    NoRoom,
}

impl<T> Link<T> {
    /// A transport that has taken no bytes yet.
    pub(crate) fn fresh(transport: T) -> Self {
        Self {
            transport,
            flush: Flush::Done,
        }
    }

    /// A transport about which nothing is known: it is flushed once, to be sure.
    pub(crate) fn used(transport: T) -> Self {
        Self {
            transport,
            flush: Flush::Owed,
        }
    }

    /// Whether output that the engine no longer holds still has to be flushed.
    pub(crate) fn owes_flush(&self) -> bool {
        self.flush == Flush::Owed
    }
}

impl<T: io::Read> Link<T> {
    /// Reads the transport once, straight into the engine.
    pub(crate) fn receive(&mut self, engine: &mut Engine) -> io::Result<Receiving> {
        let space = engine.feed_space();
        if space.is_empty() {
            return Ok(Receiving::NoRoom);
        }
        let arrived = loop {
            match self.transport.read(space) {
                Ok(n) => break n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Receiving::WouldBlock);
                }
                Err(error) => return Err(error),
            }
        };
        match arrived {
            0 => engine.feed_eof(),
            n => engine.fed(n).map_err(io::Error::other)?,
        }
        Ok(Receiving::News)
    }
}

impl<T: io::Write> Link<T> {
    /// Sends all that the engine has for the peer, then flushes the transport.
    ///
    /// The engine is told of every byte as soon as the transport took it, so that whatever
    /// interrupts this, a later call goes on with the next byte.
    pub(crate) fn send(&mut self, engine: &mut Engine) -> io::Result<Sending> {
        while !engine.outgoing().is_empty() {
            match self.send_some(engine) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    self.flush = Flush::Owed;
                    engine.sent(n).map_err(io::Error::other)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Sending::WouldBlock);
                }
                Err(error) => return Err(error),
            }
        }
        self.flush()
    }

    /// Flushes the transport, if it took bytes since it was last flushed.
    pub(crate) fn flush(&mut self) -> io::Result<Sending> {
        while self.owes_flush() {
            match self.transport.flush() {
                Ok(()) => self.flush = Flush::Done,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Sending::WouldBlock);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Sending::Done)
    }

    fn send_some(&mut self, engine: &Engine) -> io::Result<usize> {
        let slices = engine.outgoing_slices();
        let mut runs = slices.iter().copied();
        // The queue is a ring: one run, or two where it wraps around.
        let runs = [
            runs.next().unwrap_or_default(),
            runs.next().unwrap_or_default(),
        ];
        self.transport.write_vectored(&runs.map(IoSlice::new))
    }
}
