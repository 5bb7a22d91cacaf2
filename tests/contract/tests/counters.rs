//! `Stats`, counter by counter: what each counts, and what it does not (`docs/counters.md`).

use offwire::{
    Error, Handshake, KeyUpdate, Peer, ProtocolVersion, Read, ReadEarlyData, Settings, Shutdown,
    Stats, Write, WriteEarlyData,
};
use offwire_contract::early::{Answer, early_pair, read_early};
use offwire_contract::{
    FULL, VERSIONS, connected, connected_with, feed, noise, overhead, quiet, read_outcome,
    received, take, waiting,
};
use offwire_testkit::{Contexts, Pair, Side};

/// A pair of one version that has shaken hands, with the default settings.
fn pair(version: ProtocolVersion) -> Pair {
    connected_with(version, Settings::default())
}

/// The counters of records and of plaintext.
fn sealed_and_opened(stats: Stats) -> [u64; 4] {
    [
        stats.records_sealed,
        stats.records_opened,
        stats.plaintext_sealed,
        stats.plaintext_opened,
    ]
}

#[test]
fn records_plaintext_and_wire_bytes_are_counted_to_the_last() {
    for version in VERSIONS {
        let mut pair = pair(version);
        let before = pair.client.stats();
        let written = pair.client.write(&noise(FULL + 10));
        assert_eq!(written, Ok(Write::Written(FULL + 10)));
        let wire = take(&mut pair.client);
        assert_eq!(wire.len(), FULL + 10 + 2 * overhead(version));
        let after = pair.client.stats();
        assert_eq!(after.records_sealed, 2);
        assert_eq!(after.plaintext_sealed, FULL as u64 + 10);
        assert_eq!(after.wire_sent - before.wire_sent, wire.len() as u64);

        let before = pair.server.stats();
        feed(&mut pair.server, &wire);
        assert_eq!(received(&mut pair.server).len(), FULL + 10);
        let after = pair.server.stats();
        assert_eq!(after.wire_fed - before.wire_fed, wire.len() as u64);
        assert_eq!(after.records_opened, 2);
        assert_eq!(after.plaintext_opened, FULL as u64 + 10);
        assert_eq!(after.need_reads - before.need_reads, 1, "the last read");
    }
}

#[test]
fn of_the_handshake_wire_bytes_and_waits_alone_are_counted() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version));
        let (mut sent, mut waits) = ([0, 0], [[0, 0], [0, 0]]);
        let mut complete = [false, false];
        while complete != [true, true] {
            // The server first, so that it waits for what has not been sent.
            for (index, side) in [(1, Side::Server), (0, Side::Client)] {
                match pair.engine(side).handshake().unwrap() {
                    Handshake::Complete => complete[index] = true,
                    Handshake::NeedRead => waits[index][0] += 1,
                    Handshake::NeedWrite => waits[index][1] += 1,
                }
                let wire = take(pair.engine(side));
                sent[index] += wire.len() as u64;
                feed(pair.engine(side.peer()), &wire);
            }
        }
        for (index, side) in [Side::Client, Side::Server].into_iter().enumerate() {
            let stats = pair.engine(side).stats();
            assert_eq!(sealed_and_opened(stats), [0; 4]);
            assert_eq!(
                (stats.wire_sent, stats.wire_fed),
                (sent[index], sent[1 - index])
            );
            assert_eq!([stats.need_reads, stats.need_writes], waits[index]);
        }
        assert!(waits[0][1] > 0 && waits[1][0] > 0, "{waits:?}");
    }
}

