//! `openssl s_client` and `openssl s_server`.

use core::net::{Ipv4Addr, SocketAddr};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use offwire::ProtocolVersion;
use offwire_testkit::{Identity, Kind};

use crate::files::Files;
use crate::peer::peer;
use crate::process::Process;

/// The program, and a folder for the files it needs.
#[derive(Debug)]
pub struct Openssl {
    program: PathBuf,
    files: Files,
}

impl Openssl {
    /// Finds the program; see [`peer`].
    #[must_use]
    pub fn find() -> Option<Self> {
        let program = peer("openssl")?;
        let files = Files::new();
        Some(Self { program, files })
    }

    /// Files for its command line.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// `s_client`, which trusts the shared authority and verifies the name `localhost`.
    #[must_use]
    pub fn client(&self, version: ProtocolVersion, address: SocketAddr) -> Command {
        let mut command = self.command("s_client");
        command
            .args(["-connect", &address.to_string()])
            .args(["-servername", "localhost", "-verify_hostname", "localhost"])
            .args(["-verify_return_error", "-CAfile"])
            .arg(self.files.authority())
            .arg(option(version));
        command
    }

    /// `s_server` with an ECDSA certificate of the shared authority, which it trusts as well.
    #[must_use]
    pub fn server(&self, version: ProtocolVersion, address: SocketAddr) -> Command {
        self.server_as(&Identity::server(Kind::EcdsaP256), version, address)
    }

    /// `s_server` with this certificate.
    #[must_use]
    pub fn server_as(
        &self,
        identity: &Identity,
        version: ProtocolVersion,
        address: SocketAddr,
    ) -> Command {
        let (chain, key) = self.files.identity("server", identity);
        let mut command = self.command("s_server");
        command
            .args(["-accept", &address.to_string(), "-cert"])
            .arg(chain)
            .arg("-key")
            .arg(key)
            .arg("-CAfile")
            .arg(self.files.authority())
            .arg(option(version));
        command
    }

    /// Starts `s_server`, with these further arguments, on a port that the system chooses.
    #[must_use]
    pub fn start_server(
        &self,
        version: ProtocolVersion,
        arguments: &[&str],
    ) -> (Process, SocketAddr) {
        start_server(self.server(version, ANY_PORT).args(arguments))
    }

    /// An OCSP response that this certificate is good, in DER, signed with the certificate's own key.
    #[must_use]
    pub fn ocsp_response(&self, identity: &Identity) -> Vec<u8> {
        let files = &self.files;
        let (chain, key) = files.identity("responder", identity);
        let mut command = self.command("x509");
        let said = run(command.args(["-noout", "-serial", "-in"]).arg(&chain));
        let (_, serial) = said.trim().split_once("serial=").unwrap();
        // The database of an authority: valid, until when, revoked when, number, file, name.
        let index = format!("V\t491231235959Z\t\t{serial}\tunknown\t/CN=server\n");
        let response = files.path("response.der");
        let mut command = self.command("ocsp");
        command
            .args(["-no_nonce", "-ndays", "1", "-index"])
            .arg(files.write("index.txt", index))
            .arg("-CA")
            .arg(files.authority())
            .arg("-issuer")
            .arg(files.authority())
            .arg("-cert")
            .arg(&chain)
            .arg("-rsigner")
            .arg(&chain)
            .arg("-rkey")
            .arg(key)
            .arg("-respout")
            .arg(&response);
        run(&mut command);
        fs::read(response).unwrap()
    }

    /// One of the program's commands.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(name);
        command
    }
}

/// An address for `s_server`, which tells the port that it was given.
pub const ANY_PORT: SocketAddr = SocketAddr::new(core::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What `s_server` says last of a handshake, before it reads its stdin.
pub const ESTABLISHED: &str = "Secure Renegotiation IS ";

/// Starts `s_server` and waits until it listens.
#[must_use]
pub fn start_server(command: &mut Command) -> (Process, SocketAddr) {
    let process = Process::start(command);
    let address = process.rest_of_line("ACCEPT ");
    let parsed = address.parse();
    let address = parsed.unwrap_or_else(|error| panic!("ACCEPT {address}: {error}"));
    (process, address)
}

/// Runs a command to its end, which must be good; returns what it says on stdout.
fn run(command: &mut Command) -> String {
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command:?}: {said}");
    String::from_utf8(ran.stdout).unwrap()
}

fn option(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::Tls12 => "-tls1_2",
        ProtocolVersion::Tls13 => "-tls1_3",
    }
}
