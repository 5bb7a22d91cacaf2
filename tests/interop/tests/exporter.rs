//! Keying material that OpenSSL and we export from one connection.

use std::path::PathBuf;

use offwire::{Error, Exporter, Misuse, ProtocolVersion, Settings};
use offwire_interop::{
    ANY_PORT, Connection, Gnutls, Listener, Openssl, Process, VERSIONS, connect, serve_trusted,
    start_serve, start_server,
};
use offwire_testkit::Contexts;

const LABEL: &str = "EXPORTER-offwire-test";
const EXPORT: [&str; 4] = ["-keymatexport", LABEL, "-keymatexportlen", "48"];

fn contexts(version: ProtocolVersion) -> Contexts {
    let settings = Settings::default().exporter(Exporter::Kept);
    Contexts::new().version(version).settings(settings)
}

/// What OpenSSL prints of it, and what we have.
fn compare(peer: &Process, connection: &Connection) {
    let theirs = peer.rest_of_line("Keying material: ");
    let ours = connection.export(LABEL, 48).expect("it is kept");
    assert_eq!(hex(&ours), theirs.to_lowercase());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Ours and OpenSSL's options have the same words, but for their dashes.
#[test]
fn the_program_shows_what_openssl_shows() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let ours = ["--keymatexport", LABEL, "--keymatexportlen", "48"];
    for version in VERSIONS {
        let (theirs, address) = openssl.start_server(version, &EXPORT);
        let client = Process::start(connect(&openssl, version, address).args(ours));
        let both = [&theirs, &client].map(|end| end.rest_of_line("Keying material: "));
        assert_eq!(both[0], both[1], "{version}");

        let (server, address) = start_serve(serve_trusted(&openssl).args(ours));
        let theirs = Process::start(openssl.client(version, address).args(EXPORT));
        let both = [&theirs, &server].map(|end| end.rest_of_line("Keying material: "));
        assert_eq!(both[0], both[1], "{version}");
    }
}

/// Has OpenSSL export the `tls-exporter` channel binding (RFC 9266 section 2). It exports without a
/// context, which TLS 1.3 does not tell from the empty one that is asked for; TLS 1.2 does.
const BINDING: [&str; 4] = [
    "-keymatexport",
    "EXPORTER-Channel-Binding",
    "-keymatexportlen",
    "32",
];

/// A configuration of OpenSSL's that does without RFC 7627.
fn unextended(openssl: &Openssl) -> PathBuf {
    let text = "openssl_conf = all\n[all]\nssl_conf = tls\n[tls]\nsystem_default = plain\n\
                [plain]\nOptions = -ExtendedMasterSecret\n";
    openssl.files().write("unextended.cnf", text)
}

#[test]
fn our_client_exports_what_the_server_exports() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let (server, address) = openssl.start_server(version, &EXPORT);
        let connection = Connection::open(&contexts(version).build().0, address);
        compare(&server, &connection);
    }
}

#[test]
fn our_server_exports_what_the_client_exports() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let listener = Listener::new();
        let mut command = openssl.client(version, listener.address());
        let client = Process::start(command.args(EXPORT));
        let connection = listener.open(&contexts(version).build().1);
        compare(&client, &connection);
    }
}

#[test]
fn our_clients_channel_binding_is_the_servers() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let version = ProtocolVersion::Tls13;
    let (server, address) = openssl.start_server(version, &BINDING);
    let connection = Connection::open(&contexts(version).build().0, address);
    let theirs = server.rest_of_line("Keying material: ");
    assert_eq!(hex(&connection.channel_binding()), theirs.to_lowercase());
}

#[test]
fn our_servers_channel_binding_is_the_clients() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let version = ProtocolVersion::Tls13;
    let listener = Listener::new();
    let mut command = openssl.client(version, listener.address());
    let client = Process::start(command.args(BINDING));
    let connection = listener.open(&contexts(version).build().1);
    let theirs = client.rest_of_line("Keying material: ");
    assert_eq!(hex(&connection.channel_binding()), theirs.to_lowercase());
}

/// GnuTLS knows the binding by its name.
#[test]
fn our_servers_channel_binding_is_what_gnutls_calls_so() {
    let Some(gnutls) = Gnutls::find() else {
        return;
    };
    let version = ProtocolVersion::Tls13;
    let listener = Listener::new();
    let mut command = gnutls.client(version, listener.address());
    let client = Process::start(command.arg("--verbose"));
    let connection = listener.open(&contexts(version).build().1);
    let theirs = client.rest_of_line("- 'tls-exporter': ");
    assert_eq!(hex(&connection.channel_binding()), theirs);
}

/// Two connections may then have one master secret (the triple handshake).
#[test]
fn without_the_extended_master_secret_nothing_is_exported() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let version = ProtocolVersion::Tls12;
    let (client, server) = contexts(version).build();
    let refused = Err(Error::Misuse(Misuse::ExportUnbound));

    let mut command = openssl.server(version, ANY_PORT);
    command.env("OPENSSL_CONF", unextended(&openssl));
    let (_process, address) = start_server(&mut command);
    let connection = Connection::open(&client, address);
    assert_eq!(connection.export(LABEL, 48), refused);

    let listener = Listener::new();
    let mut command = openssl.client(version, listener.address());
    let _process = Process::start(command.env("OPENSSL_CONF", unextended(&openssl)));
    let connection = listener.open(&server);
    assert_eq!(connection.export(LABEL, 48), refused);
}
