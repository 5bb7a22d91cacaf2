//! No input panics: junk, flipped bits and random records, in every phase. What happens is a typed
//! error that stays, or nothing.

#![expect(clippy::indexing_slicing, reason = "tests fail by panicking")]

use offwire::ProtocolVersion;
use offwire::{Engine, Error, Interest, Read};
use offwire_contract::strategy::config;
use offwire_contract::{VERSIONS, noise, quiet, raw, take, waiting};
use offwire_testkit::strategy::{explained, side, version};
use offwire_testkit::{
    ContentType, Contexts, Identity, Kind, Pair, Random, Shape, Side, read_available,
};
use proptest::prelude::*;

/// Feeds junk in pieces, reading behind each, and ends the transport. An error must stay, whatever
/// follows; its alert must wait until it was sent.
fn endure(engine: &mut Engine, junk: &[u8], cut: usize) -> Result<Read, Error> {
    let mut fed = 0;
    while fed < junk.len() {
        let taken = engine.feed(&junk[fed..junk.len().min(fed + cut)]);
        let outcome = read_available(engine, &mut Vec::new());
        assert!(taken > 0, "neither room nor an end: {outcome:?}");
        fed += taken;
        if let Err(error) = outcome {
            return Err(stays(engine, error, &junk[fed..]));
        }
    }
    engine.feed_eof();
    read_available(engine, &mut Vec::new()).map_err(|error| stays(engine, error, b"junk"))
}

fn stays(engine: &mut Engine, error: Error, rest: &[u8]) -> Error {
    assert!(
        !matches!(error, Error::Internal(_) | Error::Misuse(_)),
        "{error:?}"
    );
    assert!(
        error.alert().is_none() || waiting(engine) > 0,
        "the alert of {error:?}"
    );
    for _ in 0..2 {
        assert_eq!(engine.write(b"data"), Err(error.clone()));
        assert_eq!(engine.shutdown(), Err(error.clone()));
        assert_eq!(engine.handshake(), Err(error.clone()));
        assert_eq!(engine.read(&mut [0; 9]), Err(error.clone()));
        assert_eq!(engine.feed(rest), rest.len(), "discarded");
        take(engine);
        assert_eq!(engine.interest(), Interest::Nothing);
    }
    error
}

/// Ed25519: signatures, and so handshakes, of the same length every time.
fn contexts(version: ProtocolVersion) -> Contexts {
    quiet(version)
        .certificate(Kind::Ed25519)
        .client_identity(Identity::client(Kind::Ed25519))
        .client_auth()
}

#[test]
fn a_flipped_bit_anywhere_in_the_handshake_never_goes_unnoticed() {
    for version in VERSIONS {
        let mut whole = Pair::of(&contexts(version));
        whole.handshake();
        for (side, len) in [
            (Side::Server, whole.to_server.sent().len()),
            (Side::Client, whole.to_client.sent().len()),
        ] {
            for offset in (0..len).step_by(3) {
                let mut pair = Pair::of(&contexts(version));
                pair.link_to(side)
                    .flip_bit(offset, u8::try_from(offset % 8).unwrap());
                let (client, server) = pair.try_handshake();
                if client.is_ok() && server.is_ok() {
                    // RFC 8446 section 5.1: the record's version is ignored; nothing else is.
                    let header = offset % len;
                    assert!(
                        is_version_field(&whole, side, header),
                        "{version} byte {offset}"
                    );
                }
            }
        }
    }
}

/// Whether the byte stands in the version field of a record's header.
fn is_version_field(pair: &Pair, towards: Side, offset: usize) -> bool {
    let wire = match towards {
        Side::Client => pair.to_client.sent(),
        Side::Server => pair.to_server.sent(),
    };
    let mut start = 0;
    for record in offwire_testkit::records::split_whole(wire) {
        if (start + 1..start + 3).contains(&offset) {
            return true;
        }
        start += record.wire_len();
    }
    false
}

#[test]
fn an_alert_is_told_only_if_it_waits() {
    // The header of a handshake message of 16 MB.
    let wire = [22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff];
    for version in VERSIONS {
        for side in Side::BOTH {
            let mut pair = Pair::of(&contexts(version));
            let engine = pair.engine(side);
            let _ = engine.handshake().unwrap();
            take(engine);
            assert!(endure(engine, &wire, wire.len()).is_err());
        }
    }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn junk_before_the_handshake(
        version in version(), side in side(),
        junk in proptest::collection::vec(any::<u8>(), 0..600),
        header in prop_oneof![
            Just(vec![]),
            Just(vec![22, 3, 3]),
            Just(vec![22, 3, 1, 0, 80, 1, 0, 0, 76]),
        ],
        cut in 1..100_usize,
    ) {
        explained(Pair::of(&contexts(version)), |pair| {
            let engine = pair.engine(side);
            let _ = engine.handshake().unwrap();
            take(engine);
            let end = endure(engine, &[header, junk].concat(), cut);
            prop_assert!(end.is_err(), "no handshake is made of junk");
            Ok(())
        })?;
    }

    #[test]
    fn junk_behind_the_handshake(
        version in version(), side in side(), data in any::<bool>(),
        junk in proptest::collection::vec(any::<u8>(), 0..600), cut in 1..100_usize,
    ) {
        let (mut peer, mut engine) = raw(side, version);
        let start = if data { peer.data(b"data") } else { vec![23, 3, 3, 0] };
        let end = endure(&mut engine, &[start, junk].concat(), cut);
        prop_assert!(matches!(end, Err(Error::Peer(_)) | Ok(Read::Truncated)), "{end:?}");
    }

    #[test]
    fn records_of_any_type_and_content(
        version in version(), side in side(), seed in any::<u64>(), cut in 1..5_000_usize,
    ) {
        let (mut peer, mut engine) = raw(side, version);
        let mut random = Random::new(seed);
        let mut wire = Vec::new();
        for _ in 0..20 {
            let types = [20, 21, 22, 22, 22, 23, 23, 23, 23, 24];
            let content_type = ContentType(types[random.below(types.len())]);
            let len = [0, 1, 2, 5, 40, 17_000][random.below(6)];
            let mut content = random.bytes(len);
            if content_type == ContentType::HANDSHAKE
                && let [kind, high, middle, ..] = &mut content[..]
            {
                (*kind, *high, *middle) = ([0, 1, 4, 24][usize::from(*kind) % 4], 0, 0);
            }
            let shape = Shape { padding: random.below(3) * 5, ..Shape::default() };
            wire.extend(peer.seal_shaped(content_type, &content, shape));
        }
        // Whatever happened, it was no panic and no state that goes on after an error.
        let _ = endure(&mut engine, &wire, cut);
    }

    #[test]
    fn replayed_dropped_or_swapped_records_are_refused(
        version in version(), side in side(), which in 0..3_usize, len in 1..2_000_usize,
    ) {
        let (mut peer, mut engine) = raw(side, version);
        let (first, second) = (peer.data(&noise(len)), peer.data(&noise(len)));
        let wire = match which {
            0 => [first.clone(), first, second].concat(),
            1 => second,
            _ => [second, first].concat(),
        };
        let end = endure(&mut engine, &wire, wire.len());
        prop_assert_eq!(end, Err(Error::Peer(offwire::Peer::BadRecordMac)));
        let expected = if which == 0 { len as u64 } else { 0 };
        prop_assert_eq!(engine.stats().plaintext_opened, expected);
    }
}
