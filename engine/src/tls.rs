//! The seam: the only files that name rustls's connections, and the only ones with `std`.
//!
//! They drive rustls's unbuffered connections through the handshake, take its keys over and hand
//! out this crate's own types. A rustls upgrade touches this folder.

pub(crate) mod acceptor;
pub(crate) mod catcher;
pub(crate) mod early;
pub(crate) mod exporter;
pub(crate) mod fault;
mod fields;
pub(crate) mod handover;
pub(crate) mod handshake;
mod hello;
mod hkdf;
mod kept;
pub(crate) mod secrets;
mod server_hello;
mod step;
