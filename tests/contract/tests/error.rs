//! Facts E1 to E10: fatal errors are sticky, told to the peer, and never look like a clean end;
//! differences X7 and X8.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use offwire::ProtocolVersion::{self, Tls12, Tls13};
use offwire::{
    Alert, Engine, Error, Interest, KeyUpdate, Misuse, Peer, Read, Settings, Shutdown, Write,
};
use offwire_contract::{
    FULL, VERSIONS, connected_with, feed, noise, overhead, quiet, raw, raw_with, read,
    read_outcome, received, sent, take, waiting,
};
use offwire_testkit::{ContentType, Pair, RawPeer, Side, messages};

/// An engine killed by a record that cannot be authenticated.
fn dead(version: ProtocolVersion) -> (RawPeer, Engine, Error) {
    let (mut peer, mut engine) = raw(Side::Client, version);
    let mut bad = peer.data(b"data");
    bad[20] ^= 1;
    feed(&mut engine, &bad);
    let error = Error::Peer(Peer::BadRecordMac);
    assert_eq!(read_outcome(&mut engine), Err(error.clone()));
    (peer, engine, error)
}

#[test]
fn e1_e3_every_later_call_returns_the_same_error_and_emits_nothing() {
    for version in VERSIONS {
        let (_, mut engine, error) = dead(version);
        let outgoing = engine.outgoing().to_vec();
        for _ in 0..2 {
            assert_eq!(engine.handshake(), Err(error.clone()));
            assert_eq!(engine.write(b"data"), Err(error.clone()));
            assert_eq!(engine.write(b""), Err(error.clone()));
            assert_eq!(read_outcome(&mut engine), Err(error.clone()));
            assert_eq!(engine.peek(&mut [0; 9]), Err(error.clone()));
            assert_eq!(engine.shutdown(), Err(error.clone()));
            assert_eq!(engine.key_update(KeyUpdate::Ours), Err(error.clone()));
            assert_eq!(engine.outgoing(), outgoing);
        }
    }
}

#[test]
fn e1_input_of_a_dead_connection_is_discarded() {
    for version in VERSIONS {
        let (mut peer, mut engine, error) = dead(version);
        feed(&mut engine, &peer.data(b"more"));
        feed(&mut engine, &noise(500_000));
        engine.feed_eof();
        assert_eq!(read_outcome(&mut engine), Err(error));
        assert_eq!(engine.interest(), Interest::Write, "the alert");
        take(&mut engine);
        assert_eq!(engine.interest(), Interest::Nothing);
    }
}

#[test]
fn e2_the_peer_is_told_of_a_bad_record() {
    for version in VERSIONS {
        for role in Side::BOTH {
            let (mut peer, mut engine) = raw(role, version);
            peer.drain(&mut engine);
            feed(&mut engine, &peer.data(b"good"));
            let mut bad = peer.data(b"bad");
            *bad.last_mut().unwrap() ^= 0x80;
            feed(&mut engine, &bad);
            assert_eq!(read(&mut engine), Ok((Read::Read(4), b"good".to_vec())));
            let error = read_outcome(&mut engine).unwrap_err();
            assert_eq!(error, Error::Peer(Peer::BadRecordMac));
            assert_eq!(error.alert(), Some(Alert::BAD_RECORD_MAC));
            let opened = peer.drain(&mut engine);
            assert_eq!(opened.len(), 1);
            assert_eq!(opened[0].alert(), Some((2, Alert::BAD_RECORD_MAC)));
        }
    }
}

