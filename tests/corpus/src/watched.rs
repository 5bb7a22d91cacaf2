//! An engine of which every call is checked against the contract: its bounds, what its outcomes
//! promise, that errors and ends stay, and that no byte is counted twice.

mod lending;
mod ports;
mod reading;
mod writing;

use offwire::{Completion, Engine, Error, Handshake, Interest, Internal, KeyUpdate, Read};
use offwire_testkit::Contexts;

use self::writing::Stage;

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
    /// The same of early data and of a server's answer to it.
    written_early: usize,
    /// The most plaintext that a record carries.
    record: usize,
    /// Who sealed what was last committed.
    owner: Stage,
    /// What had been sent when bytes were last committed.
    sent_at_commit: u64,
    /// What will have been sent once all that was committed has left.
    sealed_end: u64,
    /// What will have been sent once the handshake's last flight has left, where it is known.
    handshake_end: Option<u64>,
    /// The most that the incoming queue had held when the handshake was complete.
    handshake_high_water: Option<usize>,
}

impl Watched {
    /// An engine that was made from these contexts.
    pub(crate) fn new(engine: Engine, contexts: &Contexts) -> Self {
        let record = engine.settings().effective_max_record_size();
        let record = record.min(contexts.largest_plaintext());
        let (fed, sent) = (engine.stats().wire_fed, engine.stats().wire_sent);
        let mut watched = Self {
            engine,
            end: End::Open,
            half: Half::Open,
            fed,
            sent,
            read: 0,
            written: 0,
            written_early: 0,
            record,
            owner: Stage::Traffic,
            sent_at_commit: 0,
            sealed_end: 0,
            handshake_end: None,
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
        let was_complete = self.is_complete();
        let outcome = self.engine.handshake();
        self.note(&outcome);
        if self.is_complete() && !was_complete {
            // Nothing else is sealed by this verb, so what waits ends with the last flight.
            self.handshake_end = Some(self.sent + self.waiting() as u64);
        }
        match &outcome {
            Ok(Handshake::Complete) => {
                assert!(self.is_complete(), "complete, yet nothing is agreed");
                if self.engine.settings().effective_completion() == Completion::Sent {
                    let left = self.handshake_end.is_none_or(|end| self.sent >= end);
                    assert!(left, "rule 5: the last flight has not left");
                }
            }
            Ok(Handshake::NeedRead) => self.check_need_read(),
            Ok(Handshake::NeedWrite) => assert!(self.waiting() > 0, "NeedWrite without output"),
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
            (End::Failed(error), Ok(outcome)) => panic!("{outcome:?} behind {error:?}"),
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
        let pending = engine.pending() - self.early_pending();
        let opened = self.read + pending as u64;
        assert_eq!(stats.plaintext_opened, opened, "opened is read or pending");
        let owed = match (self.half, self.owner) {
            (Half::Open, Stage::Traffic) => engine.committed() as u64,
            (Half::Open, Stage::Early) | (Half::Shut, _) => 0,
        };
        assert_eq!(stats.plaintext_sealed, self.written + owed, "sealed once");
        if let End::Failed(_) | End::Read(_) = self.end {
            assert!(!self.wants_read(), "nothing more can arrive");
        }
    }
}
