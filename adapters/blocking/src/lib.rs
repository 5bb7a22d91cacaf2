//! TLS over a blocking transport as [`std::io::Read`] and [`std::io::Write`], on the engine of
//! [`offwire`].
//!
//! ```text
//!   caller ── read, write, flush, shutdown ──► TlsStream<T> { Engine, T }
//!                                                │   split(), for two threads
//!                                    ┌───────────┴───────────┐
//!                          ReadHalf<T>                       WriteHalf<T>
//! ```
//!
//! [`TlsStream`] is what a program with a thread for each connection wants: everything that takes
//! an `io::Read` or an `io::Write` works over it, `io::copy`, `BufReader`, `write!`. Contexts are
//! [`offwire::Client`] and [`offwire::Server`], made from rustls's configuration, which
//! [`offwire::rustls`] re-exports: depend on `offwire` and on this crate.
//!
//! ```no_run
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! use offwire::Client;
//! use offwire::rustls::{ClientConfig, RootCertStore};
//! use offwire_blocking::TlsStream;
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! # let roots = RootCertStore::empty();
//! let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
//! let socket = TcpStream::connect("example.org:443")?;
//! let mut stream = TlsStream::connect(&Client::new(config), "example.org".try_into()?, socket)?;
//!
//! stream.write_all(b"GET / HTTP/1.0\r\nHost: example.org\r\n\r\n")?;
//! let mut page = String::new();
//! stream.read_to_string(&mut page)?; // an error if the connection was cut off
//! # Ok(())
//! # }
//! ```
//!
//! # What a call promises
//!
//! - An error of `write` means that nothing was taken; what was taken is never sent twice. A call
//!   that failed with a time limit can be repeated, and so can one that failed otherwise.
//! - `Ok(0)` from `read` is an authenticated end. A cut connection is
//!   [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof).
//! - `flush` leaves nothing behind. `shutdown` sends close_notify, and waits for the peer's if
//!   asked to. Dropping does no I/O.
//! - A TLS error is inside the [`std::io::Error`]: [`tls_error`] finds it.
//!
//! [`TlsStream`] has the details.
//!
//! # Two threads
//!
//! One thread that reads and then writes must not be made to wait for a peer that does the same.
//! [`TlsStream::split`] gives a [`ReadHalf`] and a [`WriteHalf`], each for a thread of its own; they
//! share the engine, and neither makes the other wait for the transport. Sockets can be divided,
//! and so can two ends of anything, as [`Joined`].
//!
//! ```
//! use std::io::{Read, Write};
//! use std::os::unix::net::UnixStream;
//! use std::thread;
//!
//! use offwire_blocking::{CloseNotify, TlsStream};
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! # // From rustls's `ClientConfig` and `ServerConfig`; the test kit has both ready.
//! # let (client, server) = offwire_testkit::Contexts::new().build();
//! let (near, far) = UnixStream::pair()?;
//! let echo = thread::spawn(move || {
//!     let mut stream = TlsStream::accept(&server, far)?;
//!     let mut text = String::new();
//!     stream.read_to_string(&mut text)?;
//!     stream.write_all(text.as_bytes())?;
//!     stream.shutdown(CloseNotify::Ours)
//! });
//!
//! let stream = TlsStream::connect(&client, "localhost".try_into()?, near)?;
//! let (mut reader, mut writer) = stream.split()?;
//! let writing = thread::spawn(move || {
//!     writer.write_all(b"what goes out")?;
//!     writer.shutdown() // close_notify: the peer's reader ends
//! });
//! let mut text = String::new();
//! reader.read_to_string(&mut text)?;
//! assert_eq!(text, "what goes out");
//! # writing.join().unwrap()?;
//! # let _ = echo.join().unwrap()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Serving
//!
//! ```no_run
//! use std::io;
//! use std::net::TcpListener;
//! use std::thread;
//!
//! use offwire::Server;
//! use offwire::rustls::ServerConfig;
//! use offwire::rustls::pki_types::pem::PemObject;
//! use offwire::rustls::pki_types::{CertificateDer, PrivateKeyDer};
//! use offwire_blocking::TlsStream;
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! let chain = CertificateDer::pem_file_iter("cert.pem")?.collect::<Result<_, _>>()?;
//! let key = PrivateKeyDer::from_pem_file("key.pem")?;
//! let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
//! let server = Server::new(config);
//! for socket in TcpListener::bind("127.0.0.1:4433")?.incoming() {
//!     let (server, socket) = (server.clone(), socket?);
//!     thread::spawn(move || -> io::Result<()> {
//!         let (mut reader, mut writer) = TlsStream::accept(&server, socket)?.split()?;
//!         io::copy(&mut reader, &mut writer)?; // until the client's close_notify
//!         writer.shutdown()
//!     });
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The examples `https_client` and `echo_per_thread` are whole programs.
//!
//! # What a transport must hold
//!
//! 6 bytes each way. In TLS 1.3 a client sends its change_cipher_spec in the middle of the server's
//! flight (RFC 8446 section D.4): over less, both ends write and neither reads, and a blocking
//! transport offers no way to listen meanwhile. In TLS 1.2 one byte is enough. Sockets and pipes of a
//! system hold thousands.
//!
//! # Which adapter
//!
//! This one hides waiting behind `std::io`. With a non-blocking transport, or to see the outcomes
//! of `SSL_read(3)` and `SSL_write(3)` themselves, use `offwire-stream`.
//!
//! # Features
//!
//! `aws-lc-rs`, the default, and `ring` are those of [`offwire`](offwire#features): which library seals and
//! opens the records. For ring alone, `default-features = false` and `features = ["ring"]` here and
//! where you depend on `offwire`: one dependency that leaves the default on brings AWS-LC back.

extern crate alloc;

mod error;
mod parts;
mod slices;
mod split;
mod stream;
mod transport;

pub use error::tls_error;
pub use split::{ReadHalf, WriteHalf};
pub use stream::{CloseNotify, TlsStream};
pub use transport::{Divide, Joined, SharedSocket};
