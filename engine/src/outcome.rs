//! What every verb of the engine answers: outcomes, never errors.
//!
//! Waiting is an outcome, so a loop around the engine is one `match` and no error code has to be
//! asked about afterwards. The types know nothing of bytes or records; the files named after the
//! verbs decide which outcome applies.

use bytes::Bytes;

/// What [`Engine::handshake`](crate::Engine::handshake) achieved or waits for.
#[must_use = "an outcome says what the caller owes next"]
#[expect(clippy::exhaustive_enums, reason = "callers must handle every outcome")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// The handshake is complete; under [`Completion::Sent`](crate::Completion::Sent) our last
    /// flight has left as well.
    Complete,
    /// Feed ciphertext, then call again. `outgoing()` is empty.
    NeedRead,
    /// Send `outgoing()`, then call again.
    NeedWrite,
}

/// What [`Engine::write`](crate::Engine::write) achieved or waits for.
#[must_use = "an outcome says what the caller owes next"]
#[expect(clippy::exhaustive_enums, reason = "callers must handle every outcome")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// So many bytes of plaintext are written; nothing is owed.
    Written(usize),
    /// The handshake waits for the peer and nothing was taken: feed ciphertext, then call again,
    /// with the same or with other bytes. `outgoing()` is empty.
    NeedRead,
    /// Send `outgoing()`, then call again, with the same bytes if any are
    /// [committed](crate::Engine::committed).
    NeedWrite,
}

/// What [`Engine::read`](crate::Engine::read) or [`Engine::peek`](crate::Engine::peek) achieved
/// or waits for.
#[must_use = "an outcome says what the caller owes next"]
#[expect(clippy::exhaustive_enums, reason = "callers must handle every outcome")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// So many bytes of plaintext, all of one record, stand at the front of the caller's buffer.
    /// Zero only for an empty buffer.
    Read(usize),
    /// All input is consumed: feed ciphertext, then call again.
    NeedRead,
    /// The handshake has output that must leave first: send `outgoing()`, then call again. Never
    /// said once the handshake is complete.
    NeedWrite,
    /// The peer sent close_notify (RFC 8446 section 6.1). Sticky; writing stays possible.
    Closed,
    /// The transport ended without close_notify. Sticky; the data may have been cut off by an
    /// attacker.
    Truncated,
}

/// What [`Engine::read_bytes`](crate::Engine::read_bytes) achieved or waits for.
#[must_use = "an outcome says what the caller owes next"]
#[expect(clippy::exhaustive_enums, reason = "callers must handle every outcome")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadBytes {
    /// Plaintext of one record, in storage of its own; never empty.
    Read(Bytes),
    /// As [`Read::NeedRead`].
    NeedRead,
    /// As [`Read::NeedWrite`].
    NeedWrite,
    /// As [`Read::Closed`].
    Closed,
    /// As [`Read::Truncated`].
    Truncated,
}

/// What [`Engine::write_early_data`](crate::Engine::write_early_data) achieved or waits for.
#[must_use = "an outcome says what the caller owes next"]
#[expect(clippy::exhaustive_enums, reason = "callers must handle every outcome")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteEarlyData {
    /// So many bytes of plaintext are written; nothing is owed.
    Written(usize),
    /// A server's only: the ClientHello has not arrived and nothing was taken. Feed ciphertext, then
    /// call again. `outgoing()` is empty.
    NeedRead,
    /// Send `outgoing()`, then call again, with the same bytes if any are
    /// [committed](crate::Engine::committed).
    NeedWrite,
    /// Early data has ended, or never was possible: so many bytes of this call's are written, what
    /// stands behind them goes with [`Engine::write`](crate::Engine::write).
    Ended(usize),
}

/// What [`Engine::read_early_data`](crate::Engine::read_early_data) achieved or waits for.
#[must_use = "an outcome says what the caller owes next"]
#[expect(clippy::exhaustive_enums, reason = "callers must handle every outcome")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadEarlyData {
    /// So many bytes of early data, all of one record, stand at the front of the caller's buffer.
    /// Zero only for an empty buffer.
    Read(usize),
    /// All input is consumed, and more early data may come: feed ciphertext, then call again.
    NeedRead,
    /// Send `outgoing()`, then call again.
    NeedWrite,
    /// No more early data will come (`SSL_READ_EARLY_DATA_FINISH`): go on with
    /// [`Engine::read`](crate::Engine::read).
    Ended,
}

/// What became of early data (`SSL_get_early_data_status(3)`).
#[must_use]
#[expect(
    clippy::exhaustive_enums,
    reason = "the RFC knows no other fate of early data"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlyDataStatus {
    /// The client has not offered any.
    #[default]
    NotOffered,
    /// The client has offered some; the server's answer is not known. A client whose connection
    /// failed stays here: whether the server has seen the data cannot be told.
    Offered,
    /// The server takes it.
    Accepted,
    /// The server skips it: what was written must be
    /// [sent again](crate::Engine::rejected_early_data).
    Rejected,
}

/// What [`Engine::shutdown`](crate::Engine::shutdown) achieved or waits for.
#[must_use = "an outcome says what the caller owes next"]
#[expect(clippy::exhaustive_enums, reason = "callers must handle every outcome")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Our close_notify is still leaving: send `outgoing()`, then call again.
    NeedWrite,
    /// Our close_notify has left, the peer's is missing: read on until
    /// [`Read::Closed`], or drop the transport.
    Sent,
    /// Both sides sent close_notify.
    Complete,
    /// Our close_notify has left; the peer's transport ended without one.
    Truncated,
}

/// What the engine wants from the transport, for the caller's readiness loop.
#[must_use]
#[expect(
    clippy::exhaustive_enums,
    reason = "callers must handle every interest"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Nothing is waiting and nothing more can arrive.
    Nothing,
    /// There is room for ciphertext.
    Read,
    /// `outgoing()` is not empty.
    Write,
    /// Both.
    ReadWrite,
}

/// Which keys [`Engine::key_update`](crate::Engine::key_update) changes (RFC 8446 section 4.6.3).
#[expect(clippy::exhaustive_enums, reason = "the RFC knows two requests")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUpdate {
    /// Our sending key only: `update_not_requested`.
    Ours,
    /// Our sending key, and the peer is asked to change its own: `update_requested`.
    Both,
}
