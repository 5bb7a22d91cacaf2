//! Two engines and the link between them.

mod caller;
mod drivers;

use core::fmt;

use offwire::{Client, Engine, Error, Read, Server};

use crate::contexts::Contexts;
use crate::ladder::Ladder;
use crate::link::{Cuts, Inlet, Link, Outlet};
use crate::recorder::{Event, Recorder};

pub use self::caller::Caller;
pub use self::drivers::Progress;

/// One end of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
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
///
/// A pair that is [`recording`](Self::recording) remembers who called what, which outcome, and
/// which records crossed, and shows it as a [`Ladder`]. Calls count if they are made through
/// [`Self::on`] or by a driver, movements if they are made by the pair's own methods. A driver that
/// gives up shows it behind the state, and so does whoever prints the pair.
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
    recorder: Recorder,
}

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
            recorder: Recorder::Off,
        }
    }

    /// Sets where both directions are cut; they differ from each other under a seed.
    #[must_use]
    pub fn cuts(mut self, cuts: Cuts) -> Self {
        self.set_cuts(cuts);
        self
    }

    /// Bounds both directions to so many bytes in flight.
    #[must_use]
    pub fn capacity(mut self, bytes: usize) -> Self {
        self.set_capacity(bytes);
        self
    }

    /// Changes where both directions are cut from now on; see [`Self::cuts`].
    pub fn set_cuts(&mut self, cuts: Cuts) {
        self.to_server.set_cuts(cuts);
        self.to_client.set_cuts(match cuts {
            Cuts::Seeded(seed) => Cuts::Seeded(!seed),
            Cuts::Whole | Cuts::Bytes(_) => cuts,
        });
    }

    /// Lets at most so many bytes be in flight in each direction; 0 stops both.
    pub fn set_capacity(&mut self, bytes: usize) {
        self.to_server.set_capacity(bytes);
        self.to_client.set_capacity(bytes);
    }

    /// Puts deliveries off in both directions: each may find nothing up to `longest` times, as the
    /// seed says. See [`Link::set_delays`].
    #[must_use]
    pub fn delays(mut self, seed: u64, longest: usize) -> Self {
        self.to_server.set_delays(seed, longest);
        self.to_client.set_delays(!seed, longest);
        self
    }

    /// Remembers from now on what happens, for [`Self::ladder`].
    #[must_use]
    pub fn recording(mut self) -> Self {
        self.recorder = Recorder::on();
        self
    }

    /// What has happened since the pair began to record; nothing if it does not.
    #[must_use]
    pub fn ladder(&self) -> Ladder {
        Ladder::new(
            self.recorder.events(),
            self.to_server.sent(),
            self.to_client.sent(),
        )
    }

    /// The engine of one end.
    pub fn engine(&mut self, side: Side) -> &mut Engine {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// The verbs of one end, which a recording pair notes.
    pub fn on(&mut self, side: Side) -> Caller<'_> {
        let engine = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        Caller::new(engine, side, &mut self.recorder)
    }

    /// The direction towards one end.
    pub fn link_to(&mut self, side: Side) -> &mut Link {
        match side {
            Side::Client => &mut self.to_client,
            Side::Server => &mut self.to_server,
        }
    }

    /// Resets the transport: what is in flight is lost, and both ends are told at the next
    /// delivery.
    pub fn reset(&mut self) {
        self.note(Side::Client, "the transport is reset");
        self.to_client.reset();
        self.to_server.reset();
    }

    /// Writes a remark into the ladder of a recording pair: what a test does to the transport.
    pub fn note(&mut self, side: Side, remark: &str) {
        self.recorder
            .note(side, || Event::Remark(remark.to_owned()));
    }

    /// Moves one cut a direction, out of the engines and into them. Returns the bytes moved.
    pub fn step(&mut self) -> usize {
        self.step_towards(Side::Server) + self.step_towards(Side::Client)
    }

    /// Moves one cut towards one end. Returns the bytes moved, counted at both of the link's ends.
    pub fn step_towards(&mut self, side: Side) -> usize {
        self.pull(side.peer()) + self.push(side)
    }

    /// Takes one cut of ciphertext from one end, as far as the link has room. Returns the bytes
    /// taken.
    pub fn pull(&mut self, from: Side) -> usize {
        self.leaving(from, |link, engine| link.pull(engine))
    }

    /// Delivers one cut of ciphertext to one end. Returns the bytes that it took.
    pub fn push(&mut self, to: Side) -> usize {
        self.arriving(to, |link, engine| link.push(engine))
    }

    /// Takes up to `len` bytes from one end through the given port, past capacity and cuts. Returns
    /// the bytes taken.
    pub fn pull_through(&mut self, from: Side, outlet: Outlet, len: usize) -> usize {
        self.leaving(from, |link, engine| link.pull_through(outlet, engine, len))
    }

    /// Delivers up to `len` bytes to one end through the given port, past the cuts. Returns the
    /// bytes that it took.
    pub fn push_through(&mut self, to: Side, inlet: Inlet, len: usize) -> usize {
        self.arriving(to, |link, engine| link.push_through(inlet, engine, len))
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
        self.move_to(Side::Server, len)
    }

    /// Moves up to `len` bytes from the server into the client, past capacity and cuts. Returns how
    /// many the client took.
    pub fn move_to_client(&mut self, len: usize) -> usize {
        self.move_to(Side::Client, len)
    }

    fn move_to(&mut self, side: Side, len: usize) -> usize {
        let missing = len.saturating_sub(self.link_to(side).in_flight());
        self.pull_through(side.peer(), Outlet::First, missing);
        self.arriving(side, |link, engine| link.push_up_to(engine, len))
    }

    fn leaving(&mut self, side: Side, pull: impl FnOnce(&mut Link, &mut Engine) -> usize) -> usize {
        let (link, engine) = match side {
            Side::Client => (&mut self.to_server, &mut self.client),
            Side::Server => (&mut self.to_client, &mut self.server),
        };
        let from = link.sent().len();
        let count = pull(link, engine);
        if count > 0 {
            self.recorder.note(side, || Event::Left(from..from + count));
        }
        count
    }

    fn arriving(
        &mut self,
        side: Side,
        push: impl FnOnce(&mut Link, &mut Engine) -> usize,
    ) -> usize {
        let (link, engine) = match side {
            Side::Client => (&mut self.to_client, &mut self.client),
            Side::Server => (&mut self.to_server, &mut self.server),
        };
        let (from, ended) = (link.delivered(), link.has_ended());
        let count = push(link, engine);
        if count > 0 {
            self.recorder
                .note(side, || Event::Arrived(from..from + count));
        }
        if link.has_ended() && !ended {
            self.recorder.note(side, || Event::Ended);
        }
        count
    }
}

impl fmt::Display for Pair {
    /// What both ends wait for and have moved; behind it the ladder, if the pair is recording.
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
        match self.recorder {
            Recorder::Off => Ok(()),
            Recorder::On(_) => write!(f, "\n{}", self.ladder()),
        }
    }
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
