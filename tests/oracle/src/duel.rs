//! The comparison: the same calls on two connections, one of them with OpenSSL, and what each says.
//!
//! It knows which calls make sense where, keeps the account of what was written and read, and has
//! [`explain`](crate::explain) judge every pair of answers.

use alloc::rc::Rc;
use core::cell::RefCell;
use std::io;

use offwire::{KeyUpdate, Stats};
use offwire_testkit::Side;

use crate::contexts::Contexts;
use crate::difference::Difference;
use crate::end::End;
use crate::explain::{self, Verdict};
use crate::judge::Judge;
use crate::ladder::{Ladder, Row};
use crate::outcome::{Outcome, Reply, Verb};
use crate::pattern::{self, Copy};
use crate::plan::{Call, Plan, Reference};
use crate::session::{Fate, Session};
use crate::state::{CloseNotify, Met, Standing, State, Writing};
use crate::tally::Tally;

/// The largest plaintext of a record, in bytes.
pub(crate) const FULL: usize = 16_384;

/// Why a schedule could not be judged equal.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// A difference that no fact explains.
    Unexplained(String),
    /// The judge is gone, or a pair is full: the comparison itself is broken.
    Broken(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Whether the comparison goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    On,
    /// The two cannot be compared call by call any more, for this reason.
    Parted(Difference),
}

/// Two connections side by side.
#[derive(Debug)]
pub(crate) struct Duel<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) contexts: &'a Contexts,
    pub(crate) reference: Session,
    pub(crate) ours: Session,
    pub(crate) states: [State; 2],
    pub(crate) tally: &'a mut Tally,
    pub(crate) ladder: Ladder,
    pub(crate) harm: Harm,
}

/// What was done to the transport; once is enough for a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    None,
    /// A bit that this side has sent was flipped.
    Flipped(Side),
    /// What this side sends does not arrive any more.
    Ended(Side),
}

