//! Moves ciphertext between an engine and a transport, for every adapter.
//!
//! Knows nothing of TLS: the engine's queues are bytes here. [`io::ErrorKind::Interrupted`] is
//! retried, every other error is returned with the queues as they were.

use core::fmt;
use std::io::{self, IoSlice};

use offwire::{Engine, Read};

use crate::error::Error;

/// A transport, and whether it was told to pass on what it took: what adapters are made of.
///
/// [`Stream`](crate::Stream) is one of these and an engine; so is an adapter of your own that needs
/// other outcomes. The engine is told of every byte as soon as the transport has moved it, so that
/// whatever interrupts a call, a later one goes on with the next byte.
pub struct Link<T> {
    transport: T,
    flush: Flush,
}

/// Whether the transport may still hold bytes that it took (a `BufWriter` does).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flush {
    Done,
    Owed,
}

/// What one read of the transport brought.
#[must_use = "the end of the transport is the caller's to report to the engine"]
#[expect(clippy::exhaustive_enums, reason = "callers must handle every outcome")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// So many bytes, which the engine has.
    Bytes(usize),
    /// The end of the transport. Whoever takes it for final calls [`Engine::feed_eof`].
    End,
    /// The engine has no room, so the transport was not asked.
    NoRoom,
}

impl<T> Link<T> {
    /// Takes a transport that has taken no bytes yet.
    pub fn fresh(transport: T) -> Self {
        let flush = Flush::Done;
        Self { transport, flush }
    }

    /// Takes a transport about which nothing is known: it is flushed once, to be sure.
    pub fn used(transport: T) -> Self {
        let flush = Flush::Owed;
        Self { transport, flush }
    }

    /// The transport.
    #[must_use]
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// The transport. Bytes that are read or written here are missing in the connection.
    pub fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Gives the transport back. What it took may still have to be flushed:
    /// [`Self::owes_flush`].
    #[must_use]
    pub fn into_transport(self) -> T {
        self.transport
    }

    /// Whether the transport took bytes since it was last flushed.
    #[must_use]
    pub fn owes_flush(&self) -> bool {
        self.flush == Flush::Owed
    }
}

impl<T: io::Read> Link<T> {
    /// Reads the transport once, straight into the engine.
    ///
    /// As much as the engine has room for is asked for, as OpenSSL does with read-ahead on.
    ///
    /// # Errors
    /// The transport's; nothing has changed.
    pub fn receive(&mut self, engine: &mut Engine) -> io::Result<Received> {
        let space = engine.feed_space();
        if space.is_empty() {
            return Ok(Received::NoRoom);
        }
        match self.receive_into(space)? {
            0 => Ok(Received::End),
            n => {
                engine.fed(n).map_err(|_| moved_too_much())?;
                Ok(Received::Bytes(n))
            }
        }
    }

    /// Reads the transport once, into a buffer that is not empty; 0 is the transport's end.
    ///
    /// # Errors
    /// The transport's; nothing has changed.
    pub fn receive_into(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match retried(|| self.transport.read(into))? {
            n if n > into.len() => Err(moved_too_much()),
            n => Ok(n),
        }
    }

    /// Says why the transport did not take our part of the handshake: what the peer said before it
    /// was gone, else the transport's own error.
    ///
    /// A peer that refuses us sends an alert and closes. The rest of our flight then meets a broken
    /// transport, and the alert is what the caller has to know (RFC 8446 section 6.2). Nothing but a
    /// peer that is gone makes this read, so that a blocking transport does not wait.
    pub fn explain(&mut self, error: io::Error, engine: &mut Engine) -> Error {
        if is_gone(&error) {
            loop {
                match engine.peek(&mut []) {
                    Ok(Read::NeedRead | Read::NeedWrite) => {}
                    Ok(Read::Read(_) | Read::Closed | Read::Truncated) => break,
                    Err(refused) => return Error::Tls(refused),
                }
                // Its end says no more than the error does.
                let Ok(Received::Bytes(_)) = self.receive(engine) else {
                    break;
                };
            }
        }
        Error::Transport(error)
    }
}

impl<T: io::Write> Link<T> {
    /// Sends all that the engine has for the peer, then flushes the transport.
    ///
    /// # Errors
    /// The transport's: call again. [`io::ErrorKind::WriteZero`] if it takes nothing.
    pub fn send(&mut self, engine: &mut Engine) -> io::Result<()> {
        self.drain(engine)?;
        self.flush()
    }

    /// Sends all that the engine has for the peer, and leaves the flush to be done.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn drain(&mut self, engine: &mut Engine) -> io::Result<()> {
        while !engine.outgoing().is_empty() {
            let slices = engine.outgoing_slices();
            let mut runs = slices.iter().copied();
            // The queue is a ring: one run, or two where it wraps around.
            let runs = [
                runs.next().unwrap_or_default(),
                runs.next().unwrap_or_default(),
            ];
            let sent = self.send_some(runs)?;
            drop(slices);
            engine.sent(sent).map_err(|_| moved_too_much())?;
        }
        Ok(())
    }

    /// Hands the transport what it takes of these runs in one call: at least one byte of those
    /// there are. Returns how many it took.
    ///
    /// # Errors
    /// As [`Self::send`]; nothing was taken.
    pub fn send_some(&mut self, runs: [&[u8]; 2]) -> io::Result<usize> {
        let [first, second] = runs;
        let sent = match second {
            [] => retried(|| self.transport.write(first)),
            _ => retried(|| self.transport.write_vectored(&runs.map(IoSlice::new))),
        };
        match sent? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            n if n > first.len() + second.len() => Err(moved_too_much()),
            n => {
                self.flush = Flush::Owed;
                Ok(n)
            }
        }
    }

    /// Flushes the transport, if it took bytes since it was last flushed.
    ///
    /// # Errors
    /// The transport's: call again.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.owes_flush() {
            retried(|| self.transport.flush())?;
            self.flush = Flush::Done;
        }
        Ok(())
    }
}

impl<T: fmt::Debug> fmt::Debug for Link<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("transport", &self.transport)
            .field("flush", &self.flush)
            .finish()
    }
}

/// Whether the peer is gone, so that what it sent is all that it will ever send.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// A transport claims to have moved more bytes than it was given.
fn moved_too_much() -> io::Error {
    io::Error::other("the transport claims to have moved more bytes than it was given")
}

/// Repeats a call on a transport as long as a signal interrupts it.
fn retried<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
