//! A fleet behind one address: server processes that share the keys of their session tickets, so that
//! a session begun with one of them is resumed with another.
//!
//! ```sh
//! cargo run --example ticket_fleet
//! ```
//!
//! The program starts itself three times as a server. Two get the same ticket keys, on their stdin; the
//! third gets others, as a stranger would have, or a process whose keys were all rotated away. A client
//! then calls them in turn.

extern crate alloc;

use alloc::sync::Arc;
use core::net::{Ipv4Addr, SocketAddr};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use offwire::rustls::crypto::aws_lc_rs::default_provider;
use offwire::rustls::server::ProducesTickets;
use offwire::rustls::version::{TLS12, TLS13};
use offwire::rustls::{ClientConfig, ServerConfig, SupportedProtocolVersion};
use offwire::{Client, Engine, HandshakeKind, Read, Server, Shutdown, Write};
use offwire_testkit::{Authority, Identity, Usage};

/// Bytes of a ticket key.
const KEY: usize = 32;

/// The fleet's configuration: the current ticket key, then the one before it.
const KEYS: usize = 2;

type Fault = Box<dyn core::error::Error + Send + Sync>;

/// Seals sessions into tickets under the newest of a few keys, and opens those of the others too.
///
/// Whoever operates the fleet makes a new key every few hours and hands it to every process before the
/// first one uses it. A stolen ticket key opens the sessions that were resumed with it, so keys are kept
/// in memory alone and not for long.
struct SharedTicketer {
    keys: Vec<RandomizedNonceKey>,
}

impl SharedTicketer {
    fn new(keys: &[u8]) -> Result<Self, Fault> {
        let keys = keys
            .chunks(KEY)
            .map(|key| RandomizedNonceKey::new(&AES_256_GCM, key));
        let keys = keys.collect::<Result<Vec<_>, _>>();
        Ok(Self {
            keys: keys.map_err(|_| "a ticket key has 32 bytes")?,
        })
    }
}

impl core::fmt::Debug for SharedTicketer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SharedTicketer").finish_non_exhaustive()
    }
}

impl ProducesTickets for SharedTicketer {
    fn enabled(&self) -> bool {
        true
    }

    /// Two hours, in seconds: shorter than the life of a key.
    fn lifetime(&self) -> u32 {
        7_200
    }

