//! What the handshake agrees on, and why it refuses: every version, suite, certificate and group,
//! resumption, client certificates, ALPN, SNI, and handshakes that are large or cut small.

#![expect(clippy::indexing_slicing, reason = "tests fail by panicking")]

use offwire::ProtocolVersion::{Tls12, Tls13};
use offwire::rustls::NamedGroup;
use offwire::rustls::crypto::aws_lc_rs::ALL_KX_GROUPS;
use offwire::{Alert, Certificate, Error, Handshake, HandshakeKind, Peer, Read, Settings};
use offwire_contract::{VERSIONS, feed, noise, quiet, read_outcome, received, take};
use offwire_testkit::{
    Authority, ClientAuth, Contexts, Cuts, Identity, Kind, Pair, Progress, Side, Suite, Usage,
    records,
};

/// Both ends of a handshake that the given side must refuse.
fn refusal(contexts: &Contexts) -> (Result<(), Error>, Result<(), Error>) {
    Pair::of(contexts).try_handshake()
}

#[test]
fn every_version_suite_and_certificate() {
    for version in VERSIONS {
        for (suite, name) in Suite::ALL
            .into_iter()
            .zip(["AES_128", "AES_256", "CHACHA20"])
        {
            for kind in Kind::ALL {
                let mut pair = Pair::of(&quiet(version).suite(suite).certificate(kind));
                for side in Side::BOTH {
                    assert_eq!(pair.exchange(side, &noise(40_000)), noise(40_000));
                }
                for side in Side::BOTH {
                    let negotiated = pair.engine(side).negotiated().unwrap();
                    assert_eq!(negotiated.version(), version);
                    assert_eq!(negotiated.kind(), HandshakeKind::Full);
                    assert!(negotiated.cipher_suite().to_string().contains(name));
                    assert!(negotiated.group().is_some());
                }
                let certificates = pair.client.negotiated().unwrap().peer_certificates();
                assert_eq!(certificates, Identity::server(kind).chain());
                assert!(
                    pair.server
                        .negotiated()
                        .unwrap()
                        .peer_certificates()
                        .is_empty()
                );
                pair.close();
            }
        }
    }
}

#[test]
fn every_group_that_rustls_offers() {
    for version in VERSIONS {
        for group in ALL_KX_GROUPS.iter().map(|group| group.name()) {
            let code = u16::from(group);
            if version == Tls12 && code > 0x00ff {
                continue; // post-quantum groups are for TLS 1.3
            }
            let mut pair = Pair::of(&quiet(version).group(group));
            assert_eq!(pair.exchange(Side::Client, b"hello"), b"hello", "{group:?}");
            for side in Side::BOTH {
                let agreed = pair.engine(side).negotiated().unwrap().group().unwrap();
                assert_eq!(agreed.code(), code);
            }
        }
    }
}

#[test]
fn x25519mlkem768_is_among_the_groups() {
    let mut pair = Pair::of(&quiet(Tls13).group(NamedGroup::X25519MLKEM768));
    pair.handshake();
    assert_eq!(
        pair.client.negotiated().unwrap().group().unwrap().code(),
        0x11ec
    );
}

#[test]
fn a_hello_retry_request_is_followed() {
    let mut pair = Pair::of(&quiet(Tls13).hello_retry()).cuts(Cuts::Bytes(100));
    assert_eq!(pair.exchange(Side::Client, b"hello"), b"hello");
    for side in Side::BOTH {
        let kind = pair.engine(side).negotiated().unwrap().kind();
        assert_eq!(kind, HandshakeKind::FullWithHelloRetryRequest);
    }
}

#[test]
fn sessions_are_resumed_by_tickets() {
    for version in VERSIONS {
        for suite in Suite::ALL {
            let contexts = quiet(version).suite(suite).tickets(2).client_auth();
            let (client, server) = contexts.build();
            for expected in [
                HandshakeKind::Full,
                HandshakeKind::Resumed,
                HandshakeKind::Resumed,
            ] {
                let mut pair = Pair::new(&client, &server, &contexts);
                for side in Side::BOTH {
                    assert_eq!(pair.exchange(side, &noise(20_000)), noise(20_000));
                }
                for side in Side::BOTH {
                    let negotiated = pair.engine(side).negotiated().unwrap();
                    assert_eq!(negotiated.kind(), expected, "{version} {side:?}");
                    assert_eq!(negotiated.version(), version);
                    assert_eq!(
                        negotiated.peer_certificates().len(),
                        1,
                        "kept by the session"
                    );
                }
                pair.close();
            }
        }
    }
}

