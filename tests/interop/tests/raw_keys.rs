//! Raw public keys (RFC 7250) in a certificate's place, with GnuTLS, both ways: the server's alone,
//! then the client's too.

extern crate alloc;

use alloc::sync::Arc;

use offwire::rustls::client::AlwaysResolvesClientRawPublicKeys;
use offwire::rustls::crypto::aws_lc_rs::default_provider;
use offwire::rustls::pki_types::CertificateDer;
use offwire::rustls::server::danger::ClientCertVerifier;
use offwire::rustls::server::{AlwaysResolvesServerRawPublicKeys, NoClientAuth};
use offwire::rustls::version::TLS13;
use offwire::rustls::{ClientConfig, ServerConfig};
use offwire::{Client, Error, ProtocolVersion, Read, Server};
use offwire_interop::{Connection, Gnutls, Listener, Process};
use offwire_testkit::{Authority, Contexts, Identity, Kind, PinningVerifier, Usage};

/// A client's configuration that knows the public key of this server and accepts nothing else.
fn client_config(server: &Identity) -> ClientConfig {
    let contexts = Contexts::new().version(ProtocolVersion::Tls13);
    let mut config = contexts.client_config();
    let verifier = Arc::new(PinningVerifier(server.public_key()));
    config.dangerous().set_certificate_verifier(verifier);
    config
}

/// A server that presents a raw public key.
fn server(own: &Identity, verifier: Arc<dyn ClientCertVerifier>) -> Server {
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .expect("the provider speaks it")
        .with_client_cert_verifier(verifier);
    let resolver = AlwaysResolvesServerRawPublicKeys::new(Arc::new(own.raw_key()));
    Server::new(config.with_cert_resolver(Arc::new(resolver)))
}

/// Checks which key the peer has presented.
fn presented(connection: &Connection, identity: &Identity) {
    let keys = connection.negotiated().peer_certificates();
    assert_eq!(keys, [CertificateDer::from(identity.public_key().as_ref())]);
}

/// A line there and back.
fn echo(mut connection: Connection) {
    connection.send(b"hello\n");
    connection.expect(b"hello\n");
    connection.close();
}

/// A line from `gnutls-cli`, and its end.
fn hear(mut connection: Connection, mut client: Process) {
    client.expect("- Certificate type: Raw Public Key");
    client.expect("- Handshake was completed");
    client.say("hello\n");
    connection.expect(b"hello\n");
    client.end_stdin();
    assert_eq!(connection.read_to_end(), Ok((Read::Closed, vec![])));
    connection.close();
    assert_eq!(client.exit(), 0);
}

#[test]
fn the_raw_public_key_of_a_gnutls_server_is_taken_or_refused() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    let own = Identity::server(Kind::EcdsaP256);
    let (_server, address) = gnutls.start_raw_key_echo_server(&own, &["--disable-client-cert"]);
    let connection = Connection::open(&Client::new(client_config(&own)), address);
    presented(&connection, &own);
    echo(connection);

    let other = Authority::shared().issue(Kind::EcdsaP256, Usage::Server);
    let mut connection = Connection::connect(&Client::new(client_config(&other)), address);
    let refused = connection.handshake();
    assert!(matches!(refused, Err(Error::Certificate(_))), "{refused:?}");
}

#[test]
fn a_gnutls_client_takes_the_raw_public_key_of_our_server() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    let listener = Listener::new();
    let client = Process::start(&mut gnutls.raw_key_client(None, listener.address()));
    let server = server(&Identity::server(Kind::EcdsaP256), Arc::new(NoClientAuth));
    hear(listener.open(&server), client);
}

#[test]
fn our_client_presents_its_raw_public_key_to_a_gnutls_server() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    let [theirs, ours] = [Identity::server, Identity::client].map(|made| made(Kind::EcdsaP256));
    let (server, address) = gnutls.start_raw_key_echo_server(&theirs, &["--require-client-cert"]);
    let mut config = client_config(&theirs);
    let resolver = AlwaysResolvesClientRawPublicKeys::new(Arc::new(ours.raw_key()));
    config.client_auth_cert_resolver = Arc::new(resolver);
    let connection = Connection::open(&Client::new(config), address);
    presented(&connection, &theirs);
    echo(connection);
    server.expect("- Certificate type: Raw Public Key");
}

#[test]
fn the_raw_public_key_of_a_gnutls_client_is_taken_or_refused() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    let [ours, theirs] = [Identity::server, Identity::client].map(|made| made(Kind::EcdsaP256));
    let server = server(&ours, Arc::new(PinningVerifier(theirs.public_key())));
    let listener = Listener::new();
    let ask = |own| Process::start(&mut gnutls.raw_key_client(Some(own), listener.address()));
    let client = ask(&theirs);
    let connection = listener.open(&server);
    presented(&connection, &theirs);
    hear(connection, client);

    let other = Authority::shared().issue(Kind::EcdsaP256, Usage::Client);
    let mut client = ask(&other);
    let refused = listener.accept(&server).handshake();
    assert!(matches!(refused, Err(Error::Certificate(_))), "{refused:?}");
    client.expect("Received alert");
    assert_ne!(client.exit(), 0);
}
