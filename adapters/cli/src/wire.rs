//! `Wire`: the socket of a connection that is being opened. Whenever it takes no more, it takes in
//! what the peer sends.
//!
//! A server may answer early data before it has read all of it (0.5-RTT, RFC 8446 section 2.3): if
//! both sides only wrote until the buffers between them were full, each would wait for the other.
//! Once the connection is open, `duplex` has a thread for each direction.

use core::time::Duration;
use std::io::{self, Read as _, Write as _};
use std::net;

use bytes::{Buf as _, BytesMut};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use offwire::{Error, Read};

use crate::exit::{Failure, broken};
use crate::session::{CIPHERTEXT, Next, Outcome, PLAINTEXT, Session};
use crate::socket::{Limit, Socket};
use crate::terminal::pour;

/// How long the alert of a connection that failed may wait for a peer that reads nothing, or little.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A socket that does not block, until [`Wire::finish`].
#[derive(Debug)]
pub(crate) struct Wire<'a> {
    /// The same socket as the caller knows it.
    blocking: &'a net::TcpStream,
    socket: TcpStream,
    readiness: Poll,
    events: Events,
    /// What the engine has handed out and the socket has not taken.
    pending: BytesMut,
    peer: Peer,
}

/// Whether the peer may still send.
#[derive(Clone, Copy, Debug)]
enum Peer {
    Open,
    Ended,
}

/// What one look at the socket brought.
enum Arrived<'a> {
    Ciphertext(&'a [u8]),
    End,
    /// Nothing, now or for ever.
    Nothing,
}

impl<'a> Wire<'a> {
    /// Stops the socket from blocking.
    pub(crate) fn new(blocking: &'a net::TcpStream) -> io::Result<Self> {
        blocking.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(blocking.try_clone()?);
        let readiness = Poll::new()?;
        let both = Interest::READABLE | Interest::WRITABLE;
        readiness.registry().register(&mut socket, Token(0), both)?;
        Ok(Self {
            blocking,
            socket,
            readiness,
            events: Events::with_capacity(1),
            pending: BytesMut::new(),
            peer: Peer::Open,
        })
    }

    /// Lets the socket block again.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.readiness.registry().deregister(&mut self.socket)?;
        self.blocking.set_nonblocking(false)
    }

    /// Repeats `verb` until it is done. Plaintext that must make room for more goes to stdout.
    pub(crate) fn drive<O: Outcome>(
        &mut self,
        session: &mut Session,
        mut verb: impl FnMut(&mut Session) -> Result<O, Error>,
    ) -> Result<O::Done, Failure> {
        loop {
            let result = match verb(session).map(Outcome::next) {
                Ok(Next::Done(done)) => return Ok(done),
                Ok(Next::Send) => self.send(session),
                Ok(Next::Receive) => self.receive(session),
                Err(error) => Err(error.into()),
            };
            if let Err(failure) = result {
                // That the alert cannot be sent changes nothing.
                let _ = self.send_last(session);
                return Err(failure);
            }
        }
    }

    /// Sends the alert of a connection that failed, and what stands before it.
    fn send_last(&mut self, session: &mut Session) -> io::Result<()> {
        self.pending.extend_from_slice(&session.take_outgoing());
        self.blocking.set_nonblocking(false)?;
        let mut socket = Socket::new(self.blocking.try_clone()?, Limit::within(LAST_WORDS));
        socket.write_all(&self.pending)?;
        socket.linger()
    }

    /// Sends all that is outgoing, and takes in what arrives as often as the socket is full.
    fn send(&mut self, session: &mut Session) -> Result<(), Failure> {
        let mut ciphertext = [0; CIPHERTEXT];
        self.pending.extend_from_slice(&session.take_outgoing());
        while !self.pending.is_empty() {
            match self.socket.write(&self.pending) {
                Ok(sent) => self.pending.advance(sent),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match self.look(&mut ciphertext).map_err(broken)? {
                        Arrived::Ciphertext(arrived) => {
                            take_in(session, arrived, &mut self.pending)?;
                        }
                        Arrived::End => session.feed_eof(),
                        Arrived::Nothing => self.wait().map_err(broken)?,
                    }
                }
                Err(error) => return Err(broken(error)),
            }
        }
        Ok(())
    }

    /// Waits for what the peer sends, and feeds it.
    fn receive(&mut self, session: &mut Session) -> Result<(), Failure> {
        let mut ciphertext = [0; CIPHERTEXT];
        loop {
            match self.look(&mut ciphertext).map_err(broken)? {
                Arrived::Ciphertext(arrived) => {
                    take_in(session, arrived, &mut self.pending)?;
                    // The engine counts as sent what it has handed out meanwhile.
                    return self.send(session);
                }
                Arrived::End => {
                    session.feed_eof();
                    return Ok(());
                }
                Arrived::Nothing => self.wait().map_err(broken)?,
            }
        }
    }

    /// Reads once, if the peer may still send.
    fn look<'b>(&mut self, into: &'b mut [u8]) -> io::Result<Arrived<'b>> {
        loop {
            let Peer::Open = self.peer else {
                return Ok(Arrived::Nothing);
            };
            match self.socket.read(into) {
                Ok(0) => {
                    self.peer = Peer::Ended;
                    return Ok(Arrived::End);
                }
                Ok(n) => return Ok(Arrived::Ciphertext(into.get(..n).unwrap_or_default())),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Arrived::Nothing);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits until the socket can be read or written again.
    fn wait(&mut self) -> io::Result<()> {
        match self.readiness.poll(&mut self.events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            result => result,
        }
    }
}

/// Feeds all of it. What the engine has no room for takes the place of plaintext, which is read and
/// goes to stdout; what has to be sent for that goes to `pending`.
fn take_in(
    session: &mut Session,
    mut arrived: &[u8],
    pending: &mut BytesMut,
) -> Result<(), Failure> {
    let mut plaintext = [0; PLAINTEXT];
    loop {
        let taken = session.feed(arrived);
        arrived = arrived.get(taken..).unwrap_or_default();
        if arrived.is_empty() {
            return Ok(());
        }
        match session.read(&mut plaintext)? {
            Read::Read(n) => pour(plaintext.get(..n).unwrap_or_default())?,
            Read::NeedWrite => pending.extend_from_slice(&session.take_outgoing()),
            // It has consumed all input, so that there is room again, or discards it from now on.
            Read::NeedRead | Read::Closed | Read::Truncated => {}
        }
    }
}
