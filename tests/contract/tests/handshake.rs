//! Facts H1 to H14: writing and reading before the handshake is complete.

use offwire::ProtocolVersion::{Tls12, Tls13};
use offwire::{Engine, Error, Handshake, Read, Write};
use offwire_contract::{VERSIONS, feed, quiet, read_outcome, received, take, waiting};
use offwire_testkit::{ContentType, Cuts, Pair, Progress, Side, records};

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
        for side in Side::BOTH {
            let mut pair = Pair::of(&quiet(version));
            pair.handshake();
            assert_eq!(
                pair.engine(side.peer()).write(b"unread"),
                Ok(Write::Written(6))
            );
            pair.settle();
            let engine = pair.engine(side);
            let opened = engine.stats().records_opened;
            assert_eq!(engine.write(b"hello"), Ok(Write::Written(5)));
            assert_eq!(engine.stats().records_opened, opened);
            assert_eq!(engine.pending(), 0);
            assert_eq!(received(engine), b"unread");
        }
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
fn h11_i8_a_deferred_write_has_taken_nothing_and_may_come_back_with_other_bytes() {
    for version in VERSIONS {
        for side in Side::BOTH {
            let mut pair = Pair::of(&quiet(version));
            let _ = pair.client.handshake().unwrap();
            pair.settle();
            // Shorter, longer, other bytes: until the peer has answered, none of them is taken.
            let mut deferred = 0;
            for attempt in [b"hello".as_slice(), b"other", b"a longer one", b"s"] {
                match pair.engine(side).write(attempt).unwrap() {
                    Write::NeedRead => deferred += 1,
                    Write::NeedWrite => {}
                    Write::Written(n) => panic!("{n} bytes before the handshake is complete"),
                }
                assert_eq!(pair.engine(side).committed(), 0);
                assert_eq!(pair.engine(side).stats().plaintext_sealed, 0);
                pair.settle();
            }
            assert!(deferred > 0);
            assert_eq!(pair.exchange(side, b"abc"), b"abc");
            pair.settle();
            assert_eq!(pair.engine(side).stats().plaintext_sealed, 3);
            assert_eq!(
                read_outcome(pair.engine(side.peer())),
                Ok(Read::NeedRead),
                "nothing else was sent"
            );
        }
    }
}

#[test]
fn h12_a_deferred_write_that_is_never_repeated_is_never_sent() {
    for version in VERSIONS {
        for side in Side::BOTH {
            let mut pair = Pair::of(&quiet(version));
            let _ = pair.engine(side).write(b"hello").unwrap();
            assert_eq!(
                pair.exchange(side.peer(), b"the other way"),
                b"the other way"
            );
            pair.settle();
            assert_eq!(pair.engine(side).stats().plaintext_sealed, 0);
            assert_eq!(read_outcome(pair.engine(side.peer())), Ok(Read::NeedRead));
        }
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

/// A verb, and whether it had output to be sent.
type Verb = fn(&mut Engine) -> Result<bool, Error>;

#[test]
fn h14_every_engine_has_a_role_from_birth_so_any_verb_may_come_first() {
    let verbs: [Verb; 5] = [
        |engine| Ok(engine.handshake()? == Handshake::NeedWrite),
        |engine| Ok(engine.write(b"hello")? == Write::NeedWrite),
        |engine| Ok(engine.write(b"")? == Write::NeedWrite),
        |engine| Ok(engine.read(&mut [0; 9])? == Read::NeedWrite),
        |engine| Ok(engine.peek(&mut [0; 9])? == Read::NeedWrite),
    ];
    for version in VERSIONS {
        for verb in verbs {
            let mut pair = Pair::of(&quiet(version));
            assert_eq!(verb(&mut pair.client), Ok(true));
            assert_eq!(pair.client.outgoing()[5], 1, "a client: ClientHello");
            assert_eq!(verb(&mut pair.server), Ok(false), "nothing to answer yet");
            pair.settle();
            assert_eq!(verb(&mut pair.server), Ok(true));
            assert_eq!(pair.server.outgoing()[5], 2, "a server: ServerHello");
            pair.handshake();
        }
    }
}
