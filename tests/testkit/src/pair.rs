//! Two engines and the link between them, with drivers that never hang.

use core::fmt;

use offwire::{Client, Engine, Error, Handshake, Read, Server, Shutdown, Write};

use crate::contexts::Contexts;
use crate::link::{Cuts, Link};

/// One end of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The client.
    Client,
    /// The server.
    Server,
}

impl Side {
    /// Both of them.
    pub const BOTH: [Self; 2] = [Self::Client, Self::Server];

    /// The other one.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Two engines and the two directions of the transport between them.
///
/// A test calls the verbs of [`Self::client`] and [`Self::server`] itself and moves bytes with
/// [`Self::step`], [`Self::settle`] or `move_to_…`; or it lets a driver do both. Drivers stop with a
/// panic that shows the pair's state once neither end makes progress.
#[derive(Debug)]
pub struct Pair {
    /// The client's engine.
    pub client: Engine,
    /// The server's engine.
    pub server: Engine,
    /// The direction from the client to the server.
    pub to_server: Link,
    /// The direction from the server to the client.
    pub to_client: Link,
}

/// How many rounds without any progress make a driver give up. More than one, since a round may
/// only change what the next one does.
const IDLE_ROUNDS: usize = 4;

impl Pair {
    /// A pair of fresh engines on an unbounded link that cuts nothing.
    ///
    /// # Panics
    /// If the client cannot be made.
    #[must_use]
    pub fn of(contexts: &Contexts) -> Self {
        let (client, server) = contexts.build();
        Self::new(&client, &server, contexts)
    }

    /// A pair of contexts made earlier; `contexts` gives the server's name only.
    ///
    /// # Panics
    /// If the client cannot be made.
    #[must_use]
    pub fn new(client: &Client, server: &Server, contexts: &Contexts) -> Self {
        let client = client.connect(contexts.name()).unwrap();
        Self::of_engines(client, server.accept())
    }

    /// A pair of these engines.
    #[must_use]
    pub fn of_engines(client: Engine, server: Engine) -> Self {
        let (to_server, to_client) = (Link::new(Cuts::Whole), Link::new(Cuts::Whole));
        Self {
            client,
            server,
            to_server,
            to_client,
        }
    }

    /// Sets where both directions are cut; they differ from each other under a seed.
    #[must_use]
    pub fn cuts(mut self, cuts: Cuts) -> Self {
        self.to_server.set_cuts(cuts);
        self.to_client.set_cuts(match cuts {
            Cuts::Seeded(seed) => Cuts::Seeded(!seed),
            Cuts::Whole | Cuts::Bytes(_) => cuts,
        });
        self
    }

    /// Bounds both directions to so many bytes in flight.
    #[must_use]
    pub fn capacity(mut self, bytes: usize) -> Self {
        self.to_server.set_capacity(bytes);
        self.to_client.set_capacity(bytes);
        self
    }

