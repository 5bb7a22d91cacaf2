//! Why a test ends early, and the exit status and words that tell the runner so.

use core::fmt;
use std::io;

use offwire::{EarlyDataStatus, Engine, Error};

/// Why a connection failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine refused to go on, which is what many tests expect.
    Tls(Error),
    /// The same, before the handshake was complete and behind early data that was rejected.
    Skipping(Error),
    /// The transport failed.
    Transport(io::Error),
    /// The engine went on, but not as the runner's flags expect.
    Expectation(String),
    /// The engine or the shim broke a rule of its own: no test may expect this.
    Broken(String),
    /// The flag or the setting cannot be honoured.
    Unimplemented(String),
}

impl Failure {
    /// Tells what became of early data too: rustls has no error of its own for too much that was
    /// skipped.
    pub(crate) fn of(self, engine: &Engine) -> Self {
        match (self, engine.early_data()) {
            (Self::Tls(error), EarlyDataStatus::Rejected) if engine.negotiated().is_none() => {
                Self::Skipping(error)
            }
            (failure, _) => failure,
        }
    }

    /// What the runner takes the exit status for.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Tls(_) | Self::Skipping(_) | Self::Transport(_) | Self::Expectation(_) => 1,
            Self::Unimplemented(_) => 89,
            Self::Broken(_) => 90,
        }
    }
}

impl fmt::Display for Failure {
    /// An error of the engine is told by its name and in words: the runner looks for either.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(error) => write!(f, "{error:?}: {error}"),
            Self::Skipping(error) => write!(f, "{error:?}: {error}, with early data rejected"),
            Self::Transport(error) => write!(f, "the transport failed: {error}"),
            Self::Expectation(what) => write!(f, "not as expected: {what}"),
            Self::Broken(what) => write!(f, "a rule was broken: {what}"),
            Self::Unimplemented(what) => write!(f, "unimplemented: {what}"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Tls(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Transport(error)
    }
}
