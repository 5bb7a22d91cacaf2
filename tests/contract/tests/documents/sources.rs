//! Finds the tests of the workspace, and reads its documents.

use alloc::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A test of the workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Test {
    /// Its file, by its path from the root.
    pub(crate) path: String,
    /// Its file, as the documents name it: the path without `adapters`, `contract`, `tests` and the
    /// extension.
    pub(crate) file: String,
    /// Its function.
    pub(crate) name: String,
}

impl Test {
    /// As it stands in a document: `file::name`.
    pub(crate) fn reference(&self) -> String {
        format!("{}::{}", self.file, self.name)
    }
}

/// A file of the repository, by its path from the root.
pub(crate) fn text(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages for people: those at the root, and the book.
pub(crate) fn pages() -> Vec<String> {
    let root = root();
    let mut files = Vec::new();
    collect(&root.join("docs"), "md", &mut files);
    for page in [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
    ] {
        files.push(root.join(page));
    }
    let inside = files.iter().map(|file| file.strip_prefix(&root).unwrap());
    inside
        .map(|page| page.to_str().unwrap().to_owned())
        .collect()
}

/// Whether a page's link leads to something in the repository.
pub(crate) fn leads_somewhere(page: &str, link: &str) -> bool {
    root().join(page).parent().unwrap().join(link).exists()
}

/// Every test in the Rust sources of the engine, the adapters and the tests.
pub(crate) fn tests() -> Vec<Test> {
    let root = root();
    let mut files = Vec::new();
    for folder in ["engine", "adapters", "tests"] {
        collect(&root.join(folder), "rs", &mut files);
    }
    let mut tests = Vec::new();
    for file in files {
        let path = file.strip_prefix(&root).unwrap();
        let inside = path.with_extension("");
        let parts = inside.iter().map(|part| part.to_str().unwrap());
        let kept = parts.filter(|part| !["adapters", "contract", "tests"].contains(part));
        let file_name = kept.collect::<Vec<_>>().join("/");
        let names = test_names(&fs::read_to_string(&file).unwrap());
        tests.extend(names.into_iter().map(|name| Test {
            path: path.to_str().unwrap().to_owned(),
            file: file_name.clone(),
            name,
        }));
    }
    assert!(tests.len() > 400, "only {} tests were found", tests.len());
    tests
}

/// The `code spans` of a document that name a test.
pub(crate) fn references(document: &str) -> Vec<String> {
    let spans = document.split('`').skip(1).step_by(2);
    let is_path = |part: &str| {
        let mut letters = part.chars();
        !part.is_empty()
            && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_/".contains(c))
    };
    spans
        .filter(|span| {
            span.split_once("::")
                .is_some_and(|(file, name)| is_path(file) && is_path(name))
        })
        .map(Into::into)
        .collect()
}

/// The `code spans` of a document that name a test of BoGo's: `bogo/NAME`.
pub(crate) fn bogo_references(document: &str) -> Vec<String> {
    let spans = document.split('`').skip(1).step_by(2);
    let names = spans.filter_map(|span| span.strip_prefix("bogo/"));
    let names = names.filter(|name| !name.is_empty() && !name.contains("::"));
    names.map(str::to_owned).collect()
}

/// The tests of BoGo that pass, as its gate has them.
pub(crate) fn bogo_tests() -> BTreeSet<String> {
    let passed = text("tests/bogo/passed.txt");
    passed.lines().map(str::to_owned).collect()
}

/// The variants of an enum, read from its source.
pub(crate) fn variants(file: &str, name: &str) -> BTreeSet<String> {
    let source = text(file);
    let (_, body) = source.split_once(&format!("enum {name} {{\n")).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let lines = body.lines().map(str::trim);
    let variants = lines.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    variants
        .map(|line| line.split(['(', ' ', ',']).next().unwrap().to_owned())
        .collect()
}

/// The public fields of a struct, read from its source, in order.
pub(crate) fn fields(file: &str, name: &str) -> Vec<String> {
    let source = text(file);
    let (_, body) = source.split_once(&format!("struct {name} {{\n")).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let lines = body.lines().map(str::trim);
    let fields = lines.filter_map(|line| line.strip_prefix("pub "));
    fields
        .map(|field| field.split(':').next().unwrap().to_owned())
        .collect()
}

/// The names of what a folder holds, folders of files that have one of their own name aside.
pub(crate) fn entries(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.collect();
    let has_file = |name: &String| names.contains(&format!("{name}.rs"));
    names
        .iter()
        .filter(|name| !has_file(name))
        .cloned()
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn collect(folder: &Path, wanted: &str, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(&path, wanted, files);
            }
        } else if path
            .extension()
            .is_some_and(|extension| extension == wanted)
        {
            files.push(path);
        }
    }
}

/// The function behind each `#[test]`, whatever other attributes stand around it; one that is
/// ignored shows nothing.
fn test_names(source: &str) -> Vec<String> {
    let (mut names, mut attributes) = (Vec::new(), Vec::new());
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[") {
            attributes.push(line);
        } else if line.starts_with("fn ") || line.ends_with('}') {
            let attributes = core::mem::take(&mut attributes);
            let has = |name: &str| attributes.iter().any(|line| line.starts_with(name));
            if let Some(function) = line.strip_prefix("fn ")
                && has("#[test]")
                && !has("#[ignore")
            {
                let name = function.split(['(', '<']).next().unwrap();
                names.push(name.to_owned());
            }
        }
    }
    names
}

#[test]
fn a_test_that_is_ignored_is_no_evidence() {
    let source = "
        #[test]
        fn runs() {}

        #[test]
        #[ignore = \"slow\"]
        fn rests() {}

        #[ignore]
        #[test]
        fn rests_too() {}

        #[ignore]
        fn helps() {}

        #[test]
        #[should_panic(expected = \"no\")]
        fn runs_too() {}
    ";
    assert_eq!(test_names(source), ["runs", "runs_too"]);
}
