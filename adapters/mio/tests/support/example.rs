//! The programs of the examples of `offwire-mio`, for tests of any package of the workspace.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The program of an example, in the profile of these tests; built if it is missing or older than
/// its sources. `cargo test` of this package builds it anyway.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap();
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    let program = folder.join("examples").join(file);
    if !is_fresh(&program) {
        build(name, folder);
    }
    program
}

/// Whether the program is newer than all it is made of, as far as cargo tells beside it.
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
    let mut sources = sources.split(' ').map(|name| name.replace('\0', " "));
    sources.all(|source| modified(Path::new(&source)).is_some_and(|time| time <= built))
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}

fn build(name: &str, folder: &Path) {
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        None | Some("debug") => "dev",
        Some(name) => name,
    };
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(workspace())
        .args(["build", "--package", "offwire-mio", "--example", name])
        .args(["--profile", profile, "--target-dir"])
        .arg(folder.parent().unwrap());
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {said}");
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
