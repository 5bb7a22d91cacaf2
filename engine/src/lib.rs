//! A TLS engine that never touches the wire.
//!
//! Ciphertext goes in and comes out as bytes, plaintext goes in and comes out as bytes, and every
//! call says in one value what it achieved or what it waits for. The engine opens no socket,
//! reads no clock, starts no thread and calls nobody back. Its write contract is that of OpenSSL's
//! `SSL_write(3)`: implicit handshake, whole or partial writes, the retry rule.
//!
//! ```text
//!              plaintext                       ciphertext
//!   caller  -- write(..) ---->  +--------+  -- outgoing(), sent(n) -->  transport
//!           <- read(..) ------  | Engine |  <- feed(..), feed_eof() --
//!           -- shutdown() --->  +--------+
//! ```
//!
//! [rustls] shakes hands and checks certificates; the engine owns the record layer, the contract
//! and the bounds. Contexts ([`Client`], [`Server`]) take rustls's configuration as it is.
//!
//! # The loop
//!
//! Whatever moves the bytes, the loop is the same: call a verb; send what
//! [`outgoing`](Engine::outgoing) holds and report it with [`sent`](Engine::sent); when a verb
//! says `NeedRead`, [`feed`](Engine::feed) what has arrived; call the verb again.
//!
//! ```
//! use std::io::{Read as _, Write as _};
//! use std::net::TcpStream;
//!
//! use offwire::{Engine, Write};
//!
//! /// Writes all of `plaintext` over a blocking socket, shaking hands first if need be.
//! fn write(engine: &mut Engine, socket: &mut TcpStream, plaintext: &[u8]) -> std::io::Result<()> {
//!     loop {
//!         let outcome = engine.write(plaintext).map_err(std::io::Error::other)?;
//!         while !engine.outgoing().is_empty() {
//!             let sent = socket.write(engine.outgoing())?;
//!             engine.sent(sent).map_err(std::io::Error::other)?;
//!         }
//!         match outcome {
//!             Write::Written(_) => return Ok(()),
//!             Write::NeedWrite => {} // the same bytes again: what was sealed is not sealed twice
//!             Write::NeedRead => match socket.read(engine.feed_space())? {
//!                 0 => engine.feed_eof(),
//!                 received => engine.fed(received).map_err(std::io::Error::other)?,
//!             },
//!         }
//!     }
//! }
//! ```

#![no_std]

extern crate alloc;

mod acceptor;
mod alert;
mod context;
mod engine;
mod error;
mod half;
mod incoming;
mod negotiated;
mod outcome;
mod outgoing;
mod phase;
mod read;
mod record;
mod shutdown;
mod stats;
mod tls;
mod write;

pub use rustls;

pub use crate::acceptor::{Acceptor, ClientHello, Hello};
pub use crate::alert::Alert;
pub use crate::context::{Client, Completion, RetryCheck, Server, Settings, WriteMode};
pub use crate::engine::Engine;
pub use crate::error::{Certificate, Error, Fault, Flood, Internal, Misuse, Peer};
pub use crate::negotiated::{CipherSuite, HandshakeKind, NamedGroup, Negotiated, ProtocolVersion};
pub use crate::outcome::{Handshake, Interest, KeyUpdate, Read, Shutdown, Write};
pub use crate::stats::Stats;
