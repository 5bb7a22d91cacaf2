//! GnuTLS: our server and `gnutls-cli`, our client and `gnutls-serv`.

use std::io::Write;

use offwire::ProtocolVersion::{Tls12, Tls13};
use offwire::{Alert, Error, HandshakeKind, KeyUpdate, Read};
use offwire_interop::{Connection, Gnutls, Listener, Process, VERSIONS, Worker};
use offwire_testkit::{Contexts, Identity, Kind, Random};

/// What `gnutls-cli` says last of a handshake, before it reads its stdin.
const ESTABLISHED: &str = "- Simple Client Mode:";

/// Bytes that neither program says of itself, so that its own words can be told apart.
fn payload(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = Random::new(seed).bytes(len);
    bytes.iter_mut().for_each(|byte| *byte |= 0x80);
    bytes
}

#[test]
fn megabytes_of_a_gnutls_client_arrive_and_ours_arrive_there() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    for version in VERSIONS {
        let (_, server) = Contexts::new().version(version).build();
        let listener = Listener::new();
        let mut client = Process::start(&mut gnutls.client(version, listener.address()));
        let mut connection = listener.open(&server);
        client.expect(ESTABLISHED);

        let mut stdin = client.take_stdin();
        let typed = payload(1, 4 << 20);
        let input = typed.clone();
        let typing = Worker::start("filling gnutls-cli's stdin", move || {
            stdin.write_all(&input).unwrap();
            stdin // not closed before the end
        });
        connection.expect(&typed);
        let answer = payload(2, 4 << 20);
        answer
            .chunks(100_000)
            .for_each(|part| connection.send(part));
        connection.send(b"that was all\n");
        client.expect("that was all\n");
        let mut arrived = client.stdout();
        arrived.retain(|byte| *byte >= 0x80);
        assert!(arrived == answer, "{} bytes arrived", arrived.len());

        drop(typing.finish());
        assert_eq!(connection.read_to_end().unwrap(), (Read::Closed, vec![]));
        connection.close();
        assert_eq!(client.exit(), 0, "{version}: {client:?}");
    }
}

#[test]
fn a_gnutls_server_echoes_what_we_send() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    for version in VERSIONS {
        let (_server, address) = gnutls.start_echo_server(version, &[]);
        let (client, _) = Contexts::new().version(version).build();
        let mut connection = Connection::open(&client, address);
        let mut total = 0;
        for len in (1..12_000).step_by(60) {
            let mut line = payload(3, len);
            line.push(b'\n');
            connection.send(&line);
            connection.expect(&line);
            total += line.len();
        }
        assert!(total > 1_000_000, "{total} bytes");
        connection.close();
    }
}

#[test]
fn sessions_of_a_gnutls_server_are_resumed() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    for version in VERSIONS {
        let (_server, address) = gnutls.start_echo_server(version, &[]);
        let (client, _) = Contexts::new().version(version).build();
        let kinds = [(); 3].map(|()| {
            let mut connection = Connection::open(&client, address);
            connection.send(b"hello\n");
            connection.expect(b"hello\n");
            connection.close();
            connection.kind()
        });
        let [full, resumed] = [HandshakeKind::Full, HandshakeKind::Resumed];
        assert_eq!(kinds, [full, resumed, resumed], "{version}");
    }
}

#[test]
fn a_gnutls_client_resumes_its_session() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    for version in VERSIONS {
        let (_, server) = Contexts::new().version(version).build();
        let listener = Listener::new();
        let mut command = gnutls.client(version, listener.address());
        let mut client = Process::start(command.arg("--resume"));
        let mut first = listener.open(&server);
        assert_eq!(first.kind(), HandshakeKind::Full, "{version}");
        assert_eq!(first.read_to_end().unwrap(), (Read::Closed, vec![]));
        drop(first);
        let mut second = listener.open(&server);
        assert_eq!(second.kind(), HandshakeKind::Resumed, "{version}");
        client.expect("*** This is a resumed session");
        client.expect(ESTABLISHED);
        client.say("hello\n");
        second.expect(b"hello\n");
        client.end_stdin();
        assert_eq!(second.read_to_end().unwrap(), (Read::Closed, vec![]));
        second.close();
        assert_eq!(client.exit(), 0, "{version}");
    }
}

