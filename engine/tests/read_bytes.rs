//! `Engine::read_bytes`: the outcomes of `read`, in storage that belongs to the caller.

#![expect(clippy::panic, reason = "a wrong outcome fails the test")]

use allocation_counter::measure;
use bytes::Bytes;
use offwire::{Engine, KeyUpdate, ProtocolVersion, Read, ReadBytes, Settings, Write};
use offwire_testkit::{ContentType, Contexts, Cuts, Pair, Random, RawPeer, Shape, Side};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// Bytes of a full record's plaintext.
const FULL: usize = 16_384;

/// What a read hands out, whichever verb was called.
fn bytes(engine: &mut Engine) -> Bytes {
    match engine.read_bytes() {
        Ok(ReadBytes::Read(bytes)) => bytes,
        outcome => panic!("{outcome:?} where plaintext waits"),
    }
}

fn payload(seed: u64, length: usize) -> Vec<u8> {
    Random::new(seed).bytes(length)
}

fn connected(version: ProtocolVersion) -> Pair {
    let mut pair = Pair::of(&Contexts::new().version(version));
    pair.handshake();
    pair.settle();
    pair
}

#[test]
fn it_hands_out_one_record_a_call_and_then_the_end() {
    for version in VERSIONS {
        let mut pair = connected(version);
        assert_eq!(pair.server.read_bytes(), Ok(ReadBytes::NeedRead));
        let sent = payload(1, FULL + 100);
        assert_eq!(pair.client.write(&sent), Ok(Write::Written(sent.len())));
        assert!(pair.client.shutdown().is_ok());
        pair.settle();
        assert_eq!(bytes(&mut pair.server), sent[..FULL]);
        assert_eq!(bytes(&mut pair.server), sent[FULL..]);
        assert_eq!(pair.server.read_bytes(), Ok(ReadBytes::Closed));
        assert_eq!(pair.server.read_bytes(), Ok(ReadBytes::Closed));
        pair.client.feed_eof();
        assert_eq!(pair.client.read_bytes(), Ok(ReadBytes::Truncated));
    }
}

#[test]
fn it_performs_the_handshake_and_counts_what_it_waits_for() {
    let mut pair = Pair::of(&Contexts::new());
    assert_eq!(pair.client.read_bytes(), Ok(ReadBytes::NeedWrite));
    assert_eq!(pair.server.read_bytes(), Ok(ReadBytes::NeedRead));
    assert_eq!(pair.client.stats().need_writes, 1);
    assert_eq!(pair.server.stats().need_reads, 1);
    while pair.client.negotiated().is_none() || pair.server.negotiated().is_none() {
        pair.settle();
        assert!(pair.client.read_bytes().is_ok());
        assert!(pair.server.read_bytes().is_ok());
    }
    assert_eq!(pair.client.write(b"hello"), Ok(Write::Written(5)));
    pair.settle();
    assert_eq!(bytes(&mut pair.server), &b"hello"[..]);
}

#[test]
fn it_goes_on_behind_any_read_and_peek() {
    for version in VERSIONS {
        let mut pair = connected(version);
        let sent = payload(2, 1000);
        for _ in 0..2 {
            assert_eq!(pair.client.write(&sent), Ok(Write::Written(1000)));
        }
        pair.settle();
        let mut ten = [0; 10];
        assert_eq!(pair.server.read(&mut ten), Ok(Read::Read(10)));
        assert_eq!(bytes(&mut pair.server), sent[10..], "the rest of a record");
        assert_eq!(pair.server.peek(&mut ten), Ok(Read::Read(10)));
        assert_eq!(bytes(&mut pair.server), sent, "a record that was peeked at");
        assert_eq!(pair.server.pending(), 0);
    }
}

