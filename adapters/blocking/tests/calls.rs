//! What each call promises, one by one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

extern crate alloc;

mod support;

use std::io::{BufWriter, ErrorKind, IoSlice, Read, Write};

use offwire::{Error, KeyUpdate, Misuse, ProtocolVersion};
use offwire_blocking::{CloseNotify, Joined, TlsStream, tls_error};
use offwire_testkit::Contexts;
use offwire_testkit::transport::{Fault, Memory};

use support::{VERSIONS, is_limit, open_pair, pattern};

/// Whether the transport fails from now on.
fn blocked(stream: &mut TlsStream<Memory>) {
    stream
        .transport_mut()
        .fail(|_, _| Fault::Fails(ErrorKind::WouldBlock), 0);
}

fn unblocked(stream: &mut TlsStream<Memory>) {
    stream.transport_mut().fail(|_, _| Fault::None, 0);
}

fn receive(stream: &mut TlsStream<Memory>, len: usize) -> Vec<u8> {
    let mut received = vec![0; len];
    stream.read_exact(&mut received).unwrap();
    received
}

#[test]
fn an_error_after_sealing_is_kept_back_and_met_by_the_next_call() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version);
        blocked(&mut client);
        assert_eq!(client.write(b"taken").unwrap(), 5);
        for _ in 0..3 {
            assert!(is_limit(&client.write(b"not taken").unwrap_err()));
            assert!(is_limit(&client.flush().unwrap_err()));
        }
        assert_eq!(client.engine().stats().plaintext_sealed, 5);
        unblocked(&mut client);
        client.flush().unwrap();
        assert_eq!(receive(&mut server, 5), b"taken");
        assert!(is_limit(&server.read(&mut [0; 9]).unwrap_err()));
    }
}

#[test]
fn a_read_sends_what_a_blocked_write_left_behind() {
    let (mut client, mut server) = open_pair(ProtocolVersion::Tls13);
    blocked(&mut client);
    assert_eq!(client.write(b"question").unwrap(), 8);
    // Whether it can be sent or not, the answer is looked for.
    assert!(is_limit(&client.read(&mut [0; 9]).unwrap_err()));
    unblocked(&mut client);
    assert!(is_limit(&client.read(&mut [0; 9]).unwrap_err()));
    assert_eq!(receive(&mut server, 8), b"question");
}

#[test]
fn what_can_be_read_is_read_while_writing_fails() {
    let (mut client, mut server) = open_pair(ProtocolVersion::Tls13);
    server.write_all(b"news").unwrap();
    // Writes are the even calls here: each read of the transport is preceded by one.
    client.transport_mut().fail(
        |call, _| match call {
            0 | 1 => Fault::Fails(ErrorKind::BrokenPipe),
            _ => Fault::None,
        },
        0,
    );
    assert_eq!(client.write(b"x").unwrap(), 1);
    assert_eq!(receive(&mut client, 4), b"news");
}

#[test]
fn a_write_takes_at_most_a_record() {
    let (mut client, mut server) = open_pair(ProtocolVersion::Tls13);
    let long = pattern(40_000);
    assert_eq!(client.write(&long).unwrap(), 16_384);
    assert_eq!(client.write(&[]).unwrap(), 0);
    assert_eq!(receive(&mut server, 16_384), long[..16_384]);
}

#[test]
fn write_all_returns_once_all_is_written() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version);
        let long = pattern(40_000);
        client.write_all(&long).unwrap();
        assert_eq!(client.engine().stats().plaintext_sealed, 40_000);
        assert_eq!(client.engine().outgoing(), b"", "all of it has left");
        assert_eq!(receive(&mut server, 40_000), long);
    }
}

#[test]
fn an_empty_buffer_reads_nothing_and_waits_for_nothing() {
    let (mut client, _server) = open_pair(ProtocolVersion::Tls13);
    client.transport_mut().fail(|_, _| Fault::None, 0);
    assert_eq!(client.read(&mut []).unwrap(), 0);
    assert_eq!(client.transport().calls.get(), 0);
}

#[test]
fn a_peek_leaves_the_bytes() {
    let (mut client, mut server) = open_pair(ProtocolVersion::Tls13);
    client.write_all(b"once").unwrap();
    let mut buffer = [0; 9];
    assert_eq!(server.peek(&mut buffer).unwrap(), 4);
    assert_eq!(&buffer[..4], b"once");
    assert_eq!(receive(&mut server, 4), b"once");
}

#[test]
fn a_peers_key_update_is_answered_with_the_next_write() {
    let (mut client, mut server) = open_pair(ProtocolVersion::Tls13);
    client.engine_mut().key_update(KeyUpdate::Both).unwrap();
    client.write_all(b"new keys").unwrap();
    assert_eq!(receive(&mut server, 8), b"new keys");
    server.write_all(b"here too").unwrap();
    assert_eq!(receive(&mut client, 8), b"here too");
    assert_eq!(client.engine().stats().key_updates_received, 1);
}

#[test]
fn flush_reaches_through_a_transport_that_buffers() {
    let contexts = Contexts::new();
    let (client, _) = contexts.build();
    let near = Memory::default();
    let far = near.opposite();
    let transport = Joined::new(far.opposite(), BufWriter::new(near));
    let mut client = TlsStream::connect_lazy(&client, contexts.name(), transport).unwrap();
    // The handshake waits for the peer, which must have got our hello by then.
    assert!(is_limit(&client.handshake().unwrap_err()));
    assert!(!far.incoming.bytes.borrow().is_empty());
}

