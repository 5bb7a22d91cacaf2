//! TLS 1.2 renegotiation with OpenSSL: a server's request is ignored while data flows on, a
//! client's is refused with a warning, and our server goes on serving.

use core::net::SocketAddr;

use offwire::ProtocolVersion::Tls12;
use offwire::{Alert, Error, HandshakeKind};
use offwire_interop::{Connection, ESTABLISHED, Listener, Openssl, Process, serve};
use offwire_testkit::{Contexts, Random};

/// What `s_server -msg` says when it asks for renegotiation.
const HELLO_REQUEST: &str = "Handshake [length 0004], HelloRequest";

#[test]
fn a_server_that_asks_for_renegotiation_is_ignored_and_data_flows_on() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (client, _) = Contexts::new().version(Tls12).build();
    let (mut server, address) = openssl.start_server(Tls12, &["-msg"]);
    let mut connection = Connection::open(&client, address);
    server.expect(ESTABLISHED);
    // 'r' sends a HelloRequest; 'R' wants a client certificate as well.
    for (round, letter) in ["r", "R", "r"].iter().enumerate() {
        let line = format!("line {round} before the request\n");
        connection.send(line.as_bytes());
        server.expect(&line);

        server.say(&format!("{letter}\n"));
        server.expect(HELLO_REQUEST);
        let line = format!("line {round} of the server\n");
        server.say(&line);
        connection.expect(line.as_bytes());
        let line = format!("line {round} of the client\n");
        connection.send(line.as_bytes());
        server.expect(&line);
    }
    connection.close();
    assert!(!server.said().contains("ERROR"), "{server:?}");
}

#[test]
fn a_request_in_the_middle_of_a_transfer_does_not_disturb_it() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (client, _) = Contexts::new().version(Tls12).build();
    let (mut server, address) = openssl.start_server(Tls12, &["-msg"]);
    let mut connection = Connection::open(&client, address);
    server.expect(ESTABLISHED);
    // Bytes that s_server never says of itself, so that its own words can be told apart.
    let mut payload = Random::new(5).bytes(2 << 20);
    payload.iter_mut().for_each(|byte| *byte |= 0x80);

    let (front, back) = payload.split_at(payload.len() / 2);
    front.chunks(50_000).for_each(|part| connection.send(part));
    server.say("r\n");
    back.chunks(50_000).for_each(|part| connection.send(part));
    server.expect(HELLO_REQUEST);
    server.say("behind it all\n");
    connection.expect(b"behind it all\n");
    connection.send(b"received\n");
    server.expect("received\n");

    let mut arrived = server.stdout();
    arrived.retain(|byte| *byte >= 0x80);
    assert!(arrived == payload, "{} bytes arrived", arrived.len());
    connection.close();
}

#[test]
fn a_client_that_renegotiates_is_warned_and_the_next_one_is_served() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (_, server) = Contexts::new().version(Tls12).build();
    let listener = Listener::new();
    for _ in 0..2 {
        let mut command = openssl.client(Tls12, listener.address());
        let mut client = Process::start(command.arg("-msg"));
        let mut connection = listener.open(&server);
        assert_eq!(connection.kind(), HandshakeKind::Full);
        client.say("before\n");
        connection.expect(b"before\n");

        client.say("R\n");
        client.expect("RENEGOTIATING");
        // Our warning made it give up.
        let error = connection.read_to_end().unwrap_err();
        assert_eq!(error, Error::Alert(Alert::HANDSHAKE_FAILURE));
        client.expect("warning no_renegotiation");
        client.expect("no renegotiation");
        assert_ne!(client.exit(), 0);
    }
    next_is_served(&openssl, listener.address(), || listener.open(&server));
}

/// A well-behaved client of the same server.
fn next_is_served(openssl: &Openssl, address: SocketAddr, accept: impl FnOnce() -> Connection) {
    let mut client = Process::start(&mut openssl.client(Tls12, address));
    let mut connection = accept();
    client.say("the next client\n");
    connection.expect(b"the next client\n");
    connection.send(b"welcome\n");
    client.expect("welcome");
    connection.close();
    assert_eq!(client.exit(), 0);
}

#[test]
fn the_program_survives_a_client_that_renegotiates() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let certificate = openssl.files().path("made.pem");
    let (server, address) = serve(["--cert-out".as_ref(), certificate.as_os_str()]);

    let connect = || {
        let mut command = openssl.client(Tls12, address);
        Process::start(command.arg("-CAfile").arg(&certificate))
    };
    let mut client = connect();
    client.say("before\n");
    client.expect("before\n");
    client.say("R\n");
    client.expect("RENEGOTIATING");
    client.expect("no renegotiation");
    assert_ne!(client.exit(), 0);
    server.expect("[1] ");

    let mut client = connect();
    client.say("the next client\n");
    client.expect("the next client\n");
    client.say("Q\n");
    assert_eq!(client.exit(), 0);
    server.expect("[2] closed cleanly");
}
