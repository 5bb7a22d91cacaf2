//! Facts W1 to W14 and I6: large writes and partial writes; difference X5.

use offwire::{BufferPool, Completion, Error, Settings, Write, WriteMode};
use offwire_contract::{
    FULL, VERSIONS, WRITE_MODES, connected, connected_with, noise, overhead, quiet, received, sent,
    take, waiting, write_through,
};
use offwire_testkit::{Cuts, Link, Pair, Side, records};

const LARGE: usize = 100_000;
const LARGE_RECORDS: [usize; 7] = [FULL, FULL, FULL, FULL, FULL, FULL, 1_696];

fn roomy() -> Settings {
    Settings::default()
        .outgoing_limit(1 << 20)
        .incoming_limit(1 << 20)
}

/// A link that holds so many bytes.
fn link(capacity: usize) -> Link {
    let mut link = Link::new(Cuts::Whole);
    link.set_capacity(capacity);
    link
}

/// Empties a link of `write_through` into the peer, and reads what it carried.
fn empty(link: &mut Link, pair: &mut Pair, into: &mut Vec<u8>) {
    while link.in_flight() > 0 {
        link.push(&mut pair.server);
        into.extend(received(&mut pair.server));
    }
}

#[test]
fn w1_a_large_write_with_room_is_written_at_once_in_full_records() {
    for version in VERSIONS {
        let mut pair = connected_with(version, roomy());
        let plaintext = noise(LARGE);
        assert_eq!(pair.client.write(&plaintext), Ok(Write::Written(LARGE)));
        let wire = take(&mut pair.client);
        assert_eq!(
            records::application_lengths(&wire, overhead(version)),
            LARGE_RECORDS
        );
        assert_eq!(pair.server.feed(&wire), wire.len());
        assert_eq!(received(&mut pair.server), plaintext);
    }
}

#[test]
fn w2_a_write_without_room_fills_the_transport_to_the_last_byte() {
    for version in VERSIONS {
        for capacity in [1, 100, 4_096, 16_384, 17_408, 65_536] {
            let mut pair = connected_with(version, sent());
            let mut link = link(capacity);
            let plaintext = noise(LARGE);
            let outcome = write_through(&mut pair.client, &mut link, &plaintext);
            assert_eq!(outcome, Ok(Write::NeedWrite));
            assert_eq!(link.in_flight(), capacity, "I1");
            assert!(pair.client.committed() > 0);
        }
    }
}

#[test]
fn w3_nothing_is_reported_of_the_records_that_left() {
    for version in VERSIONS {
        let mut pair = connected_with(version, sent());
        let mut link = link(65_536);
        let plaintext = noise(LARGE);
        let outcome = write_through(&mut pair.client, &mut link, &plaintext);
        assert_eq!(outcome, Ok(Write::NeedWrite));
        let (whole, rest) = records::split(link.sent());
        assert_eq!(whole.len(), 3);
        assert!(!rest.is_empty(), "part of a fourth");
        assert!(pair.client.committed() >= 4 * FULL);
    }
}

#[test]
fn w4_the_call_that_places_the_last_byte_reports_the_whole_once() {
    for version in VERSIONS {
        for capacity in [1_000, 4_096, 16_384, 17_408, 65_536] {
            let mut pair = connected_with(version, sent());
            let (mut link, plaintext, mut arrived) = (link(capacity), noise(LARGE), Vec::new());
            loop {
                let outcome = write_through(&mut pair.client, &mut link, &plaintext).unwrap();
                if outcome == Write::Written(LARGE) {
                    break;
                }
                assert_eq!(outcome, Write::NeedWrite);
                assert_eq!(link.in_flight(), capacity);
                empty(&mut link, &mut pair, &mut arrived);
            }
            assert_eq!(waiting(&pair.client), 0, "I3");
            let lengths = records::application_lengths(link.sent(), overhead(version));
            assert_eq!(lengths, LARGE_RECORDS, "sealed once each");
            empty(&mut link, &mut pair, &mut arrived);
            assert_eq!(arrived, plaintext);
        }
    }
}

#[test]
fn w4_a_transport_of_one_byte_carries_a_large_write() {
    let plaintext = noise(FULL + 500);
    for version in VERSIONS {
        let mut pair = connected_with(version, sent());
        let (mut link, mut arrived) = (link(1), Vec::new());
        while write_through(&mut pair.client, &mut link, &plaintext).unwrap() == Write::NeedWrite {
            assert_eq!(link.in_flight(), 1);
            empty(&mut link, &mut pair, &mut arrived);
        }
        empty(&mut link, &mut pair, &mut arrived);
        assert_eq!(arrived, plaintext);
    }
}

#[test]
fn w5_partial_returns_one_record_a_call_even_when_all_would_fit() {
    for version in VERSIONS {
        let mut pair = connected_with(version, roomy().write_mode(WriteMode::Partial));
        let plaintext = noise(LARGE);
        let (mut written, mut counts) = (0, Vec::new());
        while written < LARGE {
            let Write::Written(n) = pair.client.write(&plaintext[written..]).unwrap() else {
                panic!("there is room");
            };
            written += n;
            counts.push(n);
        }
        assert_eq!(counts, LARGE_RECORDS);
        let wire = take(&mut pair.client);
        assert_eq!(
            records::application_lengths(&wire, overhead(version)),
            LARGE_RECORDS
        );
    }
}

