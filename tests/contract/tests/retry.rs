//! Facts T1 to T13: repeating a blocked write, and differences X1 to X3.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use offwire::{
    Completion, Error, Handshake, KeyUpdate, Misuse, ProtocolVersion, Read, RetryCheck, Settings,
    Shutdown, Write, WriteMode,
};
use offwire_contract::{
    FULL, VERSIONS, WRITE_MODES, connected_with, noise, overhead, read_outcome, received, sent,
    waiting,
};
use offwire_testkit::{Pair, Side};

const REFUSED: Result<Write, Error> = Err(Error::Misuse(Misuse::BadWriteRetry));

/// A client in the middle of a large write, some of whose wire bytes the server has.
struct Blocked {
    pair: Pair,
    plaintext: Vec<u8>,
    arrived: Vec<u8>,
}

impl Blocked {
    fn new(version: ProtocolVersion, settings: Settings, gone: usize) -> Self {
        let mut pair = connected_with(version, settings);
        let plaintext = noise(200_000);
        assert_eq!(pair.client.write(&plaintext), Ok(Write::NeedWrite));
        assert!(pair.client.committed() > 0);
        let mut arrived = Vec::new();
        let mut left = gone.min(waiting(&pair.client) - 1);
        while left > 0 {
            left -= pair.move_to_server(left.min(10_000));
            arrived.extend(received(&mut pair.server));
        }
        Self {
            pair,
            plaintext,
            arrived,
        }
    }

    /// Runs a test in the middle of the first and of the second record in flight, in both versions
    /// and modes, and under both completions where a write can block at all.
    fn everywhere(mut test: impl FnMut(Self)) {
        for version in VERSIONS {
            for mode in WRITE_MODES {
                for completion in [Completion::Queued, Completion::Sent] {
                    if (mode, completion) == (WriteMode::Partial, Completion::Queued) {
                        continue; // a partial write that sealed its record is written
                    }
                    for gone in [0, 100, FULL + 100] {
                        let settings = Settings::default().write_mode(mode).completion(completion);
                        test(Self::new(version, settings, gone));
                    }
                }
            }
        }
    }

    fn committed(&self) -> usize {
        self.pair.client.committed()
    }

    /// Repeats `retry` until it is written; what the server got must be `expected`.
    fn finish(self, retry: &[u8], expected: &[u8]) {
        let Self {
            mut pair,
            mut arrived,
            ..
        } = self;
        let mut written = 0;
        while written < retry.len() {
            match pair.client.write(&retry[written..]).unwrap() {
                Write::Written(n) => written += n,
                Write::NeedWrite => assert!(waiting(&pair.client) > 0),
                Write::NeedRead => panic!("the handshake is complete"),
            }
            while pair.step_towards(Side::Server) > 0 {
                arrived.extend(received(&mut pair.server));
            }
        }
        assert_eq!(written, retry.len());
        assert!(
            arrived == expected,
            "{} bytes for {}",
            arrived.len(),
            expected.len()
        );
    }
}

#[test]
fn t1_the_same_arguments_continue() {
    Blocked::everywhere(|blocked| {
        let retry = blocked.plaintext.clone();
        blocked.finish(&retry, &retry);
    });
}

#[test]
fn t2_x3_another_address_with_the_same_bytes_continues() {
    Blocked::everywhere(|mut blocked| {
        for _ in 0..3 {
            let moved = blocked.plaintext.clone(); // another allocation: another address
            let outcome = blocked.pair.client.write(&moved);
            assert_eq!(outcome, Ok(Write::NeedWrite));
        }
        let retry = blocked.plaintext.clone();
        blocked.finish(&retry, &retry);
    });
}

#[test]
fn t3_x2_changed_committed_bytes_are_refused_and_the_right_retry_still_works() {
    Blocked::everywhere(|mut blocked| {
        let last = blocked.committed() - 1;
        let unsent = last + 1 - FULL.min(last + 1);
        for place in [last, unsent + FULL / 2] {
            let mut changed = blocked.plaintext.clone();
            changed[place] ^= 1;
            let (outgoing, committed) = (waiting(&blocked.pair.client), blocked.committed());
            assert_eq!(blocked.pair.client.write(&changed), REFUSED);
            assert_eq!(waiting(&blocked.pair.client), outgoing, "nothing changed");
            assert_eq!(blocked.committed(), committed, "nothing changed");
        }
        let retry = blocked.plaintext.clone();
        blocked.finish(&retry, &retry);
    });
}

