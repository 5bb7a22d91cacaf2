//! Facts S8, S16 to S18, H15 and E11: what the transport does; differences X13 and X14.

use offwire::{HandshakeKind, Read, Settings, Shutdown, Write};
use offwire_contract::{
    VERSIONS, connected_with, noise, quiet, read, read_outcome, received, sent, waiting,
};
use offwire_testkit::{Pair, Side};

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
fn s18_x14_a_transport_that_delivers_nothing_for_a_while_loses_nothing() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.server.write(&noise(1_000)), Ok(Write::Written(1_000)));
        pair.move_to_client(500);
        for _ in 0..3 {
            assert_eq!(read_outcome(&mut pair.client), Ok(Read::NeedRead));
            assert_eq!(pair.client.write(b"still here"), Ok(Write::Written(10)));
        }
        pair.settle();
        let whole = (Read::Read(1_000), noise(1_000));
        assert_eq!(read(&mut pair.client), Ok(whole));
        assert_eq!(received(&mut pair.server), b"still here".repeat(3));
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
