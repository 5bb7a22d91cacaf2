//! A submission queue and a completion queue, in the shape of `io_uring(7)`: the kernel's own where
//! it lets us have one, else a pool of threads.
//!
//! An operation owns its buffer from its submission to its completion, as the kernel demands: the
//! submitter cannot touch it meanwhile, and gets it back with the result. Nothing here knows of
//! TLS.

extern crate alloc;

use alloc::sync::Arc;
use core::fmt;
use std::io;
use std::net::{TcpListener, TcpStream};

use bytes::Bytes;

#[cfg(target_os = "linux")]
mod kernel;
mod pool;

#[cfg(target_os = "linux")]
use kernel::Kernel;
use pool::Pool;

/// What the submitter recognises a completion by (`user_data`).
pub(crate) type Token = usize;

/// What is asked for. Sockets are blocking: whoever serves the ring waits, not the loop.
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
pub(crate) enum Ring {
    /// The kernel's io_uring.
    #[cfg(target_os = "linux")]
    Kernel(Box<Kernel>),
    /// Threads, and why it is they.
    Threads(Pool, String),
}

impl Ring {
    /// The kernel's ring, else threads: not every kernel has one, and containers often forbid it.
    #[cfg(target_os = "linux")]
    pub(crate) fn new() -> Self {
        match Kernel::new() {
            Ok(kernel) => Self::Kernel(Box::new(kernel)),
            Err(error) => Self::Threads(Pool::new(), format!("no io_uring here: {error}")),
        }
    }

    /// Threads: io_uring is Linux's.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new() -> Self {
        Self::Threads(Pool::new(), "io_uring is Linux's".to_owned())
    }

    /// Threads, whatever the kernel has.
    pub(crate) fn of_threads() -> Self {
        Self::Threads(Pool::new(), "as asked for".to_owned())
    }

    /// Hands an operation over, with its buffer.
    pub(crate) fn submit(&mut self, token: Token, operation: Operation) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Kernel(kernel) => {
                kernel.submit(token, operation);
                Ok(())
            }
            Self::Threads(pool, _) => pool.submit(token, operation),
        }
    }

    /// Waits for a completion; `None` if nothing is in flight, so none would ever come.
    pub(crate) fn wait(&mut self) -> io::Result<Option<(Token, Completion)>> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Kernel(kernel) => kernel.wait(),
            Self::Threads(pool, _) => Ok(pool.wait()),
        }
    }
}

impl fmt::Display for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(target_os = "linux")]
            Self::Kernel(_) => f.write_str("the kernel's io_uring"),
            Self::Threads(pool, why) => write!(f, "a ring of {} threads ({why})", pool.threads()),
        }
    }
}
