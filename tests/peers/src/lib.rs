//! Offwire beside what else could be picked, memory to memory: how fast, and how large.
//!
//! ```text
//!   driver ──► order ──► Offwire │ raw AEAD │ rustls 0.23, 0.24 │ s2n-tls     in this process
//!          ◄── answer ◄─ OpenSSL │ BoringSSL                                  native/peer.c
//! ```
//!
//! Every peer carries out the same orders ([`order`]); the driver takes them in turn, round by round.

extern crate alloc;

pub mod child;
pub mod clock;
pub mod driver;
pub mod extra;
pub mod measure;
pub mod measured;
pub mod order;
pub mod peer;
pub mod peers;
pub mod plan;
pub mod weigh;
mod wire;

pub use wire::Wire;

/// Whatever ends a run: it is printed, and no number stands for it.
pub type Problem = Box<dyn core::error::Error>;
