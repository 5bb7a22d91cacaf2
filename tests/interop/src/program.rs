//! The program `offwire`, built before it is tested.

use core::net::SocketAddr;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use offwire::ProtocolVersion;
use offwire_testkit::{Identity, Kind};

use crate::openssl::Openssl;
use crate::process::Process;

/// The name of the program's file.
const FILE: &str = if cfg!(windows) {
    "offwire.exe"
} else {
    "offwire"
};

/// The program, in the profile of these tests; built if it is missing or older than its sources.
#[must_use]
pub fn offwire() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = output_folder();
        let program = folder.join(FILE);
        if !is_fresh(&program) {
            build(&folder);
        }
        program
    })
}

/// Starts `offwire serve`, with these further arguments, on a port that the system chooses.
#[must_use]
pub fn serve<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> (Process, SocketAddr) {
    start_serve(serve_command().args(arguments))
}

/// Starts an `offwire serve` and waits until it listens.
#[must_use]
pub fn start_serve(command: &mut Command) -> (Process, SocketAddr) {
    let process = Process::start(command);
    let address = process.rest_of_line("listening on ").parse().unwrap();
    (process, address)
}

/// `offwire serve` with a certificate of the shared authority.
#[must_use]
pub fn serve_trusted(openssl: &Openssl) -> Command {
    let identity = Identity::server(Kind::EcdsaP256);
    let (chain, key) = openssl.files().identity("server", &identity);
    let mut command = serve_command();
    command.arg("--cert").arg(chain).arg("--key").arg(key);
    command
}

/// `offwire connect`, which trusts the shared authority.
#[must_use]
pub fn connect(openssl: &Openssl, version: ProtocolVersion, address: SocketAddr) -> Command {
    let mut command = Command::new(offwire());
    command.args(["connect", "--server-name", "localhost", "--tls"]);
    command.arg(match version {
        ProtocolVersion::Tls12 => "1.2",
        ProtocolVersion::Tls13 => "1.3",
    });
    command.arg("--ca").arg(openssl.files().authority());
    command.arg(address.to_string());
    command
}

fn serve_command() -> Command {
    let mut command = Command::new(offwire());
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command
}

/// Where cargo puts programs: tests run in `deps` below it.
fn output_folder() -> PathBuf {
    let test = env::current_exe().unwrap();
    let deps = test.parent().unwrap();
    deps.parent().unwrap().to_owned()
}

/// Whether the program is newer than all it is made of, as far as cargo tells beside it.
///
/// Asking cargo instead would wait for whatever else it builds.
fn is_fresh(program: &Path) -> bool {
    let (Some(built), Ok(dependencies)) = (
        modified(program),
        fs::read_to_string(program.with_extension("d")),
    ) else {
        return false;
    };
    // `PROGRAM: SOURCE SOURCE …`, where a space within a name is written `\ `.
    let sources = dependencies.split_once(": ").map_or("", |(_, rest)| rest);
    let sources = sources.trim().replace("\\ ", "\0");
    let sources = sources.split(' ').map(|name| name.replace('\0', " "));
    let lock = workspace().join("Cargo.lock");
    sources
        .map(PathBuf::from)
        .chain([lock])
        .all(|source| modified(&source).is_some_and(|time| time <= built))
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}

fn build(folder: &Path) {
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        None | Some("debug") => "dev",
        Some(name) => name,
    };
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(workspace())
        .args(["build", "--package", "offwire-cli", "--bin", "offwire"])
        .args(["--profile", profile, "--target-dir"])
        .arg(folder.parent().unwrap());
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {said}");
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
