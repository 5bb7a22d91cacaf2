//! Writes over a transport that blocks: what was taken reaches the peer once.

extern crate alloc;

mod support;

use std::io::{self, ErrorKind};

use offwire::{Error as Tls, Handshake, Interest, Misuse, Read, Settings, Write, WriteMode};
use offwire_stream::{Error, Stream};
use offwire_testkit::Contexts;
use offwire_testkit::transport::Fault;

use support::{VERSIONS, open_pair, pair, pattern};

#[test]
fn two_blocked_writes_of_the_same_five_bytes_reach_the_peer_once() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        let up = client.transport().outgoing.clone();

        up.set_room(0);
        assert_eq!(client.write(b"hello").unwrap(), Write::NeedWrite);
        assert_eq!(client.write(b"hello").unwrap(), Write::NeedWrite);
        up.set_room(7);
        assert_eq!(client.write(b"hello").unwrap(), Write::NeedWrite);
        up.set_room(1_000);
        assert_eq!(client.write(b"hello").unwrap(), Write::Written(5));

        let mut buffer = [0; 64];
        assert_eq!(server.read(&mut buffer).unwrap(), Read::Read(5));
        assert_eq!(&buffer[..5], b"hello");
        assert_eq!(server.read(&mut buffer).unwrap(), Read::NeedRead);
        assert_eq!(client.engine().stats().plaintext_sealed, 5);
    }
}

#[test]
fn a_blocked_write_that_changes_is_refused_and_the_right_one_still_works() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        let up = client.transport().outgoing.clone();
        up.set_room(3);
        assert_eq!(client.write(b"hello").unwrap(), Write::NeedWrite);
        for wrong in [&b"hellO"[..], b"hell", b""] {
            let error = client.write(wrong).unwrap_err();
            let refused = Tls::Misuse(Misuse::BadWriteRetry);
            assert!(
                matches!(&error, Error::Tls(error) if *error == refused),
                "{error:?}"
            );
        }
        up.set_room(1_000);
        assert_eq!(client.write(b"hello").unwrap(), Write::Written(5));
        assert_eq!(server.read(&mut [0; 64]).unwrap(), Read::Read(5));
    }
}

#[test]
fn a_read_leaves_a_blocked_write_alone_and_is_served() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        let up = client.transport().outgoing.clone();
        up.set_room(3);
        assert_eq!(client.write(b"hello").unwrap(), Write::NeedWrite);
        assert_eq!(server.write(b"other way").unwrap(), Write::Written(9));
        up.set_room(1_000);
        assert_eq!(client.read(&mut [0; 64]).unwrap(), Read::Read(9));
        assert_eq!(client.read(&mut [0; 64]).unwrap(), Read::NeedRead);
        assert_eq!(up.bytes.borrow().len(), 3);
        assert_eq!(client.write(b"hello").unwrap(), Write::Written(5));
    }
}

#[test]
fn partial_mode_reports_one_record_a_call() {
    let settings = Settings::default().write_mode(WriteMode::Partial);
    for version in VERSIONS {
        let (mut client, _server) = open_pair(version, settings);
        let plaintext = pattern(40_000);
        assert_eq!(client.write(&plaintext).unwrap(), Write::Written(16_384));
        assert_eq!(
            client.write(&plaintext[16_384..]).unwrap(),
            Write::Written(16_384)
        );
        assert_eq!(
            client.write(&plaintext[32_768..]).unwrap(),
            Write::Written(7_232)
        );
    }
}

#[test]
fn a_write_is_done_only_when_the_transport_is_flushed() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        // The write itself succeeds, the two flushes behind it do not.
        client.transport_mut().fail(
            |call, _| match call {
                1 => Fault::Fails(ErrorKind::WouldBlock),
                2 => Fault::Fails(ErrorKind::ConnectionReset),
                _ => Fault::None,
            },
            0,
        );
        assert_eq!(client.write(b"hello").unwrap(), Write::NeedWrite);
        assert!(client.engine().outgoing().is_empty());
        assert_eq!(client.interest(), Interest::ReadWrite);
        assert!(matches!(client.write(b"hello"), Err(Error::Transport(_))));
        assert_eq!(client.write(b"hello").unwrap(), Write::Written(5));
        assert_eq!(client.interest(), Interest::Read);

        assert_eq!(server.read(&mut [0; 64]).unwrap(), Read::Read(5));
        assert_eq!(server.read(&mut [0; 64]).unwrap(), Read::NeedRead);
    }
}

