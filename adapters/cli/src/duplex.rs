//! Both directions at once: stdin to the peer, the peer to stdout.
//!
//! ```text
//!   stdin thread ── Event::Input ──────────► main thread ── write, take_outgoing ──► socket
//!                                               ▲  (the session is behind a lock that
//!   socket ──► receiving thread ── Event ───────┘   nobody holds while a socket blocks)
//!                   └── feed, read ──► stdout
//! ```
//!
//! The main thread alone sends, so records leave in order. The receiving thread never waits for it,
//! so that two peers who both write cannot block each other.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use offwire::{Read, Shutdown, Write};

use crate::exit::{Failure, broken};
use crate::session::{CIPHERTEXT, PLAINTEXT, Session};
use crate::terminal::pour;

/// How much of stdin is read at once, in bytes: one record.
const INPUT: usize = 16_384;

/// How many events may wait for the main thread.
const EVENTS: usize = 2;

/// What the main thread has to act upon.
enum Event {
    /// Bytes from stdin.
    Input(Vec<u8>),
    /// The end of stdin.
    InputEnd,
    /// The engine has something to send that no write of ours made.
    Output,
    /// The peer's half is over.
    PeerEnd(Result<(), Failure>),
}

/// What the main thread may still send.
enum Sending {
    Open,
    /// Our close_notify has left.
    Closed,
    /// The socket takes no more. The receiving side will tell why.
    Failed(Failure),
}

/// Sends `first`, then what stdin brings, until the peer has closed, or the connection has failed;
/// gives the session back.
pub(crate) fn run(
    session: Session,
    socket: &TcpStream,
    first: Vec<u8>,
) -> (Session, Result<(), Failure>) {
    let session = Mutex::new(session);
    let (events, inbox) = sync_channel(EVENTS);
    let input = events.clone();
    // Not joined: nothing can interrupt a read of stdin but the end of the program.
    thread::spawn(move || {
        for piece in first.chunks(INPUT) {
            if input.send(Event::Input(piece.to_vec())).is_err() {
                return;
            }
        }
        forward_stdin(&input);
    });
    let end = thread::scope(|scope| {
        scope.spawn(|| {
            let end = receive(&session, socket, &events);
            let _ = events.send(Event::PeerEnd(end));
        });
        send(&session, socket, &inbox)
    });
    let session = session.into_inner().unwrap_or_else(PoisonError::into_inner);
    (session, end)
}

fn forward_stdin(events: &SyncSender<Event>) {
    let mut stdin = io::stdin().lock();
    loop {
        let mut input = vec![0; INPUT];
        let event = match stdin.read(&mut input) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // Whatever ended it, there is no more.
            Ok(0) | Err(_) => Event::InputEnd,
            Ok(n) => {
                input.truncate(n);
                Event::Input(input)
            }
        };
        let is_end = matches!(event, Event::InputEnd);
        if events.send(event).is_err() || is_end {
            return;
        }
    }
}

/// Feeds what arrives and prints it, until the peer's half is over.
fn receive(
    session: &Mutex<Session>,
    mut socket: &TcpStream,
    events: &SyncSender<Event>,
) -> Result<(), Failure> {
    let mut ciphertext = vec![0; CIPHERTEXT];
    let mut plaintext = vec![0; PLAINTEXT];
    // First, since the handshake may have left plaintext behind.
    let mut half = print(session, &mut plaintext)?;
    while let PeerHalf::Open = half {
        if !lock(session).engine().outgoing().is_empty() {
            // If the inbox is full the main thread is awake, and finds the output itself.
            let _ = events.try_send(Event::Output);
        }
        match socket.read(&mut ciphertext) {
            Ok(0) => {
                lock(session).feed_eof();
                half = print(session, &mut plaintext)?;
            }
            Ok(n) => {
                let mut rest = ciphertext.get(..n).unwrap_or_default();
                while !rest.is_empty() {
                    let taken = lock(session).feed(rest);
                    rest = rest.get(taken..).unwrap_or_default();
                    half = print(session, &mut plaintext)?;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(broken(error)),
        }
    }
    Ok(())
}

/// How far the peer's half is.
enum PeerHalf {
    Open,
    Closed,
}

/// Prints all plaintext that has arrived.
fn print(session: &Mutex<Session>, plaintext: &mut [u8]) -> Result<PeerHalf, Failure> {
    loop {
        let outcome = lock(session).read(plaintext);
        match outcome? {
            Read::Read(n) => pour(plaintext.get(..n).unwrap_or_default())?,
            Read::NeedRead | Read::NeedWrite => return Ok(PeerHalf::Open),
            Read::Closed => return Ok(PeerHalf::Closed),
            Read::Truncated => return Err(Failure::truncated()),
        }
    }
}

/// Sends what stdin brings and what the engine owes, until the peer's half is over.
fn send(
    session: &Mutex<Session>,
    socket: &TcpStream,
    inbox: &Receiver<Event>,
) -> Result<(), Failure> {
    let mut sending = Sending::Open;
    while let Ok(event) = inbox.recv() {
        let result = match (event, &sending) {
            (Event::PeerEnd(end), _) => return finish(session, socket, sending, end),
            (_, Sending::Failed(_)) | (Event::Input(_), Sending::Closed) => continue,
            (Event::Input(input), Sending::Open) => write(session, socket, &input),
            (Event::InputEnd, _) => close(session, socket).map(|()| sending = Sending::Closed),
            (Event::Output, _) => drain(session, socket),
        };
        if let Err(failure) = result.and_then(|()| drain(session, socket)) {
            sending = Sending::Failed(failure);
        }
    }
    Err(Failure::Local(
        "both directions ended without a word".into(),
    ))
}

/// Says goodbye as far as that is possible, and decides how it all ended.
fn finish(
    session: &Mutex<Session>,
    socket: &TcpStream,
    sending: Sending,
    end: Result<(), Failure>,
) -> Result<(), Failure> {
    if let Sending::Open = sending {
        // Our close_notify, or the alert. The peer may be gone already, and need not care.
        let _ = close(session, socket);
    }
    let _ = drain(session, socket);
    match (end, sending) {
        (Ok(()), Sending::Failed(failure)) => Err(failure),
        (end, _) => end,
    }
}

fn write(session: &Mutex<Session>, socket: &TcpStream, plaintext: &[u8]) -> Result<(), Failure> {
    loop {
        let outcome = lock(session).write(plaintext)?;
        match outcome {
            Write::Written(_) => return Ok(()),
            Write::NeedWrite => drain(session, socket)?,
            Write::NeedRead => return Err(Failure::Tls("the handshake began anew".into())),
        }
    }
}

fn close(session: &Mutex<Session>, socket: &TcpStream) -> Result<(), Failure> {
    loop {
        let outcome = lock(session).shutdown()?;
        match outcome {
            Shutdown::Sent | Shutdown::Complete | Shutdown::Truncated => return Ok(()),
            Shutdown::NeedWrite => drain(session, socket)?,
        }
    }
}

/// Sends all that is outgoing. The lock is free while the socket blocks.
fn drain(session: &Mutex<Session>, mut socket: &TcpStream) -> Result<(), Failure> {
    loop {
        let outgoing = lock(session).take_outgoing();
        if outgoing.is_empty() {
            return Ok(());
        }
        socket.write_all(&outgoing).map_err(broken)?;
    }
}

fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}
