//! Control records that a read owes the peer: they leave when they can, and hold nothing up.

extern crate alloc;

mod support;

use offwire::{Alert, Completion, Interest, KeyUpdate, ProtocolVersion, Read, Settings, Write};
use offwire_stream::Stream;
use offwire_testkit::transport::Memory;
use offwire_testkit::{Contexts, RawPeer, Side, messages};

use support::open_pair;

/// A TLS 1.2 server that a client has just asked to renegotiate, and then told something.
fn asked_to_renegotiate() -> (RawPeer, Stream<Memory>) {
    let settings = Settings::default().completion(Completion::Sent);
    let contexts = Contexts::new()
        .version(ProtocolVersion::Tls12)
        .settings(settings);
    let (mut client, engine) = RawPeer::facing(Side::Server, &contexts);
    let Ok(server) = Stream::from_parts(engine, Memory::default()) else {
        unreachable!()
    };
    {
        let mut incoming = server.transport().incoming.bytes.borrow_mut();
        incoming.extend(client.message(&messages::client_hello()));
        incoming.extend(client.data(b"data flows on"));
    }
    (client, server)
}

fn is_warned(client: &mut RawPeer, server: &Stream<Memory>) -> bool {
    let wire: Vec<u8> = server
        .transport()
        .outgoing
        .bytes
        .borrow_mut()
        .drain(..)
        .collect();
    let opened = client.open(&wire);
    let alerts: Vec<_> = opened.iter().map(offwire_testkit::Opened::alert).collect();
    alerts == [Some((1, Alert::NO_RENEGOTIATION))]
}

#[test]
fn a_warning_is_sent_by_the_read_that_would_wait_otherwise() {
    let (mut client, mut server) = asked_to_renegotiate();
    assert_eq!(server.read(&mut [0; 64]).unwrap(), Read::Read(13));
    assert_eq!(server.read(&mut [0; 64]).unwrap(), Read::NeedRead);
    assert!(is_warned(&mut client, &server));
}

#[test]
fn a_warning_that_would_block_does_not_hold_a_read_up() {
    let (mut client, mut server) = asked_to_renegotiate();
    server.transport().outgoing.set_room(0);
    assert_eq!(server.read(&mut [0; 64]).unwrap(), Read::Read(13));
    assert_eq!(server.read(&mut [0; 64]).unwrap(), Read::NeedRead);
    assert_eq!(server.interest(), Interest::ReadWrite);

    server.transport().outgoing.set_room(1_000);
    assert_eq!(server.read(&mut [0; 64]).unwrap(), Read::NeedRead);
    assert_eq!(server.interest(), Interest::Read);
    assert!(is_warned(&mut client, &server));
}

#[test]
fn a_key_update_passes_unnoticed() {
    let (mut client, mut server) = open_pair(ProtocolVersion::Tls13, Settings::default());
    let mut buffer = [0; 64];
    for _ in 0..3 {
        client.engine_mut().key_update(KeyUpdate::Both).unwrap();
        assert_eq!(client.write(b"there").unwrap(), Write::Written(5));
        assert_eq!(server.read(&mut buffer).unwrap(), Read::Read(5));
        assert_eq!(server.write(b"and back").unwrap(), Write::Written(8));
        assert_eq!(client.read(&mut buffer).unwrap(), Read::Read(8));
    }
    assert_eq!(client.engine().stats().key_updates_received, 3);
    assert_eq!(server.engine().stats().key_updates_received, 3);
}
