//! `docs/matrix.md` against the tests, both ways.

use alloc::collections::BTreeMap;

use crate::sources::{references, tests, text};

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

/// The rows that begin with a fact's number, in order.
fn rows(matrix: &str) -> Vec<(String, Vec<String>)> {
    let all = facts();
    matrix
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let number = cells.get(1)?.to_string();
            all.contains(&number).then(|| {
                assert_eq!(cells.len(), 6, "{line}");
                assert!(!cells[2].is_empty() && !cells[3].is_empty(), "{line}");
                let shown = references(cells[4]);
                assert!(!shown.is_empty() || cells[4] == "–", "{line}");
                (number, shown)
            })
        })
        .collect()
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
fn every_fact_has_one_row_in_order() {
    let matrix = text("docs/matrix.md");
    let numbers: Vec<String> = rows(&matrix)
        .into_iter()
        .map(|(number, _)| number)
        .collect();
    assert_eq!(numbers, facts());
}

#[test]
fn every_test_that_carries_a_number_stands_in_the_row_of_that_fact() {
    let rows: BTreeMap<String, Vec<String>> = rows(&text("docs/matrix.md")).into_iter().collect();
    let mut seen = 0;
    for test in tests() {
        for fact in carried(&test.name) {
            seen += 1;
            assert!(
                rows[&fact].contains(&test.reference()),
                "the row of {fact} in docs/matrix.md lacks `{}`",
                test.reference()
            );
        }
    }
    assert!(seen > 150, "{seen} tests carry a number");
}

#[test]
fn every_difference_has_a_test() {
    for (number, shown) in rows(&text("docs/matrix.md")) {
        if number.starts_with(['X', 'I']) {
            assert!(!shown.is_empty(), "{number}");
        }
    }
}
