//! The verbs of a watched engine that open, and what the read contract says of each call.

use offwire::{Error, Misuse, Read, ReadBytes, ReadEarlyData};

use super::{End, Watched};

impl Watched {
    /// Peeks, then reads: both must say the same.
    pub(crate) fn peek_and_read(&mut self, into: &mut [u8]) -> Result<Read, Error> {
        let mut peeked = vec![0; into.len()];
        let foretold = self.engine.peek(&mut peeked);
        let outcome = self.read(into);
        assert_eq!(outcome, foretold, "a peek tells what the read will say");
        if let Ok(Read::Read(n)) = outcome {
            assert_eq!(into.get(..n), peeked.get(..n), "a peek shows what is read");
        }
        outcome
    }

    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<Read, Error> {
        let pending = self.engine.pending();
        let outcome = self.engine.read(into);
        if let Ok(Read::Read(n)) = outcome {
            let most = if pending > 0 { pending } else { n };
            assert_eq!(n, into.len().min(most), "what is pending comes first");
            assert_eq!(n == 0, into.is_empty(), "Read(0) is for an empty buffer");
        }
        self.note_read(&outcome);
        outcome
    }

    /// Reads by the verb that hands storage out; what it read stands at the front of
    /// `into`, which grows as needed.
    pub(crate) fn read_bytes(&mut self, into: &mut Vec<u8>) -> Result<Read, Error> {
        let pending = self.engine.pending();
        let outcome = self.engine.read_bytes().map(|outcome| match outcome {
            ReadBytes::Read(bytes) => {
                assert!(!bytes.is_empty(), "there is no empty buffer to fill");
                assert!(
                    pending == 0 || bytes.len() == pending,
                    "what is pending comes first"
                );
                into.resize(into.len().max(bytes.len()), 0);
                into[..bytes.len()].copy_from_slice(&bytes);
                Read::Read(bytes.len())
            }
            ReadBytes::NeedRead => Read::NeedRead,
            ReadBytes::NeedWrite => Read::NeedWrite,
            ReadBytes::Closed => Read::Closed,
            ReadBytes::Truncated => Read::Truncated,
        });
        self.note_read(&outcome);
        outcome
    }

    /// Early data, at a server.
    pub(crate) fn read_early(&mut self, into: &mut [u8]) -> Result<ReadEarlyData, Error> {
        let outcome = self.engine.read_early_data(into);
        self.note(&outcome);
        match &outcome {
            Ok(ReadEarlyData::Read(n)) => {
                assert!(!self.is_complete(), "early data behind the handshake");
                assert!(*n <= into.len());
                assert_eq!(*n == 0, into.is_empty(), "Read(0) is for an empty buffer");
            }
            Ok(ReadEarlyData::NeedRead) => self.check_need_read(),
            Ok(ReadEarlyData::NeedWrite) => {
                assert!(
                    !self.is_complete() && self.waiting() > 0,
                    "NeedWrite without output"
                );
            }
            Ok(ReadEarlyData::Ended) => assert_eq!(self.early_pending(), 0, "not the end"),
            Err(Error::Misuse(misuse)) => assert_eq!(*misuse, Misuse::EarlyDataReadByClient),
            Err(_) => {}
        }
        self.check();
        outcome
    }

    /// Bytes of early data that were opened and not read: until the handshake is complete nothing
    /// else is opened.
    pub(super) fn early_pending(&self) -> usize {
        if self.is_complete() {
            0
        } else {
            self.engine.pending()
        }
    }

    fn note_read(&mut self, outcome: &Result<Read, Error>) {
        // Plaintext that was opened before a failure comes first.
        let is_late = self.error().is_some() && outcome.is_ok();
        if is_late {
            assert!(
                matches!(outcome, Ok(Read::Read(_))),
                "{outcome:?} behind a failure"
            );
            assert!(self.engine.stats().plaintext_opened > self.read);
        } else {
            self.note(outcome);
        }
        match outcome {
            Ok(Read::Read(n)) => {
                assert!(
                    self.is_complete() || self.error().is_some(),
                    "read in the handshake"
                );
                self.read += *n as u64;
            }
            Ok(Read::NeedRead) if self.is_complete() => self.check_room(),
            Ok(Read::NeedRead) => self.check_need_read(),
            Ok(Read::NeedWrite) => {
                assert!(
                    !self.is_complete(),
                    "a read needs no output after the handshake"
                );
                assert!(self.waiting() > 0, "NeedWrite without output");
            }
            Ok(end @ (Read::Closed | Read::Truncated)) => {
                assert!(self.is_complete(), "{end:?} during the handshake");
                match &self.end {
                    End::Open => self.end = End::Read(*end),
                    End::Read(earlier) => assert_eq!(earlier, end, "an end stays"),
                    End::Failed(error) => panic!("{end:?} behind {error:?}"),
                }
            }
            Err(_) => {}
        }
        if let (End::Read(earlier), Ok(other)) = (&self.end, outcome) {
            assert_eq!(other, earlier, "an end stays");
        }
        self.check();
    }
}
