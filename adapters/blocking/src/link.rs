//! One transport, byte by byte: what it took, and whether it was told to pass it on.
//!
//! Knows nothing of TLS. [`io::ErrorKind::Interrupted`] is retried, every other error is returned.

use core::fmt;
use std::io::{self, IoSlice};

use crate::error::moved_too_much;

/// A transport, and whether it was told to pass on what it took.
pub(crate) struct Link<T> {
    pub(crate) transport: T,
    flush: Flush,
}

/// Whether the transport may still hold bytes that it took (a `BufWriter` does).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    Done,
    Owed,
}

impl<T> Link<T> {
    pub(crate) fn new(transport: T, flush: Flush) -> Self {
        Self { transport, flush }
    }

    pub(crate) fn into_parts(self) -> (T, Flush) {
        (self.transport, self.flush)
    }
}

impl<T: io::Write> Link<T> {
    /// Hands the transport what it takes of these runs in one call, at least one byte.
    pub(crate) fn send_some(&mut self, runs: [&[u8]; 2]) -> io::Result<usize> {
        let [first, second] = runs;
        let sent = match second {
            [] => retried(|| self.transport.write(first)),
            _ => retried(|| self.transport.write_vectored(&runs.map(IoSlice::new))),
        };
        match sent? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            n if n > first.len() + second.len() => Err(moved_too_much()),
            n => {
                self.flush = Flush::Owed;
                Ok(n)
            }
        }
    }

    /// Flushes the transport, if it took bytes since it was last flushed.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.flush == Flush::Owed {
            retried(|| self.transport.flush())?;
            self.flush = Flush::Done;
        }
        Ok(())
    }
}

impl<T> fmt::Debug for Link<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("flush", &self.flush)
            .finish_non_exhaustive()
    }
}

/// Repeats a call on a transport as long as a signal interrupts it.
pub(crate) fn retried<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
