//! Facts R3 to R9, A3 and rule 13: TLS 1.2 renegotiation is refused and data flows on; differences X9
//! and X15.

use offwire::ProtocolVersion::{Tls12, Tls13};
use offwire::{Alert, Error, Handshake, Peer, Read, Shutdown, Write};
use offwire_contract::{
    FULL, WRITE_MODES, feed, noise, raw, raw_with, read, read_outcome, received, sent,
};
use offwire_testkit::{Opened, Side, messages};

fn alerts(opened: &[Opened]) -> Vec<(u8, Alert)> {
    opened.iter().filter_map(Opened::alert).collect()
}

const REFUSAL: (u8, Alert) = (1, Alert::NO_RENEGOTIATION);

#[test]
fn r6_r9_x15_a_hello_request_is_ignored_and_data_flows_on() {
    let (mut peer, mut engine) = raw(Side::Client, Tls12);
    feed(&mut engine, &peer.message(&messages::hello_request()));
    feed(&mut engine, &peer.data(b"behind"));
    assert_eq!(read(&mut engine), Ok((Read::Read(6), b"behind".to_vec())));
    assert_eq!(engine.outgoing(), b"", "no ClientHello, no warning");
    assert_eq!(engine.write(b"data"), Ok(Write::Written(4)));
    assert_eq!(peer.drain(&mut engine)[0].plaintext, b"data");
}

#[test]
fn a3_x15_a_hello_request_alone_needs_read_and_starts_nothing() {
    let (mut peer, mut engine) = raw(Side::Client, Tls12);
    for _ in 0..3 {
        feed(&mut engine, &peer.message(&messages::hello_request()));
        assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
        assert_eq!(engine.outgoing(), b"");
        assert_eq!(engine.handshake(), Ok(Handshake::Complete));
    }
    assert_eq!(engine.write(b"data"), Ok(Write::Written(4)));
}

#[test]
fn r5_a_hello_request_that_is_not_read_is_not_noticed() {
    let (mut peer, mut engine) = raw(Side::Client, Tls12);
    feed(&mut engine, &peer.message(&messages::hello_request()));
    assert_eq!(engine.write(b"data"), Ok(Write::Written(4)));
    assert_eq!(engine.stats().records_opened, 0);
}

#[test]
fn r8_a_hello_request_during_a_blocked_write_does_not_disturb_it() {
    for mode in WRITE_MODES {
        let (mut peer, mut engine) = raw_with(Side::Client, Tls12, sent().write_mode(mode));
        let plaintext = noise(3 * FULL);
        assert_eq!(engine.write(&plaintext), Ok(Write::NeedWrite));
        feed(&mut engine, &peer.message(&messages::hello_request()));
        feed(&mut engine, &peer.data(b"behind"));
        assert_eq!(received(&mut engine), b"behind");
        let (mut written, mut arrived) = (0, Vec::new());
        while written < plaintext.len() {
            arrived.extend(
                peer.drain(&mut engine)
                    .into_iter()
                    .flat_map(|record| record.plaintext),
            );
            if let Write::Written(n) = engine.write(&plaintext[written..]).unwrap() {
                written += n;
            }
        }
        assert_eq!(arrived, plaintext);
    }
}

#[test]
fn r7_x9_data_of_the_peer_never_harms_a_client_that_only_writes() {
    let (mut peer, mut engine) = raw(Side::Client, Tls12);
    for _ in 0..3 {
        feed(&mut engine, &peer.message(&messages::hello_request()));
        feed(&mut engine, &peer.data(b"behind"));
        assert_eq!(engine.write(b"data"), Ok(Write::Written(4)));
        assert_eq!(peer.drain(&mut engine)[0].plaintext, b"data");
    }
    assert_eq!(received(&mut engine), b"behind".repeat(3));
}

