//! The two halves of a connection and every legal move of theirs.
//!
//! TLS lets each direction close alone (RFC 8446 section 6.1), so they are two enums and joint
//! behaviour is a `match` on the pair. Pure: knows positions and fingerprints, but no bytes, no
//! role and no rustls.
//!
//! ```text
//! write  Committed <-> Ready <-> EarlyCommitted   read  Open -> Ending -> Truncated
//!                  \     ^ |         |   \                 \        \
//!                   \    | v         v    |                 +--------+----> CloseNotify
//!                    \   EarlyRejected    |
//!                     \     |             |
//!                      +-> Closing <------+   (and from Ready)
//!                             |
//!                           Closed
//! ```

use core::fmt;

use smallvec::SmallVec;

use crate::outcome::Shutdown;

/// The write half: what may happen to application data on its way out.
#[derive(Debug)]
pub(crate) enum WriteHalf {
    /// No write is in progress.
    Ready,
    /// A write was taken in part but not reported; the caller owes a retry (`SSL_write(3)`).
    Committed(Commitment),
    /// The same of early data: the caller owes a retry of `write_early_data`.
    EarlyCommitted(Commitment),
    /// The server rejected so many bytes of early data, and the caller has not asked how many:
    /// nothing may be written before them.
    EarlyRejected(usize),
    /// close_notify is queued; it has left once the outgoing queue reaches this position.
    Closing(u64),
    /// close_notify has left; nothing may follow (RFC 8446 section 6.1).
    Closed,
}

impl WriteHalf {
    /// Bytes that were sealed of a write that is not reported yet.
    pub(crate) fn committed(&self) -> usize {
        match self {
            Self::Committed(commitment) | Self::EarlyCommitted(commitment) => commitment.sealed,
            Self::Ready | Self::EarlyRejected(_) | Self::Closing(_) | Self::Closed => 0,
        }
    }

    /// The position in the outgoing queue behind these bytes; 0 if there are none.
    pub(crate) fn end(&self) -> u64 {
        match self {
            Self::Committed(commitment) | Self::EarlyCommitted(commitment) => commitment.end,
            Self::Ready | Self::EarlyRejected(_) | Self::Closing(_) | Self::Closed => 0,
        }
    }

    /// The server rejected early data, `sealed` bytes that were not told before.
    ///
    /// A write that was not reported counts for nothing: its retry hears that none of it is
    /// written. Only what was reported must be written again before anything else.
    pub(crate) fn early_rejected(&mut self, sealed: usize) {
        let reported = match self {
            Self::Ready => sealed,
            Self::EarlyCommitted(commitment) if sealed > 0 => sealed - commitment.sealed,
            Self::EarlyCommitted(_)
            | Self::Committed(_)
            | Self::EarlyRejected(_)
            | Self::Closing(_)
            | Self::Closed => return,
        };
        *self = match reported {
            0 => Self::Ready,
            reported => Self::EarlyRejected(reported),
        };
    }

    /// Output has left, up to this position.
    pub(crate) fn sent(&mut self, position: u64) {
        match self {
            Self::Closing(end) if *end <= position => *self = Self::Closed,
            Self::Ready
            | Self::Committed(_)
            | Self::EarlyCommitted(_)
            | Self::EarlyRejected(_)
            | Self::Closing(_)
            | Self::Closed => {}
        }
    }
}

/// The read half: what may still come from the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadHalf {
    /// More may arrive.
    Open,
    /// The transport has ended; what it delivered is still to be read.
    Ending,
    /// The peer sent close_notify.
    CloseNotify,
    /// The transport ended, and all it delivered was read without meeting close_notify.
    Truncated,
}

impl ReadHalf {
    /// The transport has ended.
    pub(crate) fn transport_ended(&mut self) {
        *self = match *self {
            Self::Open | Self::Ending => Self::Ending,
            Self::CloseNotify => Self::CloseNotify,
            Self::Truncated => Self::Truncated,
        };
    }

    /// All whole records were read: if the transport has ended, that was all there will be.
    pub(crate) fn input_exhausted(&mut self) {
        *self = match *self {
            Self::Open => Self::Open,
            Self::CloseNotify => Self::CloseNotify,
            Self::Ending | Self::Truncated => Self::Truncated,
        };
    }
}

/// The outcome of shutdown depends on the two halves and on nothing else.
pub(crate) const fn shutdown(write: &WriteHalf, read: ReadHalf) -> Shutdown {
    match (write, read) {
        (
            WriteHalf::Ready
            | WriteHalf::Committed(_)
            | WriteHalf::EarlyCommitted(_)
            | WriteHalf::EarlyRejected(_)
            | WriteHalf::Closing(_),
            _,
        ) => Shutdown::NeedWrite,
        (WriteHalf::Closed, ReadHalf::Open | ReadHalf::Ending) => Shutdown::Sent,
        (WriteHalf::Closed, ReadHalf::CloseNotify) => Shutdown::Complete,
        (WriteHalf::Closed, ReadHalf::Truncated) => Shutdown::Truncated,
    }
}

