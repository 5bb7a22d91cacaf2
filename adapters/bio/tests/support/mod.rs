//! Two streams over the halves of a pair, the session that is held over them, and a watchdog that
//! counts rounds without progress.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use alloc::collections::VecDeque;
use std::io;

use offwire::{Handshake, ProtocolVersion, Read, Settings, Shutdown, Write};
use offwire_bio::{BioHalf, BioPair};
use offwire_stream::{Error, Stream};
use offwire_testkit::Contexts;

/// Both protocol versions.
pub(crate) const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// From one byte to more than three records.
pub(crate) const CAPACITIES: [usize; 11] = [
    1, 5, 10, 20, 100, 1_000, 2_048, 4_096, 16_384, 17_408, 65_536,
];

/// A client and a server over the two halves of a pair with this capacity both ways.
pub(crate) fn pair(contexts: &Contexts, capacity: usize) -> (Stream<BioHalf>, Stream<BioHalf>) {
    let BioPair { a, b } = BioPair::new(capacity, capacity);
    streams(contexts, a, b)
}

/// A client and a server over these transports.
pub(crate) fn streams<C, S>(contexts: &Contexts, client: C, server: S) -> (Stream<C>, Stream<S>)
where
    C: io::Read + io::Write,
    S: io::Read + io::Write,
{
    let (client_context, server_context) = contexts.build();
    let client = Stream::connect(&client_context, contexts.name(), client).unwrap();
    (client, Stream::accept(&server_context, server))
}

/// A pair of one version that has shaken hands and holds no byte.
pub(crate) fn open_pair(
    version: ProtocolVersion,
    settings: Settings,
    capacity: usize,
) -> (Stream<BioHalf>, Stream<BioHalf>) {
    let contexts = Contexts::new().version(version).settings(settings);
    let (client, server) = pair(&contexts, capacity);
    let (mut client, mut server) = (End::of(client), End::of(server));
    // The client reads the tickets of TLS 1.3 as well: the server is not done before they have left.
    client.tasks([Task::Handshake, Task::ReadUntil(1)]);
    server.tasks([Task::Write(vec![0], 1)]);
    run(&mut client, &mut server);
    (client.stream, server.stream)
}

/// Feeds the engine what has arrived while its own output cannot leave.
///
/// rustls's client sends a change_cipher_spec of 6 bytes in the middle of the server's flight. If
/// the pair holds less, both sides wait to write and neither reads.
pub(crate) fn take_in<T: io::Read + io::Write>(stream: &mut Stream<T>) {
    let mut buffer = [0; 8];
    let room = stream.engine_mut().feed_space().len().min(buffer.len());
    if stream.engine().negotiated().is_some() || room == 0 {
        return;
    }
    if let Ok(n @ 1..) = stream.transport_mut().read(&mut buffer[..room]) {
        assert_eq!(stream.engine_mut().feed(&buffer[..n]), n);
    }
}

/// One thing that an end has to get done.
#[derive(Debug)]
pub(crate) enum Task {
    Handshake,
    /// Writes all of it, in writes of so many bytes.
    Write(Vec<u8>, usize),
    /// Reads until so many bytes have arrived in all.
    ReadUntil(usize),
    /// Sends close_notify.
    Close,
    /// Reads until close_notify.
    ReadEnd,
}

/// A stream and what is left for it to do: one list of tasks in which each waits for the one
/// before it.
#[derive(Debug)]
pub(crate) struct End<T> {
    pub(crate) stream: Stream<T>,
    pub(crate) received: Vec<u8>,
    /// How often the transport failed.
    pub(crate) failures: usize,
    written: usize,
    tasks: VecDeque<Task>,
}

impl<T: io::Read + io::Write> End<T> {
    pub(crate) fn of(stream: Stream<T>) -> Self {
        Self {
            stream,
            received: Vec::new(),
            failures: 0,
            written: 0,
            tasks: VecDeque::new(),
        }
    }

    pub(crate) fn tasks(&mut self, tasks: impl IntoIterator<Item = Task>) {
        self.tasks.extend(tasks);
    }

    /// Works until the transport would block or fails.
    fn poll(&mut self) {
        while let Some(task) = self.tasks.pop_front() {
            let (done, failures) = match self.perform(&task) {
                Ok(done) => (done, 0),
                Err(Error::Transport(_)) => (false, 1),
                Err(Error::Tls(error)) => panic!("{task:.40?}: {error}"),
            };
            self.failures += failures;
            if !done {
                self.tasks.push_front(task);
                return;
            }
        }
    }

    /// Whether the task is done.
    fn perform(&mut self, task: &Task) -> Result<bool, Error> {
        match task {
            Task::Handshake => Ok(self.stream.handshake()? == Handshake::Complete),
            Task::Write(bytes, piece) => {
                while self.written < bytes.len() {
                    let end = bytes.len().min(self.written + piece);
                    match self.stream.write(&bytes[self.written..end])? {
                        Write::Written(n) => self.written += n,
                        Write::NeedRead | Write::NeedWrite => return Ok(false),
                    }
                }
                self.written = 0;
                Ok(true)
            }
            Task::ReadUntil(len) => {
                while self.received.len() < *len {
                    if !self.read()? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Task::Close => Ok(matches!(
                self.stream.shutdown()?,
                Shutdown::Sent | Shutdown::Complete
            )),
            Task::ReadEnd => {
                while self.read()? {}
                Ok(self.stream.read(&mut [0])? == Read::Closed)
            }
        }
    }

    fn read(&mut self) -> Result<bool, Error> {
        let mut buffer = [0; 5_000];
        let Read::Read(n) = self.stream.read(&mut buffer)? else {
            return Ok(false);
        };
        self.received.extend(&buffer[..n]);
        Ok(true)
    }

    /// Changes whenever anything was achieved.
    fn progress(&self) -> impl PartialEq + use<T> {
        let stats = self.stream.engine().stats();
        (
            (stats.wire_sent, stats.wire_fed, stats.plaintext_opened),
            (self.tasks.len(), self.written, self.failures),
        )
    }
}

/// How many rounds without progress are a stall. More than one: a transport that faults may say
/// "would block" for a while.
const IDLE_ROUNDS: usize = 40;

/// Lets both ends work in turn until they are done. Returns the rounds.
///
/// # Panics
/// If neither gets anywhere.
pub(crate) fn run<C, S>(client: &mut End<C>, server: &mut End<S>) -> usize
where
    C: io::Read + io::Write,
    S: io::Read + io::Write,
{
    let (mut rounds, mut idle) = (0, 0);
    while !(client.tasks.is_empty() && server.tasks.is_empty()) {
        let before = (client.progress(), server.progress());
        client.poll();
        server.poll();
        rounds += 1;
        idle = if before == (client.progress(), server.progress()) {
            take_in(&mut client.stream);
            idle + 1
        } else {
            0
        };
        let stuck = (client.tasks.front(), server.tasks.front());
        assert!(
            idle < IDLE_ROUNDS,
            "a stall in round {rounds}: {stuck:.40?}"
        );
    }
    rounds
}

/// So many bytes, with a period that divides no record's size.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}
