//! `write_vectored`: the concatenation of its slices is what is written, committed and compared.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use offwire::{Error, Misuse, Settings, Write, WriteMode};
use offwire_contract::strategy::{config, settings};
use offwire_contract::{
    FULL, VERSIONS, connected_with, noise, overhead, quiet, received, sent, take, waiting,
};
use offwire_testkit::strategy::{explained, version};
use offwire_testkit::{Pair, Random, Side, records};
use proptest::prelude::*;

const REFUSED: Result<Write, Error> = Err(Error::Misuse(Misuse::BadWriteRetry));

/// The same bytes in slices that the seed chooses, some of them empty.
fn sliced(bytes: &[u8], seed: u64) -> Vec<&[u8]> {
    let (mut random, mut rest, mut slices) = (Random::new(seed), bytes, Vec::new());
    while !rest.is_empty() {
        if random.below(4) == 0 {
            slices.push(&rest[..0]);
        }
        let (slice, behind) = rest.split_at(random.cut(rest.len()));
        slices.push(slice);
        rest = behind;
    }
    slices
}

#[test]
fn rule_8_slices_are_packed_into_the_records_that_their_concatenation_makes() {
    for version in VERSIONS {
        let plaintext = noise(2 * FULL + 700);
        let lengths = [FULL, FULL, 700];
        for seed in 0..20 {
            let mut pair = connected_with(version, Settings::default());
            let slices = sliced(&plaintext, seed);
            assert_eq!(
                pair.client.write_vectored(&slices),
                Ok(Write::Written(plaintext.len()))
            );
            let wire = take(&mut pair.client);
            let sealed = records::application_lengths(&wire, overhead(version));
            assert_eq!(sealed, lengths, "{version:?}, seed {seed}");
            assert_eq!(pair.server.feed(&wire), wire.len());
            assert!(received(&mut pair.server) == plaintext, "seed {seed}");
        }
    }
}

#[test]
fn rule_2_a_partial_write_takes_one_record_of_the_concatenation() {
    for version in VERSIONS {
        let settings = Settings::default().write_mode(WriteMode::Partial);
        let mut pair = connected_with(version, settings);
        let plaintext = noise(FULL + 10);
        let slices = [&plaintext[..1], &plaintext[1..9_000], &plaintext[9_000..]];
        let outcome = pair.client.write_vectored(&slices);
        assert_eq!(outcome, Ok(Write::Written(FULL)));
        let outcome = pair.client.write_vectored(&[b"", &plaintext[FULL..]]);
        assert_eq!(outcome, Ok(Write::Written(10)));
        pair.settle_towards(Side::Server);
        assert!(received(&mut pair.server) == plaintext);
    }
}

#[test]
fn t8_a_retry_may_be_regrouped_and_may_come_by_write() {
    for version in VERSIONS {
        for seed in 0..20 {
            let mut pair = connected_with(version, sent());
            let plaintext = noise(200_000);
            let slices = sliced(&plaintext, seed);
            assert_eq!(pair.client.write_vectored(&slices), Ok(Write::NeedWrite));
            let committed = pair.client.committed();
            assert!(committed > 0);

            let regrouped = sliced(&plaintext, seed + 100);
            let again = pair.client.write_vectored(&regrouped);
            assert_eq!(again, Ok(Write::NeedWrite));
            assert_eq!(pair.client.write(&plaintext), Ok(Write::NeedWrite));
            assert_eq!(
                pair.client.committed(),
                committed,
                "nothing is sealed twice"
            );
            finish(pair, &plaintext, seed);
        }
    }
}

#[test]
fn rule_4_a_retry_of_other_bytes_is_refused_however_it_is_sliced() {
    for seed in 0..20 {
        let mut pair = connected_with(VERSIONS[1], sent());
        let plaintext = noise(100_000);
        assert_eq!(pair.client.write(&plaintext), Ok(Write::NeedWrite));
        let committed = pair.client.committed();

        let mut changed = plaintext.clone();
        changed[committed - 1] ^= 1;
        let slices = sliced(&changed, seed);
        assert_eq!(pair.client.write_vectored(&slices), REFUSED);
        let short = sliced(&plaintext[..committed - 1], seed);
        assert_eq!(pair.client.write_vectored(&short), REFUSED);
        assert_eq!(pair.client.write_vectored(&[]), REFUSED);
        finish(pair, &plaintext, seed);
    }
}

