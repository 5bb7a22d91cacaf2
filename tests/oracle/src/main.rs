//! Compares Offwire with OpenSSL, call by call, on many schedules. See `README.md`.
//!
//! `offwire-oracle [SCHEDULES [FIRST_SEED]]`: exits with 0 only if every difference is explained.

use core::sync::atomic::{AtomicU64, Ordering};
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use offwire_oracle::{Difference, Encounter, Oracle, Plan, Tally};

/// How many schedules are run unless a number is given.
const SCHEDULES: u64 = 20_000;

/// At most one schedule in so many may end where its difference could not show.
const HIDDEN: usize = 20;

/// How many schedules must have been run before a difference that was never met is a failure.
const ENOUGH: u64 = 20_000;

/// How many failures are shortened and shown.
const SHOWN: usize = 3;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse::<u64>());
    let (schedules, first) = match (numbers.next(), numbers.next(), numbers.next()) {
        (None, ..) => (SCHEDULES, 0),
        (Some(Ok(schedules)), None, _) => (schedules, 0),
        (Some(Ok(schedules)), Some(Ok(first)), None) => (schedules, first),
        _ => {
            say("usage: offwire-oracle [SCHEDULES [FIRST_SEED]]");
            return ExitCode::from(2);
        }
    };
    match run(schedules, first) {
        Ok(tally) => report(&tally, schedules),
        Err(problem) => {
            say(&format!("the judge failed: {problem}"));
            ExitCode::from(2)
        }
    }
}

/// Runs so many schedules, one thread a processor, each with a judge of its own.
fn run(schedules: u64, first: u64) -> std::io::Result<Tally> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    say(&format!(
        "{} beside Offwire: {schedules} schedules from seed {first}",
        Oracle::new()?.release()?
    ));
    let work = Work {
        next: AtomicU64::new(first),
        end: first.saturating_add(schedules),
        encounters: Mutex::new(Encounter::all()),
        tally: Mutex::new(Tally::default()),
    };
    let results = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| work.take_part()))
            .collect();
        let results = threads.into_iter().map(|thread| thread.join());
        results.collect::<Vec<_>>()
    });
    for result in results {
        result.map_err(|_| std::io::Error::other("a thread has panicked"))??;
    }
    Ok(locked(&work.tally).clone())
}

/// What the threads share.
struct Work {
    next: AtomicU64,
    end: u64,
    encounters: Mutex<Vec<Encounter>>,
    tally: Mutex<Tally>,
}

impl Work {
    fn take_part(&self) -> std::io::Result<()> {
        let oracle = Oracle::new()?;
        let mut tally = Tally::default();
        loop {
            let encounter = locked(&self.encounters).pop();
            let Some(encounter) = encounter else { break };
            let cut = encounter.cut_everywhere(&oracle, &mut tally);
            for problem in [cut, encounter.renegotiate(&oracle, &mut tally)] {
                if let Err(problem) = problem {
                    say(&problem);
                }
            }
        }
        loop {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.end {
                break;
            }
            if let Err(failure) = oracle.run(&Plan::from_seed(seed), &mut tally)
                && tally.unexplained <= SHOWN
            {
                let again = |plan: &Plan| oracle.run(plan, &mut Tally::default());
                say(&Oracle::shrink(failure, again).to_string());
            }
            if tally.schedules >= 1_000 {
                self.hand_in(&mut tally);
            }
        }
        self.hand_in(&mut tally);
        Ok(())
    }

    /// Adds to the common tally and says how far all have come.
    fn hand_in(&self, tally: &mut Tally) {
        let mut all = locked(&self.tally);
        all.add(&core::mem::take(tally));
        say(&format!(
            "{} schedules, {} calls compared, {} unexplained",
            all.schedules, all.calls, all.unexplained
        ));
    }
}

fn report(tally: &Tally, schedules: u64) -> ExitCode {
    let never = if schedules < ENOUGH {
        Vec::new()
    } else {
        tally.never_met()
    };
    for difference in &never {
        say(&format!(
            "{difference} was never met: does the comparison still look for it?"
        ));
    }
    for difference in Difference::ALL
        .iter()
        .filter(|difference| !difference.arises())
    {
        say(&format!("{difference} cannot arise: {}", difference.text()));
    }
    say(&tally.to_string());
    let hidden = tally.hidden() * HIDDEN > tally.schedules;
    if hidden {
        say("too many schedules end where their difference could not show");
    }
    if tally.unexplained == 0 && never.is_empty() && !hidden {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Prints a line; whoever closed the pipe does not want it.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
