//! Facts B1 to B9, A1 and A2: reading, peeking, and what stands between the data.

use offwire::ProtocolVersion::{Tls12, Tls13};
use offwire::{Alert, Error, Peer, Read, Settings, Shutdown, Write};
use offwire_contract::{
    FULL, VERSIONS, connected, connected_with, feed, noise, quiet, raw, read, read_outcome,
    received, take,
};
use offwire_testkit::{ContentType, Shape, Side, messages};

#[test]
fn b1_i5_one_read_returns_bytes_of_one_record() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.server.write(&noise(100)), Ok(Write::Written(100)));
        assert_eq!(pair.server.write(&noise(50)), Ok(Write::Written(50)));
        pair.settle();
        assert_eq!(read(&mut pair.client), Ok((Read::Read(100), noise(100))));
        assert_eq!(read(&mut pair.client), Ok((Read::Read(50), noise(50))));
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::NeedRead));
    }
}

#[test]
fn b2_a_short_buffer_leaves_the_rest_of_the_record_pending() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.server.write(&noise(100)), Ok(Write::Written(100)));
        pair.settle();
        let mut ten = [0; 10];
        assert_eq!(pair.client.read(&mut ten), Ok(Read::Read(10)));
        assert_eq!(ten, noise(100)[..10]);
        assert_eq!(pair.client.pending(), 90);
        assert_eq!(
            read(&mut pair.client),
            Ok((Read::Read(90), noise(100)[10..].to_vec()))
        );
        assert_eq!(pair.client.pending(), 0);
    }
}

#[test]
fn b2_every_size_of_buffer_reads_the_same_bytes() {
    for version in VERSIONS {
        for record in [1_usize, 2, 100, FULL - 1, FULL] {
            for buffer in [
                1_usize,
                7,
                record - 1,
                record,
                record + 1,
                record + 2,
                FULL + 100,
            ] {
                if buffer == 0 {
                    continue;
                }
                let mut pair = connected_with(version, Settings::default());
                let plaintext = noise(record);
                assert_eq!(pair.server.write(&plaintext), Ok(Write::Written(record)));
                pair.settle();
                let (mut into, mut arrived) = (vec![0xaa; buffer], Vec::<u8>::new());
                while let Read::Read(n) = pair.client.read(&mut into).unwrap() {
                    assert_eq!(n, buffer.min(record - arrived.len()));
                    arrived.extend(&into[..n]);
                    assert_eq!(pair.client.pending(), record - arrived.len());
                }
                assert!(
                    arrived == plaintext,
                    "a buffer of {buffer} for a record of {record}"
                );
            }
        }
    }
}

#[test]
fn b3_nothing_is_opened_without_a_call() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.server.write(&noise(100)), Ok(Write::Written(100)));
        pair.settle();
        assert_eq!(pair.client.pending(), 0);
        assert_eq!(pair.client.stats().records_opened, 0);
    }
}

#[test]
fn b4_part_of_a_record_is_taken_and_waits_for_the_rest() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.server.write(&noise(100)), Ok(Write::Written(100)));
        let wire = take(&mut pair.server);
        let (last, part) = wire.split_last().unwrap();
        for byte in part {
            feed(&mut pair.client, &[*byte]);
            assert_eq!(read_outcome(&mut pair.client), Ok(Read::NeedRead));
            assert_eq!(pair.client.pending(), 0);
        }
        feed(&mut pair.client, &[*last]);
        assert_eq!(read(&mut pair.client), Ok((Read::Read(100), noise(100))));
    }
}

#[test]
fn b5_peek_is_a_read_that_consumes_nothing() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.server.write(&noise(100)), Ok(Write::Written(100)));
        assert_eq!(pair.server.write(&noise(50)), Ok(Write::Written(50)));
        assert_eq!(pair.server.shutdown(), Ok(Shutdown::NeedWrite));
        pair.settle();
        let mut buffer = vec![0; FULL + 1];
        for _ in 0..2 {
            assert_eq!(pair.client.peek(&mut buffer), Ok(Read::Read(100)));
            assert_eq!(buffer[..100], noise(100));
            assert_eq!(pair.client.pending(), 100);
        }
        let mut ten = [0; 10];
        assert_eq!(pair.client.peek(&mut ten), Ok(Read::Read(10)));
        assert_eq!(pair.client.read(&mut ten), Ok(Read::Read(10)));
        assert_eq!(ten, noise(100)[..10]);
        assert_eq!(
            pair.client.peek(&mut buffer),
            Ok(Read::Read(90)),
            "one record only"
        );
        assert_eq!(
            read(&mut pair.client),
            Ok((Read::Read(90), noise(100)[10..].to_vec()))
        );
        assert_eq!(read(&mut pair.client), Ok((Read::Read(50), noise(50))));
        assert_eq!(pair.client.peek(&mut buffer), Ok(Read::Closed));
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Closed));
    }
}

