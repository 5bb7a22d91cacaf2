//! Early data in any order of calls, to a server that takes it or rejects it in one of four ways:
//! every byte of both sides arrives once and in order, or is told to be rejected and sent again, and
//! both sides come to an orderly end.
//!
//! The input: a byte for the answer, a byte of settings, three lengths (what the session permits,
//! what the client and the server have to say), then calls. The cryptography is real and comes from a
//! seed: whether a record of early data can be opened decides what a server skips.

use offwire::{
    Completion, EarlyDataStatus, Error, Misuse, Read, ReadEarlyData, RetryCheck, Settings,
    Shutdown, Write, WriteEarlyData, WriteMode,
};
use offwire_testkit::early_data::{Answer, early_contexts, with_session};
use offwire_testkit::{Contexts, Random, Side};

use crate::script::Script;
use crate::watched::Watched;

/// The most that one side has to say, in bytes: some records, and more than the smallest queue.
const MOST: usize = 40_000;

/// How many rounds without progress mean that the two wait for each other.
const IDLE_ROUNDS: usize = 4;

/// Whether more early data can come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Early,
    Ended,
}

/// One end.
struct End {
    engine: Watched,
    /// What it has to say.
    bytes: Vec<u8>,
    /// How much of it was reported as written, and not as rejected.
    written: usize,
    /// Where the write ends that must be repeated, if one must.
    owed: Option<usize>,
    /// What it was told, early or not.
    received: Vec<u8>,
    in_flight: Vec<u8>,
}

struct Session {
    answer: Answer,
    limit: usize,
    client: End,
    server: End,
    reading: Reading,
    /// How much of what the server received was early.
    early: usize,
    into: Vec<u8>,
}

pub(crate) fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let mut session = Session::new(&mut script);
    while !script.is_empty() {
        session.step(&mut script);
    }
    session.finish();
}

/// The settings that a byte stands for.
fn settings(byte: u8) -> Settings {
    let mut settings = Settings::default();
    if byte & 1 != 0 {
        settings = settings.incoming_limit(0).outgoing_limit(0);
    }
    if byte & 2 != 0 {
        settings = settings.write_mode(WriteMode::Partial);
    }
    if byte & 4 != 0 {
        settings = settings.completion(Completion::Sent);
    }
    if byte & 8 != 0 {
        settings = settings.retry_check(RetryCheck::Length);
    }
    if byte & 16 != 0 {
        settings = settings.max_record_size(600);
    }
    settings
}

impl Session {
    fn new(script: &mut Script<'_>) -> Self {
        let answer = Answer::ALL[script.below(Answer::ALL.len())];
        let settings = settings(script.byte());
        let limit = script.length(MOST).max(1);
        let contexts = early_contexts(u32::try_from(limit).unwrap(), settings)
            .danger_seeded_crypto_for_tests(1);
        let (client, server) = with_session(&contexts, answer);
        let client = client.connect(contexts.name()).unwrap();
        Self {
            answer,
            limit,
            client: End::new(client, &contexts, 1, script.length(MOST)),
            server: End::new(server.accept(), &contexts, 2, script.length(MOST)),
            reading: Reading::Early,
            early: 0,
            into: vec![0; 16_385],
        }
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() {
            0..70 => self.client.write_early(script.length(MOST)),
            70..90 => self.server.write_early(script.length(MOST)),
            90..120 => {
                let len = script.length(16_385).max(1);
                self.read_early(len);
            }
            120..140 => self.read(Side::Client),
            140..150 => self.read(Side::Server),
            150..155 => self.handshake(Side::Client),
            155..160 => self.handshake(Side::Server),
            160..165 => self.client.write(script.length(MOST)),
            165..170 => self.server.write(script.length(MOST)),
            170..174 => self.client.engine.release(),
            174..178 => self.server.engine.release(),
            178..220 => _ = self.carry(Side::Server, script.length_or(20_000, usize::MAX)),
            220.. => _ = self.carry(Side::Client, script.length_or(20_000, usize::MAX)),
        }
    }

