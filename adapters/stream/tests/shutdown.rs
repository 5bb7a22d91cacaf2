//! The end of a connection: each half for itself, truncation, and errors with their alerts.

extern crate alloc;

mod support;

use offwire::{Alert, Error as Tls, Misuse, Peer, Read, Settings, Shutdown, Write};
use offwire_stream::Error;
use offwire_testkit::Contexts;

use support::{End, Task, VERSIONS, open_pair, pair, pattern, run};

#[test]
fn shutdown_says_sent_without_waiting_and_complete_after_the_peers() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        assert_eq!(server.shutdown().unwrap(), Shutdown::Sent);
        assert_eq!(client.read(&mut [0; 8]).unwrap(), Read::Closed);
        assert_eq!(client.shutdown().unwrap(), Shutdown::Complete);
        assert_eq!(server.shutdown().unwrap(), Shutdown::Complete);
    }
}

#[test]
fn the_first_shutdown_does_not_read_and_the_repeated_one_does() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        assert_eq!(server.shutdown().unwrap(), Shutdown::Sent);
        // The server's close_notify is on its way, and the client has not looked yet.
        assert_eq!(client.shutdown().unwrap(), Shutdown::Sent);
        assert!(!client.transport().incoming.bytes.borrow().is_empty());
        assert_eq!(client.shutdown().unwrap(), Shutdown::Complete);
    }
}

#[test]
fn a_repeated_shutdown_leaves_the_transport_alone_while_data_is_there_to_be_read() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        assert_eq!(server.write(b"last words").unwrap(), Write::Written(10));
        assert_eq!(server.shutdown().unwrap(), Shutdown::Sent);
        assert_eq!(client.peek(&mut [0; 4]).unwrap(), Read::Read(4));
        assert_eq!(client.shutdown().unwrap(), Shutdown::Sent);
        // On a blocking transport another read of it would wait for a peer that has said all.
        let calls = client.transport().calls.get();
        assert_eq!(client.shutdown().unwrap(), Shutdown::Sent);
        assert_eq!(client.transport().calls.get(), calls);
        assert_eq!(client.read(&mut [0; 99]).unwrap(), Read::Read(10));
        assert_eq!(client.shutdown().unwrap(), Shutdown::Complete);
    }
}

#[test]
fn a_repeated_shutdown_would_block_until_the_peer_answers() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        for _ in 0..3 {
            assert_eq!(client.shutdown().unwrap(), Shutdown::Sent);
        }
        assert_eq!(server.read(&mut [0; 8]).unwrap(), Read::Closed);
        assert_eq!(server.shutdown().unwrap(), Shutdown::Complete);
        assert_eq!(client.shutdown().unwrap(), Shutdown::Complete);
    }
}

#[test]
fn close_notify_that_would_block_is_sent_by_the_repetition() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        client.transport().outgoing.set_room(1);
        assert_eq!(client.shutdown().unwrap(), Shutdown::NeedWrite);
        assert_eq!(client.shutdown().unwrap(), Shutdown::NeedWrite);
        client.transport().outgoing.set_room(1_000);
        assert_eq!(client.shutdown().unwrap(), Shutdown::Sent);
        assert_eq!(server.read(&mut [0; 8]).unwrap(), Read::Closed);
    }
}

#[test]
fn after_half_close_the_other_half_goes_on() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        assert_eq!(client.shutdown().unwrap(), Shutdown::Sent);
        let refused = client.write(b"late").unwrap_err();
        let late = Tls::Misuse(Misuse::WriteAfterShutdown);
        assert!(
            matches!(&refused, Error::Tls(error) if *error == late),
            "{refused:?}"
        );
        assert_eq!(server.read(&mut [0; 8]).unwrap(), Read::Closed);

        let (mut client, mut server) = (End::of(client), End::of(server));
        server.tasks([Task::Write(pattern(200_000)), Task::Close, Task::Complete]);
        client.tasks([Task::ReadUntil(200_000), Task::ReadEnd, Task::Complete]);
        run(&mut client, &mut server);
        assert!(client.received == pattern(200_000));
    }
}

#[test]
fn data_that_nobody_reads_does_not_hold_shutdown_up() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        assert_eq!(
            server.write(&pattern(200_000)).unwrap(),
            Write::Written(200_000)
        );
        for _ in 0..3 {
            assert_eq!(client.shutdown().unwrap(), Shutdown::Sent); // no room: read first
        }
        let mut client = End::of(client);
        let mut server = End::of(server);
        client.tasks([Task::ReadUntil(200_000), Task::ReadEnd, Task::Complete]);
        server.tasks([Task::ReadEnd, Task::Close]);
        run(&mut client, &mut server);
        assert!(client.received == pattern(200_000));
    }
}

