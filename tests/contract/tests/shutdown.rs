//! Facts S1 to S14: closing, half-closing and truncation; differences X6, X11 and X12.

use offwire::{Error, Handshake, Interest, Misuse, Read, Settings, Shutdown, Write};
use offwire_contract::{
    FULL, VERSIONS, connected_with, feed, noise, overhead, quiet, read, read_outcome, received,
    sent, take, waiting,
};
use offwire_testkit::{Pair, Side, records};

/// A pair whose server has sent close_notify, which the client has not read.
fn closed_by_server(version: offwire::ProtocolVersion) -> Pair {
    let mut pair = connected_with(version, Settings::default());
    assert_eq!(pair.server.shutdown(), Ok(Shutdown::NeedWrite));
    pair.settle();
    assert_eq!(pair.server.shutdown(), Ok(Shutdown::Sent));
    pair
}

#[test]
fn s1_a_write_succeeds_with_the_peers_close_notify_unread() {
    for version in VERSIONS {
        let mut pair = closed_by_server(version);
        assert_eq!(pair.client.write(b"data"), Ok(Write::Written(4)));
        pair.settle();
        assert_eq!(received(&mut pair.server), b"data");
    }
}

#[test]
fn s2_closed_is_said_as_often_as_asked() {
    for version in VERSIONS {
        let mut pair = closed_by_server(version);
        for _ in 0..3 {
            assert_eq!(pair.client.peek(&mut [0; 9]), Ok(Read::Closed));
            assert_eq!(read_outcome(&mut pair.client), Ok(Read::Closed));
        }
    }
}

#[test]
fn s3_writing_goes_on_after_the_peers_close_notify_was_read() {
    for version in VERSIONS {
        let mut pair = closed_by_server(version);
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Closed));
        assert_eq!(pair.exchange(Side::Client, &noise(100_000)), noise(100_000));
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
        pair.settle();
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::Complete));
        assert_eq!(read_outcome(&mut pair.server), Ok(Read::Closed));
        assert_eq!(pair.server.shutdown(), Ok(Shutdown::Complete));
    }
}

#[test]
fn s4_x11_shutdown_is_sent_until_the_peer_closes_too() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
        let alert = take(&mut pair.client);
        assert_eq!(records::split_whole(&alert).len(), 1);
        assert_eq!(alert.len(), 2 + overhead(version));
        for _ in 0..3 {
            assert_eq!(pair.client.shutdown(), Ok(Shutdown::Sent));
            assert_eq!(pair.client.outgoing(), b"", "close_notify once");
        }
        feed(&mut pair.server, &alert);
        assert_eq!(read_outcome(&mut pair.server), Ok(Read::Closed));
        assert_eq!(pair.server.shutdown(), Ok(Shutdown::NeedWrite));
        pair.settle();
        for _ in 0..3 {
            assert_eq!(pair.client.shutdown(), Ok(Shutdown::Complete));
            assert_eq!(pair.server.shutdown(), Ok(Shutdown::Complete));
        }
    }
}

#[test]
fn s5_shutdown_is_complete_at_once_when_the_peers_close_notify_was_read() {
    for version in VERSIONS {
        let mut pair = closed_by_server(version);
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Closed));
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
        take(&mut pair.client);
        for _ in 0..2 {
            assert_eq!(pair.client.shutdown(), Ok(Shutdown::Complete));
        }
    }
}

#[test]
fn s5_shutdown_finds_a_close_notify_that_nobody_has_read() {
    for version in VERSIONS {
        let mut pair = closed_by_server(version);
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
        assert_eq!(pair.client.stats().records_opened, 0, "ours goes first");
        take(&mut pair.client);
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::Complete));
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Closed));
    }
}

#[test]
fn s6_a_write_after_our_shutdown_is_refused_and_reading_goes_on() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        let refused = Err(Error::Misuse(Misuse::WriteAfterShutdown));
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
        assert_eq!(pair.client.write(b"data"), refused);
        pair.settle();
        assert_eq!(pair.client.write(b"data"), refused);
        assert_eq!(pair.exchange(Side::Server, b"data"), b"data");
    }
}

