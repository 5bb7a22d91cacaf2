//! Everything that a test of TLS needs and a network cannot give: certificates made in memory, two
//! engines on a link that cuts anywhere, and a peer that speaks records no engine would send.
//!
//! ```text
//!   Contexts ──pair()──► Pair { client ──Link──► server ──Link──► client }
//!       │
//!       └──────────────► RawPeer ◄── any record, any alert, any message ──► Engine
//! ```
//!
//! * [`Authority`] and [`Identity`]: RSA, ECDSA and Ed25519 certificates, expired ones, chains of
//!   47 KB.
//! * [`Contexts`]: a ready [`Client`](offwire::Client) and [`Server`](offwire::Server) by version,
//!   suite, certificate, group and settings.
//! * [`Pair`] and [`Link`]: two engines, and the two directions between them. A link has a bounded
//!   capacity, cuts the stream where a seed says, ends at a chosen byte and flips a chosen bit.
//! * [`Ladder`]: who called what on a pair, which outcome, which records crossed; as text or SVG.
//! * [`schedule`]: any order of calls and any harm to the transport, run beside a model of the
//!   contract; [`strategy`] makes schedules, and what tests of a protocol of your own vary.
//! * [`buffers`]: a pool of buffers in which another connection has left its own.
//! * [`early_data`]: a client that has a session, and a server that takes its early data or rejects it.
//! * [`StaplingVerifier`] and [`PinningVerifier`]: a client that looks at the stapled OCSP response,
//!   and an end that knows the other's raw public key.
//! * [`RawPeer`]: completes a handshake with an engine, then seals and opens whatever a test asks
//!   for.
//! * [`insecure`]: cryptography from a seed, whose sessions can be replayed byte by byte, and a null
//!   provider for fuzzers.
//! * [`records`]: what stood on the wire, record by record.
//! * [`transport`]: `std::io` that fails, blocks and ends wherever a test of an adapter wants.
//!
//! Nothing here waits for a clock or a socket: the same seed cuts at the same bytes. What cannot go
//! on fails with a message instead of hanging: drivers panic once neither end makes progress.
//!
//! ```
//! use offwire_testkit::{Contexts, Cuts, Pair, Side};
//!
//! let mut pair = Pair::of(&Contexts::new()).cuts(Cuts::Seeded(7));
//! pair.handshake();
//! assert_eq!(pair.exchange(Side::Client, b"ping"), b"ping");
//! pair.close();
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test kit fails by panicking, with a message that says what happened"
)]
#![expect(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "tests list every case and read every field"
)]

extern crate alloc;

pub mod buffers;
mod certificates;
mod contexts;
pub mod early_data;
pub mod insecure;
mod ladder;
mod link;
pub mod messages;
mod pair;
mod panics;
mod random;
mod raw;
mod recorder;
pub mod records;
pub mod schedule;
#[cfg(feature = "proptest")]
pub mod strategy;
pub mod transport;
mod verifiers;

pub use certificates::{Authority, Identity, Kind, Usage};
pub use contexts::{ClientAuth, Contexts, Suite};
pub use ladder::Ladder;
pub use link::{Cuts, Inlet, Link, Outlet};
pub use pair::{Caller, Pair, Progress, Side, read_available};
pub use random::Random;
pub use raw::{Opened, RawPeer, Shape};
pub use records::{ContentType, Record};
pub use verifiers::{PinningVerifier, StaplingVerifier};
