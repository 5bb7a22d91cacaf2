//! The transport ends, or fails for good, at every byte: never taken for a clean end, and nothing
//! that arrived before is lost.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

extern crate alloc;

mod support;

use std::io::{ErrorKind, Read, Write};

use offwire::ProtocolVersion;
use offwire_blocking::{CloseNotify, TlsStream, tls_error};
use offwire_testkit::transport::{Fault, Memory};
use offwire_testkit::{Contexts, Side};

use support::{End, Task, VERSIONS, is_limit, open_pair, pair, pattern};

/// What the side that ends has to say, as two writes.
const LEN: usize = 300;

/// The transport towards `reading` ends behind so many bytes. Returns how many there would have
/// been, when it was a clean end.
fn ends_at(version: ProtocolVersion, reading: Side, offset: usize) -> Option<usize> {
    let (client, server) = pair(&Contexts::new().version(version));
    let (client, server) = (End::of(client), End::of(server));
    let (mut reader, mut writer) = match reading {
        Side::Client => (client, server),
        Side::Server => (server, client),
    };
    reader.stream.transport().incoming.end_in(offset);
    writer.tasks([
        Task::Handshake,
        Task::Write(pattern(LEN)),
        Task::Write(pattern(LEN)),
        Task::Close(CloseNotify::Ours),
    ]);
    reader.tasks([Task::ReadEnd]);
    let end = loop {
        // It fails where the reader has failed.
        let _ = writer.poll();
        match reader.poll() {
            Ok(()) => break None,
            Err(error) if is_limit(&error) => {}
            Err(error) => break Some(error),
        }
    };
    assert!(pattern(LEN).repeat(2).starts_with(&reader.received));
    let total = reader.stream.transport().incoming.total.get();
    let Some(error) = end else {
        assert_eq!(reader.received.len(), 2 * LEN);
        assert!(writer.is_done() && offset >= total, "{offset} of {total}");
        return Some(total);
    };
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{offset}: {error}");
    // The handshake has a name for it, and the end stays what it is.
    let in_handshake = reader.stream.engine().negotiated().is_none();
    assert_eq!(tls_error(&error).is_some(), in_handshake);
    let again = reader.stream.read(&mut [0; 9]).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::UnexpectedEof);
    None
}

#[test]
fn only_behind_close_notify_is_an_end_clean() {
    for version in VERSIONS {
        for reading in Side::BOTH {
            let mut offset = 0;
            // Signatures differ in length, so the end is found and not computed.
            while ends_at(version, reading, offset).is_none() {
                offset += 1;
            }
            assert!(offset > 2 * LEN + 100, "{offset}");
        }
    }
}

/// So many bytes into the record that the client writes, its transport fails for good.
fn breaks_after(version: ProtocolVersion, bytes: usize) {
    let (mut client, mut server) = open_pair(version);
    // The transport takes what is left in one call, then fails whatever it is asked.
    client.transport_mut().fail(
        |call, bytes| match call {
            0 => Fault::Short(bytes),
            _ => Fault::Fails(ErrorKind::BrokenPipe),
        },
        bytes,
    );
    // The bytes were taken, so the error is kept back.
    assert_eq!(client.write(&[7; 1_000]).unwrap(), 1_000);
    let sealed = client.engine().stats().records_sealed;
    for _ in 0..3 {
        assert_eq!(
            client.write(b"more").unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
        assert_eq!(client.flush().unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
    assert_eq!(client.engine().stats().records_sealed, sealed, "was taken");
    let closing = client.shutdown(CloseNotify::Ours);
    assert_eq!(closing.unwrap_err().kind(), ErrorKind::BrokenPipe);
    drop(client);
    // The peer has part of a record, of which nothing is shown.
    let incoming = &server.transport().incoming;
    assert_eq!(incoming.bytes.borrow().len(), bytes);
    incoming.end_in(bytes);
    let error = server.read(&mut [0; 2_000]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_transport_that_fails_for_good_in_the_middle_of_a_record() {
    for version in VERSIONS {
        for bytes in [1, 4, 5, 6, 500, 1_000] {
            breaks_after(version, bytes);
        }
    }
}

#[test]
fn what_arrived_before_the_transport_failed_is_read() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version);
        client.write_all(b"whole").unwrap();
        let whole = server.transport().incoming.bytes.borrow().len();
        client.write_all(b"broken off").unwrap();
        server.transport_mut().fail(
            |call, bytes| match call {
                0 => Fault::Short(bytes),
                _ => Fault::Fails(ErrorKind::ConnectionReset),
            },
            whole + 9,
        );
        let mut buffer = [0; 100];
        assert_eq!(server.read(&mut buffer).unwrap(), 5);
        for _ in 0..3 {
            let error = server.read(&mut buffer).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
        assert_eq!(&buffer[..5], b"whole");
    }
}

#[test]
fn an_engine_and_its_transport_go_on_in_new_hands() {
    let (client, mut server) = open_pair(ProtocolVersion::Tls13);
    let (engine, transport) = client.into_parts();
    let mut client = TlsStream::from_parts(engine, transport).unwrap();
    client.write_all(b"hello").unwrap();
    let mut buffer = [0; 5];
    server.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"hello");
}

#[test]
fn an_engine_of_another_contract_is_given_back() {
    let (_, server) = Contexts::new().build();
    let parts = TlsStream::from_parts(server.accept(), Memory::default());
    let (engine, _) = parts.unwrap_err(); // whole writes
    assert_eq!(engine.settings(), server.settings());
}
