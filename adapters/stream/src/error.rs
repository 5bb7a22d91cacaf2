//! Why a call on a stream failed: the transport did, or TLS did.

use core::fmt;
use std::io;

/// Why a call failed.
#[expect(
    clippy::exhaustive_enums,
    reason = "a stream has a transport and an engine, and no more"
)]
#[derive(Debug)]
pub enum Error {
    /// The transport failed. Nothing is lost or doubled: the call can be repeated, a write with the
    /// same bytes, and goes on where it stopped.
    Transport(io::Error),
    /// The engine refused the call or the peer. Only [`offwire::Error::Misuse`] leaves the
    /// connection usable.
    Tls(offwire::Error),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Transport(error)
    }
}

impl From<offwire::Error> for Error {
    fn from(error: offwire::Error) -> Self {
        Self::Tls(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(_) => f.write_str("the transport failed"),
            Self::Tls(_) => f.write_str("the TLS connection failed"),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Transport(error) => Some(error),
            Self::Tls(error) => Some(error),
        }
    }
}
