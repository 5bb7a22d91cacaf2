//! The loop of a server: one thread, one `Poll`, a bounded number of connections.

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};
use offwire::{BufferPool, Server};

use crate::support::connection::{
    Connection, GOODBYE, Looking, Patience, Phase, Service, Step, TURN,
};
use crate::support::identity::Identity;
use crate::support::process::{most_connections, on_interrupt};
use crate::support::slots::Slots;
use crate::support::tally::{End, Tally};
use crate::support::timers::Timers;
use crate::support::{ADDRESS, Failure, failed, say, seconds};

/// The numbers of what is no connection; places of connections begin at 0.
const LISTENER: usize = usize::MAX - 1;
const WAKER: usize = usize::MAX - 2;
const REPORT: usize = usize::MAX - 3;

/// How often the counts are printed while they change.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// How long to wait when the system has no file left for a connection.
const NO_FILE: Duration = Duration::from_millis(100);

/// The plaintext of the largest record, and one byte for the type that is opened with it: the size of
/// the buffer that all connections read into.
const SCRATCH: usize = (1 << 14) + 1;

/// The options of every server.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where to listen; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = ADDRESS)]
    listen: SocketAddr,
    /// Certificate chain, as PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Its private key, as PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Instead of --cert and --key: make a certificate for localhost, and write it here
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "cert",
        required_unless_present = "cert"
    )]
    cert_out: Option<PathBuf>,
    /// The most connections at once; more have to wait until one ends
    #[arg(long, value_name = "N", default_value_t = 16_000)]
    limit: usize,
    /// How long a handshake may take
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    handshake_timeout: Duration,
    /// When to release the buffers of a connection that is idle
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    release_after: Duration,
    /// When to close a connection that is idle
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    idle_timeout: Duration,
}

/// Serves until SIGINT.
pub(crate) fn run<V: Service>(
    options: &Options,
    protocol: &[u8],
    service: V,
) -> Result<(), Failure> {
    let identity = match (&options.cert, &options.key, &options.cert_out) {
        (Some(cert), Some(key), _) => Identity::from_files(cert, key)?,
        (_, _, Some(file)) => Identity::make(file)?,
        _ => return Err("neither a certificate nor a file to write one to".into()),
    };
    let mut front = Front::open(options, identity.server(protocol)?, service)?;
    while front.is_wanted() {
        front.turn()?;
    }
    say(format_args!("stopped: {}", front.tally));
    Ok(())
}

/// Whether connections are accepted.
enum Listening {
    Open(TcpListener),
    /// There are as many as there may be; the socket's queue holds the rest.
    Full(TcpListener),
    Closed,
}

struct Front<V: Service> {
    tls: Server,
    service: V,
    patience: Patience,
    limit: usize,
    poll: Poll,
    events: Events,
    listening: Listening,
    phase: Phase,
    connections: Slots<Connection<V::Session>>,
    timers: Timers,
    /// Who has to be looked at without an event.
    again: Vec<usize>,
    scratch: Vec<u8>,
    /// The queues' storage: a connection has some while it is looked at, or holds something.
    pool: BufferPool,
    tally: Tally,
    reported: Tally,
}

impl<V: Service> Front<V> {
    fn open(options: &Options, tls: Server, service: V) -> Result<Self, Failure> {
        let limit = options.limit.min(most_connections());
        if limit < options.limit {
            say(format_args!(
                "warning: the limit of open files permits {limit} connections only"
            ));
        }
        let attempt = format!("cannot listen on {}", options.listen);
        let mut listener = TcpListener::bind(options.listen).map_err(failed(&attempt))?;
        let poll = Poll::new()?;
        poll.registry()
            .register(&mut listener, Token(LISTENER), Interest::READABLE)?;
        on_interrupt(Arc::new(Waker::new(poll.registry(), Token(WAKER))?))?;
        say(format_args!("listening on {}", listener.local_addr()?));
        let mut timers = Timers::default();
        timers.set(Instant::now() + REPORT_EVERY, REPORT);
        Ok(Self {
            tls,
            service,
            patience: Patience {
                handshake: options.handshake_timeout,
                release: options.release_after,
                idle: options.idle_timeout,
            },
            limit,
            poll,
            events: Events::with_capacity(1_024),
            listening: Listening::Open(listener),
            phase: Phase::Serving,
            connections: Slots::new(),
            timers,
            again: Vec::new(),
            scratch: vec![0; SCRATCH],
            pool: BufferPool::new(1),
            tally: Tally::default(),
            reported: Tally::default(),
        })
    }

    fn is_wanted(&self) -> bool {
        match self.phase {
            Phase::Serving => true,
            Phase::Stopping(_) => self.connections.len() > 0,
        }
    }

