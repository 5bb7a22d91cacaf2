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
//! use offwire::{Engine, Read, Write};
//!
//! /// The transport of this example: memory.
//! fn carry(from: &mut Engine, to: &mut Engine) {
//!     let taken = to.feed(from.outgoing());
//!     from.sent(taken).expect("no more than was there");
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // From rustls's `ClientConfig` and `ServerConfig`; the test kit has both ready.
//! let (client, server) = offwire_testkit::Contexts::new().build();
//! let mut client = client.connect("localhost".try_into()?)?;
//! let mut server = server.accept();
//!
//! // The first write shakes hands as well. Whatever it waits for: move bytes, repeat it.
//! while client.write(b"hello")? != Write::Written(5) {
//!     carry(&mut client, &mut server);
//!     let _ = server.handshake()?;
//!     carry(&mut server, &mut client);
//! }
//! carry(&mut client, &mut server);
//!
//! let mut buffer = [0; 1024];
//! assert_eq!(server.read(&mut buffer)?, Read::Read(5));
//! assert_eq!(&buffer[..5], b"hello");
//! # Ok(())
//! # }
//! ```
//!
//! After `NeedWrite` with [`committed`](Engine::committed) bytes the same bytes must come again;
//! after `NeedRead` from a write nothing was taken. The outcomes say the rest: [`Handshake`],
//! [`Write`], [`Read`], [`Shutdown`]. Waiting is never an [`Error`].
//!
//! # Promises
//!
//! - Both queues are bounded in wire bytes, by [`Settings`], in every phase.
//! - Reads and writes allocate nothing once the buffers have grown; [`release`](Engine::release)
//!   gives them back, and a [`BufferPool`] lets many engines share them.
//! - No input and no misuse panics. [`Misuse`] changes nothing; other errors are sticky, and what
//!   was authenticated before them is still delivered.
//! - [`Read::Closed`] means an authenticated close_notify; an end without one is
//!   [`Read::Truncated`].
//!
//! # Features
//!
//! - `aws-lc-rs`, the default: AWS-LC seals and opens records from one buffer into another, without a
//!   copy, and rustls has its provider over it.
//! - `ring`, with `default-features = false`: the same by ring, which works in place, so that each record is
//!   copied once; no post-quantum groups, and ring does not wipe its expanded keys. With both features the records are AWS-LC's, whichever
//!   provider rustls is given. The adapters have the same two features.
//! - `tracing`: a span for the handshake, and events for its end, KeyUpdates, tickets, alerts,
//!   failures and limits that were hit, under the target `offwire`; nothing secret is in them. Off by
//!   default, and then it costs nothing.

#![no_std]

extern crate alloc;

#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
compile_error!("offwire needs one of its features `aws-lc-rs` and `ring` to seal records with");

mod acceptor;
mod alert;
mod context;
mod danger;
mod early;
mod engine;
mod error;
mod exporter;
mod half;
mod incoming;
mod negotiated;
mod outcome;
mod outgoing;
mod phase;
mod plaintext;
mod pool;
mod read;
mod record;
mod settings;
mod shutdown;
mod stats;
mod tls;
mod trace;
mod write;

/// The commands and the example of the repository's first page, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

/// The examples of the page on the write contract, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/write-contract.md")]
mod write_contract {}

/// The examples of the page on early data, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/early-data.md")]
mod early_data_page {}

/// The examples of the page on what can be configured, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/configuring.md")]
mod configuring_page {}

pub use rustls;

pub use crate::acceptor::{Acceptor, ClientHello, Hello};
pub use crate::alert::Alert;
pub use crate::context::{Client, Server};
pub use crate::danger::{DangerousKey, DangerousParts, DangerousSecrets};
pub use crate::engine::Engine;
pub use crate::error::{Certificate, Error, Fault, Flood, Internal, Misuse, Peer};
pub use crate::negotiated::{
    CipherSuite, HandshakeKind, NamedGroup, Negotiated, ProtocolVersion, SignatureScheme,
};
pub use crate::outcome::{
    EarlyDataStatus, Handshake, Interest, KeyUpdate, Read, ReadBytes, ReadEarlyData, Shutdown,
    Write, WriteEarlyData,
};
pub use crate::pool::BufferPool;
pub use crate::settings::{
    Completion, EarlyData, Exporter, RecordSizing, RetryCheck, Settings, WriteMode,
};
pub use crate::stats::Stats;
