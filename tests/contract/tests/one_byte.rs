//! Everything once more, one byte at a time: no outcome may depend on where the transport cuts.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use offwire::ProtocolVersion::Tls13;
use offwire::{Completion, Handshake, KeyUpdate, Read, Settings, Write, WriteMode};
use offwire_contract::{VERSIONS, WRITE_MODES, feed, noise, quiet, raw, read_outcome, take};
use offwire_testkit::{
    ContentType, Contexts, Cuts, Kind, Pair, Progress, Side, Suite, messages, read_available,
};

fn one_byte(contexts: &Contexts) -> Pair {
    Pair::of(contexts).cuts(Cuts::Bytes(1)).capacity(1)
}

/// A whole session over a transport that holds one byte.
fn session(contexts: &Contexts) {
    let mut pair = one_byte(contexts);
    pair.handshake();
    for round in 0..2 {
        for side in Side::BOTH {
            let plaintext = noise(1_000 + round);
            assert_eq!(pair.exchange(side, &plaintext), plaintext);
            if contexts_are_tls13(&pair) {
                pair.engine(side).key_update(KeyUpdate::Both).unwrap();
            }
        }
    }
    pair.close();
    for side in Side::BOTH {
        assert_eq!(read_outcome(pair.engine(side)), Ok(Read::Closed));
    }
}

fn contexts_are_tls13(pair: &Pair) -> bool {
    pair.client.negotiated().unwrap().version() == Tls13
}

#[test]
fn sessions_of_every_version_suite_mode_and_completion() {
    for version in VERSIONS {
        for suite in Suite::ALL {
            for mode in WRITE_MODES {
                for completion in [Completion::Queued, Completion::Sent] {
                    let settings = Settings::default().write_mode(mode).completion(completion);
                    session(&quiet(version).suite(suite).settings(settings).tickets(2));
                }
            }
        }
    }
}

#[test]
fn sessions_with_client_certificates_and_a_retry_request() {
    for version in VERSIONS {
        session(&quiet(version).client_auth().certificate(Kind::Rsa));
        session(&quiet(version).hello_retry());
    }
}

#[test]
fn a_large_record_each_way() {
    for version in VERSIONS {
        let mut pair = one_byte(&quiet(version).settings(Settings::default().outgoing_limit(0)));
        for side in Side::BOTH {
            assert_eq!(pair.exchange(side, &noise(40_000)), noise(40_000));
        }
    }
}

#[test]
fn a_resumed_session() {
    for version in VERSIONS {
        let contexts = quiet(version).tickets(2);
        let (client, server) = contexts.build();
        for round in 0..2 {
            let mut pair = Pair::new(&client, &server, &contexts)
                .cuts(Cuts::Bytes(1))
                .capacity(1);
            assert_eq!(pair.exchange(Side::Server, b"hello"), b"hello");
            let kind = pair.client.negotiated().unwrap().kind();
            assert_eq!(
                format!("{kind}"),
                if round == 0 { "full" } else { "resumed" }
            );
            pair.close();
        }
    }
}

#[test]
fn every_kind_of_record_behind_the_handshake() {
    for version in VERSIONS {
        let (mut peer, mut engine) = raw(Side::Client, version);
        let mut wire = peer.data(b"one");
        if version == Tls13 {
            wire.extend(peer.message(&messages::new_session_ticket(200)));
            wire.extend(peer.key_update(1));
        } else {
            wire.extend(peer.message(&messages::hello_request()));
        }
        wire.extend(peer.data(b""));
        wire.extend(peer.seal(ContentType::ALERT, &[1, 90]));
        wire.extend(peer.data(b"two"));
        wire.extend(peer.close_notify());
        let (mut plaintext, mut last) = (Vec::new(), Read::NeedRead);
        for byte in wire {
            assert_eq!(last, Read::NeedRead);
            feed(&mut engine, &[byte]);
            last = read_available(&mut engine, &mut plaintext).unwrap();
        }
        assert_eq!(last, Read::Closed);
        assert_eq!(plaintext, b"onetwo");
    }
}

#[test]
fn every_port_gives_the_same_session() {
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version));
        // The client's bytes are taken owned, the server's are read into its own space.
        pair.run_until("the handshake", |pair| {
            let client = pair.client.handshake().unwrap();
            for byte in take(&mut pair.client) {
                let space = pair.server.feed_space();
                space[0] = byte;
                pair.server.fed(1).unwrap();
            }
            let server = pair.server.handshake().unwrap();
            if (client, server) == (Handshake::Complete, Handshake::Complete) {
                return Progress::Done;
            }
            Progress::None
        });
        assert_eq!(pair.exchange(Side::Client, b"hello"), b"hello");
    }
}

#[test]
fn release_between_any_two_bytes_changes_nothing() {
    for version in VERSIONS {
        let mut pair = one_byte(&quiet(version).tickets(2).client_auth());
        let plaintext = noise(3_000);
        let (mut written, mut arrived) = (0, Vec::new());
        pair.run_until("a session of released engines", |pair| {
            if written < plaintext.len()
                && let Write::Written(n) = pair.server.write(&plaintext[written..]).unwrap()
            {
                written += n;
            }
            let _ = read_available(&mut pair.client, &mut arrived).unwrap();
            pair.client.release();
            pair.server.release();
            if arrived == plaintext {
                Progress::Done
            } else {
                Progress::None
            }
        });
        pair.close();
    }
}

#[test]
fn a_partial_write_through_one_byte_reports_whole_records_only() {
    for version in VERSIONS {
        let settings = Settings::default()
            .write_mode(WriteMode::Partial)
            .completion(Completion::Sent);
        let mut pair = one_byte(&quiet(version).settings(settings));
        pair.handshake();
        let plaintext = noise(20_000);
        let (mut written, mut counts) = (0, Vec::new());
        pair.run_until("the write", |pair| {
            read_available(&mut pair.server, &mut Vec::new())
                .map(drop)
                .unwrap();
            match pair.client.write(&plaintext[written..]).unwrap() {
                Write::Written(n) => {
                    written += n;
                    counts.push(n);
                }
                Write::NeedRead => panic!("the handshake is complete"),
                Write::NeedWrite => {}
            }
            if written == plaintext.len() {
                Progress::Done
            } else {
                Progress::None
            }
        });
        assert_eq!(counts, [16_384, 3_616]);
    }
}