    fn encrypt(&self, session: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = session.to_vec();
        let key = self.keys.first()?;
        let nonce = key
            .seal_in_place_append_tag(Aad::empty(), &mut sealed)
            .ok()?;
        Some([&nonce.as_ref()[..], &sealed].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = ticket.split_first_chunk::<NONCE_LEN>()?;
        self.keys.iter().find_map(|key| {
            let mut sealed = sealed.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let session = key.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
            Some(session.to_vec())
        })
    }
}

/// Calls a verb until it no longer waits, over a blocking socket.
fn drive<T>(
    engine: &mut Engine,
    socket: &TcpStream,
    mut verb: impl FnMut(&mut Engine) -> Result<Option<T>, offwire::Error>,
) -> Result<T, Fault> {
    let mut transport = socket;
    loop {
        let outcome = verb(engine);
        transport.write_all(&engine.take_outgoing())?;
        if let Some(done) = outcome? {
            return Ok(done);
        }
        // What was just sent may have been all that it waited for.
        if let Some(done) = verb(engine)? {
            transport.write_all(&engine.take_outgoing())?;
            return Ok(done);
        }
        let mut arrived = [0; 4096];
        match transport.read(&mut arrived)? {
            0 => engine.feed_eof(),
            count => {
                engine.feed(arrived.get(..count).unwrap_or_default());
            }
        }
    }
}

fn write(engine: &mut Engine, socket: &TcpStream, bytes: &[u8]) -> Result<(), Fault> {
    drive(engine, socket, |engine| {
        let done = matches!(engine.write(bytes)?, Write::Written(_));
        Ok(done.then_some(()))
    })
}

/// The next bytes, or `None` at the end.
fn read(engine: &mut Engine, socket: &TcpStream) -> Result<Option<Vec<u8>>, Fault> {
    let mut into = [0; 1024];
    drive(engine, socket, |engine| {
        Ok(match engine.read(&mut into)? {
            Read::Read(count) => Some(into.get(..count).map(Vec::from)),
            Read::Closed | Read::Truncated => Some(None),
            Read::NeedRead | Read::NeedWrite => None,
        })
    })
}

fn close(engine: &mut Engine, socket: &TcpStream) -> Result<(), Fault> {
    drive(engine, socket, |engine| {
        let left = !matches!(engine.shutdown()?, Shutdown::NeedWrite);
        Ok(left.then_some(()))
    })
}

/// A process of the fleet: reads its ticket keys, tells its port, then echoes, one client after the
/// other, until it is killed.
fn serve() -> Result<(), Fault> {
    let mut keys = [0; KEYS * KEY];
    io::stdin().read_exact(&mut keys)?;
    let identity = Identity::fixed(Usage::Server);
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(identity.chain().to_vec(), identity.key())?;
    config.ticketer = Arc::new(SharedTicketer::new(&keys)?);
    let server = Server::new(config);

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut out = io::stdout();
    writeln!(out, "{}", listener.local_addr()?)?;
    out.flush()?;
    for socket in listener.incoming() {
        let socket = socket?;
        let mut engine = server.accept();
        while let Some(bytes) = read(&mut engine, &socket)? {
            write(&mut engine, &socket, &bytes)?;
        }
        close(&mut engine, &socket)?;
    }
    Ok(())
}

/// A process of the fleet, seen from outside.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(keys: &[u8]) -> Result<Self, Fault> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = child.stdin.as_mut().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or("a process without pipes")?;
        stdin.write_all(keys)?;
        stdin.flush()?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse()?;
        Ok(Self { child, address })
    }

    /// Calls it once; returns how the session began.
    fn call(&self, client: &Client) -> Result<HandshakeKind, Fault> {
        let socket = TcpStream::connect(self.address)?;
        let mut engine = client.connect("localhost".try_into()?)?;
        write(&mut engine, &socket, b"hello")?;
        let heard = read(&mut engine, &socket)?;
        if heard.as_deref() != Some(b"hello") {
            return Err("not what was said".into());
        }
        close(&mut engine, &socket)?;
        while read(&mut engine, &socket)?.is_some() {}
        let negotiated = engine.negotiated().ok_or("no handshake")?;
        Ok(negotiated.kind())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn random_keys() -> Result<[u8; KEYS * KEY], Fault> {
    let mut keys = [0; KEYS * KEY];
    rand::fill(&mut keys).map_err(|_| "no random bytes")?;
    Ok(keys)
}

/// A client that speaks this version and trusts the fleet's authority.
fn client(version: &'static SupportedProtocolVersion) -> Result<Client, Fault> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[version])?
        .with_root_certificates(Authority::fixed().roots())
        .with_no_client_auth();
    Ok(Client::new(config))
}

fn run() -> Result<(), Fault> {
    let shared = random_keys()?;
    // In the middle of a rotation: a new key, and behind it the newest that the others know.
    let rotated = [&random_keys()?[..KEY], &shared[..KEY]].concat();
    let fleet = [
        ("first", Process::start(&shared)?, HandshakeKind::Full),
        ("second", Process::start(&shared)?, HandshakeKind::Resumed),
        (
            "third, rotating",
            Process::start(&rotated)?,
            HandshakeKind::Resumed,
        ),
        (
            "stranger",
            Process::start(&random_keys()?)?,
            HandshakeKind::Full,
        ),
    ];
    let mut out = io::stdout().lock();
    for version in [&TLS12, &TLS13] {
        let client = client(version)?;
        for (name, process, expected) in &fleet {
            let kind = process.call(&client)?;
            writeln!(out, "{:?}  {name:>15}: {kind}", version.version)?;
            if kind != *expected {
                return Err(format!("{name}: {kind} instead of {expected}").into());
            }
        }
    }
    writeln!(out, "every byte was right, every end as expected")?;
    Ok(())
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let done = match arguments.next().as_deref() {
        None => run(),
        Some("serve") => serve(),
        Some(_) => Err("usage: ticket_fleet".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            let _ = writeln!(io::stdout(), "failed: {fault}");
            ExitCode::FAILURE
        }
    }
}
