//! The program `offwire` and OpenSSL: `s_client` to `offwire serve`, `offwire connect` to
//! `s_server`.

use offwire::ProtocolVersion;
use offwire_interop::{
    ANY_PORT, ESTABLISHED, Openssl, Process, VERSIONS, connect, serve_trusted, start_serve,
    start_server,
};
use offwire_testkit::{Authority, Identity, Kind, Usage};

/// Exit codes of `offwire connect`, as `--help` lists them.
const CERTIFICATE_REFUSED: i32 = 4;
const TLS_FAILED: i32 = 5;
const TRUNCATED: i32 = 6;

#[test]
fn s_client_exchanges_data_with_offwire_serve() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (server, address) = start_serve(&mut serve_trusted(&openssl));
    for version in VERSIONS {
        let mut client = Process::start(&mut openssl.client(version, address));
        server.expect(&version.to_string());
        for number in 0..20 {
            let line = format!("line {number} {}\n", "of many ".repeat(10 * number));
            client.say(&line);
            client.expect(&line);
        }
        client.end_stdin();
        assert_eq!(client.exit(), 0, "{version}");
        server.expect("closed cleanly");
    }
}

#[test]
fn offwire_serve_resumes_and_follows_key_updates_and_ends_on_sigint() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (mut server, address) = start_serve(&mut serve_trusted(&openssl));
    let session = openssl.files().path("session.pem");
    for version in VERSIONS {
        for (option, word) in [("-sess_out", "New, "), ("-sess_in", "Reused, ")] {
            let mut command = openssl.client(version, address);
            let mut client = Process::start(command.arg(option).arg(&session));
            client.expect(word);
            for letter in ["k", "K"] {
                if version == ProtocolVersion::Tls13 {
                    client.say(&format!("{letter}\n"));
                    client.expect("KEYUPDATE");
                }
                let line = format!("behind {letter}\n");
                client.say(&line);
                client.expect(&line);
            }
            client.end_stdin();
            assert_eq!(client.exit(), 0, "{version}");
        }
        server.expect("resumed");
    }
    server.signal("INT");
    assert_eq!(server.exit(), 0);
    server.expect("stopped after 4 connections");
}

#[test]
fn offwire_connect_exchanges_data_with_s_server() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let (mut server, address) = openssl.start_server(version, &[]);
        let mut client = Process::start(&mut connect(&openssl, version, address));
        client.expect(&version.to_string());
        server.expect(ESTABLISHED);
        for number in 0..20 {
            let line = format!("line {number} {}\n", "of many ".repeat(10 * number));
            client.say(&line);
            server.expect(&line);
            let line = format!("answer {number} {}\n", "of many ".repeat(10 * number));
            server.say(&line);
            client.expect(&line);
        }
        client.end_stdin();
        assert_eq!(client.exit(), 0, "{version}");
    }
}

#[test]
fn offwire_connect_goes_on_reading_after_the_end_of_stdin() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        // It answers HTTP requests with a page, then closes.
        let (server, address) = openssl.start_server(version, &["-www"]);
        let mut client = Process::start(&mut connect(&openssl, version, address));
        client.say("GET / HTTP/1.0\r\n\r\n");
        client.end_stdin();
        client.expect("</HTML>");
        assert_eq!(client.exit(), 0, "{version}: {server:?}");
    }
}

#[test]
fn offwire_connect_resumes_sessions() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let (server, address) = openssl.start_server(version, &[]);
        let mut command = connect(&openssl, version, address);
        let mut client = Process::start(command.args(["--reconnect", "2"]));
        client.expect("full");
        client.expect("resumed");
        client.expect("resumed");
        client.say("hello\n");
        server.expect("Reused session-id");
        server.expect("Reused session-id");
        server.expect("hello\n");
        client.end_stdin();
        assert_eq!(client.exit(), 0, "{version}");
    }
}

#[test]
fn offwire_connect_has_its_early_data_accepted_or_sends_it_again() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let file = openssl.files().write("early.txt", "an early line\n");
    let taking = ["-early_data", "-max_early_data", "1000"];
    // Its tickets permit early data, but it takes none.
    let declining = &taking[1..];
    for (arguments, status) in [(&taking[..], "accepted"), (declining, "rejected")] {
        let (mut server, address) = openssl.start_server(ProtocolVersion::Tls13, arguments);
        let mut command = connect(&openssl, ProtocolVersion::Tls13, address);
        command
            .args(["--reconnect", "1", "--early-data"])
            .arg(&file);
        let mut client = Process::start(&mut command);
        client.expect("full");
        client.expect("resumed");
        client.expect(&format!("early data: 14 bytes of 14 written, {status}"));
        server.expect("an early line");
        server.say("an answer\n");
        client.expect("an answer\n");
        client.end_stdin();
        assert_eq!(client.exit(), 0);
    }
}

#[test]
fn offwire_connect_tells_truncation_apart() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let (mut server, address) = openssl.start_server(version, &[]);
        let mut client = Process::start(&mut connect(&openssl, version, address));
        client.say("hello\n");
        server.expect("hello\n");
        server.say("the last words\n");
        client.expect("the last words\n");
        server.kill();
        assert_eq!(client.exit(), TRUNCATED, "{version}");
        client.expect("truncated: ");
    }
}

#[test]
fn offwire_connect_refuses_a_certificate_of_another_authority() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let stranger = Authority::new().issue(Kind::EcdsaP256, Usage::Server);
    for version in VERSIONS {
        let mut command = openssl.server_as(&stranger, version, ANY_PORT);
        let (server, address) = start_server(&mut command);
        let mut client = Process::start(&mut connect(&openssl, version, address));
        assert_eq!(client.exit(), CERTIFICATE_REFUSED, "{version}");
        client.expect("certificate refused: ");
        server.expect("alert unknown ca");
    }
}

#[test]
fn offwire_connect_presents_its_certificate_if_asked() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (chain, key) = openssl
        .files()
        .identity("client", &Identity::client(Kind::EcdsaP256));
    for version in VERSIONS {
        let arguments = ["-Verify", "1", "-verify_return_error"];
        let (server, address) = openssl.start_server(version, &arguments);
        let mut command = connect(&openssl, version, address);
        command.arg("--cert").arg(&chain).arg("--key").arg(&key);
        let mut client = Process::start(&mut command);
        client.say("hello\n");
        server.expect("subject=CN = Offwire test client");
        server.expect("hello\n");
        client.end_stdin();
        assert_eq!(client.exit(), 0, "{version}");

        let mut client = Process::start(&mut connect(&openssl, version, address));
        assert_eq!(client.exit(), TLS_FAILED, "{version}");
        server.expect("peer did not return a certificate");
    }
}
