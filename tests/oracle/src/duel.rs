//! The comparison: the same calls on two connections, one of them with OpenSSL, and what each says.
//!
//! It knows which calls make sense where, keeps the account of what was written and read, and has
//! [`explain`](crate::explain) judge every pair of answers.

use alloc::rc::Rc;
use core::cell::RefCell;
use std::io;

use offwire::{KeyUpdate, Stats};
use offwire_testkit::{Cuts, Random, Side};

use crate::contexts::{Contexts, Setting};
use crate::difference::Difference;
use crate::end::End;
use crate::explain::{self, Verdict};
use crate::judge::Judge;
use crate::ladder::{Ladder, Row};
use crate::outcome::{Outcome, Reply, Verb};
use crate::pattern::{self, Copy};
use crate::plan::{Plan, Reference};
use crate::record::FULL;
use crate::session::{Fate, Session};
use crate::state::{CloseNotify, Met, Standing, State, Writing};
use crate::tally::Tally;

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
    /// The two cannot be compared call by call any more, for this reason, which a side has brought
    /// about.
    Parted(Difference, Side),
}

/// Two connections side by side.
#[derive(Debug)]
pub(crate) struct Duel<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) setting: Setting,
    pub(crate) contexts: &'a Contexts,
    pub(crate) reference: Session,
    pub(crate) ours: Session,
    pub(crate) states: [State; 2],
    pub(crate) tally: &'a mut Tally,
    pub(crate) ladder: Ladder,
    pub(crate) damage: Damage,
    /// Where movements are cut, by the side that has sent the bytes.
    cuts: [Random; 2],
}

/// What was done to the transport; once is enough for a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    None,
    /// A bit that this side has sent was flipped.
    Flipped(Side),
    /// What this side sends does not arrive any more.
    Ended(Side),
    /// Nothing arrives any more.
    Reset,
}

