//! Time limits of real sockets: the call fails, and can be repeated without harm.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]
#![cfg(unix)]

extern crate alloc;

mod support;

use core::time::Duration;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use offwire::Settings;
use offwire_blocking::{CloseNotify, TlsStream};
use offwire_testkit::Contexts;

use support::{VERSIONS, is_limit, pattern};

const LIMIT: Option<Duration> = Some(Duration::from_millis(10));

/// More than two sockets hold.
const LEN: usize = 4 << 20;

fn limited() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    for socket in [&near, &far] {
        socket.set_read_timeout(LIMIT).unwrap();
        socket.set_write_timeout(LIMIT).unwrap();
    }
    (near, far)
}

/// Works off one direction after the other in one thread, as far as the limits permit.
fn both_ways(stream: &mut TlsStream<UnixStream>) {
    let bytes = pattern(LEN);
    let (mut written, mut received) = (0, Vec::new());
    let mut buffer = [0; 16_385];
    while written < LEN || received.len() < LEN {
        if written < LEN {
            match stream.write(&bytes[written..]) {
                Ok(n) => written += n,
                Err(error) => assert!(is_limit(&error), "{error}"),
            }
        }
        if received.len() < LEN {
            match stream.read(&mut buffer) {
                Ok(n) => received.extend_from_slice(&buffer[..n]),
                Err(error) => assert!(is_limit(&error), "{error}"),
            }
        }
    }
    assert!(received == bytes);
    while let Err(error) = stream.flush() {
        assert!(is_limit(&error), "{error}");
    }
    let complete = loop {
        match stream.shutdown(CloseNotify::Both) {
            Ok(complete) => break complete,
            Err(error) => assert!(is_limit(&error), "{error}"),
        }
    };
    assert_eq!(complete, CloseNotify::Both);
}

#[test]
fn both_sides_at_once_in_one_thread_each() {
    for version in VERSIONS {
        let settings = Settings::default().outgoing_limit(0).incoming_limit(0);
        let contexts = Contexts::new().version(version).settings(settings);
        let (client, server) = contexts.build();
        let (near, far) = limited();
        let server = thread::spawn(move || both_ways(&mut TlsStream::accept_lazy(&server, far)));
        let mut client = TlsStream::connect_lazy(&client, contexts.name(), near).unwrap();
        both_ways(&mut client);
        server.join().unwrap();
    }
}

#[test]
fn a_handshake_goes_on_after_a_time_limit() {
    for version in VERSIONS {
        let contexts = Contexts::new().version(version);
        let (client, server) = contexts.build();
        let (near, far) = limited();
        let mut client = TlsStream::connect_lazy(&client, contexts.name(), near).unwrap();
        // Nobody answers yet.
        assert!(is_limit(&client.handshake().unwrap_err()));
        assert!(is_limit(&client.write(b"not taken").unwrap_err()));
        far.set_read_timeout(None).unwrap();
        let server = thread::spawn(move || {
            let mut received = [0; 5];
            let mut server = TlsStream::accept(&server, far).unwrap();
            server.read_exact(&mut received).unwrap();
            received
        });
        while let Err(error) = client.handshake() {
            assert!(is_limit(&error), "{error}");
        }
        client.write_all(b"taken").unwrap();
        assert_eq!(&server.join().unwrap(), b"taken");
    }
}
