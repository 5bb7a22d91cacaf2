//! What rustls can be configured to do, through the engine: stapled OCSP responses, raw public keys,
//! compressed certificates and Encrypted Client Hello. Nothing of it is the engine's own work; these
//! tests show that nothing is in its way.

extern crate alloc;

use alloc::sync::Arc;

use offwire::rustls::client::{EchConfig, EchGreaseConfig, EchMode};
use offwire::rustls::compress::{
    CertCompressor, CertDecompressor, CompressionFailed, CompressionLevel, DecompressionFailed,
};
use offwire::rustls::crypto::aws_lc_rs::hpke;
use offwire::rustls::pki_types::{CertificateDer, EchConfigListBytes, SubjectPublicKeyInfoDer};
use offwire::rustls::server::AlwaysResolvesServerRawPublicKeys;
use offwire::rustls::sign::SingleCertAndKey;
use offwire::rustls::{self, CertificateCompressionAlgorithm};
use offwire::{Alert, Client, Error, Peer, ProtocolVersion, Server};
use offwire_testkit::{Contexts, Identity, Kind, Pair, PinningVerifier, Side, StaplingVerifier};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// Completes the handshake, sends data each way and closes.
fn use_and_close(pair: &mut Pair) {
    pair.handshake();
    let bytes = vec![0xc5; 20_000];
    assert_eq!(pair.exchange(Side::Client, &bytes), bytes);
    assert_eq!(pair.exchange(Side::Server, &bytes), bytes);
    pair.close();
}

#[test]
fn a_stapled_ocsp_response_reaches_the_clients_verifier() {
    for version in VERSIONS {
        for response in [Some(b"a response".to_vec()), None] {
            let contexts = Contexts::new().version(version);
            let mut certified = Identity::server(Kind::EcdsaP256).certified_key();
            certified.ocsp.clone_from(&response);
            let mut server = contexts.server_config();
            server.cert_resolver = Arc::new(SingleCertAndKey::from(certified));
            let verifier = StaplingVerifier::new();
            let mut client = contexts.client_config();
            let shared = Arc::<StaplingVerifier>::clone(&verifier);
            client.dangerous().set_certificate_verifier(shared);
            let mut pair = Pair::new(&Client::new(client), &Server::new(server), &contexts);
            use_and_close(&mut pair);
            assert_eq!(verifier.shown(), Some(response.unwrap_or_default()));
        }
    }
}

/// A server that presents a bare key, and that key.
fn raw_key_server() -> (Server, SubjectPublicKeyInfoDer<'static>) {
    let identity = Identity::server(Kind::EcdsaP256);
    let raw_key = Arc::new(identity.raw_key());
    let mut config = Contexts::new()
        .version(ProtocolVersion::Tls13)
        .server_config();
    config.cert_resolver = Arc::new(AlwaysResolvesServerRawPublicKeys::new(raw_key));
    (Server::new(config), identity.public_key())
}

fn client_that_pins(key: SubjectPublicKeyInfoDer<'static>) -> Client {
    let mut config = Contexts::new()
        .version(ProtocolVersion::Tls13)
        .client_config();
    let verifier = Arc::new(PinningVerifier(key));
    config.dangerous().set_certificate_verifier(verifier);
    Client::new(config)
}

#[test]
fn a_raw_public_key_takes_the_place_of_a_certificate() {
    let (server, key) = raw_key_server();
    let contexts = Contexts::new();
    let mut pair = Pair::new(&client_that_pins(key.clone()), &server, &contexts);
    use_and_close(&mut pair);
    let negotiated = pair.client.negotiated().expect("the handshake is complete");
    let presented = negotiated.peer_certificates();
    assert_eq!(presented, [CertificateDer::from(key.as_ref())]);
}

#[test]
fn another_raw_public_key_is_refused() {
    let (server, key) = raw_key_server();
    let mut other = key.as_ref().to_vec();
    *other.last_mut().expect("a key has bytes") ^= 1;
    let client = client_that_pins(SubjectPublicKeyInfoDer::from(other));
    let mut pair = Pair::new(&client, &server, &Contexts::new());
    let (client, server) = pair.try_handshake();
    assert!(matches!(client, Err(Error::Certificate(_))), "{client:?}");
    assert!(matches!(server, Err(Error::Alert(_))), "{server:?}");
}

/// Inverts every byte: enough to show that what passes is not the certificate itself.
#[derive(Debug)]
struct Inverting;

/// A number for private use (RFC 8879 section 7.3).
const PRIVATE: CertificateCompressionAlgorithm = CertificateCompressionAlgorithm::Unknown(0xc0de);

