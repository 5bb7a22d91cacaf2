//! OpenSSL itself, as seen in releases 3.0, 3.6 and 4.0: what its own contract leaves broken.

use offwire::ProtocolVersion::Tls13;
use offwire::{Alert, Error, Read, Shutdown, Write};
use offwire_contract::{
    FULL, VERSIONS, connected_with, feed, noise, overhead, raw, raw_with, read_outcome, received,
    sent,
};
use offwire_testkit::{ContentType, Side, messages};

/// `SSL_shutdown` in the middle of a blocked write killed the connection (3.0), or dropped the
/// close_notify and left half a record with the peer (3.6, 4.0).
#[test]
fn openssl_shutdown_during_a_blocked_write_ends_the_record_and_closes() {
    for version in VERSIONS {
        for side in Side::BOTH {
            let plaintext = noise(2 * FULL);
            let wire_len = FULL + overhead(version);
            for gone in [
                0,
                1,
                5,
                100,
                wire_len - 1,
                wire_len,
                wire_len + 1,
                2 * wire_len - 1,
            ] {
                let mut pair = connected_with(version, sent());
                assert_eq!(pair.engine(side).write(&plaintext), Ok(Write::NeedWrite));
                let moved = match side {
                    Side::Client => pair.move_to_server(gone),
                    Side::Server => pair.move_to_client(gone),
                };
                assert_eq!(moved, gone);
                assert_eq!(pair.engine(side).shutdown(), Ok(Shutdown::NeedWrite));
                assert_eq!(
                    pair.engine(side).shutdown(),
                    Ok(Shutdown::NeedWrite),
                    "kept"
                );
                pair.settle();
                assert_eq!(pair.engine(side).shutdown(), Ok(Shutdown::Sent));
                let peer = pair.engine(side.peer());
                assert!(received(peer) == plaintext, "after {gone} bytes");
                assert_eq!(read_outcome(peer), Ok(Read::Closed));
            }
        }
    }
}

/// A peer that sent two KeyUpdates while a write was blocked killed the connection, and was not
/// told: in every version, and by a peer that does nothing wrong.
#[test]
fn openssl_two_key_updates_during_a_blocked_write_are_answered_once() {
    for role in Side::BOTH {
        for together in [[1, 1].as_slice(), &[1, 0], &[1, 1, 1]] {
            let (mut peer, mut engine) = raw_with(role, Tls13, sent());
            peer.drain(&mut engine);
            let plaintext = noise(2 * FULL);
            assert_eq!(engine.write(&plaintext), Ok(Write::NeedWrite));
            for request in together {
                feed(&mut engine, &peer.key_update(*request));
            }
            feed(&mut engine, &peer.data(b"behind"));
            assert_eq!(received(&mut engine), b"behind");
            let mut opened = peer.drain(&mut engine);
            assert_eq!(engine.write(&plaintext), Ok(Write::Written(2 * FULL)));
            assert_eq!(engine.write(b"next"), Ok(Write::NeedWrite));
            opened.extend(peer.drain(&mut engine));
            let answers = opened
                .iter()
                .filter(|record| record.plaintext == messages::key_update(0))
                .count();
            assert_eq!(answers, 1);
            assert_eq!(opened.last().unwrap().plaintext, b"next");
        }
    }
}

/// After the peer's fatal alert every later call reported a clean end (`SSL_ERROR_ZERO_RETURN`), up
/// to 3.6: a response cut off by an error looked whole.
#[test]
fn openssl_a_fatal_alert_is_never_read_as_a_clean_close() {
    for version in VERSIONS {
        for role in Side::BOTH {
            for alert in [Alert::INTERNAL_ERROR, Alert::BAD_RECORD_MAC] {
                let (mut peer, mut engine) = raw(role, version);
                feed(&mut engine, &peer.data(b"half a resp"));
                let fatal = peer.seal(ContentType::ALERT, &messages::fatal(alert));
                feed(&mut engine, &fatal);
                engine.feed_eof();
                let mut buffer = vec![0; FULL + 1];
                assert_eq!(engine.read(&mut buffer), Ok(Read::Read(11)));
                for _ in 0..5 {
                    let error = Err(Error::Alert(alert));
                    assert_eq!(engine.read(&mut buffer), error);
                    assert_eq!(engine.write(b"data").map(drop), error.clone().map(drop));
                    assert_eq!(engine.shutdown().map(drop), error.map(drop));
                }
            }
        }
    }
}
