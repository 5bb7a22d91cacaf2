//! What one side wrote, and what the other made of it.

use offwire_testkit::Random;

/// Whether the writer may have closed its half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Open,
    Closing,
}

/// One direction's accounts.
#[derive(Debug)]
pub(crate) struct Ledger {
    random: Random,
    written: Vec<u8>,
    /// The last write, which must be repeated if a byte of it is committed.
    offer: Vec<u8>,
    received: usize,
    half: Half,
}

impl Ledger {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            written: Vec::new(),
            offer: Vec::new(),
            received: 0,
            half: Half::Open,
        }
    }

    /// What is written next: the same again if a byte is committed, else `len` fresh bytes.
    pub(crate) fn offer(&mut self, committed: usize, len: usize) -> Vec<u8> {
        if committed == 0 {
            // Beginning anywhere, so that a run sent twice or left out shows.
            let first = self.random.below(251);
            self.offer = (first..first + len).map(byte).collect();
        }
        self.offer.clone()
    }

    pub(crate) fn written(&mut self, n: usize) {
        self.written.extend_from_slice(&self.offer[..n]);
    }

    /// The half closes; what is committed leaves, the rest is abandoned.
    pub(crate) fn abandon(&mut self, committed: usize) {
        self.written(committed);
    }

    pub(crate) fn close(&mut self) {
        self.half = Half::Closing;
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.half == Half::Closing
    }

    /// The other side has read these bytes, which must be the next of those written or committed.
    pub(crate) fn received(&mut self, bytes: &[u8], committed: usize) {
        let unread = self.written.get(self.received..).unwrap_or_default();
        let from_written = bytes.len().min(unread.len());
        let start = self.received.saturating_sub(self.written.len());
        let end = start + bytes.len() - from_written;
        assert!(end <= committed || start == end, "more than was committed");
        let expected = [&unread[..from_written], &self.offer[start..end]];
        assert!(expected.concat() == bytes, "each byte once, in order");
        self.received += bytes.len();
    }

    pub(crate) fn assert_delivered(&self) {
        assert_eq!(self.received, self.written.len(), "everything is delivered");
    }
}

fn byte(number: usize) -> u8 {
    u8::try_from(number % 251).unwrap_or_default()
}