impl CertCompressor for Inverting {
    fn compress(
        &self,
        mut input: Vec<u8>,
        _: CompressionLevel,
    ) -> Result<Vec<u8>, CompressionFailed> {
        input.iter_mut().for_each(|byte| *byte = !*byte);
        Ok(input)
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        PRIVATE
    }
}

impl CertDecompressor for Inverting {
    fn decompress(&self, input: &[u8], output: &mut [u8]) -> Result<(), DecompressionFailed> {
        if input.len() != output.len() {
            return Err(DecompressionFailed);
        }
        let inverted = input.iter().map(|byte| !byte);
        output
            .iter_mut()
            .zip(inverted)
            .for_each(|(byte, other)| *byte = other);
        Ok(())
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        PRIVATE
    }
}

/// A decompressor that finds every certificate damaged.
#[derive(Debug)]
struct Failing;

impl CertDecompressor for Failing {
    fn decompress(&self, _: &[u8], _: &mut [u8]) -> Result<(), DecompressionFailed> {
        Err(DecompressionFailed)
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        PRIVATE
    }
}

fn compressing(decompressor: &'static dyn CertDecompressor) -> Pair {
    let contexts = Contexts::new();
    let mut client = contexts.client_config();
    client.cert_decompressors = vec![decompressor];
    let mut server = contexts.server_config();
    server.cert_compressors = vec![&Inverting];
    Pair::new(&Client::new(client), &Server::new(server), &contexts)
}

#[test]
fn certificates_pass_compressed() {
    use_and_close(&mut compressing(&Inverting));
}

#[test]
fn a_certificate_that_cannot_be_decompressed_ends_it() {
    let (client, server) = compressing(&Failing).try_handshake();
    let error = client.expect_err("it cannot be decompressed");
    assert!(
        matches!(error, Error::Peer(Peer::HandshakeMisbehaved(_))),
        "{error:?}"
    );
    assert_eq!(server, Err(Error::Alert(Alert::BAD_CERTIFICATE)));
}

/// An ECHConfigList of one configuration with this key, whose public name is `localhost`
/// (draft-ietf-tls-esni-18 section 4).
fn ech_config(public_key: &[u8]) -> Vec<u8> {
    let vector = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).expect("short").to_be_bytes();
        [&length, bytes].concat()
    };
    let name = b"localhost";
    let contents = [
        &[7, 0x00, 0x10][..], // the configuration's number; DHKEM(P-256, HKDF-SHA256)
        &vector(public_key),
        &vector(&[0, 1, 0, 1]), // HKDF-SHA256, AES-128-GCM
        &[64, u8::try_from(name.len()).expect("short")],
        name,
        &[0, 0],
    ];
    vector(&[&[0xfe, 0x0d][..], &vector(&contents.concat())].concat())
}

#[test]
fn a_server_without_ech_is_authenticated_and_then_refused() {
    let suite = hpke::DH_KEM_P256_HKDF_SHA256_AES_128;
    let (key, _) = rustls::crypto::hpke::Hpke::generate_key_pair(suite).expect("a key");
    let list = EchConfigListBytes::from(ech_config(&key.0));
    let config = EchConfig::new(list, &[suite]).expect("a configuration of ours");
    let contexts = Contexts::new().ech(EchMode::Enable(config));
    let mut pair = Pair::of(&contexts.server_name("hidden.test"));
    let first = pair.client.handshake();
    assert_eq!(first, Ok(offwire::Handshake::NeedWrite));
    let hides = |name: &[u8]| {
        !pair
            .client
            .outgoing()
            .windows(name.len())
            .any(|at| at == name)
    };
    assert!(hides(b"hidden.test") && !hides(b"localhost"));

    let (client, server) = pair.try_handshake();
    assert_eq!(
        server,
        Ok(()),
        "to the server all is well, with the public name"
    );
    let error = client.expect_err("the name was not heard");
    assert!(
        matches!(error, Error::Peer(Peer::Incompatible(_))),
        "{error:?}"
    );
    assert_eq!(error.alert(), Some(Alert::ENCRYPTED_CLIENT_HELLO_REQUIRED));
    pair.settle();
    let told = Err(Error::Alert(Alert::ENCRYPTED_CLIENT_HELLO_REQUIRED));
    assert_eq!(pair.server.read(&mut [0; 9]), told);
}

#[test]
fn a_client_may_act_as_if_it_used_ech() {
    let suite = hpke::DH_KEM_P256_HKDF_SHA256_AES_128;
    let (key, _) = rustls::crypto::hpke::Hpke::generate_key_pair(suite).expect("a key");
    let mode = EchMode::Grease(EchGreaseConfig::new(suite, key));
    use_and_close(&mut Pair::of(&Contexts::new().ech(mode)));
}
