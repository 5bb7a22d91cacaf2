//! TLS as an edge-triggered source for [`mio::Poll`], on the engine of [`offwire`].
//!
//! ```text
//!   mio::Poll ── event ──► caller ── handshake, read, peek, write, shutdown ──► TlsSource<T>
//!       ▲                                                                          │
//!       └────────── register, reregister: exactly the engine's interest ◄──────────┘
//! ```
//!
//! A [`TlsSource`] owns a [`mio::net::TcpStream`], or anything else that is an
//! [`event::Source`](mio::event::Source) and reads and writes, and gives the outcomes of
//! [`offwire_stream::Stream`], on which it is built. It knows what the poll was told to wait for,
//! and nothing of TLS. Depend on `mio`, on `offwire`, which has the contexts and the outcomes, and on
//! this crate.
//!
//! # The loop
//!
//! 1. Make the source, call its first verb, then [`register`](TlsSource::register) it.
//! 2. On every event of its token, **whatever readiness the event reports**, repeat the verbs that
//!    have something to do, each until it says `NeedRead` or `NeedWrite`. A handshake reads to
//!    write and writes to read, and the readiness that an event reports is a hint.
//! 3. Then call [`reregister`](TlsSource::reregister). It enters the system only if the interest
//!    has changed.
//!
//! Two rules make that sound under edge triggering:
//!
//! - `NeedRead` and `NeedWrite` mean that the transport itself said
//!   [`WouldBlock`](std::io::ErrorKind::WouldBlock), so another event will come. A read that made
//!   room for ciphertext tries the transport again by itself, in the next call at the latest.
//! - Whoever stops **before** one of the two was said, for the sake of other connections or because
//!   what was read cannot be passed on yet, must come back without an event: what has arrived
//!   already is not announced again.
//!
//! Reading and writing do not wait for each other: [`TlsSource::read`] is served while a write is
//! blocked, and the reverse. A blocked write is repeated with the same bytes. While a
//! [`shutdown`](TlsSource::shutdown) is blocked, read on: the peer may be waiting for that before it
//! reads what we send.
//!
//! ```no_run
//! use mio::net::TcpStream;
//! use mio::{Events, Poll, Token};
//! use offwire::rustls::{ClientConfig, RootCertStore};
//! use offwire::{Client, Handshake, Read, Write};
//! use offwire_mio::TlsSource;
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! # let roots = RootCertStore::empty();
//! let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
//! let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(64));
//! let socket = TcpStream::connect("192.0.2.1:443".parse()?)?;
//! let mut source = TlsSource::connect(&Client::new(config), "example.org".try_into()?, socket)?;
//!
//! let mut request = Some(&b"GET / HTTP/1.0\r\nHost: example.org\r\n\r\n"[..]);
//! let mut buffer = [0; 16_384];
//! let _ = source.handshake(); // it cannot be complete yet; now the ClientHello waits to leave
//! source.register(poll.registry(), Token(0))?;
//! 'connection: loop {
//!     poll.poll(&mut events, None)?; // one source: whatever the event is, it is ours
//!     if let Some(bytes) = request {
//!         match source.write(bytes)? {
//!             Write::Written(_) => request = None,
//!             Write::NeedRead | Write::NeedWrite => {}
//!         }
//!     }
//!     loop {
//!         match source.read(&mut buffer)? {
//!             Read::Read(n) => println!("{}", String::from_utf8_lossy(&buffer[..n])),
//!             Read::NeedRead | Read::NeedWrite => break,
//!             Read::Closed => break 'connection,
//!             Read::Truncated => return Err("cut off, perhaps by an attacker".into()),
//!         }
//!     }
//!     source.reregister(poll.registry(), Token(0))?;
//! }
//! # Ok(()) }
//! ```
//!
//! The examples `echo_server`, `https_server` and `load` do this for thousands of connections, with
//! time limits and bounded memory.
//!
//! # Portability
//!
//! What mio says of [`Poll`](mio::Poll) holds here.
//!
//! - **Spurious events** do no harm: the verbs ask the transport and say what it said.
//! - **Draining readiness** is rule 2 of the loop: call until `NeedRead` or `NeedWrite`.
//! - **Connecting.** Where the system lets nobody write to a socket that is still connecting, the
//!   first verb fails with [`Error::Transport`] and
//!   [`NotConnected`](std::io::ErrorKind::NotConnected) (Linux says `WouldBlock`). Nothing is lost:
//!   the ClientHello waits, so that the interest contains writing, and the first event says that
//!   the connection stands or has failed. Ask
//!   [`TcpStream::take_error`](mio::net::TcpStream::take_error) which.
//! - **I/O outside of mio.** On Windows mio must see every read and write. The source uses only the
//!   transport's own [`Read`](std::io::Read) and [`Write`](std::io::Write).
//! - **An empty interest** is nothing that mio can be told. A source that waits for nothing is taken
//!   out of the poll and put back once it waits again; [`TlsSource::reregister`] does both.
//!
//! # Features
//!
//! `aws-lc-rs`, the default, and `ring` are those of [`offwire`](offwire#features): which library seals and
//! opens the records. For ring alone, `default-features = false` and `features = ["ring"]` here and
//! where you depend on `offwire`: one dependency that leaves the default on brings AWS-LC back.

mod registration;
mod source;

pub use offwire_stream::{Error, Stream};
pub use source::TlsSource;
