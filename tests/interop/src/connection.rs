//! Our end of a connection: a [`Stream`] over a blocking socket whose waits end.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use offwire::rustls::pki_types::ServerName;
use offwire::{
    Acceptor, Alert, Client, ClientHello, Completion, EarlyDataStatus, Engine, Error, Handshake,
    HandshakeKind, Hello, KeyUpdate, Negotiated, Read, ReadEarlyData, Server, Shutdown, Stats,
    Write, WriteEarlyData,
};
use offwire_stream::Stream;

use crate::PATIENCE;
use crate::payload::{self, Sink, Summary};

/// Room for the plaintext of one record and its spare byte.
const PLAINTEXT: usize = 16_385;

/// A connection to a peer. Errors of the socket and waits without end panic; those of TLS are
/// returned where a test may look at them.
#[derive(Debug)]
pub struct Connection(Stream<TcpStream>);

impl Connection {
    /// Connects, without a handshake; asks for the name `localhost`.
    #[must_use]
    pub fn connect(client: &Client, address: SocketAddr) -> Self {
        let socket = TcpStream::connect_timeout(&address, PATIENCE);
        let socket = socket.unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"));
        Self::over(client, socket)
    }

    /// The client's end over a socket that is connected already.
    #[must_use]
    pub fn over(client: &Client, socket: TcpStream) -> Self {
        let name = ServerName::try_from("localhost").unwrap();
        Self(Stream::connect(client, name, patient(socket)).unwrap())
    }

    /// An engine's end over a socket that is connected already.
    ///
    /// # Panics
    /// If the engine does not run under [`Completion::Sent`].
    #[must_use]
    pub fn of(engine: Engine, socket: TcpStream) -> Self {
        Self(Stream::from_parts(engine, patient(socket)).unwrap())
    }

    /// Connects and completes the handshake.
    #[must_use]
    pub fn open(client: &Client, address: SocketAddr) -> Self {
        let mut connection = Self::connect(client, address);
        connection.handshake().unwrap();
        connection
    }

    /// Completes the handshake.
    ///
    /// # Errors
    /// The engine's.
    pub fn handshake(&mut self) -> Result<(), Error> {
        match tls(self.0.handshake())? {
            Handshake::Complete => Ok(()),
            wait @ (Handshake::NeedRead | Handshake::NeedWrite) => silent("handshake", wait),
        }
    }

    /// Writes early data before anything else; returns how much of it is written.
    pub fn send_early(&mut self, plaintext: &[u8]) -> usize {
        match tls(self.0.write_early_data(plaintext)).unwrap() {
            WriteEarlyData::Written(n) | WriteEarlyData::Ended(n) => n,
            wait @ (WriteEarlyData::NeedRead | WriteEarlyData::NeedWrite) => {
                silent("write_early_data", wait)
            }
        }
    }

    /// Reads early data to its end.
    #[must_use]
    pub fn read_early(&mut self) -> Vec<u8> {
        let mut received = Vec::new();
        let mut buffer = vec![0; PLAINTEXT];
        loop {
            match tls(self.0.read_early_data(&mut buffer)).unwrap() {
                ReadEarlyData::Read(n) => received.extend(&buffer[..n]),
                ReadEarlyData::Ended => return received,
                wait @ (ReadEarlyData::NeedRead | ReadEarlyData::NeedWrite) => {
                    silent("read_early_data", wait)
                }
            }
        }
    }

    /// What became of early data.
    pub fn early_data(&self) -> EarlyDataStatus {
        self.0.engine().early_data()
    }

    /// How much early data must be written again; tells it once.
    #[must_use]
    pub fn rejected_early_data(&mut self) -> usize {
        self.0.rejected_early_data()
    }

    /// Reads exactly as many bytes as are expected, and compares.
    pub fn expect(&mut self, expected: &[u8]) {
        let mut received = vec![0; expected.len()];
        let mut count = 0;
        while count < received.len() {
            match self.read(&mut received[count..]).unwrap() {
                Received::Plaintext(n) => count += n,
                Received::End(end) => panic!(
                    "{end:?} behind \"{}\" instead of \"{}\"",
                    received[..count].escape_ascii(),
                    expected.escape_ascii()
                ),
            }
        }
        assert!(
            received == expected,
            "\"{}\" arrived instead of \"{}\"",
            received.escape_ascii(),
            expected.escape_ascii()
        );
    }

    /// Reads up to the end; returns how it ended and what came before.
    ///
    /// # Errors
    /// The engine's.
    pub fn read_to_end(&mut self) -> Result<(Read, Vec<u8>), Error> {
        let mut received = Vec::new();
        let mut buffer = vec![0; PLAINTEXT];
        loop {
            match self.read(&mut buffer)? {
                Received::Plaintext(n) => received.extend(&buffer[..n]),
                Received::End(end) => return Ok((end, received)),
            }
        }
    }

    /// Writes all of it.
    pub fn send(&mut self, plaintext: &[u8]) {
        match tls(self.0.write(plaintext)).unwrap() {
            Write::Written(n) => assert_eq!(n, plaintext.len()),
            wait @ (Write::NeedRead | Write::NeedWrite) => silent("write", wait),
        }
    }

    /// Writes the payload of this seed.
    #[must_use]
    pub fn send_payload(&mut self, seed: u64) -> Summary {
        let sent = payload::pour(seed, |chunk| {
            self.send(chunk);
            Ok(())
        });
        sent.unwrap()
    }

