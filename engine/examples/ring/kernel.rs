//! The ring of the kernel, `io_uring(7)`, through `compio-driver`: each operation is moved into the
//! driver with its buffer and comes back with it, so that no call is unsafe.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};

use bytes::Bytes;
use compio_buf::{BufResult, IntoInner, IoBuf, Slice};
use compio_driver::op::{Accept, Recv, RecvFlags, Send, SendFlags, ShutdownSocket};
use compio_driver::{Key, Proactor, PushEntry};

use crate::ring::{Completion, Operation, Token};

/// The kernel's two queues, and what is in them.
pub(crate) struct Kernel {
    proactor: Proactor,
    in_flight: VecDeque<(Token, InFlight)>,
    /// What was done at once.
    done: VecDeque<(Token, Completion)>,
}

/// An operation in the hands of the kernel.
enum InFlight {
    Accept(Key<Accept<Arc<TcpListener>>>),
    Receive(Key<Recv<Slice<Vec<u8>>, Arc<TcpStream>>>),
    Send(Key<Send<Bytes, Arc<TcpStream>>>),
    CloseHalf(Key<ShutdownSocket<Arc<TcpStream>>>),
}

impl Kernel {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            proactor: Proactor::new()?,
            in_flight: VecDeque::new(),
            done: VecDeque::new(),
        })
    }

    /// Hands an operation over, with its buffer.
    pub(crate) fn submit(&mut self, token: Token, operation: Operation) {
        let ring = &mut self.proactor;
        let submitted = match operation {
            Operation::Accept(listener) => {
                sort(ring.push(Accept::new(listener)), InFlight::Accept, accepted)
            }
            Operation::Receive(socket, buffer) => {
                // Its length, not its capacity, is what the loop lends.
                let len = buffer.len();
                let receive = Recv::new(socket, buffer.slice(..len), RecvFlags::empty());
                sort(ring.push(receive), InFlight::Receive, received)
            }
            Operation::Send(socket, bytes) => {
                let send = Send::new(socket, bytes, SendFlags::empty());
                sort(ring.push(send), InFlight::Send, sent)
            }
            Operation::CloseHalf(socket) => {
                let close = ShutdownSocket::new(socket, Shutdown::Write);
                sort(ring.push(close), InFlight::CloseHalf, half_closed)
            }
        };
        match submitted {
            Ok(completion) => self.done.push_back((token, completion)),
            Err(operation) => self.in_flight.push_back((token, operation)),
        }
    }

    /// Waits for a completion; `None` if nothing is in flight.
    pub(crate) fn wait(&mut self) -> io::Result<Option<(Token, Completion)>> {
        loop {
            if let Some(done) = self.done.pop_front() {
                return Ok(Some(done));
            }
            if self.in_flight.is_empty() {
                return Ok(None);
            }
            self.proactor.poll(None)?;
            for (token, operation) in core::mem::take(&mut self.in_flight) {
                match operation.look(&mut self.proactor) {
                    Ok(completion) => self.done.push_back((token, completion)),
                    Err(operation) => self.in_flight.push_back((token, operation)),
                }
            }
        }
    }
}

impl InFlight {
    /// What became of it, or it again.
    fn look(self, ring: &mut Proactor) -> Result<Completion, Self> {
        match self {
            Self::Accept(key) => sort(ring.pop(key), Self::Accept, accepted),
            Self::Receive(key) => sort(ring.pop(key), Self::Receive, received),
            Self::Send(key) => sort(ring.pop(key), Self::Send, sent),
            Self::CloseHalf(key) => sort(ring.pop(key), Self::CloseHalf, half_closed),
        }
    }
}

/// A completion if there is one, else the operation that is still in flight.
fn sort<T>(
    entry: PushEntry<Key<T>, BufResult<usize, T>>,
    in_flight: fn(Key<T>) -> InFlight,
    complete: fn(BufResult<usize, T>) -> Completion,
) -> Result<Completion, InFlight> {
    match entry {
        PushEntry::Pending(key) => Err(in_flight(key)),
        PushEntry::Ready(result) => Ok(complete(result)),
    }
}

fn accepted<S>(BufResult(result, accept): BufResult<usize, Accept<S>>) -> Completion {
    Completion::Accepted(result.map(|_| accept.into_inner().0.into()))
}

fn received<S>(
    BufResult(result, receive): BufResult<usize, Recv<Slice<Vec<u8>>, S>>,
) -> Completion {
    Completion::Received(result, receive.into_inner().into_inner())
}

fn sent<S>(BufResult(result, send): BufResult<usize, Send<Bytes, S>>) -> Completion {
    Completion::Sent(result, send.into_inner())
}

fn half_closed<S>(BufResult(result, _): BufResult<usize, ShutdownSocket<S>>) -> Completion {
    Completion::HalfClosed(result.map(drop))
}
