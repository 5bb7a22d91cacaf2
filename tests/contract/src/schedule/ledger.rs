//! What the model remembers of one side: what it offered, what was reported, what it received.

use offwire_testkit::Random;

/// Where the writes of one side stand.
#[derive(Debug)]
enum Writes {
    /// No byte is committed.
    Free,
    /// These bytes must be repeated, at least as far as they are committed.
    Blocked(Vec<u8>),
    /// The side has shut down.
    Closed,
}

/// The accounts of one side.
#[derive(Debug)]
pub(super) struct Ledger {
    random: Random,
    writes: Writes,
    /// All plaintext that was reported as written, or that was committed at shutdown.
    written: Vec<u8>,
    /// How many bytes this side has read.
    pub(super) received: usize,
}

impl Ledger {
    pub(super) fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        Self {
            random,
            writes: Writes::Free,
            written: Vec::new(),
            received: 0,
        }
    }

    /// What a write offers: what is committed must come again and `len` bytes may follow; else
    /// `len` fresh bytes. Always at another address than before.
    pub(super) fn offer(&mut self, committed: usize, len: usize) -> Vec<u8> {
        let mut offer = match &self.writes {
            Writes::Blocked(bytes) if committed > 0 => match len % 3 {
                0 => bytes[..committed].to_vec(), // no shorter than what is committed
                _ => bytes.clone(),
            },
            Writes::Blocked(_) | Writes::Free | Writes::Closed => Vec::new(),
        };
        let more = if offer.is_empty() {
            len.max(1)
        } else {
            len % 2 * len
        };
        offer.extend(self.random.bytes(more));
        offer
    }

    pub(super) fn written(&mut self, bytes: &[u8]) {
        self.written.extend_from_slice(bytes);
        self.writes = Writes::Free;
    }

    pub(super) fn blocked(&mut self, offer: Vec<u8>, committed: usize) {
        self.writes = if committed > 0 {
            Writes::Blocked(offer)
        } else {
            Writes::Free
        };
    }

    /// The side shuts down: the committed part leaves, the rest is abandoned.
    pub(super) fn close(&mut self, committed: usize) {
        if let Writes::Blocked(bytes) = &self.writes {
            self.written.extend_from_slice(&bytes[..committed]);
        }
        self.writes = Writes::Closed;
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.writes, Writes::Closed)
    }

    /// The bytes of a blocked write.
    pub(super) fn in_progress(&self) -> &[u8] {
        match &self.writes {
            Writes::Blocked(bytes) => bytes,
            Writes::Free | Writes::Closed => &[],
        }
    }

    /// All that may have reached the peer: what was written, and what is committed besides.
    pub(super) fn stream(&self, committed: usize) -> Vec<u8> {
        let in_progress = self.in_progress();
        [
            &self.written[..],
            &in_progress[..committed.min(in_progress.len())],
        ]
        .concat()
    }
}