    /// Waits for whatever comes first, and deals with all that has come.
    fn turn(&mut self) -> Result<(), Failure> {
        let wait = match self.again.is_empty() {
            true => self.timers.wait(Instant::now()),
            false => Some(Duration::ZERO),
        };
        match self.poll.poll(&mut self.events, wait) {
            Err(error) if error.kind() == ErrorKind::Interrupted => self.events.clear(),
            other => other?,
        }
        let mut calling = core::mem::take(&mut self.again);
        calling.extend(self.events.iter().map(|event| event.token().0));
        calling.sort_unstable();
        calling.dedup();
        let now = Instant::now();
        for whom in calling {
            match whom {
                LISTENER => self.accept(now),
                WAKER => self.stop(now),
                slot => self.look(slot, now, Connection::advance),
            }
        }
        while let Some(whom) = self.timers.due(now) {
            match whom {
                LISTENER => self.resume(),
                REPORT => self.report(now),
                slot => self.look(slot, now, Connection::on_alarm),
            }
        }
        Ok(())
    }

    /// Accepts what waits, for the length of a turn at most.
    fn accept(&mut self, now: Instant) {
        for _ in 0..TURN {
            let Listening::Open(listener) = &self.listening else {
                return;
            };
            if self.connections.len() >= self.limit {
                return self.pause();
            }
            match listener.accept() {
                Ok((socket, _)) => {
                    // Small records must not wait for each other; without it they are merely slow.
                    let _ = socket.set_nodelay(true);
                    self.admit(Connection::accept(&self.tls, socket, now), now);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if is_the_peers(&error) => {}
                Err(_) => {
                    self.timers.set(now + NO_FILE, LISTENER);
                    return self.pause();
                }
            }
        }
        self.again.push(LISTENER);
    }

    fn admit(&mut self, connection: Connection<V::Session>, now: Instant) {
        (self.tally.accepted, self.tally.live) = (self.tally.accepted + 1, self.tally.live + 1);
        let slot = self.connections.insert(connection);
        let registry = self.poll.registry();
        if let Some(connection) = self.connections.get_mut(slot) {
            self.timers.set(connection.alarm, slot);
            match connection.register(registry, Token(slot)) {
                Ok(()) => self.look(slot, now, Connection::advance),
                Err(_) => self.end(slot, End::Reset),
            }
        }
    }

    /// Lets a connection do what it can, and does what it then needs.
    fn look(&mut self, slot: usize, now: Instant, how: How<V>) {
        let Some(connection) = self.connections.get_mut(slot) else {
            return; // it ended in this very turn
        };
        let mut looking = Looking {
            service: &self.service,
            registry: self.poll.registry(),
            scratch: &mut self.scratch,
            pool: &mut self.pool,
            tally: &mut self.tally,
            patience: self.patience,
            phase: self.phase,
            now,
        };
        let step = how(connection, &mut looking, Token(slot));
        match step {
            Step::Done(end) => return self.end(slot, end),
            Step::Again => self.again.push(slot),
            Step::Wait => {}
        }
        // An alarm that comes too early costs another look; one too late is what must not be.
        let deadline = connection.deadline(self.patience, self.phase);
        if deadline < connection.alarm || connection.alarm <= now {
            self.timers.clear(connection.alarm, slot);
            connection.alarm = deadline;
            self.timers.set(deadline, slot);
        }
    }

    fn end(&mut self, slot: usize, end: End) {
        if let Some(connection) = self.connections.remove(slot) {
            self.timers.clear(connection.alarm, slot);
            drop(connection);
            self.tally.ended(end);
            if self.tally.live == 0 {
                // At the end of the heap they would keep all below it from going back to the system.
                self.pool.clear();
                self.reported = self.tally;
                say(format_args!("{}", self.tally));
            }
            self.resume();
        }
    }

    /// Accepts no more for now.
    fn pause(&mut self) {
        self.listening = match core::mem::replace(&mut self.listening, Listening::Closed) {
            Listening::Open(listener) | Listening::Full(listener) => Listening::Full(listener),
            Listening::Closed => Listening::Closed,
        };
    }

    /// Accepts again. Those who came meanwhile are not announced: the queue has to be asked.
    fn resume(&mut self) {
        self.listening = match core::mem::replace(&mut self.listening, Listening::Closed) {
            Listening::Full(listener) => {
                self.again.push(LISTENER);
                Listening::Open(listener)
            }
            listening @ (Listening::Open(_) | Listening::Closed) => listening,
        };
    }

    /// Accepts no more, and closes every connection that is between two things.
    fn stop(&mut self, now: Instant) {
        if let Phase::Stopping(_) = self.phase {
            return;
        }
        say(format_args!(
            "stopping: {} connections have {GOODBYE:?} to finish",
            self.tally.live
        ));
        self.phase = Phase::Stopping(now);
        self.listening = Listening::Closed;
        for slot in self.connections.taken() {
            self.look(slot, now, Connection::advance);
        }
    }

    fn report(&mut self, now: Instant) {
        if self.reported != self.tally {
            self.reported = self.tally;
            say(format_args!("{}", self.tally));
        }
        self.timers.set(now + REPORT_EVERY, REPORT);
    }
}

/// How a connection is looked at: because of an event, or of the clock.
type How<V> = fn(&mut Connection<<V as Service>::Session>, &mut Looking<'_, V>, Token) -> Step;

/// Whether the connection that was to be accepted failed, rather than we.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}
