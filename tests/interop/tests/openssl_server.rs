//! Our client and `openssl s_server`.

use std::io::Write;

use offwire::{Alert, Certificate, Client, Error, HandshakeKind, KeyUpdate, ProtocolVersion, Read};
use offwire_interop::{
    ANY_PORT, Connection, ESTABLISHED, Openssl, VERSIONS, Worker, payload, start_server,
    start_silent_server,
};
use offwire_testkit::{Authority, Contexts, Identity, Kind, Suite, Usage};

fn client(version: ProtocolVersion) -> Client {
    Contexts::new().version(version).build().0
}

#[test]
fn a_hundred_megabytes_arrive_each_way() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let suites = [Suite::ChaCha20Poly1305, Suite::Aes256Gcm];
    for (version, suite) in VERSIONS.into_iter().zip(suites) {
        let (mut server, stdout, socket) = start_silent_server(|address| {
            let identity = Identity::server(Kind::Rsa);
            let mut command = openssl.server_as(&identity, version, address);
            command.args(["-quiet", "-naccept", "1"]);
            command
        });
        let draining = Worker::start("reading s_server's stdout", move || payload::drain(stdout));
        let (client, _) = Contexts::new().version(version).suite(suite).build();
        let mut connection = Connection::over(&client, socket);
        let sent = connection.send_payload(3);
        assert_eq!(draining.finish().unwrap(), sent, "{version}");

        let mut stdin = server.take_stdin();
        let pouring = Worker::start("filling s_server's stdin", move || {
            let sent = payload::pour(4, |chunk| stdin.write_all(chunk));
            (sent.unwrap(), stdin) // not closed before the end
        });
        let received = connection.receive_payload();
        let (sent, _stdin) = pouring.finish();
        assert_eq!(received, sent, "{version}");
        connection.close();
        assert_eq!(server.exit(), 0, "{version}");
    }
}

#[test]
fn sessions_are_resumed() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let (mut server, address) = openssl.start_server(version, &[]);
        let client = client(version);
        for round in 0..4 {
            let mut connection = Connection::open(&client, address);
            if round > 0 {
                assert_eq!(connection.kind(), HandshakeKind::Resumed, "{version}");
                server.expect("Reused session-id");
            } else {
                assert_eq!(connection.kind(), HandshakeKind::Full, "{version}");
                server.expect(ESTABLISHED);
            }
            server.say("behind the tickets\n");
            connection.expect(b"behind the tickets\n");
            connection.send(b"an answer\n");
            server.expect("an answer\n");
            connection.close();
        }
    }
}

#[test]
fn key_updates_of_the_server_are_followed_and_answered() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (mut server, address) = openssl.start_server(ProtocolVersion::Tls13, &["-msg"]);
    let mut connection = Connection::open(&client(ProtocolVersion::Tls13), address);
    server.expect(ESTABLISHED);
    // 'k' changes its own keys; 'K' asks us to change ours too.
    for (round, (letter, ours)) in [("k", 0), ("K", 1), ("K", 2), ("k", 2)].iter().enumerate() {
        server.say(&format!("{letter}\n"));
        server.expect(">>> TLS 1.3, Handshake [length 0005], KeyUpdate");
        let line = format!("line {round} of the server\n");
        server.say(&line);
        connection.expect(line.as_bytes());
        let line = format!("line {round} of the client\n");
        connection.send(line.as_bytes());
        server.expect(&line);
        let stats = connection.stats();
        assert_eq!(stats.key_updates_received, round as u64 + 1);
        assert_eq!(stats.key_updates_sealed, *ours);
    }
    connection.close();
}

#[test]
fn key_updates_of_ours_are_followed_and_answered() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (mut server, address) = openssl.start_server(ProtocolVersion::Tls13, &[]);
    let mut connection = Connection::open(&client(ProtocolVersion::Tls13), address);
    server.expect(ESTABLISHED);
    for (update, sealed, received) in [
        (KeyUpdate::Both, 1, 1),
        (KeyUpdate::Ours, 2, 1),
        (KeyUpdate::Both, 3, 2),
    ] {
        connection.key_update(update);
        let line = format!("line {sealed} of the client\n");
        connection.send(line.as_bytes());
        server.expect(&line);
        let line = format!("line {sealed} of the server\n");
        server.say(&line);
        connection.expect(line.as_bytes());
        let stats = connection.stats();
        assert_eq!(stats.key_updates_sealed, sealed);
        assert_eq!(stats.key_updates_received, received);
    }
    connection.close();
}

