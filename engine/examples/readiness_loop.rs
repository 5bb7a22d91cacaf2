//! A readiness loop: one thread and one level-triggered `poll(2)` serve a listener and both ends of
//! several connections.
//!
//! ```sh
//! cargo run --example readiness_loop
//! ```
//!
//! The loop knows sockets and bytes. What is said, and every verb of the engine, is in
//! `conversation/mod.rs`; whom it talks to, in `loopback/mod.rs`.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;

use offwire::{Engine, Interest};
use rustix::event::{PollFd, PollFlags, poll};

mod conversation;
mod loopback;

use conversation::{Conversation, Expected, Fault, Report, Standing};
use loopback::{End, Loopback};

/// Where a connection is in its life. Only the transport is meant: TLS is the engine's knowledge.
enum Stage {
    /// Both halves of the transport are open.
    Open,
    /// Everything was said and has left, and the sending half of the transport is closed.
    HalfClosed,
    /// TLS failed. The alert leaves first.
    Failing(Fault),
    /// The alert has left; what still arrives is thrown away until the peer closes, because a socket
    /// that is closed with unread bytes resets the connection and may destroy the alert. A server
    /// sets a time limit here.
    Lingering(Fault),
    /// The socket may be dropped.
    Over(Result<Standing, Fault>),
}

/// A socket and its engine.
struct Connection {
    name: String,
    socket: TcpStream,
    engine: Engine,
    conversation: Conversation,
    expected: Expected,
    stage: Stage,
}

impl Connection {
    fn new(end: End) -> io::Result<Self> {
        end.socket.set_nonblocking(true)?;
        Ok(Self {
            name: end.name,
            socket: end.socket,
            engine: end.engine,
            conversation: end.conversation,
            expected: end.expected,
            stage: Stage::Open,
        })
    }

    /// What to ask of `poll(2)`: exactly what the engine is interested in.
    fn interest(&self) -> PollFlags {
        match (&self.stage, self.engine.interest()) {
            (Stage::Over(_), _) => PollFlags::empty(),
            (Stage::Lingering(_), _) => PollFlags::IN,
            (_, Interest::Nothing) => PollFlags::empty(),
            (_, Interest::Read) => PollFlags::IN,
            (_, Interest::Write) => PollFlags::OUT,
            (_, Interest::ReadWrite) => PollFlags::IN | PollFlags::OUT,
        }
    }

    /// Takes one turn, after which the connection waits for the socket or is over.
    fn turn(&mut self) {
        let stage = core::mem::replace(&mut self.stage, Stage::Open);
        self.stage = match stage {
            Stage::Open | Stage::HalfClosed => match self.talk() {
                Ok(Standing::Talking) => stage,
                Ok(Standing::SaidAll) => self.close_half(stage),
                Ok(end @ (Standing::Complete | Standing::Truncated)) => Stage::Over(Ok(end)),
                Err(fault) => self.fail(fault),
            },
            Stage::Failing(fault) => self.fail(fault),
            Stage::Lingering(fault) => self.linger(fault),
            Stage::Over(outcome) => Stage::Over(outcome),
        };
    }

    /// Receives, lets the verbs go on, and sends. One read and one queue of output a turn: a busy
    /// connection does not starve the others, since a level-triggered poll reports it again.
    fn talk(&mut self) -> Result<Standing, Fault> {
        self.receive()?;
        let standing = self.conversation.advance(&mut self.engine)?;
        if self.send()? == 0 {
            return Ok(standing);
        }
        // After every `sent` the verbs that said `NeedWrite` are repeated. They fill the queue
        // again, and with it the interest in writing.
        self.conversation.advance(&mut self.engine)
    }

