//! A completion-based loop that owns its buffers: operations are submitted with their buffer, and
//! come back with their result and the buffer. One thread runs the loop and both ends of several
//! connections.
//!
//! ```sh
//! cargo run --example completion_loop            # the kernel's io_uring, where it may be used
//! cargo run --example completion_loop -- threads # a pool of threads in the same shape
//! ```
//!
//! The queues of operations are in `ring/`. What is said, and
//! every verb of the engine, is in `conversation/mod.rs`; whom it talks to, in `loopback/mod.rs`.

extern crate alloc;

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use std::env;
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::process::ExitCode;

use bytes::Bytes;
use offwire::{Engine, Interest};

mod conversation;
mod loopback;
mod ring;

use conversation::{Conversation, Expected, Fault, Report, Standing};
use loopback::{End, Loopback};
use ring::{Completion, Operation, Ring, Token};

/// The size of a receive buffer: a full record of TLS 1.3 and its header.
const RECEIVE: usize = 16_645;

/// The token of the accepting; connections have those behind it.
const LISTENER: Token = 0;

/// The receive buffer: with an operation, or with us.
enum Inbox {
    /// A receive is in flight and owns the buffer.
    InFlight,
    /// The buffer is here. Its bytes from `start` to `end` have arrived, but the engine had no room
    /// for them; nothing more is received before they are fed.
    Here {
        buffer: Vec<u8>,
        start: usize,
        end: usize,
    },
    /// The transport has ended.
    Ended,
}

/// The sending side. One operation at a time: two might overtake each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outbox {
    Idle,
    InFlight,
    /// The sending half of the transport is closed.
    Closed,
}

/// How far the verbs have come.
enum Progress {
    Going(Standing),
    /// TLS or the transport failed. The alert leaves first; then what still arrives is thrown
    /// away until the peer closes. A server sets a time limit here.
    Failed(Fault),
}

/// A socket and its engine.
struct Connection {
    name: String,
    token: Token,
    socket: Arc<TcpStream>,
    engine: Engine,
    conversation: Conversation,
    expected: Expected,
    progress: Progress,
    inbox: Inbox,
    outbox: Outbox,
}

impl Connection {
    fn new(token: Token, end: End) -> Self {
        Self {
            name: end.name,
            token,
            socket: Arc::new(end.socket),
            engine: end.engine,
            conversation: end.conversation,
            expected: end.expected,
            progress: Progress::Going(Standing::Talking),
            inbox: Inbox::Here {
                buffer: vec![0; RECEIVE],
                start: 0,
                end: 0,
            },
            outbox: Outbox::Idle,
        }
    }

    /// Takes a completion, lets the verbs go on, and submits what follows.
    fn complete(&mut self, completion: Completion, ring: &mut Ring) -> io::Result<()> {
        let taken = match completion {
            Completion::Received(result, buffer) => self.received(result, buffer),
            Completion::Sent(result, bytes) => match result {
                Ok(0) => Err(io::ErrorKind::WriteZero.into()),
                // The rest of the bytes is sent before any other.
                Ok(sent) if sent < bytes.len() => {
                    return self.submit_send(bytes.slice(sent..), ring);
                }
                Ok(_) => {
                    self.outbox = Outbox::Idle;
                    Ok(())
                }
                Err(error) => Err(error),
            },
            Completion::HalfClosed(result) => result,
            Completion::Accepted(_) => Err(io::Error::other("a connection accepts nobody")),
        };
        if let Err(error) = taken {
            // The transport is of no use any more.
            self.inbox = Inbox::Ended;
            self.outbox = Outbox::Closed;
            self.fail(error.into());
        }
        self.go_on(ring)
    }

    /// Takes the result of a receive.
    fn received(&mut self, result: io::Result<usize>, buffer: Vec<u8>) -> io::Result<()> {
        let end = result?;
        if end == 0 {
            self.engine.feed_eof();
            self.inbox = Inbox::Ended;
        } else {
            self.inbox = Inbox::Here {
                buffer,
                start: 0,
                end,
            };
        }
        Ok(())
    }

    /// Feeds and lets the verbs go on in turns, until neither achieves anything; then submits.
    fn go_on(&mut self, ring: &mut Ring) -> io::Result<()> {
        loop {
            let fed = self.feed();
            if let Progress::Going(standing) = &mut self.progress {
                match self.conversation.advance(&mut self.engine) {
                    Ok(now) => *standing = now,
                    Err(fault) => self.fail(fault),
                }
            }
            // `take_outgoing` counts as sent, so after it the verbs are repeated.
            if !self.send(ring)? && fed == 0 {
                break;
            }
        }
        self.close_half(ring)?;
        self.receive(ring)
    }

    /// Feeds what has arrived; returns how much the engine had room for.
    fn feed(&mut self) -> usize {
        let Inbox::Here { buffer, start, end } = &mut self.inbox else {
            return 0;
        };
        let fed = self
            .engine
            .feed(buffer.get(*start..*end).unwrap_or_default());
        *start += fed;
        fed
    }

    /// Takes everything that the engine has for the peer and submits it, if no send is in flight;
    /// says whether it did. At most one queue is in flight and one is waiting: that is the bound.
    fn send(&mut self, ring: &mut Ring) -> io::Result<bool> {
        if self.outbox != Outbox::Idle || self.engine.outgoing().is_empty() {
            return Ok(false);
        }
        let bytes = self.engine.take_outgoing();
        self.submit_send(bytes, ring)?;
        Ok(true)
    }

