//! Transports that end or fail anywhere: after every byte, at every call, within a record.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

extern crate alloc;

mod support;

use core::cell::Cell;
use std::io::{self, ErrorKind};

use offwire::rustls::NamedGroup;
use offwire::{Error as Tls, Handshake, Peer, ProtocolVersion, Read, Settings, Shutdown, Write};
use offwire_bio::{BioHalf, BioPair, Reading, Writing};
use offwire_stream::{Error, Stream};
use offwire_testkit::{Contexts, Kind, Random, Side};

use support::{End, Task, VERSIONS, open_pair, pattern, run, streams};

/// Moves up to `most` bytes from one half to another, in place on both sides.
fn relay(from: &mut BioHalf, to: &mut BioHalf, most: usize) -> usize {
    let mut moved = 0;
    while moved < most {
        let run = from.nread(|bytes| {
            let offered = &bytes[..bytes.len().min(most - moved)];
            match to.try_write(offered) {
                Writing::Written(n) => Ok(n),
                full @ (Writing::Full | Writing::Shut) => Err(full),
            }
        });
        match run {
            Ok(Reading::Read(n)) => moved += n,
            Ok(Reading::Empty | Reading::End) | Err(_) => break,
        }
    }
    moved
}

/// What the side that is cut off has seen of the other.
#[derive(Debug, PartialEq)]
enum Seen {
    HandshakeCutOff,
    Truncated(Vec<u8>),
    Closed(Vec<u8>),
}

/// The words of the side whose bytes are cut, and where its direction ends.
const WORDS: &[u8] = b"two words";

