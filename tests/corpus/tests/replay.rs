//! Every file of the checked-in corpora goes through its target, on the stable toolchain and without
//! a fuzzer.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use offwire_corpus::{TARGETS, seeds};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let name =
        |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    names
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let targets: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names(&folder()), targets);
    let read = |file| fs::read_to_string(folder().join(file)).unwrap();
    let (manifest, readme) = (read("../Cargo.toml"), read("../README.md"));
    for target in targets {
        assert!(
            manifest.contains(&format!("name = \"{target}\"")),
            "a [[bin]] for {target}"
        );
        assert!(
            readme.contains(&format!("`{target}`")),
            "fuzz/README.md: what {target} asserts"
        );
        let file = folder().join(format!("../fuzz_targets/{target}.rs"));
        assert!(file.exists(), "{}", file.display());
    }
}

#[test]
fn every_file_of_the_corpora_keeps_the_promises_of_its_target() {
    for (target, run) in TARGETS {
        let folder = folder().join(target);
        let files = names(&folder);
        assert!(!files.is_empty(), "{} is empty", folder.display());
        for file in files {
            let input = fs::read(folder.join(&file)).unwrap();
            assert!(
                input.len() <= 8_192,
                "{target}/{file} is large: minimise it"
            );
            // A panic names the file by the output before it.
            eprintln!("{target}/{file}");
            run(&input);
        }
    }
}

#[test]
fn the_seeds_are_what_is_checked_in() {
    let mut written: Vec<_> = seeds::all()
        .into_iter()
        .map(|seed| (format!("{}/{}", seed.target, seed.file), seed.bytes))
        .collect();
    written.sort();
    let seeds = |target: &str| {
        let files = names(&folder().join(target)).into_iter();
        files
            .filter_map(|file| {
                file.starts_with("seed-")
                    .then(|| format!("{target}/{file}"))
            })
            .collect::<Vec<_>>()
    };
    let checked_in: Vec<_> = TARGETS
        .iter()
        .flat_map(|(target, _)| seeds(target))
        .collect();
    let names: Vec<_> = written.iter().map(|(file, _)| file.clone()).collect();
    assert_eq!(
        checked_in, names,
        "cargo run -p offwire-corpus --example seeds"
    );
    for (file, bytes) in written {
        assert!(
            fs::read(folder().join(&file)).unwrap() == bytes,
            "{file} is not what it would be written as: cargo run -p offwire-corpus --example seeds"
        );
    }
}