impl<'a> Duel<'a> {
    /// Makes both connections. Ours may be given another setting, to show that it is noticed.
    pub(crate) fn new(
        plan: &'a Plan,
        ours: &Plan,
        (contexts, judge): (&'a Contexts, &Rc<RefCell<Judge>>),
        tally: &'a mut Tally,
    ) -> Result<Self, Trouble> {
        let mine = |side| {
            End::offwire(contexts, side, &ours.setting)
                .map_err(|error| Trouble::Broken(error.to_string()))
        };
        let theirs = |side| End::openssl(judge, side, &plan.setting).map_err(Trouble::from);
        let (client, server) = match plan.reference {
            Reference::Both => (theirs(Side::Client)?, theirs(Side::Server)?),
            Reference::Client => (theirs(Side::Client)?, mine(Side::Server)?),
            Reference::Server => (mine(Side::Client)?, theirs(Side::Server)?),
        };
        Ok(Self {
            plan,
            contexts,
            reference: Session::new(client, server),
            ours: Session::new(mine(Side::Client)?, mine(Side::Server)?),
            states: [State::default(), State::default()],
            tally,
            ladder: Ladder::default(),
            harm: Harm::None,
        })
    }

    pub(crate) fn state(&mut self, side: Side) -> &mut State {
        let [client, server] = &mut self.states;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    /// Takes one step of the schedule, if it makes sense here.
    pub(crate) fn step(&mut self, call: Call) -> Result<Flow, Trouble> {
        match call {
            Call::Write(side, len) => match self.state(side).writing {
                Writing::Free => self.fresh_write(side, len),
                Writing::Blocked { len, .. } => self.write(side, len, Copy::First),
            },
            Call::Retry(side, more, address) => self.retry(side, more, address),
            Call::BadRetry(side, slip) => self.bad_retry(side, slip),
            Call::Settle(side) => self.settle(side),
            Call::Read(side, len) => self.pull(side, Verb::Read(len)),
            Call::Peek(side, len) => self.pull(side, Verb::Peek(len)),
            Call::Shutdown(side) => self.shutdown(side),
            Call::KeyUpdate(side, update, len) => self.key_update(side, update, len),
            Call::Move(from, len) => self.carry(from, len, Fate::Intact),
            Call::Flip(from, len, pick) => self.carry(from, len, Fate::Flipped(pick)),
            Call::End(from) => self.end(from),
        }
    }

    /// A call on our connection, with the KeyUpdates it has sealed and read.
    pub(crate) fn our_call(&mut self, side: Side, verb: Verb) -> Result<(Reply, Met), Trouble> {
        let stats = |session: &mut Session| -> Stats {
            let engine = session.end(side).engine();
            engine.map(offwire::Engine::stats).unwrap_or_default()
        };
        let before = stats(&mut self.ours);
        let reply = self.ours.call(side, verb)?;
        let after = stats(&mut self.ours);
        let [client, server] = &mut self.states;
        let (own, peer) = match side {
            Side::Client => (client, server),
            Side::Server => (server, client),
        };
        let met = own
            .updates
            .note_received(&mut peer.updates, &before, &after);
        own.updates.note_sealed(&before, &after);
        let sealed = after.plaintext_sealed - before.plaintext_sealed;
        if let Some(behind) = usize::try_from(sealed).unwrap_or_default().checked_sub(1) {
            own.last_record = behind % FULL + 1;
        }
        Ok((reply, met))
    }

    fn pull(&mut self, side: Side, verb: Verb) -> Result<Flow, Trouble> {
        let theirs = self.reference.call(side, verb)?;
        let (mine, met) = self.our_call(side, verb)?;
        let flow = self.judge(side, verb, &theirs, &mine, met)?;
        let at = pattern::start(side.peer()) + self.state(side).received;
        let expected = self
            .contexts
            .pattern
            .slice(Copy::First, at, mine.data.len());
        if mine.data != expected {
            return self.unexplained("the plaintext is not what was written");
        }
        if theirs.outcome == mine.outcome && theirs.data != mine.data {
            return self.unexplained("the two have read different bytes");
        }
        if let (Verb::Read(_), Outcome::Done(n)) = (verb, mine.outcome) {
            self.state(side).received += n;
        }
        Ok(flow)
    }

    fn shutdown(&mut self, side: Side) -> Result<Flow, Trouble> {
        let committed = self.committed(side);
        let theirs = self.reference.call(side, Verb::Shutdown)?;
        let (mine, met) = self.our_call(side, Verb::Shutdown)?;
        let flow = self.judge(side, Verb::Shutdown, &theirs, &mine, met)?;
        let state = self.state(side);
        if let Writing::Blocked { ahead, .. } = state.writing
            && !mine.outcome.is_dead()
        {
            // What was sealed is written, the rest abandoned (X6).
            state.position += ahead + committed;
            state.writing = Writing::Free;
        }
        if matches!(mine.outcome, Outcome::Sent | Outcome::Complete) {
            state.close_notify = CloseNotify::Left;
        }
        match (mine.outcome, state.standing) {
            (Outcome::NeedWrite, Standing::Open) => state.standing = Standing::Closing,
            (Outcome::Sent | Outcome::Complete, Standing::Open | Standing::Closing) => {
                state.standing = Standing::Shut;
            }
            _ => {}
        }
        Ok(flow)
    }

    fn key_update(&mut self, side: Side, update: KeyUpdate, len: usize) -> Result<Flow, Trouble> {
        let state = self.state(side);
        // What OpenSSL refuses in a blocked write (T11) and while one is due (K1), and what can do
        // nothing after close_notify.
        if state.writing != Writing::Free || state.updates.is_due() {
            return Ok(Flow::On);
        }
        if state.standing != Standing::Open {
            return Ok(Flow::On);
        }
        let verb = Verb::KeyUpdate(update);
        let theirs = self.reference.call(side, verb)?;
        let (mine, met) = self.our_call(side, verb)?;
        if mine.outcome == Outcome::Done(0) {
            self.state(side).updates.due = Some(update);
        }
        let flow = self.judge(side, verb, &theirs, &mine, met)?;
        // A read would emit it in OpenSSL (K1), so a write comes first.
        match flow {
            Flow::On => self.fresh_write(side, len),
            Flow::Parted(_) => Ok(flow),
        }
    }

    /// Moves bytes on both connections: as many as both have.
    pub(crate) fn carry(&mut self, from: Side, len: usize, fate: Fate) -> Result<Flow, Trouble> {
        if self.is_gone(from) {
            return Ok(Flow::On);
        }
        let [theirs, mine] =
            [&mut self.reference, &mut self.ours].map(|session| session.end(from).out());
        let len = len.min(theirs?).min(mine?);
        let mut fate = fate;
        if fate != Fate::Intact {
            if !self.ours.wire(from).has_body_within(len) || self.harm != Harm::None {
                fate = Fate::Intact;
            } else {
                self.harm = Harm::Flipped(from);
            }
        }
        let theirs = self.reference.carry(from, len, fate)?;
        let mine = self.ours.carry(from, len, fate)?;
        if mine > 0 {
            self.ladder.push(Row::moved(from, mine, fate));
        }
        if theirs != mine || self.reference.wire(from).records != self.ours.wire(from).records {
            let split = format!(
                "the records differ: OpenSSL's {:02x?}, ours {:02x?}",
                self.reference.wire(from).records,
                self.ours.wire(from).records
            );
            return self.unexplained(&split);
        }
        Ok(Flow::On)
    }

    fn end(&mut self, from: Side) -> Result<Flow, Trouble> {
        if self.harm == Harm::None {
            self.harm = Harm::Ended(from);
            self.ladder.push(Row::ended(from));
            self.reference.end(from.peer()).end()?;
            self.ours.end(from.peer()).end()?;
        }
        Ok(Flow::On)
    }

    /// Whether all that a side has sent, its close_notify included, was given to its peer.
    pub(crate) fn has_arrived(&mut self, from: Side) -> bool {
        let left = self.ours.end(from).out();
        self.state(from).close_notify == CloseNotify::Left && left.is_ok_and(|left| left == 0)
    }

    /// Whether nothing passes from a side any more: its transport has ended, or it has met the end
    /// of it and OpenSSL's alert is not to be followed (X13).
    pub(crate) fn is_gone(&mut self, from: Side) -> bool {
        self.harm == Harm::Ended(from) || self.state(from).standing == Standing::Truncated
    }

    /// Compares two answers.
    pub(crate) fn judge(
        &mut self,
        side: Side,
        verb: Verb,
        theirs: &Reply,
        mine: &Reply,
        met: Met,
    ) -> Result<Flow, Trouble> {
        self.tally.calls += 1;
        let verdict = explain::judge(self, side, verb, (theirs, mine), met);
        self.ladder
            .push(Row::call(side, verb, theirs, mine, verdict.difference()));
        for said in theirs.said.iter().chain(verdict.difference().iter()) {
            self.tally.meet(*said)?;
        }
        match mine.outcome {
            Outcome::Dead(_) => self.state(side).standing = Standing::Dead,
            Outcome::Truncated => self.state(side).standing = Standing::Truncated,
            Outcome::Done(_)
            | Outcome::NeedRead
            | Outcome::NeedWrite
            | Outcome::Closed
            | Outcome::Sent
            | Outcome::Complete
            | Outcome::Refused(_) => {}
        }
        match verdict {
            Verdict::Equal | Verdict::Meant(_) => Ok(Flow::On),
            Verdict::Parts(difference) => Ok(Flow::Parted(difference)),
            Verdict::Unexplained(what) => self.unexplained(what),
        }
    }

    pub(crate) fn unexplained<T>(&self, what: &str) -> Result<T, Trouble> {
        Err(Trouble::Unexplained(what.into()))
    }
}
