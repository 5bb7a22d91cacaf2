//! Runs the examples, each in a process of its own, and checks what they print and how they exit.
//!
//! Cargo builds the examples of a package for `cargo test` and puts them beside its tests. It does
//! not for `cargo test --test examples`: `cargo build -p offwire --examples` comes first then.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use core::time::Duration;
use std::env::current_exe;
use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

/// A watchdog, not a limit: an example takes less than a second.
const WATCHDOG: Duration = Duration::from_secs(120);

fn path_of(name: &str) -> PathBuf {
    let tests = current_exe().unwrap();
    let profile = tests.ancestors().nth(2).unwrap();
    let path = profile
        .join("examples")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "{} is missing: `cargo build -p offwire --examples`",
        path.display()
    );
    path
}

/// Runs an example to its end; fails if there is none.
fn run(name: &str, arguments: &[&str]) -> (ExitStatus, String) {
    let mut child = Command::new(path_of(name))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.read_to_string(&mut text);
        done.send(read.map(|_| text)).unwrap();
    });
    // The output ends when the process does.
    let Ok(text) = ended.recv_timeout(WATCHDOG) else {
        child.kill().unwrap();
        panic!("{name} hangs");
    };
    (child.wait().unwrap(), text.unwrap())
}

fn run_well(name: &str, arguments: &[&str]) -> String {
    let (status, text) = run(name, arguments);
    assert!(status.success(), "{name}: {status}\n{text}");
    assert!(
        text.contains("every byte was right, every end as expected"),
        "{text}"
    );
    text
}

/// The line of one end in the table that an example prints, cut into columns by two spaces.
fn line<'a>(text: &'a str, end: &str) -> &'a str {
    let found = text
        .lines()
        .find(|line| line.trim_start().starts_with(end) && !line.contains(" ms "));
    found.unwrap_or_else(|| panic!("no line of {end} in\n{text}"))
}

fn check_table_of_sockets(text: &str) {
    for end in ["bulk 1: ", "bulk 2: ", "quiet: "] {
        for role in ["client", "server"] {
            let line = line(text, &format!("{end}{role}"));
            assert!(line.ends_with("  complete"), "{line}");
            assert!(line.contains("TLS 1.3"), "{line}");
        }
    }
    assert!(line(text, "bulk 1: client").contains(" 6291456 "));
    assert!(line(text, "bulk 1: server").contains(" 4194304 "));
    for role in ["client", "server"] {
        let line = line(text, &format!("vanishing: {role}"));
        assert!(line.ends_with("  truncated"), "{line}");
    }
    // All that was sent before the truncation is delivered.
    assert!(line(text, "vanishing: server").contains(" 1048576 "));
    assert!(line(text, "wrong name: client").contains("not valid for the server's name"));
    assert!(line(text, "wrong name: server").contains("fatal alert bad_certificate"));
}

#[test]
fn the_readiness_loop_serves_every_end() {
    check_table_of_sockets(&run_well("readiness_loop", &[]));
}

#[test]
fn the_completion_loop_serves_every_end_over_the_kernels_ring() {
    let text = run_well("completion_loop", &[]);
    check_table_of_sockets(&text);
    if !text.contains("served by the kernel's io_uring") {
        let why = text.lines().last().unwrap_or_default();
        assert!(why.contains("no io_uring here: ") || !cfg!(target_os = "linux"));
        // Past the test harness, which hides what `eprintln!` says in a test that passes.
        let _ = writeln!(io::stderr(), "\nNOT TESTED: io_uring; {why}\n");
    }
}

#[test]
fn the_completion_loop_serves_every_end_over_threads() {
    let text = run_well("completion_loop", &["threads"]);
    check_table_of_sockets(&text);
    assert!(text.contains(" threads (as asked for)"), "{text}");
}

#[test]
fn a_ring_that_does_not_exist_is_refused() {
    let (status, text) = run("completion_loop", &["epoll"]);
    assert_eq!(status.code(), Some(1));
    assert!(text.starts_with("usage: "), "{text}");
}

#[test]
fn the_simulation_runs_to_its_three_ends() {
    let text = run_well("simulation", &[]);
    let endings = [
        "  complete",
        "  truncated",
        "  failed: a record could not be",
    ];
    for ending in endings {
        let of_server = |line: &&str| line.starts_with("  server ") && line.contains(ending);
        assert_eq!(
            text.lines().filter(of_server).count(),
            1,
            "{ending}: {text}"
        );
    }
    assert!(text.contains("said all: close_notify has left, reading goes on"));
}

#[test]
fn the_same_seed_simulates_the_same_timeline() {
    let seven = run_well("simulation", &["7"]);
    assert_eq!(seven, run_well("simulation", &["7"]));
    assert_ne!(seven, run_well("simulation", &["8"]));
}

#[test]
fn certificates_are_looked_up_while_the_clients_wait() {
    let text = run_well("certificate_lookup", &[]);
    let verified = |line: &&str| line.ends_with("  verified, TLS 1.3");
    assert_eq!(text.lines().filter(verified).count(), 3, "{text}");
    assert!(line(&text, "unknown.test").contains("fatal alert unrecognized_name"));
}

#[test]
fn a_session_begun_with_one_process_is_resumed_with_another() {
    let text = run_well("ticket_fleet", &[]);
    let kinds = text.lines().filter_map(|line| line.rsplit_once(": "));
    let kinds: Vec<&str> = kinds.map(|(_, kind)| kind).collect();
    let each = ["full", "resumed", "resumed", "full"];
    assert_eq!(kinds, [each, each].concat(), "{text}");
}

#[test]
fn a_simulation_that_cannot_run_fails() {
    let (status, text) = run("simulation", &["no number"]);
    assert_eq!(status.code(), Some(1));
    assert!(text.starts_with("failed: "), "{text}");
}

/// Code without the differences that indentation makes.
fn normalised(code: &str) -> String {
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_excerpts_in_the_book_stand_in_the_examples() {
    let examples = [
        include_str!("../examples/readiness_loop.rs"),
        include_str!("../examples/completion_loop.rs"),
        include_str!("../examples/simulation.rs"),
    ];
    let examples = examples.map(normalised);
    let book = include_str!("../../docs/embedding.md");
    let mut excerpts = 0;
    for block in book.split("\n```rust\n").skip(1) {
        let (code, _) = block.split_once("\n```\n").unwrap();
        let code = normalised(code);
        assert!(examples.iter().any(|all| all.contains(&code)), "{code}");
        excerpts += 1;
    }
    assert_eq!(excerpts, 4);
}

#[test]
fn the_timeline_in_the_book_is_that_of_the_default_seed() {
    let (_, block) = include_str!("../../docs/embedding.md")
        .split_once("\n```text\n")
        .unwrap();
    let (lines, _) = block.split_once("\n```\n").unwrap();
    let printed = run_well("simulation", &[]);
    assert!(
        normalised(&printed).contains(&normalised(lines)),
        "{printed}"
    );
}
