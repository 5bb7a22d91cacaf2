//! `docs/configuring.md` against the settings and the tests.

use crate::sources::{references, tests, text};

#[test]
fn every_setting_has_a_row_and_no_other() {
    let page = text("docs/configuring.md");
    let (_, table) = page.split_once("## What the settings decide\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut named: Vec<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();

    let source = text("engine/src/settings.rs");
    let setters = source
        .lines()
        .map(str::trim)
        .filter(|line| line.ends_with(") -> Self {"));
    let setters = setters.filter_map(|line| line.strip_prefix("pub fn "));
    let mut setters: Vec<&str> = setters
        .map(|line| line.split('(').next().unwrap())
        .collect();
    assert!(setters.len() > 5, "{setters:?}");
    named.sort_unstable();
    setters.sort_unstable();
    assert_eq!(named, setters);
}

#[test]
fn every_test_that_the_page_names_exists() {
    let existing: Vec<String> = tests().iter().map(|test| test.reference()).collect();
    let named = references(&text("docs/configuring.md"));
    assert!(named.len() > 12, "{} references", named.len());
    for reference in named {
        assert!(
            existing.contains(&reference),
            "docs/configuring.md names {reference}"
        );
    }
}
