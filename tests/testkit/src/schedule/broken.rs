//! A rule that was broken, where, and what led to it.

use core::error::Error;
use core::fmt;

use crate::ladder::Ladder;

/// A schedule on which an engine broke its contract.
///
/// Its message names the rule and the step, and shows the ladder of the whole connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Broken {
    pub(super) rule: String,
    pub(super) step: String,
    pub(super) ladder: Ladder,
}

impl Broken {
    /// The rule that was broken, in words.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// The step at which it was.
    #[must_use]
    pub fn step(&self) -> &str {
        &self.step
    }

    /// What happened up to there.
    #[must_use]
    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, step, ladder } = self;
        write!(f, "{rule}\n  at {step}\n\n{ladder}")
    }
}

/// As the message: a test that unwraps shows the ladder.
impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Broken {}
