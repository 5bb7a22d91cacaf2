//! What a hostile peer can cost: memory stays under the sum of an engine's limits plus a constant,
//! what is allocated grows no faster than what was received, and no byte is worked on again and again.
//! Both roles, both versions, the default limits and the least, before and after the handshake.
//! `docs/decisions/0017-what-a-hostile-peer-can-hold.md` has the figures.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod cost;
mod decoded;
mod handshake;
mod open;
