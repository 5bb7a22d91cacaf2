//! `TlsSource` of `offwire-mio` as a client, under a real `Poll`, and OpenSSL's `s_server`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::io::Write as _;

use mio::net::TcpStream;
use mio::{Events, Poll, Token};
use offwire::{KeyUpdate, ProtocolVersion, Read, Settings, Shutdown, Write};
use offwire_interop::{Openssl, PATIENCE, VERSIONS, Worker, payload, start_silent_server};
use offwire_mio::TlsSource;
use offwire_testkit::Contexts;

/// A source and the poll that watches it.
struct Watched {
    source: TlsSource<TcpStream>,
    poll: Poll,
    events: Events,
}

impl Watched {
    fn new(mut source: TlsSource<TcpStream>) -> Self {
        let (poll, events) = (Poll::new().unwrap(), Events::with_capacity(8));
        let _ = source.handshake().unwrap();
        source.register(poll.registry(), Token(0)).unwrap();
        Self {
            source,
            poll,
            events,
        }
    }

    /// Calls `verb` until it is done, with a wait for an event before each repetition.
    fn until<A>(&mut self, mut verb: impl FnMut(&mut TlsSource<TcpStream>) -> Option<A>) -> A {
        loop {
            if let Some(done) = verb(&mut self.source) {
                return done;
            }
            let registry = self.poll.registry();
            self.source.reregister(registry, Token(0)).unwrap();
            self.poll.poll(&mut self.events, Some(PATIENCE)).unwrap();
            assert!(!self.events.is_empty(), "nothing moves: {:?}", self.source);
        }
    }

    fn write_all(&mut self, bytes: &[u8]) {
        self.until(|source| match source.write(bytes).unwrap() {
            Write::Written(n) => {
                assert_eq!(n, bytes.len());
                Some(())
            }
            Write::NeedRead | Write::NeedWrite => None,
        });
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        self.until(|source| match source.read(buffer).unwrap() {
            Read::Read(n) => Some(n),
            Read::NeedRead | Read::NeedWrite => None,
            outcome @ (Read::Closed | Read::Truncated) => panic!("{outcome:?}"),
        })
    }
}

#[test]
fn a_source_exchanges_bulk_with_s_server_and_closes() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let (mut process, stdout, socket) = start_silent_server(|address| {
            let mut command = openssl.server(version, address);
            command.args(["-quiet", "-naccept", "1"]);
            command
        });
        socket.set_nonblocking(true).unwrap();
        let settings = Settings::default().incoming_limit(0).outgoing_limit(0);
        let contexts = Contexts::new().version(version).settings(settings);
        let socket = TcpStream::from_std(socket);
        let source = TlsSource::connect(&contexts.build().0, contexts.name(), socket).unwrap();
        let mut client = Watched::new(source);

        let draining = Worker::start("reading s_server's stdout", move || payload::drain(stdout));
        let sent = payload::pour(7, |chunk| {
            client.write_all(chunk);
            Ok(())
        });
        assert_eq!(draining.finish().unwrap(), sent.unwrap(), "{version}");
        assert!(client.source.engine().stats().need_writes > 0);

        if version == ProtocolVersion::Tls13 {
            let engine = client.source.engine_mut();
            engine.key_update(KeyUpdate::Both).unwrap();
            client.write_all(b"under a new key");
        }
        let mut stdin = process.take_stdin();
        let pouring = Worker::start("filling s_server's stdin", move || {
            let sent = payload::pour(8, |chunk| stdin.write_all(chunk));
            (sent.unwrap(), stdin) // not closed before the end
        });
        let mut sink = payload::Sink::new();
        let mut buffer = [0; 16_385];
        while !sink.is_full() {
            let n = client.read(&mut buffer);
            sink.take(&buffer[..n]);
        }
        let (sent, _stdin) = pouring.finish();
        assert_eq!(sink.summary(), sent, "{version}");
        let received = client.source.engine().stats().key_updates_received;
        assert_eq!(received > 0, version == ProtocolVersion::Tls13);

        // s_server answers close_notify with its own.
        client.until(|source| match source.shutdown().unwrap() {
            Shutdown::Complete => Some(()),
            Shutdown::NeedWrite | Shutdown::Sent => None,
            Shutdown::Truncated => panic!("without close_notify"),
        });
    }
}
