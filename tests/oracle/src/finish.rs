//! The two ends of a schedule that are driven instead of compared: the handshake, and what is left
//! to do when the calls are over or the connections have parted.
//!
//! Only final outcomes count here: that both get there, and that every byte arrives once.

use core::fmt;

use offwire_testkit::Side;
use offwire_testkit::schedule::Slices;

use crate::contexts::Contexts;
use crate::duel::Trouble;
use crate::outcome::{Cause, Outcome, Verb};
use crate::pattern::{self, Copy};
use crate::plan::Greeting;
use crate::record::BUFFER;
use crate::session::Session;
use crate::state::{Standing, State, Writing};

/// How many rounds in which no byte moves make a driver give up.
const IDLE: usize = 8;

/// A connection that is driven.
#[derive(Debug)]
pub(crate) struct Driver<'a> {
    pub(crate) session: &'a mut Session,
    pub(crate) contexts: &'a Contexts,
    pub(crate) sides: [Task; 2],
}

/// What a side has still to do, and what it has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    /// Bytes written.
    pub(crate) written: usize,
    /// Bytes of the write that is to be made behind them, if there is one.
    pub(crate) left: Option<usize>,
    /// Bytes read of what the peer wrote.
    pub(crate) received: usize,
    pub(crate) closing: Closing,
    pub(crate) reading: Reading,
}

/// How far a side has shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    Open,
    Sent,
}

/// How a side's reading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Open,
    Closed,
    Truncated,
    Dead(Cause),
}

/// How a driven connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// Both have closed and every byte has arrived.
    Clean,
    /// OpenSSL died of a repetition: two KeyUpdates came before it (X4), or it has another address (X3).
    Killed,
}

/// What both sides are driven through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Handshake,
    /// What a side sends when its handshake is complete, and what was written in it.
    RestOfHandshake,
    /// What is left to write, and close_notify.
    End,
    /// A fatal alert.
    Alert,
}

impl Task {
    /// A side that has done nothing and is to write so many bytes.
    pub(crate) const fn new(left: Option<usize>) -> Self {
        Self {
            written: 0,
            left,
            received: 0,
            closing: Closing::Open,
            reading: Reading::Open,
        }
    }

    /// What is left to do for OpenSSL's end of a side in this state: a write that is blocked, else
    /// one of so many bytes. A KeyUpdate that is due needs a write, if only one of nothing.
    pub(crate) const fn of_reference(state: &State, bulk: usize) -> Self {
        let left = match (state.writing, state.standing) {
            (Writing::Blocked { len, .. }, _) => Some(len),
            (Writing::Free, Standing::Open) if bulk > 0 || state.updates.is_due() => Some(bulk),
            (Writing::Free, _) => None,
        };
        Self {
            written: state.position,
            left,
            received: state.received,
            closing: match state.standing {
                Standing::Shut => Closing::Sent,
                Standing::Open | Standing::Closing | Standing::Truncated | Standing::Dead => {
                    Closing::Open
                }
            },
            reading: Reading::Open,
        }
    }

    /// What is left to do for ours, which may have reported more (X5).
    pub(crate) const fn of_ours(state: &State, bulk: usize) -> Self {
        let task = Self::of_reference(state, bulk);
        match state.writing {
            Writing::Free => task,
            Writing::Blocked { len, ahead, .. } => Self {
                written: task.written + ahead,
                left: Some(len - ahead),
                ..task
            },
        }
    }
}