#[test]
fn t3_changed_bytes_behind_the_committed_ones_are_taken_as_they_come() {
    Blocked::everywhere(|blocked| {
        let mut retry = blocked.plaintext.clone();
        for byte in &mut retry[blocked.committed()..] {
            *byte ^= 0xff;
        }
        blocked.finish(&retry, &retry);
    });
}

#[test]
fn t3_committed_bytes_that_have_left_are_compared_by_length_only() {
    for version in VERSIONS {
        let mut blocked = Blocked::new(version, Settings::default(), 0);
        while waiting(&blocked.pair.client) > 0 {
            blocked.pair.step_towards(Side::Server);
            blocked.arrived.extend(received(&mut blocked.pair.server));
        }
        let original = blocked.plaintext.clone();
        let mut retry = original.clone();
        retry[..blocked.committed()].fill(0);
        blocked.finish(&retry, &original);
    }
}

#[test]
fn t3_the_work_of_a_retry_is_bounded_by_what_may_still_be_unsent() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        let original = noise(1_000_000);
        let mut arrived = Vec::new();
        while arrived.len() < 600_000 {
            assert_eq!(pair.client.write(&original), Ok(Write::NeedWrite));
            pair.move_to_server(20_000);
            arrived.extend(received(&mut pair.server));
        }
        assert!(waiting(&pair.client) > 0, "some of it is unsent");
        let mut retry = original.clone();
        retry[..500_000].fill(0); // gone long ago: not looked at any more
        let blocked = Blocked {
            pair,
            plaintext: original.clone(),
            arrived,
        };
        blocked.finish(&retry, &original);
    }
}

#[test]
fn t4_a_shorter_retry_that_covers_what_is_committed_returns_the_new_length() {
    for extra in [0, 1_000] {
        Blocked::everywhere(|blocked| {
            let retry = blocked.plaintext[..blocked.committed() + extra].to_vec();
            blocked.finish(&retry, &retry);
        });
    }
}

#[test]
fn t5_a_longer_retry_continues_and_returns_the_new_length() {
    Blocked::everywhere(|blocked| {
        let mut retry = blocked.plaintext.clone();
        retry.extend(noise(5_000));
        blocked.finish(&retry, &retry);
    });
}

#[test]
fn t6_x1_a_retry_shorter_than_what_is_committed_is_refused_and_the_connection_lives() {
    Blocked::everywhere(|mut blocked| {
        for len in [0, 1, blocked.committed() - 1] {
            let short = blocked.plaintext[..len].to_vec();
            let outgoing = waiting(&blocked.pair.client);
            assert_eq!(blocked.pair.client.write(&short), REFUSED);
            assert_eq!(
                waiting(&blocked.pair.client),
                outgoing,
                "no alert, no record"
            );
        }
        let retry = blocked.plaintext.clone();
        blocked.finish(&retry, &retry);
    });
}

#[test]
fn t7_another_address_with_other_bytes_is_refused() {
    Blocked::everywhere(|mut blocked| {
        let other = vec![0x55; blocked.plaintext.len()];
        assert_eq!(blocked.pair.client.write(&other), REFUSED);
        let retry = blocked.plaintext.clone();
        blocked.finish(&retry, &retry);
    });
}

#[test]
fn retry_check_by_length_sends_the_old_bytes_and_then_the_new_ones() {
    for version in VERSIONS {
        let settings = Settings::default().retry_check(RetryCheck::Length);
        let mut blocked = Blocked::new(version, settings, 100);
        let committed = blocked.committed();
        assert_eq!(
            blocked.pair.client.write(&vec![7; committed - 1]),
            REFUSED,
            "by length"
        );
        let retry = vec![7; blocked.plaintext.len()];
        let expected = [&blocked.plaintext[..committed], &retry[committed..]].concat();
        blocked.finish(&retry, &expected);
    }
}

