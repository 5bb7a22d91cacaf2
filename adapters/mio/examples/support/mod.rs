//! What the examples share: a server for thousands of connections on one thread and one `Poll`, and
//! the little that any program needs.

#![allow(dead_code, reason = "each example uses its own part")]

pub(crate) mod connection;
pub(crate) mod identity;
pub(crate) mod process;
pub(crate) mod server;
pub(crate) mod slots;
pub(crate) mod tally;
pub(crate) mod timers;

use core::error::Error;
use core::fmt;
use core::time::Duration;
use std::io::{self, Write};
use std::process::ExitCode;

/// Why a program gives up.
pub(crate) type Failure = Box<dyn Error>;

/// Where the servers listen and `load` connects, unless told otherwise.
pub(crate) const ADDRESS: &str = "127.0.0.1:4433";

/// Where `load` reads the certificate to trust, unless told otherwise.
pub(crate) const CERTIFICATE: &str = "ca.pem";

/// How the peers agree on what to speak (ALPN, RFC 7301).
pub(crate) const HTTP: &[u8] = b"http/1.1";

/// As [`HTTP`], for bytes that come back as they are.
pub(crate) const ECHO: &[u8] = b"offwire-echo";

/// Prints a line.
pub(crate) fn say(line: fmt::Arguments<'_>) {
    // Whoever closed our stdout does not want to know.
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// The exit code of a program, whose failure is printed.
pub(crate) fn exit(result: Result<(), Failure>) -> ExitCode {
    let Err(failure) = result else {
        return ExitCode::SUCCESS;
    };
    let _ = writeln!(io::stderr(), "error: {failure}");
    ExitCode::FAILURE
}

/// Reads seconds, fractions included.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// Names what was attempted.
pub(crate) fn failed<E: fmt::Display>(attempt: &str) -> impl FnOnce(E) -> Failure {
    move |error| format!("{attempt}: {error}").into()
}
