//! What a server has seen, in one line.

use core::fmt;

use crate::support::process::resident;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Both sides sent close_notify.
    Clean,
    /// The transport ended without the peer's.
    Truncated,
    /// The peer said nothing for too long.
    TimedOut,
    /// TLS failed.
    Failed,
    /// The transport failed.
    Reset,
    /// The server was told to stop.
    Stopped,
}

/// Counts of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) live: usize,
    pub(crate) accepted: usize,
    pub(crate) handshakes: usize,
    pub(crate) released: usize,
    clean: usize,
    truncated: usize,
    timed_out: usize,
    failed: usize,
    reset: usize,
    stopped: usize,
}

impl Tally {
    pub(crate) fn ended(&mut self, end: End) {
        self.live -= 1;
        *match end {
            End::Clean => &mut self.clean,
            End::Truncated => &mut self.truncated,
            End::TimedOut => &mut self.timed_out,
            End::Failed => &mut self.failed,
            End::Reset => &mut self.reset,
            End::Stopped => &mut self.stopped,
        } += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "live {}, accepted {}, handshakes {}, released {}, clean {}, truncated {}, \
             timed out {}, failed {}, reset {}, stopped {}",
            self.live,
            self.accepted,
            self.handshakes,
            self.released,
            self.clean,
            self.truncated,
            self.timed_out,
            self.failed,
            self.reset,
            self.stopped,
        )?;
        match resident("self") {
            Some(kib) => write!(f, ", resident {kib} KiB"),
            None => Ok(()),
        }
    }
}
