//! Blocking pipes in memory, for two threads.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use std::io::{self, Read, Write};
use std::sync::{Condvar, Mutex};

use offwire_blocking::Joined;

/// A blocking transport in memory.
pub(crate) type Blocking = Joined<PipeReader, PipeWriter>;

#[derive(Debug)]
struct Shared {
    content: Mutex<Content>,
    changed: Condvar,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Content {
    bytes: VecDeque<u8>,
    /// How many of the two ends are gone.
    gone: usize,
}

#[derive(Debug)]
pub(crate) struct PipeReader(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct PipeWriter(Arc<Shared>);

/// A pipe that holds so many bytes.
pub(crate) fn pipe(capacity: usize) -> (PipeReader, PipeWriter) {
    let shared = Arc::new(Shared {
        content: Mutex::default(),
        changed: Condvar::new(),
        capacity,
    });
    (PipeReader(Arc::clone(&shared)), PipeWriter(shared))
}

/// Two transports, each the other's, with so many bytes of buffer a direction.
pub(crate) fn transports(capacity: usize) -> (Blocking, Blocking) {
    let (near_reader, far_writer) = pipe(capacity);
    let (far_reader, near_writer) = pipe(capacity);
    (
        Joined::new(near_reader, near_writer),
        Joined::new(far_reader, far_writer),
    )
}

impl Read for PipeReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let content = self.0.content.lock().unwrap();
        let idle = |content: &mut Content| content.bytes.is_empty() && content.gone == 0;
        let mut content = self.0.changed.wait_while(content, idle).unwrap();
        let n = content.bytes.read(into)?;
        self.0.changed.notify_all();
        Ok(n)
    }
}

impl Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let capacity = self.0.capacity;
        let content = self.0.content.lock().unwrap();
        let full = |content: &mut Content| content.bytes.len() == capacity && content.gone == 0;
        let mut content = self.0.changed.wait_while(content, full).unwrap();
        if content.gone > 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let n = bytes.len().min(capacity - content.bytes.len());
        content.bytes.extend(&bytes[..n]);
        self.0.changed.notify_all();
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn leave(&self) {
        if let Ok(mut content) = self.content.lock() {
            content.gone += 1;
        }
        self.changed.notify_all();
    }
}

impl Drop for PipeReader {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Drop for PipeWriter {
    fn drop(&mut self) {
        self.0.leave();
    }
}
