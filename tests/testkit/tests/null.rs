//! The null provider: both roles and versions, behind KeyUpdates and resumption too, and with any
//! byte of the handshake's secrets changed.

use offwire::{Error, HandshakeKind, KeyUpdate, Peer, ProtocolVersion, Read, Write};
use offwire_testkit::insecure::{HANDSHAKE_FILLING, TAG, filling};
use offwire_testkit::{ClientAuth, Contexts, Pair, RawPeer, Side};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

fn contexts(version: ProtocolVersion) -> Contexts {
    Contexts::new()
        .version(version)
        .danger_null_crypto_for_tests()
}

#[test]
fn engines_agree_on_their_keys_also_behind_key_updates() {
    for version in VERSIONS {
        let contexts = contexts(version).client_auth_as(ClientAuth::Optional);
        let (client, server) = contexts.build();
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let mut pair = Pair::new(&client, &server, &contexts);
            for side in [Side::Client, Side::Server, Side::Client] {
                assert_eq!(pair.exchange(side, b"data"), b"data");
                if version == ProtocolVersion::Tls13 {
                    pair.engine(side).key_update(KeyUpdate::Both).unwrap();
                }
            }
            assert_eq!(pair.server.negotiated().unwrap().kind(), kind, "{version}");
            pair.close();
        }
    }
}

#[test]
fn two_runs_are_the_same() {
    for version in VERSIONS {
        let of = || {
            let mut pair = Pair::of(&contexts(version).client_auth());
            pair.exchange(Side::Client, b"data");
            [
                pair.to_server.sent().to_vec(),
                pair.to_client.sent().to_vec(),
            ]
        };
        assert_eq!(of(), of(), "{version}");
    }
}

#[test]
fn a_raw_peer_seals_under_the_known_keys() {
    for version in VERSIONS {
        for role in Side::BOTH {
            let (mut peer, mut engine) = RawPeer::facing(role, &contexts(version));
            if version == ProtocolVersion::Tls13 {
                let record = peer.key_update(1);
                engine.feed(&record);
            }
            let record = peer.data(b"sealed with what everybody knows");
            engine.feed(&record);
            let mut into = [0; 64];
            assert_eq!(
                engine.read(&mut into),
                Ok(Read::Read(32)),
                "{version} {role:?}"
            );
        }
    }
}

#[test]
fn a_handshake_completes_whatever_stands_where_its_secrets_stood() {
    for version in VERSIONS {
        let contexts = contexts(version).tickets(0);
        let mut pair = Pair::of(&contexts);
        pair.handshake();
        let flight = pair.to_client.sent().to_vec();
        // The longest run of fillings in the server's flight that is no tag: its signature.
        let run = [HANDSHAKE_FILLING; 64];
        let signature = flight.windows(64).position(|bytes| bytes == run).unwrap();
        let mut pair = Pair::of(&contexts);
        pair.to_client.flip_bit(signature, 3);
        pair.handshake();

        let tag = flight.windows(16).rposition(|bytes| bytes == TAG).unwrap();
        let mut pair = Pair::of(&contexts);
        pair.to_client.flip_bit(tag, 3);
        let (client, _) = pair.try_handshake();
        assert!(client.is_err(), "{version}: the tag is checked");
    }
}

#[test]
fn a_record_that_is_reflected_to_its_sender_is_refused() {
    for version in VERSIONS {
        for side in Side::BOTH {
            let mut pair = Pair::of(&contexts(version).tickets(0));
            pair.handshake();
            assert_eq!(
                pair.engine(side).write(b"mine"),
                Ok(Write::Written(4)),
                "{version} {side:?}"
            );
            let record = pair.engine(side).take_outgoing();
            assert_eq!(pair.engine(side).feed(&record), record.len());
            let refused = Err(Error::Peer(Peer::BadRecordMac));
            assert_eq!(pair.engine(side).read(&mut [0; 64]), refused, "{version}");
        }
    }
}

#[test]
fn a_record_of_an_earlier_generation_is_refused_at_the_same_number() {
    let contexts = contexts(ProtocolVersion::Tls13);
    for role in Side::BOTH {
        for generation in 0..3 {
            let (mut peer, mut engine) = RawPeer::facing(role, &contexts);
            for _ in 0..generation {
                engine.feed(&peer.key_update(0));
            }
            // Each key begins its numbers anew: this record's is that of the next key's first.
            let first = peer.data(b"once");
            engine.feed(&first);
            engine.feed(&peer.key_update(0));
            engine.feed(&first);
            assert_eq!(engine.read(&mut [0; 64]), Ok(Read::Read(4)));
            let refused = Err(Error::Peer(Peer::BadRecordMac));
            assert_eq!(engine.read(&mut [0; 64]), refused, "{role:?} {generation}");
        }
    }
}

#[test]
fn every_direction_and_every_generation_has_a_key_of_its_own() {
    let mut all: Vec<_> = Side::BOTH
        .into_iter()
        .flat_map(|side| (0..1_000).map(move |generation| filling(side, generation)))
        .collect();
    let made = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), made);
}
