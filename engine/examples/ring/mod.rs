//! A submission queue and a completion queue, in the shape of `io_uring(7)`, on a pool of threads.
//!
//! An operation owns its buffer from its submission to its completion, as the kernel demands: the
//! submitter cannot touch it meanwhile, and gets it back with the result. Nothing here knows of
//! TLS. `docs/embedding.md` has the table that maps each call to io_uring.

extern crate alloc;

use alloc::sync::Arc;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use bytes::Bytes;

/// What the submitter recognises a completion by (`user_data`).
pub(crate) type Token = usize;

/// What is asked for. Sockets are blocking: a thread of the pool waits, not the loop.
pub(crate) enum Operation {
    /// Accept a connection.
    Accept(Arc<TcpListener>),
    /// Receive into the buffer, up to its length.
    Receive(Arc<TcpStream>, Vec<u8>),
    /// Send from the front of the bytes; perhaps not all of them.
    Send(Arc<TcpStream>, Bytes),
    /// Close the sending half of the transport.
    CloseHalf(Arc<TcpStream>),
}

/// What became of it, with the buffer that it owned.
pub(crate) enum Completion {
    /// The connection.
    Accepted(io::Result<TcpStream>),
    /// The number of bytes at the front of the buffer; 0 is the transport's end.
    Received(io::Result<usize>, Vec<u8>),
    /// The number of bytes that were sent from the front.
    Sent(io::Result<usize>, Bytes),
    /// Whether the half is closed.
    HalfClosed(io::Result<()>),
}

/// The two queues.
pub(crate) struct Ring {
    submissions: Sender<(Token, Operation)>,
    /// The other end of the above, shared by all threads.
    work: Arc<Mutex<Receiver<(Token, Operation)>>>,
    completed: Sender<(Token, Completion)>,
    completions: Receiver<(Token, Completion)>,
    in_flight: usize,
    threads: usize,
}

impl Ring {
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
    /// A thread is held by each operation in flight. There are never fewer threads than
    /// operations, or sends could wait behind receives that wait for their answer.
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
