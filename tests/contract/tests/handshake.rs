//! Facts H1 to H18: writing and reading before the handshake is complete.

use offwire::ProtocolVersion::{Tls12, Tls13};
use offwire::{Alert, Error, Handshake, Peer, Read, Write};
use offwire_contract::{VERSIONS, feed, quiet, read, read_outcome, received, take, waiting};
use offwire_testkit::{ClientAuth, ContentType, Cuts, Kind, Pair, Progress, Side, Suite, records};

fn types(wire: &[u8]) -> Vec<ContentType> {
    records::split_whole(wire)
        .iter()
        .map(|record| record.content_type)
        .collect()
}

const CCS: ContentType = ContentType::CHANGE_CIPHER_SPEC;
const HANDSHAKE: ContentType = ContentType::HANDSHAKE;
const DATA: ContentType = ContentType::APPLICATION_DATA;

#[test]
fn h1_client_write_emits_client_hello_and_waits() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version));
        assert_eq!(pair.client.outgoing(), b"");
        assert_eq!(pair.client.write(b"hello"), Ok(Write::NeedWrite));
        assert_eq!(pair.client.committed(), 0);
        let flight = take(&mut pair.client);
        assert_eq!(types(&flight), [HANDSHAKE]);
        assert_eq!(flight[5], 1, "a ClientHello");
        assert_eq!(pair.client.write(b"hello"), Ok(Write::NeedRead));
        assert_eq!(pair.client.outgoing(), b"", "one ClientHello is enough");
    }
}

#[test]
fn h2_server_write_waits_for_the_client_hello_and_emits_its_flight() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version));
        assert_eq!(pair.server.write(b"hello"), Ok(Write::NeedRead));
        assert_eq!(pair.client.handshake(), Ok(Handshake::NeedWrite));
        let half = pair.client.outgoing().len() / 2;
        assert_eq!(pair.move_to_server(half), half);
        assert_eq!(pair.server.write(b"hello"), Ok(Write::NeedRead));
        assert_eq!(pair.server.outgoing(), b"");
        pair.settle_towards(Side::Server);
        assert_eq!(pair.server.write(b"hello"), Ok(Write::NeedWrite));
        assert_eq!(pair.server.outgoing()[5], 2, "a ServerHello");
        take(&mut pair.server);
        assert_eq!(pair.server.write(b"hello"), Ok(Write::NeedRead));
    }
}

#[test]
fn h3_need_read_comes_only_once_the_flight_has_left() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version)).cuts(Cuts::Bytes(1));
        pair.run_until("the handshake", |pair| {
            let mut complete = 0;
            for side in Side::BOTH {
                let engine = pair.engine(side);
                match engine.write(b"x").unwrap() {
                    Write::NeedRead => assert_eq!(waiting(engine), 0),
                    Write::NeedWrite => assert!(waiting(engine) > 0),
                    Write::Written(1) => complete += 1,
                    Write::Written(n) => panic!("{n} bytes of one"),
                }
            }
            if complete == 2 {
                Progress::Done
            } else {
                Progress::None
            }
        });
    }
}

#[test]
fn h4_tls13_client_write_succeeds_in_the_call_after_the_servers_flight() {
    let mut pair = Pair::of(&quiet(Tls13));
    assert_eq!(pair.client.write(b"hello"), Ok(Write::NeedWrite));
    pair.settle_towards(Side::Server);
    assert_eq!(pair.client.write(b"hello"), Ok(Write::NeedRead));
    assert_eq!(pair.server.handshake(), Ok(Handshake::NeedWrite));
    pair.settle_towards(Side::Client);
    assert_eq!(pair.client.write(b"hello"), Ok(Write::Written(5)));
    let flight = take(&mut pair.client);
    assert_eq!(
        types(&flight),
        [CCS, DATA, DATA],
        "CCS, Finished, the application record"
    );
    assert_eq!(pair.client.stats().need_reads, 1);
    feed(&mut pair.server, &flight);
    assert_eq!(received(&mut pair.server), b"hello");
}

#[test]
fn h5_tls12_client_write_waits_twice() {
    let mut pair = Pair::of(&quiet(Tls12));
    let mut flights = 0;
    while pair.client.write(b"hello").unwrap() != Write::Written(5) {
        if waiting(&pair.client) == 0 {
            flights += 1;
            assert!(flights <= 2, "more than two waits");
            let _ = pair.server.handshake().unwrap();
        }
        pair.settle();
    }
    assert_eq!(flights, 2);
    assert_eq!(types(&take(&mut pair.client)), [DATA]);
}

#[test]
fn h6_tls13_server_write_succeeds_with_the_clients_finished_behind_its_tickets() {
    let mut pair = Pair::of(&quiet(Tls13).tickets(2));
    let _ = pair.client.handshake().unwrap();
    pair.settle_towards(Side::Server);
    assert_eq!(pair.server.write(b"hello"), Ok(Write::NeedWrite));
    pair.settle_towards(Side::Client);
    assert_eq!(pair.server.write(b"hello"), Ok(Write::NeedRead));
    assert_eq!(pair.client.handshake(), Ok(Handshake::Complete));
    pair.settle_towards(Side::Server);
    assert_eq!(pair.server.write(b"hello"), Ok(Write::Written(5)));
    assert_eq!(pair.server.stats().need_reads, 1);
    let flight = take(&mut pair.server);
    let records = records::split_whole(&flight);
    assert!(
        records.len() >= 2,
        "tickets and the application record: {records:?}"
    );
    assert_eq!(records.last().unwrap().wire_len(), 5 + 5 + 1 + 16);
    feed(&mut pair.client, &flight);
    assert_eq!(received(&mut pair.client), b"hello");
    assert_eq!(pair.client.stats().tickets_received, 2);
}

