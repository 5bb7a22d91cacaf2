//! An engine of which every call is checked against the contract: its bounds, what its outcomes
//! promise, that errors and ends stay, and that no byte is counted twice.

mod ports;

use offwire::{
    Engine, Error, Handshake, Interest, Internal, KeyUpdate, Misuse, Read, RetryCheck, Shutdown,
    Write,
};

/// Wire bytes of the largest record that an engine seals.
const LARGEST_OUTGOING: usize = 16_413;

/// Wire bytes that control records may take beyond the limit.
const CONTROL_RESERVE: usize = 128;

/// Wire bytes that may wait while the handshake lasts.
const HANDSHAKE_BOUND: usize = 128 * 1_024;

/// What ended a direction, or the connection.
#[derive(Debug)]
enum End {
    /// Nothing did.
    Open,
    /// Reads say this from here on.
    Read(Read),
    /// Every verb says this from here on.
    Failed(Error),
}

/// Whether our half was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Open,
    Shut,
}

/// An engine under watch.
#[derive(Debug)]
pub(crate) struct Watched {
    engine: Engine,
    end: End,
    half: Half,
    fed: u64,
    sent: u64,
    /// Plaintext that was handed out.
    read: u64,
    /// Plaintext that was reported as written, or committed at shutdown.
    written: u64,
    /// What had been sent when bytes were last committed.
    sent_at_commit: u64,
    /// The most that the incoming queue had held when the handshake was complete.
    handshake_high_water: Option<usize>,
}

impl Watched {
    pub(crate) fn new(engine: Engine) -> Self {
        let (fed, sent) = (engine.stats().wire_fed, engine.stats().wire_sent);
        let mut watched = Self {
            engine,
            end: End::Open,
            half: Half::Open,
            fed,
            sent,
            read: 0,
            written: 0,
            sent_at_commit: 0,
            handshake_high_water: None,
        };
        watched.check();
        watched
    }

    /// The engine, to be asked for facts.
    pub(crate) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The error that the connection ended with.
    pub(crate) const fn error(&self) -> Option<&Error> {
        match &self.end {
            End::Failed(error) => Some(error),
            End::Open | End::Read(_) => None,
        }
    }

    /// How the reads ended, if they did.
    pub(crate) const fn read_end(&self) -> Option<Read> {
        match &self.end {
            End::Read(read) => Some(*read),
            End::Open | End::Failed(_) => None,
        }
    }

    /// Bytes that wait to be sent.
    pub(crate) fn waiting(&self) -> usize {
        let slices = self.engine.outgoing_slices();
        slices.iter().map(|slice| slice.len()).sum()
    }

