//! The differences between OpenSSL and Offwire that are meant, by the names of the contract.

use core::fmt;

/// A difference that is meant. The names are those of the facts about OpenSSL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "`text` says it, and a person reads it there")]
#[expect(clippy::exhaustive_enums, reason = "the list is the contract's")]
pub enum Difference {
    X1,
    X2,
    X3,
    X4,
    X5,
    X6,
    X7,
    X8,
    X9,
    X10,
    X11,
    X12,
    X13,
    X14,
    X15,
    X16,
    K1,
    K5,
    K7,
    K8,
    S2,
    S5,
    S13,
    T5,
}

impl Difference {
    /// All of them, in order.
    pub const ALL: [Self; 24] = [
        Self::X1,
        Self::X2,
        Self::X3,
        Self::X4,
        Self::X5,
        Self::X6,
        Self::X7,
        Self::X8,
        Self::X9,
        Self::X10,
        Self::X11,
        Self::X12,
        Self::X13,
        Self::X14,
        Self::X15,
        Self::X16,
        Self::K1,
        Self::K5,
        Self::K7,
        Self::K8,
        Self::S2,
        Self::S5,
        Self::S13,
        Self::T5,
    ];

    /// What OpenSSL does, and what Offwire does.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::X1 => "a bad retry kills; refused, and the right retry completes",
            Self::X2 => "a shorter or changed retry passes; refused",
            Self::X3 => "a retry from another address kills; addresses have no meaning",
            Self::X4 => "two KeyUpdates during a blocked write kill; one answer",
            Self::X5 => "a blocked record hides completed ones; each is reported",
            Self::X6 => "shutdown during a blocked write loses close_notify; queued behind it",
            Self::X7 => "a shutdown that meets a fatal alert is complete; the same error for ever",
            Self::X8 => "an alert that does not fit is lost; kept until it has left",
            Self::X9 => "peer data kills a renegotiation driven by writes; cannot arise",
            Self::X10 => "a write of 0 bytes returns 0 with SYSCALL; Written(0)",
            Self::X11 => "shutdown returns 0 with SYSCALL; Sent",
            Self::X12 => "shutdown that meets data is fatal; the data is kept for read",
            Self::X13 => "the end of the transport kills and emits decode_error; writing goes on",
            Self::X14 => "failing transports; the adapter's business, does not arise over pairs",
            Self::X15 => "renegotiation is performed; refused, and data flows on",
            Self::X16 => "a KeyUpdate's answer waits for the end of the blocked write; does not",
            Self::K1 => "a read emits a KeyUpdate that is due; the next write does",
            Self::K5 => "each of several requests is answered; one answer for all",
            Self::K7 => "a read waits for a KeyUpdate to leave; reading waits for input only",
            Self::K8 => "an answer overtakes a write behind a blocked KeyUpdate; behind the sealed",
            Self::S2 => "a peek at the end says WANT_WRITE while a write is blocked; Closed",
            Self::S5 => "shutdown says 0 before it looks at what has arrived; looks at once",
            Self::S13 => "a read leaves a blocked close_notify to shutdown; it offers it as well",
            Self::T5 => "a longer retry fills the last record up; records sealed ahead stay",
        }
    }

    /// Whether a run of many schedules must meet it: a difference that is never met is a comparison
    /// that does not look.
    #[must_use]
    pub const fn arises(self) -> bool {
        !matches!(self, Self::X9 | Self::X14)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
