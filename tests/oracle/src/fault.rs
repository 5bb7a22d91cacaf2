//! Defects that our end can be given, to show that the comparison finds each.

use offwire_stream::Error;

use crate::end::Offwire;
use crate::outcome::{Cause, Outcome, Refusal, Verb};

/// A defect that our end is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the tests name them")]
pub enum Fault {
    /// None.
    #[default]
    None,
    /// It refuses right retries, as if they were wrong.
    RefusesRetries,
    /// It dies where it should be truncated.
    DiesOfTheEnd,
    /// It calls a bad record something else.
    DiesOtherwise,
}

impl Offwire {
    /// A call, with what its fault makes of it.
    pub(crate) fn faulty_attempt(
        &mut self,
        verb: Verb,
        data: &mut Vec<u8>,
    ) -> Result<Outcome, Error> {
        let retry = matches!(verb, Verb::Write { .. }) && self.engine().committed() > 0;
        if retry && self.fault == Fault::RefusesRetries {
            return Ok(Outcome::Refused(Refusal::BadRetry));
        }
        let outcome = self.attempt(verb, data)?;
        Ok(match (self.fault, outcome) {
            (Fault::DiesOfTheEnd, Outcome::Truncated) => Outcome::Dead(Cause::Other),
            _ => outcome,
        })
    }
}
