//! Sessions of the three adapters over ring, in every suite: an adapter takes the engine with the
//! features that its user chose.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread;

use mio::{Events, Poll, Token};
use offwire::rustls::crypto::ring::ALL_CIPHER_SUITES;
use offwire::rustls::pki_types::ServerName;
use offwire::{Read, Shutdown, Write};
use offwire_blocking::{CloseNotify, TlsStream};
use offwire_mio::TlsSource;
use offwire_ring::{Contexts, Key, contexts};
use offwire_stream::Stream;

/// Bytes that pass each way: more than a socket holds.
const BULK: usize = 500_000;

/// How long nothing may happen in a poll. Only a stall waits for it.
const WATCHDOG: Duration = Duration::from_secs(60);

/// Runs a session in each suite, which returns what arrived at the server and at the client, each of
/// which is to be the plaintext it was given.
fn in_every_suite(session: impl Fn(&Contexts, &[u8]) -> [Vec<u8>; 2]) {
    let plaintext: Vec<u8> = (0_u8..251).cycle().take(BULK).collect();
    assert_eq!(ALL_CIPHER_SUITES.len(), 9);
    for suite in ALL_CIPHER_SUITES {
        let key = if Key::Rsa.serves(*suite) {
            Key::Rsa
        } else {
            Key::Ecdsa
        };
        for arrived in session(&contexts(*suite, key), &plaintext) {
            assert!(arrived == plaintext, "{suite:?}");
        }
    }
}

fn name() -> ServerName<'static> {
    "localhost".try_into().unwrap()
}

#[test]
fn a_blocking_session_carries_data_both_ways_and_closes() {
    in_every_suite(|contexts, plaintext| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let server = contexts.server.clone();
        let echo = thread::spawn(move || {
            let mut server = TlsStream::accept(&server, theirs).unwrap();
            let mut received = Vec::new();
            server.read_to_end(&mut received).unwrap();
            server.write_all(&received).unwrap();
            assert_eq!(
                server.shutdown(CloseNotify::Both).unwrap(),
                CloseNotify::Both
            );
            received
        });
        let mut client = TlsStream::connect(&contexts.client, name(), ours).unwrap();
        client.write_all(plaintext).unwrap();
        assert_eq!(
            client.shutdown(CloseNotify::Ours).unwrap(),
            CloseNotify::Ours
        );
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        [echo.join().unwrap(), received]
    });
}

#[test]
fn a_stream_carries_data_both_ways_and_closes() {
    in_every_suite(|contexts, plaintext| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut server = Stream::accept(&contexts.server, theirs);
        let echo = thread::spawn(move || {
            let received = read_to_end(&mut server);
            let written = server.write(&received).unwrap();
            assert_eq!(written, Write::Written(received.len()));
            assert_eq!(server.shutdown().unwrap(), Shutdown::Complete);
            received
        });
        let mut client = Stream::connect(&contexts.client, name(), ours).unwrap();
        let written = client.write(plaintext).unwrap();
        assert_eq!(written, Write::Written(plaintext.len()));
        assert_eq!(client.shutdown().unwrap(), Shutdown::Sent);
        let received = read_to_end(&mut client);
        assert_eq!(client.shutdown().unwrap(), Shutdown::Complete);
        [echo.join().unwrap(), received]
    });
}

/// Reads up to close_notify, over a socket that blocks.
fn read_to_end(stream: &mut Stream<UnixStream>) -> Vec<u8> {
    let (mut received, mut buffer) = (Vec::new(), [0; 17_000]);
    loop {
        match stream.read(&mut buffer).unwrap() {
            Read::Read(n) => received.extend(buffer.iter().take(n)),
            Read::Closed => return received,
            outcome @ (Read::NeedRead | Read::NeedWrite | Read::Truncated) => panic!("{outcome:?}"),
        }
    }
}

#[test]
fn sources_of_a_poll_carry_data_both_ways_at_once_and_close() {
    in_every_suite(|contexts, plaintext| {
        let (ours, theirs) = mio::net::UnixStream::pair().unwrap();
        let client = TlsSource::connect(&contexts.client, name(), ours).unwrap();
        let server = TlsSource::accept(&contexts.server, theirs);
        let mut ends = [server, client].map(End::new);
        let (mut poll, mut events) = (Poll::new().unwrap(), Events::with_capacity(8));
        for (number, end) in ends.iter_mut().enumerate() {
            end.go_on(plaintext);
            end.source.register(poll.registry(), Token(number)).unwrap();
        }
        while ends.iter().any(|end| end.stage != Stage::Complete) {
            poll.poll(&mut events, Some(WATCHDOG)).unwrap();
            assert!(!events.is_empty(), "stalled: {ends:?}");
            for (number, end) in ends.iter_mut().enumerate() {
                end.go_on(plaintext);
                let registry = poll.registry();
                end.source.reregister(registry, Token(number)).unwrap();
            }
        }
        ends.map(|end| end.received)
    });
}

/// One end of a session under a poll.
#[derive(Debug)]
struct End {
    source: TlsSource<mio::net::UnixStream>,
    stage: Stage,
    received: Vec<u8>,
}

/// What an end does beside reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Writing,
    Closing,
    /// Its close_notify has left.
    Closed,
    /// The peer's has come as well.
    Complete,
}

impl End {
    fn new(source: TlsSource<mio::net::UnixStream>) -> Self {
        Self {
            source,
            stage: Stage::Writing,
            received: Vec::new(),
        }
    }

    /// Goes as far as the socket allows.
    fn go_on(&mut self, plaintext: &[u8]) {
        if self.stage == Stage::Writing {
            match self.source.write(plaintext).unwrap() {
                Write::Written(n) => {
                    assert_eq!(n, plaintext.len());
                    self.stage = Stage::Closing;
                }
                Write::NeedRead | Write::NeedWrite => {}
            }
        }
        if self.stage == Stage::Closing && self.source.shutdown().unwrap() != Shutdown::NeedWrite {
            self.stage = Stage::Closed;
        }
        let mut buffer = [0; 17_000];
        loop {
            match self.source.read(&mut buffer).unwrap() {
                Read::Read(n) => self.received.extend(buffer.iter().take(n)),
                Read::NeedRead | Read::NeedWrite => return,
                Read::Closed => break,
                Read::Truncated => panic!("{self:?}"),
            }
        }
        if self.stage == Stage::Closed {
            assert_eq!(self.source.shutdown().unwrap(), Shutdown::Complete);
            self.stage = Stage::Complete;
        }
    }
}
