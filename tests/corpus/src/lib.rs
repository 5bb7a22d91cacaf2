//! What the fuzzers call: one function a target, from bytes to assertions.
//!
//! Each target asserts what the contract promises, not only that nothing panics by itself. They stand
//! here, in the main workspace and on the stable toolchain, so that the tests replay every file of
//! `fuzz/corpus` without a fuzzer, and so that a crash becomes a test by giving it a name.
//!
//! The cryptography is the test kit's null provider: a fuzzer gets past the handshake and past the
//! AEAD. `operations` and `early_data` run on real ciphers from a seed: the one counts their bytes, the
//! other skips what cannot be opened. Either way the same input always does the same.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target fails by panicking, with a message that names the promise"
)]

extern crate alloc;

mod acceptor;
pub mod bio_model;
mod bio_pair;
mod early_data;
mod feed;
mod ledger;
mod operations;
mod pair;
mod records;
mod script;
pub mod seeds;
mod stream;
mod watched;

use offwire_testkit::Side;

/// A target: its name, which is its folder's under `fuzz/corpus`, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 9] = [
    ("acceptor", acceptor),
    ("bio_pair", bio_pair),
    ("client_feed", client_feed),
    ("early_data", early_data),
    ("operations", operations),
    ("pair", pair),
    ("records", records),
    ("server_feed", server_feed),
    ("stream", stream),
];

/// Any bytes into an [`Acceptor`](offwire::Acceptor), in any cuts, against a server that is fed the
/// same.
pub fn acceptor(input: &[u8]) {
    acceptor::run(input);
}

/// Any calls on a [`BioPair`](offwire_bio::BioPair), against two bounded queues.
pub fn bio_pair(input: &[u8]) {
    bio_pair::run(input);
}

/// Early data in any order of calls, to a server that takes or rejects it.
pub fn early_data(input: &[u8]) {
    early_data::run(input);
}

/// Any bytes from a server into a fresh client.
pub fn client_feed(input: &[u8]) {
    feed::feed(Side::Client, input);
}

/// Any bytes from a client into a fresh server.
pub fn server_feed(input: &[u8]) {
    feed::feed(Side::Server, input);
}

/// Any [`Schedule`](offwire_testkit::schedule::Schedule) on a pair of engines, beside the model of the
/// contract.
pub fn operations(input: &[u8]) {
    operations::run(input);
}

/// Two engines and a transport that cuts as the input says: both must come to an orderly end.
pub fn pair(input: &[u8]) {
    pair::run(input);
}

/// Records of any structure, sealed with the right keys, into a connected engine of either role.
pub fn records(input: &[u8]) {
    records::run(input);
}

/// A [`Stream`](offwire_stream::Stream) over a transport that errs as the input says.
pub fn stream(input: &[u8]) {
    stream::run(input);
}
