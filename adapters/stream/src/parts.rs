//! What a stream is made of: its constructors, its two parts, and what can be asked of them.

use core::fmt;
use std::io;

use offwire::rustls::pki_types::ServerName;
use offwire::{Client, Completion, Engine, Interest, Server, Settings};

use crate::error::Error;
use crate::link::Link;
use crate::stream::Stream;

impl<T: io::Read + io::Write> Stream<T> {
    /// Makes the client's end of a connection, with `client`'s settings but [`Completion::Sent`].
    ///
    /// Nothing is sent before the first verb.
    ///
    /// # Errors
    /// [`Error::Tls`] if the configuration cannot work.
    pub fn connect(
        client: &Client,
        server_name: ServerName<'static>,
        transport: T,
    ) -> Result<Self, Error> {
        let client = client.clone().with_settings(sent(client.settings()));
        Ok(Self {
            engine: client.connect(server_name)?,
            link: Link::fresh(transport),
        })
    }

    /// Makes the server's end of a connection, with `server`'s settings but [`Completion::Sent`].
    ///
    /// A configuration that cannot work shows as [`Error::Tls`] from the first verb.
    #[must_use]
    pub fn accept(server: &Server, transport: T) -> Self {
        let server = server.clone().with_settings(sent(server.settings()));
        Self {
            engine: server.accept(),
            link: Link::fresh(transport),
        }
    }

    /// Joins an engine and a transport, in whatever phase the engine is: the reverse of
    /// [`Stream::into_parts`].
    ///
    /// # Errors
    /// Gives both back if the engine does not run under [`Completion::Sent`]: it would call a write
    /// done before the transport took it.
    #[expect(
        clippy::result_large_err,
        reason = "both parts are given back as they came"
    )]
    pub fn from_parts(engine: Engine, transport: T) -> Result<Self, (Engine, T)> {
        match engine.settings().effective_completion() {
            Completion::Queued => Err((engine, transport)),
            Completion::Sent => Ok(Self {
                engine,
                link: Link::used(transport),
            }),
        }
    }
}

impl<T> Stream<T> {
    /// Takes the stream apart, in whatever phase it is. No byte is in neither of the two; bytes
    /// that the transport buffers may still have to be flushed.
    #[must_use]
    pub fn into_parts(self) -> (Engine, T) {
        (self.engine, self.link.into_transport())
    }

    /// What to wait for on a non-blocking transport: [`Engine::interest`], and writing as long as
    /// the transport has not been flushed.
    pub fn interest(&self) -> Interest {
        match (self.engine.interest(), self.link.owes_flush()) {
            (interest, false) => interest,
            (Interest::Nothing | Interest::Write, true) => Interest::Write,
            (Interest::Read | Interest::ReadWrite, true) => Interest::ReadWrite,
        }
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

    /// The transport.
    #[must_use]
    pub fn transport(&self) -> &T {
        self.link.transport()
    }

    /// The transport, to set its options. Bytes that are read or written here are missing in the
    /// connection.
    pub fn transport_mut(&mut self) -> &mut T {
        self.link.transport_mut()
    }
}

impl<T: fmt::Debug> fmt::Debug for Stream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("engine", &self.engine)
            .field("transport", self.link.transport())
            .finish()
    }
}

fn sent(settings: Settings) -> Settings {
    settings.completion(Completion::Sent)
}
