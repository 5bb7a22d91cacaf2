//! The program `offwire`, built before it is tested.

use core::net::SocketAddr;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

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
    let mut command = Command::new(offwire());
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    let process = Process::start(command.args(arguments));
    let address = process.rest_of_line("listening on ").parse().unwrap();
    (process, address)
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
