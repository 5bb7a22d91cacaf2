//! `docs/counters.md` against `offwire::Stats`: every counter has a row, and each row its test.

use crate::sources::{fields, references, tests, text};

/// The rows of the page's table, cut into cells.
fn rows() -> Vec<Vec<String>> {
    let page = text("docs/counters.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let cells = |line: &str| {
        let inside = line.trim_matches(['|', ' ']);
        inside.split(" | ").map(Into::into).collect()
    };
    rows.map(cells).collect()
}

#[test]
fn every_counter_has_a_row_in_order() {
    let rows = rows();
    let named: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(named, fields("engine/src/stats.rs", "Stats"));
}

#[test]
fn each_row_says_unit_meaning_and_moment_and_names_tests_that_exist() {
    let existing: Vec<String> = tests().iter().map(|test| test.reference()).collect();
    let source = text("tests/contract/tests/counters.rs");
    for row in rows() {
        assert_eq!(row.len(), 5, "{row:?}");
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        let named = references(&row[4]);
        assert!(!named.is_empty(), "{row:?}");
        for reference in named {
            assert!(existing.contains(&reference), "{reference}");
        }
        let counter = row[0].trim_matches('`');
        assert!(source.contains(counter), "no test looks at {counter}");
    }
}
