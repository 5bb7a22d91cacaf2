//! The seam: the only files that name rustls's connections, and the only ones with `std`.
//!
//! They drive rustls's unbuffered connections through the handshake, take its keys over and hand
//! out this crate's own types. A rustls upgrade touches this folder.

pub(crate) mod acceptor;
pub(crate) mod fault;
pub(crate) mod handover;
pub(crate) mod handshake;
pub(crate) mod secrets;
