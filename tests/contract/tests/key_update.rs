//! Facts K1 to K11: KeyUpdate (RFC 8446 section 4.6.3), and differences X4 and X16.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use offwire::ProtocolVersion::{Tls12, Tls13};
use offwire::{Error, KeyUpdate, Misuse, Read, Settings, Shutdown, Write};
use offwire_contract::{
    FULL, WRITE_MODES, connected_with, feed, noise, quiet, raw, raw_with, read, read_outcome,
    received, sent, take, waiting,
};
use offwire_testkit::{ContentType, Opened, Pair, RawPeer, Side, messages, records};

const LARGE: usize = 200_000;

fn update(request: u8) -> Opened {
    Opened {
        content_type: ContentType::HANDSHAKE,
        plaintext: messages::key_update(request),
    }
}

fn data(plaintext: &[u8]) -> Opened {
    let plaintext = plaintext.to_vec();
    Opened {
        content_type: ContentType::APPLICATION_DATA,
        plaintext,
    }
}

fn close_notify() -> Opened {
    Opened {
        content_type: ContentType::ALERT,
        plaintext: vec![1, 0], // a warning, and its number (RFC 8446 section 6)
    }
}

/// Repeats a blocked write until it is done; returns everything that left, opened.
fn finish(peer: &mut RawPeer, engine: &mut offwire::Engine, plaintext: &[u8]) -> Vec<Opened> {
    let (mut opened, mut written) = (peer.drain(engine), 0);
    while written < plaintext.len() {
        if let Write::Written(n) = engine.write(&plaintext[written..]).unwrap() {
            written += n;
        }
        opened.extend(peer.drain(engine));
    }
    opened
}

fn content(opened: &[Opened]) -> Vec<u8> {
    let is_data = |record: &&Opened| record.content_type == ContentType::APPLICATION_DATA;
    opened
        .iter()
        .filter(is_data)
        .flat_map(|record| record.plaintext.clone())
        .collect()
}

#[test]
fn k1_key_update_only_schedules_and_the_next_write_seals_it_first() {
    for (asked, request) in [(KeyUpdate::Ours, 0), (KeyUpdate::Both, 1)] {
        for role in Side::BOTH {
            let (mut peer, mut engine) = raw(role, Tls13);
            peer.drain(&mut engine);
            assert_eq!(engine.key_update(asked), Ok(()));
            assert_eq!(engine.outgoing(), b"");
            assert_eq!(engine.write(b"data"), Ok(Write::Written(4)));
            assert_eq!(peer.drain(&mut engine), [update(request), data(b"data")]);
        }
    }
}

#[test]
fn k1_scheduled_twice_it_is_sent_once_and_asks_if_either_did() {
    let (mut peer, mut engine) = raw(Side::Client, Tls13);
    for asked in [KeyUpdate::Ours, KeyUpdate::Both, KeyUpdate::Ours] {
        assert_eq!(engine.key_update(asked), Ok(()));
    }
    assert_eq!(engine.write(b"data"), Ok(Write::Written(4)));
    assert_eq!(peer.drain(&mut engine), [update(1), data(b"data")]);
}

#[test]
fn k1_where_it_cannot_be_it_is_misuse_and_nothing_changes() {
    let mut pair = Pair::of(&quiet(Tls13));
    let in_handshake = Err(Error::Misuse(Misuse::KeyUpdateInHandshake));
    assert_eq!(pair.client.key_update(KeyUpdate::Ours), in_handshake);
    pair.handshake();
    assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
    let after_shutdown = Err(Error::Misuse(Misuse::KeyUpdateAfterShutdown));
    assert_eq!(pair.client.key_update(KeyUpdate::Ours), after_shutdown);
    assert_eq!(pair.exchange(Side::Server, b"data"), b"data");

    let mut pair = connected_with(Tls12, Settings::default());
    let in_tls12 = Err(Error::Misuse(Misuse::KeyUpdateInTls12));
    assert_eq!(pair.client.key_update(KeyUpdate::Both), in_tls12);
    assert_eq!(pair.exchange(Side::Client, b"data"), b"data");
}

#[test]
fn k2_a_request_is_answered_by_the_next_write_not_by_the_read() {
    for role in Side::BOTH {
        let (mut peer, mut engine) = raw(role, Tls13);
        peer.drain(&mut engine);
        feed(&mut engine, &peer.key_update(1));
        feed(&mut engine, &peer.data(b"behind"));
        assert_eq!(read(&mut engine), Ok((Read::Read(6), b"behind".to_vec())));
        assert_eq!(engine.outgoing(), b"");
        assert_eq!(engine.write(b""), Ok(Write::Written(0)));
        assert_eq!(peer.drain(&mut engine), [update(0)]);
        assert_eq!(engine.write(b"data"), Ok(Write::Written(4)));
        assert_eq!(peer.drain(&mut engine), [data(b"data")]);
    }
}

