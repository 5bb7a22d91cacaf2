//! A thread whose result is awaited, but not for ever.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;

use crate::PATIENCE;

/// Work that goes on beside the test, such as filling a pipe.
#[derive(Debug)]
pub struct Worker<T> {
    task: &'static str,
    result: Receiver<T>,
}

impl<T: Send + 'static> Worker<T> {
    /// Starts the work.
    #[must_use]
    pub fn start(task: &'static str, work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (sender, result) = sync_channel(1);
        thread::spawn(move || {
            // A test that has failed meanwhile no longer waits.
            let _ = sender.send(work());
        });
        Self { task, result }
    }

    /// Waits for the result.
    #[must_use]
    pub fn finish(self) -> T {
        match self.result.recv_timeout(PATIENCE) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => panic!("{} took more than {PATIENCE:?}", self.task),
            Err(RecvTimeoutError::Disconnected) => panic!("{} failed", self.task),
        }
    }
}