    fn sides(&mut self, side: Side) -> (&mut End, &mut End) {
        match side {
            Side::Client => (&mut self.client, &mut self.server),
            Side::Server => (&mut self.server, &mut self.client),
        }
    }

    /// Lets up to `len` bytes leave towards a side, and as many arrive; returns how many moved.
    fn carry(&mut self, towards: Side, len: usize) -> usize {
        let (to, from) = self.sides(towards);
        let End {
            engine, in_flight, ..
        } = from;
        engine.carry(in_flight, &mut to.engine, (len, len))
    }

    fn read_early(&mut self, len: usize) {
        match self
            .server
            .engine
            .read_early(&mut self.into[..len])
            .unwrap()
        {
            ReadEarlyData::Read(n) => {
                assert_eq!(self.reading, Reading::Early, "early data behind its end");
                self.server.received.extend_from_slice(&self.into[..n]);
                self.early += n;
            }
            ReadEarlyData::NeedRead | ReadEarlyData::NeedWrite => {
                assert_eq!(self.reading, Reading::Early, "waits, though it has ended");
            }
            ReadEarlyData::Ended => self.reading = Reading::Ended,
        }
    }

    fn read(&mut self, side: Side) {
        let mut into = core::mem::take(&mut self.into);
        let (end, _) = self.sides(side);
        match end.engine.read(&mut into) {
            Ok(Read::Read(n)) => end.received.extend_from_slice(&into[..n]),
            Ok(Read::NeedRead | Read::NeedWrite | Read::Closed) => {}
            Ok(Read::Truncated) => panic!("nobody ended the transport"),
            Err(error) => {
                assert_eq!(error, Misuse::EarlyDataUnread.into());
                assert_eq!(side, Side::Server);
            }
        }
        self.into = into;
    }

    fn handshake(&mut self, side: Side) {
        let (end, _) = self.sides(side);
        if let Err(error) = end.engine.handshake() {
            assert_eq!(error, Misuse::EarlyDataUnread.into());
            assert_eq!(side, Side::Server);
        }
    }

    /// Both sides write what they have to say, by whichever verb goes on, and close.
    fn finish(mut self) {
        let mut idle = 0;
        let mut ends = [Shutdown::NeedWrite; 2];
        while ends != [Shutdown::Complete; 2] {
            let before = self.progress();
            self.client.go_on();
            match self.reading {
                Reading::Early => {
                    self.read_early(16_385);
                    self.server.go_on_early();
                }
                Reading::Ended => {
                    self.server.go_on();
                    self.read(Side::Server);
                }
            }
            self.read(Side::Client);
            for (end, said) in [&mut self.client, &mut self.server]
                .into_iter()
                .zip(&mut ends)
            {
                if end.is_done() {
                    *said = end.engine.shutdown().unwrap();
                }
            }
            let moved = [Side::Server, Side::Client].map(|side| self.carry(side, usize::MAX));
            let moves = moved != [0, 0] || self.progress() != before;
            idle = if moves { 0 } else { idle + 1 };
            let (client, server) = (&self.client.engine, &self.server.engine);
            assert!(idle < IDLE_ROUNDS, "both wait: {client:?} {server:?}");
        }
        self.check_end();
    }

    fn progress(&self) -> [usize; 4] {
        let of = |end: &End| [end.written, end.received.len()];
        let ([a, b], [c, d]) = (of(&self.client), of(&self.server));
        [a, b, c, d]
    }

