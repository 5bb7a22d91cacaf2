//! rustls 0.23 without buffers of its own: `process_tls_records` on a buffer of the caller's.

use alloc::sync::Arc;
use core::fmt;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, UnbufferedConnectionCommon, UnbufferedStatus,
};
use rustls::{ClientConfig, HandshakeKind, ServerConfig};

use super::configurations;
use crate::peer::{Connection, Library, Progress, Setting};
use crate::{Problem, Wire};

/// The largest record on the wire, and what a caller reads at once.
const RECORD: usize = 5 + 16_384 + 256;

/// Its two configurations.
#[derive(Debug)]
pub struct Unbuffered {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl Library for Unbuffered {
    type Connection = Either;

    fn new(setting: Setting) -> Result<Option<Self>, Problem> {
        let (client, server) = configurations(setting);
        let (client, server) = (Arc::new(client), Arc::new(server));
        Ok(Some(Self { client, server }))
    }

    fn client(&self) -> Result<Either, Problem> {
        let name = "localhost".try_into()?;
        let tls = UnbufferedClientConnection::new(Arc::clone(&self.client), name)?;
        Ok(Either::Client(Box::new(Unbuffering::new(tls))))
    }

    fn server(&self) -> Result<Either, Problem> {
        let tls = UnbufferedServerConnection::new(Arc::clone(&self.server))?;
        Ok(Either::Server(Box::new(Unbuffering::new(tls))))
    }
}

/// A connection of either role.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Either {
    /// The client's.
    Client(Box<Unbuffering<UnbufferedClientConnection>>),
    /// The server's.
    Server(Box<Unbuffering<UnbufferedServerConnection>>),
}

impl Connection for Either {
    fn handshake(&mut self, from: &mut Wire, to: &mut Wire) -> Result<Progress, Problem> {
        match self {
            Self::Client(client) => client.handshake(from, to),
            Self::Server(server) => server.handshake(from, to),
        }
    }

    fn write(&mut self, plaintext: &[u8], to: &mut Wire) -> Result<(), Problem> {
        match self {
            Self::Client(client) => client.write(plaintext, to),
            Self::Server(server) => server.write(plaintext, to),
        }
    }

    fn read(&mut self, into: &mut [u8], from: &mut Wire) -> Result<usize, Problem> {
        match self {
            Self::Client(client) => client.read(into, from),
            Self::Server(server) => server.read(into, from),
        }
    }

    fn is_resumed(&self) -> bool {
        match self {
            Self::Client(client) => client.tls.kind() == Some(HandshakeKind::Resumed),
            Self::Server(server) => server.tls.kind() == Some(HandshakeKind::Resumed),
        }
    }
}

/// What is the same on both sides, whose types differ.
pub trait Role {
    /// rustls's name of the side.
    type Data;

    /// Shows records to rustls.
    fn process<'c, 'i>(&'c mut self, bytes: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;

    /// How it has shaken hands.
    fn kind(&self) -> Option<HandshakeKind>;
}

impl Role for UnbufferedClientConnection {
    type Data = ClientConnectionData;

    fn process<'c, 'i>(&'c mut self, bytes: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        UnbufferedConnectionCommon::<Self::Data>::process_tls_records(self, bytes)
    }

    fn kind(&self) -> Option<HandshakeKind> {
        self.handshake_kind()
    }
}

impl Role for UnbufferedServerConnection {
    type Data = ServerConnectionData;

    fn process<'c, 'i>(&'c mut self, bytes: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        UnbufferedConnectionCommon::<Self::Data>::process_tls_records(self, bytes)
    }

    fn kind(&self) -> Option<HandshakeKind> {
        self.handshake_kind()
    }
}

/// A connection and the caller's two buffers, one record each.
pub struct Unbuffering<T> {
    tls: T,
    incoming: Vec<u8>,
    /// The bytes of `incoming` that have arrived and are not dealt with.
    head: usize,
    tail: usize,
    outgoing: Vec<u8>,
}

impl<T> fmt::Debug for Unbuffering<T> {
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        into.debug_struct("Unbuffering").finish_non_exhaustive()
    }
}

