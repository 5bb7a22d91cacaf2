//! The map in `docs/architecture.md` against the folders.

use crate::sources::{entries, text};

#[test]
fn the_map_has_every_file_of_the_engine_and_every_crate() {
    let page = text("docs/architecture.md");
    let (_, map) = page.split_once("## The map\n").unwrap();
    let (map, _) = map.split_once("\n## ").unwrap();
    // A line names files, then says in other words what they are for.
    let names = map
        .lines()
        .filter_map(|line| line.trim().split("   ").next());
    let names: Vec<&str> = names.flat_map(|names| names.split(", ")).collect();
    for (folder, prefix) in [
        ("engine/src", ""),
        ("adapters", "adapters/"),
        ("tests", "tests/"),
    ] {
        let entries = entries(folder);
        assert!(entries.len() > 4, "{entries:?}");
        for entry in entries {
            let entry = format!("{prefix}{entry}");
            let is_there = |name: &&str| name.trim().trim_end_matches('/') == entry;
            assert!(names.iter().any(is_there), "the map lacks {entry}");
        }
    }
}
