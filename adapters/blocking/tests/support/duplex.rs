//! Work in several threads under a watchdog, and the bulk that passes between them.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;

use offwire_blocking::{Divide, ReadHalf, WriteHalf};

/// How long nothing at all may move before a test has failed. Success never waits for it.
const STALLED: Duration = Duration::from_secs(60);

/// Threads that must go on, however long they take.
pub(crate) struct Watched {
    moved: Arc<AtomicU64>,
    done: Receiver<&'static str>,
    tell: Sender<&'static str>,
    running: Vec<&'static str>,
}

/// What a watched thread tells the watchdog.
#[derive(Clone)]
pub(crate) struct Progress(Arc<AtomicU64>);

impl Progress {
    pub(crate) fn moved(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Watched {
    pub(crate) fn new() -> Self {
        let (tell, done) = channel();
        Self {
            moved: Arc::default(),
            done,
            tell,
            running: Vec::new(),
        }
    }

    /// Starts a thread of this name.
    pub(crate) fn spawn(
        &mut self,
        name: &'static str,
        work: impl FnOnce(Progress) + Send + 'static,
    ) {
        let (tell, progress) = (self.tell.clone(), Progress(Arc::clone(&self.moved)));
        self.running.push(name);
        thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                work(progress);
                tell.send(name).unwrap();
            })
            .unwrap();
    }

    /// Waits until all threads are done.
    ///
    /// # Panics
    /// Once nothing has moved for a long time; a thread that panicked never gets done.
    pub(crate) fn finish(mut self) {
        let mut before = 0;
        while !self.running.is_empty() {
            match self.done.recv_timeout(STALLED) {
                Ok(name) => self.running.retain(|other| *other != name),
                Err(RecvTimeoutError::Timeout) => {
                    let now = self.moved.load(Ordering::Relaxed);
                    assert!(now > before, "{:?} stalled after {now} bytes", self.running);
                    before = now;
                }
                Err(RecvTimeoutError::Disconnected) => unreachable!("we hold a sender"),
            }
        }
    }
}

/// Writes so many bytes in pieces of `piece`, then close_notify.
pub(crate) fn pour<T: Divide>(
    mut writer: WriteHalf<T>,
    (len, piece): (usize, usize),
    progress: &Progress,
) {
    let bytes: Vec<u8> = (0..=250).cycle().take(piece + 251).collect();
    let mut written = 0;
    while written < len {
        let start = written % 251;
        let end = start + piece.min(len - written);
        let n = writer.write(&bytes[start..end]).unwrap();
        written += n;
        progress.moved(n);
    }
    writer.flush().unwrap();
    writer.shutdown().unwrap();
}

/// Reads to the end, which must come after so many bytes.
pub(crate) fn drain<T: Divide>(
    mut reader: ReadHalf<T>,
    (len, piece): (usize, usize),
    progress: &Progress,
) -> ReadHalf<T> {
    let expected: Vec<u8> = (0..=250).cycle().take(piece + 251).collect();
    let mut buffer = vec![0; piece];
    let mut read = 0;
    loop {
        let n = reader.read(&mut buffer).unwrap();
        if n == 0 {
            break;
        }
        let start = read % 251;
        assert!(
            buffer[..n] == expected[start..start + n],
            "wrong bytes behind {read}"
        );
        read += n;
        progress.moved(n);
    }
    assert_eq!(read, len);
    reader
}