impl Driver<'_> {
    /// Shakes hands, each side with its own verb, until both are done and everything has arrived.
    pub(crate) fn open(&mut self, greetings: [Greeting; 2]) -> Result<(), Trouble> {
        let mut done = [Outcome::NeedRead; 2];
        self.rounds(Stage::Handshake, |driver| {
            for (side, (greeting, done)) in Side::BOTH
                .into_iter()
                .zip(greetings.into_iter().zip(&mut done))
            {
                if !matches!(done, Outcome::Done(_)) {
                    *done = driver.greet(side, greeting)?;
                }
            }
            Ok(done.iter().all(|done| matches!(done, Outcome::Done(_))))
        })?;
        self.rounds(Stage::RestOfHandshake, |driver| {
            let mut quiet = true;
            for side in Side::BOTH {
                quiet &= driver.session.call(side, Verb::Handshake)?.outcome == Outcome::Done(0);
                driver.read_all(side)?;
            }
            let outs = driver.session.outs()?;
            Ok(quiet && outs == [0, 0] && driver.has_all_arrived())
        })
    }

    /// One call of a handshake that a side performs with the verb of its own.
    fn greet(&mut self, side: Side, greeting: Greeting) -> Result<Outcome, Trouble> {
        match greeting {
            Greeting::Handshake => {}
            Greeting::Read => self.read_all(side)?,
            Greeting::Write(_) => return self.write(side),
        }
        self.expect_alive(side, Verb::Handshake)
    }

    /// Completes what is blocked, closes both sides and reads to the end.
    pub(crate) fn finish(&mut self) -> Result<Finish, Trouble> {
        let mut finish = Finish::Clean;
        self.rounds(Stage::End, |driver| {
            for side in Side::BOTH {
                if !driver.has_died(side)? {
                    driver.work(side)?;
                }
                if driver.has_died(side)? {
                    finish = Finish::Killed;
                    return Ok(true);
                }
            }
            let over =
                |task: &Task| task.closing == Closing::Sent && task.reading == Reading::Closed;
            Ok(driver.sides.iter().all(over))
        })?;
        if finish == Finish::Clean && !self.has_all_arrived() {
            return Err(Trouble::Unexplained(format!(
                "bytes are missing at the end: {:?}",
                self.sides
            )));
        }
        Ok(finish)
    }

    /// Calls shutdown on a side as long as anything moves: its peer must not read close_notify.
    pub(crate) fn close_in_vain(&mut self, side: Side) -> Result<(), Trouble> {
        for _ in 0..IDLE {
            self.session.call(side, Verb::Shutdown)?;
            while self.session.carry_all(side)? > 0 {
                self.session.call(side, Verb::Shutdown)?;
            }
            self.read_all(side.peer())?;
        }
        if self.task(side.peer()).reading == Reading::Closed {
            return Err(Trouble::Unexplained(format!(
                "the {side:?}'s close_notify has arrived: {:?}",
                self.sides
            )));
        }
        Ok(())
    }

    /// Lets a dead side's output leave: sealed records, then the alert, at which its peer dies too.
    pub(crate) fn bury(&mut self, side: Side) -> Result<(), Trouble> {
        self.rounds(Stage::Alert, |driver| {
            let reply = driver.session.call(side, Verb::Read(1))?;
            if !reply.outcome.is_dead() {
                return Err(Trouble::Unexplained("an error was not sticky".into()));
            }
            driver.read_all(side.peer())?;
            Ok(matches!(
                driver.task(side.peer()).reading,
                Reading::Dead(_) | Reading::Closed
            ))
        })?;
        if self.task(side.peer()).received != self.task(side).written {
            return Err(Trouble::Unexplained(
                "committed bytes did not arrive before the alert".into(),
            ));
        }
        Ok(())
    }

    /// What a side does in a round: write, then close.
    fn work(&mut self, side: Side) -> Result<(), Trouble> {
        if self.task(side).left.is_some() {
            self.write(side)?;
            return Ok(());
        }
        if self.task(side).closing == Closing::Open {
            let outcome = self.expect_alive(side, Verb::Shutdown)?;
            if matches!(outcome, Outcome::Sent | Outcome::Complete) {
                self.task(side).closing = Closing::Sent;
            }
        }
        Ok(())
    }

    fn write(&mut self, side: Side) -> Result<Outcome, Trouble> {
        let Task { written, left, .. } = *self.task(side);
        let len = left.unwrap_or_default();
        let verb = Verb::Write {
            copy: Copy::First,
            at: pattern::start(side) + written,
            len,
            slices: Slices::One,
        };
        let outcome = self.expect_alive(side, verb)?;
        let Outcome::Done(n) = outcome else {
            return Ok(outcome);
        };
        let task = self.task(side);
        task.written += n;
        task.left = len.checked_sub(n).filter(|rest| *rest > 0);
        Ok(match task.left {
            None => outcome,
            Some(_) => Outcome::NeedWrite,
        })
    }

    /// Makes a call that cannot fail here.
    fn expect_alive(&mut self, side: Side, verb: Verb) -> Result<Outcome, Trouble> {
        let reply = self.session.call(side, verb)?;
        match reply.outcome {
            Outcome::Dead(Cause::Retry) => {
                self.task(side).reading = Reading::Dead(Cause::Retry);
            }
            Outcome::Dead(_) | Outcome::Refused(_) | Outcome::Truncated | Outcome::Closed => {
                return Err(Trouble::Unexplained(format!(
                    "{side:?} {verb:?} says {}",
                    reply.text
                )));
            }
            Outcome::Done(_)
            | Outcome::NeedRead
            | Outcome::NeedWrite
            | Outcome::Sent
            | Outcome::Complete => {}
        }
        Ok(reply.outcome)
    }

    /// Whether OpenSSL's end has died as it does of two KeyUpdates; nothing else dies here.
    fn has_died(&mut self, side: Side) -> Result<bool, Trouble> {
        let Reading::Dead(cause) = self.task(side).reading else {
            return Ok(false);
        };
        if self.session.is_ours(side) || cause != Cause::Retry {
            return Err(Trouble::Unexplained(format!(
                "the {side:?} died of {cause:?}"
            )));
        }
        Ok(true)
    }

    /// Reads until nothing comes.
    pub(crate) fn read_all(&mut self, side: Side) -> Result<(), Trouble> {
        loop {
            let reply = self.session.call(side, Verb::Read(BUFFER))?;
            let task = self.task(side);
            let at = pattern::start(side.peer()) + task.received;
            task.received += reply.data.len();
            let expected = self
                .contexts
                .pattern
                .slice(Copy::First, at, reply.data.len());
            if reply.data != expected {
                return Err(Trouble::Unexplained(format!(
                    "{side:?} has read bytes that were not written"
                )));
            }
            self.task(side).reading = match reply.outcome {
                Outcome::Done(_) => continue,
                Outcome::Closed => Reading::Closed,
                Outcome::Truncated => Reading::Truncated,
                Outcome::Dead(cause) => Reading::Dead(cause),
                Outcome::NeedRead
                | Outcome::NeedWrite
                | Outcome::Sent
                | Outcome::Complete
                | Outcome::Refused(_) => return Ok(()),
            };
            return Ok(());
        }
    }

    pub(crate) fn task(&mut self, side: Side) -> &mut Task {
        let [client, server] = &mut self.sides;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    pub(crate) fn has_all_arrived(&self) -> bool {
        let [client, server] = &self.sides;
        client.received == server.written && server.received == client.written
    }

    /// Repeats a round, and moves and reads what it emits, until it is done.
    pub(crate) fn rounds(
        &mut self,
        stage: Stage,
        mut round: impl FnMut(&mut Self) -> Result<bool, Trouble>,
    ) -> Result<(), Trouble> {
        let (mut idle, mut before) = (0, self.sides);
        while idle < IDLE {
            if round(self)? {
                return Ok(());
            }
            let mut moved = 0;
            for side in Side::BOTH {
                moved += self.session.carry_all(side)?;
            }
            if stage == Stage::End {
                for side in Side::BOTH {
                    self.read_all(side)?;
                }
            }
            let progress = moved > 0 || self.sides != before;
            idle = if progress { 0 } else { idle + 1 };
            before = self.sides;
        }
        Err(Trouble::Unexplained(format!(
            "the {stage} stands still: {:?}",
            self.sides
        )))
    }
}

/// The tasks of both sides.
pub(crate) fn tasks(
    states: &[State; 2],
    bulk: [usize; 2],
    task: fn(&State, usize) -> Task,
) -> [Task; 2] {
    let [client, server] = states;
    let [from_client, from_server] = bulk;
    [task(client, from_client), task(server, from_server)]
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "handshake",
            Self::RestOfHandshake => "rest of the handshake",
            Self::End => "end",
            Self::Alert => "alert",
        })
    }
}