    pub(crate) fn handshake(&mut self) -> Result<Handshake, Error> {
        let outcome = self.engine.handshake();
        self.note(&outcome);
        match &outcome {
            Ok(Handshake::Complete) => {
                assert!(self.is_complete(), "complete, yet nothing is agreed")
            }
            Ok(Handshake::NeedRead) => self.check_need_read(),
            Ok(Handshake::NeedWrite) => assert!(self.waiting() > 0, "NeedWrite without output"),
            Err(_) => {}
        }
        self.check();
        outcome
    }

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
        self.note(&outcome);
        match &outcome {
            Ok(Read::Read(n)) => {
                let n = *n;
                let most = if pending > 0 { pending } else { n };
                assert_eq!(n, into.len().min(most), "what is pending comes first");
                assert_eq!(n == 0, into.is_empty(), "Read(0) is for an empty buffer");
                self.read += n as u64;
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
        if let (End::Read(earlier), Ok(other)) = (&self.end, &outcome) {
            assert_eq!(other, earlier, "an end stays");
        }
        self.check();
        outcome
    }

    pub(crate) fn write(&mut self, plaintext: &[u8]) -> Result<Write, Error> {
        let before = self.engine.committed();
        let outcome = self.engine.write(plaintext);
        self.note(&outcome);
        match &outcome {
            Ok(Write::Written(n)) => {
                assert!(self.is_complete(), "written during the handshake");
                assert!(before <= *n && *n <= plaintext.len(), "{n} bytes written");
                assert_eq!(self.engine.committed(), 0, "nothing is owed");
                self.written += *n as u64;
            }
            Ok(Write::NeedRead) => {
                assert!(
                    !self.is_complete(),
                    "a write needs no input after the handshake"
                );
                assert_eq!(self.engine.committed(), 0, "nothing was taken");
                self.check_need_read();
            }
            Ok(Write::NeedWrite) => {
                assert!(self.waiting() > 0, "NeedWrite without output");
                let committed = self.engine.committed();
                assert!(before <= committed && committed <= plaintext.len());
                if committed > before {
                    self.sent_at_commit = self.sent;
                }
            }
            Err(Error::Misuse(_)) => assert_eq!(self.engine.committed(), before),
            Err(_) => {}
        }
        self.check();
        outcome
    }

    /// Repeats a write that may be blocked, `offer`, in ways that the contract forbids: each is refused
    /// and changes nothing, so the right retry still works.
    pub(crate) fn retry_wrongly(&mut self, offer: &[u8]) {
        let committed = self.engine.committed();
        if committed == 0 || self.error().is_some() {
            return;
        }
        let (waiting, stats) = (self.waiting(), self.engine.stats());
        let mut bad = vec![offer[..committed - 1].to_vec(), Vec::new()];
        // What has left may be compared by its length alone.
        let compared = self.engine.settings().effective_retry_check() == RetryCheck::Contents;
        if compared && self.sent == self.sent_at_commit {
            let mut changed = offer.to_vec();
            changed[committed - 1] ^= 1;
            bad.push(changed);
        }
        for retry in bad {
            let refused = Err(Error::Misuse(Misuse::BadWriteRetry));
            assert_eq!(self.engine.write(&retry), refused, "{} bytes", retry.len());
            assert_eq!(
                self.engine.committed(),
                committed,
                "the retry is still owed"
            );
            assert_eq!(self.waiting(), waiting, "nothing was sealed");
            assert_eq!(self.engine.stats(), stats);
        }
        self.check();
    }

    pub(crate) fn shutdown(&mut self) -> Result<Shutdown, Error> {
        let committed = self.engine.committed();
        let outcome = self.engine.shutdown();
        self.note(&outcome);
        match &outcome {
            Ok(said) => {
                assert!(self.is_complete(), "shut down during the handshake");
                if self.half == Half::Open {
                    self.written += committed as u64;
                    self.half = Half::Shut;
                }
                assert_eq!(*said == Shutdown::NeedWrite, self.waiting() > 0, "{said:?}");
            }
            Err(Error::Misuse(_)) => assert!(!self.is_complete()),
            Err(_) => {}
        }
        self.check();
        outcome
    }

    pub(crate) fn key_update(&mut self, update: KeyUpdate) {
        let outcome = self.engine.key_update(update);
        self.note(&outcome);
        self.check();
    }

    pub(crate) fn release(&mut self) {
        self.engine.release();
        self.check();
    }

    /// Whether our half was closed.
    pub(crate) fn is_shut(&self) -> bool {
        self.half == Half::Shut
    }

    /// Whether both sides have agreed.
    pub(crate) fn is_complete(&self) -> bool {
        self.engine.negotiated().is_some()
    }

    fn wants_read(&self) -> bool {
        matches!(self.engine.interest(), Interest::Read | Interest::ReadWrite)
    }

    /// What every verb's result must obey.
    fn note<T: core::fmt::Debug>(&mut self, result: &Result<T, Error>) {
        match (&self.end, result) {
            (End::Failed(error), Err(again)) => assert_eq!(error, again, "errors stay"),
            (End::Failed(error), Ok(outcome)) => {
                assert!(
                    self.engine.stats().plaintext_opened > self.read,
                    "{outcome:?} behind {error:?}"
                );
            }
            (End::Open | End::Read(_), Err(error)) if !matches!(error, Error::Misuse(_)) => {
                self.check_blame(error);
                self.end = End::Failed(error.clone());
            }
            (End::Open | End::Read(_), _) => {}
        }
    }

    /// No input may show a fault of our own, and an alert that is told of waits.
    fn check_blame(&self, error: &Error) {
        if let Error::Internal(internal) = error {
            assert!(matches!(internal, Internal::KeysExhausted), "{internal:?}");
        }
        if error.alert().is_some() && self.half == Half::Open {
            assert!(self.waiting() > 0, "the alert of {error:?}");
        }
    }

    /// Whoever waits for input during the handshake has nothing left to send.
    fn check_need_read(&self) {
        assert!(!self.is_complete(), "NeedRead behind the handshake");
        assert_eq!(self.waiting(), 0, "NeedRead with output waiting");
        self.check_room();
    }

    fn check_room(&self) {
        assert!(self.wants_read(), "NeedRead that cannot be satisfied");
        assert_eq!(self.engine.pending(), 0, "NeedRead with plaintext pending");
    }

    /// What holds at any time.
    fn check(&mut self) {
        if self.is_complete() && self.handshake_high_water.is_none() {
            self.handshake_high_water = Some(self.engine.stats().incoming_high_water);
        }
        let (engine, stats, waiting) = (&self.engine, self.engine.stats(), self.waiting());
        let settings = engine.settings();
        let outgoing = settings.effective_outgoing_limit().max(LARGEST_OUTGOING) + CONTROL_RESERVE;
        assert!(waiting <= outgoing, "{waiting} bytes wait, {outgoing} may");
        assert!(stats.outgoing_high_water <= outgoing);
        // Behind the handshake the limit alone is the bound of what is taken.
        let beyond = self.handshake_high_water.unwrap_or(HANDSHAKE_BOUND);
        let incoming = settings.effective_incoming_limit().max(beyond);
        assert!(stats.incoming_high_water <= incoming);
        let wants_write = matches!(engine.interest(), Interest::Write | Interest::ReadWrite);
        assert_eq!(
            wants_write,
            waiting > 0,
            "Write if and only if output waits"
        );
        assert_eq!(engine.outgoing().is_empty(), waiting == 0);
        assert_eq!((stats.wire_fed, stats.wire_sent), (self.fed, self.sent));
        let opened = self.read + engine.pending() as u64;
        assert_eq!(stats.plaintext_opened, opened, "opened is read or pending");
        let owed = match self.half {
            Half::Open => engine.committed() as u64,
            Half::Shut => 0,
        };
        assert_eq!(stats.plaintext_sealed, self.written + owed, "sealed once");
        if let End::Failed(_) | End::Read(_) = self.end {
            assert!(!self.wants_read(), "nothing more can arrive");
        }
    }
}
