//! `gnutls-cli` and `gnutls-serv`.

use core::net::SocketAddr;
use std::ffi::OsString;
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

    /// `gnutls-cli` that takes a raw public key (RFC 7250) for the server's certificate, whichever
    /// it is: no option names the one to expect. It presents the one of `own`, if there is any.
    #[must_use]
    pub fn raw_key_client(&self, own: Option<&Identity>, address: SocketAddr) -> Command {
        let mut command = Command::new(&self.client);
        match own {
            None => command.args(["--priority", RAW_KEY]),
            Some(own) => command
                .args(["--priority", RAW_KEYS])
                .args(self.raw_key("client", own)),
        };
        command
            .arg("--insecure")
            .args(["--port", &address.port().to_string()])
            .arg(address.ip().to_string());
        command
    }

    /// Starts `gnutls-serv`, which sends every line back, with this identity's raw public key and
    /// these further arguments.
    #[must_use]
    pub fn start_raw_key_echo_server(
        &self,
        own: &Identity,
        arguments: &[&str],
    ) -> (Process, SocketAddr) {
        let key = self.raw_key("server", own);
        start_on_a_free_port("...done", |address| {
            let mut command = Command::new(&self.server);
            command
                .args(["--echo", "--priority", RAW_KEYS])
                .args(["--port", &address.port().to_string()])
                .args(&key)
                .args(arguments);
            command
        })
    }

    /// The arguments that name a raw public key and its private one.
    fn raw_key(&self, name: &str, own: &Identity) -> [OsString; 5] {
        let public = self
            .files
            .write(&format!("{name}.public"), own.public_key());
        let private = own.key();
        let private = self
            .files
            .write(&format!("{name}.private"), private.secret_der());
        [
            "--x509fmtder".into(),
            "--rawpkfile".into(),
            public.into(),
            "--rawpkkeyfile".into(),
            private.into(),
        ]
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

/// TLS 1.3 with a raw public key of either side.
const RAW_KEYS: &str = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CTYPE-ALL:+CTYPE-RAWPK";

fn priority(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::Tls12 => "NORMAL:-VERS-ALL:+VERS-TLS1.2",
        ProtocolVersion::Tls13 => "NORMAL:-VERS-ALL:+VERS-TLS1.3",
    }
}
