//! Real sockets and a real poll.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use core::time::Duration;
use std::io::ErrorKind;
use std::net;

use mio::net::TcpStream;
use mio::{Events, Poll, Token};
use offwire::{Handshake, ProtocolVersion, Read, Settings, Shutdown, Write};
use offwire_mio::{Error, TlsSource};
use offwire_testkit::Contexts;

/// How long nothing may happen. Not a limit of the whole: only a stall waits for it.
const WATCHDOG: Duration = Duration::from_secs(30);

/// What passes each way.
const BULK: usize = 64 << 20;

/// The length of one write: not a whole number of records.
const BLOCK: usize = 40_000;

const PERIOD: usize = 251;

/// One end: how much it has sent and read, of a pattern that both know.
struct End {
    source: TlsSource<TcpStream>,
    sent: usize,
    received: usize,
    shutdown: Shutdown,
}

impl End {
    fn new(source: TlsSource<TcpStream>) -> Self {
        Self {
            source,
            sent: 0,
            received: 0,
            shutdown: Shutdown::NeedWrite,
        }
    }

    fn on_event(&mut self, pattern: &[u8], buffer: &mut [u8]) {
        while self.sent < BULK {
            let block = BLOCK.min(BULK - self.sent);
            match self
                .source
                .write(&pattern[self.sent % PERIOD..][..block])
                .unwrap()
            {
                Write::Written(n) => self.sent += n,
                Write::NeedRead | Write::NeedWrite => break,
            }
        }
        while self.received < BULK {
            match self.source.read(buffer).unwrap() {
                Read::Read(n) => {
                    let expected = &pattern[self.received % PERIOD..][..n];
                    assert!(
                        buffer[..n] == *expected,
                        "wrong byte behind {}",
                        self.received
                    );
                    self.received += n;
                }
                Read::NeedRead | Read::NeedWrite => return,
                Read::Closed | Read::Truncated => panic!("closed after {}", self.received),
            }
        }
        if self.sent == BULK {
            self.shutdown = self.source.shutdown().unwrap();
            if self.shutdown == Shutdown::Sent {
                self.shutdown = self.source.shutdown().unwrap();
            }
        }
    }
}

/// A connected pair with little room in the sockets.
fn sockets() -> (TcpStream, TcpStream) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let near = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    for socket in [&near, &far] {
        socket.set_nonblocking(true).unwrap();
        socket.set_nodelay(true).unwrap();
        #[cfg(unix)]
        rustix::net::sockopt::set_socket_send_buffer_size(socket, 8_192).unwrap();
    }
    (TcpStream::from_std(near), TcpStream::from_std(far))
}

#[test]
fn bulk_both_ways_through_the_smallest_buffers_does_not_stall() {
    let pattern: Vec<u8> = (0..=250).cycle().take(BLOCK + PERIOD).collect();
    let mut buffer = vec![0; 1 << 14];
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let settings = Settings::default().incoming_limit(0).outgoing_limit(0);
        let contexts = Contexts::new().version(version).settings(settings);
        let (client, server) = contexts.build();
        let (near, far) = sockets();
        let client = TlsSource::connect(&client, contexts.name(), near).unwrap();
        let mut ends = [End::new(client), End::new(TlsSource::accept(&server, far))];

        let (mut poll, mut events) = (Poll::new().unwrap(), Events::with_capacity(8));
        for (number, end) in ends.iter_mut().enumerate() {
            end.on_event(&pattern, &mut buffer);
            end.source.register(poll.registry(), Token(number)).unwrap();
        }
        while ends.iter().any(|end| end.shutdown != Shutdown::Complete) {
            poll.poll(&mut events, Some(WATCHDOG)).unwrap();
            let [client, server] = ends.each_ref().map(|end| (end.sent, end.received));
            assert!(
                !events.is_empty(),
                "{version} stalled: {client:?} {server:?}"
            );
            for event in &events {
                let end = &mut ends[event.token().0];
                end.on_event(&pattern, &mut buffer);
                end.source
                    .reregister(poll.registry(), event.token())
                    .unwrap();
            }
        }
        for end in &ends {
            assert_eq!((end.sent, end.received), (BULK, BULK));
            assert!(
                end.source.engine().stats().need_writes > 100,
                "it was never blocked"
            );
        }
    }
}

#[test]
fn a_connection_that_is_refused_says_so_on_its_first_event() {
    // Nobody listens there any more.
    let nobody = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let contexts = Contexts::new();
    let socket = TcpStream::connect(address).unwrap();
    let mut source = TlsSource::connect(&contexts.build().0, contexts.name(), socket).unwrap();

    let (mut poll, mut events) = (Poll::new().unwrap(), Events::with_capacity(8));
    match source.handshake() {
        Ok(Handshake::NeedWrite) => {}
        Err(Error::Transport(error)) if error.kind() == ErrorKind::ConnectionRefused => return,
        other => panic!("{other:?}"),
    }
    source.register(poll.registry(), Token(0)).unwrap();
    poll.poll(&mut events, Some(WATCHDOG)).unwrap();
    assert!(!events.is_empty());
    let error = source.handshake().unwrap_err();
    assert!(
        matches!(&error, Error::Transport(error) if error.kind() == ErrorKind::ConnectionRefused),
        "{error:?}"
    );
}