    /// Reads the socket once, straight into the engine.
    fn receive(&mut self) -> io::Result<()> {
        let space = self.engine.feed_space();
        // An empty space means that the queue is full or that nothing more can arrive. `read(2)`
        // would return 0, which looks like the end.
        if space.is_empty() {
            return Ok(());
        }
        match self.socket.read(space) {
            Ok(0) => self.engine.feed_eof(),
            Ok(received) => self.engine.fed(received).map_err(io::Error::other)?,
            Err(error) if is_no_failure(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Sends until the queue is empty or the socket is full; returns the number of bytes.
    fn send(&mut self) -> io::Result<usize> {
        let mut total = 0;
        while !self.engine.outgoing().is_empty() {
            match self.socket.write(self.engine.outgoing()) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(sent) => {
                    self.engine.sent(sent).map_err(io::Error::other)?;
                    total += sent;
                }
                Err(error) if is_no_failure(&error) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    /// Closes the sending half of the transport, once, behind the last byte.
    fn close_half(&self, stage: Stage) -> Stage {
        match stage {
            Stage::Open if self.engine.outgoing().is_empty() => {
                match self.socket.shutdown(Shutdown::Write) {
                    Ok(()) => Stage::HalfClosed,
                    Err(error) => Stage::Over(Err(error.into())),
                }
            }
            stage @ (Stage::Open
            | Stage::HalfClosed
            | Stage::Failing(_)
            | Stage::Lingering(_)
            | Stage::Over(_)) => stage,
        }
    }

    /// Sends what a failed connection still owes the peer: the records before the error, the alert.
    fn fail(&mut self, fault: Fault) -> Stage {
        match self.send() {
            Ok(_) if !self.engine.outgoing().is_empty() => Stage::Failing(fault),
            Ok(_) if self.socket.shutdown(Shutdown::Write).is_ok() => self.linger(fault),
            Ok(_) | Err(_) => Stage::Over(Err(fault)),
        }
    }

    /// Throws away what still arrives, until the peer closes.
    fn linger(&mut self, fault: Fault) -> Stage {
        let mut scratch = [0; 4096];
        loop {
            match self.socket.read(&mut scratch) {
                Ok(0) => return Stage::Over(Err(fault)),
                Ok(_) => {}
                Err(error) if is_no_failure(&error) => return Stage::Lingering(fault),
                Err(_) => return Stage::Over(Err(fault)),
            }
        }
    }

    /// What became of a connection that is over.
    fn report(&self) -> Option<Report> {
        let Stage::Over(outcome) = &self.stage else {
            return None;
        };
        Some(Report::new(
            &self.name,
            &self.engine,
            &self.conversation,
            outcome,
            &self.expected,
        ))
    }
}

/// Whether to come back later. An interrupted call is repeated in the next turn, which is at once.
fn is_no_failure(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// Waits until the listener or a connection is ready; says which connections are.
fn wait(loopback: &Loopback, connections: &[Connection]) -> io::Result<Vec<bool>> {
    let mut fds: Vec<PollFd<'_>> = connections
        .iter()
        .map(|connection| PollFd::new(&connection.socket, connection.interest()))
        .collect();
    fds.push(PollFd::new(&loopback.listener, PollFlags::IN));
    match poll(&mut fds, None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(fds.iter().map(|fd| !fd.revents().is_empty()).collect())
}

/// Accepts everyone who waits.
fn accept(loopback: &Loopback, connections: &mut Vec<Connection>) -> Result<(), Fault> {
    loop {
        match loopback.listener.accept() {
            Ok((socket, _)) => connections.push(Connection::new(loopback.accept(socket)?)?),
            Err(error) if is_no_failure(&error) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn run(out: &mut impl io::Write) -> Result<(), Fault> {
    let mut loopback = Loopback::new()?;
    loopback.listener.set_nonblocking(true)?;
    let clients = loopback.connect()?.into_iter().map(Connection::new);
    let mut connections = clients.collect::<io::Result<Vec<_>>>()?;
    let mut missing = 2 * connections.len();
    writeln!(
        out,
        "readiness loop: one thread, one poll(2), {missing} ends of TLS over TCP\n\n{}",
        Report::HEADING
    )?;
    // The first turn of a client needs no event: nobody speaks before it does.
    connections.iter_mut().for_each(Connection::turn);

    let mut verdict = Ok(());
    while missing > 0 {
        let ready = wait(&loopback, &connections)?;
        for (connection, ready) in connections.iter_mut().zip(ready) {
            if ready {
                connection.turn();
            }
        }
        accept(&loopback, &mut connections)?;
        for report in connections.iter().filter_map(Connection::report) {
            writeln!(out, "{report}")?;
            missing -= 1;
            verdict = verdict.and_then(|()| report.into_verdict());
        }
        // Dropping the connection closes the socket.
        connections.retain(|connection| !matches!(connection.stage, Stage::Over(_)));
    }
    verdict?;
    writeln!(out, "\nevery byte was right, every end as expected")?;
    Ok(())
}

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    match run(&mut out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // If not even this can be written, the exit code still says it.
            let _ = writeln!(out, "failed: {fault}");
            ExitCode::FAILURE
        }
    }
}
