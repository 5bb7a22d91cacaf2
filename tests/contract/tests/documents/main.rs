//! The documents against the sources: what they name exists, and what exists is named.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking, with a message that names the page"
)]

extern crate alloc;

mod architecture;
mod configuring;
mod counters;
mod features;
mod matrix;
mod picture;
mod readme;
mod sources;
mod state_machine;