    /// The engine of one end.
    pub fn engine(&mut self, side: Side) -> &mut Engine {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// The direction towards one end.
    pub fn link_to(&mut self, side: Side) -> &mut Link {
        match side {
            Side::Client => &mut self.to_client,
            Side::Server => &mut self.to_server,
        }
    }

    /// Moves one cut a direction, out of the engines and into them. Returns the bytes moved.
    pub fn step(&mut self) -> usize {
        self.step_towards(Side::Server) + self.step_towards(Side::Client)
    }

    /// Moves one cut towards one end. Returns the bytes moved, counted at both of the link's ends.
    pub fn step_towards(&mut self, side: Side) -> usize {
        match side {
            Side::Server => {
                self.to_server.pull(&mut self.client) + self.to_server.push(&mut self.server)
            }
            Side::Client => {
                self.to_client.pull(&mut self.server) + self.to_client.push(&mut self.client)
            }
        }
    }

    /// Moves bytes until none moves any more, without calling a verb.
    pub fn settle(&mut self) {
        while self.step() > 0 {}
    }

    /// Moves bytes towards one end until none moves any more.
    pub fn settle_towards(&mut self, side: Side) {
        while self.step_towards(side) > 0 {}
    }

    /// Moves up to `len` bytes from the client into the server, past capacity and cuts. Returns how
    /// many the server took.
    pub fn move_to_server(&mut self, len: usize) -> usize {
        let missing = len.saturating_sub(self.to_server.in_flight());
        self.to_server.pull_exactly(&mut self.client, missing);
        self.to_server.push_up_to(&mut self.server, len)
    }

    /// Moves up to `len` bytes from the server into the client, past capacity and cuts. Returns how
    /// many the client took.
    pub fn move_to_client(&mut self, len: usize) -> usize {
        let missing = len.saturating_sub(self.to_client.in_flight());
        self.to_client.pull_exactly(&mut self.server, missing);
        self.to_client.push_up_to(&mut self.client, len)
    }

    /// Calls `round` and moves bytes, in turn, until `round` is done.
    ///
    /// # Panics
    /// Once several rounds in a row moved no byte.
    pub fn run_until(&mut self, what: &str, mut round: impl FnMut(&mut Self) -> Progress) {
        let mut idle = 0;
        loop {
            let progress = round(self);
            if progress == Progress::Done {
                return;
            }
            let moved = self.step();
            idle = if moved > 0 || progress == Progress::Some {
                0
            } else {
                idle + 1
            };
            assert!(idle < IDLE_ROUNDS, "{what} is stuck: {self}");
        }
    }

    /// Completes both handshakes by the verb `handshake`.
    ///
    /// # Panics
    /// If one fails, or neither makes progress.
    pub fn handshake(&mut self) {
        match self.try_handshake() {
            (Ok(()), Ok(())) => {}
            (client, server) => panic!("client {client:?}, server {server:?}: {self}"),
        }
    }

    /// Drives both handshakes until each is complete or has failed, and moves what they leave
    /// behind (alerts and tickets).
    ///
    /// An end that fails sends its alert and drops the transport. Where both wait for each other,
    /// as after a corrupted length, the transport ends as well.
    ///
    /// # Panics
    /// If neither makes progress even so, as on a link of capacity 0.
    pub fn try_handshake(&mut self) -> (Result<(), Error>, Result<(), Error>) {
        let (mut results, mut idle) = ([None, None], 0);
        while results.iter().any(Option::is_none) {
            for (side, result) in Side::BOTH.into_iter().zip(&mut results) {
                match self.engine(side).handshake() {
                    Ok(Handshake::NeedRead | Handshake::NeedWrite) => {}
                    Ok(Handshake::Complete) => *result = Some(Ok(())),
                    Err(error) => {
                        *result = Some(Err(error));
                        if self.engine(side).outgoing().is_empty() {
                            self.link_to(side.peer()).end();
                        }
                    }
                }
            }
            idle = if self.step() > 0 { 0 } else { idle + 1 };
            if idle == IDLE_ROUNDS {
                self.to_client.end();
                self.to_server.end();
            }
            assert!(idle < 2 * IDLE_ROUNDS, "the handshake is stuck: {self}");
        }
        self.settle();
        let [client, server] = results.map(Option::unwrap);
        (client, server)
    }

    /// Writes all of `plaintext` from one end, while the other end reads it; both handshakes are
    /// completed first if need be. Returns what was read.
    ///
    /// # Panics
    /// If either end fails, or neither makes progress.
    pub fn exchange(&mut self, from: Side, plaintext: &[u8]) -> Vec<u8> {
        let (mut written, mut received) = (0, Vec::new());
        self.run_until("an exchange", |pair| {
            let mut progress = Progress::None;
            if written < plaintext.len() {
                match pair.engine(from).write(&plaintext[written..]) {
                    Ok(Write::Written(n)) => {
                        written += n;
                        progress = Progress::Some;
                    }
                    Ok(Write::NeedRead | Write::NeedWrite) => {}
                    Err(error) => panic!("write: {error}: {pair}"),
                }
            }
            let before = received.len();
            if let Err(error) = read_available(pair.engine(from.peer()), &mut received) {
                panic!("read: {error}: {pair}");
            }
            if received.len() >= plaintext.len() && written == plaintext.len() {
                return Progress::Done;
            }
            if received.len() > before {
                Progress::Some
            } else {
                progress
            }
        });
        received
    }

    /// Shuts both ends down, in turn, until each says [`Shutdown::Complete`].
    ///
    /// # Panics
    /// If either end fails, or neither makes progress.
    pub fn close(&mut self) {
        self.run_until("the shutdown", |pair| {
            let mut outcomes = [Shutdown::NeedWrite; 2];
            for (side, outcome) in Side::BOTH.into_iter().zip(&mut outcomes) {
                *outcome = pair.engine(side).shutdown().unwrap();
                // Data behind our close_notify is kept for `read`, tickets are not data.
                let _ = read_available(pair.engine(side), &mut Vec::new()).unwrap();
            }
            if outcomes == [Shutdown::Complete; 2] {
                Progress::Done
            } else {
                Progress::None
            }
        });
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends = [
            ("client", &self.client, &self.to_client),
            ("server", &self.server, &self.to_server),
        ];
        for (name, engine, link) in ends {
            write!(
                f,
                "[{name}: {:?}, {} bytes outgoing, {} committed, {} pending, {:?}; towards it {} \
                 bytes in flight, {} delivered] ",
                engine.interest(),
                engine.outgoing().len(),
                engine.committed(),
                engine.pending(),
                engine.stats(),
                link.in_flight(),
                link.delivered(),
            )?;
        }
        Ok(())
    }
}

/// What a round of [`Pair::run_until`] achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing; the round after bytes moved may achieve more.
    None,
    /// Something, though perhaps no byte moved.
    Some,
    /// The driver may stop.
    Done,
}

/// Reads into `received` until the engine has nothing more, and returns the last outcome.
///
/// # Errors
/// The engine's, behind the plaintext that came before it.
pub fn read_available(engine: &mut Engine, received: &mut Vec<u8>) -> Result<Read, Error> {
    let mut buffer = vec![0; 16_385]; // a record and its spare byte
    loop {
        match engine.read(&mut buffer)? {
            Read::Read(n) => received.extend_from_slice(&buffer[..n]),
            last @ (Read::NeedRead | Read::NeedWrite | Read::Closed | Read::Truncated) => {
                return Ok(last);
            }
        }
    }
}