/// Arguments of a server that insists on a client certificate.
const INSISTING: [&str; 3] = ["-Verify", "1", "-verify_return_error"];

#[test]
fn our_certificate_is_accepted() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let (mut server, address) = openssl.start_server(version, &INSISTING);
        for kind in Kind::ALL {
            let contexts = Contexts::new().version(version);
            let (client, _) = contexts.client_identity(Identity::client(kind)).build();
            let mut connection = Connection::open(&client, address);
            server.expect("Client certificate");
            server.expect("subject=CN = Offwire test client");
            server.expect(ESTABLISHED);
            server.say("welcome\n");
            connection.expect(b"welcome\n");
            connection.close();
        }
    }
}

#[test]
fn our_certificate_of_another_authority_is_refused() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let stranger = Authority::new().issue(Kind::EcdsaP256, Usage::Client);
    for version in VERSIONS {
        let (server, address) = openssl.start_server(version, &INSISTING);
        let contexts = Contexts::new().version(version);
        let (client, _) = contexts.client_identity(stranger.clone()).build();
        let error = refusal(&client, address);
        assert_eq!(error, Error::Alert(Alert::UNKNOWN_CA), "{version}");
        server.expect("certificate verify failed");
    }
}

#[test]
fn our_missing_certificate_is_refused() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let alerts = [Alert::HANDSHAKE_FAILURE, Alert::CERTIFICATE_REQUIRED];
    for (version, alert) in VERSIONS.into_iter().zip(alerts) {
        let (server, address) = openssl.start_server(version, &INSISTING);
        let error = refusal(&client(version), address);
        assert_eq!(error, Error::Alert(alert), "{version}");
        server.expect("peer did not return a certificate");
    }
}

/// What a server says to a client that it refuses: in TLS 1.3 behind our handshake.
fn refusal(client: &Client, address: core::net::SocketAddr) -> Error {
    let mut connection = Connection::connect(client, address);
    match connection.handshake() {
        Ok(()) => {
            let read = connection.read_to_end();
            read.expect_err("a server that refuses us does not go on")
        }
        Err(error) => error,
    }
}

#[test]
fn a_server_certificate_that_we_cannot_trust_is_refused() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let shared = Authority::shared();
    let (kind, usage) = (Kind::EcdsaP256, Usage::Server);
    let cases = [
        (
            Authority::new().issue(kind, usage),
            Certificate::UnknownIssuer,
            "alert unknown ca",
        ),
        (
            shared.issue_expired(kind, usage),
            Certificate::Expired,
            "alert certificate expired",
        ),
        (
            shared.issue_named(kind, usage, &["elsewhere.test"]),
            Certificate::NotValidForName,
            "alert bad certificate",
        ),
    ];
    for version in VERSIONS {
        for (identity, reason, alert) in &cases {
            let mut command = openssl.server_as(identity, version, ANY_PORT);
            let (server, address) = start_server(&mut command);
            let error = refusal(&client(version), address);
            assert_eq!(error, Error::Certificate(reason.clone()), "{version}");
            server.expect(alert);
        }
    }
}

#[test]
fn a_server_that_is_killed_is_a_truncation() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let (mut server, address) = openssl.start_server(version, &[]);
        let mut connection = Connection::open(&client(version), address);
        connection.send(b"all that there is to read\n");
        server.expect("all that there is to read\n");
        server.say("the last words\n");
        connection.expect(b"the last words\n");
        server.kill();
        let end = connection.read_to_end().unwrap();
        assert_eq!(end, (Read::Truncated, vec![]), "{version}");
    }
}

#[test]
fn a_server_notices_our_truncation_and_serves_on() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let (mut server, address) = openssl.start_server(version, &[]);
        let client = client(version);
        let mut connection = Connection::open(&client, address);
        connection.send(b"hello\n");
        server.expect("hello\n");
        server.say("the last words\n");
        // All that has arrived must be read, else the system resets the connection.
        connection.expect(b"the last words\n");
        drop(connection);
        server.expect("unexpected eof while reading");

        let mut connection = Connection::open(&client, address);
        connection.send(b"the next connection\n");
        server.expect("the next connection\n");
        connection.close();
    }
}
