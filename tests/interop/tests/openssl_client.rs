//! Our server and `openssl s_client`.

use std::io::Write;

use offwire::{Alert, Certificate, Error, HandshakeKind, KeyUpdate, ProtocolVersion, Read};
use offwire_interop::{Connection, Listener, Openssl, Process, VERSIONS, Worker, payload};
use offwire_testkit::{Authority, ClientAuth, Contexts, Identity, Kind, Suite, Usage};

/// A client that is connected to our server, and its command letters at our disposal.
fn connected(openssl: &Openssl, version: ProtocolVersion) -> (Process, Connection) {
    let (_, server) = Contexts::new().version(version).build();
    let listener = Listener::new();
    let client = Process::start(&mut openssl.client(version, listener.address()));
    (client, listener.open(&server))
}

#[test]
fn a_hundred_megabytes_arrive_each_way() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let suites = [Suite::Aes256Gcm, Suite::ChaCha20Poly1305];
    for (version, suite) in VERSIONS.into_iter().zip(suites) {
        let contexts = Contexts::new().version(version).suite(suite);
        let (_, server) = contexts.certificate(Kind::Rsa).build();
        let listener = Listener::new();
        let mut command = openssl.client(version, listener.address());
        let (mut client, stdout) = Process::start_piped(command.args(["-quiet", "-nocommands"]));
        let mut stdin = client.take_stdin();
        let pouring = Worker::start("filling s_client's stdin", move || {
            let sent = payload::pour(1, |chunk| stdin.write_all(chunk));
            (sent.unwrap(), stdin) // not closed before the end
        });
        let draining = Worker::start("reading s_client's stdout", move || payload::drain(stdout));

        let mut connection = listener.open(&server);
        let received = connection.receive_payload();
        let (sent, _stdin) = pouring.finish();
        assert_eq!(received, sent, "{version}");
        let sent = connection.send_payload(2);
        assert_eq!(draining.finish().unwrap(), sent, "{version}");
        connection.shut();
        assert_eq!(client.exit(), 0, "{version}: {client:?}");
        assert_eq!(connection.read_to_end().unwrap(), (Read::Closed, vec![]));
    }
}

#[test]
fn a_session_is_resumed() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let session = openssl.files().path("session.pem");
    for version in VERSIONS {
        let (_, server) = Contexts::new().version(version).build();
        let listener = Listener::new();
        for (option, kind, word) in [
            ("-sess_out", HandshakeKind::Full, "New, "),
            ("-sess_in", HandshakeKind::Resumed, "Reused, "),
        ] {
            let mut command = openssl.client(version, listener.address());
            let mut client = Process::start(command.arg(option).arg(&session));
            let mut connection = listener.open(&server);
            client.expect(word);
            connection.send(b"behind the tickets\n");
            client.expect("behind the tickets");
            client.say("an answer\n");
            connection.expect(b"an answer\n");
            assert_eq!(connection.kind(), kind, "{version}");
            connection.close();
            assert_eq!(client.exit(), 0);
        }
    }
}

#[test]
fn s_client_reconnects_five_times_with_its_session() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    // In TLS 1.3 it reconnects before it has read a ticket.
    let (_, server) = Contexts::new().version(ProtocolVersion::Tls12).build();
    let listener = Listener::new();
    let address = listener.address();
    let mut command = openssl.client(ProtocolVersion::Tls12, address);
    let client = Process::start(command.arg("-reconnect"));
    let kinds = [(); 6].map(|()| listener.open(&server).kind());
    assert_eq!(kinds[0], HandshakeKind::Full);
    assert_eq!(kinds[1..], [HandshakeKind::Resumed; 5]);
    for _ in 0..5 {
        client.expect("Reused, TLSv1.2");
    }
}

#[test]
fn key_updates_of_the_client_are_followed_and_answered() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (mut client, mut connection) = connected(&openssl, ProtocolVersion::Tls13);
    // 'k' changes its own keys; 'K' asks us to change ours too.
    for (round, (letter, ours)) in [("k", 0), ("K", 1), ("K", 2), ("k", 2)].iter().enumerate() {
        client.say(&format!("{letter}\n"));
        client.expect("KEYUPDATE");
        let line = format!("line {round} of the client\n");
        client.say(&line);
        connection.expect(line.as_bytes());
        let line = format!("line {round} of the server\n");
        connection.send(line.as_bytes());
        client.expect(&line);
        let stats = connection.stats();
        assert_eq!(stats.key_updates_received, round as u64 + 1);
        assert_eq!(stats.key_updates_sealed, *ours);
    }
    connection.close();
    assert_eq!(client.exit(), 0);
}

