//! What the model remembers of one side: what it offered, what was reported, what it received, and
//! whether it lives.

use std::sync::LazyLock;

use offwire::{Error, KeyUpdate, Read};

use super::operation::{Content, Offer, Repeat};
use crate::random::Random;

/// Where the writes of one side stand.
#[derive(Debug)]
pub(super) enum Writes {
    /// No byte is committed.
    Free,
    /// So many of these bytes are committed: a retry must begin with them.
    Blocked { offered: Vec<u8>, committed: usize },
    /// The side has shut down.
    Closed,
}

/// Whether the connection lives at one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Handshaking,
    Open,
    /// It failed: before or behind the end of its handshake.
    Dead {
        error: Error,
        phase: Phase,
    },
}

/// A phase that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Handshaking,
    Open,
}

/// The accounts of one side.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) fate: Fate,
    pub(super) writes: Writes,
    /// All plaintext that was sealed.
    pub(super) stream: Vec<u8>,
    /// How much of it was reported as written.
    pub(super) reported: usize,
    /// How much was committed and not reported when the side shut down.
    pub(super) abandoned: usize,
    /// How many bytes of the peer's stream this side has read.
    pub(super) received: usize,
    /// The first end that a read told.
    pub(super) end: Option<Read>,
    /// The KeyUpdate that must come before the next record.
    pub(super) owed: Option<KeyUpdate>,
    /// How many of the peer's KeyUpdates were counted.
    pub(super) updates_seen: u64,
    /// KeyUpdates sealed since the last application data: peers refuse too many in a row.
    pub(super) updates_in_a_row: usize,
    /// How many bytes had been fed when the handshake was complete.
    pub(super) fed_in_handshake: usize,
    /// How many bytes were fed and not discarded.
    pub(super) kept: usize,
    noise: usize,
}

/// Enough noise that no part of a stream looks like another for a megabyte.
fn noise() -> &'static [u8] {
    static NOISE: LazyLock<Vec<u8>> = LazyLock::new(|| Random::new(1).bytes((1 << 20) + 7));
    &NOISE
}

impl Ledger {
    pub(super) fn new(noise: usize) -> Self {
        Self {
            fate: Fate::Handshaking,
            writes: Writes::Free,
            stream: Vec::new(),
            reported: 0,
            abandoned: 0,
            received: 0,
            end: None,
            owed: None,
            updates_seen: 0,
            updates_in_a_row: 0,
            fed_in_handshake: 0,
            kept: 0,
            noise,
        }
    }

    /// The bytes of an offer, always at another address than before. At least one, so that it is
    /// no empty write.
    pub(super) fn offer(&mut self, offer: Offer) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut fresh = offer.fresh;
        if let Writes::Blocked { offered, committed } = &self.writes {
            match offer.repeat {
                Repeat::AsOffered => bytes.extend_from_slice(offered),
                Repeat::Committed => bytes.extend_from_slice(&offered[..*committed]),
                Repeat::TooShort(missing) => {
                    let missing = (missing as usize).clamp(1, *committed);
                    bytes.extend_from_slice(&offered[..committed - missing]);
                    return bytes;
                }
                Repeat::Changed(at) => {
                    bytes.extend_from_slice(offered);
                    bytes[at as usize % committed] ^= 1;
                    return bytes;
                }
            }
        } else {
            fresh = fresh.max(1);
        }
        match offer.content {
            Content::Noise => self.add_noise(&mut bytes, fresh),
            Content::Byte(byte) => bytes.resize(bytes.len() + fresh, byte),
        }
        bytes
    }

    fn add_noise(&mut self, bytes: &mut Vec<u8>, fresh: usize) {
        let mut left = fresh;
        while left > 0 {
            let run = &noise()[self.noise..];
            let run = &run[..left.min(run.len())];
            bytes.extend_from_slice(run);
            self.noise = (self.noise + run.len()) % noise().len();
            left -= run.len();
        }
    }

    /// How many bytes are committed.
    pub(super) fn committed(&self) -> usize {
        match &self.writes {
            Writes::Blocked { committed, .. } => *committed,
            Writes::Free | Writes::Closed => 0,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.writes, Writes::Closed)
    }

    /// What every call returns, if the connection is dead.
    pub(super) fn death(&self) -> Option<Error> {
        match &self.fate {
            Fate::Handshaking | Fate::Open => None,
            Fate::Dead { error, .. } => Some(error.clone()),
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        matches!(self.fate, Fate::Dead { .. })
    }

    /// A KeyUpdate is owed: one serves every reason for one, and a request is not lost.
    pub(super) fn owe(&mut self, update: KeyUpdate) {
        self.owed = match (self.owed, update) {
            (Some(KeyUpdate::Both), _) | (_, KeyUpdate::Both) => Some(KeyUpdate::Both),
            (Some(KeyUpdate::Ours) | None, KeyUpdate::Ours) => Some(KeyUpdate::Ours),
        };
    }
}
