//! Facts H16 to H18: handshakes that fail.

use offwire::ProtocolVersion::{Tls12, Tls13};
use offwire::{Alert, Error, Handshake, Peer, Write};
use offwire_contract::{VERSIONS, quiet, read, read_outcome, take};
use offwire_testkit::{ClientAuth, Kind, Pair, Progress, Side, Suite};

#[test]
fn h16_no_common_cipher_suite_is_fatal_to_both() {
    for version in VERSIONS {
        let (client, _) = quiet(version).build();
        let (_, server) = quiet(version).suite(Suite::ChaCha20Poly1305).build();
        let mut pair = Pair::new(&client, &server, &quiet(version));
        assert_eq!(pair.client.write(b"hello"), Ok(Write::NeedWrite));
        pair.settle();
        let error = pair.server.write(b"hello").unwrap_err();
        assert!(
            matches!(error, Error::Peer(Peer::Incompatible(_))),
            "{error:?}"
        );
        assert_eq!(error.alert(), Some(Alert::HANDSHAKE_FAILURE));
        assert_eq!(pair.server.outgoing(), [21, 3, 3, 0, 2, 2, 40]);
        pair.settle();
        let alert = Err(Error::Alert(Alert::HANDSHAKE_FAILURE));
        assert_eq!(pair.client.write(b"hello"), alert);
        assert_eq!(pair.client.write(b"hello"), alert);
        assert_eq!(pair.server.write(b"hello"), Err(error));
    }
}

#[test]
fn h17_a_tls13_write_succeeds_before_the_client_certificate_is_refused() {
    let mut pair = Pair::of(&quiet(Tls13).client_auth_as(ClientAuth::Required));
    assert_eq!(pair.client.write(b"hello"), Ok(Write::NeedWrite));
    pair.settle();
    assert_eq!(pair.server.handshake(), Ok(Handshake::NeedWrite));
    pair.settle();
    assert_eq!(pair.client.write(b"hello"), Ok(Write::Written(5)));
    pair.settle();
    let error = pair.server.handshake().unwrap_err();
    assert_eq!(error.alert(), Some(Alert::CERTIFICATE_REQUIRED));
    pair.settle();
    assert_eq!(
        pair.client.write(b"again"),
        Ok(Write::Written(5)),
        "writes do not read"
    );
    let alert = Error::Alert(Alert::CERTIFICATE_REQUIRED);
    assert_eq!(read(&mut pair.client), Err(alert.clone()));
    assert_eq!(pair.client.write(b"again"), Err(alert));
}

#[test]
fn h17_a_tls12_write_fails_once_the_client_certificate_is_refused() {
    let mut pair = Pair::of(&quiet(Tls12).client_auth_as(ClientAuth::Required));
    pair.run_until("the refusal", |pair| {
        let _ = pair.server.handshake();
        match pair.client.write(b"hello") {
            Ok(Write::NeedRead | Write::NeedWrite) => Progress::None,
            Ok(Write::Written(_)) => panic!("written to a server that refused"),
            Err(error) => {
                assert!(matches!(error, Error::Alert(_)), "{error:?}");
                Progress::Done
            }
        }
    });
}

#[test]
fn h18_an_end_of_transport_in_the_handshake_is_fatal() {
    let truncated = Error::Peer(Peer::HandshakeTruncated);
    for version in VERSIONS {
        for side in Side::BOTH {
            let mut pair = Pair::of(&quiet(version));
            pair.engine(side).feed_eof();
            let engine = pair.engine(side);
            while engine.write(b"hello") == Ok(Write::NeedWrite) {
                take(engine);
            }
            assert_eq!(engine.write(b"hello"), Err(truncated.clone()));
            assert_eq!(engine.handshake(), Err(truncated.clone()));
            assert_eq!(read_outcome(engine), Err(truncated.clone()));
        }
    }
}

#[test]
fn h18_an_end_of_transport_at_every_byte_of_the_handshake_is_fatal() {
    for version in VERSIONS {
        // Ed25519: a signature of fixed length, so that all handshakes are equally long.
        let contexts = quiet(version).certificate(Kind::Ed25519);
        let mut whole = Pair::of(&contexts);
        whole.handshake();
        for side in Side::BOTH {
            let last = whole.link_to(side).sent().len();
            for offset in (0..last).step_by(37).chain([last - 1]) {
                let mut pair = Pair::of(&contexts);
                pair.link_to(side).end_at(offset);
                let (client, server) = pair.try_handshake();
                let ended = if side == Side::Client { client } else { server };
                assert_eq!(
                    ended,
                    Err(Error::Peer(Peer::HandshakeTruncated)),
                    "{side:?} after {offset} bytes"
                );
            }
            let mut pair = Pair::of(&contexts);
            pair.link_to(side).end_at(last);
            assert_eq!(
                pair.try_handshake(),
                (Ok(()), Ok(())),
                "behind the handshake"
            );
        }
    }
}