/// Reads all there is.
fn look(stream: &mut Stream<BioHalf>, received: &mut Vec<u8>) -> Option<Seen> {
    let mut buffer = [0; 64];
    loop {
        match stream.read(&mut buffer) {
            Ok(Read::Read(n)) => received.extend(&buffer[..n]),
            Ok(Read::NeedRead | Read::NeedWrite) => return None,
            Ok(Read::Closed) => return Some(Seen::Closed(received.clone())),
            Ok(Read::Truncated) => return Some(Seen::Truncated(received.clone())),
            Err(Error::Tls(Tls::Peer(Peer::HandshakeTruncated))) => {
                return Some(Seen::HandshakeCutOff);
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Lets the talker handshake, speak and close, and ends its direction after `limit` bytes. Returns
/// what the listener saw, and how many bytes the talker had sent.
fn cut_after(
    limit: usize,
    mut talker: Stream<BioHalf>,
    mut listener: Stream<BioHalf>,
    [mut near, mut far]: [BioHalf; 2],
) -> (Seen, usize) {
    let (mut sent, mut received, mut said) = (0, Vec::new(), false);
    for _ in 0..20 {
        if !said {
            said = matches!(talker.write(WORDS), Ok(Write::Written(_)));
        }
        if said {
            let _ = talker.shutdown();
        }
        sent += relay(&mut near, &mut far, limit - sent);
        if sent == limit {
            far.shutdown_write();
        }
        if let Some(seen) = look(&mut listener, &mut received) {
            return (seen, sent);
        }
        relay(&mut far, &mut near, usize::MAX);
    }
    panic!("neither words nor an end after {limit} bytes");
}

fn short_handshake(version: ProtocolVersion) -> Contexts {
    Contexts::new()
        .version(version)
        .certificate(Kind::Ed25519)
        .group(NamedGroup::X25519)
        .tickets(0)
}

#[test]
fn s8_an_end_after_every_byte_is_a_truncation_but_behind_close_notify() {
    for version in VERSIONS {
        let contexts = short_handshake(version);
        for talker_role in [Side::Client, Side::Server] {
            let attempt = |limit| {
                // Contexts of its own: a resumed session is shorter.
                let (client_context, server_context) = contexts.build();
                let BioPair { a, b: near } = BioPair::new(0, 0);
                let BioPair { a: far, b } = BioPair::new(0, 0);
                let connect = |half| Stream::connect(&client_context, contexts.name(), half);
                let accept = |half| Stream::accept(&server_context, half);
                let (talker, listener) = match talker_role {
                    Side::Client => (connect(a).unwrap(), accept(b)),
                    Side::Server => (accept(a), connect(b).unwrap()),
                };
                cut_after(limit, talker, listener, [near, far])
            };
            let (seen, whole) = attempt(usize::MAX);
            assert_eq!(seen, Seen::Closed(WORDS.to_vec()));
            let mut stages = [0; 3];
            for limit in 0..whole {
                match attempt(limit).0 {
                    Seen::HandshakeCutOff => stages[0] += 1,
                    Seen::Truncated(bytes) if bytes.is_empty() => stages[1] += 1,
                    Seen::Truncated(bytes) if bytes == WORDS => stages[2] += 1,
                    seen @ (Seen::Truncated(_) | Seen::Closed(_)) => {
                        panic!("{version}: {seen:?} after {limit} of {whole} bytes")
                    }
                }
            }
            // The record of nine bytes, then close_notify, each with its overhead.
            let overhead = if version == ProtocolVersion::Tls13 {
                22
            } else {
                29
            };
            assert_eq!(stages[1..], [overhead + 9, overhead + 2], "{version}");
            assert_eq!(attempt(whole).0, Seen::Closed(WORDS.to_vec()));
        }
    }
}

#[test]
fn a_transport_that_breaks_at_every_byte_of_a_record_fails_the_write_for_good() {
    for version in VERSIONS {
        for room in 1..60 {
            let (mut client, mut server) = open_pair(version, Settings::default(), room);
            let plaintext = pattern(100);
            assert_eq!(client.write(&plaintext).unwrap(), Write::NeedWrite);
            assert_eq!(server.read(&mut [0; 200]).unwrap(), Read::NeedRead);
            drop(server);
            for _ in 0..3 {
                let error = client.write(&plaintext).unwrap_err();
                assert!(
                    matches!(&error, Error::Transport(e) if e.kind() == ErrorKind::BrokenPipe),
                    "{error:?}"
                );
            }
            assert_eq!(client.read(&mut [0; 8]).unwrap(), Read::Truncated);
            assert!(matches!(client.shutdown(), Err(Error::Transport(_))));
        }
    }
}

#[test]
fn s10_an_end_behind_close_notify_leaves_the_other_half_open() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default(), 0);
        assert_eq!(server.shutdown().unwrap(), Shutdown::Sent);
        server.transport_mut().shutdown_write();
        assert_eq!(client.read(&mut [0; 8]).unwrap(), Read::Closed);
        assert_eq!(client.write(b"hello").unwrap(), Write::Written(5));
        assert_eq!(client.shutdown().unwrap(), Shutdown::Complete);
        assert_eq!(server.read(&mut [0; 8]).unwrap(), Read::Read(5));
        assert_eq!(server.read(&mut [0; 8]).unwrap(), Read::Closed);
    }
}

/// What a call on a transport does instead of its work.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Fails(ErrorKind),
    /// Moves at most so many bytes.
    Short(usize),
}

/// A half that faults at one of its calls, or at half of them.
#[derive(Debug)]
struct Faulty {
    half: BioHalf,
    calls: Cell<usize>,
    at: At,
    fault: Fault,
}

/// Which calls fault.
#[derive(Clone, Copy, Debug)]
enum At {
    Never,
    Call(usize),
    HalfOfThem,
}

impl Faulty {
    fn of(half: BioHalf) -> Self {
        let (calls, at, fault) = (Cell::new(0), At::Never, Fault::Short(0));
        Self {
            half,
            calls,
            at,
            fault,
        }
    }

    /// How many bytes this call may move.
    fn most(&self, len: usize) -> io::Result<usize> {
        let call = self.calls.replace(self.calls.get() + 1);
        let hit = match self.at {
            At::Never => false,
            At::Call(at) => at == call,
            At::HalfOfThem => Random::new(call as u64).below(2) == 0,
        };
        match (hit, self.fault) {
            (false, _) => Ok(len),
            (true, Fault::Fails(kind)) => Err(kind.into()),
            (true, Fault::Short(most)) => Ok(most.min(len)),
        }
    }
}

