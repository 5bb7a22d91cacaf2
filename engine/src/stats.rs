//! Counters of one connection, for logs and for tests of what crossed the wire.

/// What has passed through an engine since it was made.
///
/// Counters of records and plaintext begin after the handshake, those of wire bytes and of waits
/// before it. What this side seals or opens earlier counts on the wire alone: early data, and the
/// half-RTT data of a server; [`Engine::early_data`](crate::Engine::early_data) and the outcomes of
/// its verbs tell of it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Records sealed, of any type.
    pub records_sealed: u64,
    /// Records opened, of any type.
    pub records_opened: u64,
    /// Bytes of application data sealed.
    pub plaintext_sealed: u64,
    /// Bytes of application data opened.
    pub plaintext_opened: u64,
    /// Bytes that left through `sent` or `take_outgoing`.
    pub wire_sent: u64,
    /// Bytes that were taken by `feed` or reported by `fed`.
    pub wire_fed: u64,
    /// KeyUpdates sealed.
    pub key_updates_sealed: u64,
    /// KeyUpdates received.
    pub key_updates_received: u64,
    /// Session tickets received after the handshake.
    pub tickets_received: u64,
    /// How often a verb said `NeedRead`, the verbs of early data included.
    pub need_reads: u64,
    /// How often a verb said `NeedWrite`, the verbs of early data included.
    pub need_writes: u64,
    /// The most wire bytes that ever waited in `outgoing()`.
    pub outgoing_high_water: usize,
    /// The most wire bytes that the incoming queue ever held.
    pub incoming_high_water: usize,
}