#[test]
fn k3_x16_a_request_during_a_blocked_write_is_answered_before_its_next_record() {
    for mode in WRITE_MODES {
        for role in Side::BOTH {
            let settings = sent().write_mode(mode);
            let (mut peer, mut engine) = raw_with(role, Tls13, settings);
            peer.drain(&mut engine);
            let plaintext = noise(LARGE);
            assert_eq!(engine.write(&plaintext), Ok(Write::NeedWrite));
            let before = engine.committed() / FULL;
            feed(&mut engine, &peer.key_update(1));
            feed(&mut engine, &peer.data(b"behind"));
            assert_eq!(received(&mut engine), b"behind");
            let opened = finish(&mut peer, &mut engine, &plaintext);
            assert_eq!(content(&opened), plaintext, "every byte once");
            let answers: Vec<usize> = (0..opened.len())
                .filter(|place| opened[*place] == update(0))
                .collect();
            assert_eq!(
                answers,
                [before],
                "behind the records that were sealed, before the others"
            );
        }
    }
}

#[test]
fn k4_a_request_that_is_not_read_is_never_noticed() {
    for role in Side::BOTH {
        let (mut peer, mut engine) = raw(role, Tls13);
        peer.drain(&mut engine);
        feed(&mut engine, &peer.key_update(1));
        assert_eq!(engine.write(b"data"), Ok(Write::Written(4)));
        assert_eq!(peer.drain(&mut engine), [data(b"data")]);
        assert_eq!(engine.stats().key_updates_received, 0);
    }
}

#[test]
fn k5_several_requests_get_one_answer() {
    for role in Side::BOTH {
        let (mut peer, mut engine) = raw(role, Tls13);
        peer.drain(&mut engine);
        for _ in 0..3 {
            feed(&mut engine, &peer.key_update(1));
        }
        feed(&mut engine, &peer.data(b"behind"));
        assert_eq!(received(&mut engine), b"behind");
        assert_eq!(engine.outgoing(), b"");
        assert_eq!(engine.write(b"data"), Ok(Write::Written(4)));
        assert_eq!(peer.drain(&mut engine), [update(0), data(b"data")]);
        assert_eq!(engine.stats().key_updates_received, 3);
    }
}

#[test]
fn k6_x4_requests_during_a_blocked_write_do_no_harm() {
    let cases = [[1, 0], [1, 1], [0, 1]].map(|requests| Side::BOTH.map(|role| (requests, role)));
    for (requests, role) in cases.into_iter().flatten() {
        for mode in WRITE_MODES {
            let settings = sent().write_mode(mode);
            let (mut peer, mut engine) = raw_with(role, Tls13, settings);
            peer.drain(&mut engine);
            let plaintext = noise(LARGE);
            assert_eq!(engine.write(&plaintext), Ok(Write::NeedWrite));
            for request in requests {
                feed(&mut engine, &peer.key_update(request));
                assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
            }
            let opened = finish(&mut peer, &mut engine, &plaintext);
            assert_eq!(content(&opened), plaintext);
            assert_eq!(
                opened.iter().filter(|record| **record == update(0)).count(),
                1
            );
        }
    }
}

#[test]
fn k6_requests_before_between_and_during_blocked_writes_are_each_answered() {
    let (mut peer, mut engine) = raw_with(Side::Client, Tls13, sent());
    let plaintext = noise(LARGE);
    for round in 1..=3 {
        feed(&mut engine, &peer.key_update(1));
        assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
        assert_eq!(engine.write(&plaintext), Ok(Write::NeedWrite));
        let mut opened = peer.drain(&mut engine);
        feed(&mut engine, &peer.key_update(1));
        assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
        opened.extend(finish(&mut peer, &mut engine, &plaintext));
        assert_eq!(opened[0], update(0), "the first answer comes first");
        assert_eq!(content(&opened), plaintext);
        assert_eq!(engine.stats().key_updates_sealed, 2 * round);
        feed(&mut engine, &peer.data(b"x"));
        assert_eq!(received(&mut engine), b"x");
    }
}

#[test]
fn k7_a_read_never_needs_write_for_an_answer() {
    let settings = Settings::default().outgoing_limit(0);
    let (mut peer, mut engine) = raw_with(Side::Client, Tls13, settings);
    assert_eq!(
        engine.write(&noise(FULL)),
        Ok(Write::Written(FULL)),
        "the queue is full"
    );
    for _ in 0..3 {
        feed(&mut engine, &peer.key_update(1));
        assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
    }
    feed(&mut engine, &peer.data(b"behind"));
    assert_eq!(received(&mut engine), b"behind");
}

#[test]
fn k8_a_write_behind_a_blocked_key_update_may_change() {
    let settings = Settings::default().outgoing_limit(0);
    let (mut peer, mut engine) = raw_with(Side::Client, Tls13, settings);
    assert_eq!(
        engine.write(&noise(FULL)),
        Ok(Write::Written(FULL)),
        "the queue is full"
    );
    engine.key_update(KeyUpdate::Ours).unwrap();
    assert_eq!(engine.write(b"first"), Ok(Write::NeedWrite));
    assert_eq!(engine.committed(), 0);
    let opened = peer.drain(&mut engine);
    assert_eq!(opened[0], data(&noise(FULL)));
    assert_eq!(engine.write(b"other"), Ok(Write::Written(5)));
    let behind = [&opened[1..], &peer.drain(&mut engine)].concat();
    assert_eq!(
        behind,
        [update(0), data(b"other")],
        "one KeyUpdate, no byte of the first"
    );
}

