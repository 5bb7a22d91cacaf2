//! What a run has met: schedules, calls, and how often each difference.

use alloc::collections::BTreeMap;
use core::fmt;

use crate::difference::Difference;
use crate::duel::Trouble;

/// The counters of a run.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Schedules that were run.
    pub schedules: usize,
    /// Connections of one of ours with one of OpenSSL's that were cut or disturbed at a chosen
    /// place, and not compared call by call.
    pub encounters: usize,
    /// Calls whose answers were compared.
    pub calls: usize,
    /// Schedules in which something could not be explained.
    pub unexplained: usize,
    met: BTreeMap<Difference, usize>,
    hidden: BTreeMap<Difference, usize>,
    forbidden: Option<Difference>,
}

impl Tally {
    /// A tally that takes one of the differences for an unexplained one.
    #[must_use]
    pub fn without(difference: Difference) -> Self {
        Self {
            forbidden: Some(difference),
            ..Self::default()
        }
    }

    /// Counts a difference.
    pub(crate) fn meet(&mut self, difference: Difference) -> Result<(), Trouble> {
        if self.forbidden == Some(difference) {
            return Err(Trouble::Unexplained(format!("{difference} is not allowed")));
        }
        *self.met.entry(difference).or_default() += 1;
        Ok(())
    }

    /// Counts a schedule that ends early because of a difference which could not show there.
    pub(crate) fn hide(&mut self, difference: Difference) {
        *self.hidden.entry(difference).or_default() += 1;
    }

    /// How many schedules have ended early because of a difference that could not show there: behind a
    /// transport that was harmed, or where a KeyUpdate that nobody has read blurs it.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.hidden.values().sum()
    }

    /// How often a difference was met.
    #[must_use]
    pub fn count(&self, difference: Difference) -> usize {
        self.met.get(&difference).copied().unwrap_or_default()
    }

    /// Adds what another run has met.
    pub fn add(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.encounters += other.encounters;
        self.calls += other.calls;
        self.unexplained += other.unexplained;
        for (difference, count) in &other.met {
            *self.met.entry(*difference).or_default() += count;
        }
        for (difference, count) in &other.hidden {
            *self.hidden.entry(*difference).or_default() += count;
        }
    }

    /// Differences that can arise and never did.
    #[must_use]
    pub fn never_met(&self) -> Vec<Difference> {
        let all = Difference::ALL.into_iter();
        all.filter(|difference| difference.arises() && self.count(*difference) == 0)
            .collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "differences that are meant (OpenSSL; Offwire):")?;
        for difference in Difference::ALL {
            let (name, count) = (difference.to_string(), self.count(difference));
            writeln!(f, "  {name:<3} {count:>9}  {}", difference.text())?;
        }
        write!(f, "ended where the difference could not show:")?;
        for (difference, count) in &self.hidden {
            write!(f, " {difference} {count}")?;
        }
        writeln!(f)?;
        writeln!(f, "schedules: {}", self.schedules)?;
        writeln!(f, "encounters: {}", self.encounters)?;
        writeln!(f, "calls compared: {}", self.calls)?;
        write!(f, "unexplained: {}", self.unexplained)
    }
}
