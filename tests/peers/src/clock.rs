//! The CPU time of this thread: what others do on the machine is not in it.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of CPU that this thread has had.
#[must_use]
pub fn now() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    seconds.unwrap_or(0) * 1_000_000_000 + nanoseconds.unwrap_or(0)
}

/// Adds up what is done between laps.
#[derive(Debug)]
pub struct Laps {
    last: u64,
}

impl Laps {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { last: now() }
    }

    /// Adds the time since the last lap to a sum.
    pub fn lap(&mut self, sum: &mut u64) {
        let now = now();
        *sum += now - self.last;
        self.last = now;
    }
}
