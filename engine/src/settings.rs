//! `Settings`: how an engine keeps the write contract, and its bounds.
//!
//! They correspond to `SSL_CTX_set_mode(3)` and to the capacity of a BIO pair. Values only.

use crate::record::{LARGEST_INCOMING_RECORD, LARGEST_OUTGOING_RECORD};

/// Whether a write must take everything (`SSL_MODE_ENABLE_PARTIAL_WRITE`).
#[expect(clippy::exhaustive_enums, reason = "the manual knows two modes")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteMode {
    /// `Written(n)` only once all of the buffer is written.
    #[default]
    Whole,
    /// At most one record a call, as `SSL_write(3)` says: "A partial write is performed with the
    /// size of a message block".
    Partial,
}

/// When a write counts as done, which in OpenSSL depends on the BIO.
#[expect(clippy::exhaustive_enums, reason = "a BIO buffers or it does not")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Completion {
    /// When it is sealed into the outgoing queue, as with a buffering BIO (a BIO pair).
    #[default]
    Queued,
    /// When its records have left through `sent`, as with a socket BIO. An adapter then needs no
    /// memory of its own.
    Sent,
}

/// How the retry of a blocked write is compared with what was committed.
#[expect(clippy::exhaustive_enums, reason = "there is nothing else to compare")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetryCheck {
    /// By length, and by content for at least the committed bytes that may still be unsent.
    #[default]
    Contents,
    /// By length alone.
    Length,
}

/// How much plaintext a record of application data carries.
#[expect(clippy::exhaustive_enums, reason = "either the clock matters or not")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordSizing {
    /// As much as there is, up to [`Settings::max_record_size`]: the least work for each byte.
    #[default]
    Full,
    /// At first, and after each [`Engine::release`](crate::Engine::release), records that fit into one TCP segment (1,400
    /// bytes on the wire), until 64 KiB were sent; then full ones.
    ///
    /// A reader can use a record only once all of it has arrived. On a slow link the first bytes of a
    /// full record wait for 16 KiB; those of a small one do not. It costs 22 bytes for each 1,378 of
    /// the first 64 KiB. Nobody but the caller knows when a connection was idle: call `release` then.
    Dynamic,
}

/// Whether keying material can be exported after the handshake
/// ([`Engine::export_keying_material`](crate::Engine::export_keying_material)).
#[expect(clippy::exhaustive_enums, reason = "it is kept or it is not")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exporter {
    /// It cannot: the secret that it comes from is dropped at the end of the handshake.
    #[default]
    Dropped,
    /// It can. That costs a connection up to 128 bytes, and up to 720 as a TLS 1.3 client, for which
    /// rustls keeps a configuration.
    Kept,
}

/// Whether application data may travel with the client's first flight (0-RTT, RFC 8446 section
/// 2.3).
#[expect(clippy::exhaustive_enums, reason = "it may or it may not")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlyData {
    /// It may not, whatever rustls's configuration says.
    #[default]
    Off,
    /// It may, as far as rustls's configuration permits it: whoever has recorded such data can
    /// send it to the server again.
    Replayable,
}

/// How an engine keeps the write contract, and its bounds in bytes.
///
/// ```
/// use offwire::{Settings, WriteMode};
///
/// let settings = Settings::default().write_mode(WriteMode::Partial).outgoing_limit(1);
/// assert_eq!(settings.effective_outgoing_limit(), 16_413); // raised to one largest record
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    write_mode: WriteMode,
    completion: Completion,
    retry_check: RetryCheck,
    record_sizing: RecordSizing,
    exporter: Exporter,
    early_data: EarlyData,
    max_record_size: u16,
    outgoing_limit: u32,
    incoming_limit: u32,
}

impl Default for Settings {
    /// `Whole`, `Queued`, `Contents`, full records, no early data, and room for four records each way.
    fn default() -> Self {
        Self {
            write_mode: WriteMode::default(),
            completion: Completion::default(),
            retry_check: RetryCheck::default(),
            record_sizing: RecordSizing::default(),
            exporter: Exporter::default(),
            early_data: EarlyData::default(),
            max_record_size: LARGEST_RECORD_SIZE,
            outgoing_limit: clamp(4 * LARGEST_OUTGOING_RECORD, LARGEST_OUTGOING_RECORD),
            incoming_limit: clamp(4 * LARGEST_INCOMING_RECORD, LARGEST_INCOMING_RECORD),
        }
    }
}

impl Settings {
    /// Sets whether a write must take everything.
    #[must_use]
    pub fn write_mode(self, write_mode: WriteMode) -> Self {
        Self { write_mode, ..self }
    }

    /// Sets when a write counts as done.
    #[must_use]
    pub fn completion(self, completion: Completion) -> Self {
        Self { completion, ..self }
    }

    /// Sets how the retry of a blocked write is checked.
    #[must_use]
    pub fn retry_check(self, retry_check: RetryCheck) -> Self {
        Self {
            retry_check,
            ..self
        }
    }

    /// Sets how much plaintext a record of application data carries.
    #[must_use]
    pub fn record_sizing(self, record_sizing: RecordSizing) -> Self {
        Self {
            record_sizing,
            ..self
        }
    }

    /// Sets whether keying material can be exported after the handshake.
    #[must_use]
    pub fn exporter(self, exporter: Exporter) -> Self {
        Self { exporter, ..self }
    }

