//! One direction of a transport in memory. What is put on it is copied once and taken off with
//! another copy, as a kernel would; or it is only counted, where what the transport costs shall not
//! be seen.

use std::io;

/// What becomes of the bytes that are put on a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Keeps,
    Counts,
}

/// One direction of a transport.
#[derive(Debug)]
pub struct Wire {
    bytes: Vec<u8>,
    head: usize,
    counted: usize,
    kind: Kind,
}

impl Wire {
    /// An empty one that keeps what is put on it.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bytes: Vec::new(),
            head: 0,
            counted: 0,
            kind: Kind::Keeps,
        }
    }

    /// From now on bytes are only counted.
    pub fn only_counts(&mut self) {
        self.kind = Kind::Counts;
        self.counted = 0;
    }

    /// Bytes counted since [`Wire::only_counts`].
    #[must_use]
    pub fn counted(&self) -> usize {
        self.counted
    }

    /// Bytes that are on it.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.bytes.len() - self.head
    }

    /// Puts bytes on it.
    pub fn put(&mut self, bytes: &[u8]) {
        match self.kind {
            Kind::Keeps => self.bytes.extend_from_slice(bytes),
            Kind::Counts => self.counted += bytes.len(),
        }
    }

    /// Takes as many bytes as fit off it, and says how many.
    pub fn take(&mut self, into: &mut [u8]) -> usize {
        let waiting = self.bytes.get(self.head..).unwrap_or_default();
        let taken = waiting.len().min(into.len());
        if let (Some(into), Some(from)) = (into.get_mut(..taken), waiting.get(..taken)) {
            into.copy_from_slice(from);
        }
        self.head += taken;
        if self.head == self.bytes.len() {
            self.bytes.clear();
            self.head = 0;
        }
        taken
    }
}

impl Default for Wire {
    fn default() -> Self {
        Self::new()
    }
}

/// As a non-blocking socket.
impl io::Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.take(into) {
            0 if !into.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            taken => Ok(taken),
        }
    }
}

impl io::Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
