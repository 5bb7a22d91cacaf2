//! How the handshake is driven: whatever way its bytes are cut, and however large it is.

use offwire::rustls::NamedGroup;
use offwire::{Alert, Error, Handshake, Interest, Peer, ProtocolVersion, Read, Settings, Write};
use offwire_testkit::{
    Authority, Contexts, Cuts, Kind, Pair, Side, Usage, read_available, records,
};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// The bound of the incoming queue during the handshake, in bytes.
const HANDSHAKE_BOUND: usize = 128 * 1024;

fn huge_chain() -> Contexts {
    let identity = Authority::shared().issue_huge(Kind::EcdsaP256, Usage::Server, 47_000);
    Contexts::new().server_identity(identity)
}

#[test]
fn a_chain_of_47_kilobytes_arrives_under_the_smallest_limits() {
    let least = Settings::default().incoming_limit(0).outgoing_limit(0);
    for version in VERSIONS {
        for cuts in [
            Cuts::Whole,
            Cuts::Bytes(1),
            Cuts::Bytes(1400),
            Cuts::Seeded(3),
        ] {
            let mut pair = Pair::of(&huge_chain().version(version).settings(least)).cuts(cuts);
            pair.handshake();
            let negotiated = pair.client.negotiated().expect("the handshake is complete");
            let chain = negotiated.peer_certificates();
            assert!(
                chain
                    .iter()
                    .map(|certificate| certificate.len())
                    .sum::<usize>()
                    > 46_000
            );
            assert_eq!(pair.exchange(Side::Server, b"data"), b"data");
        }
    }
}

#[test]
fn a_chain_of_47_kilobytes_arrives_in_records_of_32_bytes() {
    for version in VERSIONS {
        // rustls counts the header of five bytes.
        let contexts = huge_chain().version(version).max_fragment_size(32 + 5);
        let mut pair = Pair::of(&contexts);
        pair.handshake();
        assert_eq!(pair.exchange(Side::Client, b"data"), b"data");
        let overhead = if version == ProtocolVersion::Tls12 {
            5
        } else {
            5 + 1 + 16
        };
        assert!(pair.to_client.sent().len() > 46_000 / 32 * (32 + overhead));
    }
}

