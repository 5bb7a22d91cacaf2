//! When to look at whom: one alarm each, so that the memory is bounded.

use alloc::collections::BTreeSet;
use core::time::Duration;
use std::time::Instant;

/// Alarms by time.
#[derive(Debug, Default)]
pub(crate) struct Timers(BTreeSet<(Instant, usize)>);

impl Timers {
    pub(crate) fn set(&mut self, at: Instant, whom: usize) {
        self.0.insert((at, whom));
    }

    pub(crate) fn clear(&mut self, at: Instant, whom: usize) {
        self.0.remove(&(at, whom));
    }

    /// How long until the first alarm.
    pub(crate) fn wait(&self, now: Instant) -> Option<Duration> {
        let (at, _) = self.0.first()?;
        Some(at.saturating_duration_since(now))
    }

    /// Takes an alarm whose time has come.
    pub(crate) fn due(&mut self, now: Instant) -> Option<usize> {
        let (at, _) = self.0.first()?;
        if *at > now {
            return None;
        }
        self.0.pop_first().map(|(_, whom)| whom)
    }
}