/// Repeats the write, in turn by either verb, until it is done; the server must get its bytes.
fn finish(mut pair: Pair, plaintext: &[u8], seed: u64) {
    let mut arrived = Vec::new();
    for turn in 0.. {
        let slices = sliced(plaintext, seed + turn);
        let outcome = match turn % 2 {
            0 => pair.client.write_vectored(&slices).unwrap(),
            _ => pair.client.write(plaintext).unwrap(),
        };
        let waits = waiting(&pair.client);
        pair.settle_towards(Side::Server);
        arrived.extend(received(&mut pair.server));
        if outcome == Write::Written(plaintext.len()) {
            break;
        }
        assert_eq!(outcome, Write::NeedWrite);
        assert!(waits > 0, "rule 3: there must be something to send");
    }
    assert!(arrived == plaintext, "every byte once");
}

#[test]
fn rule_7_no_slices_and_empty_ones_are_an_empty_write() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        for slices in [&[][..], &[&b""[..]], &[&b""[..], b"", b""]] {
            assert_eq!(pair.client.write_vectored(slices), Ok(Write::Written(0)));
            assert_eq!(waiting(&pair.client), 0, "no record");
        }
    }
}

#[test]
fn rule_1_slices_that_wait_for_the_handshake_are_not_taken() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version));
        let mut outcome = pair.client.write_vectored(&[b"one", b"two"]);
        while outcome != Ok(Write::Written(5)) {
            assert_eq!(pair.client.committed(), 0);
            pair.settle();
            let _ = pair.server.handshake().unwrap();
            pair.settle();
            outcome = pair.client.write_vectored(&[b"th", b"", b"ree"]);
        }
        pair.settle();
        assert_eq!(received(&mut pair.server), b"three");
    }
}

#[test]
fn rule_12_no_vectored_write_follows_shutdown() {
    let mut pair = connected_with(VERSIONS[1], Settings::default());
    let _ = pair.client.shutdown().unwrap();
    let outcome = pair.client.write_vectored(&[b"a", b"b"]);
    assert_eq!(outcome, Err(Error::Misuse(Misuse::WriteAfterShutdown)));
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn any_slicing_of_any_write_arrives_once_and_in_order(
        version in version(),
        settings in settings(),
        lengths in proptest::collection::vec(0..60_000_usize, 1..6),
        gone in 3_000..40_000_usize,
        seed in any::<u64>(),
    ) {
        explained(connected_with(version, settings), |pair| {
            let mut random = Random::new(seed);
            let (mut expected, mut arrived) = (Vec::new(), Vec::new());
            for len in lengths {
                let plaintext = random.bytes(len);
                let mut written = 0;
                while written < len {
                    let rest = &plaintext[written..];
                    let outcome = match random.below(3) {
                        0 => pair.on(Side::Client).write(rest).unwrap(),
                        _ => pair.on(Side::Client).write_vectored(&sliced(rest, random.bits())).unwrap(),
                    };
                    match outcome {
                        Write::Written(n) => written += n,
                        Write::NeedWrite => prop_assert!(waiting(&pair.client) > 0),
                        Write::NeedRead => prop_assert!(false, "the handshake is complete"),
                    }
                    pair.move_to_server(gone);
                    arrived.extend(received(&mut pair.server));
                }
                expected.extend(plaintext);
            }
            while pair.step_towards(Side::Server) > 0 {
                arrived.extend(received(&mut pair.server));
            }
            prop_assert!(arrived == expected);
            prop_assert_eq!(pair.client.committed(), 0);
            Ok(())
        })?;
    }
}
