//! Transports that two threads can use at once, one to read and one to write.

use alloc::sync::Arc;
use core::ops::Deref;
use std::io;
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;

/// A transport whose two directions can be used from two threads at once.
///
/// Sockets are: both halves share the one descriptor. Any two ends that belong together, such as a
/// pair of pipes, are made one transport by [`Joined`].
pub trait Divide {
    /// The direction from the peer.
    type Reader: io::Read;
    /// The direction to the peer.
    type Writer: io::Write;

    /// Takes the two directions apart. Does no I/O.
    fn divide(self) -> (Self::Reader, Self::Writer);
}

/// A socket in the hands of both halves; it is closed with the last.
#[derive(Debug)]
pub struct SharedSocket<S>(Arc<S>);

impl<S> SharedSocket<S> {
    fn two(socket: S) -> (Self, Self) {
        let socket = Arc::new(socket);
        (Self(Arc::clone(&socket)), Self(socket))
    }
}

impl<S> Deref for SharedSocket<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0
    }
}

impl<S> io::Read for SharedSocket<S>
where
    for<'a> &'a S: io::Read,
{
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(into)
    }
}

impl<S> io::Write for SharedSocket<S>
where
    for<'a> &'a S: io::Write,
{
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.0).flush()
    }
}

impl Divide for TcpStream {
    type Reader = SharedSocket<Self>;
    type Writer = SharedSocket<Self>;

    fn divide(self) -> (SharedSocket<Self>, SharedSocket<Self>) {
        SharedSocket::two(self)
    }
}

#[cfg(unix)]
impl Divide for UnixStream {
    type Reader = SharedSocket<Self>;
    type Writer = SharedSocket<Self>;

    fn divide(self) -> (SharedSocket<Self>, SharedSocket<Self>) {
        SharedSocket::two(self)
    }
}

/// One transport of two ends that belong together: a pair of pipes, a socket and its clone, a
/// process's stdin and stdout.
///
/// ```
/// use std::io::{Read, Write};
///
/// use offwire_blocking::Joined;
///
/// let mut transport = Joined::new(&b"from the peer"[..], Vec::new());
/// transport.write_all(b"to the peer")?;
/// let mut received = String::new();
/// transport.read_to_string(&mut received)?;
/// assert_eq!(received, "from the peer");
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct Joined<R, W> {
    reader: R,
    writer: W,
}

impl<R, W> Joined<R, W> {
    /// Joins the end that is read and the end that is written.
    pub fn new(reader: R, writer: W) -> Self {
        Self { reader, writer }
    }
}

impl<R: io::Read, W: io::Write> Divide for Joined<R, W> {
    type Reader = R;
    type Writer = W;

    fn divide(self) -> (R, W) {
        (self.reader, self.writer)
    }
}

impl<R: io::Read, W> io::Read for Joined<R, W> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reader.read(into)
    }
}

impl<R, W: io::Write> io::Write for Joined<R, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn write_vectored(&mut self, bytes: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.writer.write_vectored(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