impl io::Read for Faulty {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = self.most(into.len())?;
        self.half.try_read(&mut into[..most]).into()
    }
}

impl io::Write for Faulty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = self.most(bytes.len())?;
        self.half.try_write(&bytes[..most]).into()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.most(0).map(drop)
    }
}

/// Holds a session in which one transport faults; returns its calls and the errors that came out.
fn session(
    contexts: &Contexts,
    capacity: usize,
    faulty: usize,
    at: At,
    fault: Fault,
) -> (usize, usize) {
    let BioPair { a, b } = BioPair::new(capacity, capacity);
    let mut transports = [Faulty::of(a), Faulty::of(b)];
    (transports[faulty].at, transports[faulty].fault) = (at, fault);
    let [client, server] = transports;
    let (client, server) = streams(contexts, client, server);
    let (mut client, mut server) = (End::of(client), End::of(server));
    let (up, down) = (pattern(9_000), pattern(20_000));
    client.tasks([
        Task::Handshake,
        Task::Write(up.clone(), 5_000),
        Task::ReadUntil(down.len()),
        Task::Close,
        Task::ReadEnd,
    ]);
    server.tasks([
        Task::ReadUntil(up.len()),
        Task::Write(down.clone(), usize::MAX),
        Task::ReadEnd,
        Task::Close,
    ]);
    run(&mut client, &mut server);
    assert!(
        server.received == up && client.received == down,
        "wrong bytes"
    );
    assert_eq!(client.stream.engine().stats().plaintext_sealed, 9_000);
    assert_eq!(server.stream.engine().stats().plaintext_sealed, 20_000);
    let end = [client, server].into_iter().nth(faulty).unwrap();
    (end.stream.transport().calls.get(), end.failures)
}

/// The same fault at each call of a session, of either role. Returns how many sessions there were,
/// and in how many of them it showed.
fn at_every_call(fault: Fault) -> (usize, usize) {
    let (mut sessions, mut shown) = (0, 0);
    for version in VERSIONS {
        let contexts = Contexts::new().version(version);
        for faulty in [0, 1] {
            let (calls, _) = session(&contexts, 4_096, faulty, At::Never, fault);
            assert!(calls > 25, "{calls} calls are no session");
            for call in 0..calls {
                let (_, failures) = session(&contexts, 4_096, faulty, At::Call(call), fault);
                assert!(failures <= 1, "{version} {faulty} call {call}: {failures}");
                sessions += 1;
                shown += failures;
            }
            for capacity in [100, 4_096] {
                session(&contexts, capacity, faulty, At::HalfOfThem, fault);
            }
        }
    }
    (sessions, shown)
}

#[test]
fn would_block_at_every_call() {
    assert_eq!(at_every_call(Fault::Fails(ErrorKind::WouldBlock)).1, 0);
}

#[test]
fn interrupted_at_every_call() {
    assert_eq!(at_every_call(Fault::Fails(ErrorKind::Interrupted)).1, 0);
}

#[test]
fn an_error_at_every_call_comes_out_at_most_once_and_the_call_can_be_repeated() {
    // A read does not report that what it sends on the side could not leave.
    let (sessions, shown) = at_every_call(Fault::Fails(ErrorKind::ConnectionReset));
    assert!(shown > sessions / 2, "{shown} of {sessions}");
}

#[test]
fn one_byte_at_every_call() {
    assert_eq!(at_every_call(Fault::Short(1)).1, 0);
}

#[test]
fn an_unfinished_handshake_waits_at_every_call() {
    let BioPair { a, b } = BioPair::new(0, 0);
    let (mut client, server) = streams(&Contexts::new(), a, b);
    for _ in 0..3 {
        assert_eq!(client.handshake().unwrap(), Handshake::NeedRead);
        assert_eq!(client.write(b"x").unwrap(), Write::NeedRead);
        assert_eq!(client.read(&mut [0]).unwrap(), Read::NeedRead);
    }
    assert!(server.transport().pending() > 0);
}