#[test]
fn shutdown_waits_for_the_peer_only_if_asked_to() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version);
        assert_eq!(
            client.shutdown(CloseNotify::Ours).unwrap(),
            CloseNotify::Ours
        );
        assert!(is_limit(&client.shutdown(CloseNotify::Both).unwrap_err()));
        assert_eq!(server.read(&mut [0; 9]).unwrap(), 0);
        server.write_all(b"a last word").unwrap();
        // Data that nobody has read is no error.
        assert_eq!(
            client.shutdown(CloseNotify::Both).unwrap(),
            CloseNotify::Ours
        );
        assert_eq!(receive(&mut client, 11), b"a last word");
        assert_eq!(
            server.shutdown(CloseNotify::Both).unwrap(),
            CloseNotify::Both
        );
        assert_eq!(
            client.shutdown(CloseNotify::Both).unwrap(),
            CloseNotify::Both
        );
        assert_eq!(client.read(&mut [0; 9]).unwrap(), 0);
    }
}

#[test]
fn shutdown_meets_a_transport_that_ends_without_the_peers() {
    for version in VERSIONS {
        let (mut client, _server) = open_pair(version);
        client.transport().incoming.end_in(0);
        assert_eq!(
            client.shutdown(CloseNotify::Ours).unwrap(),
            CloseNotify::Ours
        );
        let error = client.shutdown(CloseNotify::Both).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }
}

#[test]
fn misuse_is_an_error_that_leaves_the_connection_usable() {
    let (mut client, mut server) = open_pair(ProtocolVersion::Tls13);
    let _ = client.shutdown(CloseNotify::Ours).unwrap();
    let error = client.write(b"too late").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    let misuse = Error::Misuse(Misuse::WriteAfterShutdown);
    assert_eq!(tls_error(&error), Some(&misuse));
    assert_eq!(error.downcast::<Error>().unwrap(), misuse);
    server.write_all(b"still there").unwrap();
    assert_eq!(receive(&mut client, 11), b"still there");

    let (client, _) = Contexts::new().build();
    let name = Contexts::new().name();
    let mut client = TlsStream::connect_lazy(&client, name, Memory::default()).unwrap();
    let error = client.shutdown(CloseNotify::Ours).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_peers_fault_is_invalid_data_and_the_alert_has_left() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version);
        server.write_all(b"true").unwrap();
        server.write_all(b"false").unwrap();
        if let Some(last) = client.transport().incoming.bytes.borrow_mut().back_mut() {
            *last ^= 1;
        }
        assert_eq!(receive(&mut client, 4), b"true");
        for _ in 0..2 {
            let error = client.read(&mut [0; 9]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(matches!(tls_error(&error), Some(Error::Peer(_))));
        }
        let error = server.read(&mut [0; 9]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(matches!(tls_error(&error), Some(Error::Alert(_))));
    }
}

#[test]
fn a_drop_does_no_io() {
    let (mut client, _server) = open_pair(ProtocolVersion::Tls13);
    blocked(&mut client);
    client.write_all(b"left behind").unwrap();
    unblocked(&mut client);
    let calls = alloc::rc::Rc::clone(&client.transport().calls);
    drop(client);
    assert_eq!(calls.get(), 0);
}

#[test]
fn slices_are_packed_into_one_record() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version);
        let plaintext = pattern(20_000);
        let mut slices: Vec<IoSlice<'_>> = plaintext.chunks(1_000).map(IoSlice::new).collect();
        slices.insert(0, IoSlice::new(&[]));
        let before = client.engine().stats().records_sealed;
        assert_eq!(client.write_vectored(&slices).unwrap(), 16_384);
        assert_eq!(client.engine().stats().records_sealed - before, 1);
        assert_eq!(receive(&mut server, 16_384), plaintext[..16_384]);
        assert_eq!(client.write_vectored(&slices[..1]).unwrap(), 0);
        assert_eq!(client.write_vectored(&[]).unwrap(), 0);
    }
}

#[test]
fn of_many_slices_the_first_64_that_are_not_empty_are_taken() {
    let (mut client, mut server) = open_pair(ProtocolVersion::Tls13);
    let plaintext = pattern(1_000);
    let mut slices = vec![IoSlice::new(&[]); 100];
    slices.extend(plaintext.chunks(10).map(IoSlice::new));
    assert_eq!(client.write_vectored(&slices).unwrap(), 640);
    assert_eq!(receive(&mut server, 640), plaintext[..640]);
}

#[test]
fn an_error_of_a_write_of_slices_means_that_nothing_was_taken() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version);
        let slices = [IoSlice::new(b"ta"), IoSlice::new(b"ken")];
        blocked(&mut client);
        assert_eq!(client.write_vectored(&slices).unwrap(), 5);
        assert!(is_limit(&client.write_vectored(&slices).unwrap_err()));
        unblocked(&mut client);
        // Nothing is committed: other bytes may come.
        assert_eq!(client.write(b"other").unwrap(), 5);
        assert_eq!(receive(&mut server, 10), b"takenother");
        assert!(is_limit(&server.read(&mut [0; 9]).unwrap_err()));
    }
}
