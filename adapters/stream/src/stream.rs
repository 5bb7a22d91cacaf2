//! `Stream`: the engine's verbs over a transport, with the engine's own outcomes.
//!
//! Each verb asks the engine; on `NeedWrite` it sends, on `NeedRead` it receives, then it asks
//! again, until the engine is done or the transport would block. Which outcome applies is the
//! engine's knowledge alone (`SSL_read(3)`, `SSL_write(3)`, `SSL_shutdown(3)`).

use std::io;

use offwire::{Engine, Handshake, Read, Shutdown, Write};

use crate::carry::{Receiving, Sending};
use crate::error::Error;
use crate::link::Link;

/// A TLS connection over a transport.
///
/// The engine runs under [`Completion::Sent`](offwire::Completion::Sent), as over OpenSSL's socket BIO: a write is done when
/// its records have left, and a handshake when its last flight has. That is why the stream needs no
/// memory of its own: whatever stopped a call, its repetition finds the unsent records in the
/// engine and sends each once.
///
/// # Flushing
/// The transport is flushed whenever the engine's output has been handed to it to the last byte,
/// and before a call reads from it unless a write is blocked, so a transport may buffer
/// (`BufWriter`). A flush that would block counts as output that is waiting; see [`Stream::interest`].
///
/// # Sockets with time limits
/// A time limit (`set_read_timeout`) that shows as [`io::ErrorKind::WouldBlock`], as on Unix, makes
/// a blocking transport answer `NeedRead` or `NeedWrite`; one that shows as
/// [`io::ErrorKind::TimedOut`], as on Windows, is [`Error::Transport`]. Either way the call can be
/// repeated. Set both limits or none: during the handshake a socket that would block to send is
/// received from.
pub struct Stream<T> {
    pub(crate) engine: Engine,
    pub(crate) link: Link<T>,
}

