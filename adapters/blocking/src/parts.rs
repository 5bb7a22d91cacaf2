//! What a stream is made of: its constructors, its two parts, and what can be asked of them.

use core::fmt;
use std::io;

use offwire::rustls::pki_types::ServerName;
use offwire::{Client, Completion, Engine, Server, Settings, WriteMode};
use offwire_stream::Link;

use crate::error;
use crate::stream::TlsStream;

impl<T: io::Read + io::Write> TlsStream<T> {
    /// Connects to a server over `transport`: completes the handshake.
    ///
    /// The client's settings are used but for [`Completion::Queued`] and [`WriteMode::Partial`].
    ///
    /// # Errors
    /// The transport's or TLS's; the transport is dropped. To repeat after a time limit, use
    /// [`Self::connect_lazy`] and [`Self::handshake`].
    pub fn connect(
        client: &Client,
        server_name: ServerName<'static>,
        transport: T,
    ) -> io::Result<Self> {
        let mut stream = Self::connect_lazy(client, server_name, transport)?;
        stream.handshake()?;
        Ok(stream)
    }

    /// Serves a client over `transport`: completes the handshake.
    ///
    /// The server's settings are used but for [`Completion::Queued`] and [`WriteMode::Partial`].
    ///
    /// # Errors
    /// The transport's or TLS's; the transport is dropped. To repeat after a time limit, use
    /// [`Self::accept_lazy`] and [`Self::handshake`].
    pub fn accept(server: &Server, transport: T) -> io::Result<Self> {
        let mut stream = Self::accept_lazy(server, transport);
        stream.handshake()?;
        Ok(stream)
    }

    /// Makes the client's end and leaves the handshake to the first read or write, or to
    /// [`Self::handshake`]. Does no I/O.
    ///
    /// # Errors
    /// TLS's, if the configuration cannot work.
    pub fn connect_lazy(
        client: &Client,
        server_name: ServerName<'static>,
        transport: T,
    ) -> io::Result<Self> {
        let client = client.clone().with_settings(fitting(client.settings()));
        let engine = client.connect(server_name).map_err(error::tls)?;
        let link = Link::fresh(transport);
        Ok(Self { engine, link })
    }

    /// Makes the server's end and leaves the handshake to the first read or write, or to
    /// [`Self::handshake`]. Does no I/O.
    ///
    /// A configuration that cannot work shows from the first call.
    #[must_use]
    pub fn accept_lazy(server: &Server, transport: T) -> Self {
        let server = server.clone().with_settings(fitting(server.settings()));
        let link = Link::fresh(transport);
        let engine = server.accept();
        Self { engine, link }
    }

    /// Joins an engine and a transport, in whatever phase the engine is: the reverse of
    /// [`Self::into_parts`], and what to do with the engine of an [`offwire::Acceptor`].
    ///
    /// # Errors
    /// Gives both back unless the engine runs under [`Completion::Queued`] and
    /// [`WriteMode::Partial`]: no other contract fits [`io::Write`].
    #[expect(
        clippy::result_large_err,
        reason = "both parts are given back as they came"
    )]
    pub fn from_parts(engine: Engine, transport: T) -> Result<Self, (Engine, T)> {
        if engine.settings() != fitting(engine.settings()) {
            return Err((engine, transport));
        }
        let link = Link::used(transport);
        Ok(Self { engine, link })
    }
}

impl<T> TlsStream<T> {
    /// Takes the stream apart, in whatever phase it is. No byte is in neither of the two; bytes
    /// that the transport buffers may still have to be flushed.
    #[must_use]
    pub fn into_parts(self) -> (Engine, T) {
        (self.engine, self.link.into_transport())
    }

    /// The engine: facts and counters of the connection.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine, to ask for a key update or to release its buffers. Bytes that are fed or taken
    /// here pass the transport by.
    pub fn engine_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// The transport, to set its time limits for example.
    #[must_use]
    pub fn transport(&self) -> &T {
        self.link.transport()
    }

    /// The transport. Bytes that are read or written here are missing in the connection.
    pub fn transport_mut(&mut self) -> &mut T {
        self.link.transport_mut()
    }
}

impl<T: fmt::Debug> fmt::Debug for TlsStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream")
            .field("engine", &self.engine)
            .field("transport", self.link.transport())
            .finish()
    }
}

/// The one contract that `io::Write` permits: an error after bytes were taken, or a retry that must
/// repeat them, has no place in it.
fn fitting(settings: Settings) -> Settings {
    settings
        .completion(Completion::Queued)
        .write_mode(WriteMode::Partial)
}
