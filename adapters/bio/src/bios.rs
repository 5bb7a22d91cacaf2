//! `Bios`: a transport made of one BIO to read from and one to write to, as `SSL_set_bio(3)`.

use std::io::{self, IoSlice};

/// Two one-way transports as one: reads go to `rbio`, writes to `wbio` (`SSL_set_bio(3)`).
///
/// Joins two [`MemoryBio`](crate::MemoryBio)s under a `Stream`, or a BIO and anything else that
/// reads or writes.
///
/// ```
/// use offwire_bio::{Bios, MemoryBio};
/// use offwire_stream::Stream;
/// # use offwire::Handshake;
/// # use offwire_testkit::Contexts;
/// # let (contexts, (client, _)) = (Contexts::new(), Contexts::new().build());
/// # let name = contexts.name();
///
/// let bios = Bios { rbio: MemoryBio::new(), wbio: MemoryBio::new() };
/// let mut stream = Stream::connect(&client, name, bios)?;
/// assert_eq!(stream.handshake()?, Handshake::NeedRead);
/// let client_hello = stream.transport_mut().wbio.mem_data();
/// assert_eq!(client_hello[0], 22);
/// # Ok::<(), offwire_stream::Error>(())
/// ```
#[expect(
    clippy::exhaustive_structs,
    reason = "a connection reads and writes, no more"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bios<R, W> {
    /// Where reads come from.
    pub rbio: R,
    /// Where writes go.
    pub wbio: W,
}

impl<R: io::Read, W> io::Read for Bios<R, W> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.rbio.read(into)
    }
}

impl<R, W: io::Write> io::Write for Bios<R, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wbio.write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.wbio.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.wbio.flush()
    }
}