#[test]
fn e2_a_flipped_bit_at_every_byte_of_a_record_is_fatal_behind_the_plaintext() {
    for version in VERSIONS {
        for offset in 0..10 + overhead(version) {
            let mut pair = connected_with(version, Settings::default());
            let before = noise(50);
            assert_eq!(pair.server.write(&before), Ok(Write::Written(50)));
            let place = waiting(&pair.server) + offset;
            assert_eq!(pair.server.write(&noise(10)), Ok(Write::Written(10)));
            assert_eq!(pair.server.write(&noise(70)), Ok(Write::Written(70)));
            pair.to_client.flip_bit(place, 0);
            pair.settle();
            assert_eq!(read(&mut pair.client), Ok((Read::Read(50), before)));
            // A longer length may wait for bytes; the end of the transport decides then.
            let outcome = match read_outcome(&mut pair.client) {
                Ok(Read::NeedRead) => {
                    pair.client.feed_eof();
                    assert_eq!(read_outcome(&mut pair.client), Ok(Read::Truncated));
                    continue;
                }
                outcome => outcome,
            };
            // RFC 8446 section 5.1: the version field is ignored, but it is authenticated.
            assert!(
                matches!(outcome, Err(Error::Peer(_))),
                "byte {offset}: {outcome:?}"
            );
            assert_eq!(read_outcome(&mut pair.client), outcome);
            assert!(waiting(&pair.client) > 0, "an alert");
        }
    }
}

#[test]
fn e4_x7_the_peers_fatal_alert_never_looks_like_a_clean_end() {
    for version in VERSIONS {
        for alert in [
            Alert::INTERNAL_ERROR,
            Alert::ACCESS_DENIED,
            Alert::from_code(199),
        ] {
            let (mut peer, mut engine) = raw(Side::Client, version);
            feed(&mut engine, &peer.data(b"before"));
            feed(
                &mut engine,
                &peer.seal(ContentType::ALERT, &messages::fatal(alert)),
            );
            assert_eq!(received_before_error(&mut engine), b"before");
            let error = Error::Alert(alert);
            for _ in 0..3 {
                assert_eq!(read_outcome(&mut engine), Err(error.clone()));
                assert_eq!(engine.write(b"data"), Err(error.clone()));
                assert_eq!(engine.shutdown(), Err(error.clone()));
            }
            assert_eq!(engine.outgoing(), b"", "an alert is not answered");
            assert_eq!(engine.interest(), Interest::Nothing);
        }
    }
}

#[test]
fn e4_whatever_the_buffer_all_plaintext_comes_before_the_alert() {
    for version in VERSIONS {
        for (records, size) in [(0, 9), (1, 1), (2, 7), (3, 99), (3, 100), (3, FULL + 1)] {
            let (mut peer, mut engine) = raw(Side::Server, version);
            for _ in 0..records {
                feed(&mut engine, &peer.data(&noise(100)));
            }
            let alert = messages::fatal(Alert::INTERNAL_ERROR);
            feed(&mut engine, &peer.seal(ContentType::ALERT, &alert));
            let (mut into, mut arrived) = (vec![0; size], Vec::new());
            let error = loop {
                match engine.read(&mut into) {
                    Ok(Read::Read(n)) => arrived.extend_from_slice(&into[..n]),
                    Ok(outcome) => panic!("{outcome:?} before the alert"),
                    Err(error) => break error,
                }
            };
            assert_eq!(arrived, noise(100).repeat(records));
            assert_eq!(error, Error::Alert(Alert::INTERNAL_ERROR));
            assert_eq!(engine.read(&mut into), Err(error));
        }
    }
}

fn received_before_error(engine: &mut Engine) -> Vec<u8> {
    read(engine).unwrap().1
}

#[test]
fn e5_x8_the_blocked_records_leave_and_then_the_alert() {
    for version in VERSIONS {
        let (mut peer, mut engine) = raw_with(Side::Client, version, sent());
        let plaintext = noise(200_000);
        assert_eq!(engine.write(&plaintext), Ok(Write::NeedWrite));
        let committed = engine.committed();
        let mut bad = peer.data(b"bad");
        *bad.last_mut().unwrap() ^= 1;
        feed(&mut engine, &bad);
        let error = Err(Error::Peer(Peer::BadRecordMac));
        assert_eq!(
            read_outcome(&mut engine),
            error.clone().map(|()| Read::NeedRead)
        );
        assert_eq!(engine.write(&plaintext), error.map(|()| Write::NeedRead));
        let opened = peer.drain(&mut engine);
        let (last, records) = opened.split_last().unwrap();
        assert_eq!(last.alert(), Some((2, Alert::BAD_RECORD_MAC)));
        let arrived: Vec<u8> = records
            .iter()
            .flat_map(|record| record.plaintext.clone())
            .collect();
        assert_eq!(arrived, plaintext[..committed]);
        assert_eq!(engine.interest(), Interest::Nothing);
    }
}

