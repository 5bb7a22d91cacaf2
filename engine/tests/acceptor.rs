//! The acceptor: the ClientHello first, then the configuration.

use offwire::{Acceptor, Alert, Error, Handshake, Hello, Misuse, Peer, ProtocolVersion};
use offwire_testkit::{Contexts, Pair, Side, records};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// The first flight of a client.
fn client_hello(contexts: &Contexts) -> (offwire::Engine, Vec<u8>) {
    let (client, _) = contexts.build();
    let mut engine = client.connect(contexts.name()).expect("a client");
    assert_eq!(engine.handshake(), Ok(Handshake::NeedWrite));
    let flight = engine.take_outgoing().to_vec();
    (engine, flight)
}

#[test]
fn the_hello_is_read_before_the_server_is_chosen() {
    for version in VERSIONS {
        let contexts = Contexts::new()
            .version(version)
            .alpn(&[b"h2", b"http/1.1"])
            .server_name("server.test");
        let (client, flight) = client_hello(&contexts);
        let mut acceptor = Acceptor::new();
        for byte in &flight {
            assert_eq!(acceptor.client_hello(), Ok(Hello::NeedRead));
            assert_eq!(acceptor.feed(&[*byte]), 1);
        }
        let Ok(Hello::Complete(hello)) = acceptor.client_hello() else {
            panic!("the hello is whole: {acceptor:?}");
        };
        assert_eq!(hello.server_name(), Some("server.test"));
        assert!(hello.alpn().eq([&b"h2"[..], b"http/1.1"]));
        assert!(
            hello
                .cipher_suites()
                .iter()
                .any(|suite| suite.name().is_some())
        );
        let schemes = hello.signature_schemes().iter();
        assert!(
            schemes
                .filter_map(|scheme| scheme.name())
                .any(|name| name == "ed25519")
        );
        assert_eq!(hello.versions(), [version]);
        assert!(
            hello
                .named_groups()
                .iter()
                .any(|group| group.name() == Some("x25519"))
        );

        let (_, server) = contexts.build();
        let engine = acceptor.accept(&server).expect("the hello is whole");
        let mut pair = Pair::of_engines(client, engine);
        pair.handshake();
        let name = pair
            .server
            .negotiated()
            .and_then(|negotiated| negotiated.server_name());
        assert_eq!(name, Some("server.test"));
        assert_eq!(pair.exchange(Side::Client, b"data"), b"data");
        assert_eq!(
            acceptor.accept(&server).err(),
            Some(Misuse::AcceptorFinished.into())
        );
        assert_eq!(
            acceptor.client_hello(),
            Err(Misuse::AcceptorFinished.into())
        );
    }
}

#[test]
fn accepting_too_early_changes_nothing() {
    let contexts = Contexts::new();
    let (client, flight) = client_hello(&contexts);
    let (_, server) = contexts.build();
    let mut acceptor = Acceptor::new();
    for half in [&flight[..100], &flight[100..]] {
        let early = acceptor.accept(&server).err();
        assert_eq!(early, Some(Misuse::ClientHelloIncomplete.into()));
        assert_eq!(acceptor.feed(half), half.len());
    }
    let engine = acceptor.accept(&server).expect("the hello is whole");
    Pair::of_engines(client, engine).handshake();
}

#[test]
fn what_is_no_client_hello_is_refused_with_an_alert() {
    let mut acceptor = Acceptor::new();
    assert_eq!(acceptor.outgoing(), b"");
    assert_eq!(acceptor.sent(1), Err(Misuse::SentTooMuch.into()));
    assert_eq!(acceptor.feed(b"GET / HTTP/1.1\r\n"), 16);
    let error = acceptor.client_hello().expect_err("no TLS");
    assert!(
        matches!(error, Error::Peer(Peer::HandshakeMalformed(_))),
        "{error:?}"
    );
    assert_eq!(error.alert(), Some(Alert::DECODE_ERROR));
    assert_eq!(acceptor.outgoing(), [21, 3, 3, 0, 2, 2, 50]);

    let (_, server) = Contexts::new().build();
    assert_eq!(acceptor.accept(&server).err(), Some(error.clone()));
    assert_eq!(acceptor.client_hello(), Err(error));
    assert_eq!(acceptor.sent(8), Err(Misuse::SentTooMuch.into()));
    assert_eq!(acceptor.sent(3), Ok(()));
    assert_eq!(acceptor.outgoing(), [0, 2, 2, 50]);
    assert_eq!(acceptor.sent(4), Ok(()));
    assert_eq!(acceptor.feed(b"more"), 4, "discarded");
}

#[test]
fn a_client_of_both_versions_offers_both() {
    let contexts = Contexts::new();
    let mut config = contexts.client_config();
    config.alpn_protocols.clear();
    let versions = rustls::ALL_VERSIONS;
    let provider = config.crypto_provider().clone();
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("the provider speaks both")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = offwire::Client::new(config);
    let mut engine = client.connect(contexts.name()).expect("a client");
    assert_eq!(engine.handshake(), Ok(Handshake::NeedWrite));
    let mut acceptor = Acceptor::new();
    let flight = engine.take_outgoing();
    assert_eq!(acceptor.feed(&flight), flight.len());
    let Ok(Hello::Complete(hello)) = acceptor.client_hello() else {
        panic!("the hello is whole: {acceptor:?}");
    };
    assert_eq!(
        hello.versions(),
        [ProtocolVersion::Tls13, ProtocolVersion::Tls12]
    );
}