#[test]
fn s7_x12_data_after_our_shutdown_is_kept_for_read() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.server.write(b"before"), Ok(Write::Written(6)));
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
        pair.settle();
        assert_eq!(pair.server.write(b"after"), Ok(Write::Written(5)));
        assert_eq!(pair.server.shutdown(), Ok(Shutdown::NeedWrite));
        pair.settle();
        for _ in 0..3 {
            assert_eq!(
                pair.client.shutdown(),
                Ok(Shutdown::Sent),
                "data comes first"
            );
        }
        assert_eq!(
            read(&mut pair.client),
            Ok((Read::Read(6), b"before".to_vec()))
        );
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::Sent));
        assert_eq!(
            read(&mut pair.client),
            Ok((Read::Read(5), b"after".to_vec()))
        );
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Closed));
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::Complete));
    }
}

#[test]
fn s8_an_end_of_transport_at_every_byte_is_truncation_behind_the_plaintext() {
    for version in VERSIONS {
        let mut whole = connected_with(version, Settings::default());
        assert_eq!(whole.server.write(b"first"), Ok(Write::Written(5)));
        assert_eq!(whole.server.write(b"second"), Ok(Write::Written(6)));
        assert_eq!(whole.server.shutdown(), Ok(Shutdown::NeedWrite));
        let len = waiting(&whole.server);
        let ends = [5 + overhead(version), 11 + 2 * overhead(version)];
        for cut in 0..=len {
            let mut pair = connected_with(version, Settings::default());
            assert_eq!(pair.server.write(b"first"), Ok(Write::Written(5)));
            assert_eq!(pair.server.write(b"second"), Ok(Write::Written(6)));
            assert_eq!(pair.server.shutdown(), Ok(Shutdown::NeedWrite));
            pair.to_client.end_at(cut);
            pair.settle();
            let expected: &[u8] = match ends.iter().filter(|end| **end <= cut).count() {
                0 => b"",
                1 => b"first",
                _ => b"firstsecond",
            };
            assert_eq!(received(&mut pair.client), expected, "after {cut} bytes");
            let last = if cut == len {
                Read::Closed
            } else {
                Read::Truncated
            };
            for _ in 0..2 {
                assert_eq!(
                    read_outcome(&mut pair.client),
                    Ok(last),
                    "after {cut} bytes"
                );
                assert_eq!(pair.client.peek(&mut [0; 9]), Ok(last));
            }
        }
    }
}

#[test]
fn s8_shutdown_tells_a_truncation() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        pair.client.feed_eof();
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Truncated));
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
        take(&mut pair.client);
        for _ in 0..2 {
            assert_eq!(pair.client.shutdown(), Ok(Shutdown::Truncated));
        }
    }
}

#[test]
fn s8_a_truncation_that_shutdown_meets_itself_is_told() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
        take(&mut pair.client);
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::Sent));
        pair.client.feed_eof();
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::Truncated));
    }
}

#[test]
fn s9_writes_do_not_notice_a_truncation() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        pair.client.feed_eof();
        assert_eq!(pair.client.write(b"data"), Ok(Write::Written(4)));
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Truncated));
        assert_eq!(pair.exchange(Side::Client, b"more"), b"datamore");
    }
}

#[test]
fn s10_a_close_notify_before_the_end_of_transport_is_a_clean_end() {
    for version in VERSIONS {
        let mut pair = closed_by_server(version);
        pair.client.feed_eof();
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Closed));
        pair.client.feed_eof();
        assert_eq!(
            read_outcome(&mut pair.client),
            Ok(Read::Closed),
            "and stays one"
        );
        assert_eq!(pair.client.write(b"data"), Ok(Write::Written(4)));
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
        pair.settle();
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::Complete));
    }
}

