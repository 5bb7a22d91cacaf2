//! Whole sessions: every suite, certificate and group, resumption, client certificates, ALPN and
//! SNI, a HelloRetryRequest, and KeyUpdates that both sides' key schedules agree on.

extern crate alloc;

use alloc::sync::Arc;

use offwire::rustls::{self, NamedGroup};
use offwire::{Alert, Certificate, Error, HandshakeKind, KeyUpdate, ProtocolVersion, Read, Write};
use offwire_testkit::{
    Authority, ClientAuth, Contexts, Cuts, Kind, Pair, Side, Suite, Usage, read_available,
};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// Exchanges records of every length class both ways, then closes.
fn use_and_close(mut pair: Pair) {
    for length in [1, 100, 16_384, 16_385, 70_000] {
        let bytes = vec![0xc5; length];
        assert_eq!(pair.exchange(Side::Client, &bytes), bytes);
        assert_eq!(pair.exchange(Side::Server, &bytes), bytes);
    }
    pair.close();
}

#[test]
fn every_suite_with_every_certificate() {
    for version in VERSIONS {
        for suite in Suite::ALL {
            for kind in Kind::ALL {
                let contexts = Contexts::new()
                    .version(version)
                    .suite(suite)
                    .certificate(kind);
                let mut pair = Pair::of(&contexts);
                pair.handshake();
                let negotiated = pair.client.negotiated().expect("the handshake is complete");
                assert_eq!(negotiated.version(), version);
                assert_eq!(negotiated.kind(), HandshakeKind::Full);
                assert_eq!(negotiated.peer_certificates().len(), 1);
                let name = negotiated.cipher_suite().name().expect("a known suite");
                let cipher = match suite {
                    Suite::Aes128Gcm => "AES_128_GCM",
                    Suite::Aes256Gcm => "AES_256_GCM",
                    Suite::ChaCha20Poly1305 => "CHACHA20_POLY1305",
                };
                assert!(name.contains(cipher), "{name}");
                use_and_close(pair);
            }
        }
    }
}

#[test]
fn every_group() {
    let groups = [
        NamedGroup::X25519,
        NamedGroup::secp256r1,
        NamedGroup::secp384r1,
        NamedGroup::X25519MLKEM768,
        NamedGroup::secp256r1MLKEM768,
    ];
    for group in groups {
        let mut pair = Pair::of(&Contexts::new().group(group));
        pair.handshake();
        for side in Side::BOTH {
            let negotiated = pair
                .engine(side)
                .negotiated()
                .expect("the handshake is complete");
            assert_eq!(
                negotiated.group().map(|group| group.code()),
                Some(u16::from(group))
            );
            assert!(negotiated.group().and_then(|group| group.name()).is_some());
        }
        use_and_close(pair);
    }
}

#[test]
fn a_hello_retry_request_is_followed_byte_by_byte() {
    for cuts in [Cuts::Whole, Cuts::Bytes(1)] {
        let mut pair = Pair::of(&Contexts::new().hello_retry()).cuts(cuts);
        pair.handshake();
        for side in Side::BOTH {
            let kind = pair
                .engine(side)
                .negotiated()
                .map(|negotiated| negotiated.kind());
            assert_eq!(kind, Some(HandshakeKind::FullWithHelloRetryRequest));
        }
        use_and_close(pair);
    }
}

#[test]
fn a_session_is_resumed_by_its_ticket() {
    for version in VERSIONS {
        let contexts = Contexts::new().version(version).client_auth();
        let (client, server) = contexts.build();
        for connection in 0..4 {
            let mut pair = Pair::new(&client, &server, &contexts);
            pair.handshake();
            // The tickets of TLS 1.3 come behind the handshake, and are met by a read.
            assert_eq!(pair.exchange(Side::Server, b"data"), b"data");
            let tickets = if version == ProtocolVersion::Tls13 {
                2
            } else {
                0
            };
            assert_eq!(pair.client.stats().tickets_received, tickets);
            let expected = if connection == 0 {
                HandshakeKind::Full
            } else {
                HandshakeKind::Resumed
            };
            for side in Side::BOTH {
                let negotiated = pair.engine(side).negotiated().expect("complete");
                assert_eq!(negotiated.kind(), expected, "{version} {connection}");
                assert_eq!(
                    negotiated.peer_certificates().len(),
                    1,
                    "{version} {connection}"
                );
            }
            use_and_close(pair);
        }
    }
}