/// What a call of rustls came to.
enum Step {
    Again,
    Blocked,
    Ready,
    Plaintext(usize),
}

impl<T: Role> Unbuffering<T> {
    fn new(tls: T) -> Self {
        let (incoming, outgoing) = (vec![0; RECORD], vec![0; RECORD]);
        Self {
            tls,
            incoming,
            head: 0,
            tail: 0,
            outgoing,
        }
    }

    fn handshake(&mut self, from: &mut Wire, to: &mut Wire) -> Result<Progress, Problem> {
        loop {
            match self.step(&mut [], to)? {
                Step::Again => {}
                Step::Ready => return Ok(Progress::Complete),
                Step::Blocked if from.waiting() == 0 => return Ok(Progress::Going),
                Step::Blocked => self.receive(from),
                Step::Plaintext(_) => return Err("plaintext in a handshake".into()),
            }
        }
    }

    fn write(&mut self, plaintext: &[u8], to: &mut Wire) -> Result<(), Problem> {
        let ConnectionState::WriteTraffic(mut traffic) = self.tls.process(&mut []).state? else {
            return Err("it cannot be written to".into());
        };
        for piece in plaintext.chunks(16_384) {
            let length = traffic.encrypt(piece, &mut self.outgoing)?;
            to.put(self.outgoing.get(..length).ok_or("too much")?);
        }
        Ok(())
    }

    fn read(&mut self, into: &mut [u8], from: &mut Wire) -> Result<usize, Problem> {
        loop {
            match self.step(into, &mut Wire::new())? {
                Step::Plaintext(length) => return Ok(length),
                Step::Again => {}
                Step::Blocked | Step::Ready if from.waiting() == 0 => return Ok(0),
                Step::Blocked | Step::Ready => self.receive(from),
            }
        }
    }

    /// Calls rustls once, and does what it asks for.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "rustls's enum is not exhaustive"
    )]
    fn step(&mut self, into: &mut [u8], to: &mut Wire) -> Result<Step, Problem> {
        let bytes = self
            .incoming
            .get_mut(self.head..self.tail)
            .ok_or("no such bytes")?;
        let UnbufferedStatus {
            mut discard, state, ..
        } = self.tls.process(bytes);
        let step = match state? {
            ConnectionState::EncodeTlsData(chunk) => {
                let length = encode(chunk, &mut self.outgoing)?;
                to.put(self.outgoing.get(..length).ok_or("too much")?);
                Step::Again
            }
            ConnectionState::TransmitTlsData(transmit) => {
                transmit.done();
                Step::Again
            }
            ConnectionState::ReadTraffic(mut traffic) => {
                let record = traffic.next_record().ok_or("no record")??;
                discard += record.discard;
                let length = record.payload.len();
                let into = into.get_mut(..length).ok_or("a record does not fit")?;
                into.copy_from_slice(record.payload);
                Step::Plaintext(length)
            }
            ConnectionState::BlockedHandshake => Step::Blocked,
            ConnectionState::WriteTraffic(_) => Step::Ready,
            other => return Err(format!("unexpected: {other:?}").into()),
        };
        self.head += discard;
        if self.head == self.tail {
            (self.head, self.tail) = (0, 0);
        }
        Ok(step)
    }

    /// Takes what has arrived and fits, behind what is left of the last time.
    fn receive(&mut self, from: &mut Wire) {
        self.incoming.copy_within(self.head..self.tail, 0);
        (self.head, self.tail) = (0, self.tail - self.head);
        self.tail += from.take(self.incoming.get_mut(self.tail..).unwrap_or_default());
    }
}

fn encode<D>(mut chunk: EncodeTlsData<'_, D>, outgoing: &mut Vec<u8>) -> Result<usize, Problem> {
    match chunk.encode(outgoing) {
        Ok(length) => Ok(length),
        Err(EncodeError::InsufficientSize(size)) => {
            outgoing.resize(size.required_size, 0);
            Ok(chunk.encode(outgoing)?)
        }
        Err(error) => Err(error.into()),
    }
}
