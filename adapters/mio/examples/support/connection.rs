//! One connection of a server, from the handshake to close_notify: what it does on an event, and
//! when the clock has to look at it.

use core::time::Duration;
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Registry, Token};
use offwire::{BufferPool, Handshake, Interest, Read, Server, Shutdown};
use offwire_mio::{Error, TlsSource};

use crate::support::tally::{End, Tally};

/// How long a peer has to answer our close_notify, and to finish what it began when we stop.
pub(crate) const GOODBYE: Duration = Duration::from_secs(3);

/// The most records of a peer's that are read in a row while other connections wait.
pub(crate) const TURN: usize = 16;

/// What a server does with connections that have shaken hands.
pub(crate) trait Service {
    /// What it remembers of each.
    type Session: Default;

    /// Goes on with one, for the length of a turn at most. `scratch` holds a whole record.
    fn serve(
        &self,
        source: &mut TlsSource<TcpStream>,
        session: &mut Self::Session,
        scratch: &mut [u8],
    ) -> Result<Turn, Error>;
}

/// How a session's turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Everything is done; it waits for what the peer may want next.
    Idle,
    /// It waits for the transport in the middle of something.
    Blocked,
    /// It could go on: no event will say so again.
    Again,
    /// It is over.
    Finished,
}

/// What the server owes a connection after it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Another look on its next event.
    Wait,
    /// Another look without an event.
    Again,
    /// Nothing: it is over.
    Done(End),
}

/// How long a connection may do what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) handshake: Duration,
    /// Without a byte for so long, its buffers go back.
    pub(crate) release: Duration,
    /// Without a byte for so long, it is closed.
    pub(crate) idle: Duration,
}

/// Whether a server goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Serving,
    /// It has been told to stop, at this time.
    Stopping(Instant),
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection<S> {
    source: TlsSource<TcpStream>,
    stage: Stage<S>,
    /// Wire bytes that had passed when it was last seen to be active.
    passed: u64,
    /// When that was.
    active: Instant,
    /// When the clock will look at it.
    pub(crate) alarm: Instant,
}

#[derive(Debug)]
enum Stage<S> {
    Handshaking { since: Instant },
    Serving { session: S, pace: Pace },
    Closing { since: Instant, end: End },
}

/// How busy a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Busy,
    Idle,
    /// Idle for so long that its buffers went back.
    Released,
}