#[test]
fn early_data_is_counted_on_the_wire_alone_and_its_answer_by_the_client_that_opens_it() {
    let mut pair = early_pair(Answer::Accepts, 1_000, Settings::default());
    assert_eq!(
        pair.client.write_early_data(b"early"),
        Ok(WriteEarlyData::Written(5))
    );
    pair.settle_towards(Side::Server);
    assert_eq!(read_early(&mut pair.server).unwrap().1, b"early");
    assert_eq!(
        pair.server.write_early_data(b"answer"),
        Ok(WriteEarlyData::Written(6))
    );
    pair.settle_towards(Side::Client);
    for side in Side::BOTH {
        let stats = pair.engine(side).stats();
        assert_eq!(sealed_and_opened(stats), [0; 4]);
        assert!(stats.wire_sent > 0 && stats.wire_fed > 0);
    }
    // The handshake is complete for the client before it opens the answer.
    assert_eq!(received(&mut pair.client), b"answer");
    assert_eq!(pair.client.stats().plaintext_opened, 6);
    assert_eq!(pair.server.stats().plaintext_sealed, 0);

    let waits = pair.server.stats().need_reads;
    assert_eq!(
        read_early(&mut pair.server).unwrap().0,
        ReadEarlyData::NeedRead
    );
    assert_eq!(pair.server.stats().need_reads, waits + 1);
}

#[test]
fn a_record_counts_once_it_is_authentic_whatever_reads_it_and_however_often() {
    for version in VERSIONS {
        let mut pair = pair(version);
        let written = pair.client.write(b"hello");
        assert_eq!(written, Ok(Write::Written(5)));
        let mut wire = take(&mut pair.client);
        feed(&mut pair.server, &wire);
        for _ in 0..3 {
            assert_eq!(pair.server.peek(&mut [0]), Ok(Read::Read(1)));
        }
        assert_eq!(sealed_and_opened(pair.server.stats()), [0, 1, 0, 5]);
        assert_eq!(received(&mut pair.server), b"hello");
        assert_eq!(sealed_and_opened(pair.server.stats()), [0, 1, 0, 5]);

        // Its number has passed, so it cannot be authentic again.
        let fed = pair.server.stats().wire_fed;
        feed(&mut pair.server, &wire);
        let refused = read_outcome(&mut pair.server);
        assert_eq!(refused, Err(Error::Peer(Peer::BadRecordMac)));
        let stats = pair.server.stats();
        assert_eq!(
            sealed_and_opened(stats),
            [1, 1, 0, 5],
            "the alert is sealed"
        );
        assert_eq!(stats.wire_fed - fed, wire.len() as u64);

        // A dead connection takes whatever comes, and counts nothing.
        wire.truncate(3);
        assert_eq!(pair.server.feed(&wire), 3);
        assert_eq!(pair.server.stats(), stats);
    }
}

#[test]
fn close_notify_is_a_record_without_plaintext() {
    for version in VERSIONS {
        let mut pair = pair(version);
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
        let waits = pair.client.stats().need_writes;
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
        assert_eq!(pair.client.stats().need_writes, waits + 1);
        assert_eq!(sealed_and_opened(pair.client.stats()), [1, 0, 0, 0]);
        feed(&mut pair.server, &take(&mut pair.client));
        assert_eq!(read_outcome(&mut pair.server), Ok(Read::Closed));
        assert_eq!(sealed_and_opened(pair.server.stats()), [0, 1, 0, 0]);
        let fed = pair.server.stats().wire_fed;
        assert_eq!(pair.server.feed(b"what comes behind it"), 20);
        assert_eq!(pair.server.stats().wire_fed, fed);
    }
}

