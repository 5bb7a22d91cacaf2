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
//! wait until the transport is ready, then repeat the call, a write with the same bytes. While a
//! [`shutdown`](Stream::shutdown) is blocked, read on: the peer may be waiting for that before it
//! reads what we send.
//!
//! # What a transport must hold
//!
//! - A non-blocking one: a byte each way. While a handshake cannot send, it listens.
//! - A blocking one offers no way to listen while it sends. In TLS 1.3 a client sends its
//!   change_cipher_spec in the middle of the server's flight (RFC 8446 section D.4), so two blocking
//!   ends over less than **6 bytes** each way wait for each other for ever. In TLS 1.2 one byte is
//!   enough. Sockets and pipes of a system hold thousands.
//!
//! # Reading ahead
//!
//! A read takes from the transport all that it has and the engine has room for, as OpenSSL does
//! with read-ahead on, and not record by record: half the calls of a transport, and the same
//! results. What was taken and not read is in the engine and goes with it
//! ([`Stream::into_parts`]). Over a memory BIO pair the request that a read in vain leaves is
//! therefore the engine's room, not the rest of a record.
//!
//! # Adapters of your own
//!
//! [`Link`] is the part of a `Stream` below the verbs: a transport, and what moves ciphertext between
//! it and an engine. An adapter with other outcomes begins there.
//!
//! ```toml
//! [dependencies]
//! offwire = "0.1"        # the contexts, the outcomes, and rustls for their configuration
//! offwire-stream = "0.1"
//! ```
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
//!
//! # Features
//!
//! `aws-lc-rs`, the default, and `ring` are those of [`offwire`](offwire#features): which library seals and
//! opens the records. For ring alone, `default-features = false` and `features = ["ring"]` here and
//! where you depend on `offwire`: one dependency that leaves the default on brings AWS-LC back.

/// The examples of the page for those who come from OpenSSL, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/migrating-from-openssl.md")]
mod migrating_from_openssl {}

mod carry;
mod early;
mod error;
mod link;
mod parts;
mod stream;

pub use error::Error;
pub use link::{Link, Received};
pub use stream::Stream;
