//! How the program ends: exit codes, and the failures behind them.

use core::error::Error;
use std::io;

/// What `--help` says of every command: the exit codes, and the one variable of the environment.
pub(crate) const AFTER_HELP: &str = "\
Exit codes:
  0  every side closed cleanly
  1  something failed here: a file, the configuration, the output
  2  the arguments are wrong
  3  the peer cannot be reached, or the address cannot be listened on
  4  the peer's certificate was refused
  5  TLS failed: the peer broke the protocol or sent a fatal alert
  6  truncation: the transport ended without close_notify, data may be missing
  7  the transport failed in the middle of the connection
  8  demo: the bytes that arrived are not the bytes that were sent

Environment:
  SSLKEYLOGFILE  a file to which the secrets of every connection are appended, for debugging";

/// Why the program cannot go on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// A file, the configuration or the machine.
    Local(String),
    /// Nobody reads our output any more; there is nobody to tell.
    OutputGone,
    /// No transport could be had.
    Unreachable(String),
    /// The peer's certificate was refused.
    Certificate(String),
    /// The TLS connection failed.
    Tls(String),
    /// The transport ended without close_notify.
    Truncated(String),
    /// The transport failed.
    Broken(String),
    /// What arrived is not what was sent.
    Corrupt(String),
}

impl Failure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Local(_) | Self::OutputGone => 1,
            Self::Unreachable(_) => 3,
            Self::Certificate(_) => 4,
            Self::Tls(_) => 5,
            Self::Truncated(_) => 6,
            Self::Broken(_) => 7,
            Self::Corrupt(_) => 8,
        }
    }

    /// What to tell the user; `None` if silence is right.
    pub(crate) fn message(&self) -> Option<String> {
        match self {
            Self::OutputGone => None,
            Self::Local(text) | Self::Unreachable(text) => Some(text.clone()),
            Self::Certificate(text) => Some(format!("certificate refused: {text}")),
            Self::Tls(text) => Some(format!("TLS failed: {text}")),
            Self::Truncated(text) => Some(format!("truncated: {text}")),
            Self::Broken(text) => Some(format!("the transport failed: {text}")),
            Self::Corrupt(text) => Some(format!("wrong data: {text}")),
        }
    }

    /// The failure of a connection whose transport ended without close_notify.
    pub(crate) fn truncated() -> Self {
        Self::Truncated(
            "the peer ended the transport without close_notify; data may be missing".into(),
        )
    }
}

impl From<offwire::Error> for Failure {
    fn from(error: offwire::Error) -> Self {
        use offwire::{Error, Internal, Peer};
        let kind = if matches!(error, Error::Certificate(_)) {
            Self::Certificate
        } else if error == Error::Peer(Peer::HandshakeTruncated) {
            Self::Truncated
        } else if matches!(error, Error::Internal(Internal::Configuration(_))) {
            Self::Local
        } else {
            Self::Tls
        };
        kind(error.to_string())
    }
}

impl From<offwire_stream::Error> for Failure {
    fn from(error: offwire_stream::Error) -> Self {
        match error {
            offwire_stream::Error::Transport(error) => Self::Broken(error.to_string()),
            offwire_stream::Error::Tls(error) => error.into(),
        }
    }
}

/// Failures of our own output; those of sockets and files are mapped where they happen.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::OutputGone;
        }
        Self::Local(format!("cannot write the output: {error}"))
    }
}

/// Puts what was attempted before why it failed, for failures of the machine we run on.
pub(crate) fn local<E: Error>(attempt: &str) -> impl FnOnce(E) -> Failure {
    move |error| Failure::Local(format!("{attempt}: {error}"))
}

/// As [`local`], for failures of a socket in use.
pub(crate) fn broken(error: io::Error) -> Failure {
    Failure::Broken(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{AFTER_HELP, Failure};

    #[test]
    fn every_code_is_in_the_help() {
        let failures = [
            Failure::Local(String::new()),
            Failure::Unreachable(String::new()),
            Failure::Certificate(String::new()),
            Failure::Tls(String::new()),
            Failure::truncated(),
            Failure::Broken(String::new()),
            Failure::Corrupt(String::new()),
        ];
        for failure in failures {
            let line = format!("\n  {}  ", failure.code());
            assert!(AFTER_HELP.contains(&line), "{failure:?}");
        }
    }

    #[test]
    fn truncation_and_certificates_are_told_apart() {
        let refused = Failure::from(offwire::Error::Certificate(offwire::Certificate::Expired));
        assert_eq!(refused.code(), 4);
        let cut = Failure::from(offwire::Error::Peer(offwire::Peer::HandshakeTruncated));
        assert_eq!(cut.code(), Failure::truncated().code());
    }
}
