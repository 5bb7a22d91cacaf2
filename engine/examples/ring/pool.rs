//! The ring on a pool of threads, where the kernel has none for us. No server's choice: a thread is
//! held by each operation in flight.

use alloc::sync::Arc;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::ring::{Completion, Operation, Token};

/// The two queues.
pub(crate) struct Pool {
    submissions: Sender<(Token, Operation)>,
    /// The other end of the above, shared by all threads.
    work: Arc<Mutex<Receiver<(Token, Operation)>>>,
    completed: Sender<(Token, Completion)>,
    completions: Receiver<(Token, Completion)>,
    in_flight: usize,
    threads: usize,
}

impl Pool {
    pub(crate) fn new() -> Self {
        let (submissions, work) = mpsc::channel();
        let (completed, completions) = mpsc::channel();
        Self {
            submissions,
            work: Arc::new(Mutex::new(work)),
            completed,
            completions,
            in_flight: 0,
            threads: 0,
        }
    }

    /// Hands an operation over, with its buffer.
    ///
    /// There are never fewer threads than operations, or sends could wait behind receives that wait
    /// for their answer.
    pub(crate) fn submit(&mut self, token: Token, operation: Operation) -> io::Result<()> {
        self.in_flight += 1;
        if self.in_flight > self.threads {
            let (work, completed) = (Arc::clone(&self.work), self.completed.clone());
            thread::Builder::new().spawn(move || serve(&work, &completed))?;
            self.threads += 1;
        }
        let submitted = self.submissions.send((token, operation));
        submitted.map_err(|_| io::Error::other("no thread is left"))
    }

    /// Waits for a completion; `None` if nothing is in flight, so none would ever come.
    pub(crate) fn wait(&mut self) -> Option<(Token, Completion)> {
        let left = self.in_flight.checked_sub(1)?;
        let completion = self.completions.recv().ok()?;
        self.in_flight = left;
        Some(completion)
    }

    /// How many threads the pool has grown to.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }
}

/// A thread of the pool: performs operations until the ring is dropped.
fn serve(work: &Mutex<Receiver<(Token, Operation)>>, completed: &Sender<(Token, Completion)>) {
    loop {
        // The guard is dropped at the end of the statement: only waiting for work is exclusive.
        let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((token, operation)) = next else { return };
        if completed.send((token, perform(operation))).is_err() {
            return;
        }
    }
}

fn perform(operation: Operation) -> Completion {
    match operation {
        Operation::Accept(listener) => {
            Completion::Accepted(listener.accept().map(|(socket, _)| socket))
        }
        Operation::Receive(socket, mut buffer) => {
            let received = uninterrupted(|| (&*socket).read(&mut buffer));
            Completion::Received(received, buffer)
        }
        Operation::Send(socket, bytes) => {
            Completion::Sent(uninterrupted(|| (&*socket).write(&bytes)), bytes)
        }
        Operation::CloseHalf(socket) => Completion::HalfClosed(socket.shutdown(Shutdown::Write)),
    }
}

fn uninterrupted(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
