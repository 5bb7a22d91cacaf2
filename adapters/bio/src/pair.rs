//! `BioPair`: two joined halves in memory, call by call those of `BIO_s_bio(3)`.
//!
//! A half knows which direction is its own; what a direction does is that one's business.

use alloc::sync::Arc;
use core::fmt;
use std::io::{self, IoSlice};
use std::sync::Mutex;

use crate::direction::{Direction, Loan, Moved, lock};
use crate::outcome::{Reading, Writing};

/// Two joined memory BIOs: what is written to one half is read from the other
/// (`BIO_new_bio_pair(3)`).
///
/// ```
/// use offwire_bio::{BioPair, Reading, Writing};
///
/// let BioPair { mut a, mut b } = BioPair::new(4, 0);
/// assert_eq!(a.try_write(b"hello"), Writing::Written(4));
/// assert_eq!(a.try_write(b"o"), Writing::Full);
///
/// let mut buffer = [0; 8];
/// assert_eq!(b.try_read(&mut buffer), Reading::Read(4));
/// assert_eq!(&buffer[..4], b"hell");
/// assert_eq!(b.try_read(&mut buffer), Reading::Empty);
/// a.shutdown_write();
/// assert_eq!(b.try_read(&mut buffer), Reading::End);
/// ```
#[expect(
    clippy::exhaustive_structs,
    reason = "a pair has two halves, to be taken apart"
)]
#[derive(Debug)]
pub struct BioPair {
    /// The half that `capacity_a` bounds.
    pub a: BioHalf,
    /// The half that `capacity_b` bounds.
    pub b: BioHalf,
}

impl BioPair {
    /// Makes a pair in which at most `capacity_a` bytes written to [`Self::a`] wait for `b`, and at
    /// most `capacity_b` the other way; 0 stands for [`DEFAULT_CAPACITY`](crate::DEFAULT_CAPACITY).
    ///
    /// Allocates a direction's bytes, all of them at once, when the first of them is written.
    #[must_use]
    pub fn new(capacity_a: usize, capacity_b: usize) -> Self {
        let a_to_b = Arc::new(Mutex::new(Direction::new(capacity_a)));
        let b_to_a = Arc::new(Mutex::new(Direction::new(capacity_b)));
        Self {
            a: BioHalf {
                incoming: Arc::clone(&b_to_a),
                outgoing: Arc::clone(&a_to_b),
            },
            b: BioHalf {
                incoming: a_to_b,
                outgoing: b_to_a,
            },
        }
    }
}

/// One half of a [`BioPair`].
///
/// Reads and writes never wait: [`Self::try_read`] and [`Self::try_write`] say so in their
/// outcomes, [`io::Read`] and [`io::Write`] as [`io::ErrorKind::WouldBlock`]. Flushing does
/// nothing. The halves may live in different threads; nobody is woken up, though, so a thread that
/// waits must ask again.
///
/// # Dropping a half
/// What it has written can still be read, then the other half finds the end; what it has not read
/// is gone, and the other half's writes fail, as over a closed socket. (`BIO_free(3)` discards the
/// bytes of both directions.)
pub struct BioHalf {
    incoming: Arc<Mutex<Direction>>,
    outgoing: Arc<Mutex<Direction>>,
}

impl BioHalf {
    /// Moves up to `into.len()` bytes that the other half has written into `into` (`BIO_read(3)`).
    ///
    /// If it answers [`Reading::Empty`], the other half finds `into.len()` in its
    /// [`Self::read_request`].
    pub fn try_read(&mut self, into: &mut [u8]) -> Reading {
        lock(&self.incoming).read(into)
    }

    /// Moves as much of `bytes` into the pair as there is room for (`BIO_write(3)`).
    ///
    /// Takes at least one byte unless it answers [`Writing::Full`] or [`Writing::Shut`]. No bytes
    /// are always written at once.
    pub fn try_write(&mut self, bytes: &[u8]) -> Writing {
        lock(&self.outgoing).write([bytes])
    }

    /// How many bytes [`Self::nread`] would show now (`BIO_nread0(3)`): at least 1 and at most
    /// [`Self::pending`], which may take two calls where the ring wraps around.
    pub fn nread0(&mut self) -> Reading {
        lock(&self.incoming).readable()
    }

