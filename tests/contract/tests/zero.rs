//! Facts Z1 to Z8: lengths of zero, in every state; difference X10.

use offwire::ProtocolVersion::Tls13;
use offwire::{Alert, Error, Handshake, KeyUpdate, Misuse, Read, Settings, Shutdown, Write};
use offwire_contract::{
    FULL, VERSIONS, connected_with, feed, noise, quiet, raw, read, read_outcome, received, sent,
    take,
};
use offwire_testkit::{ContentType, Pair, Side, messages, records};

#[test]
fn z1_z2_x10_an_empty_write_is_written_and_emits_nothing() {
    for version in VERSIONS {
        for settings in [Settings::default(), sent()] {
            let mut pair = connected_with(version, settings);
            for side in Side::BOTH {
                assert_eq!(pair.engine(side).write(b""), Ok(Write::Written(0)));
                assert_eq!(pair.engine(side).outgoing(), b"");
                assert_eq!(pair.engine(side).stats().records_sealed, 0);
            }
        }
    }
}

#[test]
fn z3_an_empty_write_performs_a_key_update_and_emits_no_application_record() {
    let mut pair = connected_with(Tls13, Settings::default());
    pair.client.key_update(KeyUpdate::Ours).unwrap();
    assert_eq!(pair.client.outgoing(), b"", "only scheduled");
    assert_eq!(pair.client.write(b""), Ok(Write::Written(0)));
    assert_eq!(records::split_whole(&take(&mut pair.client)).len(), 1);
    assert_eq!(pair.client.stats().key_updates_sealed, 1);
    assert_eq!(pair.client.stats().plaintext_sealed, 0);
}

#[test]
fn z3_under_sent_an_empty_write_waits_until_what_was_owed_has_left() {
    let mut pair = connected_with(Tls13, sent());
    pair.client.key_update(KeyUpdate::Ours).unwrap();
    assert_eq!(pair.client.write(b""), Ok(Write::NeedWrite));
    assert_eq!(pair.client.committed(), 0);
    take(&mut pair.client);
    assert_eq!(pair.client.write(b""), Ok(Write::Written(0)));
}

#[test]
fn z4_an_empty_write_after_the_peers_close_notify_is_written() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.server.shutdown(), Ok(Shutdown::NeedWrite));
        pair.settle();
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Closed));
        assert_eq!(pair.client.write(b""), Ok(Write::Written(0)));
    }
}

#[test]
fn z5_an_empty_write_after_our_shutdown_is_refused() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        let refused = Err(Error::Misuse(Misuse::WriteAfterShutdown));
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
        assert_eq!(pair.client.write(b""), refused);
        pair.settle();
        assert_eq!(pair.client.write(b""), refused);
        assert_eq!(pair.client.outgoing(), b"");
    }
}

#[test]
fn t6_an_empty_write_while_one_is_blocked_is_a_bad_retry() {
    for version in VERSIONS {
        let mut pair = connected_with(version, sent());
        assert_eq!(pair.client.write(b"hello"), Ok(Write::NeedWrite));
        assert_eq!(
            pair.client.write(b""),
            Err(Error::Misuse(Misuse::BadWriteRetry))
        );
    }
}

#[test]
fn an_empty_write_on_a_dead_connection_returns_its_error() {
    for version in VERSIONS {
        let (mut peer, mut engine) = raw(Side::Client, version);
        let alert = messages::fatal(Alert::ACCESS_DENIED);
        feed(&mut engine, &peer.seal(ContentType::ALERT, &alert));
        assert_eq!(
            read_outcome(&mut engine),
            Err(Error::Alert(Alert::ACCESS_DENIED))
        );
        assert_eq!(engine.write(b""), Err(Error::Alert(Alert::ACCESS_DENIED)));
        assert_eq!(
            engine.read(&mut []),
            Err(Error::Alert(Alert::ACCESS_DENIED))
        );
    }
}

#[test]
fn z7_an_empty_read_tells_that_plaintext_or_a_record_waits() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.server.write(&noise(100)), Ok(Write::Written(100)));
        pair.settle();
        assert_eq!(pair.client.pending(), 0, "nothing is opened yet");
        for _ in 0..2 {
            assert_eq!(
                pair.client.read(&mut []),
                Ok(Read::Read(0)),
                "a whole record waits"
            );
            assert_eq!(pair.client.pending(), 100, "and was opened");
        }
        let mut ten = [0; 10];
        assert_eq!(pair.client.read(&mut ten), Ok(Read::Read(10)));
        assert_eq!(
            pair.client.read(&mut []),
            Ok(Read::Read(0)),
            "plaintext waits"
        );
        assert_eq!(pair.client.pending(), 90);
        assert_eq!(received(&mut pair.client), noise(100)[10..]);
        assert_eq!(pair.client.read(&mut []), Ok(Read::NeedRead));
        assert_eq!(pair.client.pending(), 0);
    }
}

#[test]
fn z7_an_empty_read_of_part_of_a_record_needs_the_rest() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.server.write(&noise(100)), Ok(Write::Written(100)));
        let len = pair.server.outgoing().len();
        for _ in 1..len {
            assert_eq!(pair.move_to_client(1), 1);
            assert_eq!(pair.client.read(&mut []), Ok(Read::NeedRead));
            assert_eq!(pair.client.pending(), 0);
        }
        assert_eq!(pair.move_to_client(1), 1);
        assert_eq!(pair.client.read(&mut []), Ok(Read::Read(0)));
    }
}

#[test]
fn z8_an_empty_read_of_nothing_is_as_any_read() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.client.read(&mut []), Ok(Read::NeedRead));
        assert_eq!(pair.client.peek(&mut []), Ok(Read::NeedRead));
        assert_eq!(pair.server.shutdown(), Ok(Shutdown::NeedWrite));
        pair.settle();
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Closed));
        assert_eq!(pair.client.read(&mut []), Ok(Read::Closed));
        pair.server.feed_eof();
        assert_eq!(read_outcome(&mut pair.server), Ok(Read::Truncated));
        assert_eq!(pair.server.read(&mut []), Ok(Read::Truncated));
    }
}

#[test]
fn an_empty_read_before_the_handshake_drives_it() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version));
        assert_eq!(pair.client.read(&mut []), Ok(Read::NeedWrite));
        pair.settle();
        assert_eq!(pair.client.read(&mut []), Ok(Read::NeedRead));
        assert_eq!(pair.server.read(&mut []), Ok(Read::NeedWrite));
        assert_eq!(pair.server.outgoing()[5], 2, "a ServerHello");
    }
}

#[test]
fn an_empty_record_of_the_peer_is_no_read_of_zero_bytes() {
    for version in VERSIONS {
        let (mut peer, mut engine) = raw(Side::Server, version);
        feed(&mut engine, &peer.data(b""));
        assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
        feed(&mut engine, &peer.data(b""));
        feed(&mut engine, &peer.data(b"behind"));
        assert_eq!(read(&mut engine), Ok((Read::Read(6), b"behind".to_vec())));
    }
}

#[test]
fn no_bytes_through_the_ports_change_nothing() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.client.feed(b""), 0);
        assert_eq!(pair.client.fed(0), Ok(()));
        assert_eq!(pair.client.sent(0), Ok(()));
        assert_eq!(pair.client.take_outgoing().len(), 0);
        assert_eq!(pair.client.handshake(), Ok(Handshake::Complete));
        assert_eq!(pair.exchange(Side::Client, &noise(FULL)), noise(FULL));
    }
}
