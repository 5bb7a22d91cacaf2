//! A session of `offwire-blocking` over ring: an adapter takes the engine with the features that its
//! user chose.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use offwire::rustls::crypto::ring::ALL_CIPHER_SUITES;
use offwire_blocking::{CloseNotify, TlsStream};
use offwire_ring::{Key, contexts};

#[test]
fn a_blocking_session_carries_data_both_ways_and_closes() {
    let plaintext: Vec<u8> = (0_u8..251).cycle().take(100_000).collect();
    for suite in ALL_CIPHER_SUITES {
        let contexts = contexts(
            *suite,
            if Key::Rsa.serves(*suite) {
                Key::Rsa
            } else {
                Key::Ecdsa
            },
        );
        let (ours, theirs) = UnixStream::pair().unwrap();
        let server = contexts.server.clone();
        let echo = thread::spawn(move || {
            let mut server = TlsStream::accept(&server, theirs).unwrap();
            let mut received = Vec::new();
            server.read_to_end(&mut received).unwrap();
            server.write_all(&received).unwrap();
            server.shutdown(CloseNotify::Both).unwrap()
        });
        let name = "localhost".try_into().unwrap();
        let mut client = TlsStream::connect(&contexts.client, name, ours).unwrap();
        client.write_all(&plaintext).unwrap();
        assert_eq!(
            client.shutdown(CloseNotify::Ours).unwrap(),
            CloseNotify::Ours
        );
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        assert!(received == plaintext, "{suite:?}");
        assert_eq!(echo.join().unwrap(), CloseNotify::Both);
    }
}