#[test]
fn client_certificates_are_accepted_both_ways() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    let identity = Identity::client(Kind::EcdsaP384);
    let (chain, key) = gnutls.files().identity("client", &identity);
    for version in VERSIONS {
        let contexts = Contexts::new().version(version).client_auth();
        let (client, server) = contexts.client_identity(identity.clone()).build();

        let listener = Listener::new();
        let mut command = gnutls.client(version, listener.address());
        command.arg("--x509certfile").arg(&chain);
        let mut theirs = Process::start(command.arg("--x509keyfile").arg(&key));
        let mut connection = listener.open(&server);
        let received = connection.negotiated().peer_certificates().first();
        assert_eq!(received, identity.chain().first());
        theirs.expect(ESTABLISHED);
        theirs.say("hello\n");
        connection.expect(b"hello\n");
        theirs.end_stdin();
        assert_eq!(connection.read_to_end().unwrap(), (Read::Closed, vec![]));
        connection.close();

        let arguments = ["--require-client-cert", "--verify-client-cert"];
        let (theirs, address) = gnutls.start_echo_server(version, &arguments);
        let mut connection = Connection::open(&client, address);
        connection.send(b"hello\n");
        connection.expect(b"hello\n");
        connection.close();
        theirs.expect("Offwire test client");
    }
}

#[test]
fn key_updates_of_a_gnutls_client_are_followed_and_answered() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    let (_, server) = Contexts::new().version(Tls13).build();
    let listener = Listener::new();
    let mut command = gnutls.client(Tls13, listener.address());
    let mut client = Process::start(command.arg("--inline-commands"));
    let mut connection = listener.open(&server);
    client.expect(ESTABLISHED);
    for (command, sealed, received) in [("rekey1", 0, 1), ("rekey", 1, 2), ("rekey", 2, 3)] {
        client.say(&format!("^{command}^\n"));
        client.expect("- Rekey was completed");
        client.say("from gnutls-cli\n");
        connection.expect(b"from gnutls-cli\n");
        let line = format!("line {received} of the server\n");
        connection.send(line.as_bytes());
        client.expect(&line);
        let stats = connection.stats();
        assert_eq!(stats.key_updates_received, received);
        assert_eq!(stats.key_updates_sealed, sealed);
    }
    client.end_stdin();
    assert_eq!(connection.read_to_end().unwrap(), (Read::Closed, vec![]));
    connection.close();
}

#[test]
fn key_updates_of_ours_are_answered_by_a_gnutls_server() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    let (_server, address) = gnutls.start_echo_server(Tls13, &[]);
    let (client, _) = Contexts::new().version(Tls13).build();
    let mut connection = Connection::open(&client, address);
    for (update, sealed, received) in [
        (KeyUpdate::Both, 1, 1),
        (KeyUpdate::Ours, 2, 1),
        (KeyUpdate::Both, 3, 2),
    ] {
        connection.key_update(update);
        connection.send(b"hello\n");
        connection.expect(b"hello\n");
        let stats = connection.stats();
        assert_eq!(stats.key_updates_sealed, sealed);
        assert_eq!(stats.key_updates_received, received);
    }
    connection.close();
}

#[test]
fn a_gnutls_client_that_renegotiates_is_warned_and_the_next_one_is_served() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    let (_, server) = Contexts::new().version(Tls12).build();
    let listener = Listener::new();
    let mut command = gnutls.client(Tls12, listener.address());
    let mut client = Process::start(command.arg("--inline-commands"));
    let mut connection = listener.open(&server);
    client.expect(ESTABLISHED);
    client.say("^renegotiate^\n");
    // It asks once more for every warning, and gives up by itself.
    let error = connection.read_to_end().unwrap_err();
    assert_eq!(error, Error::Alert(Alert::INTERNAL_ERROR));
    client.expect("*** Received alert [100]: No renegotiation is allowed");
    client.expect("*** ReHandshake has failed");
    assert_ne!(client.exit(), 0);

    let mut client = Process::start(&mut gnutls.client(Tls12, listener.address()));
    let mut connection = listener.open(&server);
    client.expect(ESTABLISHED);
    client.say("the next client\n");
    connection.expect(b"the next client\n");
    client.end_stdin();
    assert_eq!(connection.read_to_end().unwrap(), (Read::Closed, vec![]));
    connection.close();
    assert_eq!(client.exit(), 0);
}
