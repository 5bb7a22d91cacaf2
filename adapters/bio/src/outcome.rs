//! What a read and a write of memory answer: moved, would block, or over.

use std::io;

/// What a read achieved.
#[must_use = "an empty BIO and an ended one are different news"]
#[expect(clippy::exhaustive_enums, reason = "callers must handle every outcome")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// So many bytes. Zero only for an empty buffer.
    Read(usize),
    /// Nothing is there yet: read again after the other side has written
    /// (`BIO_should_read(3)`, [`io::ErrorKind::WouldBlock`]).
    Empty,
    /// Nothing is there, and nothing will come: the end of the transport (0 bytes).
    End,
}

/// What a write achieved.
#[must_use = "a write may have taken fewer bytes than it was given"]
#[expect(clippy::exhaustive_enums, reason = "callers must handle every outcome")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// So many bytes from the front of those given. Zero only if none were given.
    Written(usize),
    /// There is no room: write again after the other side has read
    /// (`BIO_should_write(3)`, [`io::ErrorKind::WouldBlock`]).
    Full,
    /// No byte can ever be written again ([`io::ErrorKind::BrokenPipe`]).
    Shut,
}

impl From<Reading> for io::Result<usize> {
    fn from(reading: Reading) -> Self {
        match reading {
            Reading::Read(n) => Ok(n),
            Reading::Empty => Err(io::ErrorKind::WouldBlock.into()),
            Reading::End => Ok(0),
        }
    }
}

impl From<Writing> for io::Result<usize> {
    fn from(writing: Writing) -> Self {
        match writing {
            Writing::Written(n) => Ok(n),
            Writing::Full => Err(io::ErrorKind::WouldBlock.into()),
            Writing::Shut => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}