#[test]
fn e6_x8_an_alert_leaves_whole_through_a_transport_of_one_byte() {
    for version in VERSIONS {
        let (mut peer, mut engine, error) = dead(version);
        let mut wire = Vec::new();
        while let Some(byte) = engine.outgoing().first() {
            wire.push(*byte);
            engine.sent(1).unwrap();
            assert_eq!(read_outcome(&mut engine), Err(error.clone()));
        }
        assert_eq!(wire.len(), 2 + overhead(version));
        assert_eq!(
            peer.open(&wire)[0].alert(),
            Some((2, Alert::BAD_RECORD_MAC))
        );
    }
}

#[test]
fn e7_a_fatal_alert_that_is_not_read_does_not_stop_writes() {
    for version in VERSIONS {
        let (mut peer, mut engine) = raw(Side::Client, version);
        let alert = messages::fatal(Alert::INTERNAL_ERROR);
        feed(&mut engine, &peer.seal(ContentType::ALERT, &alert));
        assert_eq!(engine.write(b"data"), Ok(Write::Written(4)));
    }
}

#[test]
fn e8_bytes_that_are_no_tls_fail_at_their_fifth_byte_at_the_latest() {
    let junk: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"SSH-2.0-O",
        &[0; 9],
        &[22, 9, 9, 0, 9],
    ];
    for version in VERSIONS {
        for junk in junk {
            let mut pair = Pair::of(&quiet(version));
            let mut fed = 0;
            let error = loop {
                feed(&mut pair.server, &junk[fed..=fed]);
                fed += 1;
                match read_outcome(&mut pair.server) {
                    Ok(outcome) => assert_eq!(outcome, Read::NeedRead),
                    Err(error) => break error,
                }
                assert!(fed < 5, "{junk:?}");
            };
            assert!(
                matches!(error, Error::Peer(Peer::HandshakeMalformed(_))),
                "{error:?}"
            );
            assert_eq!(pair.server.write(b"data"), Err(error));
        }
    }
}

#[test]
fn e8_bytes_that_are_no_tls_after_the_handshake_are_fatal_and_the_peer_is_told() {
    for version in VERSIONS {
        for role in Side::BOTH {
            let (mut peer, mut engine) = raw(role, version);
            peer.drain(&mut engine);
            feed(&mut engine, &peer.data(b"before"));
            feed(&mut engine, b"GET / HTTP/1.1\r\n\r\n");
            assert_eq!(received_before_error(&mut engine), b"before");
            let error = read_outcome(&mut engine).unwrap_err();
            assert!(matches!(error, Error::Peer(_)), "{error:?}");
            let alert = error.alert().map(|alert| (2, alert));
            assert!(alert.is_some());
            assert_eq!(peer.drain(&mut engine)[0].alert(), alert);
            assert_eq!(engine.write(b"data"), Err(error));
        }
    }
}

