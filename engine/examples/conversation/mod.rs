//! What the two ends of every example say to each other: an application that knows no transport.
//!
//! Both ends write at once, as much as the engine takes, and check every byte that they read. The
//! engine's verbs are called here and nowhere else; the loops beside this folder move bytes. That
//! is why one conversation serves readiness, completions and virtual time unchanged.

use core::fmt;

use offwire::{Engine, Handshake, Read, Shutdown, Write};

/// Bytes that a write offers: more than the outgoing queue holds, so that whole writes block and
/// have to be repeated.
const CHUNK: usize = 100_000;

/// A full record's plaintext and its spare byte: enough to be opened into without a copy.
const BUFFER: usize = 16_385;

/// Why an end gave up: TLS failed, the transport did, or a byte was wrong.
pub(crate) type Fault = Box<dyn core::error::Error + Send + Sync>;

/// How an end leaves once it has said all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    /// With close_notify, as it should.
    CloseNotify,
    /// With nothing: what the peer must be able to tell from a clean end.
    Silence,
}

/// How a conversation stands, once no verb can go on before bytes have moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// This end still has something to say.
    Talking,
    /// It has not; once `outgoing()` is empty, the transport's sending half may be closed.
    SaidAll,
    /// Both ends have said all, and close_notify.
    Complete,
    /// The peer's transport has ended without close_notify.
    Truncated,
}

/// One end's part: what it says and what it expects to hear, in bytes of plaintext.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// Where the bytes to say come from.
    pub(crate) voice: u64,
    /// How many there are.
    pub(crate) to_say: usize,
    /// Where the peer's bytes come from.
    pub(crate) peer_voice: u64,
    /// How many there should be.
    pub(crate) to_hear: usize,
    /// How this end leaves.
    pub(crate) farewell: Farewell,
}

/// One end of a conversation.
pub(crate) struct Conversation {
    part: Part,
    said: usize,
    heard: usize,
    /// What the next write offers. It stays as it is until the write is done, because a write that
    /// said `NeedWrite` has to be repeated with the same bytes.
    chunk: Vec<u8>,
    buffer: Vec<u8>,
}

impl Conversation {
    pub(crate) fn new(part: Part) -> Self {
        let (chunk, buffer) = (Vec::with_capacity(CHUNK), vec![0; BUFFER]);
        Self {
            part,
            said: 0,
            heard: 0,
            chunk,
            buffer,
        }
    }

    /// Bytes heard so far, each of which was right.
    pub(crate) fn heard(&self) -> usize {
        self.heard
    }

    /// Calls the verbs until each waits for bytes to move. Reading goes on while a write is
    /// blocked, and writing goes on after the peer's close_notify.
    pub(crate) fn advance(&mut self, engine: &mut Engine) -> Result<Standing, Fault> {
        match self.listen(engine)? {
            Read::Truncated => Ok(Standing::Truncated),
            Read::Read(_) | Read::NeedRead | Read::NeedWrite | Read::Closed => self.speak(engine),
        }
    }

    /// Reads until there is nothing left, and says why not.
    fn listen(&mut self, engine: &mut Engine) -> Result<Read, Fault> {
        loop {
            let outcome = engine.read(&mut self.buffer)?;
            let Read::Read(length) = outcome else {
                return Ok(outcome);
            };
            let heard = self.buffer.get(..length).unwrap_or_default();
            let expected = voice(self.part.peer_voice, self.heard);
            if !heard.iter().copied().eq(expected.take(length)) {
                return Err(format!("a wrong byte at or behind offset {}", self.heard).into());
            }
            self.heard += length;
        }
    }

