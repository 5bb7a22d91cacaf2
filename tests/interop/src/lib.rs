//! Offwire against other TLS implementations, over loopback sockets: what the tests share.
//!
//! The tests stand in `tests/`, a file a peer or a subject. Here is how a peer is found ([`peer`]), started and
//! watched ([`Process`]), what files it gets ([`Files`]), our own end of a connection
//! ([`Connection`], [`Listener`]), and the megabytes that pass between them ([`payload`]).
//!
//! Nothing waits for ever: every wait ends after [`PATIENCE`] in a panic that tells what was
//! missing and what the peer had said by then. A peer dies with its [`Process`].

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test kit fails by panicking, with a message that says what happened"
)]

extern crate alloc;

mod connection;
mod files;
mod gnutls;
mod openssl;
mod output;
pub mod payload;
mod peer;
mod port;
mod process;
mod program;
mod worker;

pub use connection::{Connection, Listener};
pub use files::Files;
pub use gnutls::Gnutls;
pub use openssl::{ANY_PORT, ESTABLISHED, Openssl, start_server};
pub use peer::peer;
pub use port::{start_on_a_free_port, start_silent_server};
pub use process::Process;
pub use program::{connect, offwire, serve, serve_trusted, start_serve};
pub use worker::Worker;

use core::time::Duration;

use offwire::ProtocolVersion;

/// How long anything may take. Far beyond what a loaded machine needs: only failures wait for it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Both protocol versions.
pub const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];