impl<T: io::Read + io::Write> Stream<T> {
    /// Performs the handshake, or goes on with it (`SSL_do_handshake(3)`).
    ///
    /// Optional: the first `read`, `peek` or `write` performs it as well. Returns
    /// [`Handshake::Complete`] once our last flight has left; [`Handshake::NeedRead`] or
    /// [`Handshake::NeedWrite`] when the transport would block.
    ///
    /// # Errors
    /// [`Error::Transport`]: repeat the call. [`Error::Tls`]: the connection is dead; our alert was
    /// sent unless the transport would block. If the transport breaks since the peer has refused us
    /// and is gone, its alert is the error.
    pub fn handshake(&mut self) -> Result<Handshake, Error> {
        loop {
            if self.flush()? == Sending::WouldBlock {
                return Ok(Handshake::NeedWrite);
            }
            match self.engine.handshake() {
                Ok(Handshake::Complete | Handshake::NeedRead) if self.link.owes_flush() => {}
                Ok(Handshake::Complete) => return Ok(Handshake::Complete),
                Ok(Handshake::NeedRead) => match self.receive()? {
                    Receiving::News => {}
                    Receiving::WouldBlock | Receiving::NoRoom => return Ok(Handshake::NeedRead),
                },
                Ok(Handshake::NeedWrite) => match self.push()? {
                    Sending::Done => {}
                    Sending::WouldBlock => return Ok(Handshake::NeedWrite),
                },
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    /// Reads plaintext of one record into `into`, completing the handshake first if necessary
    /// (`SSL_read(3)`).
    ///
    /// Returns [`Read::Read`], [`Read::Closed`] or [`Read::Truncated`] as the engine does;
    /// [`Read::NeedRead`] when the transport would block, [`Read::NeedWrite`] when it would during
    /// the handshake.
    ///
    /// After the handshake a read needs nothing to leave. It offers the transport what waits for the
    /// peer (tickets, warnings, close_notify), so that a loop that only reads sends it too; whether
    /// the transport takes it does not matter to the read. Output of a blocked write is left to that
    /// write's repetition: a blocking transport could hang on it.
    ///
    /// # Errors
    /// [`Error::Transport`]: nothing is lost, repeat the call. [`Error::Tls`]: the connection is
    /// dead, and every byte that arrived intact before has been read.
    pub fn read(&mut self, into: &mut [u8]) -> Result<Read, Error> {
        self.pull(into, Engine::read)
    }

    /// Reads as [`Stream::read`] does, and leaves the bytes to be read again (`SSL_peek(3)`).
    ///
    /// # Errors
    /// As [`Stream::read`].
    pub fn peek(&mut self, into: &mut [u8]) -> Result<Read, Error> {
        self.pull(into, Engine::peek)
    }

    /// Writes `plaintext` to the peer, completing the handshake first if necessary
    /// (`SSL_write(3)`).
    ///
    /// Returns [`Write::Written`] once the records have left and the transport is flushed: with
    /// all of `plaintext`, or in partial mode with one record of it. [`Write::NeedWrite`] when the
    /// transport would block: call again with the same bytes, at the same or another address.
    /// [`Write::NeedRead`] when the handshake waits for the peer and the transport would block:
    /// nothing was taken.
    ///
    /// # Errors
    /// [`Error::Transport`]: nothing is lost and nothing is sent twice if the call is repeated with
    /// the same bytes. [`Error::Tls`] with [`offwire::Misuse::BadWriteRetry`] if the repetition is
    /// shorter or differs, and [`offwire::Misuse::WriteAfterShutdown`]: the connection stays
    /// usable. Any other [`Error::Tls`]: it is dead. After the handshake a transport that breaks is
    /// [`Error::Transport`]; [read](Self::read) on to learn whether the peer had sent an alert.
    pub fn write(&mut self, plaintext: &[u8]) -> Result<Write, Error> {
        self.put(|engine| engine.write(plaintext))
    }

    /// Writes the concatenation of `slices`, packed into common records; otherwise as
    /// [`Stream::write`].
    ///
    /// Any number of slices is taken, and only the concatenation counts: a retry may group the bytes
    /// otherwise, or be a `write`. What leaves has its own slices: the engine's queue in at most two
    /// ([`Engine::outgoing_slices`]), whatever the caller's were.
    ///
    /// # Errors
    /// As [`Stream::write`].
    pub fn write_vectored(&mut self, slices: &[&[u8]]) -> Result<Write, Error> {
        self.put(|engine| engine.write_vectored(slices))
    }

    /// Closes our half with close_notify, then waits for the peer's (`SSL_shutdown(3)`).
    ///
    /// The call in which close_notify leaves returns [`Shutdown::Sent`] at once, without waiting
    /// for the peer, or [`Shutdown::Complete`] if the peer's had arrived before. A repetition reads
    /// the transport until the peer's close_notify ([`Shutdown::Complete`]), the transport's end
    /// ([`Shutdown::Truncated`]), or until data arrives or the transport would block
    /// ([`Shutdown::Sent`]: [`Stream::read`] on until it ends).
    /// [`Shutdown::NeedWrite`] when the transport would block before close_notify has left: read on
    /// meanwhile, since the peer may be waiting for that before it reads what we send.
    ///
    /// # Errors
    /// [`Error::Transport`]: repeat the call. [`Error::Tls`] with
    /// [`offwire::Misuse::ShutdownInHandshake`]: complete the handshake first, or drop the stream.
    /// Any other [`Error::Tls`]: the connection is dead.
    pub fn shutdown(&mut self) -> Result<Shutdown, Error> {
        let mut call = ShutdownCall::Repeated;
        loop {
            if self.link.owes_flush() {
                call = ShutdownCall::Closing;
                if self.flush()? == Sending::WouldBlock {
                    return Ok(Shutdown::NeedWrite);
                }
            }
            match (self.engine.shutdown(), call) {
                (Ok(Shutdown::NeedWrite), _) => {
                    call = ShutdownCall::Closing;
                    if self.send()? == Sending::WouldBlock {
                        return Ok(Shutdown::NeedWrite);
                    }
                }
                // What stands before the peer's close_notify is for `read` to take.
                (Ok(Shutdown::Sent), _) if self.engine.pending() > 0 => return Ok(Shutdown::Sent),
                (Ok(Shutdown::Sent), ShutdownCall::Repeated) => match self.receive()? {
                    Receiving::News => {}
                    Receiving::WouldBlock | Receiving::NoRoom => return Ok(Shutdown::Sent),
                },
                (Ok(outcome), _) => return Ok(outcome),
                (Err(error), _) => return Err(self.fail(error)),
            }
        }
    }

    /// Repeats a write until it is done, the transport would block, or the peer is waited for.
    fn put(
        &mut self,
        mut verb: impl FnMut(&mut Engine) -> Result<Write, offwire::Error>,
    ) -> Result<Write, Error> {
        loop {
            // Before the engine is asked: it knows nothing of flushing, and says `Written` once.
            if self.flush()? == Sending::WouldBlock {
                return Ok(Write::NeedWrite);
            }
            match verb(&mut self.engine) {
                Ok(Write::Written(0) | Write::NeedRead) if self.link.owes_flush() => {}
                Ok(Write::Written(n)) => return Ok(Write::Written(n)),
                Ok(Write::NeedRead) => match self.receive()? {
                    Receiving::News => {}
                    Receiving::WouldBlock | Receiving::NoRoom => return Ok(Write::NeedRead),
                },
                Ok(Write::NeedWrite) => match self.push()? {
                    Sending::Done => {}
                    Sending::WouldBlock => return Ok(Write::NeedWrite),
                },
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    fn pull(
        &mut self,
        into: &mut [u8],
        verb: fn(&mut Engine, &mut [u8]) -> Result<Read, offwire::Error>,
    ) -> Result<Read, Error> {
        loop {
            match verb(&mut self.engine, into) {
                // The peer waits for what is not flushed.
                Ok(Read::NeedRead) if self.is_shaking_hands() && self.link.owes_flush() => {
                    if self.flush()? == Sending::WouldBlock {
                        return Ok(Read::NeedWrite);
                    }
                }
                Ok(Read::NeedRead) => {
                    self.offer_control();
                    match self.receive()? {
                        Receiving::News => {}
                        Receiving::WouldBlock | Receiving::NoRoom => return Ok(Read::NeedRead),
                    }
                }
                Ok(Read::NeedWrite) => match self.push()? {
                    Sending::Done => {}
                    Sending::WouldBlock => return Ok(Read::NeedWrite),
                },
                Ok(outcome @ (Read::Read(_) | Read::Closed | Read::Truncated)) => {
                    return Ok(outcome);
                }
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    /// Sends what a read may owe the peer before it waits for it: control records, tickets, and
    /// what has not been flushed.
    fn offer_control(&mut self) {
        // A blocked write is the caller's to repeat: on a blocking transport, sending it from here
        // could hang on a peer that waits for us to read.
        if self.engine.committed() == 0 && !self.is_shaking_hands() {
            // The peer may have stopped reading and still have sent: that the transport would
            // block or fails is the next write's news, and what arrived is this call's.
            let _ = self.send();
        }
    }

    /// Gives the engine's alert a chance to leave, then hands the error on.
    pub(crate) fn fail(&mut self, error: offwire::Error) -> Error {
        if !matches!(error, offwire::Error::Misuse(_)) {
            // The connection is dead: its error is the news, not what the transport says of it.
            let _ = self.send();
        }
        Error::Tls(error)
    }
}

/// What one call of `shutdown` has found so far.
#[derive(Clone, Copy)]
enum ShutdownCall {
    /// Our close_notify had left before this call, so it is the peer's turn.
    Repeated,
    /// Something left in this call.
    Closing,
}