#[test]
fn a_transport_that_takes_nothing_is_an_error() {
    for version in VERSIONS {
        let (mut client, _server) = open_pair(version, Settings::default());
        client.transport_mut().fail(|_, _| Fault::Short(0), 0);
        let error = client.write(b"hello").unwrap_err();
        let is_write_zero = |error: &io::Error| error.kind() == ErrorKind::WriteZero;
        assert!(
            matches!(&error, Error::Transport(error) if is_write_zero(error)),
            "{error:?}"
        );
        client.transport_mut().fail(|_, _| Fault::None, 0);
        assert_eq!(client.write(b"hello").unwrap(), Write::Written(5));
    }
}

#[test]
fn a_stream_taken_apart_in_a_blocked_write_goes_on_when_joined() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        let up = client.transport().outgoing.clone();
        up.set_room(3);
        assert_eq!(client.write(b"hello").unwrap(), Write::NeedWrite);
        let (engine, transport) = client.into_parts();
        assert_eq!(engine.committed(), 5);
        let mut client = Stream::from_parts(engine, transport).unwrap();
        up.set_room(1_000);
        assert_eq!(client.write(b"hello").unwrap(), Write::Written(5));
        assert_eq!(server.read(&mut [0; 64]).unwrap(), Read::Read(5));
    }
}

#[test]
fn an_engine_that_calls_queued_bytes_written_is_given_back() {
    let (client, _) = Contexts::new().build();
    let engine = client.connect("localhost".try_into().unwrap()).unwrap();
    assert!(Stream::from_parts(engine, io::empty()).is_err());
}

#[test]
fn both_ends_shake_hands_through_a_transport_of_one_byte() {
    for version in VERSIONS {
        for capacity in [1, 2, 5] {
            let (mut client, mut server) = pair(&Contexts::new().version(version).tickets(0));
            let mut rounds = 0;
            loop {
                let outcomes = [&mut client, &mut server].map(|end| {
                    let held = end.transport().outgoing.bytes.borrow().len();
                    end.transport().outgoing.set_room(capacity - held);
                    end.handshake().unwrap()
                });
                if outcomes == [Handshake::Complete; 2] {
                    break;
                }
                rounds += 1;
                assert!(
                    rounds < 100_000,
                    "{version} {capacity}: neither goes on: {outcomes:?}"
                );
            }
        }
    }
}

#[test]
fn slices_are_packed_into_full_records() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        let plaintext = pattern(20_000);
        let before = client.engine().stats().records_sealed;
        let slices: Vec<&[u8]> = plaintext.chunks(100).collect();
        assert_eq!(
            client.write_vectored(&slices).unwrap(),
            Write::Written(20_000)
        );
        assert_eq!(client.engine().stats().records_sealed - before, 2);
        let mut buffer = vec![0; 20_000];
        assert_eq!(server.read(&mut buffer).unwrap(), Read::Read(16_384));
        assert_eq!(
            server.read(&mut buffer[16_384..]).unwrap(),
            Read::Read(3_616)
        );
        assert_eq!(buffer, plaintext);
    }
}

#[test]
fn a_blocked_write_of_slices_is_retried_in_any_grouping_and_sent_once() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, Settings::default());
        let up = client.transport().outgoing.clone();
        up.set_room(7);
        assert_eq!(
            client.write_vectored(&[b"he", b"", b"llo"]).unwrap(),
            Write::NeedWrite
        );
        let error = client.write_vectored(&[b"he", b"lp!"]).unwrap_err();
        let refused = Tls::Misuse(Misuse::BadWriteRetry);
        assert!(matches!(&error, Error::Tls(error) if *error == refused));
        assert_eq!(
            client.write_vectored(&[b"hell", b"o"]).unwrap(),
            Write::NeedWrite
        );
        up.set_room(1_000);
        assert_eq!(client.write(b"hello").unwrap(), Write::Written(5));
        let mut buffer = [0; 64];
        assert_eq!(server.read(&mut buffer).unwrap(), Read::Read(5));
        assert_eq!(&buffer[..5], b"hello");
        assert_eq!(server.read(&mut buffer).unwrap(), Read::NeedRead);
    }
}

#[test]
fn a_write_of_slices_shakes_hands_first() {
    for version in VERSIONS {
        let (mut client, mut server) = pair(&Contexts::new().version(version));
        let mut buffer = [0; 64];
        while client.write_vectored(&[b"he", b"llo"]).unwrap() != Write::Written(5) {
            assert_eq!(server.read(&mut buffer).unwrap(), Read::NeedRead);
        }
        assert_eq!(server.read(&mut buffer).unwrap(), Read::Read(5));
        assert_eq!(&buffer[..5], b"hello");
    }
}