#[test]
fn e9_misuse_is_never_fatal_and_changes_nothing() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.client.write(b"data"), Ok(Write::Written(4)));
        let outgoing = pair.client.outgoing().to_vec();
        let stats = pair.client.stats();
        let too_much = pair.client.sent(outgoing.len() + 1);
        assert_eq!(too_much, Err(Error::Misuse(Misuse::SentTooMuch)));
        assert_eq!(
            pair.client.sent(usize::MAX),
            Err(Error::Misuse(Misuse::SentTooMuch))
        );
        let space = pair.client.feed_space().len();
        assert_eq!(
            pair.client.fed(space + 1),
            Err(Error::Misuse(Misuse::FedTooMuch))
        );
        assert_eq!(
            pair.client.fed(usize::MAX),
            Err(Error::Misuse(Misuse::FedTooMuch))
        );
        assert_eq!(pair.client.outgoing(), outgoing);
        assert_eq!(pair.client.stats(), stats);
        pair.settle();
        assert_eq!(received(&mut pair.server), b"data");
        assert_eq!(pair.exchange(Side::Server, b"back"), b"back");
    }
}

#[test]
fn e9_fed_without_space_is_misuse() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.client.fed(1), Err(Error::Misuse(Misuse::FedTooMuch)));
        assert_eq!(pair.exchange(Side::Server, b"back"), b"back");
    }
}

#[test]
fn e10_warnings_are_skipped_in_tls12_and_fatal_in_tls13() {
    let warning = messages::warning(Alert::UNRECOGNIZED_NAME);
    let (mut peer, mut engine) = raw(Side::Client, Tls12);
    feed(&mut engine, &peer.seal(ContentType::ALERT, &warning));
    assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));

    // RFC 8446 section 6.2: "error alerts ... MUST be treated as fatal regardless of the level".
    let (mut peer, mut engine) = raw(Side::Client, Tls13);
    feed(&mut engine, &peer.seal(ContentType::ALERT, &warning));
    assert_eq!(
        read_outcome(&mut engine),
        Err(Error::Alert(Alert::UNRECOGNIZED_NAME))
    );
}

#[test]
fn e10_user_canceled_is_skipped_and_close_notify_closes_whatever_its_level() {
    for version in VERSIONS {
        let (mut peer, mut engine) = raw(Side::Client, version);
        let canceled = messages::warning(Alert::USER_CANCELED);
        feed(&mut engine, &peer.seal(ContentType::ALERT, &canceled));
        assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
        feed(&mut engine, &peer.data(b"data"));
        assert_eq!(received(&mut engine), b"data");
        feed(&mut engine, &peer.close_notify());
        assert_eq!(read_outcome(&mut engine), Ok(Read::Closed));
    }
    let (mut peer, mut engine) = raw(Side::Client, Tls13);
    let close = messages::fatal(Alert::CLOSE_NOTIFY);
    feed(&mut engine, &peer.seal(ContentType::ALERT, &close));
    assert_eq!(read_outcome(&mut engine), Ok(Read::Closed));
}

#[test]
fn the_alert_fits_a_queue_that_is_full_of_records() {
    for version in VERSIONS {
        let settings = Settings::default().outgoing_limit(0);
        let (mut peer, mut engine) = raw_with(Side::Client, version, settings);
        assert_eq!(engine.write(&noise(FULL)), Ok(Write::Written(FULL)));
        feed(&mut engine, &[0; 5]);
        let error = read_outcome(&mut engine).unwrap_err();
        assert!(waiting(&engine) <= settings.effective_outgoing_limit() + 128);
        let last = peer.drain(&mut engine).pop().unwrap();
        assert_eq!(last.alert(), error.alert().map(|alert| (2, alert)));
    }
}

#[test]
fn shutdown_after_a_close_notify_that_has_left_still_meets_errors() {
    for version in VERSIONS {
        let (mut peer, mut engine) = raw(Side::Client, version);
        assert_eq!(engine.shutdown(), Ok(Shutdown::NeedWrite));
        peer.drain(&mut engine);
        let mut bad = peer.data(b"bad");
        *bad.last_mut().unwrap() ^= 1;
        feed(&mut engine, &bad);
        let error = Error::Peer(Peer::BadRecordMac);
        assert_eq!(read_outcome(&mut engine), Err(error.clone()));
        assert_eq!(engine.shutdown(), Err(error));
    }
}