/// A reader that takes all three verbs in any order, through any cuts, past KeyUpdates.
#[test]
fn every_mixture_of_reads_delivers_every_byte_once_and_in_order() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let version = VERSIONS[random.below(2)];
        let mut pair = connected(version);
        pair.set_cuts(Cuts::Bytes(1 + random.below(5000)));
        let sent = payload(seed, 1 + random.below(100_000));
        let (mut written, mut received) = (0, Vec::new());
        let mut end = 0;
        let mut buffer = vec![0; FULL + 1];
        while received.len() < sent.len() {
            if written < sent.len() {
                // A blocked write comes again as it was.
                if written == end {
                    end = sent.len().min(written + 1 + random.below(30_000));
                }
                match pair.client.write(&sent[written..end]) {
                    Ok(Write::Written(count)) => written += count,
                    outcome => assert_eq!(outcome, Ok(Write::NeedWrite)),
                }
                if version == ProtocolVersion::Tls13 && random.below(4) == 0 {
                    pair.client.key_update(KeyUpdate::Ours).expect("it is open");
                }
            }
            pair.step();
            for _ in 0..random.below(5) {
                if random.below(2) == 0 {
                    if let ReadBytes::Read(bytes) = pair.server.read_bytes().expect("it lives") {
                        assert!(!bytes.is_empty());
                        received.extend_from_slice(&bytes);
                    }
                } else {
                    let length = 1 + random.below(buffer.len());
                    let outcome = pair.server.read(&mut buffer[..length]);
                    if let Read::Read(count) = outcome.expect("it lives") {
                        received.extend_from_slice(&buffer[..count]);
                    }
                }
            }
        }
        assert!(received == sent, "seed {seed}");
    }
}

#[test]
fn a_bad_record_ends_it_behind_what_was_good() {
    for version in VERSIONS {
        let (mut peer, mut engine) =
            RawPeer::facing(Side::Server, &Contexts::new().version(version));
        let mut wire = peer.data(b"good");
        wire.extend(peer.data(b"bad"));
        *wire.last_mut().expect("records are not empty") ^= 1;
        assert_eq!(engine.feed(&wire), wire.len());
        assert_eq!(bytes(&mut engine), &b"good"[..]);
        let error = engine.read_bytes().expect_err("the tag is wrong");
        assert_eq!(engine.read_bytes(), Err(error));
    }
}

#[test]
fn what_is_held_counts_against_no_limit() {
    let limits = Settings::default().incoming_limit(1);
    let mut pair = Pair::of(&Contexts::new().settings(limits));
    pair.handshake();
    pair.settle();
    let sent = payload(3, 50 * FULL);
    let held: Vec<Bytes> = sent
        .chunks(FULL)
        .map(|chunk| {
            assert_eq!(pair.client.write(chunk), Ok(Write::Written(FULL)));
            pair.settle();
            bytes(&mut pair.server)
        })
        .collect();
    assert_eq!(held.concat(), sent);
    // Nor does what is held keep the queue's storage.
    let freed = measure(|| pair.server.release());
    assert!(freed.bytes_current < -i64::try_from(FULL).expect("small"));
    drop(pair);
    assert_eq!(held.concat(), sent);
}

#[test]
fn a_record_costs_two_allocations_and_its_own_size() {
    for version in VERSIONS {
        let mut pair = connected(version);
        assert_eq!(pair.exchange(Side::Client, &[1; FULL]), [1; FULL]);
        for length in [1, 100, FULL] {
            let sent = payload(4, length);
            assert_eq!(pair.client.write(&sent), Ok(Write::Written(length)));
            pair.settle_towards(Side::Server);
            let mut held = Bytes::new();
            let cost = measure(|| held = bytes(&mut pair.server));
            assert_eq!(held, sent);
            assert!(cost.count_total <= 2, "{version} {length}: {cost:?}");
            let most = i64::try_from(length + 64).expect("small");
            assert!(cost.bytes_current <= most, "{version} {length}: {cost:?}");
        }
    }
}

#[test]
fn padding_is_not_held() {
    let contexts = Contexts::new().version(ProtocolVersion::Tls13);
    let (mut peer, mut engine) = RawPeer::facing(Side::Server, &contexts);
    for (content, padding) in [(1, 16_000), (100, 99), (100, 101), (8000, 8000)] {
        let shape = Shape {
            padding,
            ..Shape::default()
        };
        let sent = payload(5, content);
        let wire = peer.seal_shaped(ContentType::APPLICATION_DATA, &sent, shape);
        assert_eq!(engine.feed(&wire), wire.len());
        let mut held = Bytes::new();
        let cost = measure(|| held = bytes(&mut engine));
        assert_eq!(held, sent);
        let most = i64::try_from(2 * content + 64).expect("small");
        assert!(cost.bytes_current <= most, "{content} {padding}: {cost:?}");
    }
}
