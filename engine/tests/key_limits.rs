//! A key is never used beyond its suite's confidentiality limit (RFC 8446 section 5.5): TLS 1.3
//! changes it, TLS 1.2 closes. The limit is lowered here to a number of records that tests reach.

extern crate alloc;

use alloc::sync::Arc;

use offwire::rustls::crypto::{CryptoProvider, aws_lc_rs};
use offwire::rustls::{
    CipherSuiteCommon, ClientConfig, SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite,
    version,
};
use offwire::{Client, Error, Internal, ProtocolVersion, Read, Write};
use offwire_testkit::{Authority, Contexts, Pair, read_available};

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

/// A pair whose client seals at most [`LIMIT`] records under one key.
fn limited_pair(version: ProtocolVersion) -> Pair {
    let versions = match version {
        ProtocolVersion::Tls12 => [&version::TLS12],
        ProtocolVersion::Tls13 => [&version::TLS13],
    };
    let config = ClientConfig::builder_with_provider(Arc::new(limited_provider()))
        .with_protocol_versions(&versions)
        .expect("a known version")
        .with_root_certificates(Authority::shared().roots())
        .with_no_client_auth();
    let contexts = Contexts::new().version(version);
    let (_, server) = contexts.build();
    Pair::new(&Client::new(config), &server, &contexts)
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
    assert_eq!(pair.exchange(offwire_testkit::Side::Client, &bytes), bytes);
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
