//! The engine of [`offwire`] over any transport that implements [`std::io::Read`] and
//! [`std::io::Write`], with the outcomes of `SSL_read(3)` and `SSL_write(3)`.
//!
//! ```text
//!   caller ── handshake, read, peek, write, shutdown ──► Stream<T> { Engine, T }
//!                                                          │   feed_space ◄── T::read
//!                                                          └── outgoing_slices ──► T::write_vectored
//! ```
//!
//! A [`Stream`] moves ciphertext and maps outcomes. It holds no byte and no TLS state: what was
//! sealed and not yet sent stays in the engine, where a repeated call finds it. So a blocked write
//! that is repeated reaches the peer once, and so does one that failed with an I/O error.
//!
//! On a **blocking** transport a call returns when it is done. On a **non-blocking** one it says
//! `NeedRead` or `NeedWrite` when the transport says [`WouldBlock`](std::io::ErrorKind::WouldBlock):
//! wait until the transport is ready, then repeat the call, a write with the same bytes.
//!
//! ```no_run
//! use std::net::TcpStream;
//!
//! use offwire::rustls::{ClientConfig, RootCertStore};
//! use offwire::{Client, Read, Write};
//! use offwire_stream::Stream;
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! # let roots = RootCertStore::empty();
//! let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
//! let socket = TcpStream::connect("example.org:443")?;
//! let mut stream = Stream::connect(&Client::new(config), "example.org".try_into()?, socket)?;
//!
//! let request = b"GET / HTTP/1.0\r\nHost: example.org\r\n\r\n";
//! assert_eq!(stream.write(request)?, Write::Written(request.len()));
//! let mut page: Vec<u8> = Vec::new();
//! let mut buffer = [0; 16_384];
//! let whole = loop {
//!     match stream.read(&mut buffer)? {
//!         Read::Read(n) => page.extend_from_slice(&buffer[..n]),
//!         Read::Closed => break true,
//!         Read::Truncated => break false, // cut off, perhaps by an attacker
//!         Read::NeedRead | Read::NeedWrite => continue, // never said by a blocking socket
//!     }
//! };
//! # assert!(whole); Ok(())
//! # }
//! ```

mod carry;
mod error;
mod link;
mod parts;
mod stream;

pub use error::Error;
pub use link::{Link, Received};
pub use stream::Stream;