#[test]
fn without_tickets_nothing_is_resumed_in_tls13() {
    let contexts = quiet(Tls13);
    let (client, server) = contexts.build();
    for _ in 0..2 {
        let mut pair = Pair::new(&client, &server, &contexts);
        assert_eq!(pair.exchange(Side::Server, b"hello"), b"hello");
        assert_eq!(
            pair.client.negotiated().unwrap().kind(),
            HandshakeKind::Full
        );
    }
}

#[test]
fn client_certificates_of_every_kind() {
    for version in VERSIONS {
        for kind in Kind::ALL {
            let identity = Identity::client(kind);
            let mut pair = Pair::of(
                &quiet(version)
                    .client_identity(identity.clone())
                    .client_auth(),
            );
            assert_eq!(pair.exchange(Side::Client, b"hello"), b"hello");
            let certificates = pair.server.negotiated().unwrap().peer_certificates();
            assert_eq!(certificates, identity.chain());
        }
    }
}

#[test]
fn a_client_certificate_may_be_missing_where_it_is_optional() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version).client_auth_as(ClientAuth::Optional));
        assert_eq!(pair.exchange(Side::Client, b"hello"), b"hello");
        assert!(
            pair.server
                .negotiated()
                .unwrap()
                .peer_certificates()
                .is_empty()
        );
    }
}

#[test]
fn a_missing_client_certificate_is_refused_where_it_is_required() {
    for version in VERSIONS {
        let (_, server) = refusal(&quiet(version).client_auth_as(ClientAuth::Required));
        assert_eq!(server, Err(Error::Certificate(Certificate::Missing)));
    }
}

#[test]
fn a_client_certificate_of_a_stranger_is_refused() {
    let stranger = Authority::new().issue(Kind::EcdsaP256, Usage::Client);
    let server_only = Identity::server(Kind::EcdsaP256);
    let expired = Authority::shared().issue_expired(Kind::EcdsaP256, Usage::Client);
    for version in VERSIONS {
        for (identity, expected) in [
            (&stranger, Certificate::UnknownIssuer),
            (&server_only, Certificate::InvalidPurpose),
            (&expired, Certificate::Expired),
        ] {
            let contexts = quiet(version)
                .client_identity(identity.clone())
                .client_auth();
            let (_, server) = refusal(&contexts);
            assert_eq!(server, Err(Error::Certificate(expected)));
        }
    }
}

#[test]
fn a_server_certificate_is_refused_for_its_reason_and_the_server_is_told() {
    let shared = Authority::shared();
    let kind = Kind::EcdsaP256;
    let cases = [
        (
            shared.issue_expired(kind, Usage::Server),
            Certificate::Expired,
        ),
        (
            shared.issue_not_yet_valid(kind, Usage::Server),
            Certificate::NotValidYet,
        ),
        (
            shared.issue_named(kind, Usage::Server, &["other.test"]),
            Certificate::NotValidForName,
        ),
        (
            shared.issue_named(kind, Usage::Client, &["localhost"]),
            Certificate::InvalidPurpose,
        ),
        (
            Authority::new().issue(kind, Usage::Server),
            Certificate::UnknownIssuer,
        ),
    ];
    for version in VERSIONS {
        for (identity, expected) in &cases {
            let (client, server) = refusal(&quiet(version).server_identity(identity.clone()));
            let error = client.unwrap_err();
            assert_eq!(error, Error::Certificate(expected.clone()));
            let alert = error.alert().unwrap();
            assert_eq!(server, Err(Error::Alert(alert)), "{expected:?}");
        }
    }
}

#[test]
fn alpn_is_agreed_on_in_the_servers_order() {
    for version in VERSIONS {
        let contexts = quiet(version)
            .client_alpn(&[b"http/1.1", b"h2"])
            .server_alpn(&[b"h2", b"http/1.1"]);
        let mut pair = Pair::of(&contexts);
        pair.handshake();
        for side in Side::BOTH {
            assert_eq!(
                pair.engine(side).negotiated().unwrap().alpn(),
                Some(&b"h2"[..])
            );
        }
        let mut pair = Pair::of(&quiet(version).client_alpn(&[b"h2"]));
        pair.handshake();
        assert_eq!(pair.client.negotiated().unwrap().alpn(), None);
    }
}

#[test]
fn no_common_application_protocol_is_refused() {
    for version in VERSIONS {
        let (client, server) = refusal(&quiet(version).client_alpn(&[b"h3"]).server_alpn(&[b"h2"]));
        let error = server.unwrap_err();
        assert!(
            matches!(error, Error::Peer(Peer::Incompatible(_))),
            "{error:?}"
        );
        assert_eq!(error.alert(), Some(Alert::NO_APPLICATION_PROTOCOL));
        assert_eq!(client, Err(Error::Alert(Alert::NO_APPLICATION_PROTOCOL)));
    }
}

