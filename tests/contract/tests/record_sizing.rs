//! `max_record_size` (fact W11) and the dynamic record sizes: what is on the wire, and
//! what a reader behind a slow link gains.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use offwire::{ProtocolVersion, RecordSizing, Settings, Write, WriteMode};
use offwire_contract::{
    FULL, VERSIONS, connected, connected_with, noise, overhead, quiet, received, take,
};
use offwire_testkit::{Pair, Side, records};

/// Wire bytes of a small record.
const SMALL: usize = 1_400;

/// Bytes of plaintext that go into small records at first.
const START: usize = 64 * 1024 - 1;

fn dynamic() -> Settings {
    Settings::default()
        .record_sizing(RecordSizing::Dynamic)
        .outgoing_limit(1 << 20)
}

/// Bytes of plaintext in each record of a write.
fn written(pair: &mut Pair, version: ProtocolVersion, len: usize) -> Vec<usize> {
    assert_eq!(pair.client.write(&noise(len)), Ok(Write::Written(len)));
    records::application_lengths(&take(&mut pair.client), overhead(version))
}

#[test]
fn w11_max_record_size_is_the_record_size_and_the_partial_granularity() {
    for version in VERSIONS {
        for (asked, granted) in [(0, 512), (512, 512), (1_000, 1_000), (1 << 20, FULL)] {
            let settings = Settings::default().max_record_size(asked);
            assert_eq!(settings.effective_max_record_size(), granted);
            let mut pair = connected_with(version, settings);
            let lengths = written(&mut pair, version, 2 * granted + 1);
            assert_eq!(lengths, [granted, granted, 1], "{version:?} {asked}");

            let mut pair = connected_with(version, settings.write_mode(WriteMode::Partial));
            let outcome = pair.client.write(&noise(granted + 1));
            assert_eq!(outcome, Ok(Write::Written(granted)));
        }
    }
}

#[test]
fn w11_the_smaller_of_both_configurations_is_in_force() {
    for version in VERSIONS {
        let settings = Settings::default().max_record_size(1_000);
        for (max_fragment_size, record) in [(805, 800), (4_005, 1_000)] {
            let contexts = quiet(version)
                .settings(settings)
                .max_fragment_size(max_fragment_size);
            let mut pair = connected(&contexts);
            let lengths = written(&mut pair, version, 1_500);
            assert_eq!(lengths, [record, 1_500 - record], "{version:?}");
        }
    }
}

#[test]
fn dynamic_records_are_small_at_first_and_after_release_and_full_in_bulk() {
    for version in VERSIONS {
        let small = SMALL - overhead(version);
        let mut pair = connected_with(version, dynamic());
        for _ in 0..2 {
            let lengths = written(&mut pair, version, START + 10 * FULL);
            let first_full = lengths.iter().position(|length| *length != small).unwrap();
            assert_eq!(
                first_full,
                START.div_ceil(small),
                "{version:?}: {lengths:?}"
            );
            let (last, bulk) = lengths[first_full..].split_last().unwrap();
            assert!(bulk.iter().all(|length| *length == FULL), "{lengths:?}");
            assert!(*last <= FULL);
            assert_eq!(
                written(&mut pair, version, FULL),
                [FULL],
                "it stays in bulk"
            );
            pair.client.release();
        }
    }
}

#[test]
fn dynamic_records_never_exceed_max_record_size() {
    for version in VERSIONS {
        let mut pair = connected_with(version, dynamic().max_record_size(600));
        assert_eq!(written(&mut pair, version, 1_300), [600, 600, 100]);
    }
}

#[test]
fn small_records_are_what_partial_writes_take() {
    for version in VERSIONS {
        let settings = dynamic().write_mode(WriteMode::Partial);
        let mut pair = connected_with(version, settings);
        let outcome = pair.client.write(&noise(FULL));
        assert_eq!(outcome, Ok(Write::Written(SMALL - overhead(version))));
    }
}

/// What a reader behind a slow link has seen of one large write.
#[derive(Debug)]
struct Slow {
    /// Wire bytes that had arrived when the first plaintext could be read.
    until_first: usize,
    /// Wire bytes of the whole write.
    wire: usize,
}

/// Writes 1 MiB to a reader that gets one segment of the link at a time.
fn through_a_slow_link(pair: &mut Pair) -> Slow {
    const SEGMENT: usize = 1_400;
    let plaintext = noise(1 << 20);
    let (mut wire, mut until_first, mut arrived) = (0, None, Vec::new());
    let mut done = false;
    while !done || arrived.len() < plaintext.len() {
        if !done {
            done = pair.client.write(&plaintext).unwrap() == Write::Written(plaintext.len());
        }
        let moved = pair.move_to_server(SEGMENT);
        assert!(moved > 0 || !done, "the link is idle");
        wire += moved;
        arrived.extend(received(&mut pair.server));
        if !arrived.is_empty() {
            until_first.get_or_insert(wire);
        }
    }
    assert!(arrived == plaintext);
    Slow {
        until_first: until_first.unwrap(),
        wire,
    }
}

#[test]
fn a_reader_behind_a_slow_link_reads_after_one_segment_instead_of_twelve() {
    for version in VERSIONS {
        let mut full = connected_with(version, Settings::default());
        let full = through_a_slow_link(&mut full);
        assert_eq!(full.until_first, 12 * 1_400, "{version:?}: a full record");

        let mut pair = connected_with(version, dynamic());
        for _ in 0..2 {
            let dynamic = through_a_slow_link(&mut pair);
            assert_eq!(dynamic.until_first, SMALL, "{version:?}: one segment");
            let extra = dynamic.wire - full.wire;
            assert!(
                extra < full.wire / 500,
                "{extra} bytes more for 1 MiB: less than 0.2 %"
            );
            pair.client.release();
        }
    }
}

#[test]
fn a_small_record_that_was_committed_is_not_cut_anew_by_release() {
    for version in VERSIONS {
        let settings = dynamic().outgoing_limit(0);
        let mut pair = connected_with(version, settings);
        let plaintext = noise(100_000);
        let (mut outcome, mut arrived) = (Write::NeedWrite, Vec::new());
        while outcome == Write::NeedWrite {
            outcome = pair.client.write(&plaintext).unwrap();
            let committed = pair.client.committed();
            pair.client.release();
            assert_eq!(pair.client.committed(), committed);
            pair.settle_towards(Side::Server);
            arrived.extend(received(&mut pair.server));
        }
        assert_eq!(outcome, Write::Written(plaintext.len()));
        assert!(arrived == plaintext);
    }
}
