//! What a transport says to the verbs of `Stream`: that it would block is an outcome here, and the
//! handshake goes on listening.

use std::io;

use offwire::Handshake;

use crate::error::Error;
use crate::link::Received;
use crate::stream::Stream;

impl<T: io::Read + io::Write> Stream<T> {
    /// Sends what the engine has and flushes the transport.
    pub(crate) fn push(&mut self) -> Result<Sending, Error> {
        let sending = self.send();
        self.settle(sending)
    }

    /// Flushes the transport, if it took bytes since it was last flushed.
    pub(crate) fn flush(&mut self) -> Result<Sending, Error> {
        let flushed = Sending::of(self.link.flush());
        self.settle(flushed)
    }

    /// What the handshake makes of a transport that does not take our part of it.
    ///
    /// One that would block is listened to: the peer may be blocked itself until we take what it
    /// has sent, if the transport holds next to nothing (a BIO pair of a few bytes). After news the
    /// engine is to be asked again. One that fails may have brought the reason before.
    fn settle(&mut self, sending: io::Result<Sending>) -> Result<Sending, Error> {
        match sending {
            Ok(Sending::WouldBlock) if self.is_shaking_hands() => match self.receive()? {
                Receiving::News => Ok(Sending::Done),
                Receiving::WouldBlock | Receiving::NoRoom => Ok(Sending::WouldBlock),
            },
            Ok(sending) => Ok(sending),
            // Our last flight may be leaving after the engine has all that it needs.
            Err(error) if self.engine.handshake() != Ok(Handshake::Complete) => {
                Err(self.link.explain(error, &mut self.engine))
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn is_shaking_hands(&self) -> bool {
        self.engine.negotiated().is_none()
    }

    pub(crate) fn send(&mut self) -> io::Result<Sending> {
        Sending::of(self.link.send(&mut self.engine))
    }

    /// Reads the transport once, straight into the engine.
    pub(crate) fn receive(&mut self) -> io::Result<Receiving> {
        match self.link.receive(&mut self.engine) {
            Ok(Received::Bytes(_)) => Ok(Receiving::News),
            Ok(Received::End) => {
                self.engine.feed_eof();
                Ok(Receiving::News)
            }
            Ok(Received::NoRoom) => Ok(Receiving::NoRoom),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Receiving::WouldBlock),
            Err(error) => Err(error),
        }
    }
}

/// What became of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// All of it has left, and the transport is flushed.
    Done,
    /// The transport would block.
    WouldBlock,
}

impl Sending {
    fn of(result: io::Result<()>) -> io::Result<Self> {
        match result {
            Ok(()) => Ok(Self::Done),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Self::WouldBlock),
            Err(error) => Err(error),
        }
    }
}

/// What became of a read of the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiving {
    /// Bytes, or the end of the transport: the engine has news.
    News,
    /// The transport would block.
    WouldBlock,
    /// The engine has no room, so the transport was not asked.
    NoRoom,
}