#[test]
fn a_handshake_beyond_the_bound_is_an_error_and_not_an_endless_wait() {
    // A message of 47 KB in records of one byte: six bytes on the wire for each.
    let mut pair = Pair::of(&huge_chain().version(ProtocolVersion::Tls12));
    assert_eq!(pair.client.handshake(), Ok(Handshake::NeedWrite));
    pair.step_towards(Side::Server);
    let mut flight = Vec::new();
    while pair.server.handshake() == Ok(Handshake::NeedWrite) {
        flight.extend(pair.server.take_outgoing());
    }
    let cut = records::refragment(&flight, 1);
    let mut rest = &cut[..];
    let error = loop {
        let taken = pair.client.feed(rest);
        rest = &rest[taken..];
        match pair.client.handshake() {
            Ok(Handshake::NeedRead) => assert!(taken > 0, "waits for input it cannot take"),
            Ok(outcome) => panic!("{outcome:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error, Error::Peer(Peer::HandshakeTooLarge));
    assert_eq!(pair.client.handshake(), Err(error));
    assert!(pair.client.stats().incoming_high_water <= HANDSHAKE_BOUND);
    assert_eq!(pair.client.interest(), Interest::Nothing);
}

#[test]
fn handshake_messages_may_be_cut_into_records_of_any_length() {
    for version in VERSIONS {
        for length in [1, 32, 64] {
            let mut pair = Pair::of(&Contexts::new().version(version));
            let mut complete = 0;
            for _ in 0..8 {
                complete = 0;
                for side in [Side::Client, Side::Server] {
                    let outcome = pair
                        .engine(side)
                        .handshake()
                        .expect("the handshake goes on");
                    complete += usize::from(outcome == Handshake::Complete);
                    let flight = pair.engine(side).take_outgoing();
                    let cut = records::refragment(&flight, length);
                    assert_eq!(pair.engine(side.peer()).feed(&cut), cut.len());
                }
            }
            assert_eq!(complete, 2, "{version} {length}");
            assert_eq!(pair.exchange(Side::Client, b"data"), b"data");
        }
    }
}

#[test]
fn encrypted_handshake_messages_may_be_cut_too() {
    for length in [32, 64] {
        let mut pair = Pair::of(&Contexts::new().client_auth().max_fragment_size(length));
        pair.handshake();
        assert_eq!(pair.exchange(Side::Client, &[7; 500]), [7; 500]);
        assert_eq!(pair.exchange(Side::Server, &[7; 500]), [7; 500]);
    }
}

#[test]
fn last_flight_tickets_and_data_may_come_in_one_feed() {
    for version in VERSIONS {
        for cuts in [Cuts::Whole, Cuts::Bytes(1)] {
            let mut pair = Pair::of(&Contexts::new().version(version));
            // All but the client's last flight is exchanged; the server then says everything.
            while pair.client.negotiated().is_none() && pair.server.negotiated().is_none() {
                let _ = pair.client.handshake().expect("the client goes on");
                pair.settle_towards(Side::Server);
                let _ = pair.server.handshake().expect("the server goes on");
                if pair.server.negotiated().is_none() {
                    pair.settle_towards(Side::Client);
                }
            }
            let _ = pair.client.handshake().expect("the client goes on");
            pair.settle_towards(Side::Server);
            assert_eq!(pair.server.write(b"at once"), Ok(Write::Written(7)));
            let _ = pair.server.shutdown().expect("the server closes");

            let flight = pair.server.take_outgoing();
            let mut received = Vec::new();
            let size = if cuts == Cuts::Whole { flight.len() } else { 1 };
            for piece in flight.chunks(size) {
                assert_eq!(pair.client.feed(piece), piece.len());
                if size == 1 {
                    let _ = read_available(&mut pair.client, &mut received);
                }
            }
            let end = read_available(&mut pair.client, &mut received);
            assert_eq!(
                (end, &received[..]),
                (Ok(Read::Closed), &b"at once"[..]),
                "{version}"
            );
        }
    }
}

#[test]
fn junk_fails_at_its_fifth_byte_at_the_latest() {
    let junk: [(&[u8], usize); 5] = [
        (b"GET / HTTP/1.1", 1),     // no content type
        (b"SSH-2.0-OpenSSH", 1),    // no content type
        (&[22, 9, 9, 0, 5, 0], 3),  // no version
        (&[22, 3, 1, 255, 255], 5), // a length beyond every limit
        (&[22, 3, 1, 0, 0, 22], 5), // no content
    ];
    for (junk, fails_at) in junk {
        for side in Side::BOTH {
            let mut pair = Pair::of(&Contexts::new());
            let engine = pair.engine(side);
            let _ = engine.handshake().expect("nothing came yet");
            let _ = engine.take_outgoing();
            for byte in &junk[..fails_at] {
                assert_eq!(engine.handshake(), Ok(Handshake::NeedRead), "{junk:?}");
                assert_eq!(engine.feed(&[*byte]), 1);
            }
            let error = engine.handshake().expect_err("junk is refused");
            assert!(
                matches!(error, Error::Peer(Peer::HandshakeMalformed(_))),
                "{error:?}"
            );
            assert_eq!(error.alert(), Some(Alert::DECODE_ERROR));
            assert_eq!(engine.outgoing(), [21, 3, 3, 0, 2, 2, 50]);
        }
    }
}

#[test]
fn the_end_of_the_transport_in_a_handshake_is_an_error() {
    for version in VERSIONS {
        let contexts = Contexts::new().version(version);
        let whole = {
            let mut pair = Pair::of(&contexts);
            let _ = pair.client.handshake().expect("the client begins");
            pair.client.take_outgoing()
        };
        for length in [0, 1, 4, 5, whole.len() - 1, whole.len()] {
            let mut pair = Pair::of(&contexts);
            pair.server.feed(&whole[..length]);
            pair.server.feed_eof();
            let error = Error::Peer(Peer::HandshakeTruncated);
            assert_eq!(pair.server.handshake(), Err(error.clone()), "{length}");
            assert_eq!(pair.server.read(&mut [0; 9]), Err(error));
        }
    }
}

#[test]
fn every_group_is_offered_and_a_retry_is_followed() {
    for group in [
        NamedGroup::X25519,
        NamedGroup::secp256r1,
        NamedGroup::secp384r1,
        NamedGroup::X25519MLKEM768,
    ] {
        let mut pair = Pair::of(&Contexts::new().group(group));
        pair.handshake();
        let negotiated = pair.server.negotiated().expect("the handshake is complete");
        assert_eq!(
            negotiated.group().map(|group| group.code()),
            Some(u16::from(group))
        );
    }
    let mut pair = Pair::of(&Contexts::new().hello_retry()).cuts(Cuts::Bytes(1));
    pair.handshake();
    let kind = pair.client.negotiated().map(|negotiated| negotiated.kind());
    assert_eq!(
        kind,
        Some(offwire::HandshakeKind::FullWithHelloRetryRequest)
    );
}
