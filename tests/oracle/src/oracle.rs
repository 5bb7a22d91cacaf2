//! Runs schedules: the handshakes, the calls, and what is left to do behind them.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;
use std::io;

use offwire_testkit::Side;

use crate::contexts::Contexts;
use crate::difference::Difference;
use crate::duel::{Duel, Flow, Harm, Trouble};
use crate::finish::{Driver, Finish, Task, tasks};
use crate::judge::Judge;
use crate::ladder::Ladder;
use crate::outcome::index;
use crate::plan::{Opening, Plan};
use crate::session::Session;
use crate::state::{Standing, State};
use crate::tally::Tally;

/// The contexts of both libraries, ready to run schedules.
#[derive(Debug)]
pub struct Oracle {
    pub(crate) contexts: Contexts,
    pub(crate) judge: Rc<RefCell<Judge>>,
}

/// A schedule that could not be explained, and its ladder.
#[derive(Clone, Debug)]
pub struct Failure {
    pub(crate) plan: Plan,
    pub(crate) what: String,
    pub(crate) ladder: Ladder,
}

impl Failure {
    /// The schedule.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl Oracle {
    /// Makes our contexts and starts OpenSSL.
    ///
    /// # Errors
    /// If the judge cannot be started.
    pub fn new() -> io::Result<Self> {
        let contexts = Contexts::new();
        let judge = Judge::start(contexts.identity())?;
        Ok(Self {
            contexts,
            judge: Rc::new(RefCell::new(judge)),
        })
    }

    /// The name of the OpenSSL release.
    ///
    /// # Errors
    /// If the judge is gone.
    pub fn release(&self) -> io::Result<String> {
        self.judge.borrow_mut().release()
    }

    /// Runs a schedule on both libraries and compares every answer.
    ///
    /// # Errors
    /// If something differs that no fact explains.
    pub fn run(&self, plan: &Plan, tally: &mut Tally) -> Result<(), Box<Failure>> {
        self.run_against(plan, plan, tally)
    }

    /// Takes away from a schedule whatever it fails without; `run` says whether one fails.
    #[must_use]
    pub fn shrink(
        mut failure: Box<Failure>,
        run: impl Fn(&Plan) -> Result<(), Box<Failure>>,
    ) -> Box<Failure> {
        loop {
            let plans = failure.plan.simpler().into_iter();
            match plans.filter_map(|plan| run(&plan).err()).next() {
                Some(simpler) => failure = simpler,
                None => return failure,
            }
        }
    }

    /// As [`Self::run`], with our ends set up as another plan says: what differs between the two
    /// must be noticed.
    ///
    /// # Errors
    /// If something differs that no fact explains.
    pub fn run_against(
        &self,
        plan: &Plan,
        ours: &Plan,
        tally: &mut Tally,
    ) -> Result<(), Box<Failure>> {
        tally.schedules += 1;
        let mut ladder = Ladder::default();
        let attempt = Duel::new(plan, ours, (&self.contexts, &self.judge), tally)
            .and_then(|mut duel| duel.run().inspect_err(|_| ladder = duel.ladder.clone()));
        attempt.map_err(|trouble| {
            tally.unexplained += 1;
            Box::new(Failure {
                plan: plan.clone(),
                what: match trouble {
                    Trouble::Unexplained(what) => what,
                    Trouble::Broken(what) => format!("the comparison broke: {what}"),
                },
                ladder,
            })
        })
    }
}

impl Duel<'_> {
    fn run(&mut self) -> Result<(), Trouble> {
        self.open()?;
        for call in &self.plan.calls {
            match self.step(*call)? {
                Flow::On => {}
                Flow::Parted(difference) => return self.part(difference),
            }
        }
        let open = |state: &State| !matches!(state.standing, Standing::Truncated | Standing::Dead);
        if self.harm == Harm::None && self.states.iter().all(open) {
            self.finish_reference()?;
            self.finish_ours()?;
        }
        Ok(())
    }

    /// Shakes hands on both connections; only the final outcomes are compared, and must be the same.
    fn open(&mut self) -> Result<(), Trouble> {
        let openings = self.plan.openings;
        let task = |opening: Opening| match opening {
            Opening::Write(len) => Task::new(Some(len)),
            Opening::Handshake | Opening::Read => Task::new(None),
        };
        for session in [&mut self.reference, &mut self.ours] {
            let mut driver = Driver {
                session,
                contexts: self.contexts,
                sides: openings.map(task),
            };
            driver.open(openings)?;
            let sides = driver.sides;
            if !session.begin_records() {
                return Err(Trouble::Unexplained(
                    "the handshake ends in a record".into(),
                ));
            }
            for side in Side::BOTH {
                if let (Some(state), Some(task)) =
                    (self.states.get_mut(index(side)), sides.get(index(side)))
                {
                    state.position = task.written;
                    state.received = task.received;
                }
            }
        }
        Ok(())
    }

    /// The connections have parted: those that live on must still deliver every byte.
    fn part(&mut self, difference: Difference) -> Result<(), Trouble> {
        if difference == Difference::X8 {
            return self.bury_ours();
        }
        if self.harm != Harm::None {
            return Ok(());
        }
        // The others have cost OpenSSL the connection, or bytes that it does not give back.
        if [Difference::X16, Difference::K5, Difference::T5].contains(&difference) {
            self.finish_reference()?;
        }
        self.finish_ours()
    }

    fn finish_reference(&mut self) -> Result<(), Trouble> {
        let finish = self.driver(Whose::Reference).finish()?;
        match finish {
            Finish::Clean => Ok(()),
            Finish::TwoKeyUpdates => self.tally.meet(Difference::X4),
        }
    }

    fn finish_ours(&mut self) -> Result<(), Trouble> {
        match self.driver(Whose::Ours).finish()? {
            Finish::Clean => Ok(()),
            Finish::TwoKeyUpdates => self.unexplained("our end died of two KeyUpdates"),
        }
    }

    fn bury_ours(&mut self) -> Result<(), Trouble> {
        for side in Side::BOTH {
            let dead = self.state(side).standing == Standing::Dead;
            if dead
                && self.harm != Harm::Ended(side)
                && self.state(side.peer()).standing != Standing::Dead
            {
                let committed = self.committed(side);
                let mut driver = self.driver(Whose::Ours);
                driver.task(side).written += committed;
                driver.bury(side)?;
            }
        }
        Ok(())
    }

    fn driver(&mut self, whose: Whose) -> Driver<'_> {
        let (session, task): (&mut Session, fn(&State) -> Task) = match whose {
            Whose::Reference => (&mut self.reference, Task::of_reference),
            Whose::Ours => (&mut self.ours, Task::of_ours),
        };
        Driver {
            session,
            contexts: self.contexts,
            sides: tasks(&self.states, task),
        }
    }
}

/// One of the two connections.
#[derive(Clone, Copy)]
enum Whose {
    Reference,
    Ours,
}

impl core::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "unexplained: {}", self.what)?;
        writeln!(f, "{}", self.plan)?;
        write!(f, "{}", self.ladder)
    }
}
