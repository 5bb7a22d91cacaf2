//! TLS's errors and ends as [`io::Error`]s, and the way back.

use std::io;

use offwire::{Error, Misuse, Peer};

/// The TLS error inside an error of this crate, if it was TLS that failed and not the transport.
///
/// Only [`Error::Misuse`] leaves the connection usable.
///
/// ```
/// use std::io::{ErrorKind, Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// use offwire::{Error, Peer};
/// use offwire_blocking::{TlsStream, tls_error};
///
/// # fn main() -> std::io::Result<()> {
/// let (_, server) = offwire_testkit::Contexts::new().build();
/// let (near, mut far) = UnixStream::pair()?;
/// far.write_all(b"GET / HTTP/1.0\r\n\r\n")?; // no TLS at all
///
/// let error = TlsStream::accept(&server, near).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidData);
/// assert!(matches!(tls_error(&error), Some(Error::Peer(Peer::HandshakeMalformed(_)))));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// The engine's error, with the kind that fits it best.
pub(crate) fn tls(error: Error) -> io::Error {
    let kind = match &error {
        Error::Misuse(Misuse::WriteAfterShutdown) => io::ErrorKind::BrokenPipe,
        Error::Misuse(_) => io::ErrorKind::InvalidInput,
        Error::Peer(Peer::HandshakeTruncated) => io::ErrorKind::UnexpectedEof,
        Error::Peer(_) | Error::Alert(_) | Error::Certificate(_) => io::ErrorKind::InvalidData,
        Error::Internal(_) | _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// What the handshake failed of, on either side of TLS.
pub(crate) fn explained(error: offwire_stream::Error) -> io::Error {
    match error {
        offwire_stream::Error::Transport(error) => error,
        offwire_stream::Error::Tls(error) => tls(error),
    }
}

/// The transport ended without close_notify.
pub(crate) fn truncated() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the transport ended without close_notify: the data may have been cut off",
    )
}

/// The engine says what its contract excludes here.
pub(crate) fn unexpected(outcome: &'static str) -> io::Error {
    io::Error::other(outcome)
}

/// A thread panicked while it held a lock of the divided connection.
pub(crate) fn poisoned() -> io::Error {
    io::Error::other("a thread panicked while it used this connection")
}