#[test]
fn h7_tls12_server_write_succeeds_with_the_clients_finished() {
    let mut pair = Pair::of(&quiet(Tls12).tickets(1));
    for _ in 0..2 {
        let _ = pair.client.handshake().unwrap();
        pair.settle_towards(Side::Server);
        if pair.server.write(b"hello").unwrap() == Write::Written(5) {
            break;
        }
        pair.settle_towards(Side::Client);
    }
    let flight = take(&mut pair.server);
    assert_eq!(
        types(&flight),
        [HANDSHAKE, CCS, HANDSHAKE, DATA],
        "ticket, CCS, Finished, data"
    );
    feed(&mut pair.client, &flight);
    assert_eq!(received(&mut pair.client), b"hello");
}

#[test]
fn h8_both_sides_only_write() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version));
        let mut written = [0; 2];
        pair.run_until("two writes", |pair| {
            for (side, written) in Side::BOTH.into_iter().zip(&mut written) {
                if *written == 0
                    && let Write::Written(n) = pair.engine(side).write(b"hello").unwrap()
                {
                    *written = n;
                }
            }
            if written == [5, 5] {
                Progress::Done
            } else {
                Progress::None
            }
        });
        pair.settle();
        assert_eq!(received(&mut pair.client), b"hello");
        assert_eq!(received(&mut pair.server), b"hello");
    }
}

#[test]
fn h9_a_write_does_not_read_past_the_handshake() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version));
        pair.handshake();
        assert_eq!(pair.server.write(b"unread"), Ok(Write::Written(6)));
        pair.settle();
        let opened = pair.client.stats().records_opened;
        assert_eq!(pair.client.write(b"hello"), Ok(Write::Written(5)));
        assert_eq!(pair.client.stats().records_opened, opened);
        assert_eq!(pair.client.pending(), 0);
        assert_eq!(received(&mut pair.client), b"unread");
    }
}

#[test]
fn h10_any_transport_gives_the_same_end() {
    for version in VERSIONS {
        for bytes in [1, 5, 100] {
            for first in Side::BOTH {
                let mut pair = Pair::of(&quiet(version).tickets(2))
                    .cuts(Cuts::Bytes(bytes))
                    .capacity(bytes);
                assert_eq!(pair.exchange(first, b"hello"), b"hello");
                assert_eq!(pair.exchange(first.peer(), b"world"), b"world");
                pair.close();
            }
        }
    }
}

#[test]
fn h11_a_deferred_write_may_come_back_with_other_bytes() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version));
        assert_eq!(pair.client.write(b"hello"), Ok(Write::NeedWrite));
        pair.settle();
        assert_eq!(pair.client.write(b"hello"), Ok(Write::NeedRead));
        assert_eq!(pair.client.committed(), 0);
        assert_eq!(pair.exchange(Side::Client, b"abc"), b"abc");
        pair.settle();
        assert_eq!(
            read_outcome(&mut pair.server),
            Ok(Read::NeedRead),
            "nothing else was sent"
        );
    }
}

#[test]
fn h12_a_deferred_write_that_is_never_repeated_is_never_sent() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version));
        assert_eq!(pair.client.write(b"hello"), Ok(Write::NeedWrite));
        assert_eq!(
            pair.exchange(Side::Server, b"to the client"),
            b"to the client"
        );
        pair.settle();
        assert_eq!(pair.client.stats().plaintext_sealed, 0);
        assert_eq!(read_outcome(&mut pair.server), Ok(Read::NeedRead));
    }
}

#[test]
fn h13_an_empty_write_drives_the_handshake() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version));
        let mut done = [false; 2];
        pair.run_until("empty writes", |pair| {
            for (side, done) in Side::BOTH.into_iter().zip(&mut done) {
                *done |= pair.engine(side).write(b"").unwrap() == Write::Written(0);
            }
            if done == [true; 2] {
                Progress::Done
            } else {
                Progress::None
            }
        });
        assert_eq!(pair.client.handshake(), Ok(Handshake::Complete));
        assert_eq!(pair.client.stats().records_sealed, 0);
        assert_eq!(pair.server.stats().records_sealed, 0);
    }
}

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
        let last = whole.to_client.sent().len();
        for offset in (0..last).step_by(37).chain([last - 1]) {
            let mut pair = Pair::of(&contexts);
            pair.to_client.end_at(offset);
            let (client, _) = pair.try_handshake();
            assert_eq!(
                client,
                Err(Error::Peer(Peer::HandshakeTruncated)),
                "after {offset} bytes"
            );
        }
        let mut pair = Pair::of(&contexts);
        pair.to_client.end_at(last);
        assert_eq!(
            pair.try_handshake(),
            (Ok(()), Ok(())),
            "behind the handshake"
        );
    }
}
