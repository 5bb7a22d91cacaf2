//! README's table of bugs against the tests of them, both ways.

use crate::sources::{references, tests, text};

#[test]
fn every_known_bug_stands_in_the_readme_and_no_other() {
    let mut known: Vec<String> = tests()
        .iter()
        .filter(|test| test.file.starts_with("known_bugs/") || test.name.starts_with("rustls_359_"))
        .map(|test| test.reference())
        .collect();
    let readme = text("README.md");
    let mut named = references(&readme);
    known.sort();
    named.sort();
    assert!(known.len() >= 15, "{} known bugs", known.len());
    assert_eq!(named, known);
}
