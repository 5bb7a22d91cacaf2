//! Where the peers' programs are, and what to do without them.

use std::env;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::PathBuf;

/// Finds a peer's program on the `PATH`.
///
/// Without it there is nothing to test: this says so, and the test is to return. In continuous
/// integration (`CI=true`), where the peers are installed, it panics instead.
#[must_use]
pub fn peer(program: &str) -> Option<PathBuf> {
    let found = find(program, &env::var_os("PATH").unwrap_or_default());
    if found.is_none() {
        assert!(
            env::var_os("CI").is_none_or(|value| value != "true"),
            "{program} is not installed, and CI=true demands it"
        );
        // Past the test harness, which hides what `eprintln!` says in a test that passes.
        let _ = writeln!(
            io::stderr(),
            "\nNOT TESTED: {program} is not installed, so nothing is tested against it here\n"
        );
    }
    found
}

fn find(program: &str, path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::find;
    use crate::files::Files;

    #[test]
    fn a_program_is_found_in_a_later_folder() {
        let (empty, full) = (Files::new(), Files::new());
        let program = full.write("program", "");
        let path = std::env::join_paths([empty.folder(), full.folder()]).unwrap();
        assert_eq!(find("program", &path), Some(program));
        assert_eq!(find("other", &path), None);
    }
}
