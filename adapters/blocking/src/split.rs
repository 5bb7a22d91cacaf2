//! `ReadHalf` and `WriteHalf`: one connection for two threads that share its engine.
//!
//! Two locks, always taken in this order, and the engine's is never held inside a socket call:
//!
//! ```text
//!   sender   who sends; held while the transport's writer is called
//!   engine   who asks the engine; held for one record's work
//! ```
//!
//! Invariant: application data is sealed and taken out of the engine under both locks at once. So
//! what the engine's queue holds while the sender's lock is free is control records only, which the
//! reader may send: at most 128 bytes. It never sends data, and does not send at all before it has
//! handed out what has arrived, so it waits for a peer that does not read only if nothing more is
//! there to be read and the transport has not even room for these few bytes.

mod shared;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use std::io;
use std::sync::Mutex;

use offwire::{Engine, Read};
use offwire_stream::Link;

use crate::error::{self, truncated, unexpected};
use crate::slices::with_slices;
use crate::split::shared::{Sender, Shared};
use crate::transport::Divide;

/// The largest record of TLS 1.3 (RFC 8446 section 5.2): header, plaintext and 256 bytes.
const RECORD: usize = 5 + 16_384 + 256;

/// The half that reads: [`io::Read`] with the results of [`TlsStream`](crate::TlsStream).
///
/// It waits for the transport only in its own read calls, and with neither lock held. What it owes
/// the peer, an alert of at most 31 bytes, it sends itself once it has handed out what has arrived,
/// unless the other half is sending: then that half sends it next. The answer to a KeyUpdate leaves with the next write, as RFC 8446
/// section 4.6.3 demands.
///
/// Dropping it does no I/O and leaves the other half working; the transport's writer goes with the
/// last half.
pub struct ReadHalf<T: Divide> {
    link: Link<T::Reader>,
    arrived: Arrived,
    shared: Arc<Shared<T::Writer>>,
}

/// The half that writes: [`io::Write`] with the results of [`TlsStream`](crate::TlsStream).
///
/// A write that the peer does not take blocks this half alone. Of slices a call takes the first 64
/// that are not empty, and of those a record, as [`TlsStream`](crate::TlsStream) does. Dropping it does no I/O and leaves
/// the other half working; call [`Self::shutdown`] first, else the peer sees a truncation.
pub struct WriteHalf<T: Divide> {
    shared: Arc<Shared<T::Writer>>,
}

/// Bytes that the transport delivered and the engine has not taken.
struct Arrived {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

/// Divides a connection whose handshake is complete.
pub(crate) fn halves<T: Divide>(mut engine: Engine, link: Link<T>) -> (ReadHalf<T>, WriteHalf<T>) {
    let joined = if link.owes_flush() {
        Link::used
    } else {
        Link::fresh
    };
    let (reader, writer) = link.into_transport().divide();
    let sender = Sender {
        link: joined(writer),
        unsent: engine.take_outgoing(),
    };
    let shared = Arc::new(Shared {
        engine: Mutex::new(engine),
        sender: Mutex::new(sender),
    });
    let read_half = ReadHalf {
        link: Link::fresh(reader),
        arrived: Arrived::new(),
        shared: Arc::clone(&shared),
    };
    (read_half, WriteHalf { shared })
}

impl<T: Divide> ReadHalf<T> {
    /// The transport's reader, to set its time limit for example.
    #[must_use]
    pub fn transport(&self) -> &T::Reader {
        self.link.transport()
    }

    /// Asks the engine that both halves share: facts, counters, [`Engine::release`].
    ///
    /// Both halves wait meanwhile, so `ask` must be short and must not call either of them. Bytes
    /// that are fed, written or taken here pass the transport by.
    ///
    /// # Errors
    /// If a thread panicked while it used the engine: the connection is then over.
    pub fn with_engine<A>(&self, ask: impl FnOnce(&mut Engine) -> A) -> io::Result<A> {
        Ok(ask(&mut *self.shared.engine()?))
    }
}

impl<T: Divide> WriteHalf<T> {
    /// Closes our half with close_notify, behind all that was written, and flushes the transport.
    ///
    /// It does not wait for the peer's: the other half reads `Ok(0)` when that arrives.
    ///
    /// # Errors
    /// The transport's: repeat the call. TLS's: the connection is over.
    pub fn shutdown(&mut self) -> io::Result<()> {
        let result = self.shared.shutdown();
        self.shared.send_control();
        result
    }

    /// Asks the engine that both halves share, as [`ReadHalf::with_engine`]: facts, counters,
    /// [`Engine::key_update`].
    ///
    /// # Errors
    /// As there.
    pub fn with_engine<A>(&self, ask: impl FnOnce(&mut Engine) -> A) -> io::Result<A> {
        Ok(ask(&mut *self.shared.engine()?))
    }
}

impl<T: Divide> io::Read for ReadHalf<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            let outcome = {
                let mut engine = self.shared.engine()?;
                self.arrived.feed(&mut engine);
                engine.read(into)
            };
            match outcome {
                Ok(Read::Read(n)) => return Ok(n),
                Ok(Read::NeedRead) if !self.arrived.is_empty() => {}
                Ok(Read::NeedRead) => {
                    self.shared.send_control();
                    if self.arrived.receive(&mut self.link)? == 0 {
                        self.shared.engine()?.feed_eof();
                    }
                }
                Ok(Read::NeedWrite) => return Err(unexpected("a read waits for output")),
                Ok(Read::Closed) => return Ok(0),
                Ok(Read::Truncated) => return Err(truncated()),
                Err(error) => {
                    self.shared.send_control();
                    return Err(error::tls(error));
                }
            }
        }
    }
}

impl<T: Divide> io::Write for WriteHalf<T> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        let result = self.shared.write(|engine| engine.write(plaintext));
        self.shared.send_control();
        result
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let result = with_slices(slices, |slices| {
            self.shared.write(|engine| engine.write_vectored(slices))
        });
        self.shared.send_control();
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.shared.flush();
        self.shared.send_control();
        result
    }
}

impl Arrived {
    fn new() -> Self {
        Self {
            buffer: alloc::vec![0; RECORD].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Gives the engine as much as it takes.
    fn feed(&mut self, engine: &mut Engine) {
        let bytes = self.buffer.get(self.start..self.end);
        self.start += engine.feed(bytes.unwrap_or_default());
    }

    /// Reads the transport once, after all that arrived before was fed; 0 at the transport's end.
    fn receive(&mut self, link: &mut Link<impl io::Read>) -> io::Result<usize> {
        (self.start, self.end) = (0, 0);
        self.end = link.receive_into(&mut self.buffer)?;
        Ok(self.end)
    }
}

impl<T: Divide> fmt::Debug for ReadHalf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadHalf")
            .field("engine", &self.shared.engine)
            .finish_non_exhaustive()
    }
}

impl<T: Divide> fmt::Debug for WriteHalf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteHalf")
            .field("engine", &self.shared.engine)
            .finish_non_exhaustive()
    }
}
