//! The acceptor: a server that sees the ClientHello before it chooses its configuration
//! (SSL_ERROR_WANT_CLIENT_HELLO_CB, without a callback).

use offwire::ProtocolVersion::Tls13;
use offwire::{Acceptor, Error, Handshake, Hello, Misuse, Peer, Server};
use offwire_contract::{VERSIONS, noise, quiet, take};
use offwire_testkit::{Contexts, Cuts, Pair, Side, records};

/// The ClientHello of a client, and the client that waits for the answer.
fn hello(contexts: &Contexts) -> (offwire::Engine, Server, Vec<u8>) {
    let mut pair = Pair::of(contexts);
    assert_eq!(pair.client.handshake(), Ok(Handshake::NeedWrite));
    let wire = take(&mut pair.client);
    let (_, server) = contexts.build();
    (pair.client, server, wire)
}

#[test]
fn the_hello_is_told_once_it_is_whole_and_the_engine_goes_on_from_it() {
    for version in VERSIONS {
        let contexts = quiet(version)
            .alpn(&[b"h2", b"http/1.1"])
            .server_name("server.test");
        let (client, server, wire) = hello(&contexts);
        let mut acceptor = Acceptor::new();
        for byte in &wire {
            assert!(matches!(acceptor.client_hello(), Ok(Hello::NeedRead)));
            assert_eq!(acceptor.feed(&[*byte]), 1);
        }
        let Ok(Hello::Complete(seen)) = acceptor.client_hello() else {
            panic!("the ClientHello is whole");
        };
        assert_eq!(seen.server_name(), Some("server.test"));
        assert_eq!(seen.alpn().collect::<Vec<_>>(), [&b"h2"[..], b"http/1.1"]);
        assert!(!seen.cipher_suites().is_empty());
        let engine = acceptor.accept(&server).unwrap();
        let mut pair = Pair::of_engines(client, engine).cuts(Cuts::Bytes(1));
        assert_eq!(pair.exchange(Side::Client, &noise(1_000)), noise(1_000));
        assert_eq!(pair.exchange(Side::Server, &noise(1_000)), noise(1_000));
        assert_eq!(
            pair.server.negotiated().unwrap().server_name(),
            Some("server.test")
        );
        pair.close();
    }
}

#[test]
fn bytes_behind_the_hello_are_not_lost() {
    let (client, server, mut wire) = hello(&quiet(Tls13));
    // A change_cipher_spec of the compatibility mode right behind the ClientHello.
    wire.extend([20, 3, 3, 0, 1, 1]);
    let mut acceptor = Acceptor::new();
    assert_eq!(acceptor.feed(&wire), wire.len());
    assert!(matches!(acceptor.client_hello(), Ok(Hello::Complete(_))));
    let mut pair = Pair::of_engines(client, acceptor.accept(&server).unwrap());
    assert_eq!(pair.exchange(Side::Client, b"hello"), b"hello");
    assert_eq!(
        pair.server.stats().wire_fed,
        wire.len() as u64 + pair.to_server.sent().len() as u64
    );
}

#[test]
fn a_hello_in_many_records_is_one_hello() {
    for version in VERSIONS {
        for len in [1, 32] {
            let (client, server, wire) = hello(&quiet(version));
            let mut acceptor = Acceptor::new();
            let wire = records::refragment(&wire, len);
            assert_eq!(acceptor.feed(&wire), wire.len());
            assert!(matches!(acceptor.client_hello(), Ok(Hello::Complete(_))));
            let mut pair = Pair::of_engines(client, acceptor.accept(&server).unwrap());
            assert_eq!(pair.exchange(Side::Client, b"hello"), b"hello");
        }
    }
}

#[test]
fn accepting_too_soon_or_twice_is_misuse() {
    let (_, server, wire) = hello(&quiet(Tls13));
    let mut acceptor = Acceptor::new();
    let incomplete = Err(Error::Misuse(Misuse::ClientHelloIncomplete));
    assert_eq!(acceptor.accept(&server).map(drop), incomplete);
    assert_eq!(acceptor.feed(&wire[..20]), 20);
    assert_eq!(acceptor.accept(&server).map(drop), incomplete);
    assert_eq!(acceptor.feed(&wire[20..]), wire.len() - 20);
    assert_eq!(acceptor.accept(&server).map(drop), Ok(()));
    let finished = Err(Error::Misuse(Misuse::AcceptorFinished));
    assert_eq!(acceptor.accept(&server).map(drop), finished);
    assert!(matches!(
        acceptor.client_hello(),
        Err(Error::Misuse(Misuse::AcceptorFinished))
    ));
}

#[test]
fn what_is_no_hello_is_refused_for_good_and_the_alert_waits() {
    for junk in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[22, 3, 3, 0, 4, 2, 0, 0, 0],
    ] {
        let mut acceptor = Acceptor::new();
        assert_eq!(acceptor.feed(junk), junk.len());
        let error = acceptor.client_hello().map(drop).unwrap_err();
        assert!(matches!(error, Error::Peer(_)), "{error:?}");
        assert!(!matches!(error, Error::Peer(Peer::HandshakeTruncated)));
        assert_eq!(acceptor.client_hello().map(drop), Err(error.clone()));
        let waits = acceptor.outgoing().len();
        assert_eq!(
            acceptor.sent(waits + 1),
            Err(Error::Misuse(Misuse::SentTooMuch))
        );
        assert_eq!(waits > 0, error.alert().is_some());
        acceptor.sent(waits).unwrap();
        assert!(acceptor.outgoing().is_empty());
        assert_eq!(acceptor.feed(&noise(500_000)), 500_000, "discarded");
        let (_, server) = quiet(Tls13).build();
        assert_eq!(acceptor.accept(&server).map(drop), Err(error));
    }
}
