//! The guard of the hot path: instructions of seal, open, round trip and handshake, counted under
//! callgrind and compared with a baseline.
//!
//! ```text
//! offwire-instructions check   compares with tests/instructions/baseline.tsv
//! offwire-instructions renew   writes the baseline anew
//! offwire-instructions run OPERATION COUNT   what callgrind runs: COUNT measured operations
//! ```
//!
//! README.md beside this crate says what is counted and why that is the same on every machine.

#![expect(clippy::print_stdout, reason = "a program that reports to its caller")]

extern crate alloc;

mod baseline;
mod callgrind;
mod operation;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use crate::baseline::Baseline;
use crate::operation::Operation;

/// Why a run has to stop.
type Problem = Box<dyn core::error::Error>;

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.tsv");

const USAGE: &str = "usage: offwire-instructions check | renew | run OPERATION COUNT";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["check"] => check(),
        ["renew"] => renew(),
        ["run", operation, count] => run(operation, count),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(operation: &str, count: &str) -> Result<(), Problem> {
    let operation = Operation::ALL
        .into_iter()
        .find(|candidate| candidate.name() == operation)
        .ok_or_else(|| format!("no operation is called {operation}"))?;
    operation.run(count.parse()?)
}

fn check() -> Result<(), Problem> {
    let baseline = Baseline::parse(&fs::read_to_string(BASELINE)?)?;
    let counted = measure()?;
    let (report, verdict) = baseline.compare(&counted);
    print!("{report}");
    verdict.map_err(Into::into)
}

fn renew() -> Result<(), Problem> {
    let counted = measure()?;
    fs::write(BASELINE, counted.to_text())?;
    print!("{}", counted.to_text());
    Ok(())
}

/// Counts every operation in a process of its own.
fn measure() -> Result<Baseline, Problem> {
    let program = env::current_exe()?;
    let mut counted = Baseline::default();
    for operation in Operation::ALL {
        eprintln!("callgrind: {} ...", operation.name());
        let of = |count| callgrind::count(Path::new(&program), operation.name(), count);
        let (few, many) = (of(operation.few())?, of(3 * operation.few())?);
        // What comes once, whatever it is, cancels.
        let each = many.saturating_sub(few) / (2 * operation.few());
        counted.insert(operation.name(), each);
    }
    Ok(counted)
}