#[test]
fn w5_under_sent_partial_returns_one_record_a_call_once_it_has_left() {
    for version in VERSIONS {
        let settings = roomy().write_mode(WriteMode::Partial);
        let mut pair = connected_with(version, settings.completion(Completion::Sent));
        let plaintext = noise(LARGE);
        let mut written = 0;
        for record in LARGE_RECORDS {
            let rest = &plaintext[written..];
            assert_eq!(pair.client.write(rest), Ok(Write::NeedWrite));
            assert_eq!(pair.client.committed(), record, "one record, all would fit");
            let waiting = waiting(&pair.client);
            assert_eq!(waiting, record + overhead(version));
            pair.client.sent(waiting - 1).unwrap();
            assert_eq!(pair.client.write(rest), Ok(Write::NeedWrite));
            pair.client.sent(1).unwrap();
            assert_eq!(pair.client.write(rest), Ok(Write::Written(record)));
            written += record;
        }
        assert_eq!(written, LARGE);
    }
}

#[test]
fn w5_partial_never_splits_a_write_of_at_most_one_record() {
    for version in VERSIONS {
        let mut pair = connected_with(version, roomy().write_mode(WriteMode::Partial));
        for len in [1, 600, FULL - 1, FULL] {
            assert_eq!(pair.client.write(&noise(len)), Ok(Write::Written(len)));
        }
        assert_eq!(
            pair.client.write(&noise(FULL + 1)),
            Ok(Write::Written(FULL))
        );
    }
}

#[test]
fn w6_x5_partial_reports_each_record_as_it_has_left() {
    for version in VERSIONS {
        for capacity in [100, 4_096, 16_384, 17_408, 65_536] {
            let mut pair = connected_with(version, sent().write_mode(WriteMode::Partial));
            let (mut link, plaintext, mut arrived) = (link(capacity), noise(LARGE), Vec::new());
            let (mut written, mut counts) = (0, Vec::new());
            while written < LARGE {
                let rest = &plaintext[written..];
                match write_through(&mut pair.client, &mut link, rest).unwrap() {
                    Write::Written(n) => {
                        written += n;
                        counts.push(n);
                        let gone = records::application_lengths(link.sent(), overhead(version));
                        assert_eq!(
                            gone.iter().sum::<usize>(),
                            written,
                            "what was reported left"
                        );
                    }
                    Write::NeedWrite => empty(&mut link, &mut pair, &mut arrived),
                    Write::NeedRead => panic!("the handshake is complete"),
                }
            }
            assert_eq!(counts, LARGE_RECORDS, "capacity {capacity}");
            empty(&mut link, &mut pair, &mut arrived);
            assert_eq!(arrived, plaintext);
        }
    }
}

#[test]
fn w7_x5_after_a_block_partial_still_reports_one_record_a_call() {
    for version in VERSIONS {
        let mut pair = connected_with(version, sent().write_mode(WriteMode::Partial));
        let (mut link, plaintext) = (link(100), noise(3 * FULL));
        let blocked = write_through(&mut pair.client, &mut link, &plaintext);
        assert_eq!(blocked, Ok(Write::NeedWrite));
        link.set_capacity(usize::MAX);
        for start in [0, FULL, 2 * FULL] {
            let outcome = write_through(&mut pair.client, &mut link, &plaintext[start..]);
            assert_eq!(outcome, Ok(Write::Written(FULL)));
        }
        let mut arrived = Vec::new();
        empty(&mut link, &mut pair, &mut arrived);
        assert_eq!(arrived, plaintext);
    }
}

#[test]
fn w8_partial_never_means_part_of_a_record() {
    for version in VERSIONS {
        let mut pair = connected_with(version, sent().write_mode(WriteMode::Partial));
        let (mut link, plaintext) = (link(300), noise(600));
        let first = write_through(&mut pair.client, &mut link, &plaintext);
        assert_eq!(first, Ok(Write::NeedWrite));
        let mut arrived = Vec::new();
        empty(&mut link, &mut pair, &mut arrived);
        let last = loop {
            match write_through(&mut pair.client, &mut link, &plaintext).unwrap() {
                Write::NeedWrite => empty(&mut link, &mut pair, &mut arrived),
                last @ (Write::Written(_) | Write::NeedRead) => break last,
            }
        };
        assert_eq!(last, Write::Written(600));
        empty(&mut link, &mut pair, &mut arrived);
        assert_eq!(arrived, plaintext);
        assert_eq!(records::split_whole(link.sent()).len(), 1);
    }
}

