//! Facts S8, S16 to S18, H15 and E11: what the transport does; differences X13 and X14.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::ErrorKind;

use offwire::{Handshake, HandshakeKind, ProtocolVersion, Read, Settings, Shutdown, Write};
use offwire_contract::{
    VERSIONS, connected_with, noise, quiet, read_outcome, received, sent, waiting,
};
use offwire_stream::{Error, Stream};
use offwire_testkit::transport::{Fault, Memory};
use offwire_testkit::{Pair, Side};

/// A client and a server over transports in memory, their handshakes complete.
fn open_streams(version: ProtocolVersion) -> (Stream<Memory>, Stream<Memory>) {
    let contexts = quiet(version);
    let (client, server) = contexts.build();
    let near = Memory::default();
    let far = near.opposite();
    let mut client = Stream::connect(&client, contexts.name(), near).unwrap();
    let mut server = Stream::accept(&server, far);
    let flights = 3;
    for _ in 0..flights {
        let _ = client.handshake().unwrap();
        let _ = server.handshake().unwrap();
    }
    assert_eq!(client.handshake().unwrap(), Handshake::Complete);
    assert_eq!(server.handshake().unwrap(), Handshake::Complete);
    (client, server)
}

#[test]
fn s8_x13_a_truncation_is_told_to_our_caller_and_no_alert_is_emitted() {
    for version in VERSIONS {
        for side in Side::BOTH {
            let mut pair = connected_with(version, Settings::default());
            let engine = pair.engine(side);
            engine.feed_eof();
            for _ in 0..2 {
                assert_eq!(read_outcome(engine), Ok(Read::Truncated));
                assert_eq!(engine.outgoing(), b"");
            }
            // Truncation closes one half only: nothing is dead.
            assert_eq!(engine.write(b"data"), Ok(Write::Written(4)));
            assert_eq!(engine.shutdown(), Ok(Shutdown::NeedWrite));
        }
    }
}

#[test]
fn s16_no_bytes_yet_is_need_read_and_only_a_reported_end_is_truncation() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        for _ in 0..3 {
            assert_eq!(pair.client.feed(b""), 0);
            assert_eq!(read_outcome(&mut pair.client), Ok(Read::NeedRead));
        }
        assert_eq!(pair.exchange(Side::Server, b"data"), b"data");
        pair.client.feed_eof();
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Truncated));
    }
}

#[test]
fn s17_x14_a_transport_that_takes_nothing_any_more_kills_nothing() {
    for version in VERSIONS {
        let mut pair = connected_with(version, sent());
        let plaintext = noise(100_000);
        assert_eq!(pair.client.write(&plaintext), Ok(Write::NeedWrite));
        let outgoing = waiting(&pair.client);
        // Nothing leaves, whatever is asked meanwhile; what the peer sends is read as ever.
        for _ in 0..3 {
            assert_eq!(pair.client.write(&plaintext), Ok(Write::NeedWrite));
            assert_eq!(waiting(&pair.client), outgoing);
            assert_eq!(pair.server.write(b"data"), Ok(Write::NeedWrite));
            pair.settle_towards(Side::Client);
            assert_eq!(pair.server.write(b"data"), Ok(Write::Written(4)));
            assert_eq!(received(&mut pair.client), b"data");
        }
        // A transport that recovers finds everything as it was.
        assert_eq!(pair.exchange(Side::Client, &plaintext), plaintext);
    }
}