    /// Writes until there is nothing left to say, then closes this half.
    fn speak(&mut self, engine: &mut Engine) -> Result<Standing, Fault> {
        while self.said < self.part.to_say {
            if self.chunk.is_empty() {
                let length = CHUNK.min(self.part.to_say - self.said);
                self.chunk
                    .extend(voice(self.part.voice, self.said).take(length));
            }
            match engine.write(&self.chunk)? {
                Write::Written(length) => {
                    self.said += length;
                    self.chunk.clear();
                }
                Write::NeedRead | Write::NeedWrite => return Ok(Standing::Talking),
            }
        }
        if self.part.farewell == Farewell::Silence {
            return Ok(Standing::SaidAll);
        }
        // Who has nothing to say has not written, so nothing has completed the handshake yet.
        match engine.handshake()? {
            Handshake::Complete => {}
            Handshake::NeedRead | Handshake::NeedWrite => return Ok(Standing::Talking),
        }
        Ok(match engine.shutdown()? {
            Shutdown::NeedWrite => Standing::Talking,
            Shutdown::Sent => Standing::SaidAll,
            Shutdown::Complete => Standing::Complete,
            Shutdown::Truncated => Standing::Truncated,
        })
    }
}

/// The bytes of a voice from `offset` on: the same for the same voice, different from place to place.
fn voice(voice: u64, offset: usize) -> impl Iterator<Item = u8> {
    (offset as u64..).map(move |place| {
        let mixed = (place ^ (voice << 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let [_, _, byte, ..] = mixed.to_be_bytes();
        byte
    })
}

/// What one end should come to.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    /// Everything was said and heard, and closed cleanly.
    Complete,
    /// What was heard is right, but cut off.
    Truncated,
    /// TLS failed with this error.
    Refused(offwire::Error),
}

/// What one end came to: a line of the table that every example prints in the end.
pub(crate) struct Report {
    end: String,
    session: String,
    said: usize,
    heard: usize,
    records: u64,
    waits: u64,
    ending: String,
    verdict: Result<(), Fault>,
}

impl Report {
    /// The table's heading.
    pub(crate) const HEADING: &str = concat!(
        "  end                 session                               said       heard  records",
        "  waits  ending"
    );

    /// Notes how an end came out, and judges it.
    pub(crate) fn new(
        end: &str,
        engine: &Engine,
        conversation: &Conversation,
        outcome: &Result<Standing, Fault>,
        expected: &Expected,
    ) -> Self {
        let session = engine.negotiated().map_or_else(
            || "no session".to_owned(),
            |facts| format!("{} {}", facts.version(), facts.cipher_suite()),
        );
        let stats = engine.stats();
        let ending = match outcome {
            Ok(Standing::Complete) => "complete".to_owned(),
            Ok(Standing::Truncated) => "truncated".to_owned(),
            Ok(Standing::Talking | Standing::SaidAll) => "unfinished".to_owned(),
            Err(fault) => format!("failed: {fault}"),
        };
        Self {
            end: end.to_owned(),
            session,
            said: conversation.said,
            heard: conversation.heard(),
            records: stats.records_sealed + stats.records_opened,
            waits: stats.need_reads + stats.need_writes,
            ending,
            verdict: conversation.judge(end, outcome, expected),
        }
    }

    /// Whether the end came out as it should.
    pub(crate) fn into_verdict(self) -> Result<(), Fault> {
        self.verdict
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "  {:<19} {:<32} {:>10}  {:>10}  {:>7}  {:>5}  {}",
            self.end, self.session, self.said, self.heard, self.records, self.waits, self.ending
        )
    }
}

impl Conversation {
    fn judge(
        &self,
        end: &str,
        outcome: &Result<Standing, Fault>,
        expected: &Expected,
    ) -> Result<(), Fault> {
        let whole = self.said == self.part.to_say && self.heard == self.part.to_hear;
        let right = match (outcome, expected) {
            (Ok(Standing::Complete), Expected::Complete) => whole,
            (Ok(Standing::Truncated), Expected::Truncated) => self.heard <= self.part.to_hear,
            (Err(fault), Expected::Refused(error)) => fault.downcast_ref() == Some(error),
            (Ok(_) | Err(_), _) => false,
        };
        if right {
            return Ok(());
        }
        Err(format!("{end}: {outcome:?}, expected {expected:?}").into())
    }
}
