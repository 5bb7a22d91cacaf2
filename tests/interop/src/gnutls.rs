//! `gnutls-cli` and `gnutls-serv`.

use core::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use offwire::ProtocolVersion;
use offwire_testkit::{Identity, Kind};

use crate::files::Files;
use crate::peer::peer;
use crate::port::start_on_a_free_port;
use crate::process::Process;

/// The two programs, and a folder for the files they need.
#[derive(Debug)]
pub struct Gnutls {
    client: PathBuf,
    server: PathBuf,
    files: Files,
}

impl Gnutls {
    /// Finds the programs; see [`peer`].
    #[must_use]
    pub fn find() -> Option<Self> {
        Some(Self {
            client: peer("gnutls-cli")?,
            server: peer("gnutls-serv")?,
            files: Files::new(),
        })
    }

    /// Files for their command lines.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// `gnutls-cli`, which trusts the shared authority and verifies the name `localhost`.
    #[must_use]
    pub fn client(&self, version: ProtocolVersion, address: SocketAddr) -> Command {
        let mut command = Command::new(&self.client);
        command
            .args(["--priority", priority(version), "--x509cafile"])
            .arg(self.files.authority())
            .args(["--sni-hostname", "localhost"])
            .args(["--verify-hostname", "localhost"])
            .args(["--port", &address.port().to_string()])
            .arg(address.ip().to_string());
        command
    }

    /// `gnutls-cli` that takes a raw public key (RFC 7250) for the server's certificate, whichever it
    /// is: no option names the one to expect.
    #[must_use]
    pub fn raw_key_client(&self, address: SocketAddr) -> Command {
        let mut command = Command::new(&self.client);
        command
            .args(["--priority", RAW_KEY, "--insecure"])
            .args(["--port", &address.port().to_string()])
            .arg(address.ip().to_string());
        command
    }

    /// Starts `gnutls-serv`, which sends every line back, with this identity's raw public key.
    #[must_use]
    pub fn start_raw_key_echo_server(&self, identity: &Identity) -> (Process, SocketAddr) {
        let public = identity.public_key();
        let public = self.files.write("public.der", &public);
        let key = self.files.write("key.der", identity.key().secret_der());
        start_on_a_free_port("...done", |address| {
            let mut command = Command::new(&self.server);
            command
                .args(["--echo", "--priority", RAW_KEY, "--x509fmtder"])
                .args(["--disable-client-cert"])
                .args(["--port", &address.port().to_string(), "--rawpkfile"])
                .arg(&public)
                .arg("--rawpkkeyfile")
                .arg(&key);
            command
        })
    }

    /// Starts `gnutls-serv`, which sends every line back, with these further arguments.
    #[must_use]
    pub fn start_echo_server(
        &self,
        version: ProtocolVersion,
        arguments: &[&str],
    ) -> (Process, SocketAddr) {
        let (chain, key) = self
            .files
            .identity("server", &Identity::server(Kind::EcdsaP256));
        start_on_a_free_port("...done", |address| {
            let mut command = Command::new(&self.server);
            command
                .args(["--echo", "--priority", priority(version)])
                .args(["--port", &address.port().to_string(), "--x509certfile"])
                .arg(&chain)
                .arg("--x509keyfile")
                .arg(&key)
                .arg("--x509cafile")
                .arg(self.files.authority())
                .args(arguments);
            command
        })
    }
}

/// TLS 1.3 with a raw public key of the server.
const RAW_KEY: &str = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CTYPE-SRV-ALL:+CTYPE-SRV-RAWPK";

fn priority(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::Tls12 => "NORMAL:-VERS-ALL:+VERS-TLS1.2",
        ProtocolVersion::Tls13 => "NORMAL:-VERS-ALL:+VERS-TLS1.3",
    }
}