#[test]
fn b6_all_that_fits_is_taken_at_once_and_no_result_changes() {
    for version in VERSIONS {
        let (mut peer, mut engine) = raw(Side::Client, version);
        let records = [100, 1, 5_000].map(|len| (len, peer.data(&noise(len))));
        let wire = records.clone().map(|(_, record)| record).concat();
        let before = engine.stats().wire_fed;
        assert_eq!(engine.feed(&wire), wire.len());
        let fed = engine.stats().wire_fed - before;
        assert_eq!(fed, wire.len() as u64, "each byte once, in one call");
        assert_eq!(engine.pending(), 0, "taken, not opened");
        for (len, _) in records {
            assert_eq!(read(&mut engine), Ok((Read::Read(len), noise(len))));
            assert_eq!(engine.pending(), 0);
        }
        assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
    }
}

#[test]
fn b9_nothing_is_pending_after_close_notify() {
    for version in VERSIONS {
        let (mut peer, mut engine) = raw(Side::Client, version);
        feed(&mut engine, &peer.data(&noise(100)));
        feed(&mut engine, &peer.close_notify());
        feed(&mut engine, &peer.data(b"late"));
        let mut ten = [0; 10];
        for left in (0..10).rev() {
            assert_eq!(engine.read(&mut ten), Ok(Read::Read(10)));
            assert_eq!(engine.pending(), 10 * left);
        }
        for _ in 0..2 {
            assert_eq!(read_outcome(&mut engine), Ok(Read::Closed));
            assert_eq!(engine.pending(), 0);
        }
    }
}

#[test]
fn b8_plaintext_comes_before_the_close_notify_behind_it() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.server.write(&noise(100)), Ok(Write::Written(100)));
        assert_eq!(pair.server.shutdown(), Ok(Shutdown::NeedWrite));
        pair.settle();
        let mut ten = [0; 10];
        for _ in 0..10 {
            assert_eq!(pair.client.read(&mut ten), Ok(Read::Read(10)));
        }
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Closed));
    }
}

#[test]
fn b8_plaintext_comes_before_the_end_of_the_transport_behind_it() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.server.write(&noise(100)), Ok(Write::Written(100)));
        pair.settle();
        pair.client.feed_eof();
        let mut ten = [0; 10];
        for _ in 0..10 {
            assert_eq!(pair.client.read(&mut ten), Ok(Read::Read(10)));
        }
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Truncated));
    }
}

#[test]
fn b8_plaintext_comes_before_the_bad_record_or_the_alert_behind_it() {
    for version in VERSIONS {
        let (mut peer, mut engine) = raw(Side::Client, version);
        feed(&mut engine, &peer.data(&noise(100)));
        let mut bad = peer.data(b"bad");
        *bad.last_mut().unwrap() ^= 1;
        feed(&mut engine, &bad);
        let mut ten = [0; 10];
        for _ in 0..10 {
            assert_eq!(engine.read(&mut ten), Ok(Read::Read(10)));
        }
        assert_eq!(
            read_outcome(&mut engine),
            Err(Error::Peer(Peer::BadRecordMac))
        );

        let (mut peer, mut engine) = raw(Side::Client, version);
        feed(&mut engine, &peer.data(&noise(100)));
        let alert = messages::fatal(Alert::INTERNAL_ERROR);
        feed(&mut engine, &peer.seal(ContentType::ALERT, &alert));
        assert_eq!(read(&mut engine), Ok((Read::Read(100), noise(100))));
        assert_eq!(
            read_outcome(&mut engine),
            Err(Error::Alert(Alert::INTERNAL_ERROR))
        );
    }
}

