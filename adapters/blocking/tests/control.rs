//! What two halves send on the side: what is left of the handshake, and answers that a read owes.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

extern crate alloc;

mod support;

use std::io::{Read, Write};

use offwire::{Alert, ProtocolVersion, Settings, WriteMode};
use offwire_blocking::{Joined, TlsStream};
use offwire_testkit::transport::Memory;
use offwire_testkit::{Contexts, RawPeer, Side, messages};

use support::is_limit;

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

#[test]
fn a_warning_is_sent_once_what_has_arrived_is_handed_out() {
    let settings = Settings::default().write_mode(WriteMode::Partial);
    let contexts = Contexts::new()
        .version(ProtocolVersion::Tls12)
        .settings(settings);
    let (mut client, engine) = RawPeer::facing(Side::Server, &contexts);
    let (reading, writing) = (Memory::default(), Memory::default());
    {
        let mut incoming = reading.incoming.bytes.borrow_mut();
        incoming.extend(client.message(&messages::client_hello()));
        incoming.extend(client.data(b"data flows on"));
    }
    let calls = alloc::rc::Rc::clone(&writing.calls);
    let outgoing = alloc::rc::Rc::clone(&writing.outgoing);
    let transport = Joined::new(reading, writing);
    let (mut reader, _writer) = TlsStream::from_parts(engine, transport)
        .unwrap()
        .split()
        .unwrap();
    assert_eq!(reader.read(&mut [0; 64]).unwrap(), 13);
    assert_eq!(calls.get(), 0, "nothing is sent before that");
    assert!(is_limit(&reader.read(&mut [0; 64]).unwrap_err()));
    let wire: Vec<u8> = outgoing.bytes.borrow_mut().drain(..).collect();
    let opened = client.open(&wire);
    let alerts: Vec<_> = opened.iter().map(offwire_testkit::Opened::alert).collect();
    assert_eq!(alerts, [Some((1, Alert::NO_RENEGOTIATION))]);
}