    /// Reads a payload.
    #[must_use]
    pub fn receive_payload(&mut self) -> Summary {
        let mut sink = Sink::new();
        let mut buffer = vec![0; PLAINTEXT];
        while !sink.is_full() {
            match self.read(&mut buffer).unwrap() {
                Received::Plaintext(n) => sink.take(&buffer[..n]),
                Received::End(end) => panic!("{end:?} after {sink:?}"),
            }
        }
        sink.summary()
    }

    /// Closes our half with close_notify.
    pub fn shut(&mut self) {
        match tls(self.0.shutdown()).unwrap() {
            Shutdown::Sent | Shutdown::Complete => {}
            bad @ (Shutdown::NeedWrite | Shutdown::Truncated) => panic!("shutdown: {bad:?}"),
        }
    }

    /// Closes our half, then reads to the peer's close_notify; data before it is no error.
    pub fn close(&mut self) {
        self.shut();
        assert_eq!(self.read_to_end().unwrap().0, Read::Closed);
        assert_eq!(tls(self.0.shutdown()).unwrap(), Shutdown::Complete);
    }

    /// Schedules a KeyUpdate: it leaves before the next record.
    pub fn key_update(&mut self, update: KeyUpdate) {
        self.0.engine_mut().key_update(update).unwrap();
    }

    /// What was negotiated.
    #[must_use]
    pub fn negotiated(&self) -> &Negotiated {
        let negotiated = self.0.engine().negotiated();
        negotiated.expect("the handshake is complete")
    }

    /// Whether the handshake was full or resumed.
    #[must_use]
    pub fn kind(&self) -> HandshakeKind {
        self.negotiated().kind()
    }

    /// Exports keying material of this length, without a context.
    ///
    /// # Errors
    /// The engine's.
    pub fn export(&self, label: &str, length: usize) -> Result<Vec<u8>, Error> {
        let mut out = vec![0; length];
        let engine = self.0.engine();
        engine.export_keying_material(&mut out, label.as_bytes(), None)?;
        Ok(out)
    }

    /// The `tls-exporter` channel binding.
    #[must_use]
    pub fn channel_binding(&self) -> [u8; 32] {
        self.0.engine().channel_binding().unwrap()
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.engine().stats()
    }

    fn read(&mut self, into: &mut [u8]) -> Result<Received, Error> {
        match tls(self.0.read(into))? {
            Read::Read(n) => Ok(Received::Plaintext(n)),
            end @ (Read::Closed | Read::Truncated) => Ok(Received::End(end)),
            wait @ (Read::NeedRead | Read::NeedWrite) => silent("read", wait),
        }
    }
}

/// What one read brought.
enum Received {
    /// So many bytes.
    Plaintext(usize),
    /// [`Read::Closed`] or [`Read::Truncated`].
    End(Read),
}

/// A listening socket on loopback, on a port that the system chose.
#[derive(Debug)]
pub struct Listener(TcpListener);

/// How often a listener looks for a connection.
const POLL: Duration = Duration::from_millis(2);

impl Listener {
    /// Listens.
    #[must_use]
    pub fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    /// Where.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// Waits for a connection; its handshake is not begun.
    #[must_use]
    pub fn accept(&self, server: &Server) -> Connection {
        Connection(Stream::accept(server, self.socket()))
    }

    /// Waits for a connection and shows its ClientHello to `choose`, which names the server for it
    /// or the alert that refuses it; the rest of the handshake is not begun.
    ///
    /// # Errors
    /// The alert, which has been sent.
    pub fn accept_chosen(
        &self,
        choose: impl FnOnce(&ClientHello) -> Result<Server, Alert>,
    ) -> Result<Connection, Alert> {
        let (mut socket, mut acceptor) = (self.socket(), Acceptor::new());
        let mut ciphertext = [0; 4_096];
        let chosen = loop {
            if let Hello::Complete(hello) = acceptor.client_hello().unwrap() {
                break choose(hello);
            }
            let arrived = socket.read(&mut ciphertext).unwrap();
            assert!(arrived > 0, "the client ends in the middle of its hello");
            assert_eq!(acceptor.feed(&ciphertext[..arrived]), arrived);
        };
        match chosen {
            Ok(server) => {
                let settings = server.settings().completion(Completion::Sent);
                let engine = acceptor.accept(&server.with_settings(settings)).unwrap();
                Ok(Connection::of(engine, socket))
            }
            Err(alert) => {
                acceptor.reject(alert).unwrap();
                socket.write_all(acceptor.outgoing()).unwrap();
                Err(alert)
            }
        }
    }

    /// Waits for a connection and completes its handshake.
    #[must_use]
    pub fn open(&self, server: &Server) -> Connection {
        let mut connection = self.accept(server);
        connection.handshake().unwrap();
        connection
    }

    /// Waits for a connection.
    fn socket(&self) -> TcpStream {
        let end = Instant::now() + PATIENCE;
        let socket = loop {
            if let Ok((socket, _)) = self.0.accept() {
                break socket;
            }
            assert!(Instant::now() < end, "nobody connects");
            thread::sleep(POLL);
        };
        socket.set_nonblocking(false).unwrap();
        patient(socket)
    }
}

impl Default for Listener {
    fn default() -> Self {
        Self::new()
    }
}

fn patient(socket: TcpStream) -> TcpStream {
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

fn tls<T>(result: Result<T, offwire_stream::Error>) -> Result<T, Error> {
    result.map_err(|error| match error {
        offwire_stream::Error::Tls(error) => error,
        offwire_stream::Error::Transport(error) => panic!("the socket failed: {error}"),
    })
}

/// A blocking socket would block only once its time limit is over.
fn silent(verb: &str, outcome: impl core::fmt::Debug) -> ! {
    panic!("{verb} says {outcome:?} after {PATIENCE:?}: the peer does not move");
}
