//! Records without data are bounded: so many in a row are taken, one more is fatal, and
//! application data between them starts the count again.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use offwire::ProtocolVersion::{self, Tls12, Tls13};
use offwire::{Alert, Engine, Error, Flood, Peer, Read};
use offwire_contract::{VERSIONS, feed, raw, read_outcome, received};
use offwire_testkit::{ContentType, RawPeer, Side, messages};

/// Feeds one record of the flood and reads; the engine must go on.
fn taken(
    peer: &mut RawPeer,
    engine: &mut Engine,
    record: &mut impl FnMut(&mut RawPeer) -> Vec<u8>,
) {
    feed(engine, &record(peer));
    assert_eq!(read_outcome(engine), Ok(Read::NeedRead));
}

/// `limit` records are taken twice, with data between; then one more than `limit` kills.
fn limited(
    role: Side,
    version: ProtocolVersion,
    limit: usize,
    flood: Flood,
    mut record: impl FnMut(&mut RawPeer) -> Vec<u8>,
) {
    let (mut peer, mut engine) = raw(role, version);
    for _ in 0..2 {
        for _ in 0..limit {
            taken(&mut peer, &mut engine, &mut record);
        }
        feed(&mut engine, &peer.data(b"data"));
        assert_eq!(received(&mut engine), b"data");
    }
    for _ in 0..limit {
        taken(&mut peer, &mut engine, &mut record);
    }
    peer.drain(&mut engine);
    feed(&mut engine, &record(&mut peer));
    let error = Error::Peer(Peer::Flood(flood));
    for _ in 0..2 {
        assert_eq!(read_outcome(&mut engine), Err(error.clone()));
        assert_eq!(engine.write(b"data"), Err(error.clone()));
    }
    let opened = peer.drain(&mut engine);
    assert_eq!(
        opened.last().unwrap().alert(),
        Some((2, Alert::UNEXPECTED_MESSAGE))
    );
}

#[test]
fn empty_records_are_limited_to_32_in_a_row() {
    for version in VERSIONS {
        for role in Side::BOTH {
            limited(role, version, 32, Flood::EmptyRecords, |peer| {
                peer.data(b"")
            });
        }
    }
}

#[test]
fn e10_warnings_are_limited_to_4_in_a_row() {
    for version in VERSIONS {
        for role in Side::BOTH {
            limited(role, version, 4, Flood::Warnings, |peer| {
                peer.seal(ContentType::ALERT, &messages::warning(Alert::USER_CANCELED))
            });
        }
    }
}

#[test]
fn key_updates_are_limited_to_32_in_a_row() {
    for request in [0, 1] {
        for role in Side::BOTH {
            limited(role, Tls13, 32, Flood::KeyUpdates, |peer| {
                peer.key_update(request)
            });
        }
    }
}

#[test]
fn tickets_are_limited_to_32_in_a_row() {
    limited(Side::Client, Tls13, 32, Flood::Tickets, |peer| {
        peer.message(&messages::new_session_ticket(10))
    });
}

#[test]
fn renegotiation_requests_are_limited_to_32_in_a_row() {
    limited(Side::Client, Tls12, 32, Flood::Renegotiations, |peer| {
        peer.message(&messages::hello_request())
    });
    limited(Side::Server, Tls12, 32, Flood::Renegotiations, |peer| {
        peer.message(&messages::client_hello())
    });
}

#[test]
fn messages_that_share_a_record_are_counted_one_by_one() {
    let (mut peer, mut engine) = raw(Side::Client, Tls13);
    feed(
        &mut engine,
        &peer.message(&messages::new_session_ticket(10).repeat(33)),
    );
    let error = Error::Peer(Peer::Flood(Flood::Tickets));
    assert_eq!(read_outcome(&mut engine), Err(error));
}

#[test]
fn an_empty_record_is_no_application_data_that_starts_a_count_again() {
    let (mut peer, mut engine) = raw(Side::Client, Tls13);
    let mut outcome = Ok(Read::NeedRead);
    for _ in 0..33 {
        let records = [peer.key_update(0), peer.data(b"")].concat();
        feed(&mut engine, &records);
        outcome = read_outcome(&mut engine);
    }
    assert!(
        matches!(outcome, Err(Error::Peer(Peer::Flood(_)))),
        "{outcome:?}"
    );
}

#[test]
fn the_limits_stand_whether_or_not_the_records_arrive_together() {
    for limit_passed in [false, true] {
        let (mut peer, mut engine) = raw(Side::Server, Tls12);
        let count = if limit_passed { 33 } else { 32 };
        let mut wire = Vec::new();
        for _ in 0..count {
            wire.extend(peer.data(b""));
        }
        wire.extend(peer.data(b"data"));
        feed(&mut engine, &wire);
        if limit_passed {
            let error = Error::Peer(Peer::Flood(Flood::EmptyRecords));
            assert_eq!(read_outcome(&mut engine), Err(error));
        } else {
            assert_eq!(received(&mut engine), b"data");
        }
    }
}
