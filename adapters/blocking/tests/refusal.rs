//! A peer that refuses our handshake and is gone before all of our flight has left: what it said is
//! the news, not the transport that broke.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

extern crate alloc;

mod support;

use std::io::{self, ErrorKind, Read, Write};

use offwire::{Alert, Error, ProtocolVersion};
use offwire_blocking::{TlsStream, tls_error};
use offwire_testkit::Contexts;
use offwire_testkit::transport::{Fault, Memory};

use support::{VERSIONS, open_pair, pair};

/// A plaintext alert (RFC 8446 section 6).
const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

/// A client whose transport takes ten bytes and then fails once: the peer is gone.
fn cut_off(version: ProtocolVersion, said: &[u8]) -> TlsStream<Memory> {
    let (mut client, _server) = pair(&Contexts::new().version(version));
    client.transport().incoming.bytes.borrow_mut().extend(said);
    client.transport_mut().fail(
        |call, _| match call {
            0 => Fault::Short(10),
            1 => Fault::Fails(ErrorKind::ConnectionReset),
            _ => Fault::None,
        },
        0,
    );
    client
}

#[test]
fn an_alert_that_arrived_before_the_reset_comes_out_of_every_call() {
    type Call = fn(&mut TlsStream<Memory>) -> io::Result<()>;
    let calls: [Call; 4] = [
        TlsStream::handshake,
        |client| client.write(b"never taken").map(drop),
        |client| client.read(&mut [0; 64]).map(drop),
        Write::flush,
    ];
    for version in VERSIONS {
        for call in calls {
            let mut client = cut_off(version, &HANDSHAKE_FAILURE);
            if client.engine().outgoing().is_empty() {
                // A flush has nothing to send before the first call that makes something.
                let _ = client.engine_mut().handshake();
            }
            for attempt in 0..2 {
                let Err(error) = call(&mut client) else {
                    assert_eq!(attempt, 1, "only a flush of nothing succeeds");
                    continue;
                };
                let refused = Error::Alert(Alert::HANDSHAKE_FAILURE);
                assert_eq!(tls_error(&error), Some(&refused), "{error}");
            }
        }
    }
}

#[test]
fn without_a_word_of_the_peers_it_is_the_transports_error_and_can_be_repeated() {
    for version in VERSIONS {
        let mut client = cut_off(version, b"");
        let error = client.handshake().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert!(support::is_limit(&client.handshake().unwrap_err()));
        assert!(client.engine().outgoing().is_empty(), "it has all left");
    }
}

#[test]
fn data_that_cannot_be_sent_makes_no_call_read() {
    // The caller may have closed the transport's half itself: the peer would have to be waited for.
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version);
        server.write_all(b"news").unwrap();
        client
            .transport_mut()
            .fail(|_, _| Fault::Fails(ErrorKind::BrokenPipe), 0);
        assert_eq!(client.write(b"taken").unwrap(), 5);
        assert_eq!(client.flush().unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert_eq!(client.transport().calls.get(), 2);
    }
}
