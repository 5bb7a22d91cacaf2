//! README's table of bugs against the tests of them, both ways; the links of all pages; the book's
//! table of contents.

use crate::sources::{bogo_tests, leads_somewhere, pages, tests, text};

/// The links of a page, as `(text, target)`.
fn links(page: &str) -> Vec<(String, String)> {
    let mut links = Vec::new();
    for (end, _) in page.match_indices("](") {
        let start = page[..end].rfind('[').unwrap();
        let (target, _) = page[end + 2..].split_once(')').unwrap();
        links.push((page[start + 1..end].to_owned(), target.to_owned()));
    }
    links
}

#[test]
fn every_known_bug_stands_in_the_readme_and_no_other() {
    let mut known: Vec<(String, String)> = tests()
        .into_iter()
        .filter(|test| test.file.starts_with("known_bugs/"))
        .map(|test| (format!("`{}`", test.name), test.path))
        .collect();
    let readme = text("README.md");
    let (_, table) = readme
        .split_once("## Bugs that cannot happen here\n")
        .unwrap();
    let (_, rows) = table.split_once("|---|---|---|\n").unwrap();
    let rows = rows.lines().take_while(|line| line.starts_with('|'));
    let mut named: Vec<(String, String)> = rows
        .map(|row| {
            let mut links = links(row);
            assert_eq!(links.len(), 2, "{row}");
            links.pop().unwrap()
        })
        .collect();
    known.sort();
    named.sort();
    assert!(known.len() >= 15, "{} known bugs", known.len());
    assert_eq!(named, known);
}

#[test]
fn the_tests_of_bogo_that_pass_are_counted_right() {
    let count = bogo_tests().len();
    let grouped = format!("{},{:03}", count / 1_000, count % 1_000);
    let readme = text("README.md");
    assert!(readme.contains(&format!("; {grouped} tests pass, by name")));
    let conformance = text("docs/conformance.md");
    assert!(conformance.contains(&format!("| **all** | **{count}** |")));
}

#[test]
fn every_link_into_the_repository_leads_somewhere() {
    let mut seen = 0;
    for page in pages() {
        for (_, target) in links(&text(&page)) {
            let path = target.split('#').next().unwrap();
            if path.is_empty() || target.contains("://") {
                continue;
            }
            seen += 1;
            assert!(leads_somewhere(&page, path), "{page} links to {target}");
        }
    }
    assert!(seen > 50, "{seen} links");
}

#[test]
fn every_page_stands_in_the_book() {
    let pages = pages().into_iter();
    let mut pages: Vec<String> = pages
        .filter_map(|page| page.strip_prefix("docs/").map(str::to_owned))
        .filter(|page| page != "SUMMARY.md")
        .collect();
    let in_book = links(&text("docs/SUMMARY.md")).into_iter();
    let mut in_book: Vec<String> = in_book.map(|(_, target)| target).collect();
    assert!(pages.len() > 20, "{} pages", pages.len());
    pages.sort();
    in_book.sort();
    assert_eq!(in_book, pages);
}
