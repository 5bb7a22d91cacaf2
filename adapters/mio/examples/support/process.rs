//! What the system says of processes, and what a signal says to this one.

use alloc::sync::Arc;
use std::fs;
use std::process;

use mio::Waker;

use crate::support::{Failure, failed, say};

/// What a process needs besides connections: its own files, the poll, a few spare ones.
const SPARE_FILES: usize = 32;

/// The exit code of a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// The resident memory of a process in KiB, where the system tells (`proc(5)`).
pub(crate) fn resident(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// How many connections the limit of open files permits, once it is raised as far as it may be.
#[cfg(unix)]
pub(crate) fn most_connections() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    // Some systems refuse; then the limit is what it is.
    let _ = setrlimit(Resource::Nofile, raised);
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.map_or(usize::MAX, |limit| limit.try_into().unwrap_or(usize::MAX));
    limit.saturating_sub(SPARE_FILES)
}

/// How many connections the limit of open files permits.
#[cfg(not(unix))]
pub(crate) fn most_connections() -> usize {
    usize::MAX - SPARE_FILES
}

/// Wakes a poll on the first SIGINT; the second ends the program at once.
pub(crate) fn on_interrupt(waker: Arc<Waker>) -> Result<(), Failure> {
    let mut woken = 0;
    let handler = move || {
        woken += 1;
        if woken > 1 || waker.wake().is_err() {
            say(format_args!("interrupted"));
            process::exit(INTERRUPTED);
        }
    };
    ctrlc::set_handler(handler).map_err(failed("cannot handle SIGINT"))
}