#[test]
fn a_transport_that_ends_without_close_notify_is_truncation() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        assert_eq!(server.write(b"last words").unwrap(), Write::Written(10));
        server.transport().outgoing.end();
        assert_eq!(client.read(&mut [0; 64]).unwrap(), Read::Read(10));
        for _ in 0..2 {
            assert_eq!(client.read(&mut [0; 64]).unwrap(), Read::Truncated);
        }
        assert_eq!(client.shutdown().unwrap(), Shutdown::Truncated);
    }
}

#[test]
fn a_record_that_is_cut_off_is_truncation() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        assert_eq!(server.write(b"last words").unwrap(), Write::Written(10));
        server.transport().outgoing.bytes.borrow_mut().pop_back();
        server.transport().outgoing.end();
        assert_eq!(client.read(&mut [0; 64]).unwrap(), Read::Truncated);
    }
}

#[test]
fn the_end_of_the_transport_in_the_handshake_is_an_error() {
    for version in VERSIONS {
        let (mut client, _server) = pair(&Contexts::new().version(version));
        client.transport().incoming.end();
        for _ in 0..2 {
            let error = client.handshake().unwrap_err();
            let cut = Tls::Peer(Peer::HandshakeTruncated);
            assert!(
                matches!(&error, Error::Tls(error) if *error == cut),
                "{error:?}"
            );
        }
    }
}

#[test]
fn the_alert_of_a_fatal_error_is_sent_and_the_peer_learns_why() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        assert_eq!(server.write(b"hello").unwrap(), Write::Written(5));
        *server
            .transport()
            .outgoing
            .bytes
            .borrow_mut()
            .back_mut()
            .unwrap() ^= 1;
        let error = client.read(&mut [0; 64]).unwrap_err();
        let forged = Tls::Peer(Peer::BadRecordMac);
        assert!(
            matches!(&error, Error::Tls(error) if *error == forged),
            "{error:?}"
        );
        let error = server.read(&mut [0; 64]).unwrap_err();
        let told = Tls::Alert(Alert::BAD_RECORD_MAC);
        assert!(
            matches!(&error, Error::Tls(error) if *error == told),
            "{error:?}"
        );
    }
}

#[test]
fn an_alert_that_would_block_is_sent_by_a_later_call() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        assert_eq!(server.write(b"hello").unwrap(), Write::Written(5));
        *server
            .transport()
            .outgoing
            .bytes
            .borrow_mut()
            .back_mut()
            .unwrap() ^= 1;
        client.transport().outgoing.set_room(0);
        assert!(client.read(&mut [0; 64]).is_err());
        client.transport().outgoing.set_room(1_000);
        assert!(client.read(&mut [0; 64]).is_err());
        assert!(matches!(
            server.read(&mut [0; 64]),
            Err(Error::Tls(Tls::Alert(_)))
        ));
    }
}

#[test]
fn peek_leaves_the_bytes_where_they_are() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        assert_eq!(server.write(b"hello").unwrap(), Write::Written(5));
        let mut buffer = [0; 64];
        assert_eq!(client.peek(&mut buffer).unwrap(), Read::Read(5));
        assert_eq!(client.engine().pending(), 5);
        assert_eq!(client.read(&mut buffer).unwrap(), Read::Read(5));
        assert_eq!(client.peek(&mut buffer).unwrap(), Read::NeedRead);
    }
}

/// Found by the fuzzer (`fuzz/corpus/stream/a-blocked-shutdown-behind-the-transports-end`).
#[test]
fn behind_the_transports_end_what_waits_before_close_notify_leaves_by_the_repeated_shutdown() {
    for version in VERSIONS {
        let (mut client, server) = open_pair(version, Settings::default());
        client.transport().outgoing.set_room(20);
        assert_eq!(client.write(&pattern(30_000)).unwrap(), Write::NeedWrite);
        assert_eq!(client.shutdown().unwrap(), Shutdown::NeedWrite);
        client.transport().incoming.end();
        assert_eq!(client.read(&mut [0; 8]).unwrap(), Read::Truncated);
        // A read that finds the end sends nothing, whatever room there is by now.
        client.transport().outgoing.set_room(100_000);
        assert_eq!(client.read(&mut [0; 8]).unwrap(), Read::Truncated);
        assert_eq!(client.transport().outgoing.bytes.borrow().len(), 20);
        assert_eq!(client.shutdown().unwrap(), Shutdown::Truncated);
        let mut server = End::of(server);
        server.tasks([Task::ReadUntil(30_000), Task::ReadEnd]);
        run(&mut End::of(client), &mut server);
        assert!(server.received == pattern(30_000));
    }
}