#[test]
fn s17_x14_a_transport_whose_writes_fail_kills_nothing() {
    for version in VERSIONS {
        let (mut client, mut server) = open_streams(version);
        let whole = noise(1_000);
        let mut buffer = vec![0; 2_000];
        // The transport takes nothing, then a part of the record, and fails behind it.
        for part in [0, 500, 1] {
            let broken = |call, part| match (call, part) {
                (0, 1..) => Fault::Short(part),
                _ => Fault::Fails(ErrorKind::BrokenPipe),
            };
            client.transport_mut().fail(broken, part);
            let error = client.write(&whole).unwrap_err();
            assert!(matches!(error, Error::Transport(_)), "{error:?}");
            // What the peer sends is read as ever, and what it was sent in part is no end.
            client.transport_mut().fail(|_, _| Fault::None, 0);
            assert_eq!(server.write(b"still here").unwrap(), Write::Written(10));
            assert_eq!(client.read(&mut buffer).unwrap(), Read::Read(10));
            assert_eq!(buffer[..10], *b"still here");
            assert_eq!(server.read(&mut buffer).unwrap(), Read::NeedRead);
        }
        // A transport that recovers finds everything as it was, and each byte leaves once.
        assert_eq!(client.write(&whole).unwrap(), Write::Written(1_000));
        assert_eq!(server.read(&mut buffer).unwrap(), Read::Read(1_000));
        assert_eq!(buffer[..1_000], whole);
        assert_eq!(server.read(&mut buffer).unwrap(), Read::NeedRead);
    }
}

#[test]
fn s18_x14_a_transport_whose_reads_fail_kills_nothing() {
    for version in VERSIONS {
        let (mut client, mut server) = open_streams(version);
        let whole = noise(1_000);
        let mut buffer = vec![0; 2_000];
        assert_eq!(server.write(&whole).unwrap(), Write::Written(1_000));
        let rest = server
            .transport()
            .outgoing
            .bytes
            .borrow_mut()
            .split_off(500);
        assert_eq!(client.read(&mut buffer).unwrap(), Read::NeedRead);
        // Reads fail in the middle of a record; writes go on, and nothing is taken for an end.
        for _ in 0..3 {
            let reset = |_, _| Fault::Fails(ErrorKind::ConnectionReset);
            client.transport_mut().fail(reset, 0);
            let error = client.read(&mut buffer).unwrap_err();
            assert!(matches!(error, Error::Transport(_)), "{error:?}");
            client.transport_mut().fail(|_, _| Fault::None, 0);
            assert_eq!(client.write(b"still here").unwrap(), Write::Written(10));
        }
        // A transport that recovers finds everything as it was.
        server.transport().outgoing.bytes.borrow_mut().extend(rest);
        assert_eq!(client.read(&mut buffer).unwrap(), Read::Read(1_000));
        assert_eq!(buffer[..1_000], whole);
        for _ in 0..3 {
            assert_eq!(server.read(&mut buffer).unwrap(), Read::Read(10));
            assert_eq!(buffer[..10], *b"still here");
        }
    }
}

#[test]
fn e11_a_connection_that_was_dropped_without_shutdown_can_be_resumed() {
    // RFC 5246 section 7.2.1: "failure to properly close a connection no longer requires that a
    // session not be resumed".
    for version in VERSIONS {
        let contexts = quiet(version).tickets(2);
        let (client, server) = contexts.build();
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let mut pair = Pair::new(&client, &server, &contexts);
            assert_eq!(pair.exchange(Side::Server, b"data"), b"data");
            assert_eq!(pair.client.negotiated().unwrap().kind(), expected);
            assert_eq!(pair.server.negotiated().unwrap().kind(), expected);
            drop(pair);
        }
    }
}

#[test]
fn h15_a_transport_that_is_not_there_yet_is_waited_for() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version));
        assert_eq!(pair.client.write(b"hello"), Ok(Write::NeedWrite));
        let hello = pair.client.outgoing().to_vec();
        for _ in 0..3 {
            assert_eq!(pair.client.write(b"hello"), Ok(Write::NeedWrite));
            assert_eq!(pair.client.outgoing(), hello);
            assert_eq!(pair.server.write(b"hello"), Ok(Write::NeedRead));
        }
        assert_eq!(pair.exchange(Side::Client, b"hello"), b"hello");
    }
}