    /// Shows `take` the bytes that can be read without a copy, and consumes as many of them as it
    /// says (`BIO_nread(3)`), at most all.
    ///
    /// `take` is not called if there are none. While it runs, the other half's writes would block;
    /// everything else goes on, so `take` may use the other half, or block.
    ///
    /// # Errors
    /// Those of `take`; nothing is consumed then.
    ///
    /// ```
    /// # use std::io::Write as _;
    /// # use offwire_bio::{BioPair, Reading};
    /// # let BioPair { mut a, b: mut network } = BioPair::new(0, 0);
    /// # a.write_all(b"hello")?;
    /// let mut socket: Vec<u8> = Vec::new();
    /// assert_eq!(network.nread(|bytes| socket.write(bytes))?, Reading::Read(5));
    /// assert_eq!(socket, b"hello");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn nread<E>(&mut self, take: impl FnOnce(&[u8]) -> Result<usize, E>) -> Result<Reading, E> {
        let mut loan = match Loan::filled(&self.incoming) {
            Ok(loan) => loan,
            Err(nothing) => return Ok(nothing),
        };
        let bytes = loan.storage.get(loan.run.clone()).unwrap_or_default();
        let n = take(bytes)?.min(bytes.len());
        loan.moved = Moved::Taken(n);
        Ok(Reading::Read(n))
    }

    /// How much room [`Self::nwrite`] would offer now (`BIO_nwrite0(3)`): at least 1 and at most
    /// [`Self::write_guarantee`], which may take two calls where the ring wraps around.
    pub fn nwrite0(&mut self) -> Writing {
        lock(&self.outgoing).writable()
    }

    /// Lets `fill` write into the room that there is without a copy, and passes on as many bytes
    /// from its front as it says (`BIO_nwrite(3)`), at most all.
    ///
    /// `fill` is not called if there is none. The room holds arbitrary bytes that were there
    /// before. While it runs, the other half's reads would block; everything else goes on, so
    /// `fill` may use the other half, or block.
    ///
    /// # Errors
    /// Those of `fill`; nothing is passed on then.
    ///
    /// ```
    /// # use std::io::Read as _;
    /// # use offwire_bio::{BioPair, Writing};
    /// # let BioPair { a, b: mut network } = BioPair::new(0, 0);
    /// let mut socket = &b"hello"[..];
    /// assert_eq!(network.nwrite(|room| socket.read(room))?, Writing::Written(5));
    /// assert_eq!(a.pending(), 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn nwrite<E>(
        &mut self,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<Writing, E> {
        let mut loan = match Loan::vacant(&self.outgoing) {
            Ok(loan) => loan,
            Err(nothing) => return Ok(nothing),
        };
        let run = loan.run.clone();
        let room = loan.storage.get_mut(run).unwrap_or_default();
        let n = fill(room)?.min(room.len());
        loan.moved = Moved::Filled(n);
        Ok(Writing::Written(n))
    }

    /// Ends this half's direction (`BIO_shutdown_wr(3)`): later writes fail, and the other half
    /// finds the end behind the bytes that wait for it. Reading goes on. Can be repeated.
    pub fn shutdown_write(&mut self) {
        lock(&self.outgoing).shut();
    }

    /// Takes back all bytes of this half that the other has not read (`BIO_reset(3)`). An end stays
    /// an end.
    pub fn reset(&mut self) {
        lock(&self.outgoing).reset();
    }

    /// Sets [`Self::read_request`] to 0 (`BIO_ctrl_reset_read_request(3)`).
    pub fn reset_read_request(&mut self) {
        lock(&self.outgoing).reset_request();
    }

    /// How many bytes wait to be read from this half (`BIO_ctrl_pending(3)`).
    #[must_use]
    pub fn pending(&self) -> usize {
        lock(&self.incoming).len()
    }

    /// How many bytes of this half wait to be read from the other (`BIO_ctrl_wpending(3)`).
    #[must_use]
    pub fn wpending(&self) -> usize {
        lock(&self.outgoing).len()
    }

    /// How many bytes this half is certain to take at once (`BIO_ctrl_get_write_guarantee(3)`): its
    /// room, 0 once it is shut.
    #[must_use]
    pub fn write_guarantee(&self) -> usize {
        lock(&self.outgoing).guarantee()
    }

    /// How many bytes the other half asked for in vain (`BIO_ctrl_get_read_request(3)`).
    ///
    /// That is the length of the buffer it wanted to fill when there was nothing, at most
    /// [`Self::capacity`]; 0 if it has not asked, and from the next read or write on that moves
    /// bytes. Never more than [`Self::write_guarantee`], also once this half is shut (where OpenSSL
    /// goes on to say what was asked for).
    ///
    /// A `Stream` reads ahead: it asks for all that its engine has room for, as OpenSSL with
    /// read-ahead on, and not for the rest of a record, as OpenSSL does without. So over one this is a
    /// flag: the engine waits for bytes, and takes whatever is written.
    #[must_use]
    pub fn read_request(&self) -> usize {
        lock(&self.outgoing).request()
    }

    /// How many bytes of this half can wait for the other (`BIO_get_write_buf_size(3)`).
    #[must_use]
    pub fn capacity(&self) -> usize {
        lock(&self.outgoing).capacity()
    }

    /// Whether nothing waits to be read and nothing will come (`BIO_eof(3)`): the next read answers
    /// [`Reading::End`].
    #[must_use]
    pub fn eof(&self) -> bool {
        lock(&self.incoming).is_ended()
    }
}

impl io::Read for BioHalf {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.try_read(into).into()
    }
}

impl io::Write for BioHalf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write(bytes).into()
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        lock(&self.outgoing)
            .write(slices.iter().map(|slice| &**slice))
            .into()
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for BioHalf {
    fn drop(&mut self) {
        lock(&self.outgoing).shut();
        lock(&self.incoming).abandon();
    }
}

impl fmt::Debug for BioHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BioHalf")
            .field("pending", &self.pending())
            .field("wpending", &self.wpending())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}
