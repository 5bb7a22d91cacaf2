//! Raw public keys (RFC 7250) in a certificate's place, with GnuTLS, both ways.

extern crate alloc;

use alloc::sync::Arc;

use offwire::rustls::pki_types::CertificateDer;
use offwire::rustls::server::AlwaysResolvesServerRawPublicKeys;
use offwire::{Client, Error, ProtocolVersion, Read, Server};
use offwire_interop::{Connection, Gnutls, Listener, Process};
use offwire_testkit::{Authority, Contexts, Identity, Kind, PinningVerifier, Usage};

fn contexts() -> Contexts {
    Contexts::new().version(ProtocolVersion::Tls13)
}

/// A client that knows the public key of this identity and accepts nothing else.
fn client_of(identity: &Identity) -> Client {
    let mut config = contexts().client_config();
    let verifier = Arc::new(PinningVerifier(identity.public_key()));
    config.dangerous().set_certificate_verifier(verifier);
    Client::new(config)
}

#[test]
fn the_raw_public_key_of_a_gnutls_server_is_taken_or_refused() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    let identity = Identity::server(Kind::EcdsaP256);
    let (_server, address) = gnutls.start_raw_key_echo_server(&identity);
    let mut connection = Connection::open(&client_of(&identity), address);
    let presented = connection.negotiated().peer_certificates();
    assert_eq!(
        presented,
        [CertificateDer::from(identity.public_key().as_ref())]
    );
    connection.send(b"hello\n");
    connection.expect(b"hello\n");
    connection.close();

    let other = Authority::shared().issue(Kind::EcdsaP256, Usage::Server);
    let refused = Connection::connect(&client_of(&other), address).handshake();
    assert!(matches!(refused, Err(Error::Certificate(_))), "{refused:?}");
}

#[test]
fn a_gnutls_client_takes_the_raw_public_key_of_our_server() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    let identity = Identity::server(Kind::EcdsaP256);
    let mut certified = identity.certified_key();
    certified.cert = vec![CertificateDer::from(
        identity.public_key().as_ref().to_vec(),
    )];
    let mut config = contexts().server_config();
    config.cert_resolver = Arc::new(AlwaysResolvesServerRawPublicKeys::new(Arc::new(certified)));

    let listener = Listener::new();
    let mut client = Process::start(&mut gnutls.raw_key_client(listener.address()));
    let mut connection = listener.open(&Server::new(config));
    client.expect("- Certificate type: Raw Public Key");
    client.expect("- Handshake was completed");
    client.say("hello\n");
    connection.expect(b"hello\n");
    client.end_stdin();
    assert_eq!(connection.read_to_end().unwrap(), (Read::Closed, vec![]));
    connection.close();
    assert_eq!(client.exit(), 0);
}