#[test]
fn key_updates_are_counted_when_they_are_sealed_and_when_they_are_read() {
    let mut pair = pair(ProtocolVersion::Tls13);
    assert_eq!(pair.client.key_update(KeyUpdate::Both), Ok(()));
    assert_eq!(pair.client.stats().key_updates_sealed, 0, "it is scheduled");
    assert_eq!(pair.client.write(b"hello"), Ok(Write::Written(5)));
    assert_eq!(pair.client.stats().key_updates_sealed, 1);
    assert_eq!(sealed_and_opened(pair.client.stats()), [2, 0, 5, 0]);

    feed(&mut pair.server, &take(&mut pair.client));
    assert_eq!(
        pair.server.stats().key_updates_received,
        0,
        "it is not read"
    );
    assert_eq!(received(&mut pair.server), b"hello");
    let stats = pair.server.stats();
    assert_eq!(
        (stats.key_updates_received, stats.key_updates_sealed),
        (1, 0)
    );
    assert_eq!(pair.server.write(b""), Ok(Write::Written(0)));
    assert_eq!(pair.server.stats().key_updates_sealed, 1, "the answer");
}

#[test]
fn tickets_behind_the_handshake_are_counted_and_those_inside_it_are_not() {
    for (version, tickets) in [(ProtocolVersion::Tls12, 0), (ProtocolVersion::Tls13, 3)] {
        let mut pair = connected(&Contexts::new().version(version).tickets(3));
        pair.settle();
        assert_eq!(pair.client.stats().tickets_received, 0, "none is read");
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::NeedRead));
        let stats = pair.client.stats();
        assert_eq!(stats.tickets_received, tickets, "{version}");
        assert_eq!(stats.plaintext_opened, 0);
        // They are part of what rustls sends with the handshake.
        assert_eq!(pair.server.stats().records_sealed, 0);
    }
}

#[test]
fn every_verb_that_waits_is_counted_each_time_it_says_so() {
    let settings = Settings::default().outgoing_limit(0);
    for version in VERSIONS {
        let mut pair = connected_with(version, settings);
        let before = pair.client.stats();
        for _ in 0..2 {
            assert_eq!(pair.client.read(&mut [0]), Ok(Read::NeedRead));
            assert_eq!(pair.client.peek(&mut [0]), Ok(Read::NeedRead));
            assert_eq!(pair.client.read_bytes(), Ok(offwire::ReadBytes::NeedRead));
            assert_eq!(pair.client.write(&noise(2 * FULL)), Ok(Write::NeedWrite));
        }
        let halves = noise(2 * FULL);
        let halves = [&halves[..100], &halves[100..]];
        assert_eq!(pair.client.write_vectored(&halves), Ok(Write::NeedWrite));
        assert_eq!(pair.client.handshake(), Ok(Handshake::Complete));
        let after = pair.client.stats();
        assert_eq!(after.need_reads - before.need_reads, 6);
        assert_eq!(after.need_writes - before.need_writes, 3);
    }
}

#[test]
fn the_marks_tell_the_most_that_each_queue_held() {
    for version in VERSIONS {
        let mut pair = pair(version);
        let marks = |stats: Stats| (stats.outgoing_high_water, stats.incoming_high_water);
        let (outgoing, incoming) = marks(pair.client.stats());
        while pair.client.write(&noise(FULL)) == Ok(Write::Written(FULL)) {}
        let most = waiting(&pair.client);
        assert!(most > outgoing);
        assert_eq!(marks(pair.client.stats()), (most, incoming));
        let wire = take(&mut pair.client);
        assert_eq!(marks(pair.client.stats()), (most, incoming), "it stays");

        // What is opened and not read still takes the place of its record, but for the header.
        let before = pair.server.stats().incoming_high_water;
        let record = FULL + overhead(version);
        feed(&mut pair.server, &wire[..record]);
        assert_eq!(pair.server.peek(&mut [0]), Ok(Read::Read(1)));
        feed(&mut pair.server, &wire[record..2 * record]);
        let header = match version {
            ProtocolVersion::Tls12 => 5 + 8,
            ProtocolVersion::Tls13 => 5,
        };
        assert!(before < 2 * record - header);
        let most = pair.server.stats().incoming_high_water;
        assert_eq!(most, 2 * record - header);
        assert_eq!(received(&mut pair.server).len(), 2 * FULL);
        assert_eq!(pair.server.stats().incoming_high_water, most);
    }
}
