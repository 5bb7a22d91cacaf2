//! Streams over the test kit's transports in memory, and the session that is held over them.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

pub(crate) mod duplex;
pub(crate) mod pipe;

use alloc::collections::VecDeque;
use std::io::{self, Read, Write};

use offwire::ProtocolVersion;
use offwire_blocking::{CloseNotify, TlsStream};
use offwire_testkit::Contexts;
use offwire_testkit::transport::Memory;

/// Both protocol versions.
pub(crate) const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// A client and a server whose transports are each other's; no handshake yet.
pub(crate) fn pair(contexts: &Contexts) -> (TlsStream<Memory>, TlsStream<Memory>) {
    let near = Memory::default();
    let far = near.opposite();
    let (client, server) = contexts.build();
    let client = TlsStream::connect_lazy(&client, contexts.name(), near).unwrap();
    (client, TlsStream::accept_lazy(&server, far))
}

/// A pair that has shaken hands, with nothing on its way.
pub(crate) fn open_pair(version: ProtocolVersion) -> (TlsStream<Memory>, TlsStream<Memory>) {
    let (client, server) = pair(&Contexts::new().version(version));
    let (mut client, mut server) = (End::of(client), End::of(server));
    client.tasks([Task::Handshake]);
    server.tasks([Task::Handshake]);
    run(&mut client, &mut server);
    // The tickets of TLS 1.3.
    assert!(is_limit(&client.stream.read(&mut [0; 8]).unwrap_err()));
    (client.stream, server.stream)
}

/// One thing that an end has to get done.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    Handshake,
    /// Writes what is left of these bytes.
    Write(Vec<u8>),
    Flush,
    /// Reads until so many bytes have arrived in all.
    ReadUntil(usize),
    /// Reads until close_notify.
    ReadEnd,
    /// `shutdown`.
    Close(CloseNotify),
}

/// A stream and what is left for it to do.
pub(crate) struct End {
    pub(crate) stream: TlsStream<Memory>,
    pub(crate) received: Vec<u8>,
    /// How often a call failed, but for [`io::ErrorKind::WouldBlock`].
    pub(crate) failures: usize,
    tasks: VecDeque<Task>,
}

impl End {
    pub(crate) fn of(stream: TlsStream<Memory>) -> Self {
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

    pub(crate) fn is_done(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Works until a call fails, which it returns.
    pub(crate) fn poll(&mut self) -> io::Result<()> {
        while let Some(mut task) = self.tasks.pop_front() {
            if let Err(error) = self.perform(&mut task) {
                self.tasks.push_front(task);
                return Err(error);
            }
        }
        Ok(())
    }

    fn perform(&mut self, task: &mut Task) -> io::Result<()> {
        match task {
            Task::Handshake => self.stream.handshake(),
            Task::Write(bytes) => {
                while !bytes.is_empty() {
                    let n = self.stream.write(bytes)?;
                    bytes.drain(..n);
                }
                Ok(())
            }
            Task::Flush => self.stream.flush(),
            Task::ReadUntil(len) => {
                while self.received.len() < *len {
                    assert!(self.read()? > 0, "an early end");
                }
                Ok(())
            }
            Task::ReadEnd => {
                while self.read()? > 0 {}
                Ok(())
            }
            Task::Close(until) => {
                assert_eq!(self.stream.shutdown(*until)?, *until);
                Ok(())
            }
        }
    }

    fn read(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 5_000];
        let n = self.stream.read(&mut buffer)?;
        self.received.extend(&buffer[..n]);
        Ok(n)
    }
}

/// Lets both ends work in turn until they are done.
///
/// # Panics
/// If neither gets anywhere, or TLS fails.
pub(crate) fn run(client: &mut End, server: &mut End) {
    for _ in 0..1_000_000 {
        for end in [&mut *client, &mut *server] {
            if let Err(error) = end.poll() {
                let tls = offwire_blocking::tls_error(&error);
                assert!(tls.is_none(), "{:?}: {error}", end.tasks);
                if error.kind() != io::ErrorKind::WouldBlock {
                    end.failures += 1;
                }
            }
        }
        if client.is_done() && server.is_done() {
            return;
        }
    }
    panic!("stuck: {:?} {:?}", client.tasks, server.tasks);
}

/// Whether a time limit has struck.
pub(crate) fn is_limit(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// So many bytes, with a period that divides no record's size.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}
