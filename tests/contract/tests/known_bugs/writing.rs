//! Writes that were repeated: bytes sent twice, lost or taken from a buffer that was gone.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use offwire::{Error, Misuse, ProtocolVersion, Settings, Write};
use offwire_contract::{
    FULL, VERSIONS, WRITE_MODES, connected_with, noise, received, sent, waiting, write_through,
};
use offwire_testkit::{Cuts, Link, Pair, Side};

const REFUSED: Result<Write, Error> = Err(Error::Misuse(Misuse::BadWriteRetry));

/// A client whose write of `plaintext` would block, over a link of `capacity`.
fn blocked(version: ProtocolVersion, capacity: usize, plaintext: &[u8]) -> (Pair, Link) {
    let mut pair = connected_with(version, sent());
    let mut link = Link::new(Cuts::Whole);
    link.set_capacity(capacity);
    let outcome = write_through(&mut pair.client, &mut link, plaintext);
    assert_eq!(outcome, Ok(Write::NeedWrite));
    (pair, link)
}

/// Repeats the write until it is done; returns what the peer got.
fn finish(pair: &mut Pair, link: &mut Link, plaintext: &[u8]) -> Vec<u8> {
    let mut arrived = Vec::new();
    loop {
        while link.in_flight() > 0 {
            link.push(&mut pair.server);
            arrived.extend(received(&mut pair.server));
        }
        match write_through(&mut pair.client, link, plaintext).unwrap() {
            Write::NeedWrite => {}
            Write::Written(n) => {
                assert_eq!(n, plaintext.len());
                break;
            }
            Write::NeedRead => panic!("the handshake is complete"),
        }
    }
    while link.in_flight() > 0 {
        link.push(&mut pair.server);
        arrived.extend(received(&mut pair.server));
    }
    arrived
}

/// A write was said to be pending although its bytes were already in a record; a caller who then
/// came with another buffer, as that answer permits, had the first bytes sent and the second count.
/// <https://github.com/tokio-rs/tls/issues/41>
#[test]
fn tokio_tls_41_a_write_that_has_taken_bytes_says_how_many_and_accepts_no_others() {
    for version in VERSIONS {
        let (mut pair, mut link) = blocked(version, 10, b"the first buffer");
        assert_eq!(pair.client.committed(), 16, "taken, and told");
        assert_eq!(pair.client.write(b"another buffer!!"), REFUSED);
        assert_eq!(pair.client.write(b"short"), REFUSED);
        let arrived = finish(&mut pair, &mut link, b"the first buffer");
        assert_eq!(arrived, b"the first buffer");
        let arrived = finish(&mut pair, &mut link, b"another buffer!!");
        assert_eq!(arrived, b"another buffer!!");
    }
}

/// When TLS bytes could not all be sent, it was forgotten which plaintext had been sealed into
/// them: the repeated call sealed it again and the request arrived with bytes doubled.
/// <https://github.com/curl/curl/pull/13676>
#[test]
fn curl_13676_a_repeated_write_reaches_the_peer_once() {
    for version in VERSIONS {
        for capacity in [1, 100, 16_384] {
            for mode in WRITE_MODES {
                let mut pair = connected_with(version, sent().write_mode(mode));
                let mut link = Link::new(Cuts::Whole);
                link.set_capacity(capacity);
                let plaintext = noise(if capacity == 1 { 2_000 } else { 70_000 });
                let (mut written, mut arrived, mut repeated) = (0, Vec::new(), 0);
                while written < plaintext.len() {
                    let rest = &plaintext[written..];
                    match write_through(&mut pair.client, &mut link, rest).unwrap() {
                        Write::Written(n) => written += n,
                        Write::NeedWrite => repeated += 1,
                        Write::NeedRead => panic!("the handshake is complete"),
                    }
                    while link.in_flight() > 0 {
                        link.push(&mut pair.server);
                        arrived.extend(received(&mut pair.server));
                    }
                }
                assert!(repeated > 0, "nothing was repeated");
                assert!(arrived == plaintext, "{} bytes", arrived.len());
                let sealed = pair.client.stats().plaintext_sealed;
                assert_eq!(sealed, plaintext.len() as u64, "sealed once");
            }
        }
    }
}

/// A blocked send was repeated with another length than before: the library reported the new
/// length as sent and lost the bytes that it had not kept.
/// <https://github.com/curl/curl/issues/15801>
#[test]
fn curl_15801_a_changed_retry_loses_no_byte_and_counts_none_that_was_not_sent() {
    for version in VERSIONS {
        let plaintext = noise(3 * FULL);
        for len in [0, 1, FULL, 2 * FULL - 1] {
            let (mut pair, mut link) = blocked(version, 100, &plaintext);
            let committed = pair.client.committed();
            assert_eq!(committed, 3 * FULL);
            assert_eq!(pair.client.write(&plaintext[..len]), REFUSED, "too short");
            assert!(finish(&mut pair, &mut link, &plaintext) == plaintext);
        }
        // Shorter than before, but not than what is sealed: counted as what it is.
        let long = noise(100_000);
        let (mut pair, mut link) = blocked(version, 100, &long);
        let shorter = &long[..pair.client.committed() + 7];
        assert!(finish(&mut pair, &mut link, shorter) == shorter);
    }
}

/// A blocked write of 106 bytes was repeated with 107: the record of 106 left, 107 were reported,
/// and the last byte was never sealed.
/// <https://github.com/steffengy/schannel-rs/issues/34>
#[test]
fn schannel_34_a_retry_that_has_grown_sends_its_last_byte() {
    for version in VERSIONS {
        for mode in WRITE_MODES {
            let mut pair = connected_with(version, sent().write_mode(mode));
            let plaintext = noise(107);
            assert_eq!(pair.client.write(&plaintext[..106]), Ok(Write::NeedWrite));
            let (mut written, mut arrived) = (0, Vec::new());
            while written < plaintext.len() {
                if let Write::Written(n) = pair.client.write(&plaintext[written..]).unwrap() {
                    written += n;
                    assert!(written == 106 || written == 107);
                }
                pair.settle_towards(Side::Server);
                arrived.extend(received(&mut pair.server));
                assert!(arrived.len() >= written, "reported, not sent");
            }
            assert_eq!(arrived, plaintext);
        }
    }
}

/// Output was handed to an asynchronous send by address, and freed with the connection before the
/// send was done.
/// <https://github.com/nodejs/node/pull/62967>
#[test]
fn node_62967_output_in_flight_outlives_the_engine() {
    for version in VERSIONS {
        for len in [5, FULL, 3 * FULL] {
            let mut pair = connected_with(version, Settings::default());
            let plaintext = noise(len);
            assert_eq!(pair.client.write(&plaintext), Ok(Write::Written(len)));
            let in_flight = pair.client.take_outgoing();
            assert_eq!(waiting(&pair.client), 0, "the owner has changed");
            // The connection goes on over it, gives its buffers back, and dies.
            assert_eq!(pair.client.write(&noise(FULL)), Ok(Write::Written(FULL)));
            pair.client.release();
            drop(pair.client);
            assert_eq!(pair.server.feed(&in_flight), in_flight.len());
            assert!(received(&mut pair.server) == plaintext);
        }
    }
}
