//! The seeded provider: the same seed and the same calls put the same bytes on the wire.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use offwire::rustls::NamedGroup;
use offwire::{HandshakeKind, KeyUpdate, ProtocolVersion, Write};
use offwire_testkit::{Contexts, Cuts, Pair, Side, Suite};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// Every byte of one connection, by direction.
type Wire = [Vec<u8>; 2];

/// Two connections, the second of which resumes the first's session; everything on the wire.
fn sessions(contexts: &Contexts, version: ProtocolVersion) -> Vec<Wire> {
    let (client, server) = contexts.build();
    let mut wires = Vec::new();
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let mut pair = Pair::new(&client, &server, contexts).cuts(Cuts::Seeded(5));
        pair.handshake();
        for side in Side::BOTH {
            let payload = vec![side as u8; 40_000];
            assert_eq!(pair.exchange(side, &payload), payload);
            if version == ProtocolVersion::Tls13 {
                pair.engine(side).key_update(KeyUpdate::Both).unwrap();
            }
        }
        assert_eq!(pair.exchange(Side::Client, b"ping"), b"ping");
        let negotiated = pair.server.negotiated().unwrap();
        assert_eq!((negotiated.version(), negotiated.kind()), (version, kind));
        pair.close();
        wires.push([
            pair.to_server.sent().to_vec(),
            pair.to_client.sent().to_vec(),
        ]);
    }
    wires
}

#[test]
fn the_same_seed_and_the_same_calls_give_the_same_bytes() {
    for version in VERSIONS {
        for suite in Suite::ALL {
            let contexts = Contexts::new().version(version).suite(suite).client_auth();
            let of = |seed| {
                sessions(
                    &contexts.clone().danger_seeded_crypto_for_tests(seed),
                    version,
                )
            };
            assert_eq!(of(7), of(7), "{version} {suite:?}");
            let [first, second] = [of(7), of(8)];
            for (first, second) in first.iter().flatten().zip(second.iter().flatten()) {
                assert_ne!(first, second, "{version} {suite:?}: another seed");
            }
        }
    }
}

#[test]
fn a_hello_retry_is_replayed_too() {
    let groups = [NamedGroup::X25519, NamedGroup::secp256r1];
    let contexts = Contexts::new()
        .version(ProtocolVersion::Tls13)
        .groups(&groups, &groups[1..])
        .danger_seeded_crypto_for_tests(3);
    let of = || {
        let mut pair = Pair::of(&contexts);
        pair.handshake();
        let kind = pair.client.negotiated().unwrap().kind();
        assert_eq!(kind, HandshakeKind::FullWithHelloRetryRequest);
        [
            pair.to_server.sent().to_vec(),
            pair.to_client.sent().to_vec(),
        ]
    };
    assert_eq!(of(), of());
}

#[test]
fn a_session_is_the_same_in_every_process() {
    // FNV-1a of all bytes: of rustls's, aws-lc-rs's and rcgen's encodings as well as of ours. Where
    // an upgrade changes those, the new number is noted here.
    let digests = VERSIONS.map(|version| {
        let contexts = Contexts::new()
            .version(version)
            .danger_seeded_crypto_for_tests(1);
        let mut pair = Pair::of(&contexts);
        pair.handshake();
        assert_eq!(pair.client.write(b"ping"), Ok(Write::Written(4)));
        let (sent, last) = (pair.to_server.sent(), pair.client.outgoing());
        let bytes = sent.iter().chain(last).chain(pair.to_client.sent());
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| {
            (digest ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
        })
    });
    assert_eq!(
        digests,
        [9_063_967_222_503_098_544, 4_354_268_543_922_506_191]
    );
}

#[test]
fn two_sessions_of_one_context_differ() {
    let contexts = Contexts::new().tickets(0).danger_seeded_crypto_for_tests(1);
    let (client, server) = contexts.build();
    let of = || {
        let mut pair = Pair::new(&client, &server, &contexts);
        pair.handshake();
        pair.to_server.sent().to_vec()
    };
    assert_ne!(of(), of());
}