#[test]
fn the_name_asked_for_is_known_to_both_unless_it_is_an_address() {
    for version in VERSIONS {
        for (name, expected) in [("server.test", Some("server.test")), ("127.0.0.1", None)] {
            let mut pair = Pair::of(&quiet(version).server_name(name));
            pair.handshake();
            for side in Side::BOTH {
                let negotiated = pair.engine(side).negotiated().unwrap();
                assert_eq!(negotiated.server_name(), expected);
            }
        }
    }
}

#[test]
fn no_common_version_is_refused() {
    let (client, _) = quiet(Tls13).build();
    let (_, server) = quiet(Tls12).build();
    let mut pair = Pair::new(&client, &server, &quiet(Tls13));
    let (client, server) = pair.try_handshake();
    let error = server.unwrap_err();
    assert!(
        matches!(error, Error::Peer(Peer::Incompatible(_))),
        "{error:?}"
    );
    assert_eq!(error.alert(), Some(Alert::PROTOCOL_VERSION));
    assert_eq!(client, Err(Error::Alert(Alert::PROTOCOL_VERSION)));
}

#[test]
fn a_chain_of_47_kb_is_taken_in_records_of_any_size() {
    let identity = Authority::shared().issue_huge(Kind::EcdsaP256, Usage::Server, 47_000);
    let limits = Settings::default().incoming_limit(0).outgoing_limit(0);
    for version in VERSIONS {
        for fragment in [None, Some(32), Some(37), Some(69), Some(1_000)] {
            let mut contexts = quiet(version)
                .server_identity(identity.clone())
                .settings(limits);
            if let Some(bytes) = fragment {
                contexts = contexts.max_fragment_size(bytes);
            }
            for cuts in [Cuts::Whole, Cuts::Seeded(1), Cuts::Bytes(1_460)] {
                let mut pair = Pair::of(&contexts).cuts(cuts);
                assert_eq!(pair.exchange(Side::Client, b"hello"), b"hello");
                let bound = 16_413 + 128;
                assert!(pair.server.stats().outgoing_high_water <= bound);
            }
        }
    }
}

/// Drives a handshake in which every plaintext handshake record is cut into records of `len` bytes.
fn refragmented(contexts: &Contexts, len: usize) -> Result<Pair, Error> {
    let mut pair = Pair::of(contexts);
    for _ in 0..10 {
        for side in Side::BOTH {
            let outcome = pair.engine(side).handshake()?;
            let mut wire = take(pair.engine(side));
            if pair.client.negotiated().is_none() {
                wire = records::refragment(&wire, len);
            }
            let peer = pair.engine(side.peer());
            let mut fed = peer.feed(&wire);
            while fed < wire.len() {
                let outcome = peer.handshake()?;
                let taken = peer.feed(&wire[fed..]);
                assert!(taken > 0, "{outcome:?} and no room: it waits for ever");
                fed += taken;
            }
            assert!(outcome != Handshake::NeedRead || wire.is_empty());
        }
    }
    Ok(pair)
}

#[test]
fn handshake_messages_may_be_cut_into_records_of_1_32_and_64_bytes() {
    for version in VERSIONS {
        for len in [1, 2, 3, 4, 5, 32, 64] {
            let mut pair = refragmented(&quiet(version), len).unwrap();
            assert_eq!(
                pair.exchange(Side::Client, b"hello"),
                b"hello",
                "{version} in {len}"
            );
            assert_eq!(pair.exchange(Side::Server, b"hello"), b"hello");
        }
    }
}

#[test]
fn a_handshake_that_exceeds_the_queue_is_refused_instead_of_waiting_for_ever() {
    // 47 KB in records of one byte: 282 KB on the wire.
    let identity = Authority::shared().issue_huge(Kind::EcdsaP256, Usage::Server, 47_000);
    let contexts = quiet(Tls12)
        .server_identity(identity)
        .settings(Settings::default().outgoing_limit(1 << 20));
    let outcome = refragmented(&contexts, 1);
    assert_eq!(outcome.map(drop), Err(Error::Peer(Peer::HandshakeTooLarge)));
}

#[test]
fn last_flight_tickets_and_data_may_arrive_in_one_feed() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version).tickets(4));
        let mut wire = Vec::new();
        pair.run_until("the handshake", |pair| {
            let _ = pair.client.handshake().unwrap();
            pair.settle_towards(Side::Server);
            if pair.server.handshake() == Ok(Handshake::Complete) {
                let _ = pair.server.write(b"data").unwrap();
                let _ = pair.server.shutdown().unwrap();
                wire = take(&mut pair.server);
                return Progress::Done;
            }
            Progress::None
        });
        feed(&mut pair.client, &wire);
        assert_eq!(received(&mut pair.client), b"data");
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Closed));
    }
}
