//! The judge: OpenSSL in a process of its own, asked for one call at a time.
//!
//! Knows the pipe's format and nothing of TLS. The other side of it is `judge/judge.c`.

use core::fmt;
use std::io::{self, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What the judge can be asked for, numbered as in `judge.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Names its release.
    Version = 0,
    /// Takes the server's certificate and key.
    Identity = 1,
    /// Makes an end.
    New = 2,
    /// `SSL_do_handshake(3)`.
    Handshake = 3,
    /// `SSL_write(3)`.
    Write = 4,
    /// `SSL_read(3)`.
    Read = 5,
    /// `SSL_peek(3)`.
    Peek = 6,
    /// `SSL_shutdown(3)`.
    Shutdown = 7,
    /// `SSL_key_update(3)`.
    KeyUpdate = 8,
    /// `SSL_renegotiate(3)`.
    Renegotiate = 9,
    /// `BIO_read(3)` on the network half.
    Take = 10,
    /// `BIO_write(3)` on the network half.
    Put = 11,
    /// `BIO_shutdown_wr(3)` on the network half.
    End = 12,
}

/// A command; the fields are explained in `judge.c`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order<'a> {
    pub(crate) operation: Operation,
    pub(crate) end: u8,
    pub(crate) flags: u8,
    pub(crate) a: usize,
    pub(crate) b: usize,
    pub(crate) payload: &'a [u8],
}

/// What OpenSSL answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What the call returned.
    pub(crate) result: i32,
    /// What `SSL_get_error(3)` said of it.
    pub(crate) error: i32,
    /// The reason code of the newest error in the queue that says why, or 0.
    pub(crate) reason: i32,
    /// Bytes emitted and not taken.
    pub(crate) out: usize,
    /// `SSL_pending(3)`.
    pub(crate) pending: usize,
    /// What was read or taken.
    pub(crate) payload: Vec<u8>,
}

/// The process, and the two pipes to it. It ends when it is dropped.
pub(crate) struct Judge {
    process: Child,
    orders: ChildStdin,
    answers: ChildStdout,
}

impl Judge {
    /// Starts the judge, whose server proves itself with `identity`: a certificate and its key, as
    /// PEM.
    ///
    /// # Errors
    /// If the process cannot be started or does not take the identity.
    pub(crate) fn start(identity: &str) -> io::Result<Self> {
        let mut process = Command::new(env!("JUDGE"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("the judge has no pipes");
        let orders = process.stdin.take().ok_or_else(missing)?;
        let answers = process.stdout.take().ok_or_else(missing)?;
        let mut judge = Self {
            process,
            orders,
            answers,
        };
        let taken = judge.ask(&Order {
            payload: identity.as_bytes(),
            ..Order::new(Operation::Identity, 0)
        })?;
        if taken.result != 1 {
            return Err(io::Error::other(
                "OpenSSL refuses the server's certificate or key",
            ));
        }
        Ok(judge)
    }

    /// The name of the OpenSSL release.
    ///
    /// # Errors
    /// If the judge is gone.
    pub(crate) fn release(&mut self) -> io::Result<String> {
        let answer = self.ask(&Order::new(Operation::Version, 0))?;
        Ok(String::from_utf8_lossy(&answer.payload).into_owned())
    }

    /// Makes one call and waits for its answer.
    pub(crate) fn ask(&mut self, order: &Order<'_>) -> io::Result<Answer> {
        let mut message = Vec::with_capacity(16 + order.payload.len());
        message.extend([order.operation as u8, order.end, order.flags, 0]);
        for number in [order.a, order.b, order.payload.len()] {
            let number = u32::try_from(number).map_err(io::Error::other)?;
            message.extend(number.to_le_bytes());
        }
        message.extend(order.payload);
        self.orders.write_all(&message)?;

        let mut head = [0_u8; 24];
        self.answers.read_exact(&mut head)?;
        let mut numbers = head.chunks_exact(4).map(|four| {
            let four = <[u8; 4]>::try_from(four).unwrap_or_default();
            i32::from_le_bytes(four)
        });
        let mut next = || numbers.next().unwrap_or_default();
        let (result, error, reason) = (next(), next(), next());
        let mut length = || usize::try_from(next()).map_err(io::Error::other);
        let (out, pending, payload) = (length()?, length()?, length()?);
        let mut answer = Answer {
            result,
            error,
            reason,
            out,
            pending,
            payload: vec![0; payload],
        };
        self.answers.read_exact(&mut answer.payload)?;
        Ok(answer)
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left to be done about it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge")
            .field("process", &self.process.id())
            .finish_non_exhaustive()
    }
}

impl Order<'_> {
    /// An order without numbers and bytes.
    pub(crate) fn new(operation: Operation, end: u8) -> Self {
        Self {
            operation,
            end,
            flags: 0,
            a: 0,
            b: 0,
            payload: &[],
        }
    }
}
