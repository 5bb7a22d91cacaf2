//! A key is never used beyond its suite's confidentiality limit (RFC 8446 section 5.5): TLS 1.3
//! changes it, TLS 1.2 closes. The limit is lowered here to a number of records that tests reach.

extern crate alloc;

use alloc::sync::Arc;

use offwire::rustls::crypto::{CryptoProvider, aws_lc_rs};
use offwire::rustls::{
    CipherSuiteCommon, ClientConfig, ServerConfig, SupportedCipherSuite, Tls12CipherSuite,
    Tls13CipherSuite, version,
};
use offwire::{
    Alert, Client, Error, Internal, ProtocolVersion, Read, Server, Settings, Shutdown, Write,
};
use offwire_testkit::{
    Authority, Contexts, Identity, Kind, Opened, Pair, RawPeer, Side, messages, read_available,
};

/// Records that a key may seal.
const LIMIT: u64 = 16;

/// rustls's provider with every suite's limit lowered.
fn limited_provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    for suite in &mut provider.cipher_suites {
        *suite = match *suite {
            SupportedCipherSuite::Tls13(suite) => {
                let common = limited(&suite.common);
                SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
                    common,
                    ..*suite
                })))
            }
            SupportedCipherSuite::Tls12(suite) => {
                let common = limited(&suite.common);
                SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                    common,
                    ..*suite
                })))
            }
        };
    }
    provider
}

fn limited(common: &CipherSuiteCommon) -> CipherSuiteCommon {
    CipherSuiteCommon {
        suite: common.suite,
        hash_provider: common.hash_provider,
        confidentiality_limit: LIMIT,
    }
}

fn limited_server_config(contexts: &Contexts) -> ServerConfig {
    let identity = Identity::server(Kind::EcdsaP256);
    let mut config = ServerConfig::builder_with_provider(Arc::new(limited_provider()))
        .with_protocol_versions(&[&version::TLS12])
        .expect("a known version")
        .with_no_client_auth()
        .with_single_cert(identity.chain().to_vec(), identity.key())
        .expect("certificate and key fit");
    config.ticketer = contexts.server_config().ticketer;
    config
}

/// A pair whose client seals at most [`LIMIT`] records under one key.
fn limited_pair(version: ProtocolVersion) -> Pair {
    let contexts = Contexts::new().version(version);
    let (_, server) = contexts.build();
    Pair::new(&limited_client(version), &server, &contexts)
}

fn limited_client(version: ProtocolVersion) -> Client {
    let versions = match version {
        ProtocolVersion::Tls12 => [&version::TLS12],
        ProtocolVersion::Tls13 => [&version::TLS13],
    };
    let config = ClientConfig::builder_with_provider(Arc::new(limited_provider()))
        .with_protocol_versions(&versions)
        .expect("a known version")
        .with_root_certificates(Authority::shared().roots())
        .with_no_client_auth();
    Client::new(config)
}

#[test]
fn tls13_changes_its_key_before_the_limit() {
    let mut pair = limited_pair(ProtocolVersion::Tls13);
    pair.handshake();
    let mut received = Vec::new();
    for byte in 0..200_u8 {
        assert_eq!(pair.client.write(&[byte]), Ok(Write::Written(1)));
        pair.settle();
        assert_eq!(
            read_available(&mut pair.server, &mut received),
            Ok(Read::NeedRead)
        );
    }
    assert!(received.iter().copied().eq(0..200));
    // Each key seals the records up to its last, which is the KeyUpdate.
    assert_eq!(pair.client.stats().key_updates_sealed, 200 / (LIMIT - 1));
    assert_eq!(pair.server.stats().key_updates_received, 200 / (LIMIT - 1));
    // Updating our own key asks nothing of the peer.
    assert_eq!(pair.server.stats().key_updates_sealed, 0);
}

#[test]
fn tls13_changes_its_key_within_one_write() {
    let mut pair = limited_pair(ProtocolVersion::Tls13);
    pair.handshake();
    let bytes = vec![0x2d; 100 * 16_384];
    assert_eq!(pair.exchange(Side::Client, &bytes), bytes);
    assert_eq!(pair.client.stats().key_updates_sealed, 100 / (LIMIT - 1));
}