    /// Sets the most plaintext, in bytes, that a record of application data carries
    /// (`SSL_CTX_set_max_send_fragment(3)`), which is also what a partial write takes at most.
    ///
    /// Raised to 512, lowered to 16,384. A smaller `max_fragment_size` of rustls's configuration,
    /// which counts the header too, stays in force.
    #[must_use]
    pub fn max_record_size(self, bytes: usize) -> Self {
        let bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
        Self {
            max_record_size: bytes.clamp(LEAST_RECORD_SIZE, LARGEST_RECORD_SIZE),
            ..self
        }
    }

    /// Sets whether early data may be written and read: [`Engine::write_early_data`],
    /// [`Engine::read_early_data`].
    ///
    /// **Early data is replayable.** TLS cannot tell a server whether it has seen it before: an
    /// attacker who has recorded it can send it again, to this server or another with the same
    /// sessions (RFC 8446 section 8). Permit it only for what does no harm when it is done twice.
    ///
    /// It takes rustls's own switches as well: `enable_early_data` in a client's configuration, and
    /// in a server's `max_early_data_size` and sessions that the server keeps (`session_storage`,
    /// no `ticketer`), each of which rustls accepts once.
    ///
    /// It also rests on two habits of the provider that rustls is given, which AWS-LC and ring have:
    /// what they cannot open they leave as zeros, by which a server knows a rejected record; and they pad
    /// nothing, so that a client knows an EndOfEarlyData by its length. With another provider a server
    /// may refuse clients whose early data it should skip, and a client may be told to write again
    /// what was accepted: the book's page on early data says when.
    ///
    /// A server whose switch is off still skips what clients offer, up to 16 KiB on the wire, whatever
    /// `max_early_data_size` says.
    ///
    /// [`Engine::write_early_data`]: crate::Engine::write_early_data
    /// [`Engine::read_early_data`]: crate::Engine::read_early_data
    #[must_use]
    pub fn danger_early_data(self, early_data: EarlyData) -> Self {
        Self { early_data, ..self }
    }

    /// Sets the most ciphertext, in bytes, that may wait in `outgoing()`.
    ///
    /// Raised to one largest record (16,413 bytes), lowered to 1 GiB. 128 bytes more are reserved
    /// for alerts and KeyUpdates.
    #[must_use]
    pub fn outgoing_limit(self, bytes: usize) -> Self {
        Self {
            outgoing_limit: clamp(bytes, LARGEST_OUTGOING_RECORD),
            ..self
        }
    }

    /// Sets the most ciphertext, in bytes, that the engine takes before it is read.
    ///
    /// Raised to one largest record (18,437 bytes), lowered to 1 GiB. During the handshake the
    /// bound is at least 128 KiB, since certificates must arrive whole.
    #[must_use]
    pub fn incoming_limit(self, bytes: usize) -> Self {
        Self {
            incoming_limit: clamp(bytes, LARGEST_INCOMING_RECORD),
            ..self
        }
    }

    /// Whether a write must take everything.
    #[must_use]
    pub fn effective_write_mode(self) -> WriteMode {
        self.write_mode
    }

    /// When a write counts as done.
    #[must_use]
    pub fn effective_completion(self) -> Completion {
        self.completion
    }

    /// How the retry of a blocked write is checked.
    #[must_use]
    pub fn effective_retry_check(self) -> RetryCheck {
        self.retry_check
    }

    /// How much plaintext a record of application data carries.
    #[must_use]
    pub fn effective_record_sizing(self) -> RecordSizing {
        self.record_sizing
    }

    /// Whether keying material can be exported after the handshake.
    #[must_use]
    pub fn effective_exporter(self) -> Exporter {
        self.exporter
    }

    /// Whether early data may be written and read.
    #[must_use]
    pub fn effective_early_data(self) -> EarlyData {
        self.early_data
    }

    /// The most plaintext, in bytes, that a record of application data carries, unless rustls's
    /// `max_fragment_size` is smaller.
    #[must_use]
    pub fn effective_max_record_size(self) -> usize {
        self.max_plaintext().into()
    }

    pub(crate) const fn max_plaintext(self) -> u16 {
        self.max_record_size
    }

    /// The bound of `outgoing()` in bytes, as it is enforced.
    #[must_use]
    pub fn effective_outgoing_limit(self) -> usize {
        self.outgoing_limit as usize
    }

    /// The bound of the incoming queue in bytes, as it is enforced after the handshake.
    #[must_use]
    pub fn effective_incoming_limit(self) -> usize {
        self.incoming_limit as usize
    }
}

/// Bytes of plaintext that a record may be limited to (OpenSSL: `SSL3_RT_MAX_PLAIN_LENGTH`, and the
/// least that `SSL_CTX_set_max_send_fragment` accepts).
const LARGEST_RECORD_SIZE: u16 = 16_384;
const LEAST_RECORD_SIZE: u16 = 512;

/// The largest limit that can be set; settings are copied with every engine and kept small.
const LARGEST_LIMIT: u32 = 1 << 30;

fn clamp(bytes: usize, least: usize) -> u32 {
    let bytes = bytes.max(least);
    u32::try_from(bytes).map_or(LARGEST_LIMIT, |bytes| bytes.min(LARGEST_LIMIT))
}
