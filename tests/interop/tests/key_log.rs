//! The secrets that the program `offwire` and OpenSSL write for one connection, in the format that
//! NSS has introduced.

use std::fs;
use std::path::{Path, PathBuf};

use offwire::ProtocolVersion;
use offwire_interop::{
    ESTABLISHED, Openssl, Process, VERSIONS, connect, serve_trusted, start_serve,
};

/// The lines of a key log, sorted, without comments.
fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("it is written");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut lines: Vec<String> = lines.map(str::to_ascii_lowercase).collect();
    lines.sort();
    lines
}

/// Compares both logs, and what they tell.
fn compare(version: ProtocolVersion, ours: &Path, theirs: &Path) {
    let ours = lines(ours);
    assert_eq!(ours, lines(theirs), "{version}");
    let labels = ours.iter().filter_map(|line| line.split(' ').next());
    let expected: &[&str] = match version {
        ProtocolVersion::Tls12 => &["client_random"],
        ProtocolVersion::Tls13 => &[
            "client_handshake_traffic_secret",
            "client_traffic_secret_0",
            "exporter_secret",
            "server_handshake_traffic_secret",
            "server_traffic_secret_0",
        ],
    };
    assert_eq!(labels.collect::<Vec<_>>(), expected, "{version}");
}

#[test]
fn offwire_connect_logs_the_secrets_that_s_server_logs() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let [ours, theirs] = logs(&openssl, version);
        let logging = ["-keylogfile", theirs.to_str().unwrap()];
        let (server, address) = openssl.start_server(version, &logging);
        let mut command = connect(&openssl, version, address);
        // Then the engine reads the secrets, too, on their way to the log.
        command.args(["--keymatexport", "EXPORTER-x"]);
        let mut client = Process::start(command.env("SSLKEYLOGFILE", &ours));
        server.expect(ESTABLISHED);
        client.end_stdin();
        assert_eq!(client.exit(), 0, "{version}");
        compare(version, &ours, &theirs);
    }
}

#[test]
fn offwire_serve_logs_the_secrets_that_s_client_logs() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let [ours, theirs] = logs(&openssl, version);
        let mut command = serve_trusted(&openssl);
        let (_server, address) = start_serve(command.env("SSLKEYLOGFILE", &ours));
        let mut command = openssl.client(version, address);
        let mut client = Process::start(command.arg("-keylogfile").arg(&theirs));
        client.say("hello\n");
        client.expect("hello\n");
        client.end_stdin();
        assert_eq!(client.exit(), 0, "{version}");
        compare(version, &ours, &theirs);
    }
}

/// Where both write: ours, theirs.
fn logs(openssl: &Openssl, version: ProtocolVersion) -> [PathBuf; 2] {
    ["ours", "theirs"].map(|name| openssl.files().path(&format!("{name} {version}.log")))
}