#[test]
fn s12_x6_shutdown_at_every_byte_of_a_blocked_write_keeps_record_and_close_notify() {
    for version in VERSIONS {
        let plaintext = noise(300);
        let len = plaintext.len() + overhead(version);
        for gone in 0..len {
            let mut pair = connected_with(version, sent());
            assert_eq!(pair.client.write(&plaintext), Ok(Write::NeedWrite));
            assert_eq!(pair.move_to_server(gone), gone);
            assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
            assert_eq!(
                pair.client.write(&plaintext),
                Err(Error::Misuse(Misuse::WriteAfterShutdown))
            );
            pair.settle();
            assert_eq!(pair.client.shutdown(), Ok(Shutdown::Sent));
            assert_eq!(received(&mut pair.server), plaintext, "after {gone} bytes");
            assert_eq!(read_outcome(&mut pair.server), Ok(Read::Closed));
        }
    }
}

#[test]
fn s12_x6_the_unsealed_rest_of_a_blocked_write_is_abandoned() {
    for version in VERSIONS {
        let mut pair = connected_with(version, sent());
        let plaintext = noise(200_000);
        assert_eq!(pair.client.write(&plaintext), Ok(Write::NeedWrite));
        let committed = pair.client.committed();
        assert_eq!(committed % FULL, 0);
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
        let mut arrived = Vec::new();
        while pair.step() > 0 {
            arrived.extend(received(&mut pair.server));
        }
        assert_eq!(
            arrived,
            plaintext[..committed],
            "what committed() had said, no more"
        );
        assert_eq!(read_outcome(&mut pair.server), Ok(Read::Closed));
    }
}

#[test]
fn s13_a_transport_of_one_byte_carries_the_close_notify() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        for _ in 0..2 + overhead(version) {
            assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
            assert_eq!(pair.client.interest(), Interest::ReadWrite);
            assert_eq!(
                read_outcome(&mut pair.client),
                Ok(Read::NeedRead),
                "reads are allowed"
            );
            assert_eq!(pair.move_to_server(1), 1);
        }
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::Sent));
        assert_eq!(read_outcome(&mut pair.server), Ok(Read::Closed));
    }
}

#[test]
fn s14_shutdown_in_the_handshake_is_refused_and_harmless() {
    let refused = Err(Error::Misuse(Misuse::ShutdownInHandshake));
    for version in VERSIONS {
        let mut pair = Pair::of(&quiet(version));
        assert_eq!(pair.client.shutdown(), refused);
        assert_eq!(pair.server.shutdown(), refused);
        assert_eq!(pair.client.outgoing(), b"", "nothing is driven");
        assert_eq!(pair.client.handshake(), Ok(Handshake::NeedWrite));
        assert_eq!(pair.client.shutdown(), refused);
        pair.handshake();
        pair.close();
    }
}

#[test]
fn after_the_peers_close_notify_all_input_is_discarded() {
    for version in VERSIONS {
        let mut pair = closed_by_server(version);
        feed(&mut pair.client, b"junk that is no record");
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Closed));
        feed(&mut pair.client, &noise(500_000));
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Closed));
        assert_eq!(pair.client.write(b"data"), Ok(Write::Written(4)));
        assert_eq!(pair.client.interest(), Interest::Write);
    }
}

#[test]
fn after_the_end_of_the_transport_all_input_is_discarded() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(pair.server.write(b"data"), Ok(Write::Written(4)));
        pair.settle();
        assert_eq!(pair.server.write(b"late"), Ok(Write::Written(4)));
        pair.client.feed_eof();
        pair.settle();
        pair.client.feed_eof();
        assert_eq!(received(&mut pair.client), b"data");
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Truncated));
        feed(&mut pair.client, &noise(500_000));
        assert_eq!(read_outcome(&mut pair.client), Ok(Read::Truncated));
        assert_eq!(pair.client.interest(), Interest::Nothing);
    }
}

#[test]
fn after_both_close_notifies_there_is_no_interest() {
    for version in VERSIONS {
        let mut pair = closed_by_server(version);
        pair.close();
        assert_eq!(pair.client.interest(), Interest::Nothing);
        assert_eq!(pair.server.interest(), Interest::Nothing);
    }
}