#[test]
fn w9_i7_a_retry_without_room_changes_nothing_and_one_byte_is_enough_to_go_on() {
    for version in VERSIONS {
        for mode in WRITE_MODES {
            let mut pair = connected_with(version, sent().write_mode(mode));
            let plaintext = noise(LARGE);
            assert_eq!(pair.client.write(&plaintext), Ok(Write::NeedWrite));
            let outgoing = pair.client.outgoing().to_vec();
            let committed = pair.client.committed();
            for _ in 0..3 {
                assert_eq!(pair.client.write(&plaintext), Ok(Write::NeedWrite));
                assert_eq!(pair.client.outgoing(), outgoing);
                assert_eq!(pair.client.committed(), committed);
            }
            pair.client.sent(1).unwrap();
            assert_eq!(pair.client.write(&plaintext), Ok(Write::NeedWrite));
            assert_eq!(pair.client.outgoing()[..100], outgoing[1..101]);
        }
    }
}

#[test]
fn w10_an_unbounded_queue_never_needs_write() {
    for version in VERSIONS {
        let settings = Settings::default().outgoing_limit(1 << 30);
        let mut pair = connected_with(version, settings);
        for len in [1, LARGE, 1_000_000] {
            assert_eq!(pair.client.write(&noise(len)), Ok(Write::Written(len)));
        }
    }
}

#[test]
fn w11_max_fragment_size_is_the_record_size_and_the_partial_granularity() {
    for version in VERSIONS {
        for limit in [64, 512, 4_096] {
            let contexts = quiet(version).max_fragment_size(limit).settings(roomy());
            let mut pair = connected(&contexts);
            let plaintext = noise(10_000);
            assert_eq!(pair.client.write(&plaintext), Ok(Write::Written(10_000)));
            let wire = take(&mut pair.client);
            let lengths = records::application_lengths(&wire, overhead(version));
            assert!(
                (limit - 5..=limit).contains(&lengths[0]),
                "{} of {limit}",
                lengths[0]
            );
            let (last, full) = lengths.split_last().unwrap();
            assert!(full.iter().all(|len| *len == lengths[0]) && *last <= lengths[0]);

            let contexts = contexts.settings(roomy().write_mode(WriteMode::Partial));
            let mut pair = connected(&contexts);
            assert_eq!(
                pair.client.write(&plaintext),
                Ok(Write::Written(lengths[0]))
            );
        }
    }
}

#[test]
fn w11_a_record_size_out_of_range_is_refused() {
    for version in VERSIONS {
        for bytes in [0, 31, 16_390, usize::MAX] {
            let contexts = quiet(version).max_fragment_size(bytes);
            let (client, server) = contexts.build();
            let refused = client.connect(contexts.name()).unwrap_err();
            assert!(matches!(refused, Error::Internal(_)), "{refused:?}");
            assert_eq!(server.accept().write(b"data"), Err(refused));
        }
    }
}

#[test]
fn w14_release_changes_no_outcome() {
    for version in VERSIONS {
        let mut pair = connected_with(version, sent());
        let plaintext = noise(LARGE);
        let mut arrived = Vec::new();
        loop {
            pair.client.release();
            pair.server.release();
            let outcome = pair.client.write(&plaintext).unwrap();
            if outcome == Write::Written(LARGE) {
                break;
            }
            assert_eq!(outcome, Write::NeedWrite);
            pair.client.release();
            pair.move_to_server(7_001);
            pair.server.release();
            arrived.extend(received(&mut pair.server));
        }
        pair.settle_towards(Side::Server);
        arrived.extend(received(&mut pair.server));
        assert_eq!(arrived, plaintext);
    }
}

#[test]
fn w14_buffers_of_the_loop_change_no_outcome() {
    for version in VERSIONS {
        let run = |most: usize| {
            let mut pool = BufferPool::new(most);
            let mut pair = connected_with(version, sent());
            let plaintext = noise(LARGE);
            let (mut told, mut arrived) = (Vec::new(), Vec::new());
            loop {
                pair.client.borrow_buffers(&mut pool);
                let outcome = pair.client.write(&plaintext).unwrap();
                told.push((
                    outcome,
                    pair.client.committed(),
                    pair.client.outgoing().len(),
                ));
                if outcome == Write::Written(LARGE) {
                    break;
                }
                pair.server.borrow_buffers(&mut pool);
                pair.move_to_server(7_001);
                pair.client.return_buffers(&mut pool);
                arrived.extend(received(&mut pair.server));
                pair.server.return_buffers(&mut pool);
            }
            pair.settle_towards(Side::Server);
            arrived.extend(received(&mut pair.server));
            assert_eq!(arrived, plaintext);
            (told, pair.server.stats().need_reads)
        };
        // A pool that keeps nothing lends nothing.
        assert_eq!(run(1), run(0));
    }
}

#[test]
fn i6_each_write_starts_a_record() {
    for version in VERSIONS {
        let mut pair = connected_with(version, roomy());
        for len in [1, 2, 3, FULL, 5] {
            assert_eq!(pair.client.write(&noise(len)), Ok(Write::Written(len)));
        }
        let wire = take(&mut pair.client);
        assert_eq!(
            records::application_lengths(&wire, overhead(version)),
            [1, 2, 3, FULL, 5]
        );
    }
}
