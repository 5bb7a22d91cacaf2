//! What the OpenSSL of most systems is too old for, with the release that the judge is made of: key
//! exchange with ML-KEM, and Encrypted ClientHello (RFC 9849) that a server accepts or rejects.
//!
//! Its other end is `peer/peer.c`, over loopback.

#![expect(
    clippy::unwrap_used,
    reason = "a test's helper fails by panicking, with a message that says what happened"
)]

use core::net::SocketAddr;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use offwire::rustls::NamedGroup;
use offwire::rustls::client::{EchConfig, EchGreaseConfig, EchMode};
use offwire::rustls::crypto::aws_lc_rs::hpke;
use offwire::rustls::crypto::hpke::Hpke;
use offwire::rustls::pki_types::EchConfigListBytes;
use offwire::rustls::pki_types::pem::PemObject as _;
use offwire::{Alert, Client, Completion, Error, Handshake, HandshakeKind, Peer, ProtocolVersion};
use offwire_interop::{Connection, Files, Listener, Process, offwire};
use offwire_testkit::{Authority, Contexts, Identity, Kind, Usage};

/// The name that the server is asked for, and the one that stands in the clear instead.
const HIDDEN: &str = "hidden.test";
const PUBLIC: &str = "public.test";

/// What rustls calls a rejection.
const REJECTED: &str = "ServerRejectedEncryptedClientHello";

/// How handshakes go whose server wants this group: at once, or after a HelloRetryRequest.
const GROUPS: [(&str, HandshakeKind); 2] = [
    ("X25519MLKEM768", HandshakeKind::Full),
    ("P-256", HandshakeKind::FullWithHelloRetryRequest),
];

/// OpenSSL's end, with these arguments.
fn peer() -> Command {
    Command::new(env!("PEER"))
}

/// A server of OpenSSL's with this certificate, these groups and this ECH key.
fn serve(
    files: &Files,
    identity: &Identity,
    groups: &str,
    ech: Option<&Path>,
) -> (Process, SocketAddr) {
    let (chain, key) = files.identity("server", identity);
    let mut command = peer();
    command.arg("serve").arg(chain).arg(key).arg(groups);
    let server = Process::start(command.args(ech));
    let address = server.rest_of_line("listening on ").parse().unwrap();
    (server, address)
}

/// A certificate for one name.
fn named(name: &str) -> Identity {
    Authority::shared().issue_named(Kind::EcdsaP256, Usage::Server, &[name])
}

/// Moves some records there and back, and closes.
fn use_and_close(mut connection: Connection, peer: &Process) {
    let bytes = vec![0xc5; 20_000];
    for _ in 0..10 {
        connection.send(&bytes);
        connection.expect(&bytes);
    }
    connection.close();
    peer.expect("closed\n");
}

/// The client's groups, the server's, and how many hellos that takes.
const HYBRID: [(&[NamedGroup], &str, HandshakeKind); 2] = [
    (
        &[NamedGroup::X25519MLKEM768],
        "X25519MLKEM768",
        HandshakeKind::Full,
    ),
    (
        &[NamedGroup::X25519, NamedGroup::X25519MLKEM768],
        "X25519:X25519MLKEM768",
        HandshakeKind::FullWithHelloRetryRequest,
    ),
];

#[test]
fn our_client_and_openssl_exchange_keys_with_ml_kem() {
    let files = Files::new();
    let identity = Identity::server(Kind::EcdsaP256);
    let (server, address) = serve(&files, &identity, "X25519MLKEM768", None);
    for (groups, _, kind) in HYBRID {
        let (client, _) = Contexts::new().groups(groups, &[]).build();
        let connection = Connection::open(&client, address);
        assert_hybrid(&connection, kind);
        server.expect("group X25519MLKEM768\n");
        use_and_close(connection, &server);
    }
}

#[test]
fn our_server_and_openssl_exchange_keys_with_ml_kem() {
    let files = Files::new();
    let contexts = Contexts::new().group(NamedGroup::X25519MLKEM768);
    for (_, groups, kind) in HYBRID {
        let listener = Listener::new();
        let port = listener.address().port().to_string();
        let mut command = peer();
        command.args(["connect", &port]).arg(files.authority());
        let client = Process::start(command.arg(groups));
        let connection = listener.open(&contexts.build().1);
        assert_hybrid(&connection, kind);
        client.expect("group X25519MLKEM768\n");
        use_and_close(connection, &client);
    }
}

fn assert_hybrid(connection: &Connection, kind: HandshakeKind) {
    let negotiated = connection.negotiated();
    assert_eq!(negotiated.version(), ProtocolVersion::Tls13);
    assert_eq!(negotiated.group().unwrap().code(), 0x11ec);
    assert_eq!(negotiated.kind(), kind);
}