#[test]
fn tls12_closes_before_the_limit() {
    let mut pair = limited_pair(ProtocolVersion::Tls12);
    pair.handshake();
    let mut written = Vec::new();
    let error = loop {
        match pair.client.write(b"x") {
            Ok(Write::Written(1)) => written.push(b'x'),
            Ok(outcome) => panic!("{outcome:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error, Error::Internal(Internal::KeysExhausted));
    // Finished was the first record under this key, close_notify is the last.
    assert_eq!(written.len() as u64, LIMIT - 2);
    assert_eq!(pair.client.write(b"x"), Err(error));
    pair.settle();
    let mut received = Vec::new();
    assert_eq!(
        read_available(&mut pair.server, &mut received),
        Ok(Read::Closed)
    );
    assert_eq!(received, written);
}

#[test]
fn what_a_failing_write_has_sealed_is_told() {
    let settings = Settings::default().outgoing_limit(1 << 20);
    let client = limited_client(ProtocolVersion::Tls12).with_settings(settings);
    let contexts = Contexts::new().version(ProtocolVersion::Tls12);
    let mut pair = Pair::new(&client, &contexts.build().1, &contexts);
    pair.handshake();
    let bytes = vec![0x2d; 100 * 16_384];
    let error = Error::Internal(Internal::KeysExhausted);
    assert_eq!(pair.client.write(&bytes), Err(error));
    assert_eq!(pair.client.committed() as u64, (LIMIT - 2) * 16_384);
}

#[test]
fn plaintext_that_was_opened_before_a_write_failed_is_read_before_its_error() {
    let mut pair = limited_pair(ProtocolVersion::Tls12);
    pair.handshake();
    assert_eq!(pair.server.write(b"before"), Ok(Write::Written(6)));
    pair.settle();
    let mut into = [0; 100];
    assert_eq!(pair.client.read(&mut into[..2]), Ok(Read::Read(2)));
    let error = loop {
        match pair.client.write(b"x") {
            Ok(outcome) => assert_eq!(outcome, Write::Written(1)),
            Err(error) => break error,
        }
    };
    assert_eq!(pair.client.pending(), 4);
    assert_eq!(pair.client.read(&mut into), Ok(Read::Read(4)));
    assert_eq!(&into[..4], b"fore");
    assert_eq!(pair.client.read(&mut into), Err(error));
}

#[test]
fn an_empty_write_does_not_close_at_the_limit() {
    let mut pair = limited_pair(ProtocolVersion::Tls12);
    pair.handshake();
    for _ in 0..LIMIT - 2 {
        assert_eq!(pair.client.write(b"x"), Ok(Write::Written(1)));
    }
    assert_eq!(pair.client.write(b""), Ok(Write::Written(0)));
    assert!(pair.client.write(b"x").is_err());
}

#[test]
fn warnings_do_not_use_up_a_key() {
    let contexts = Contexts::new().version(ProtocolVersion::Tls12);
    let server = Server::new(limited_server_config(&contexts));
    let mut engine = server.accept();
    let mut peer = RawPeer::meet(Side::Server, &contexts, &mut engine);
    let sealed = engine.stats().records_sealed;
    for _ in 0..100 {
        engine.feed(&peer.message(&messages::client_hello()));
        engine.feed(&peer.data(b"x"));
        assert_eq!(engine.read(&mut [0; 100]), Ok(Read::Read(1)));
        drop(peer.drain(&mut engine));
    }
    // Finished was before them, and the last record under the key is for close_notify.
    assert_eq!(engine.stats().records_sealed - sealed, LIMIT - 2);
    assert_eq!(engine.shutdown(), Ok(Shutdown::NeedWrite));
    let closing = peer.drain(&mut engine);
    assert_eq!(
        closing.last().and_then(Opened::alert),
        Some((1, Alert::CLOSE_NOTIFY))
    );
}
