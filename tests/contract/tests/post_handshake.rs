//! Alerts and handshake messages behind the handshake: each violation has its error and its alert,
//! plaintext before it is delivered first, and the error stays.

use offwire::ProtocolVersion::{Tls12, Tls13};
use offwire::{Alert, Engine, Error, Peer, Read, Shutdown};
use offwire_contract::violation::{refused, refused_by_both};
use offwire_contract::{FULL, VERSIONS, feed, noise, raw, read_outcome, received};
use offwire_testkit::{ContentType, Side, messages};

const DATA: ContentType = ContentType::APPLICATION_DATA;
const HANDSHAKE: ContentType = ContentType::HANDSHAKE;
const ALERT: ContentType = ContentType::ALERT;

#[test]
fn an_empty_handshake_or_alert_record_is_refused() {
    for content_type in [HANDSHAKE, ALERT] {
        refused_by_both(
            &VERSIONS,
            &Peer::EmptyRecord,
            Alert::UNEXPECTED_MESSAGE,
            |peer| peer.seal(content_type, b""),
        );
    }
}

#[test]
fn an_alert_that_is_not_two_bytes_is_refused() {
    for alert in [[1].as_slice(), &[1, 0, 0], &[2, 20, 2, 20]] {
        refused_by_both(&VERSIONS, &Peer::Malformed, Alert::DECODE_ERROR, |peer| {
            peer.seal(ALERT, alert)
        });
    }
}

#[test]
fn a_key_update_that_is_not_last_in_its_record_is_refused() {
    for behind in [
        messages::key_update(0),
        messages::new_session_ticket(9),
        vec![24],
    ] {
        let both = [messages::key_update(0), behind].concat();
        refused_by_both(
            &[Tls13],
            &Peer::Interleaved,
            Alert::UNEXPECTED_MESSAGE,
            |peer| peer.message(&both),
        );
    }
}

#[test]
fn a_key_update_request_out_of_range_is_refused() {
    for request in [2, 255] {
        refused_by_both(
            &[Tls13],
            &Peer::IllegalParameter,
            Alert::ILLEGAL_PARAMETER,
            |peer| peer.message(&messages::key_update(request)),
        );
    }
}

#[test]
fn a_key_update_of_the_wrong_length_is_refused() {
    for body in [[].as_slice(), &[0, 0], &[1, 0, 0]] {
        refused_by_both(&[Tls13], &Peer::Malformed, Alert::DECODE_ERROR, |peer| {
            peer.message(&messages::handshake(24, body))
        });
    }
}

#[test]
fn a_key_update_in_tls12_is_refused() {
    refused_by_both(
        &[Tls12],
        &Peer::UnexpectedHandshake,
        Alert::UNEXPECTED_MESSAGE,
        |peer| peer.message(&messages::key_update(0)),
    );
}

#[test]
fn the_key_changes_right_behind_a_key_update() {
    refused_by_both(
        &[Tls13],
        &Peer::BadRecordMac,
        Alert::BAD_RECORD_MAC,
        |peer| {
            // The record behind is sealed under the old key.
            [peer.message(&messages::key_update(0)), peer.data(b"old")].concat()
        },
    );
}

#[test]
fn a_ticket_to_a_server_is_refused() {
    for version in VERSIONS {
        let expected = &Peer::UnexpectedHandshake;
        refused(
            Side::Server,
            version,
            expected,
            Alert::UNEXPECTED_MESSAGE,
            |peer| peer.message(&messages::new_session_ticket(10)),
        );
    }
}

#[test]
fn a_ticket_in_tls12_after_the_handshake_is_refused() {
    let expected = &Peer::UnexpectedHandshake;
    refused(
        Side::Client,
        Tls12,
        expected,
        Alert::UNEXPECTED_MESSAGE,
        |peer| peer.message(&messages::new_session_ticket(10)),
    );
}

#[test]
fn a_ticket_that_repeats_an_extension_is_refused() {
    // Lifetime, age, an empty nonce, a ticket of one byte, early_data with its limit twice.
    let early_data = [0, 42, 0, 4, 0, 0, 64, 0];
    let body = [
        [0, 0, 14, 16, 0, 0, 0, 0, 0, 0, 1, 9, 0, 16].as_slice(),
        &early_data,
        &early_data,
    ]
    .concat();
    refused(
        Side::Client,
        Tls13,
        &Peer::IllegalParameter,
        Alert::ILLEGAL_PARAMETER,
        |peer| peer.message(&messages::handshake(4, &body)),
    );
}

