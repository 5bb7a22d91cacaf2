//! One end of a session, driven as the crate's documentation says, and the loop that delivers its
//! events: it fails when nobody has one and the session is not over.

use mio::{Poll, Token};
use offwire::rustls::NamedGroup;
use offwire::{ProtocolVersion, Read, Settings, Shutdown, Write};
use offwire_mio::{Error, TlsSource};
use offwire_testkit::Contexts;

use crate::support::simulated::Simulated;

/// How an end's session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Working,
    /// Everything was sent and read, and both sides sent close_notify.
    Complete,
    /// The peer's transport ended without close_notify.
    Truncated,
    /// The peer closed before everything was read.
    Closed,
    Tls(offwire::Error),
    Transport,
}

/// What an end does when its transport fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnFailure {
    Repeat,
    GiveUp,
}

/// A source, what it has to send and what it has read.
pub(crate) struct End {
    pub(crate) source: TlsSource<Simulated>,
    pub(crate) received: Vec<u8>,
    pub(crate) state: State,
    pub(crate) failures: usize,
    pub(crate) on_failure: OnFailure,
    /// The most reads in a row.
    pub(crate) pace: usize,
    plaintext: Vec<u8>,
    sent: usize,
    writes: usize,
    expected: usize,
    again: Again,
}

/// Whether an end must be looked at without an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    No,
    Yes,
}

impl End {
    fn new(source: TlsSource<Simulated>, plaintext: &[u8], expected: usize) -> Self {
        Self {
            source,
            received: Vec::new(),
            state: State::Working,
            failures: 0,
            on_failure: OnFailure::Repeat,
            pace: usize::MAX,
            plaintext: plaintext.to_vec(),
            sent: 0,
            writes: 0,
            expected,
            again: Again::No,
        }
    }

    /// What to do on an event, and how to tell the poll.
    fn on_event(&mut self, poll: &Poll, token: Token) {
        self.again = Again::No;
        match self.work() {
            Ok(state) => self.state = state,
            Err(Error::Tls(error)) => self.state = State::Tls(error),
            Err(Error::Transport(_)) => {
                self.failures += 1;
                match self.on_failure {
                    OnFailure::Repeat => self.again = Again::Yes,
                    OnFailure::GiveUp => self.state = State::Transport,
                }
            }
        }
        self.source.reregister(poll.registry(), token).unwrap();
        if self.state != State::Working {
            // Its socket is closed.
            self.source.transport_mut().outgoing.borrow_mut().end();
            self.source.transport_mut().incoming.borrow_mut().abandon();
        }
    }

    /// Writes and reads until both are blocked, or done.
    fn work(&mut self) -> Result<State, Error> {
        while self.sent < self.plaintext.len() {
            // A retry may group the bytes otherwise: each call does.
            let rest = &self.plaintext[self.sent..];
            self.writes += 1;
            let written = match self.writes % 3 {
                0 => self.source.write(rest)?,
                part => {
                    let (front, back) = rest.split_at(rest.len() * part / 3);
                    self.source.write_vectored(&[front, back])?
                }
            };
            match written {
                Write::Written(n) => self.sent += n,
                Write::NeedRead | Write::NeedWrite => break,
            }
        }
        for turn in 0.. {
            if turn == self.pace {
                self.again = Again::Yes;
                return Ok(State::Working);
            }
            if self.received.len() == self.expected {
                break;
            }
            let mut buffer = [0; 5_000];
            match self.source.read(&mut buffer)? {
                Read::Read(n) => self.received.extend(&buffer[..n]),
                Read::NeedRead | Read::NeedWrite => return Ok(State::Working),
                Read::Closed => return Ok(State::Closed),
                Read::Truncated => return Ok(State::Truncated),
            }
        }
        if self.sent < self.plaintext.len() {
            return Ok(State::Working);
        }
        self.close()
    }

    /// Closes, and reads on meanwhile: the peer may be unable to read before we do.
    fn close(&mut self) -> Result<State, Error> {
        for _ in 0..2 {
            match self.source.shutdown()? {
                Shutdown::Complete => return Ok(State::Complete),
                Shutdown::Truncated => return Ok(State::Truncated),
                Shutdown::NeedWrite | Shutdown::Sent => {}
            }
            match self.source.read(&mut [0; 8])? {
                Read::NeedRead | Read::NeedWrite => break,
                Read::Read(_) => panic!("more than was sent"),
                Read::Closed | Read::Truncated => {}
            }
        }
        Ok(State::Working)
    }
}

/// What a session is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) version: ProtocolVersion,
    /// Bytes between the two, in each direction.
    pub(crate) capacity: usize,
    pub(crate) settings: Settings,
    pub(crate) up: &'a [u8],
    pub(crate) down: &'a [u8],
}

impl Plan<'_> {
    /// A client and a server that are about to shake hands.
    pub(crate) fn ends(&self) -> (End, End) {
        let contexts = Contexts::new()
            .version(self.version)
            .group(NamedGroup::X25519)
            .settings(self.settings);
        let (client, server) = contexts.build();
        let (near, far) = Simulated::pair(self.capacity);
        let client = TlsSource::connect(&client, contexts.name(), near).unwrap();
        let server = TlsSource::accept(&server, far);
        (
            End::new(client, self.up, self.down.len()),
            End::new(server, self.down, self.up.len()),
        )
    }
}

/// Delivers events until both ends are over.
///
/// # Panics
/// If neither has an event: one of them waits for what will not come.
pub(crate) fn run(client: &mut End, server: &mut End) {
    let poll = Poll::new().unwrap();
    for (token, end) in [(Token(0), &mut *client), (Token(1), &mut *server)] {
        end.source.register(poll.registry(), token).unwrap();
        end.again = Again::Yes;
    }
    while client.state == State::Working || server.state == State::Working {
        let mut events = 0;
        for (token, end) in [(Token(0), &mut *client), (Token(1), &mut *server)] {
            if end.state == State::Working
                && (end.again == Again::Yes || end.source.transport_mut().take_event())
            {
                events += 1;
                end.on_event(&poll, token);
            }
        }
        let received = [client.received.len(), server.received.len()];
        assert!(
            events > 0,
            "stalled: {:?} {:?}, received {received:?}",
            client.source,
            server.source
        );
    }
}
