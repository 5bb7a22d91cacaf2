//! `TlsSource`: the engine's verbs over a transport that a `mio::Poll` watches.
//!
//! The verbs are `Stream`'s; here is only what the poll has to be told.

use core::fmt;
use std::io;

use mio::event::Source;
use mio::{Registry, Token};
use offwire::rustls::pki_types::ServerName;
use offwire::{Client, Engine, Handshake, Interest, Read, Server, Shutdown, Write};
use offwire_stream::{Error, Stream};

use crate::registration::Registration;

/// A TLS connection that a [`mio::Poll`] watches, with exactly the engine's interest.
///
/// See the [crate](crate) for the loop around it. It does not implement
/// [`mio::event::Source`], whose caller chooses the interests: here the engine does.
///
/// Dropping it drops the transport, which for a socket takes it out of the poll; close_notify is
/// sent by [`TlsSource::shutdown`] alone.
pub struct TlsSource<T> {
    stream: Stream<T>,
    registration: Registration,
}

impl<T: Source + io::Read + io::Write> TlsSource<T> {
    /// Makes the client's end of a connection (see [`Stream::connect`]). `transport` may still be
    /// connecting, and must not be registered.
    ///
    /// Call a verb before [`Self::register`], so that there is a ClientHello to wait for.
    ///
    /// # Errors
    /// [`Error::Tls`] if the configuration cannot work.
    pub fn connect(
        client: &Client,
        server_name: ServerName<'static>,
        transport: T,
    ) -> Result<Self, Error> {
        Stream::connect(client, server_name, transport).map(Self::from_stream)
    }

    /// Makes the server's end of a connection (see [`Stream::accept`]). `transport` must not be
    /// registered.
    #[must_use]
    pub fn accept(server: &Server, transport: T) -> Self {
        Self::from_stream(Stream::accept(server, transport))
    }

    /// Tells a poll to watch the transport, for what the engine waits for now.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the source is registered, or what the system says.
    /// Either way nothing changes.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self.registration {
            Registration::None => self.tell(registry, token),
            Registration::Dormant | Registration::Waiting { .. } => {
                Err(io::ErrorKind::AlreadyExists.into())
            }
        }
    }

    /// Tells the poll what the engine waits for now, if that or the token has changed.
    ///
    /// Call it after the verbs. Without a change it does nothing. An interest that appears anew is
    /// checked by the system at once, so that what became ready meanwhile is not missed.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if the source is not registered, or what the system says. Either
    /// way nothing changes.
    pub fn reregister(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self.registration {
            Registration::None => Err(io::ErrorKind::NotFound.into()),
            Registration::Dormant | Registration::Waiting { .. } => self.tell(registry, token),
        }
    }

    /// Takes the transport out of the poll.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if the source is not registered, or what the system says. Either
    /// way nothing changes.
    pub fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.registration = self
            .registration
            .end(self.stream.transport_mut(), registry)?;
        Ok(())
    }

    /// Performs the handshake, or goes on with it; see [`Stream::handshake`].
    ///
    /// # Errors
    /// As [`Stream::handshake`].
    pub fn handshake(&mut self) -> Result<Handshake, Error> {
        self.stream.handshake()
    }

    /// Reads plaintext of one record; see [`Stream::read`]. Repeat it until it says `NeedRead`.
    ///
    /// # Errors
    /// As [`Stream::read`].
    pub fn read(&mut self, into: &mut [u8]) -> Result<Read, Error> {
        self.stream.read(into)
    }

    /// Reads and leaves the bytes to be read again; see [`Stream::peek`].
    ///
    /// # Errors
    /// As [`Stream::peek`].
    pub fn peek(&mut self, into: &mut [u8]) -> Result<Read, Error> {
        self.stream.peek(into)
    }

    /// Writes plaintext; see [`Stream::write`]. After `NeedWrite` repeat it with the same bytes,
    /// at the same or another address.
    ///
    /// # Errors
    /// As [`Stream::write`].
    pub fn write(&mut self, plaintext: &[u8]) -> Result<Write, Error> {
        self.stream.write(plaintext)
    }

    /// Writes several slices as one; see [`Stream::write_vectored`]: any number of them. After
    /// `NeedWrite` repeat it with the same bytes, in any grouping.
    ///
    /// # Errors
    /// As [`Stream::write_vectored`].
    pub fn write_vectored(&mut self, slices: &[&[u8]]) -> Result<Write, Error> {
        self.stream.write_vectored(slices)
    }

    /// Closes our half, then waits for the peer's; see [`Stream::shutdown`].
    ///
    /// # Errors
    /// As [`Stream::shutdown`].
    pub fn shutdown(&mut self) -> Result<Shutdown, Error> {
        self.stream.shutdown()
    }

    fn tell(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let wanted = wanted(self.stream.interest());
        let transport = self.stream.transport_mut();
        self.registration = self.registration.tell(transport, registry, token, wanted)?;
        Ok(())
    }
}

impl<T> TlsSource<T> {
    /// Takes a stream in whatever phase it is. Its transport must not be registered.
    #[must_use]
    pub fn from_stream(stream: Stream<T>) -> Self {
        Self {
            stream,
            registration: Registration::None,
        }
    }

    /// Gives the stream back, in whatever phase it is. [`Self::deregister`] first: a transport that
    /// is still registered stays so.
    #[must_use]
    pub fn into_stream(self) -> Stream<T> {
        self.stream
    }

    /// What the transport has to become ready for before a verb can go on.
    pub fn interest(&self) -> Interest {
        self.stream.interest()
    }

    /// What the poll waits for; `None` if it waits for nothing, or there is none.
    #[must_use]
    pub fn registered(&self) -> Option<mio::Interest> {
        match self.registration {
            Registration::None | Registration::Dormant => None,
            Registration::Waiting { interest, .. } => Some(interest),
        }
    }

    /// The engine: facts and counters of the connection.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        self.stream.engine()
    }

    /// The engine, to ask for a key update or to [release](Engine::release) its buffers; see
    /// [`Stream::engine_mut`].
    pub fn engine_mut(&mut self) -> &mut Engine {
        self.stream.engine_mut()
    }

    /// The transport.
    #[must_use]
    pub fn transport(&self) -> &T {
        self.stream.transport()
    }

    /// The transport, to set its options; see [`Stream::transport_mut`]. Registering it is the
    /// source's task.
    pub fn transport_mut(&mut self) -> &mut T {
        self.stream.transport_mut()
    }
}

impl<T: fmt::Debug> fmt::Debug for TlsSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSource")
            .field("stream", &self.stream)
            .field("registration", &self.registration)
            .finish()
    }
}

/// mio has no empty interest.
fn wanted(interest: Interest) -> Option<mio::Interest> {
    match interest {
        Interest::Nothing => None,
        Interest::Read => Some(mio::Interest::READABLE),
        Interest::Write => Some(mio::Interest::WRITABLE),
        Interest::ReadWrite => Some(mio::Interest::READABLE | mio::Interest::WRITABLE),
    }
}