/// How many stretches of a commitment are remembered one by one: a full queue of the default size
/// holds four records. More are merged, so a commitment never allocates.
pub(crate) const STRETCHES: usize = 4;

/// Consecutive committed bytes that may still be unsent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Bytes of plaintext.
    pub(crate) length: usize,
    /// What a retry must hash to.
    pub(crate) fingerprint: u64,
    /// They have left once the outgoing queue reaches this position.
    pub(crate) end: u64,
}

/// Records that one call has sealed.
#[derive(Default)]
pub(crate) struct Sealed {
    records: [(usize, u64); STRETCHES],
    count: usize,
}

impl Sealed {
    /// Notes a record's bytes of plaintext and the position in the outgoing queue behind it; more than
    /// [`STRETCHES`] records are counted together.
    #[inline]
    pub(crate) fn note(&mut self, length: usize, end: u64) {
        if let Some(record) = self.records.get_mut(self.count) {
            *record = (length, end);
            self.count += 1;
        } else if let Some(last) = self.records.last_mut() {
            *last = (last.0 + length, end);
        }
    }

    /// What was noted, in order.
    pub(crate) fn records(&self) -> &[(usize, u64)] {
        self.records.get(..self.count).unwrap_or_default()
    }
}

/// A write contract in force: what was sealed of a write that is not reported yet.
///
/// A retry that is shorter, or different in what may still be unsent, is misuse; sealed bytes are
/// never sealed again.
#[derive(Default)]
pub(crate) struct Commitment {
    /// Bytes of plaintext sealed, from the beginning of the caller's buffer.
    pub(crate) sealed: usize,
    /// They have left once the outgoing queue reaches this position.
    pub(crate) end: u64,
    /// The last of these bytes, in order; [`crate::RetryCheck::Length`] keeps none.
    pub(crate) stretches: SmallVec<[Stretch; STRETCHES]>,
}

impl fmt::Debug for Commitment {
    /// Without the fingerprints: of a short plaintext they would tell too much.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commitment")
            .field("sealed", &self.sealed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Commitment, ReadHalf, WriteHalf, shutdown};
    use crate::outcome::Shutdown;

    const READ_HALVES: [ReadHalf; 4] = [
        ReadHalf::Open,
        ReadHalf::Ending,
        ReadHalf::CloseNotify,
        ReadHalf::Truncated,
    ];

    fn committed() -> WriteHalf {
        WriteHalf::Committed(Commitment {
            sealed: 7,
            ..Commitment::default()
        })
    }

    #[test]
    fn shutdown_needs_write_until_close_notify_has_left() {
        for read in READ_HALVES {
            for write in [WriteHalf::Ready, committed(), WriteHalf::Closing(9)] {
                assert_eq!(
                    shutdown(&write, read),
                    Shutdown::NeedWrite,
                    "{write:?} {read:?}"
                );
            }
        }
    }

    #[test]
    fn shutdown_then_depends_on_the_peer() {
        let outcomes = READ_HALVES.map(|read| shutdown(&WriteHalf::Closed, read));
        let sent = Shutdown::Sent;
        assert_eq!(
            outcomes,
            [sent, sent, Shutdown::Complete, Shutdown::Truncated]
        );
    }

    #[test]
    fn only_closing_is_moved_by_sent_and_only_at_its_position() {
        let mut half = WriteHalf::Closing(9);
        half.sent(8);
        assert!(matches!(half, WriteHalf::Closing(9)));
        half.sent(9);
        assert!(matches!(half, WriteHalf::Closed));
        half.sent(u64::MAX);
        assert!(matches!(half, WriteHalf::Closed));

        let mut half = WriteHalf::Ready;
        half.sent(u64::MAX);
        assert!(matches!(half, WriteHalf::Ready));
        let mut half = committed();
        half.sent(u64::MAX);
        assert_eq!(half.committed(), 7);
    }

    #[test]
    fn only_a_commitment_has_committed_bytes() {
        assert_eq!(committed().committed(), 7);
        for half in [WriteHalf::Ready, WriteHalf::Closing(3), WriteHalf::Closed] {
            assert_eq!(half.committed(), 0);
        }
    }

    #[test]
    fn the_end_of_the_transport_never_undoes_an_ending() {
        let ended = READ_HALVES.map(|mut half| {
            half.transport_ended();
            half
        });
        let expected = [
            ReadHalf::Ending,
            ReadHalf::Ending,
            ReadHalf::CloseNotify,
            ReadHalf::Truncated,
        ];
        assert_eq!(ended, expected);
    }

    #[test]
    fn only_an_ended_transport_makes_exhausted_input_a_truncation() {
        let exhausted = READ_HALVES.map(|mut half| {
            half.input_exhausted();
            half
        });
        let expected = [
            ReadHalf::Open,
            ReadHalf::Truncated,
            ReadHalf::CloseNotify,
            ReadHalf::Truncated,
        ];
        assert_eq!(exhausted, expected);
    }
}
