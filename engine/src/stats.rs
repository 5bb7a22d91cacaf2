//! Counters of one connection, for logs and for tests of what crossed the wire.

/// What has passed through an engine since it was made.
///
/// Counters of records and plaintext begin after the handshake, those of wire bytes, of waits and
/// the marks before it. What this side seals or opens earlier counts on the wire alone: early data,
/// and the half-RTT data that a server seals; [`Engine::early_data`](crate::Engine::early_data) and
/// the outcomes of its verbs tell of it. The book's page on counters says of each what moves it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Records sealed, of any type, alerts and KeyUpdates included.
    pub records_sealed: u64,
    /// Authentic records opened, of any type; once each, however often they are peeked at.
    pub records_opened: u64,
    /// Bytes of application data sealed.
    pub plaintext_sealed: u64,
    /// Bytes of application data opened, read or still pending.
    pub plaintext_opened: u64,
    /// Bytes that left through `sent` or `take_outgoing`.
    pub wire_sent: u64,
    /// Bytes that were taken by `feed` or reported by `fed`, without those that were discarded
    /// behind the peer's end or a fatal error.
    pub wire_fed: u64,
    /// KeyUpdates sealed.
    pub key_updates_sealed: u64,
    /// KeyUpdates received.
    pub key_updates_received: u64,
    /// Session tickets received after the handshake, as in TLS 1.3; those of TLS 1.2 are part of it.
    pub tickets_received: u64,
    /// How often a verb said `NeedRead`, the verbs of early data included.
    pub need_reads: u64,
    /// How often a verb said `NeedWrite`, the verbs of early data included.
    pub need_writes: u64,
    /// The most wire bytes that ever waited in `outgoing()`.
    pub outgoing_high_water: usize,
    /// The most bytes that the incoming queue ever held: of the wire, and of plaintext that was
    /// opened where its record lay and is pending.
    pub incoming_high_water: usize,
}