#[test]
fn alpn_and_the_servers_name_are_agreed_on() {
    for version in VERSIONS {
        let contexts = Contexts::new()
            .version(version)
            .client_alpn(&[b"h2", b"http/1.1"])
            .server_alpn(&[b"http/1.1"])
            .server_name("server.test");
        let (client, server) = contexts.build();
        for _ in 0..2 {
            let mut pair = Pair::new(&client, &server, &contexts).cuts(Cuts::Bytes(1));
            pair.handshake();
            assert_eq!(pair.exchange(Side::Server, b"data"), b"data");
            for side in Side::BOTH {
                let negotiated = pair.engine(side).negotiated().expect("complete");
                assert_eq!(negotiated.alpn(), Some(&b"http/1.1"[..]));
                assert_eq!(
                    negotiated.server_name(),
                    Some("server.test"),
                    "{version} {side:?}"
                );
            }
        }
        let mut pair = Pair::of(&Contexts::new().version(version).server_name("127.0.0.1"));
        pair.handshake();
        for side in Side::BOTH {
            let negotiated = pair.engine(side).negotiated().expect("complete");
            assert_eq!((negotiated.server_name(), negotiated.alpn()), (None, None));
        }
    }
}

#[test]
fn no_common_protocol_ends_both_sides() {
    for version in VERSIONS {
        let contexts = Contexts::new().version(version);
        let contexts = contexts.client_alpn(&[b"h2"]).server_alpn(&[b"http/1.1"]);
        let mut pair = Pair::of(&contexts);
        let (client, server) = pair.try_handshake();
        assert_eq!(client, Err(Error::Alert(Alert::NO_APPLICATION_PROTOCOL)));
        let server = server.expect_err("nothing in common");
        assert!(
            matches!(server, Error::Peer(offwire::Peer::Incompatible(_))),
            "{server:?}"
        );
        assert_eq!(server.alert(), Some(Alert::NO_APPLICATION_PROTOCOL));
    }
}

#[test]
fn certificates_that_do_not_hold_are_refused_by_name() {
    let authority = Authority::shared();
    let expired = authority.issue_expired(Kind::EcdsaP256, Usage::Server);
    let early = authority.issue_not_yet_valid(Kind::EcdsaP256, Usage::Server);
    let elsewhere = authority.issue_named(Kind::EcdsaP256, Usage::Server, &["elsewhere.test"]);
    let untrusted = Authority::new().issue(Kind::EcdsaP256, Usage::Server);
    let purpose = authority.issue_named(Kind::EcdsaP256, Usage::Client, &["localhost"]);
    for version in VERSIONS {
        for (identity, reason) in [
            (&expired, Certificate::Expired),
            (&early, Certificate::NotValidYet),
            (&elsewhere, Certificate::NotValidForName),
            (&untrusted, Certificate::UnknownIssuer),
            (&purpose, Certificate::InvalidPurpose),
        ] {
            let contexts = Contexts::new()
                .version(version)
                .server_identity(identity.clone());
            let mut pair = Pair::of(&contexts);
            let (client, server) = pair.try_handshake();
            let client = client.expect_err("the certificate is refused");
            assert_eq!(client, Error::Certificate(reason.clone()), "{version}");
            // What the client says it has sent is what the server has got.
            let alert = client.alert().expect("an alert goes with it");
            assert_eq!(server, Err(Error::Alert(alert)), "{version} {reason:?}");
        }
    }
}

#[test]
fn a_client_certificate_is_accepted_refused_or_missed() {
    let untrusted = Authority::new().issue(Kind::EcdsaP256, Usage::Client);
    for version in VERSIONS {
        for kind in Kind::ALL {
            let identity = Authority::shared().issue(kind, Usage::Client);
            let contexts = Contexts::new().version(version).client_auth();
            let mut pair = Pair::of(&contexts.client_identity(identity.clone()));
            pair.handshake();
            let negotiated = pair.server.negotiated().expect("the handshake is complete");
            assert_eq!(negotiated.peer_certificates(), identity.chain());
            use_and_close(pair);
        }

        let contexts = Contexts::new().version(version).client_auth();
        let mut pair = Pair::of(&contexts.client_identity(untrusted.clone()));
        let (_, server) = pair.try_handshake();
        assert_eq!(server, Err(Error::Certificate(Certificate::UnknownIssuer)));

        let contexts = Contexts::new()
            .version(version)
            .client_auth_as(ClientAuth::Required);
        let mut pair = Pair::of(&contexts);
        let (_, server) = pair.try_handshake();
        let server = server.expect_err("a certificate is required");
        assert_eq!(server, Error::Certificate(Certificate::Missing));
        let mut received = Vec::new();
        let end = read_available(&mut pair.client, &mut received);
        assert_eq!(
            end,
            Err(Error::Alert(server.alert().expect("an alert goes with it")))
        );

        let contexts = Contexts::new()
            .version(version)
            .client_auth_as(ClientAuth::Optional);
        let mut pair = Pair::of(&contexts);
        pair.handshake();
        use_and_close(pair);
    }
}