/// A refusal is the caller's, so it may come at any time before the acceptance.
#[test]
fn a_rejection_sends_its_alert_and_nothing_else() {
    for version in VERSIONS {
        let contexts = Contexts::new().version(version);
        let (mut client, flight) = client_hello(&contexts);
        for fed in [0, 3, 100, flight.len()] {
            let mut acceptor = Acceptor::new();
            assert_eq!(acceptor.feed(&flight[..fed]), fed);
            assert_eq!(acceptor.reject(Alert::UNRECOGNIZED_NAME), Ok(()));
            assert_eq!(acceptor.outgoing(), [21, 3, 3, 0, 2, 2, 112]);
            let finished: Error = Misuse::AcceptorFinished.into();
            assert_eq!(acceptor.client_hello(), Err(finished.clone()));
            assert_eq!(acceptor.reject(Alert::ACCESS_DENIED), Err(finished.clone()));
            assert_eq!(acceptor.accept(&contexts.build().1).err(), Some(finished));
            assert_eq!(acceptor.outgoing(), [21, 3, 3, 0, 2, 2, 112]);
            assert_eq!(acceptor.feed(b"more"), 4, "discarded");
        }
        assert_eq!(client.feed(&[21, 3, 3, 0, 2, 2, 112]), 7);
        let told = Err(Error::Alert(Alert::UNRECOGNIZED_NAME));
        assert_eq!(client.handshake(), told);
    }
}

#[test]
fn what_is_refused_or_accepted_cannot_be_rejected() {
    let mut acceptor = Acceptor::new();
    assert_eq!(acceptor.feed(b"GET / HTTP/1.1\r\n"), 16);
    let error = acceptor.client_hello().expect_err("no TLS");
    assert_eq!(acceptor.reject(Alert::ACCESS_DENIED), Err(error));
    assert_eq!(acceptor.outgoing(), [21, 3, 3, 0, 2, 2, 50]);

    let contexts = Contexts::new();
    let mut acceptor = Acceptor::new();
    let (_, flight) = client_hello(&contexts);
    assert_eq!(acceptor.feed(&flight), flight.len());
    assert!(acceptor.accept(&contexts.build().1).is_ok());
    let finished = Err(Misuse::AcceptorFinished.into());
    assert_eq!(acceptor.reject(Alert::ACCESS_DENIED), finished);
    assert_eq!(acceptor.outgoing(), b"");
}

#[test]
fn a_long_hello_in_records_of_one_byte_hides_no_name() {
    // 11 KB of application protocols: six times as many bytes on the wire.
    let protocols: Vec<Vec<u8>> = (0..50).map(|number| vec![b'a' + number; 220]).collect();
    let protocols: Vec<&[u8]> = protocols.iter().map(Vec::as_slice).collect();
    for version in VERSIONS {
        let contexts = Contexts::new().version(version).client_alpn(&protocols);
        let contexts = contexts
            .server_alpn(&protocols[..1])
            .server_name("server.test");
        let (client, flight) = client_hello(&contexts);
        let cut = records::refragment(&flight, 1);
        assert!(cut.len() > 65_536, "{}", cut.len());

        let mut acceptor = Acceptor::new();
        assert_eq!(acceptor.feed(&cut), cut.len());
        let Ok(Hello::Complete(hello)) = acceptor.client_hello() else {
            panic!("the hello is whole: {acceptor:?}");
        };
        assert_eq!(hello.server_name(), Some("server.test"));
        assert_eq!(hello.alpn().count(), 50);

        let (_, server) = contexts.build();
        let mut engine = server.accept();
        assert_eq!(engine.feed(&cut), cut.len());
        let mut pair = Pair::of_engines(client, engine);
        pair.handshake();
        let negotiated = pair.server.negotiated().expect("the handshake is complete");
        assert_eq!(negotiated.server_name(), Some("server.test"));
    }
}

#[test]
fn a_hello_that_never_ends_is_bounded() {
    let mut acceptor = Acceptor::new();
    // A ClientHello of 64 KiB less one, in records of one byte: six bytes on the wire for each.
    let mut fed = 0;
    let header = [1, 0, 255, 255];
    for at in 0..40_000 {
        let byte = header.get(at).copied().unwrap_or(0);
        let record = [22, 3, 1, 0, 1, byte];
        fed += acceptor.feed(&record);
        if acceptor.client_hello().is_err() {
            break;
        }
    }
    assert!(fed <= 128 * 1024, "{fed}");
    let error = acceptor.client_hello().expect_err("it cannot become whole");
    assert!(matches!(error, Error::Peer(_)), "{error:?}");
}

/// rustls passes over a few warnings before a ClientHello, and so nothing may be lost of it here.
#[test]
fn a_warning_before_the_hello_changes_nothing() {
    for version in VERSIONS {
        let contexts = Contexts::new().version(version).server_name("server.test");
        let warned = |flight: &[u8]| [&[21, 3, 1, 0, 2, 1, 90], flight].concat();

        let (client, flight) = client_hello(&contexts);
        let (_, server) = contexts.build();
        let mut engine = server.accept();
        assert_eq!(engine.feed(&warned(&flight)), flight.len() + 7);
        let mut pair = Pair::of_engines(client, engine);
        pair.handshake();
        let name = pair.server.negotiated().expect("complete").server_name();
        assert_eq!(name, Some("server.test"));

        let (client, flight) = client_hello(&contexts);
        let mut acceptor = Acceptor::new();
        assert_eq!(acceptor.feed(&warned(&flight)), flight.len() + 7);
        let Ok(Hello::Complete(hello)) = acceptor.client_hello() else {
            panic!("the hello is whole: {acceptor:?}");
        };
        assert_eq!(hello.server_name(), Some("server.test"));
        let engine = acceptor.accept(&server).expect("the hello is whole");
        let mut pair = Pair::of_engines(client, engine);
        pair.handshake();
        assert_eq!(pair.exchange(Side::Client, b"on it goes"), b"on it goes");
    }
}