#[test]
fn r3_a_client_hello_is_answered_with_a_warning_and_the_server_goes_on() {
    let (mut peer, mut engine) = raw(Side::Server, Tls12);
    feed(&mut engine, &peer.message(&messages::client_hello()));
    feed(&mut engine, &peer.data(b"behind"));
    assert_eq!(read(&mut engine), Ok((Read::Read(6), b"behind".to_vec())));
    assert_eq!(alerts(&peer.drain(&mut engine)), [REFUSAL]);
    assert_eq!(engine.write(b"data"), Ok(Write::Written(4)));
    assert_eq!(peer.drain(&mut engine)[0].plaintext, b"data");
}

#[test]
fn r3_one_warning_at_most_waits() {
    let (mut peer, mut engine) = raw(Side::Server, Tls12);
    for _ in 0..10 {
        feed(&mut engine, &peer.message(&messages::client_hello()));
        assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
    }
    let warnings = alerts(&peer.drain(&mut engine));
    assert!(warnings.len() == 1, "{warnings:?}");
}

#[test]
fn r3_a_client_hello_in_pieces_is_one_request() {
    let (mut peer, mut engine) = raw(Side::Server, Tls12);
    for piece in messages::client_hello().chunks(7) {
        feed(&mut engine, &peer.message(piece));
        assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
    }
    assert_eq!(alerts(&peer.drain(&mut engine)), [REFUSAL]);
}

#[test]
fn r3_a_client_hello_during_a_blocked_write_is_refused_between_its_records() {
    for mode in WRITE_MODES {
        let (mut peer, mut engine) = raw_with(Side::Server, Tls12, sent().write_mode(mode));
        let plaintext = noise(6 * FULL);
        assert_eq!(engine.write(&plaintext), Ok(Write::NeedWrite));
        feed(&mut engine, &peer.message(&messages::client_hello()));
        assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
        let (mut written, mut arrived, mut warnings) = (0, Vec::new(), Vec::new());
        while written < plaintext.len() {
            for record in peer.drain(&mut engine) {
                match record.alert() {
                    Some(alert) => warnings.push(alert),
                    None => arrived.extend(record.plaintext),
                }
            }
            if let Write::Written(n) = engine.write(&plaintext[written..]).unwrap() {
                written += n;
            }
        }
        assert_eq!(warnings, [REFUSAL]);
        assert_eq!(arrived, plaintext);
    }
}

#[test]
fn no_refusal_follows_our_close_notify() {
    let (mut peer, mut engine) = raw(Side::Server, Tls12);
    assert_eq!(engine.shutdown(), Ok(Shutdown::NeedWrite));
    feed(&mut engine, &peer.message(&messages::client_hello()));
    assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
    assert_eq!(alerts(&peer.drain(&mut engine)), [(1, Alert::CLOSE_NOTIFY)]);
}

#[test]
fn requests_of_the_wrong_side_are_fatal() {
    let cases = [
        (Side::Client, messages::client_hello()),
        (Side::Server, messages::hello_request()),
        (Side::Client, messages::handshake(2, &[0; 40])),
        (Side::Server, messages::handshake(20, &[0; 12])),
    ];
    for (role, message) in cases {
        let (mut peer, mut engine) = raw(role, Tls12);
        feed(&mut engine, &peer.message(&message));
        let error = Error::Peer(Peer::UnexpectedHandshake);
        assert_eq!(read_outcome(&mut engine), Err(error));
        assert_eq!(
            alerts(&peer.drain(&mut engine)),
            [(2, Alert::UNEXPECTED_MESSAGE)]
        );
    }
}

#[test]
fn r4_tls13_has_no_renegotiation() {
    let cases = [
        (Side::Client, messages::hello_request()),
        (Side::Server, messages::client_hello()),
    ];
    for (role, message) in cases {
        let (mut peer, mut engine) = raw(role, Tls13);
        peer.drain(&mut engine);
        feed(&mut engine, &peer.message(&message));
        let error = Error::Peer(Peer::UnexpectedHandshake);
        assert_eq!(read_outcome(&mut engine), Err(error));
        assert_eq!(
            alerts(&peer.drain(&mut engine)),
            [(2, Alert::UNEXPECTED_MESSAGE)]
        );
    }
}
