//! Two streams over the test kit's transports in memory, and the session that is held over them.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use alloc::collections::VecDeque;

use offwire::{Handshake, ProtocolVersion, Read, Settings, Shutdown, Write};
use offwire_stream::{Error, Stream};
use offwire_testkit::Contexts;
use offwire_testkit::transport::Memory;

/// Both protocol versions.
pub(crate) const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// A client and a server whose transports are each other's.
pub(crate) fn pair(contexts: &Contexts) -> (Stream<Memory>, Stream<Memory>) {
    let near = Memory::default();
    let far = near.opposite();
    let (client, server) = contexts.build();
    let client = Stream::connect(&client, contexts.name(), near).unwrap();
    (client, Stream::accept(&server, far))
}

/// A pair of one version that has shaken hands.
pub(crate) fn open_pair(
    version: ProtocolVersion,
    settings: Settings,
) -> (Stream<Memory>, Stream<Memory>) {
    let (client, server) = pair(&Contexts::new().version(version).settings(settings));
    let (mut client, mut server) = (End::of(client), End::of(server));
    client.tasks([Task::Handshake]);
    server.tasks([Task::Handshake]);
    run(&mut client, &mut server);
    // The tickets of TLS 1.3.
    assert_eq!(client.stream.read(&mut [0; 8]).unwrap(), Read::NeedRead);
    (client.stream, server.stream)
}

/// One thing that an end has to get done.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    Handshake,
    Write(Vec<u8>),
    /// Reads until so many bytes have arrived in all.
    ReadUntil(usize),
    /// Reads until close_notify.
    ReadEnd,
    /// Sends close_notify.
    Close,
    /// Repeats `shutdown` until both sides have closed.
    Complete,
}

/// A stream and what is left for it to do.
pub(crate) struct End {
    pub(crate) stream: Stream<Memory>,
    pub(crate) received: Vec<u8>,
    /// How often the transport failed.
    pub(crate) failures: usize,
    tasks: VecDeque<Task>,
}

impl End {
    pub(crate) fn of(stream: Stream<Memory>) -> Self {
        Self {
            stream,
            received: Vec::new(),
            failures: 0,
            tasks: VecDeque::new(),
        }
    }

    pub(crate) fn tasks(&mut self, tasks: impl IntoIterator<Item = Task>) {
        self.tasks.extend(tasks);
    }

    /// Works until the transport would block or fails.
    fn poll(&mut self) {
        while let Some(task) = self.tasks.front().cloned() {
            match self.perform(&task) {
                Ok(true) => drop(self.tasks.pop_front()),
                Ok(false) => return,
                Err(Error::Transport(_)) => {
                    self.failures += 1;
                    return;
                }
                Err(Error::Tls(error)) => panic!("{task:?}: {error}"),
            }
        }
    }

    /// Makes one call. Whether the task is done.
    fn perform(&mut self, task: &Task) -> Result<bool, Error> {
        match task {
            Task::Handshake => Ok(self.stream.handshake()? == Handshake::Complete),
            // A clone stands at another address each time.
            Task::Write(bytes) => match self.stream.write(&bytes.clone())? {
                Write::Written(n) => Ok(n == bytes.len()),
                Write::NeedRead | Write::NeedWrite => Ok(false),
            },
            Task::ReadUntil(len) => {
                while self.received.len() < *len {
                    if !self.read()? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Task::ReadEnd => {
                while self.read()? {}
                let mut byte = [0];
                Ok(self.stream.read(&mut byte)? == Read::Closed)
            }
            Task::Close => Ok(matches!(
                self.stream.shutdown()?,
                Shutdown::Sent | Shutdown::Complete
            )),
            Task::Complete => Ok(self.stream.shutdown()? == Shutdown::Complete),
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
}

/// Lets both ends work in turn until they are done.
///
/// # Panics
/// If neither gets anywhere.
pub(crate) fn run(client: &mut End, server: &mut End) {
    for _ in 0..1_000_000 {
        client.poll();
        server.poll();
        if client.tasks.is_empty() && server.tasks.is_empty() {
            return;
        }
    }
    panic!("stuck: {:?} {:?}", client.tasks, server.tasks);
}

/// So many bytes, with a period that divides no record's size.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}
