//! What two halves send on the side: what is left of the handshake, and answers that a read owes.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

extern crate alloc;

mod support;

use std::io::{Read, Write};

use offwire::ProtocolVersion;
use offwire_blocking::{Joined, TlsStream};
use offwire_testkit::Contexts;

use support::{Memory, is_limit};

#[test]
fn tickets_that_a_first_read_left_behind_leave_with_the_split() {
    let contexts = Contexts::new().version(ProtocolVersion::Tls13);
    let (client, server) = contexts.build();
    let near = Memory::default();
    let (reading, writing) = (near.opposite(), near.opposite());
    let mut client = TlsStream::connect_lazy(&client, contexts.name(), near).unwrap();
    let mut server = TlsStream::accept_lazy(&server, Joined::new(reading, writing));
    assert!(is_limit(&client.handshake().unwrap_err()));
    assert!(is_limit(&server.handshake().unwrap_err()));
    client.write_all(b"hello").unwrap();

    // The client's last flight and its data come at once, so nothing makes the read wait.
    assert_eq!(server.read(&mut [0; 64]).unwrap(), 5);
    assert!(client.transport().incoming.bytes.borrow().is_empty());
    let (_reader, _writer) = server.split().unwrap();
    assert!(is_limit(&client.read(&mut [0; 64]).unwrap_err()));
    assert!(client.engine().stats().tickets_received > 0);
}
