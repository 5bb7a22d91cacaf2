//! A peer that refuses our handshake and is gone before all of our flight has left: what it said is
//! the news, not the transport that broke.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

extern crate alloc;

mod support;

use std::io::ErrorKind;

use offwire::{Alert, Error as Tls, Handshake, Read, Write};
use offwire_stream::{Error, Stream};
use offwire_testkit::Contexts;
use offwire_testkit::transport::{Fault, Faults, Memory};

use support::{VERSIONS, pair};

/// A plaintext alert (RFC 8446 section 6).
const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

/// A record of application data that nobody sealed.
const FORGED: &[u8] = b"\x17\x03\x03\x00\x20 it has no tag, nor any sequence";

const BROKEN_PIPE: Faults = |call, _| match call {
    0 => Fault::Fails(ErrorKind::BrokenPipe),
    _ => Fault::None,
};

const RESET: Faults = |call, _| match call {
    0 => Fault::Fails(ErrorKind::ConnectionReset),
    _ => Fault::None,
};

/// Lets the next call on the transport fail: the peer is gone.
fn is_gone(stream: &mut Stream<Memory>, how: Faults) {
    stream.transport_mut().fail(how, 0);
}

/// A client of which ten bytes of the ClientHello have left.
fn halfway(version: offwire::ProtocolVersion) -> Stream<Memory> {
    let (mut client, _server) = pair(&Contexts::new().version(version));
    client.transport().outgoing.set_room(10);
    assert_eq!(client.handshake().unwrap(), Handshake::NeedWrite);
    client
}

fn say(client: &Stream<Memory>, bytes: &[u8]) {
    client.transport().incoming.bytes.borrow_mut().extend(bytes);
}

#[test]
fn an_alert_that_arrived_before_the_reset_comes_out_of_every_verb() {
    type Verb = fn(&mut Stream<Memory>) -> Result<(), Error>;
    let verbs: [Verb; 3] = [
        |client| client.handshake().map(drop),
        |client| client.write(b"never taken").map(drop),
        |client| client.read(&mut [0; 64]).map(drop),
    ];
    for version in VERSIONS {
        for verb in verbs {
            for how in [BROKEN_PIPE, RESET] {
                let mut client = halfway(version);
                say(&client, &HANDSHAKE_FAILURE);
                is_gone(&mut client, how);
                for _ in 0..2 {
                    let error = verb(&mut client).unwrap_err();
                    let refused = Tls::Alert(Alert::HANDSHAKE_FAILURE);
                    assert!(
                        matches!(&error, Error::Tls(error) if *error == refused),
                        "{error:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_alert_comes_out_while_our_last_flight_is_leaving() {
    for version in VERSIONS {
        let (mut client, mut server) = pair(&Contexts::new().version(version));
        assert_eq!(client.handshake().unwrap(), Handshake::NeedRead);
        assert_eq!(server.handshake().unwrap(), Handshake::NeedRead);
        client.transport().outgoing.set_room(3);
        assert_eq!(client.handshake().unwrap(), Handshake::NeedWrite);
        {
            let mut incoming = server.transport().incoming.bytes.borrow_mut();
            incoming.clear();
            incoming.extend(FORGED);
        }
        assert!(server.handshake().is_err());

        is_gone(&mut client, RESET);
        let error = client.handshake().unwrap_err();
        assert!(matches!(&error, Error::Tls(Tls::Alert(_))), "{error:?}");
    }
}

#[test]
fn without_a_word_of_the_peers_it_is_the_transports_error_and_can_be_repeated() {
    for version in VERSIONS {
        for end in [false, true] {
            let mut client = halfway(version);
            if end {
                client.transport().incoming.end();
            }
            is_gone(&mut client, BROKEN_PIPE);
            let error = client.handshake().unwrap_err();
            assert!(
                matches!(&error, Error::Transport(error) if error.kind() == ErrorKind::BrokenPipe),
                "{error:?}"
            );
            // The engine has not been told of an end: whoever repairs the transport goes on.
            client.transport().outgoing.set_room(10_000);
            let repeated = client.handshake();
            assert_eq!(repeated.is_ok(), !end, "{repeated:?}");
        }
    }
}

#[test]
fn after_the_handshake_a_failed_write_is_the_transports_and_a_read_finds_the_alert() {
    for version in VERSIONS {
        let (mut client, mut server) = support::open_pair(version, offwire::Settings::default());
        assert_eq!(server.write(b"news").unwrap(), Write::Written(4));
        is_gone(&mut client, BROKEN_PIPE);
        assert!(matches!(client.write(b"x"), Err(Error::Transport(_))));
        // A caller who closed the transport's half itself must not be made to wait for the peer.
        assert_eq!(client.transport().calls.get(), 1);
        assert_eq!(client.read(&mut [0; 64]).unwrap(), Read::Read(4));
    }
}
