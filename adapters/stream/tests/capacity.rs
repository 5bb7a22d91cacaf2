//! How little a blocking transport may hold.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::ErrorKind;
use std::thread;

use offwire::{Handshake, ProtocolVersion, Read, Write};
use offwire_stream::{Error, Stream};
use offwire_testkit::Contexts;
use offwire_testkit::transport::Waiting;

/// A handshake and a few words. What either end met.
fn session(version: ProtocolVersion, capacity: usize) -> [Result<(), Error>; 2] {
    // Without tickets, which a server sends before anyone reads.
    let contexts = Contexts::new().version(version).tickets(0);
    let (client, server) = contexts.build();
    let (near, far) = Waiting::pair(capacity);
    let serving = thread::spawn(move || {
        let mut server = Stream::accept(&server, far);
        assert_eq!(server.handshake()?, Handshake::Complete);
        assert_eq!(server.read(&mut [0; 64])?, Read::Read(8));
        Ok(())
    });
    let asking = thread::spawn(move || {
        let mut client = Stream::connect(&client, contexts.name(), near)?;
        assert_eq!(client.write(b"question")?, Write::Written(8));
        Ok(())
    });
    [asking.join().unwrap(), serving.join().unwrap()]
}

#[test]
fn six_bytes_each_way_are_the_least_in_tls_1_3() {
    for capacity in 1..6 {
        // The client sends its change_cipher_spec in the middle of the server's flight (RFC 8446
        // section D.4): both write, and neither reads.
        for end in session(ProtocolVersion::Tls13, capacity) {
            let stalled =
                matches!(&end, Err(Error::Transport(e)) if e.kind() == ErrorKind::TimedOut);
            assert!(stalled, "{capacity}: {end:?}");
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
