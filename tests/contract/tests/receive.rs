//! The record layer's duties on receipt: each violation has its error and its alert, plaintext
//! before it is delivered first, and the error stays.

use offwire::ProtocolVersion::{Tls12, Tls13};
use offwire::{Alert, Error, Peer};
use offwire_contract::violation::refused_by_both;
use offwire_contract::{FULL, VERSIONS, feed, noise, raw, read_outcome, received};
use offwire_testkit::{ContentType, Shape, Side};

const DATA: ContentType = ContentType::APPLICATION_DATA;
const HANDSHAKE: ContentType = ContentType::HANDSHAKE;
const ALERT: ContentType = ContentType::ALERT;
const CCS: ContentType = ContentType::CHANGE_CIPHER_SPEC;

#[test]
fn an_outer_type_other_than_application_data_is_refused_in_tls13() {
    for outer in [
        ALERT,
        HANDSHAKE,
        CCS,
        ContentType(0),
        ContentType(24),
        ContentType(255),
    ] {
        let shape = Shape {
            outer_type: Some(outer),
            ..Shape::default()
        };
        refused_by_both(
            &[Tls13],
            &Peer::UnexpectedRecord,
            Alert::UNEXPECTED_MESSAGE,
            |peer| peer.seal_shaped(DATA, b"data", shape),
        );
    }
}

#[test]
fn an_unknown_type_is_refused_in_tls12() {
    for content_type in [ContentType(0), ContentType(24), ContentType(255)] {
        refused_by_both(
            &[Tls12],
            &Peer::UnexpectedRecord,
            Alert::UNEXPECTED_MESSAGE,
            |peer| peer.seal(content_type, b"data"),
        );
    }
}

#[test]
fn an_unknown_inner_type_is_refused_in_tls13() {
    for content_type in [CCS, ContentType(24), ContentType(255)] {
        refused_by_both(
            &[Tls13],
            &Peer::UnexpectedRecord,
            Alert::UNEXPECTED_MESSAGE,
            |peer| peer.seal(content_type, &[1]),
        );
    }
}

#[test]
fn a_plaintext_alert_or_ccs_after_the_handshake_is_refused() {
    for plaintext in [[21, 3, 3, 0, 2, 1, 0].as_slice(), &[20, 3, 3, 0, 1, 1]] {
        refused_by_both(
            &[Tls13],
            &Peer::UnexpectedRecord,
            Alert::UNEXPECTED_MESSAGE,
            |_| plaintext.to_vec(),
        );
        for role in Side::BOTH {
            let (mut peer, mut engine) = raw(role, Tls12);
            feed(&mut engine, plaintext);
            let error = read_outcome(&mut engine).unwrap_err();
            assert!(matches!(error, Error::Peer(_)), "{error:?}");
            assert_eq!(peer.drain(&mut engine).len(), 1);
        }
    }
}

#[test]
fn a_sealed_ccs_after_the_handshake_is_refused_in_tls12() {
    refused_by_both(
        &[Tls12],
        &Peer::UnexpectedRecord,
        Alert::UNEXPECTED_MESSAGE,
        |peer| peer.seal(CCS, &[1]),
    );
}

#[test]
fn the_version_must_be_0303_in_tls12() {
    for version in [0x0301, 0x0302, 0x0304, 0xffff] {
        let shape = Shape {
            version,
            ..Shape::default()
        };
        refused_by_both(
            &[Tls12],
            &Peer::RecordVersion,
            Alert::PROTOCOL_VERSION,
            |peer| peer.seal_shaped(DATA, b"data", shape),
        );
    }
}

#[test]
fn the_version_is_ignored_but_authenticated_in_tls13() {
    for version in [0x0301, 0x0304, 0xffff] {
        let shape = Shape {
            version,
            ..Shape::default()
        };
        let (mut peer, mut engine) = raw(Side::Client, Tls13);
        feed(&mut engine, &peer.seal_shaped(DATA, b"data", shape));
        assert_eq!(received(&mut engine), b"data");
        refused_by_both(
            &[Tls13],
            &Peer::BadRecordMac,
            Alert::BAD_RECORD_MAC,
            |peer| {
                let mut record = peer.seal_shaped(DATA, b"data", shape);
                record[1..3].copy_from_slice(&[3, 3]);
                record
            },
        );
    }
}

#[test]
fn a_record_length_over_the_limit_is_refused_at_its_header() {
    for (version, limit) in [(Tls12, FULL + 2_048), (Tls13, FULL + 256)] {
        let length = u16::try_from(limit + 1).unwrap().to_be_bytes();
        let header = [23, 3, 3, length[0], length[1]];
        refused_by_both(
            &[version],
            &Peer::RecordOverflow,
            Alert::RECORD_OVERFLOW,
            |_| header.to_vec(),
        );
    }
}

#[test]
fn a_plaintext_over_the_limit_is_refused() {
    refused_by_both(
        &VERSIONS,
        &Peer::RecordOverflow,
        Alert::RECORD_OVERFLOW,
        |peer| peer.data(&noise(FULL + 1)),
    );
    // RFC 8446 section 5.4: "The presence of padding does not change the overall record size
    // limitations".
    let shape = Shape {
        padding: FULL - 3,
        ..Shape::default()
    };
    refused_by_both(
        &[Tls13],
        &Peer::RecordOverflow,
        Alert::RECORD_OVERFLOW,
        |peer| peer.seal_shaped(DATA, b"data", shape),
    );
}

#[test]
fn a_plaintext_of_exactly_the_limit_is_read() {
    for version in VERSIONS {
        let (mut peer, mut engine) = raw(Side::Client, version);
        feed(&mut engine, &peer.data(&noise(FULL)));
        assert_eq!(received(&mut engine), noise(FULL));
    }
}

#[test]
fn a_record_too_short_for_its_tag_is_refused() {
    for version in VERSIONS {
        for length in [0, 1, 15, 16] {
            let mut wire = vec![23, 3, 3, 0, length];
            wire.resize(5 + usize::from(length), 0);
            for role in Side::BOTH {
                let (mut peer, mut engine) = raw(role, version);
                peer.drain(&mut engine);
                feed(&mut engine, &wire);
                let error = read_outcome(&mut engine).unwrap_err();
                assert!(
                    matches!(error, Error::Peer(_)),
                    "{error:?} of {length} bytes"
                );
                let alert = error.alert().map(|alert| (2, alert));
                assert_eq!(peer.drain(&mut engine)[0].alert(), alert);
            }
        }
    }
}

#[test]
fn an_inner_plaintext_of_zeros_is_refused() {
    for zeros in [0, 1, 100, FULL] {
        refused_by_both(
            &[Tls13],
            &Peer::EmptyRecord,
            Alert::UNEXPECTED_MESSAGE,
            |peer| peer.seal(ContentType(0), &vec![0; zeros]),
        );
    }
}
