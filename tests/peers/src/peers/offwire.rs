//! The engine, bare, and with the buffers of its loop.

use alloc::rc::Rc;
use core::cell::RefCell;

use offwire::{
    BufferPool, Client, Engine, Handshake, HandshakeKind, Read, Server, Settings, Write,
};

use super::configurations;
use crate::peer::{Connection, Library, Means, Progress, Setting};
use crate::{Problem, Wire};

/// The engine's contexts.
#[derive(Debug)]
pub struct Offwire {
    client: Client,
    server: Server,
}

impl Offwire {
    /// Contexts with settings that are not the default.
    #[must_use]
    pub fn with(setting: Setting, settings: Settings) -> Self {
        let (client, server) = configurations(setting);
        Self {
            client: Client::new(client).with_settings(settings),
            server: Server::new(server).with_settings(settings),
        }
    }

    /// The client's context.
    #[must_use]
    pub fn client_context(&self) -> &Client {
        &self.client
    }

    /// The server's context.
    #[must_use]
    pub fn server_context(&self) -> &Server {
        &self.server
    }
}

impl Library for Offwire {
    type Connection = Engine;

    fn new(setting: Setting) -> Result<Option<Self>, Problem> {
        Ok(Some(Self::with(setting, Settings::default())))
    }

    fn client(&self) -> Result<Engine, Problem> {
        Ok(self.client.connect("localhost".try_into()?)?)
    }

    fn server(&self) -> Result<Engine, Problem> {
        Ok(self.server.accept())
    }
}

impl Connection for Engine {
    fn handshake(&mut self, from: &mut Wire, to: &mut Wire) -> Result<Progress, Problem> {
        loop {
            let outcome = Self::handshake(self)?;
            send(self, to)?;
            match outcome {
                Handshake::Complete => return Ok(Progress::Complete),
                Handshake::NeedWrite => {}
                Handshake::NeedRead if from.waiting() == 0 => return Ok(Progress::Going),
                Handshake::NeedRead => receive(self, from)?,
            }
        }
    }

    fn write(&mut self, plaintext: &[u8], to: &mut Wire) -> Result<(), Problem> {
        loop {
            let outcome = Self::write(self, plaintext)?;
            send(self, to)?;
            match outcome {
                Write::Written(_) => return Ok(()),
                Write::NeedWrite => {}
                Write::NeedRead => return Err("a handshake is missing".into()),
            }
        }
    }

    fn read(&mut self, into: &mut [u8], from: &mut Wire) -> Result<usize, Problem> {
        loop {
            match Self::read(self, into)? {
                Read::Read(length) => return Ok(length),
                Read::NeedRead if from.waiting() == 0 => return Ok(0),
                Read::NeedRead => receive(self, from)?,
                Read::NeedWrite | Read::Closed | Read::Truncated => {
                    return Err("an end where there is none".into());
                }
            }
        }
    }

    fn is_resumed(&self) -> bool {
        self.negotiated()
            .is_some_and(|negotiated| negotiated.kind() == HandshakeKind::Resumed)
    }

    fn release(&mut self) -> Means {
        Self::release(self);
        Means::Done
    }
}

/// The engine's contexts, and a pool for all their connections.
#[derive(Debug)]
pub struct Pooling {
    library: Offwire,
    pool: Rc<RefCell<BufferPool>>,
}

/// An engine that has buffers only while it is called.
#[derive(Debug)]
pub struct Pooled {
    engine: Engine,
    pool: Rc<RefCell<BufferPool>>,
}

impl Pooling {
    fn pooled(&self, engine: Engine) -> Pooled {
        Pooled {
            engine,
            pool: Rc::clone(&self.pool),
        }
    }
}

impl Library for Pooling {
    type Connection = Pooled;

    fn new(setting: Setting) -> Result<Option<Self>, Problem> {
        Ok(Some(Self {
            library: Offwire::with(setting, Settings::default()),
            pool: Rc::new(RefCell::new(BufferPool::new(1))),
        }))
    }

    fn client(&self) -> Result<Pooled, Problem> {
        Ok(self.pooled(self.library.client()?))
    }

    fn server(&self) -> Result<Pooled, Problem> {
        Ok(self.pooled(self.library.server()?))
    }
}

impl Pooled {
    fn with_buffers<T>(&mut self, verb: impl FnOnce(&mut Engine) -> T) -> T {
        let mut pool = self.pool.borrow_mut();
        self.engine.borrow_buffers(&mut pool);
        let outcome = verb(&mut self.engine);
        self.engine.return_buffers(&mut pool);
        outcome
    }
}

impl Connection for Pooled {
    fn handshake(&mut self, from: &mut Wire, to: &mut Wire) -> Result<Progress, Problem> {
        Connection::handshake(&mut self.engine, from, to)
    }

    fn write(&mut self, plaintext: &[u8], to: &mut Wire) -> Result<(), Problem> {
        self.with_buffers(|engine| Connection::write(engine, plaintext, to))
    }

    fn read(&mut self, into: &mut [u8], from: &mut Wire) -> Result<usize, Problem> {
        self.with_buffers(|engine| Connection::read(engine, into, from))
    }

    fn is_resumed(&self) -> bool {
        Connection::is_resumed(&self.engine)
    }

    fn release(&mut self) -> Means {
        Connection::release(&mut self.engine)
    }
}

fn send(engine: &mut Engine, to: &mut Wire) -> Result<(), Problem> {
    while !engine.outgoing().is_empty() {
        let outgoing = engine.outgoing();
        to.put(outgoing);
        let sent = outgoing.len();
        engine.sent(sent)?;
    }
    Ok(())
}

fn receive(engine: &mut Engine, from: &mut Wire) -> Result<(), Problem> {
    let received = from.take(engine.feed_space());
    Ok(engine.fed(received)?)
}
