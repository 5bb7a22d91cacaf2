//! `docs/matrix.md` against the tests, both ways.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::sources::{bogo_references, bogo_tests, references, tests, text, variants};

/// The families of facts, and how many each has.
const FAMILIES: [(char, usize); 13] = [
    ('H', 18),
    ('W', 15),
    ('T', 13),
    ('Z', 8),
    ('B', 9),
    ('A', 4),
    ('K', 12),
    ('R', 9),
    ('S', 18),
    ('E', 11),
    ('Y', 8),
    ('I', 8),
    ('X', 16),
];

/// The facts that nothing can show: what OpenSSL does there has no counterpart.
const WITHOUT_COUNTERPART: [&str; 9] = ["W12", "W15", "Z6", "A4", "K12", "R1", "R2", "S11", "S15"];

fn facts() -> Vec<String> {
    FAMILIES
        .iter()
        .flat_map(|(family, count)| (1..=*count).map(move |number| format!("{family}{number}")))
        .collect()
}

/// The facts that a test's name carries: `w6_x5_partial_reports…` shows W6 and X5.
fn carried(name: &str) -> Vec<String> {
    let parts = name.split('_').map(str::to_uppercase);
    let all = facts();
    parts.take_while(|part| all.contains(part)).collect()
}

/// A fact's row.
struct Row {
    fact: String,
    /// What Offwire does.
    offwire: String,
    /// The tests that show it.
    shown: Vec<String>,
}

fn cells(line: &str) -> Vec<&str> {
    line.split('|').map(str::trim).collect()
}

/// The rows that begin with a fact's number, in order.
fn rows(matrix: &str) -> Vec<Row> {
    let all = facts();
    let row = |line| {
        let cells = cells(line);
        let fact = (*cells.get(1)?).to_owned();
        all.contains(&fact).then(|| {
            assert_eq!(cells.len(), 6, "{line}");
            assert!(!cells[2].is_empty() && !cells[3].is_empty(), "{line}");
            let shown = references(cells[4]);
            assert!(!shown.is_empty() || cells[4] == "–", "{line}");
            Row {
                fact,
                offwire: cells[3].to_owned(),
                shown,
            }
        })
    };
    matrix.lines().filter_map(row).collect()
}

/// The table of differences without a number: each fact, and what the comparison does with it.
fn unnumbered(matrix: &str) -> Vec<(String, String)> {
    let (_, section) = matrix
        .split_once("## Differences without a number\n")
        .unwrap();
    let (_, table) = section.split_once("|---|---|---|---|\n").unwrap();
    let row = |line| {
        let cells = cells(line);
        assert_eq!(cells.len(), 6, "{line}");
        let (fact, _) = cells[1][1..].split_once(']').unwrap();
        (fact.to_owned(), cells[4].to_owned())
    };
    table.lines().map(row).collect()
}

#[test]
fn every_test_that_the_matrix_names_exists() {
    let matrix = text("docs/matrix.md");
    let existing: Vec<String> = tests().iter().map(|test| test.reference()).collect();
    let named = references(&matrix);
    assert!(named.len() > 200, "{} references", named.len());
    for reference in named {
        assert!(
            existing.contains(&reference),
            "docs/matrix.md names {reference}"
        );
    }
}

#[test]
fn every_test_of_bogo_that_the_matrix_names_passes() {
    let passed = bogo_tests();
    let named = bogo_references(&text("docs/matrix.md"));
    assert!(named.len() >= 10, "{} references", named.len());
    for name in named {
        assert!(passed.contains(&name), "docs/matrix.md names bogo/{name}");
    }
}

#[test]
fn every_fact_has_one_row_in_order() {
    let matrix = text("docs/matrix.md");
    let numbers: Vec<String> = rows(&matrix).into_iter().map(|row| row.fact).collect();
    assert_eq!(numbers, facts());
}

#[test]
fn every_test_that_carries_a_number_stands_in_the_row_of_that_fact() {
    let rows = rows(&text("docs/matrix.md")).into_iter();
    let shown: BTreeMap<String, Vec<String>> = rows.map(|row| (row.fact, row.shown)).collect();
    let mut seen = 0;
    for test in tests() {
        for fact in carried(&test.name) {
            seen += 1;
            assert!(
                shown[&fact].contains(&test.reference()),
                "the row of {fact} in docs/matrix.md lacks `{}`",
                test.reference()
            );
        }
    }
    assert!(seen > 150, "{seen} tests carry a number");
}

#[test]
fn every_fact_is_shown_unless_it_has_no_counterpart() {
    let mut rows = rows(&text("docs/matrix.md"));
    rows.retain(|row| row.shown.is_empty());
    let facts: Vec<String> = rows.into_iter().map(|row| row.fact).collect();
    assert_eq!(facts, WITHOUT_COUNTERPART);
}

#[test]
fn the_rows_that_differ_are_those_of_the_table_without_numbers() {
    let matrix = text("docs/matrix.md");
    let mut rows = rows(&matrix);
    rows.retain(|row| row.offwire.starts_with("Differs:"));
    let differ: Vec<String> = rows.into_iter().map(|row| row.fact).collect();
    let unnumbered = unnumbered(&matrix).into_iter();
    let listed: Vec<String> = unnumbered.map(|(fact, _)| fact).collect();
    assert_eq!(listed, differ);
}

#[test]
fn the_matrix_names_what_the_comparison_with_openssl_recognises() {
    let mut named: BTreeSet<String> = facts().into_iter().collect();
    named.retain(|fact| fact.starts_with('X'));
    for (fact, comparison) in unnumbered(&text("docs/matrix.md")) {
        if comparison == "recognised" {
            named.insert(fact);
        }
    }
    let recognised = variants("tests/oracle/src/difference.rs", "Difference");
    assert_eq!(named, recognised);

    let all = facts();
    let page = text("tests/oracle/README.md");
    let explained = page.lines().filter_map(|line| {
        let fact = (*cells(line).get(1)?).to_owned();
        all.contains(&fact).then_some(fact)
    });
    assert_eq!(explained.collect::<BTreeSet<_>>(), recognised);
}
