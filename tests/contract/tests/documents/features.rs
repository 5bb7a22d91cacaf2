//! The table of features in `docs/matrix.md`: every feature has an answer, and evidence for it.

use crate::sources::{bogo_references, references, text};

/// What an embedder asks of a TLS library. A feature may not leave the table unnoticed.
const FEATURES: [&str; 44] = [
    "explicit outcomes",
    "bounded buffers",
    "in-place and zero-copy",
    "`no_std`",
    "partial writes",
    "moving buffers",
    "implicit handshake",
    "retry check",
    "read during a blocked write",
    "half-close",
    "truncation",
    "KeyUpdate, both directions",
    "0-RTT",
    "resumption",
    "ALPN",
    "SNI",
    "ClientHello before configuration",
    "asynchronous choice of a certificate",
    "asynchronous verification and signing",
    "client certificates",
    "OCSP stapling",
    "exporter, `tls-exporter`",
    "key log",
    "ECH",
    "raw public keys",
    "certificate compression",
    "post-quantum key exchange",
    "FIPS",
    "`ring` in AWS-LC's place",
    "kTLS",
    "split halves",
    "vectored I/O",
    "plaintext handed out owned",
    "peek",
    "record sizing",
    "buffer release",
    "buffers shared by connections",
    "tracing",
    "counters",
    "deterministic replay",
    "schedule fuzzing",
    "C ABI",
    "async runtimes",
    "owned-buffer I/O",
];

/// The table's rows, cut into cells.
fn rows() -> Vec<Vec<String>> {
    let matrix = text("docs/matrix.md");
    let (_, section) = matrix
        .split_once("\n## Features, beside others\n")
        .expect("the section is there");
    let (section, _) = section.split_once("\n## ").unwrap_or((section, ""));
    let lines = section.lines().filter(|line| line.starts_with("| "));
    let cells = |line: &str| {
        let inside = line.trim().trim_matches('|');
        inside.split(" | ").map(|cell| cell.trim().into()).collect()
    };
    lines.skip(1).map(cells).collect()
}

#[test]
fn every_feature_has_a_row_in_order() {
    let rows = rows();
    let named: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(named, FEATURES);
}

#[test]
fn every_answer_is_one_and_a_yes_has_evidence() {
    for row in rows() {
        assert_eq!(row.len(), 8, "{row:?}");
        for (column, cell) in row.iter().enumerate() {
            if column == 0 || column == 2 {
                continue;
            }
            let answers = ["yes", "no", "partly", "planned", "not known"];
            assert!(
                answers.iter().any(|answer| cell.starts_with(answer)),
                "{row:?}"
            );
        }
        let shown = !references(&row[2]).is_empty() || !bogo_references(&row[2]).is_empty();
        assert!(shown || !row[1].starts_with("yes"), "{row:?}");
    }
}
