//! Memory in the place of a socket: bounded BIO pairs with the semantics and the names of
//! `BIO_s_bio(3)`, and memory BIOs as in `BIO_s_mem(3)`.
//!
//! ```text
//!   application ──► Stream<BioHalf> ── write ──► [ capacity_a ] ── read ──► the other half ──► …
//!                                   ◄── read ─── [ capacity_b ] ◄── write ──
//! ```
//!
//! * [`BioPair`]: two halves; what is written to one is read from the other. Each direction holds
//!   at most its capacity, then writes would block. A half knows what is [`pending`], its
//!   [`write_guarantee`], the other's [`read_request`], and [`shutdown_write`]s as a socket does.
//!   Bytes can be read and filled in place with [`nread`] and [`nwrite`].
//! * [`MemoryBio`]: one buffer, capped or not, and the choice of what an empty one means.
//! * [`Bios`]: a transport of one BIO to read from and one to write to.
//!
//! All of them implement [`std::io::Read`] and [`std::io::Write`] as non-blocking sockets do, so
//! `offwire_stream::Stream` runs over them, in one thread and without an operating system: for
//! protocols inside protocols, for simulations, and for tests in which every blocked write can be
//! arranged to the byte. The crate knows nothing of TLS and depends on nothing; for TLS over it depend
//! on `offwire` and `offwire-stream` as well.
//!
//! ```
//! use offwire::{Handshake, Write};
//! use offwire_bio::BioPair;
//! use offwire_stream::Stream;
//! # use offwire_testkit::Contexts;
//! # let contexts = Contexts::new();
//! # let ((client, server), name) = (contexts.build(), contexts.name());
//!
//! // `client`, `server`: an offwire::Client and an offwire::Server.
//! let BioPair { a, b } = BioPair::new(4_096, 4_096);
//! let mut client = Stream::connect(&client, name, a)?;
//! let mut server = Stream::accept(&server, b);
//! while (client.handshake()?, server.handshake()?) != (Handshake::Complete, Handshake::Complete) {}
//!
//! // A record does not fit: the write fills the pair, blocks, and goes on when there is room.
//! let plaintext = [7; 16_384];
//! assert_eq!(client.write(&plaintext)?, Write::NeedWrite);
//! assert_eq!(server.transport().pending(), 4_096);
//! let mut buffer = [0; 16_384];
//! while client.write(&plaintext)? == Write::NeedWrite {
//!     let _ = server.read(&mut buffer)?; // NeedRead: all that has arrived is taken
//! }
//! assert_eq!(server.read(&mut buffer)?, offwire::Read::Read(16_384));
//! assert_eq!(buffer, plaintext);
//! # Ok::<(), offwire_stream::Error>(())
//! ```
//!
//! # From OpenSSL
//!
//! | `BIO_s_bio(3)` | here |
//! |---|---|
//! | `BIO_new_bio_pair` | [`BioPair::new`] |
//! | `BIO_read`, `BIO_write` | [`BioHalf::try_read`], [`BioHalf::try_write`], and the traits |
//! | `BIO_should_read`, `BIO_should_write` | [`Reading::Empty`], [`Writing::Full`] |
//! | `BIO_nread0`, `BIO_nread` | [`BioHalf::nread0`], [`BioHalf::nread`] |
//! | `BIO_nwrite0`, `BIO_nwrite` | [`BioHalf::nwrite0`], [`BioHalf::nwrite`] |
//! | `BIO_ctrl_pending`, `BIO_ctrl_wpending` | [`BioHalf::pending`], [`BioHalf::wpending`] |
//! | `BIO_ctrl_get_write_guarantee` | [`BioHalf::write_guarantee`] |
//! | `BIO_ctrl_get_read_request`, `BIO_ctrl_reset_read_request` | [`BioHalf::read_request`], [`BioHalf::reset_read_request`] |
//! | `BIO_shutdown_wr`, `BIO_eof`, `BIO_reset` | [`BioHalf::shutdown_write`], [`BioHalf::eof`], [`BioHalf::reset`] |
//! | `BIO_get_write_buf_size` | [`BioHalf::capacity`] |
//! | `BIO_free`, `BIO_destroy_bio_pair` | dropping a half, which lets the other read to the end |
//! | `BIO_s_mem`, `BIO_set_mem_eof_return`, `BIO_get_mem_data` | [`MemoryBio`], [`MemoryBio::set_on_empty`], [`MemoryBio::mem_data`] |
//! | `SSL_set_bio(ssl, rbio, wbio)` | [`Bios`] |
//!
//! What is under a `Stream` is read as OpenSSL reads with `SSL_CTX_set_read_ahead(3)` on: all that has
//! arrived is taken at once, and [`read_request`] says that the engine waits, not how many bytes a
//! record still lacks.
//!
//! [`pending`]: BioHalf::pending
//! [`write_guarantee`]: BioHalf::write_guarantee
//! [`read_request`]: BioHalf::read_request
//! [`shutdown_write`]: BioHalf::shutdown_write
//! [`nread`]: BioHalf::nread
//! [`nwrite`]: BioHalf::nwrite

extern crate alloc;

mod bios;
mod direction;
mod memory;
mod outcome;
mod pair;
mod ring;

pub use bios::Bios;
pub use memory::{MemoryBio, OnEmpty};
pub use outcome::{Reading, Writing};
pub use pair::{BioHalf, BioPair};

/// The capacity that 0 stands for, in bytes: one TLS record and what it has beside it (OpenSSL:
/// `17 * 1024`).
pub const DEFAULT_CAPACITY: usize = 17 * 1_024;
