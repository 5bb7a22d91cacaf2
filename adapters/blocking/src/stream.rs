//! `TlsStream`: the engine over a blocking transport, as [`io::Read`] and [`io::Write`].
//!
//! Each call asks the engine, sends what it has for the peer, receives what it waits for, and asks
//! again. Which outcome applies is the engine's knowledge alone; here outcomes become the bytes and
//! the errors of `std::io`.

use std::io;

use offwire::{Engine, Handshake, Read, Shutdown, Write};
use offwire_stream::{Link, Received};

use crate::error::{self, explained, truncated, unexpected};
use crate::slices::with_slices;
use crate::split::{ReadHalf, WriteHalf};
use crate::transport::Divide;

/// Which close_notify alerts have been exchanged, or are to be: see [`TlsStream::shutdown`].
#[must_use = "after `Ours` the peer may still be sending"]
#[expect(clippy::exhaustive_enums, reason = "a connection has two halves")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseNotify {
    /// Our own: nothing more will be written.
    Ours,
    /// Ours and the peer's: the connection is over.
    Both,
}

/// A TLS connection over a blocking transport, as [`io::Read`] and [`io::Write`].
///
/// # Reading
/// [`read`](io::Read::read) returns `Ok(0)` once the peer has sent close_notify, which is
/// authenticated: all data has arrived. A transport that ends without one is
/// [`io::ErrorKind::UnexpectedEof`]: the data may have been cut off, perhaps by an attacker. (An
/// empty buffer reads nothing: `Ok(0)` as well.)
///
/// # Writing
/// [`write`](io::Write::write) takes at most one record, 16,384 bytes, and has handed it to the
/// transport when it returns; if the transport fails only then, the bytes are taken all the same
/// and the rest of the record stays queued. That is sent first by the next `write`, `flush`, `read`
/// or `shutdown`, and where it fails again the error comes out. An error of `write` therefore always
/// means that nothing was taken. [`write_vectored`](io::Write::write_vectored) packs its slices into
/// that one record, and takes the first 64 of them that are not empty at most, since it allocates
/// nothing: what is behind them is the next call's (a
/// loop over [`IoSlice::advance_slices`](io::IoSlice::advance_slices)). [`flush`](io::Write::flush) leaves nothing behind, neither in the
/// queue nor in a transport that buffers; unlike a [`BufWriter`](io::BufWriter) this type writes by
/// itself, so on a socket `flush` only matters after a time limit has struck.
///
/// # Time limits
/// Where the transport fails with [`io::ErrorKind::WouldBlock`] or [`io::ErrorKind::TimedOut`]
/// (`set_read_timeout`, `set_write_timeout`) so does the call. It can be repeated: no byte is lost
/// or doubled. The same holds for any other error, as far as the transport recovers from it.
/// [`io::ErrorKind::Interrupted`] is retried and never seen.
///
/// # TLS errors
/// They are [`io::Error`]s around an [`offwire::Error`], which [`tls_error`](crate::tls_error) and
/// [`io::Error::downcast`] find. All but [`offwire::Error::Misuse`] end the connection: each later
/// call returns the same one. The alert for the peer is sent before the error is returned.
///
/// | [`io::ErrorKind`] | [`offwire::Error`] |
/// |---|---|
/// | `InvalidData` | `Peer`, `Alert`, `Certificate` |
/// | `UnexpectedEof` | `Peer(HandshakeTruncated)`; after the handshake a truncation has no TLS error inside |
/// | `BrokenPipe` | `Misuse(WriteAfterShutdown)` |
/// | `InvalidInput` | any other `Misuse` |
/// | `Other` | `Internal` |
///
/// # Dropping
/// Does no I/O. A peer then sees a truncation, unless [`shutdown`](Self::shutdown) was called.
pub struct TlsStream<T> {
    pub(crate) engine: Engine,
    pub(crate) link: Link<T>,
}