#[test]
fn key_updates_of_both_sides_agree_for_every_suite() {
    for suite in Suite::ALL {
        let mut pair = Pair::of(&Contexts::new().suite(suite));
        pair.handshake();
        for round in 0..20 {
            let side = Side::BOTH[round % 2];
            let update = if round % 3 == 0 {
                KeyUpdate::Ours
            } else {
                KeyUpdate::Both
            };
            assert_eq!(pair.engine(side).key_update(update), Ok(()));
            assert_eq!(pair.exchange(side, b"there"), b"there");
            assert_eq!(pair.exchange(side.peer(), b"back"), b"back");
        }
        let (client, server) = (pair.client.stats(), pair.server.stats());
        assert!(client.key_updates_sealed >= 10 && server.key_updates_sealed >= 10);
        assert_eq!(client.key_updates_sealed, server.key_updates_received);
        assert_eq!(server.key_updates_sealed, client.key_updates_received);
        pair.close();
    }
}

#[test]
fn the_configured_key_log_sees_every_secret() {
    #[derive(Debug, Default)]
    struct Labels(std::sync::Mutex<Vec<String>>);
    impl rustls::KeyLog for Labels {
        fn log(&self, label: &str, _: &[u8], secret: &[u8]) {
            assert!(!secret.is_empty());
            self.0
                .lock()
                .expect("no panic before")
                .push(label.to_owned());
        }
    }

    let contexts = Contexts::new();
    let labels = Arc::new(Labels::default());
    let mut config = contexts.server_config();
    config.key_log = Arc::<Labels>::clone(&labels);
    let (client, _) = contexts.build();
    let mut pair = Pair::new(&client, &offwire::Server::new(config), &contexts);
    pair.handshake();
    let labels = labels.0.lock().expect("no panic before");
    for expected in [
        "CLIENT_TRAFFIC_SECRET_0",
        "SERVER_TRAFFIC_SECRET_0",
        "EXPORTER_SECRET",
    ] {
        assert!(
            labels.iter().any(|label| label == expected),
            "{expected} in {labels:?}"
        );
    }
}

#[test]
fn a_server_that_may_send_before_it_is_done_is_driven_to_the_end() {
    let contexts = Contexts::new();
    let mut config = contexts.server_config();
    config.send_half_rtt_data = true;
    let (client, _) = contexts.build();
    for cuts in [Cuts::Whole, Cuts::Bytes(1)] {
        let server = offwire::Server::new(config.clone());
        let mut pair = Pair::new(&client, &server, &contexts).cuts(cuts);
        pair.handshake();
        use_and_close(pair);
    }
}

#[test]
fn the_high_water_marks_are_those_of_the_queues() {
    let mut pair = Pair::of(&Contexts::new());
    assert_eq!(pair.client.write(b"data"), Ok(Write::NeedWrite));
    let flight = pair.client.outgoing().len();
    assert_eq!(pair.client.stats().outgoing_high_water, flight);
    assert_eq!(pair.server.feed(pair.client.outgoing()), flight);
    assert_eq!(pair.server.stats().incoming_high_water, flight);
}

#[test]
fn a_configuration_that_cannot_work_is_an_error_and_not_a_panic() {
    let contexts = Contexts::new().max_fragment_size(7);
    let (client, server) = contexts.build();
    let error = client
        .connect(contexts.name())
        .expect_err("rustls refuses 7 bytes");
    assert!(matches!(error, Error::Internal(_)), "{error:?}");
    let mut engine = server.accept();
    assert_eq!(engine.write(b"data"), Err(error.clone()));
    assert_eq!(engine.read(&mut [0; 9]), Err(error));
    assert!(engine.outgoing().is_empty());
}

#[test]
fn engines_and_contexts_can_be_moved_between_threads() {
    fn is_send<T: Send>() {}
    fn is_shared<T: Send + Sync + Clone>() {}
    is_send::<offwire::Engine>();
    is_send::<offwire::Acceptor>();
    is_shared::<offwire::Client>();
    is_shared::<offwire::Server>();

    let mut pair = Pair::of(&Contexts::new());
    pair.handshake();
    let mut pair = std::thread::spawn(move || {
        assert_eq!(pair.client.write(b"elsewhere"), Ok(Write::Written(9)));
        pair
    })
    .join()
    .expect("the thread ends well");
    pair.settle();
    assert_eq!(pair.server.read(&mut [0; 20]), Ok(Read::Read(9)));
}