#[test]
fn a1_tickets_alone_need_read_and_are_all_consumed() {
    let mut pair = connected(&quiet(Tls13).tickets(4));
    assert_eq!(
        pair.client.stats().tickets_received,
        0,
        "nothing was read yet"
    );
    assert_eq!(read_outcome(&mut pair.client), Ok(Read::NeedRead));
    assert_eq!(pair.client.stats().tickets_received, 4);
}

#[test]
fn a2_data_behind_tickets_and_key_updates_comes_in_one_call() {
    let (mut peer, mut engine) = raw(Side::Client, Tls13);
    feed(
        &mut engine,
        &peer.message(&messages::new_session_ticket(100)),
    );
    feed(&mut engine, &peer.key_update(0));
    feed(
        &mut engine,
        &peer.message(&messages::new_session_ticket(100)),
    );
    feed(&mut engine, &peer.key_update(1));
    feed(&mut engine, &peer.data(b"data"));
    assert_eq!(read(&mut engine), Ok((Read::Read(4), b"data".to_vec())));
    assert_eq!(engine.stats().tickets_received, 2);
    assert_eq!(engine.stats().key_updates_received, 2);
}

#[test]
fn a2_data_behind_warnings_comes_in_one_call() {
    let (mut peer, mut engine) = raw(Side::Client, Tls12);
    let warning = messages::warning(Alert::USER_CANCELED);
    feed(&mut engine, &peer.seal(ContentType::ALERT, &warning));
    feed(&mut engine, &peer.data(b"data"));
    assert_eq!(read(&mut engine), Ok((Read::Read(4), b"data".to_vec())));
}

#[test]
fn w13_padding_of_the_peer_is_not_data() {
    let (mut peer, mut engine) = raw(Side::Server, Tls13);
    for padding in [1, 100, FULL - 4] {
        let shape = Shape {
            padding,
            ..Shape::default()
        };
        feed(
            &mut engine,
            &peer.seal_shaped(ContentType::APPLICATION_DATA, b"data", shape),
        );
        let mut ten = [0; 10];
        assert_eq!(
            engine.read(&mut ten),
            Ok(Read::Read(4)),
            "{padding} bytes of padding"
        );
        assert_eq!(ten[..4], *b"data");
    }
    let shape = Shape {
        padding: FULL - 4,
        ..Shape::default()
    };
    feed(
        &mut engine,
        &peer.seal_shaped(ContentType::APPLICATION_DATA, b"data", shape),
    );
    assert_eq!(
        read(&mut engine),
        Ok((Read::Read(4), b"data".to_vec())),
        "a large buffer"
    );
}

#[test]
fn the_incoming_queue_is_bounded_and_reading_makes_room() {
    for version in VERSIONS {
        let settings = Settings::default()
            .outgoing_limit(1 << 20)
            .incoming_limit(0);
        let mut pair = connected_with(version, settings);
        let plaintext = noise(200_000);
        assert_eq!(
            pair.server.write(&plaintext),
            Ok(Write::Written(plaintext.len()))
        );
        let wire = take(&mut pair.server);
        let (mut fed, mut arrived) = (0, Vec::new());
        while arrived.len() < plaintext.len() {
            let taken = pair.client.feed(&wire[fed..]);
            fed += taken;
            assert!(fed < wire.len() || taken > 0 || arrived.len() < plaintext.len());
            let before = arrived.len();
            arrived.extend(received(&mut pair.client));
            assert!(arrived.len() > before, "neither room nor data");
        }
        assert_eq!(arrived, plaintext);
        let high = pair.client.stats().incoming_high_water;
        assert!(high <= 5 + FULL + 2_048, "{high} bytes were held");
    }
}

#[test]
fn a_full_queue_offers_no_space_until_something_is_read() {
    for version in VERSIONS {
        let settings = Settings::default()
            .outgoing_limit(1 << 20)
            .incoming_limit(0);
        let mut pair = connected_with(version, settings);
        assert_eq!(
            pair.server.write(&noise(100_000)),
            Ok(Write::Written(100_000))
        );
        let wire = take(&mut pair.server);
        let taken = pair.client.feed(&wire);
        assert!(taken < wire.len());
        assert_eq!(pair.client.feed(&wire[taken..]), 0);
        assert_eq!(pair.client.feed_space(), b"");
        assert!(matches!(read_outcome(&mut pair.client), Ok(Read::Read(_))));
        assert!(!pair.client.feed_space().is_empty());
    }
}
