//! The shim by which BoGo, BoringSSL's conformance suite, drives the engine.
//!
//! For each test the runner starts this program with flags, waits for it to connect, and plays the
//! peer, a correct or a broken one. The exit status is the result: 0 if all went as the flags
//! expect, 1 if not, 89 for a flag that is not known here, 90 for what no test may expect. Why it is
//! 89 is also appended to the file that `OFFWIRE_BOGO_UNIMPLEMENTED` names: the runner keeps the
//! standard error to itself.

extern crate alloc;

mod checks;
mod compression;
mod context;
mod credential;
mod early;
mod ech;
mod exchange;
mod exporter;
mod failure;
mod flags;
mod provider;
mod session;
mod sessions;
mod transport;
mod verifier;

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::context::Context;
use crate::exchange::Turn;
use crate::failure::Failure;
use crate::flags::{Setting, TestFlags};

fn main() -> ExitCode {
    if env::args().nth(1).as_deref() == Some("-is-handshaker-supported") {
        let answered = writeln!(io::stdout(), "No");
        return ExitCode::from(u8::from(answered.is_err()));
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Without a standard error the runner cannot tell failures apart, but sees the status.
            let _ = writeln!(io::stderr(), "{failure}");
            if let Failure::Unimplemented(what) = &failure
                && note_unimplemented(what).is_err()
            {
                return ExitCode::FAILURE;
            }
            ExitCode::from(failure.status())
        }
    }
}

/// Notes what is missing, a line each; several shims write to the file at once.
fn note_unimplemented(what: &str) -> io::Result<()> {
    let Some(path) = env::var_os("OFFWIRE_BOGO_UNIMPLEMENTED") else {
        return Ok(());
    };
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(format!("{what}\n").as_bytes())
}

fn run() -> Result<(), Failure> {
    let arguments = env::args_os().skip(1).map(|argument| {
        argument
            .into_string()
            .map_err(|_| Failure::Unimplemented("a value that is not UTF-8".to_owned()))
    });
    let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
    let flags = TestFlags::parse(arguments.into_iter())?;
    let context = Context::new(&flags)?;
    exchange::connect(&context, &flags, Turn::Initial)?;
    let resumptions: usize = flags.initial.number(Setting::ResumeCount)?.unwrap_or(0);
    for _ in 0..resumptions {
        let delay: u64 = flags.resume.number(Setting::ResumptionDelay)?.unwrap_or(0);
        context.clock.advance(delay);
        exchange::connect(&context, &flags, Turn::Resumption)?;
    }
    Ok(())
}