impl<S: Default> Connection<S> {
    pub(crate) fn accept(server: &Server, socket: TcpStream, now: Instant) -> Self {
        Self {
            source: TlsSource::accept(server, socket),
            stage: Stage::Handshaking { since: now },
            passed: 0,
            active: now,
            alarm: now,
        }
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> std::io::Result<()> {
        self.source.register(registry, token)
    }

    /// Does whatever can be done, then tells the poll what to wait for.
    pub(crate) fn advance<V: Service<Session = S>>(
        &mut self,
        looking: &mut Looking<'_, V>,
        token: Token,
    ) -> Step {
        self.source.engine_mut().borrow_buffers(looking.pool);
        let step = match self.work(looking) {
            Ok(step) => step,
            Err(Error::Tls(_)) => Step::Done(End::Failed),
            Err(Error::Transport(_)) => Step::Done(End::Reset),
        };
        self.source.engine_mut().return_buffers(looking.pool);
        self.note_activity(looking.now);
        if let Step::Done(_) = step {
            return step;
        }
        match self.source.reregister(looking.registry, token) {
            Ok(()) => step,
            Err(_) => Step::Done(End::Reset),
        }
    }

    /// What the clock has to say to it, then as [`Self::advance`].
    pub(crate) fn on_alarm<V: Service<Session = S>>(
        &mut self,
        looking: &mut Looking<'_, V>,
        token: Token,
    ) -> Step {
        if looking.now < self.deadline(looking.patience, looking.phase) {
            return Step::Wait;
        }
        let idle_until = self.active + looking.patience.idle;
        match &mut self.stage {
            Stage::Handshaking { .. } => return Step::Done(End::TimedOut),
            Stage::Closing { end, .. } => return Step::Done(*end),
            Stage::Serving { pace, .. } => match looking.phase {
                Phase::Stopping(_) => return Step::Done(End::Stopped),
                Phase::Serving if looking.now >= idle_until => {
                    self.close(End::TimedOut, looking.now);
                }
                Phase::Serving => {
                    *pace = Pace::Released;
                    self.source.engine_mut().release();
                    looking.tally.released += 1;
                    return Step::Wait;
                }
            },
        }
        self.advance(looking, token)
    }

    /// When the clock has to look at it next.
    pub(crate) fn deadline(&self, patience: Patience, phase: Phase) -> Instant {
        match (&self.stage, phase) {
            (Stage::Handshaking { since }, _) => *since + patience.handshake,
            (Stage::Closing { since, .. }, _) => *since + GOODBYE,
            (Stage::Serving { .. }, Phase::Stopping(since)) => since + GOODBYE,
            (Stage::Serving { pace, .. }, Phase::Serving) => match pace {
                Pace::Busy | Pace::Idle => self.active + patience.release.min(patience.idle),
                Pace::Released => self.active + patience.idle,
            },
        }
    }

    fn work<V: Service<Session = S>>(
        &mut self,
        looking: &mut Looking<'_, V>,
    ) -> Result<Step, Error> {
        loop {
            match &mut self.stage {
                Stage::Handshaking { .. } => match (self.source.handshake()?, looking.phase) {
                    (Handshake::Complete, _) => {
                        looking.tally.handshakes += 1;
                        self.stage = Stage::Serving {
                            session: S::default(),
                            pace: Pace::Busy,
                        };
                    }
                    (_, Phase::Stopping(_)) => return Ok(Step::Done(End::Stopped)),
                    (Handshake::NeedRead | Handshake::NeedWrite, Phase::Serving) => {
                        return Ok(Step::Wait);
                    }
                },
                Stage::Serving { session, pace } => {
                    let turn = looking
                        .service
                        .serve(&mut self.source, session, looking.scratch)?;
                    match (turn, looking.phase) {
                        (Turn::Again, _) => return Ok(Step::Again),
                        (Turn::Finished, _) => self.close(End::Clean, looking.now),
                        (Turn::Idle, Phase::Stopping(_)) => self.close(End::Stopped, looking.now),
                        (Turn::Blocked, _) => {
                            *pace = pace.unless_released(Pace::Busy);
                            return Ok(Step::Wait);
                        }
                        (Turn::Idle, Phase::Serving) => {
                            *pace = pace.unless_released(Pace::Idle);
                            return Ok(Step::Wait);
                        }
                    }
                }
                Stage::Closing { end, .. } => {
                    let end = *end;
                    return goodbye(&mut self.source, looking.scratch, end);
                }
            }
        }
    }

    fn close(&mut self, end: End, now: Instant) {
        self.stage = Stage::Closing { since: now, end };
    }

    fn note_activity(&mut self, now: Instant) {
        let stats = self.source.engine().stats();
        let passed = stats.wire_fed + stats.wire_sent;
        let Stage::Serving { pace, .. } = &mut self.stage else {
            return;
        };
        if passed != self.passed {
            (self.passed, self.active) = (passed, now);
            if *pace == Pace::Released {
                *pace = Pace::Idle;
            }
        }
    }
}

impl Pace {
    fn unless_released(self, pace: Self) -> Self {
        match self {
            Self::Released => Self::Released,
            Self::Busy | Self::Idle => pace,
        }
    }
}

/// What a server lends a connection while it is looked at.
pub(crate) struct Looking<'a, V> {
    pub(crate) service: &'a V,
    pub(crate) registry: &'a Registry,
    pub(crate) scratch: &'a mut [u8],
    pub(crate) pool: &'a mut BufferPool,
    pub(crate) tally: &'a mut Tally,
    pub(crate) patience: Patience,
    pub(crate) phase: Phase,
    pub(crate) now: Instant,
}

/// Sends close_notify, and reads until the peer's meanwhile: what still comes is too late.
fn goodbye(source: &mut TlsSource<TcpStream>, scratch: &mut [u8], end: End) -> Result<Step, Error> {
    for _ in 0..TURN {
        match source.shutdown()? {
            Shutdown::Complete => return Ok(Step::Done(end)),
            Shutdown::Truncated => return Ok(Step::Done(End::Truncated)),
            Shutdown::NeedWrite | Shutdown::Sent => {}
        }
        match (source.read(scratch)?, source.interest()) {
            (Read::Read(_), _) => {}
            (Read::NeedRead | Read::NeedWrite, _) => return Ok(Step::Wait),
            // All that is missing is room for our close_notify.
            (Read::Closed | Read::Truncated, Interest::Write) => return Ok(Step::Wait),
            (Read::Closed | Read::Truncated, _) => {}
        }
    }
    Ok(Step::Again)
}