    fn check_end(&mut self) {
        assert!(
            self.server.received == self.client.bytes,
            "towards the server"
        );
        assert!(
            self.client.received == self.server.bytes,
            "towards the client"
        );
        let (status, written) = (
            self.client.engine.engine().early_data(),
            self.client.engine.written_early(),
        );
        if self.answer == Answer::Accepts {
            assert_eq!(self.early, written, "what was written early is read early");
            assert!(written <= self.limit);
            assert!(written == 0 || status == EarlyDataStatus::Accepted);
        } else {
            assert_eq!(self.early, 0, "nothing of it is delivered");
            assert!(written == 0 || status == EarlyDataStatus::Rejected);
        }
        for end in [&mut self.client, &mut self.server] {
            assert_eq!(end.engine.read(&mut [0; 9]), Ok(Read::Closed));
        }
    }
}

impl End {
    fn new(engine: offwire::Engine, contexts: &Contexts, seed: u64, len: usize) -> Self {
        Self {
            engine: Watched::new(engine, contexts),
            bytes: Random::new(seed).bytes(len),
            written: 0,
            owed: None,
            received: Vec::new(),
            in_flight: Vec::new(),
        }
    }

    /// Whether all is written, and nothing of it was rejected.
    fn is_done(&mut self) -> bool {
        self.engine.is_complete() && !self.take_back() && self.written == self.bytes.len()
    }

    /// What a write offers: the same as the call that it repeats, or up to `len` fresh bytes.
    fn offer(&mut self, len: usize) -> Vec<u8> {
        if self.engine.engine().committed() == 0 {
            self.owed = None;
        }
        let end = self.bytes.len().min(self.written.saturating_add(len));
        let end = *self.owed.get_or_insert(end);
        self.bytes[self.written..end].to_vec()
    }

    fn wrote(&mut self, n: usize) {
        self.written += n;
        self.owed = None;
    }

    /// Writes early, or finds that it is too late.
    fn write_early(&mut self, len: usize) {
        let offer = self.offer(len);
        match self.engine.write_early(&offer) {
            Ok(WriteEarlyData::Written(n) | WriteEarlyData::Ended(n)) => self.wrote(n),
            Ok(WriteEarlyData::NeedRead | WriteEarlyData::NeedWrite) => {
                self.engine.retry_wrongly(&offer);
            }
            Err(error) => self.assert_owed_elsewhere(&error),
        }
    }

    /// Writes, or first takes back what was rejected.
    fn write(&mut self, len: usize) {
        let offer = self.offer(len);
        match self.engine.write(&offer) {
            Ok(Write::Written(n)) => self.wrote(n),
            Ok(Write::NeedRead | Write::NeedWrite) => self.engine.retry_wrongly(&offer),
            Err(Error::Misuse(Misuse::EarlyDataRejected)) => assert!(self.take_back()),
            Err(Error::Misuse(Misuse::EarlyDataUnread)) => {}
            Err(error) => self.assert_owed_elsewhere(&error),
        }
    }

    /// Takes back what was rejected, to write it again; returns whether anything was.
    fn take_back(&mut self) -> bool {
        let rejected = self.engine.rejected_early_data();
        if rejected == 0 {
            return false;
        }
        assert_eq!(rejected, self.written, "nothing was written behind it");
        assert_eq!(self.engine.rejected_early_data(), 0, "told once");
        self.written = 0;
        self.owed = None;
        true
    }

    /// A write that is owed to one verb cannot be repeated by the other.
    fn assert_owed_elsewhere(&self, error: &Error) {
        assert_eq!(*error, Misuse::BadWriteRetry.into());
        assert!(self.engine.engine().committed() > 0);
    }

    /// Writes on where early data may still be read: only what is owed goes early.
    fn go_on_early(&mut self) {
        if self.engine.engine().committed() > 0 {
            self.write_early(0);
        }
    }

    /// Repeats an early write that is owed, then writes all that is left, or shakes hands.
    fn go_on(&mut self) {
        if self.engine.owes_early() {
            self.write_early(0);
        } else if self.written < self.bytes.len() {
            self.write(usize::MAX);
        } else if !self.take_back() {
            _ = self.engine.handshake().unwrap();
        }
    }
}