#[test]
fn a_ticket_that_cannot_be_decoded_is_refused() {
    let whole = messages::new_session_ticket(10);
    let short = messages::handshake(4, &whole[4..whole.len() - 1]);
    let long = messages::handshake(4, &[&whole[4..], &[0]].concat());
    for message in [short, long, messages::handshake(4, &[])] {
        refused(
            Side::Client,
            Tls13,
            &Peer::Malformed,
            Alert::DECODE_ERROR,
            |peer| peer.message(&message),
        );
    }
}

#[test]
fn other_handshake_messages_after_the_handshake_are_refused() {
    for message_type in [1, 2, 8, 11, 13, 15, 20, 254] {
        let expected = &Peer::UnexpectedHandshake;
        refused_by_both(&[Tls13], expected, Alert::UNEXPECTED_MESSAGE, |peer| {
            peer.message(&messages::handshake(message_type, &[0; 8]))
        });
    }
}

#[test]
fn a_handshake_message_must_not_be_interleaved() {
    let ticket = messages::new_session_ticket(100);
    for between in [DATA, ALERT] {
        let content: &[u8] = if between == DATA { b"data" } else { &[1, 90] };
        refused(
            Side::Client,
            Tls13,
            &Peer::Interleaved,
            Alert::UNEXPECTED_MESSAGE,
            |peer| [peer.message(&ticket[..50]), peer.seal(between, content)].concat(),
        );
    }
}

#[test]
fn a_handshake_message_is_reassembled_across_records() {
    let ticket = messages::new_session_ticket(300);
    for size in [1, 3, 4, 5, 200] {
        let (mut peer, mut engine) = raw(Side::Client, Tls13);
        for piece in ticket.chunks(size) {
            feed(&mut engine, &peer.message(piece));
            assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
        }
        assert_eq!(engine.stats().tickets_received, 1, "in pieces of {size}");
        feed(&mut engine, &peer.data(b"behind"));
        assert_eq!(received(&mut engine), b"behind");
    }
}

#[test]
fn several_messages_in_one_record_are_all_taken() {
    let (mut peer, mut engine) = raw(Side::Client, Tls13);
    let tickets = messages::new_session_ticket(300).repeat(3);
    feed(
        &mut engine,
        &peer.message(&[&tickets[..], &messages::key_update(1)].concat()),
    );
    peer.change_sealing_key();
    feed(&mut engine, &peer.data(b"behind"));
    assert_eq!(received(&mut engine), b"behind");
    assert_eq!(engine.stats().tickets_received, 3);
    assert_eq!(engine.stats().key_updates_received, 1);
}

#[test]
fn a_message_over_64_kib_is_refused() {
    let header = [4, 1, 0, 0];
    let (mut peer, mut engine) = raw(Side::Client, Tls13);
    feed(&mut engine, &peer.message(&header));
    let error = read_outcome(&mut engine).unwrap_err();
    assert!(matches!(error, Error::Peer(_)), "{error:?}");
    assert!(peer.drain(&mut engine)[0].alert().is_some());
}

#[test]
fn a_message_of_64_kib_is_not_refused_for_its_length() {
    let (mut peer, mut engine) = raw(Side::Client, Tls13);
    let ticket = messages::new_session_ticket(60_000);
    for piece in ticket.chunks(FULL) {
        feed(&mut engine, &peer.message(piece));
        assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
    }
    assert_eq!(engine.stats().tickets_received, 1);
}

#[test]
fn junk_behind_close_notify_is_ignored() {
    for version in VERSIONS {
        let (mut peer, mut engine) = raw(Side::Client, version);
        let mut wire = [
            peer.data(b"before"),
            peer.close_notify(),
            peer.data(b"late"),
        ]
        .concat();
        wire.extend(b"and no record at all");
        feed(&mut engine, &wire);
        assert_eq!(received(&mut engine), b"before");
        assert_closed(&mut engine);
        feed(&mut engine, &noise(100_000));
        assert_closed(&mut engine);
        assert_eq!(engine.shutdown(), Ok(Shutdown::NeedWrite));
        peer.drain(&mut engine);
        assert_eq!(
            engine.shutdown(),
            Ok(Shutdown::Complete),
            "the junk is gone"
        );
        assert_closed(&mut engine);
    }
}

fn assert_closed(engine: &mut Engine) {
    for _ in 0..2 {
        assert_eq!(read_outcome(engine), Ok(Read::Closed));
        assert_eq!(engine.pending(), 0);
        assert_eq!(engine.outgoing(), b"");
    }
}
