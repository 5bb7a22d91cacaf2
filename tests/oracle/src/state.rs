//! What the comparison knows of one side: what it has written and read, and what it owes.

use alloc::collections::VecDeque;

use offwire::{KeyUpdate, Stats};

use crate::pattern::Copy;

/// One side, as both connections agree that it stands.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Bytes written, as both have reported.
    pub(crate) position: usize,
    /// Bytes read of what the peer wrote.
    pub(crate) received: usize,
    pub(crate) writing: Writing,
    /// Bytes of plaintext in the last record that our side has sealed.
    pub(crate) last_record: usize,
    pub(crate) standing: Standing,
    pub(crate) close_notify: CloseNotify,
    pub(crate) updates: Updates,
}

/// Whether a write waits for its repetition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Writing {
    #[default]
    Free,
    /// So many bytes, of which our side has already reported the first `ahead` (X5).
    Blocked {
        len: usize,
        ahead: usize,
        front: Front,
        /// From where OpenSSL was given them last.
        copy: Copy,
    },
}

/// What the first record of a blocked write is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// Application data.
    Data,
    /// A KeyUpdate that was due.
    KeyUpdate,
}

/// What a side can still do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    #[default]
    Open,
    /// Its close_notify is leaving.
    Closing,
    /// Its close_notify has left.
    Shut,
    /// It has met the end of its transport.
    Truncated,
    /// It has died of an error.
    Dead,
}

/// Whether a side's close_notify has left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CloseNotify {
    #[default]
    Missing,
    Left,
}

/// The KeyUpdates of one side.
#[derive(Debug, Default)]
pub(crate) struct Updates {
    /// Asked for by the caller, not sealed.
    pub(crate) due: Option<KeyUpdate>,
    /// Sealed and not read by the peer, in order.
    sealed: VecDeque<KeyUpdate>,
    /// A request of the peer was read and not answered.
    pub(crate) owed: Owed,
}

/// Whether a KeyUpdate of the peer waits for an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Owed {
    #[default]
    Nothing,
    Answer,
}

/// What KeyUpdates a call has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    /// None, or some that ask for nothing.
    Nothing,
    /// The first request.
    Request,
    /// A KeyUpdate behind an unanswered request.
    Another,
}

impl Updates {
    /// Whether the next write begins with a KeyUpdate.
    pub(crate) const fn is_due(&self) -> bool {
        self.due.is_some() || matches!(self.owed, Owed::Answer)
    }

    /// Whether the peer has not read all that were sealed.
    pub(crate) fn has_unread(&self) -> bool {
        !self.sealed.is_empty()
    }

    /// Notes what our side has sealed in a call.
    pub(crate) fn note_sealed(&mut self, before: &Stats, after: &Stats) {
        for _ in before.key_updates_sealed..after.key_updates_sealed {
            self.sealed
                .push_back(self.due.take().unwrap_or(KeyUpdate::Ours));
            self.owed = Owed::Nothing;
        }
    }

    /// Notes what our side has read in a call, of what the peer has sealed.
    pub(crate) fn note_received(&mut self, peer: &mut Self, before: &Stats, after: &Stats) -> Met {
        let mut met = Met::Nothing;
        for _ in before.key_updates_received..after.key_updates_received {
            match (self.owed, peer.sealed.pop_front()) {
                (Owed::Answer, _) => met = Met::Another,
                (Owed::Nothing, Some(KeyUpdate::Both)) => {
                    self.owed = Owed::Answer;
                    met = Met::Request;
                }
                (Owed::Nothing, Some(KeyUpdate::Ours) | None) => {}
            }
        }
        met
    }
}
