//! What a ClientHello asks for and a server answers, with OpenSSL, both ways: application
//! protocols, the name of the server, a stapled OCSP response.

extern crate alloc;

use alloc::sync::Arc;

use offwire::rustls::sign::SingleCertAndKey;
use offwire::{Alert, Client, Error, Server};
use offwire_interop::{Connection, Listener, Openssl, Process, VERSIONS};
use offwire_testkit::{Authority, Contexts, Identity, Kind, StaplingVerifier, Usage};

/// How OpenSSL names an alert that has arrived.
fn told(alert: Alert) -> String {
    format!("SSL alert number {}", alert.code())
}

#[test]
fn our_client_agrees_on_a_protocol_with_s_server_or_hears_its_alert() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let contexts = Contexts::new().version(version);
        let (mut server, address) = openssl.start_server(version, &["-alpn", "spdy/1,http/1.1,h2"]);
        let (client, _) = contexts.clone().alpn(&[b"h2", b"http/1.1"]).build();
        let mut connection = Connection::open(&client, address);
        // The server's order counts.
        assert_eq!(connection.negotiated().alpn(), Some(&b"http/1.1"[..]));
        server.expect("ALPN protocols advertised by the client: h2, http/1.1");
        server.expect("ALPN protocols selected: http/1.1");
        server.say("hello\n");
        connection.expect(b"hello\n");
        connection.close();

        let (client, _) = contexts.clone().build();
        let mut connection = Connection::open(&client, address);
        assert_eq!(connection.negotiated().alpn(), None);
        connection.close();

        let (client, _) = contexts.alpn(&[b"gopher"]).build();
        let mut connection = Connection::connect(&client, address);
        let refused = Err(Error::Alert(Alert::NO_APPLICATION_PROTOCOL));
        assert_eq!(connection.handshake(), refused);
    }
}

#[test]
fn our_server_agrees_on_a_protocol_with_s_client_or_refuses_it_with_an_alert() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let contexts = Contexts::new().version(version);
        let (_, server) = contexts.alpn(&[b"h2", b"http/1.1"]).build();
        let listener = Listener::new();
        let mut command = openssl.client(version, listener.address());
        let mut client = Process::start(command.args(["-alpn", "spdy/1,http/1.1"]));
        let mut connection = listener.open(&server);
        assert_eq!(connection.negotiated().alpn(), Some(&b"http/1.1"[..]));
        client.expect("ALPN protocol: http/1.1");
        client.say("hello\n");
        connection.expect(b"hello\n");
        connection.close();
        assert_eq!(client.exit(), 0);

        let mut client = Process::start(&mut openssl.client(version, listener.address()));
        let mut connection = listener.open(&server);
        assert_eq!(connection.negotiated().alpn(), None);
        client.expect("No ALPN negotiated");
        connection.close();
        assert_eq!(client.exit(), 0);

        let mut command = openssl.client(version, listener.address());
        let mut client = Process::start(command.args(["-alpn", "gopher"]));
        let error = listener.accept(&server).handshake().unwrap_err();
        assert_eq!(error.alert(), Some(Alert::NO_APPLICATION_PROTOCOL));
        client.expect(&told(Alert::NO_APPLICATION_PROTOCOL));
        assert_ne!(client.exit(), 0);
    }
}

/// Two servers with a certificate each, and a name that neither has.
#[test]
fn the_name_that_s_client_asks_for_chooses_the_server() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let contexts = Contexts::new().version(version);
        let server = |name| {
            let identity = Authority::shared().issue_named(Kind::EcdsaP256, Usage::Server, &[name]);
            contexts.clone().server_identity(identity).build().1
        };
        let servers = ["one.test", "two.test"].map(|name| (name, server(name)));
        let listener = Listener::new();
        let ask = |name: &str| {
            let mut command = openssl.client(version, listener.address());
            Process::start(command.args(["-servername", name, "-verify_hostname", name]))
        };
        let accept = || {
            listener.accept_chosen(|hello| {
                let named = |(name, _): &&(&str, _)| hello.server_name() == Some(*name);
                let found = servers.iter().find(named);
                let (_, server) = found.ok_or(Alert::UNRECOGNIZED_NAME)?;
                Ok(server.clone())
            })
        };
        for name in ["two.test", "one.test"] {
            let mut client = ask(name);
            let mut connection = accept().unwrap();
            connection.handshake().unwrap();
            assert_eq!(connection.negotiated().server_name(), Some(name));
            client.expect(&format!("Verified peername: {name}"));
            client.say("hello\n");
            connection.expect(b"hello\n");
            connection.close();
            assert_eq!(client.exit(), 0);
        }
        let mut client = ask("three.test");
        assert_eq!(accept().unwrap_err(), Alert::UNRECOGNIZED_NAME);
        client.expect(&told(Alert::UNRECOGNIZED_NAME));
        assert_ne!(client.exit(), 0);
    }
}

#[test]
fn the_ocsp_response_of_s_server_reaches_our_clients_verifier() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let response = openssl.ocsp_response(&Identity::server(Kind::EcdsaP256));
    let file = openssl.files().write("stapled.der", &response);
    let stapling = ["-status_file", file.to_str().unwrap()];
    for version in VERSIONS {
        for (arguments, expected) in [(&stapling[..], &response[..]), (&[], &[])] {
            let (mut server, address) = openssl.start_server(version, arguments);
            let verifier = StaplingVerifier::new();
            let mut config = Contexts::new().version(version).client_config();
            let shared = Arc::<StaplingVerifier>::clone(&verifier);
            config.dangerous().set_certificate_verifier(shared);
            let mut connection = Connection::open(&Client::new(config), address);
            assert_eq!(verifier.shown().as_deref(), Some(expected));
            server.say("hello\n");
            connection.expect(b"hello\n");
            connection.close();
        }
    }
}

#[test]
fn s_client_is_shown_our_servers_ocsp_response() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let identity = Identity::server(Kind::EcdsaP256);
    let response = openssl.ocsp_response(&identity);
    for version in VERSIONS {
        for (stapled, said) in [
            (Some(response.clone()), "Cert Status: good"),
            (None, "OCSP response: no response sent"),
        ] {
            let mut certified = identity.certified_key();
            certified.ocsp = stapled;
            let mut config = Contexts::new().version(version).server_config();
            config.cert_resolver = Arc::new(SingleCertAndKey::from(certified));
            let listener = Listener::new();
            let mut command = openssl.client(version, listener.address());
            let mut client = Process::start(command.arg("-status"));
            let mut connection = listener.open(&Server::new(config));
            client.expect(said);
            client.say("hello\n");
            connection.expect(b"hello\n");
            connection.close();
            assert_eq!(client.exit(), 0);
        }
    }
}
