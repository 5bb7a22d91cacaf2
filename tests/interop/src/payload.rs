//! Many megabytes that no memory has to hold, checked by their SHA-256.

use core::fmt;
use std::io::{self, Read};

use aws_lc_rs::digest::{Context, SHA256};
use offwire_testkit::Random;

/// The bytes of a payload: 100 MiB.
pub const LENGTH: u64 = 100 << 20;

/// How much is handed on at once, in bytes: a few records.
const CHUNK: usize = 1 << 16;

/// How many bytes there were, and their SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    length: u64,
    sha256: [u8; 32],
}

impl fmt::Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, sha256 ", self.length)?;
        self.sha256
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Takes bytes and keeps what a [`Summary`] needs of them.
pub struct Sink {
    length: u64,
    hash: Context,
}

impl Sink {
    /// A sink that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            length: 0,
            hash: Context::new(&SHA256),
        }
    }

    /// Takes the next bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.hash.update(bytes);
    }

    /// Whether a whole payload has arrived.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.length >= LENGTH
    }

    /// What was seen.
    #[must_use]
    pub fn summary(self) -> Summary {
        Summary {
            length: self.length,
            sha256: self.hash.finish().as_ref().try_into().unwrap(),
        }
    }
}

impl Default for Sink {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sink({} bytes)", self.length)
    }
}

/// Hands the payload of this seed on, piece by piece; no two pieces are the same.
///
/// # Errors
/// The first error of `write`, which ends it.
pub fn pour(seed: u64, mut write: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<Summary> {
    let mut chunk = Random::new(seed).bytes(CHUNK);
    let mut sink = Sink::new();
    while !sink.is_full() {
        let number = sink.length.to_le_bytes();
        chunk[..number.len()].copy_from_slice(&number);
        write(&chunk)?;
        sink.take(&chunk);
    }
    Ok(sink.summary())
}

/// Reads until a payload has arrived, or the source ends.
///
/// # Errors
/// The source's.
pub fn drain(mut source: impl Read) -> io::Result<Summary> {
    let mut sink = Sink::new();
    let mut buffer = vec![0; CHUNK];
    while !sink.is_full() {
        match source.read(&mut buffer)? {
            0 => break,
            count => sink.take(&buffer[..count]),
        }
    }
    Ok(sink.summary())
}
