//! A TCP connection of `serve`, and the last of one that `connect` gives up: time limits that a slow
//! peer cannot stretch, and an end that does not destroy what was just sent.

use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

/// A socket whose reads and writes end at a moment.
///
/// A limit for a single read would be renewed by each byte that a peer lets trickle.
#[derive(Debug)]
pub(crate) struct Socket {
    tcp: TcpStream,
    limit: Limit,
}

/// Until when the peer may keep us waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// For ever.
    None,
    /// Until then; later calls fail with [`io::ErrorKind::TimedOut`].
    Until(Instant),
}

impl Limit {
    pub(crate) fn within(duration: Duration) -> Self {
        Self::Until(Instant::now() + duration)
    }
}

/// How long and how much a peer may go on sending after we have closed.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 1 << 20;

impl Socket {
    pub(crate) fn new(tcp: TcpStream, limit: Limit) -> Self {
        Self { tcp, limit }
    }

    pub(crate) fn set_limit(&mut self, limit: Limit) -> io::Result<()> {
        self.limit = limit;
        self.tcp.set_read_timeout(None)?;
        self.tcp.set_write_timeout(None)
    }

    /// Ends our half of the TCP connection and swallows what the peer still sends: closing with
    /// unread bytes resets the connection, and with it our last records would be lost.
    pub(crate) fn linger(&mut self) -> io::Result<()> {
        self.set_limit(Limit::within(LINGER))?;
        self.tcp.shutdown(Shutdown::Write)?;
        let mut swallowed = [0; 4_096];
        let mut left = LINGER_BYTES;
        while left > 0 {
            match self.read(&mut swallowed)? {
                0 => break,
                n => left = left.saturating_sub(n),
            }
        }
        Ok(())
    }

    /// What is left of the limit; an error if nothing is.
    fn remaining(&self) -> io::Result<Option<Duration>> {
        let Limit::Until(end) = self.limit else {
            return Ok(None);
        };
        match end.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            remaining => Ok(Some(remaining)),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(remaining) = self.remaining()? {
            self.tcp.set_read_timeout(Some(remaining))?;
        }
        self.tcp.read(into).map_err(timed_out)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[io::IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        if let Some(remaining) = self.remaining()? {
            self.tcp.set_write_timeout(Some(remaining))?;
        }
        self.tcp.write_vectored(slices).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// A blocking socket blocks for no other reason than its limit.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock {
        return io::ErrorKind::TimedOut.into();
    }
    error
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::time::Instant;

    use super::{Limit, Socket};

    /// Otherwise a peer that reads or sends a byte now and then could hold us as long as it likes.
    #[test]
    fn nothing_passes_once_the_limit_is_over_though_the_peer_is_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"ready").unwrap();
        assert_eq!(near.peek(&mut [0; 5]).unwrap(), 5);
        let mut socket = Socket::new(near, Limit::Until(Instant::now()));
        let refused = socket.write(b"late").map_err(|error| error.kind());
        assert_eq!(refused, Err(ErrorKind::TimedOut));
        let refused = socket.read(&mut [0; 5]).map_err(|error| error.kind());
        assert_eq!(refused, Err(ErrorKind::TimedOut));

        socket.set_limit(Limit::None).unwrap();
        assert_eq!(socket.write(b"late").unwrap(), 4);
        assert_eq!(socket.read(&mut [0; 5]).unwrap(), 5);
    }
}
