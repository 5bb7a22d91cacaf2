//! Runs schedules: the handshakes, the calls, and what is left to do behind them.

use alloc::rc::Rc;
use core::cell::RefCell;
use core::fmt;
use std::io;

use offwire_testkit::Side;

use crate::contexts::Contexts;
use crate::duel::{Duel, Flow, Trouble};
use crate::finish::{Driver, Task};
use crate::judge::Judge;
use crate::ladder::Ladder;
use crate::outcome::index;
use crate::plan::{Greeting, Plan};
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
        for operation in &self.plan.schedule.operations {
            match self.step(*operation)? {
                Flow::On => {}
                Flow::Parted(difference, by) => return self.part(difference, by),
            }
        }
        for side in Side::BOTH {
            if let Flow::Parted(difference, by) = self.write_what_is_due(side)? {
                return self.part(difference, by);
            }
        }
        self.end_together()
    }

    /// Shakes hands on both connections; only the final outcomes are compared, and must be the same.
    fn open(&mut self) -> Result<(), Trouble> {
        let greetings = self.plan.greetings();
        let task = |greeting: Greeting| match greeting {
            Greeting::Write(len) => Task::new(Some(len)),
            Greeting::Handshake | Greeting::Read => Task::new(None),
        };
        for session in [&mut self.reference, &mut self.ours] {
            let mut driver = Driver {
                session,
                contexts: self.contexts,
                sides: greetings.map(task),
            };
            driver.open(greetings)?;
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
}

impl core::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "unexplained: {}", self.what)?;
        writeln!(f, "{}", self.plan)?;
        write!(f, "{}", self.ladder)
    }
}
