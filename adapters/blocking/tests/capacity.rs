//! How little a blocking transport may hold.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::{self, ErrorKind, Read, Write};
use std::thread;

use offwire::ProtocolVersion;
use offwire_blocking::{CloseNotify, TlsStream};
use offwire_testkit::Contexts;
use offwire_testkit::transport::Waiting;

/// A handshake and a few words each way. What either end met.
fn session(version: ProtocolVersion, capacity: usize) -> [io::Result<()>; 2] {
    // Without tickets, which a server sends before anyone reads.
    let contexts = Contexts::new().version(version).tickets(0);
    let (client, server) = contexts.build();
    let (near, far) = Waiting::pair(capacity);
    let serving = thread::spawn(move || {
        let mut server = TlsStream::accept(&server, far)?;
        let mut question = [0; 8];
        server.read_exact(&mut question)?;
        server.write_all(&question)?;
        server.shutdown(CloseNotify::Both).map(drop)
    });
    let asking = thread::spawn(move || {
        let mut client = TlsStream::connect(&client, contexts.name(), near)?;
        client.write_all(b"question")?;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer)?;
        assert_eq!(answer, b"question");
        client.shutdown(CloseNotify::Both).map(drop)
    });
    [asking.join().unwrap(), serving.join().unwrap()]
}

#[test]
fn six_bytes_each_way_are_the_least_in_tls_1_3() {
    for capacity in 1..6 {
        // The client sends its change_cipher_spec in the middle of the server's flight (RFC 8446
        // section D.4): both write, and neither reads.
        for end in session(ProtocolVersion::Tls13, capacity) {
            assert_eq!(end.unwrap_err().kind(), ErrorKind::TimedOut, "{capacity}");
        }
    }
    for capacity in [6, 7, 64, 1_000] {
        for end in session(ProtocolVersion::Tls13, capacity) {
            end.unwrap();
        }
    }
}

#[test]
fn one_byte_each_way_is_enough_in_tls_1_2() {
    for capacity in [1, 2, 5, 6, 100] {
        for end in session(ProtocolVersion::Tls12, capacity) {
            end.unwrap();
        }
    }
}