impl<'a> Duel<'a> {
    /// Makes both connections. Ours may be given another setting, to show that it is noticed.
    pub(crate) fn new(
        plan: &'a Plan,
        ours: &Plan,
        (contexts, judge): (&'a Contexts, &Rc<RefCell<Judge>>),
        tally: &'a mut Tally,
    ) -> Result<Self, Trouble> {
        let (setting, ours) = (plan.setting(), ours.setting());
        let mine = |side| {
            End::offwire(contexts, side, &ours).map_err(|error| Trouble::Broken(error.to_string()))
        };
        let theirs = |side| End::openssl(judge, side, &setting).map_err(Trouble::from);
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
            damage: Damage::None,
            cuts: Side::BOTH.map(|side| cuts(plan.schedule.cuts, side)),
            setting,
        })
    }

    pub(crate) fn state(&mut self, side: Side) -> &mut State {
        let [client, server] = &mut self.states;
        match side {
            Side::Client => client,
            Side::Server => server,
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

    pub(crate) fn pull(&mut self, side: Side, verb: Verb) -> Result<Flow, Trouble> {
        let theirs = self.reference.call(side, verb)?;
        let (mine, met) = self.our_call(side, verb)?;
        let flow = self.compare(side, verb, &theirs, &mine, met)?;
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

    pub(crate) fn shutdown(&mut self, side: Side) -> Result<Flow, Trouble> {
        let committed = self.committed(side);
        let theirs = self.reference.call(side, Verb::Shutdown)?;
        let (mine, met) = self.our_call(side, Verb::Shutdown)?;
        let flow = self.compare(side, Verb::Shutdown, &theirs, &mine, met)?;
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

    pub(crate) fn key_update(&mut self, side: Side, update: KeyUpdate) -> Result<Flow, Trouble> {
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
        self.compare(side, verb, &theirs, &mine, met)
    }

    /// Calls the handshake, which is complete.
    pub(crate) fn shake_hands(&mut self, side: Side) -> Result<Flow, Trouble> {
        let theirs = self.reference.call(side, Verb::Handshake)?;
        let (mine, met) = self.our_call(side, Verb::Handshake)?;
        self.compare(side, Verb::Handshake, &theirs, &mine, met)
    }

    /// How many bytes of a side both connections have on their way.
    pub(crate) fn in_flight(&mut self, from: Side) -> Result<usize, Trouble> {
        let [theirs, mine] =
            [&mut self.reference, &mut self.ours].map(|session| session.end(from).out());
        Ok(theirs?.min(mine?))
    }

    /// Moves what the link of the schedule moves at once.
    pub(crate) fn carry_cut(&mut self, from: Side) -> Result<Flow, Trouble> {
        let available = self.in_flight(from)?;
        let [client, server] = &mut self.cuts;
        let random = match from {
            Side::Client => client,
            Side::Server => server,
        };
        let len = match self.plan.schedule.cuts {
            Cuts::Whole => available,
            Cuts::Bytes(len) => len.max(1),
            Cuts::Seeded(_) if available == 0 => 0,
            Cuts::Seeded(_) => random.cut(available),
        };
        self.carry(from, len, Fate::Intact)
    }

    /// Moves bytes on both connections: as many as both have.
    pub(crate) fn carry(&mut self, from: Side, len: usize, fate: Fate) -> Result<Flow, Trouble> {
        if self.is_gone(from) {
            return Ok(Flow::On);
        }
        let len = len.min(self.in_flight(from)?);
        let mut fate = fate;
        if fate != Fate::Intact {
            if !self.ours.wire(from).has_body_within(len) || self.damage != Damage::None {
                fate = Fate::Intact;
            } else {
                self.damage = Damage::Flipped(from);
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

    pub(crate) fn end(&mut self, from: Side) -> Result<Flow, Trouble> {
        if self.damage == Damage::None {
            self.damage = Damage::Ended(from);
            self.ladder.push(Row::ended(from));
            self.reference.end(from.peer()).end()?;
            self.ours.end(from.peer()).end()?;
        }
        Ok(Flow::On)
    }

    /// Loses what is in flight and ends both directions.
    pub(crate) fn reset(&mut self) -> Result<Flow, Trouble> {
        if self.damage == Damage::None {
            self.damage = Damage::Reset;
            for side in Side::BOTH {
                self.ladder.push(Row::ended(side));
                self.reference.end(side).end()?;
                self.ours.end(side).end()?;
            }
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
        matches!(self.damage, Damage::Reset)
            || self.damage == Damage::Ended(from)
            || self.state(from).standing == Standing::Truncated
    }

    /// Compares two answers.
    pub(crate) fn compare(
        &mut self,
        side: Side,
        verb: Verb,
        theirs: &Reply,
        mine: &Reply,
        met: Met,
    ) -> Result<Flow, Trouble> {
        self.tally.calls += 1;
        let verdict = explain::compare(self, side, verb, (theirs, mine), met);
        self.ladder
            .push(Row::call(side, verb, theirs, mine, verdict.difference()));
        for said in theirs.said.into_iter().chain(verdict.difference()) {
            // It shows only behind the call that reads the request, if at all.
            if !matches!(said, Difference::X16 | Difference::K8) {
                self.tally.meet(said)?;
            }
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
            Verdict::Parts(difference) => Ok(Flow::Parted(difference, side)),
            Verdict::Unexplained(what) => self.unexplained(what),
        }
    }

    pub(crate) fn unexplained<T>(&self, what: &str) -> Result<T, Trouble> {
        Err(Trouble::Unexplained(what.into()))
    }
}

/// Where a direction is cut.
fn cuts(cuts: Cuts, from: Side) -> Random {
    let seed = match cuts {
        Cuts::Seeded(seed) => seed,
        Cuts::Whole | Cuts::Bytes(_) => 0,
    };
    match from {
        Side::Client => Random::new(seed),
        Side::Server => Random::new(!seed),
    }
}
