//! Early data with OpenSSL, both ways: accepted, rejected, and over the limit.

use offwire::{EarlyDataStatus, HandshakeKind, ProtocolVersion};
use offwire_interop::{Connection, ESTABLISHED, Listener, Openssl, Process};
use offwire_testkit::Contexts;

const TLS13: ProtocolVersion = ProtocolVersion::Tls13;

fn contexts() -> Contexts {
    Contexts::new().version(TLS13).danger_early_data(1 << 16)
}

/// Arguments of an `s_server` that takes early data.
const TAKING: [&str; 5] = [
    "-early_data",
    "-max_early_data",
    "40000",
    "-recv_max_early_data",
    "40000",
];

/// Connects to `s_server` once, for a session.
fn first_session(client: &offwire::Client, server: &mut Process, address: core::net::SocketAddr) {
    let mut connection = Connection::open(client, address);
    assert_eq!(connection.kind(), HandshakeKind::Full);
    server.expect(ESTABLISHED);
    server.say("behind the tickets\n");
    connection.expect(b"behind the tickets\n");
    connection.close();
}

#[test]
fn s_server_accepts_our_early_data() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (mut server, address) = openssl.start_server(TLS13, &TAKING);
    let (client, _) = contexts().build();
    first_session(&client, &mut server, address);

    let mut connection = Connection::connect(&client, address);
    assert_eq!(connection.send_early(b"an early line\n"), 14);
    assert_eq!(connection.send_early(b"and another\n"), 12);
    connection.handshake().unwrap();
    assert_eq!(connection.early_data(), EarlyDataStatus::Accepted);
    assert_eq!(connection.kind(), HandshakeKind::Resumed);
    assert_eq!(connection.rejected_early_data(), 0);
    // It writes the data past its own buffered output.
    server.expect("an early line");
    server.expect("Early data received:");
    server.expect("and another");
    server.expect("End of early data");
    connection.send(b"a late line\n");
    server.expect("a late line");
    server.say("an answer\n");
    connection.expect(b"an answer\n");
    connection.close();
}

#[test]
fn our_early_data_stops_at_the_limit_of_s_server() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (mut server, address) = openssl.start_server(TLS13, &TAKING);
    let (client, _) = contexts().build();
    first_session(&client, &mut server, address);

    let mut connection = Connection::connect(&client, address);
    assert_eq!(connection.send_early(&[b'x'; 50_000]), 40_000);
    assert_eq!(connection.send_early(&[b'x'; 10_000]), 0);
    connection.handshake().unwrap();
    assert_eq!(connection.early_data(), EarlyDataStatus::Accepted);
    server.expect("End of early data");
    connection.send(b"\nthe rest\n");
    server.expect("the rest");
    connection.close();
}

#[test]
fn s_server_rejects_our_early_data_and_we_write_it_again() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (mut server, address) = openssl.start_server(TLS13, &TAKING);
    let (client, _) = contexts().build();
    first_session(&client, &mut server, address);

    // Another server does not know the session, or asks for another group first.
    let early = b"an early line\n";
    for further in [&[][..], &["-groups", "P-384"]] {
        let arguments = [&TAKING, further].concat();
        let (server, address) = openssl.start_server(TLS13, &arguments);
        let mut connection = Connection::connect(&client, address);
        assert_eq!(connection.send_early(early), early.len());
        connection.handshake().unwrap();
        assert_eq!(connection.early_data(), EarlyDataStatus::Rejected);
        server.expect("Early data was rejected");
        assert_eq!(connection.rejected_early_data(), early.len());
        connection.send(early);
        server.expect("an early line");
        connection.close();
    }
}

#[test]
fn we_accept_and_reject_the_early_data_of_s_client() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let session = openssl.files().path("session.pem");
    let early = openssl.files().write("early.txt", "an early line\n");
    let (_, server) = contexts().half_rtt().build();
    let (_, stranger) = contexts().build();

    for (server, status, received, word) in [
        (
            &server,
            EarlyDataStatus::Accepted,
            &b"an early line\n"[..],
            "Early data was accepted",
        ),
        (
            &stranger,
            EarlyDataStatus::Rejected,
            b"",
            "Early data was rejected",
        ),
    ] {
        // A session for each, since a server takes one once.
        let known = if status == EarlyDataStatus::Accepted {
            server.clone()
        } else {
            contexts().build().1
        };
        let listener = Listener::new();
        let mut command = openssl.client(TLS13, listener.address());
        let mut client = Process::start(command.arg("-sess_out").arg(&session));
        let mut connection = listener.accept(&known);
        assert_eq!(connection.read_early(), b"", "nothing is offered");
        assert_eq!(connection.early_data(), EarlyDataStatus::NotOffered);
        connection.handshake().unwrap();
        connection.send(b"behind the tickets\n");
        client.expect("behind the tickets");
        connection.close();
        assert_eq!(client.exit(), 0);

        let mut command = openssl.client(TLS13, listener.address());
        command.arg("-sess_in").arg(&session);
        let mut client = Process::start(command.arg("-early_data").arg(&early));
        let mut connection = listener.accept(server);
        assert_eq!(connection.read_early(), received);
        assert_eq!(connection.early_data(), status);
        connection.handshake().unwrap();
        client.expect(word);
        connection.send(b"an answer\n");
        client.expect("an answer");
        client.say("a late line\n");
        connection.expect(b"a late line\n");
        connection.close();
        assert_eq!(client.exit(), 0);
    }
}