#[test]
fn key_updates_of_ours_are_followed_and_answered() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (mut client, mut connection) = connected(&openssl, ProtocolVersion::Tls13);
    for (update, sealed, received) in [
        (KeyUpdate::Both, 1, 1),
        (KeyUpdate::Ours, 2, 1),
        (KeyUpdate::Both, 3, 2),
    ] {
        connection.key_update(update);
        let line = format!("line {sealed} of the server\n");
        connection.send(line.as_bytes());
        client.expect(&line);
        let line = format!("line {sealed} of the client\n");
        client.say(&line);
        connection.expect(line.as_bytes());
        let stats = connection.stats();
        assert_eq!(stats.key_updates_sealed, sealed);
        assert_eq!(stats.key_updates_received, received);
    }
    connection.close();
    assert_eq!(client.exit(), 0);
}

#[test]
fn a_client_certificate_is_accepted() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        // OpenSSL 3.0 cannot read the PKCS #8 version 2 in which Ed25519 keys are written.
        for kind in [Kind::Rsa, Kind::EcdsaP256, Kind::EcdsaP384] {
            let identity = Identity::client(kind);
            let (chain, key) = openssl.files().identity("client", &identity);
            let (_, server) = Contexts::new().version(version).client_auth().build();
            let listener = Listener::new();
            let mut command = openssl.client(version, listener.address());
            let mut client = Process::start(command.arg("-cert").arg(chain).arg("-key").arg(key));
            let mut connection = listener.open(&server);
            // OpenSSL sends the authority's own certificate too, which its file of roots holds.
            let received = connection.negotiated().peer_certificates().first();
            assert_eq!(received, identity.chain().first());
            client.say("hello\n");
            connection.expect(b"hello\n");
            connection.close();
            assert_eq!(client.exit(), 0);
        }
    }
}

#[test]
fn a_client_certificate_of_another_authority_is_refused() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let stranger = Authority::new().issue(Kind::EcdsaP256, Usage::Client);
    let (chain, key) = openssl.files().identity("stranger", &stranger);
    for version in VERSIONS {
        let (_, server) = Contexts::new().version(version).client_auth().build();
        let listener = Listener::new();
        let mut command = openssl.client(version, listener.address());
        let mut client = Process::start(command.arg("-cert").arg(&chain).arg("-key").arg(&key));
        let error = listener.accept(&server).handshake().unwrap_err();
        assert_eq!(error, Error::Certificate(Certificate::UnknownIssuer));
        assert_eq!(error.alert(), Some(Alert::UNKNOWN_CA));
        client.expect("alert unknown ca");
        assert_ne!(client.exit(), 0);
    }
}

#[test]
fn a_missing_client_certificate_is_refused() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let contexts = Contexts::new().version(version);
        let (_, server) = contexts.client_auth_as(ClientAuth::Required).build();
        let listener = Listener::new();
        let mut command = openssl.client(version, listener.address());
        let mut client = Process::start(&mut command);
        let error = listener.accept(&server).handshake().unwrap_err();
        assert_eq!(error, Error::Certificate(Certificate::Missing));
        client.expect("SSL alert number 116"); // certificate_required
        assert_ne!(client.exit(), 0);
    }
}

#[test]
fn a_client_that_is_killed_is_a_truncation() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let (mut client, mut connection) = connected(&openssl, version);
        connection.send(b"all that there is to read\n");
        client.expect("all that there is to read\n");
        client.say("the last words\n");
        connection.expect(b"the last words\n");
        client.kill();
        let end = connection.read_to_end().unwrap();
        assert_eq!(end, (Read::Truncated, vec![]), "{version}");
    }
}

#[test]
fn a_client_notices_our_truncation() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let (mut client, mut connection) = connected(&openssl, version);
        connection.send(b"the last words\n");
        client.expect("the last words\n");
        drop(connection);
        client.expect("unexpected eof while reading");
        assert_ne!(client.exit(), 0, "{version}");
    }
}