#[test]
fn t9_nothing_is_compared_while_nothing_is_committed() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default().outgoing_limit(0));
        assert_eq!(pair.client.write(&noise(FULL)), Ok(Write::Written(FULL)));
        assert_eq!(
            pair.client.write(b"hello"),
            Ok(Write::NeedWrite),
            "the queue is full"
        );
        assert_eq!(pair.client.committed(), 0);
        assert_eq!(pair.client.write(b"x"), Ok(Write::NeedWrite));
        pair.settle();
        assert_eq!(pair.client.write(b"other"), Ok(Write::Written(5)));
    }
}

#[test]
fn t10_x1_a_refused_retry_sends_nothing_and_leaves_everything_usable() {
    Blocked::everywhere(|mut blocked| {
        let (outgoing, committed) = (waiting(&blocked.pair.client), blocked.committed());
        let short = blocked.plaintext[..committed - 1].to_vec();
        let mut changed = blocked.plaintext.clone();
        changed[committed - 1] ^= 1;
        for bad in [&short, &changed, &vec![7; 9]] {
            assert_eq!(blocked.pair.client.write(bad), REFUSED);
        }
        assert_eq!(waiting(&blocked.pair.client), outgoing, "no alert");
        assert_eq!(
            blocked.pair.client.interest(),
            offwire::Interest::ReadWrite,
            "it lives"
        );
        let _ = blocked.pair.server.write(b"data").unwrap();
        blocked.pair.settle_towards(Side::Client);
        assert_eq!(received(&mut blocked.pair.client), b"data");
        let retry = blocked.plaintext.clone();
        blocked.finish(&retry, &retry);
    });
}

#[test]
fn t11_reads_handshake_and_key_update_work_while_a_write_is_blocked() {
    Blocked::everywhere(|mut blocked| {
        let client = &mut blocked.pair.client;
        assert_eq!(client.handshake(), Ok(Handshake::Complete));
        let updated = client.key_update(KeyUpdate::Ours);
        match client.negotiated().unwrap().version() {
            ProtocolVersion::Tls12 => {
                assert_eq!(updated, Err(Error::Misuse(Misuse::KeyUpdateInTls12)));
            }
            ProtocolVersion::Tls13 => assert_eq!(updated, Ok(())),
        }
        let _ = blocked.pair.server.write(b"data").unwrap();
        blocked.pair.settle_towards(Side::Client);
        assert_eq!(received(&mut blocked.pair.client), b"data");
        let retry = blocked.plaintext.clone();
        blocked.finish(&retry, &retry);
    });
}

#[test]
fn t12_a_close_notify_read_between_retries_does_not_disturb_them() {
    Blocked::everywhere(|mut blocked| {
        assert_eq!(blocked.pair.server.shutdown(), Ok(Shutdown::NeedWrite));
        blocked.pair.settle_towards(Side::Client);
        assert_eq!(read_outcome(&mut blocked.pair.client), Ok(Read::Closed));
        let retry = blocked.plaintext.clone();
        blocked.finish(&retry, &retry);
    });
}

#[test]
fn t13_a_blocked_write_cannot_be_given_up_by_an_empty_one() {
    Blocked::everywhere(|mut blocked| {
        assert_eq!(blocked.pair.client.write(b""), REFUSED);
        let retry = blocked.plaintext.clone();
        blocked.finish(&retry, &retry);
    });
}

#[test]
fn a_blocked_write_of_five_bytes_reaches_the_peer_once() {
    for version in VERSIONS {
        let mut pair = connected_with(version, sent());
        assert_eq!(pair.client.write(b"hello"), Ok(Write::NeedWrite));
        assert_eq!(pair.client.write(b"hello"), Ok(Write::NeedWrite));
        assert_eq!(waiting(&pair.client), 5 + overhead(version));
        assert_eq!(pair.client.committed(), 5);
        pair.settle();
        assert_eq!(pair.client.write(b"hello"), Ok(Write::Written(5)));
        assert_eq!(pair.client.committed(), 0);
        pair.settle();
        assert_eq!(received(&mut pair.server), b"hello");
    }
}
