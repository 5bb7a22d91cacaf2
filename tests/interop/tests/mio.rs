//! The servers of `offwire-mio`'s examples, and real clients: OpenSSL's `s_client`, curl.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use core::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use offwire::ProtocolVersion;
use offwire_interop::{Files, Openssl, Process, VERSIONS, peer};
use offwire_testkit::{Identity, Kind};

#[path = "../../../adapters/mio/tests/support/example.rs"]
mod example;

/// Starts a server on a port that the system chooses.
fn start(name: &str, arguments: &[&str], files: &Files) -> (Process, SocketAddr) {
    let mut command = Command::new(example::example(name));
    command.args(["--listen", "127.0.0.1:0"]).args(arguments);
    if !arguments.contains(&"--cert-out") {
        let (chain, key) = files.identity("server", &Identity::server(Kind::EcdsaP256));
        command.arg("--cert").arg(chain).arg("--key").arg(key);
    }
    let server = Process::start(&mut command);
    let address = server.rest_of_line("listening on ").parse().unwrap();
    (server, address)
}

#[test]
fn s_client_exchanges_data_with_the_echo_server() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (mut server, address) = start("echo_server", &[], openssl.files());
    for version in VERSIONS {
        let mut client = Process::start(&mut openssl.client(version, address));
        for number in 0..20 {
            let line = format!("line {number} {}\n", "of many ".repeat(100 * number));
            client.say(&line);
            client.expect(&line);
        }
        client.end_stdin();
        assert_eq!(client.exit(), 0, "{version}");
        server.expect("live 0, ");
    }
    server.signal("INT");
    assert_eq!(server.exit(), 0);
    server.expect("handshakes 2,");
}

#[test]
fn s_client_resumes_and_updates_keys_after_the_buffers_were_released() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (server, address) = start("echo_server", &["--release-after", "0"], openssl.files());
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
            server.expect("live 0, ");
        }
    }
}

#[test]
fn s_client_is_told_when_the_server_is_interrupted() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let (mut server, address) = start("echo_server", &[], openssl.files());
        let mut client = Process::start(&mut openssl.client(version, address));
        client.say("hello\n");
        client.expect("hello\n");
        server.signal("INT");
        client.expect("closed");
        client.end_stdin();
        assert_eq!(client.exit(), 0, "{version}");
        assert_eq!(server.exit(), 0, "{version}");
        server.expect("stopped 1");
    }
}

/// `https_server` with a certificate made on the spot, and curl; `None` without curl.
fn site(arguments: &[&str]) -> Option<(PathBuf, Files, Process, SocketAddr)> {
    let curl = peer("curl")?;
    let files = Files::new();
    let made = files.path("ca.pem");
    let mut all = vec!["--cert-out", made.to_str().unwrap()];
    all.extend(arguments);
    let (server, address) = start("https_server", &all, &files);
    Some((curl, files, server, address))
}

/// curl with these arguments, which trusts the made certificate; its exit code and its output.
fn run(curl: &PathBuf, version: ProtocolVersion, files: &Files, rest: &[&str]) -> (i32, Vec<u8>) {
    let mut command = Command::new(curl);
    command.args(["--disable", "--silent", "--show-error", "--max-time", "60"]);
    command.args(["--noproxy", "*", "--ipv4", "--http1.1"]);
    command.args(match version {
        ProtocolVersion::Tls12 => ["--tlsv1.2", "--tls-max", "1.2"],
        ProtocolVersion::Tls13 => ["--tlsv1.3", "--tls-max", "1.3"],
    });
    command.arg("--cacert").arg(files.path("ca.pem")).args(rest);
    let mut process = Process::start(&mut command);
    (process.exit(), process.stdout())
}

#[test]
fn curl_gets_pages_of_any_length_over_one_connection() {
    for length in [0, 1_024, 5_000_000] {
        let Some((curl, files, server, address)) = site(&["--body", &length.to_string()]) else {
            return;
        };
        for version in VERSIONS {
            let url = format!("https://localhost:{}/[1-5]", address.port());
            let (code, pages) = run(&curl, version, &files, &[&url]);
            assert_eq!((code, pages.len()), (0, 5 * length), "{version}");
            // One connection each.
            let accepted = if version == VERSIONS[0] { 1 } else { 2 };
            server.expect(&format!(
                "live 0, accepted {accepted}, handshakes {accepted},"
            ));
        }
    }
}

#[test]
fn curl_posts_a_body_and_asks_for_a_head() {
    let Some((curl, files, _server, address)) = site(&[]) else {
        return;
    };
    let body = files.write("body", "0123456789".repeat(50_000));
    let url = format!("https://localhost:{}/", address.port());
    for version in VERSIONS {
        let data = format!("@{}", body.display());
        let twice = ["--data-binary", &data, "-H", "Expect:", &url, &url];
        let (code, pages) = run(&curl, version, &files, &twice);
        assert_eq!((code, pages.len()), (0, 2 * 1_024), "{version}");

        let (code, head) = run(&curl, version, &files, &["--head", &url]);
        let head = String::from_utf8(head).unwrap();
        assert_eq!(code, 0, "{head}");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.ends_with("Connection: keep-alive\r\n\r\n"), "{head}");
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let (server, address) = start("https_server", &[], openssl.files());
    for version in VERSIONS {
        let mut client = Process::start(openssl.client(version, address).arg("-crlf"));
        client.say("HELO example.org\n\n");
        client.expect("HTTP/1.1 400 Bad Request");
        client.end_stdin();
        assert_eq!(client.exit(), 0, "{version}");
        server.expect("live 0, ");
    }
}