/// A new key of OpenSSL's, with the configuration that its owner publishes.
fn ech_key(files: &Files, name: &str) -> PathBuf {
    let made = peer().args(["ech", PUBLIC]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    files.write(name, made.stdout)
}

/// A client that encrypts its ClientHello as such a file says.
fn hiding(file: &Path) -> Client {
    let list = EchConfigListBytes::from_pem_file(file).unwrap();
    let config = EchConfig::new(list, hpke::ALL_SUPPORTED_SUITES).unwrap();
    Contexts::new().ech(EchMode::Enable(config)).build().0
}

/// Connects and asks for a name; also the ClientHello as it stands on the wire.
fn ask_for(name: &'static str, client: Client, address: SocketAddr) -> (Connection, Vec<u8>) {
    let settings = client.settings().completion(Completion::Sent);
    let client = client.with_settings(settings);
    let mut engine = client.connect(name.try_into().unwrap()).unwrap();
    assert_eq!(engine.handshake(), Ok(Handshake::NeedWrite));
    let hello = engine.outgoing().to_vec();
    let socket = TcpStream::connect(address).unwrap();
    (Connection::of(engine, socket), hello)
}

fn contains(bytes: &[u8], name: &str) -> bool {
    bytes
        .windows(name.len())
        .any(|window| window == name.as_bytes())
}

#[test]
fn openssl_accepts_our_encrypted_client_hello() {
    let files = Files::new();
    let key = ech_key(&files, "ech.pem");
    for (groups, kind) in GROUPS {
        let (server, address) = serve(&files, &named(HIDDEN), groups, Some(&key));
        let (mut connection, hello) = ask_for(HIDDEN, hiding(&key), address);
        assert!(contains(&hello, PUBLIC) && !contains(&hello, HIDDEN));
        // Complete only if the server has accepted it, and has shown a certificate for that name.
        connection.handshake().unwrap();
        assert_eq!(connection.kind(), kind);
        server.expect("ECH accepted, inner name hidden.test, outer name public.test\n");
        server.expect("name hidden.test\n");
        use_and_close(connection, &server);
    }
}

#[test]
fn openssl_rejects_an_encrypted_client_hello_for_another_key() {
    let files = Files::new();
    let (stale, current) = (ech_key(&files, "stale.pem"), ech_key(&files, "current.pem"));
    // With a key it names the configurations to try again with, without one it cannot.
    let servers = [
        (Some(&*current), "taken for GREASE", "(Some("),
        (None, "not configured", "(None)"),
    ];
    for (key, status, retry) in servers {
        for (groups, _) in GROUPS {
            let (server, address) = serve(&files, &named(PUBLIC), groups, key);
            let (mut connection, _) = ask_for(HIDDEN, hiding(&stale), address);
            let error = connection.handshake().unwrap_err();
            assert!(
                matches!(error, Error::Peer(Peer::Incompatible(_))),
                "{error:?}"
            );
            assert_eq!(error.alert(), Some(Alert::ENCRYPTED_CLIENT_HELLO_REQUIRED));
            let told = error.to_string();
            assert!(told.contains(&format!("{REJECTED}{retry}")), "{told}");
            // To the server all is well, with the public name, until it hears the alert.
            server.expect(&format!("ECH {status}, inner name none, outer name none\n"));
            server.expect("name public.test\n");
            server.expect("failed: reason 1121, ");
        }
    }
}

#[test]
fn openssl_ignores_a_client_that_acts_as_if_it_used_ech() {
    let files = Files::new();
    let key = ech_key(&files, "ech.pem");
    let suite = hpke::DH_KEM_X25519_HKDF_SHA256_AES_128;
    for (groups, kind) in GROUPS {
        let (server, address) = serve(&files, &named(HIDDEN), groups, Some(&key));
        let (placeholder, _) = Hpke::generate_key_pair(suite).unwrap();
        let mode = EchMode::Grease(EchGreaseConfig::new(suite, placeholder));
        let (client, _) = Contexts::new().ech(mode).build();
        let (mut connection, hello) = ask_for(HIDDEN, client, address);
        assert!(contains(&hello, HIDDEN));
        connection.handshake().unwrap();
        assert_eq!(connection.kind(), kind);
        server.expect("ECH taken for GREASE, inner name none, outer name none\n");
        server.expect("name hidden.test\n");
        use_and_close(connection, &server);
    }
}

/// The program `offwire`, which takes OpenSSL's own file.
fn connect(files: &Files, ech: &Path, address: SocketAddr) -> Process {
    let mut command = Command::new(offwire());
    command.args(["connect", "--show", "--server-name", HIDDEN, "--ca"]);
    command.arg(files.authority()).arg("--ech").arg(ech);
    Process::start(command.arg(address.to_string()))
}

#[test]
fn offwire_connect_tells_whether_its_encrypted_client_hello_is_accepted() {
    /// What `--help` lists for a handshake that has failed.
    const TLS_FAILED: i32 = 5;

    let files = Files::new();
    let key = ech_key(&files, "ech.pem");
    let (server, address) = serve(&files, &named(HIDDEN), "X25519MLKEM768", Some(&key));
    let mut client = connect(&files, &key, address);
    client.expect("Encrypted Client Hello          offered and accepted\n");
    server.expect("ECH accepted, inner name hidden.test, outer name public.test\n");
    client.say("hello\n");
    client.expect("hello\n");
    client.end_stdin();
    assert_eq!(client.exit(), 0);
    server.expect("closed\n");

    let stale = ech_key(&files, "stale.pem");
    let (server, address) = serve(&files, &named(PUBLIC), "X25519MLKEM768", Some(&key));
    let mut client = connect(&files, &stale, address);
    assert_eq!(client.exit(), TLS_FAILED);
    client.expect(REJECTED);
    server.expect("name public.test\n");
}