    fn submit_send(&mut self, bytes: Bytes, ring: &mut Ring) -> io::Result<()> {
        self.outbox = Outbox::InFlight;
        ring.submit(self.token, Operation::Send(Arc::clone(&self.socket), bytes))
    }

    /// Submits a receive, once everything from the last one is fed and if more may come.
    fn receive(&mut self, ring: &mut Ring) -> io::Result<()> {
        let wanted = match (&self.progress, &self.inbox, self.engine.interest()) {
            (_, Inbox::InFlight | Inbox::Ended, _) => false,
            (Progress::Failed(_), Inbox::Here { .. }, _) => self.outbox == Outbox::Closed,
            (Progress::Going(_), Inbox::Here { start, end, .. }, interest) => {
                start == end && matches!(interest, Interest::Read | Interest::ReadWrite)
            }
        };
        self.inbox = match core::mem::replace(&mut self.inbox, Inbox::InFlight) {
            Inbox::Here { buffer, .. } if wanted => {
                let operation = Operation::Receive(Arc::clone(&self.socket), buffer);
                ring.submit(self.token, operation)?;
                Inbox::InFlight
            }
            inbox @ (Inbox::InFlight | Inbox::Here { .. } | Inbox::Ended) => inbox,
        };
        Ok(())
    }

    /// Closes the sending half of the transport, once, behind the last byte.
    fn close_half(&mut self, ring: &mut Ring) -> io::Result<()> {
        let last = match &self.progress {
            Progress::Going(standing) => *standing == Standing::SaidAll,
            Progress::Failed(_) => true,
        };
        if last && self.outbox == Outbox::Idle {
            self.outbox = Outbox::Closed;
            let operation = Operation::CloseHalf(Arc::clone(&self.socket));
            ring.submit(self.token, operation)?;
        }
        Ok(())
    }

    /// Keeps the first fault.
    fn fail(&mut self, fault: Fault) {
        if let Progress::Going(_) = self.progress {
            self.progress = Progress::Failed(fault);
        }
    }

    /// Whether the socket may be dropped: nothing more will be said, and no send is in flight.
    /// `Complete` alone is not enough, since what was taken counts as sent.
    fn is_over(&self) -> bool {
        let ended = match &self.progress {
            Progress::Going(Standing::Complete | Standing::Truncated) => true,
            Progress::Going(Standing::Talking | Standing::SaidAll) => false,
            Progress::Failed(_) => matches!(self.inbox, Inbox::Ended),
        };
        ended && self.outbox != Outbox::InFlight
    }

    fn report(self) -> Report {
        let outcome = match self.progress {
            Progress::Going(standing) => Ok(standing),
            Progress::Failed(fault) => Err(fault),
        };
        Report::new(
            &self.name,
            &self.engine,
            &self.conversation,
            &outcome,
            &self.expected,
        )
    }
}

fn run(out: &mut impl io::Write, mut ring: Ring) -> Result<(), Fault> {
    let mut loopback = Loopback::new()?;
    let listener = Arc::new(loopback.listener.try_clone()?);
    let mut connections = BTreeMap::new();
    for (token, end) in (LISTENER + 1..).zip(loopback.connect()?) {
        connections.insert(token, Connection::new(token, end));
    }
    let ends = 2 * connections.len();
    writeln!(
        out,
        "completion loop: one thread, a ring, {ends} ends of TLS over TCP\n\n{}",
        Report::HEADING
    )?;
    let mut next_token = LISTENER + 1 + connections.len();
    let accept = |ring: &mut Ring| ring.submit(LISTENER, Operation::Accept(Arc::clone(&listener)));
    accept(&mut ring)?;
    // The first step of a client needs no completion: nobody speaks before it does.
    for connection in connections.values_mut() {
        connection.go_on(&mut ring)?;
    }

    let (mut verdict, mut reported) = (Ok(()), 0);
    while reported < ends {
        let (mut token, completion) = ring.wait()?.ok_or("nothing is in flight any more")?;
        if let Completion::Accepted(socket) = completion {
            token = next_token;
            next_token += 1;
            let mut connection = Connection::new(token, loopback.accept(socket?)?);
            connection.go_on(&mut ring)?;
            connections.insert(token, connection);
            if next_token <= ends {
                accept(&mut ring)?;
            }
        } else if let Some(connection) = connections.get_mut(&token) {
            connection.complete(completion, &mut ring)?;
        }
        if connections.get(&token).is_some_and(Connection::is_over)
            && let Some(connection) = connections.remove(&token)
        {
            let report = connection.report();
            writeln!(out, "{report}")?;
            reported += 1;
            verdict = verdict.and_then(|()| report.into_verdict());
        }
    }
    verdict?;
    writeln!(
        out,
        "\nevery byte was right, every end as expected; served by {ring}"
    )?;
    Ok(())
}

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let ring = match env::args().nth(1).as_deref() {
        None => Ring::new(),
        Some("threads") => Ring::of_threads(),
        Some(_) => {
            let _ = writeln!(out, "usage: completion_loop [threads]");
            return ExitCode::FAILURE;
        }
    };
    match run(&mut out, ring) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // If not even this can be written, the exit code still says it.
            let _ = writeln!(out, "failed: {fault}");
            ExitCode::FAILURE
        }
    }
}
