//! Reads that lost what had arrived.

use offwire::{Handshake, Read, Settings, Shutdown, Write};
use offwire_contract::{FULL, VERSIONS, connected_with, feed, noise, quiet, read, received, take};
use offwire_testkit::{Kind, Pair, Progress, read_available};

/// The library took only a part of the bytes that it was fed, and said so; nobody looked, the rest
/// was overwritten, and the handshake waited for it until the peer gave up.
/// <https://github.com/Abso1ut3Zer0/nexus/issues/200>
#[test]
fn nexus_200_a_partial_feed_is_told_and_what_was_not_taken_can_be_fed_again() {
    for version in VERSIONS {
        // In the handshake all is taken, however long the flight is.
        let mut pair = Pair::of(&quiet(version).certificate(Kind::Rsa));
        pair.run_until("the handshake", |pair| {
            let outcomes = (
                pair.client.handshake().unwrap(),
                pair.server.handshake().unwrap(),
            );
            let flight = take(&mut pair.client);
            assert_eq!(pair.server.feed(&flight), flight.len());
            let flight = take(&mut pair.server);
            assert_eq!(pair.client.feed(&flight), flight.len());
            if outcomes == (Handshake::Complete, Handshake::Complete) {
                Progress::Done
            } else {
                Progress::Some
            }
        });

        // Later the queue is bounded: the count is exact, and no byte between two feeds is lost.
        let settings = Settings::default()
            .outgoing_limit(1 << 20)
            .incoming_limit(0);
        let mut pair = connected_with(version, settings);
        let plaintext = noise(300_000);
        assert_eq!(
            pair.server.write(&plaintext),
            Ok(Write::Written(plaintext.len()))
        );
        let wire = take(&mut pair.server);
        let before = pair.client.stats().wire_fed;
        let (mut fed, mut arrived, mut partial) = (0, Vec::new(), 0);
        while fed < wire.len() {
            let offered = &wire[fed..wire.len().min(fed + 30_000)];
            let taken = pair.client.feed(offered);
            partial += usize::from(taken < offered.len());
            fed += taken;
            assert_eq!(pair.client.stats().wire_fed, before + fed as u64);
            let _ = read_available(&mut pair.client, &mut arrived).unwrap();
        }
        assert!(partial > 0, "no feed was partial");
        assert!(arrived == plaintext);
    }
}

/// close_notify came in the same segment as the last plaintext, the end was reported first, and
/// that plaintext was never read.
/// <https://github.com/elle-lisp/elle/pull/745>
#[test]
fn elle_745_plaintext_in_the_segment_of_close_notify_is_read_before_the_end() {
    for version in VERSIONS {
        for size in [1, 100, FULL + 1] {
            let mut pair = connected_with(version, Settings::default());
            let records = [noise(1), noise(200), noise(3_000)];
            for plaintext in &records {
                let written = Ok(Write::Written(plaintext.len()));
                assert_eq!(pair.server.write(plaintext), written);
            }
            assert_eq!(pair.server.shutdown(), Ok(Shutdown::NeedWrite));
            let segment = take(&mut pair.server);
            feed(&mut pair.client, &segment);
            pair.client.feed_eof(); // and the end of the transport with it
            let (mut buffer, mut arrived) = (vec![0; size], Vec::new());
            let last = loop {
                match pair.client.read(&mut buffer).unwrap() {
                    Read::Read(n) => arrived.extend_from_slice(&buffer[..n]),
                    last @ (Read::NeedRead | Read::NeedWrite | Read::Closed | Read::Truncated) => {
                        break last;
                    }
                }
            };
            assert_eq!(last, Read::Closed);
            assert!(arrived == records.concat());
            assert_eq!(read(&mut pair.client), Ok((Read::Closed, Vec::new())));
            assert_eq!(received(&mut pair.client), b"");
        }
    }
}