#[test]
fn k8_an_update_takes_no_room_from_the_record_behind_it() {
    let settings = Settings::default().outgoing_limit(0);
    let (mut peer, mut engine) = raw_with(Side::Client, Tls13, settings);
    engine.key_update(KeyUpdate::Ours).unwrap();
    assert_eq!(engine.write(&noise(FULL)), Ok(Write::Written(FULL)));
    assert_eq!(peer.drain(&mut engine), [update(0), data(&noise(FULL))]);
}

#[test]
fn k9_an_answer_owed_at_shutdown_is_never_sent() {
    for role in Side::BOTH {
        let (mut peer, mut engine) = raw(role, Tls13);
        peer.drain(&mut engine);
        feed(&mut engine, &peer.key_update(1));
        assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
        assert_eq!(engine.shutdown(), Ok(Shutdown::NeedWrite));
        let only = [close_notify()];
        assert_eq!(peer.drain(&mut engine), only, "not before it either");
        assert_eq!(engine.shutdown(), Ok(Shutdown::Sent));
        feed(&mut engine, &peer.key_update(1));
        feed(&mut engine, &peer.data(b"behind"));
        assert_eq!(received(&mut engine), b"behind");
        assert_eq!(engine.shutdown(), Ok(Shutdown::Sent));
        assert_eq!(engine.outgoing(), b"");
        assert_eq!(engine.stats().key_updates_sealed, 0);
    }
}

#[test]
fn k10_shutdown_goes_on_with_an_update_scheduled() {
    for role in Side::BOTH {
        let (mut peer, mut engine) = raw(role, Tls13);
        peer.drain(&mut engine);
        engine.key_update(KeyUpdate::Both).unwrap();
        assert_eq!(engine.shutdown(), Ok(Shutdown::NeedWrite));
        let only = [close_notify()];
        assert_eq!(peer.drain(&mut engine), only, "and no update before it");
        assert_eq!(engine.shutdown(), Ok(Shutdown::Sent));
        assert_eq!(engine.stats().key_updates_sealed, 0);
    }
}

#[test]
fn k11_requests_of_both_sides_at_once_end() {
    let mut pair = connected_with(Tls13, Settings::default());
    for side in Side::BOTH {
        pair.engine(side).key_update(KeyUpdate::Both).unwrap();
        assert_eq!(pair.engine(side).write(b"data"), Ok(Write::Written(4)));
    }
    for _ in 0..4 {
        pair.settle();
        for side in Side::BOTH {
            let _ = received(pair.engine(side));
            assert_eq!(pair.engine(side).write(b"more"), Ok(Write::Written(4)));
        }
    }
    for side in Side::BOTH {
        assert_eq!(
            pair.engine(side).stats().key_updates_sealed,
            2,
            "the request, the answer"
        );
        assert_eq!(pair.engine(side).stats().key_updates_received, 2);
    }
}

#[test]
fn data_flows_on_through_many_updates_with_every_suite() {
    for suite in offwire_testkit::Suite::ALL {
        let mut pair = offwire_contract::connected(&quiet(Tls13).suite(suite));
        for round in 0..40 {
            let side = Side::BOTH[round % 2];
            let asked = if round % 3 == 0 {
                KeyUpdate::Both
            } else {
                KeyUpdate::Ours
            };
            pair.engine(side).key_update(asked).unwrap();
            assert_eq!(pair.exchange(side, &noise(1_000)), noise(1_000));
        }
    }
}

#[test]
fn a_released_engine_keeps_its_place_in_the_key_schedule() {
    let mut pair = connected_with(Tls13, Settings::default());
    for _ in 0..3 {
        pair.client.key_update(KeyUpdate::Both).unwrap();
        assert_eq!(pair.exchange(Side::Client, b"there"), b"there");
        pair.client.release();
        pair.server.release();
        assert_eq!(pair.exchange(Side::Server, b"back"), b"back");
    }
    assert_eq!(pair.client.stats().key_updates_received, 3);
}

#[test]
fn the_key_changes_on_the_wire() {
    let mut pair = connected_with(Tls13, Settings::default());
    pair.client.key_update(KeyUpdate::Ours).unwrap();
    assert_eq!(pair.client.write(b"data"), Ok(Write::Written(4)));
    let wire = take(&mut pair.client);
    let first = records::split_whole(&wire)[0].wire_len();
    // Without the KeyUpdate the record behind it is sealed under a key that the peer does not have.
    feed(&mut pair.server, &wire[first..]);
    assert!(read_outcome(&mut pair.server).is_err());
    assert_eq!(waiting(&pair.client), 0);
}