impl<T: io::Read + io::Write> TlsStream<T> {
    /// Completes the handshake, if it is not complete (`SSL_do_handshake(3)`). Returns once our
    /// last flight has left.
    ///
    /// # Errors
    /// The transport's: repeat the call. TLS's: the connection is over. If the transport breaks
    /// since the peer has refused us and is gone, its alert is the error.
    pub fn handshake(&mut self) -> io::Result<()> {
        loop {
            match self.engine.handshake() {
                Ok(Handshake::Complete) => return self.send(),
                Ok(Handshake::NeedRead) => self.exchange()?,
                Ok(Handshake::NeedWrite) => self.send()?,
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    /// Reads as [`io::Read::read`] does, and leaves the bytes to be read again (`SSL_peek(3)`).
    ///
    /// # Errors
    /// As a read.
    pub fn peek(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.pull(into, Engine::peek)
    }

    /// Closes our half with close_notify (`SSL_shutdown(3)`), behind all that was written, and
    /// flushes the transport; then waits for the peer's, if `until` says [`CloseNotify::Both`].
    ///
    /// Returns what has been exchanged. Asked for `Both`, it returns [`CloseNotify::Ours`] only when
    /// data arrives that nobody has read: read it, then call again. (`read` returns `Ok(0)` when the
    /// peer's close_notify has come, and that is as good as the second call.) The transport itself
    /// is left open.
    ///
    /// # Errors
    /// The transport's: repeat the call. [`io::ErrorKind::UnexpectedEof`]: ours has left, and the
    /// transport ended without the peer's. TLS's [`offwire::Misuse::ShutdownInHandshake`]: complete the
    /// handshake first, or drop the stream; any other: the connection is over.
    pub fn shutdown(&mut self, until: CloseNotify) -> io::Result<CloseNotify> {
        loop {
            let outcome = match self.engine.shutdown() {
                Ok(outcome) => outcome,
                Err(error) => return Err(self.fail(error)),
            };
            self.send()?;
            match (outcome, until) {
                (Shutdown::NeedWrite, _) => {}
                (Shutdown::Complete, _) => return Ok(CloseNotify::Both),
                (Shutdown::Sent | Shutdown::Truncated, CloseNotify::Ours) => {
                    return Ok(CloseNotify::Ours);
                }
                (Shutdown::Truncated, CloseNotify::Both) => return Err(truncated()),
                (Shutdown::Sent, CloseNotify::Both) if self.engine.pending() > 0 => {
                    return Ok(CloseNotify::Ours);
                }
                (Shutdown::Sent, CloseNotify::Both) => self.receive()?,
            }
        }
    }

    fn pull(
        &mut self,
        into: &mut [u8],
        verb: fn(&mut Engine, &mut [u8]) -> Result<Read, offwire::Error>,
    ) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            match verb(&mut self.engine, into) {
                Ok(Read::Read(n)) => return Ok(n),
                Ok(Read::NeedRead) => {
                    // The peer may wait for what is still queued.
                    if self.engine.negotiated().is_none() {
                        self.send()?;
                    } else {
                        // A failure is the next write's to report; what the peer sent can be read.
                        let _ = self.link.send(&mut self.engine);
                    }
                    self.receive()?;
                }
                Ok(Read::NeedWrite) => self.send()?,
                Ok(Read::Closed) => return Ok(0),
                Ok(Read::Truncated) => return Err(truncated()),
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    /// Repeats a write until its first record is taken.
    fn put(
        &mut self,
        mut verb: impl FnMut(&mut Engine) -> Result<Write, offwire::Error>,
    ) -> io::Result<usize> {
        loop {
            // First of all: while this fails, nothing was taken.
            self.drain()?;
            match verb(&mut self.engine) {
                Ok(Write::Written(n)) => {
                    // The bytes are taken, so an error is the next call's to meet.
                    let _ = self.link.drain(&mut self.engine);
                    return Ok(n);
                }
                Ok(Write::NeedRead) => self.exchange()?,
                Ok(Write::NeedWrite) => {}
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    /// Waits for the peer, which waits for nothing of ours.
    fn exchange(&mut self) -> io::Result<()> {
        self.send()?;
        self.receive()
    }

    /// Reads the transport once, straight into the engine.
    fn receive(&mut self) -> io::Result<()> {
        match self.link.receive(&mut self.engine)? {
            Received::Bytes(_) => Ok(()),
            Received::End => {
                self.engine.feed_eof();
                Ok(())
            }
            Received::NoRoom => Err(unexpected("the engine asks for input and has no room")),
        }
    }

    /// Gives the engine's alert a chance to leave, then hands the error on.
    fn fail(&mut self, error: offwire::Error) -> io::Error {
        if !matches!(error, offwire::Error::Misuse(_)) {
            // The connection is over: its error is the news, not what the transport says of it.
            let _ = self.link.send(&mut self.engine);
        }
        error::tls(error)
    }

    /// Sends all that is queued for the peer and flushes the transport.
    fn send(&mut self) -> io::Result<()> {
        let sent = self.link.send(&mut self.engine);
        self.explain(sent)
    }

    /// Sends all that is queued for the peer.
    fn drain(&mut self) -> io::Result<()> {
        let sent = self.link.drain(&mut self.engine);
        self.explain(sent)
    }

    /// Lets the peer say why our part of the handshake could not be sent. Data may fail to be sent
    /// for reasons of our own: the caller may have closed the transport's half.
    fn explain(&mut self, sent: io::Result<()>) -> io::Result<()> {
        match sent {
            Err(error) if self.engine.stats().plaintext_sealed == 0 => {
                Err(explained(self.link.explain(error, &mut self.engine)))
            }
            sent => sent,
        }
    }
}

impl<T: io::Read + io::Write + Divide> TlsStream<T> {
    /// Divides the connection between two threads, one that reads and one that writes; completes
    /// the handshake first, if it is not complete.
    ///
    /// What a failed write left behind stays with the half that writes.
    ///
    /// # Errors
    /// Those of [`Self::handshake`], and the connection is dropped: call that first where time
    /// limits are to be survived. Once it has succeeded, this does no I/O and cannot fail.
    pub fn split(mut self) -> io::Result<(ReadHalf<T>, WriteHalf<T>)> {
        if self.engine.negotiated().is_none() {
            self.handshake()?;
        } else if self.engine.stats().plaintext_sealed == 0 && !self.engine.outgoing().is_empty() {
            // A read may have completed it and left our last flight, or tickets, in the queue, where
            // no half would send them before the first write. If that fails, the write meets it.
            let _ = self.link.send(&mut self.engine);
        }
        Ok(crate::split::halves(self.engine, self.link))
    }
}

impl<T: io::Read + io::Write> io::Read for TlsStream<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.pull(into, Engine::read)
    }
}

impl<T: io::Read + io::Write> io::Write for TlsStream<T> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        self.put(|engine| engine.write(plaintext))
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        with_slices(slices, |slices| {
            self.put(|engine| engine.write_vectored(slices))
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}
