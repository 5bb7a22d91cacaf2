//! Defects that our end can be given, to show that the comparison finds each.

use offwire_stream::Error;

use crate::end::Offwire;
use crate::outcome::{Cause, Outcome, Refusal, Verb};
use crate::record::{ALERT, FULL};

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
    /// With the end of the transport it loses bytes that it has emitted.
    LosesOutput,
    /// It puts the same plaintext into as many records and as many bytes, cut at another place.
    SplitsOtherwise,
}

/// How many emitted bytes a fault loses: more than any difference costs.
const LOST: usize = ALERT + 1;

impl Offwire {
    /// A call, with what its fault makes of it.
    pub(crate) fn faulty_attempt(
        &mut self,
        verb: Verb,
        data: &mut Vec<u8>,
    ) -> Result<Outcome, Error> {
        let retry = matches!(verb, Verb::Write { .. }) && self.engine().committed() > 0;
        match self.fault {
            Fault::RefusesRetries if retry => Ok(Outcome::Refused(Refusal::BadRetry)),
            Fault::SplitsOtherwise => self.split_otherwise(verb, data),
            Fault::None
            | Fault::RefusesRetries
            | Fault::DiesOfTheEnd
            | Fault::DiesOtherwise
            | Fault::LosesOutput => {
                let outcome = self.attempt(verb, data)?;
                Ok(self.distort(outcome))
            }
        }
    }

    fn distort(&mut self, outcome: Outcome) -> Outcome {
        match (self.fault, outcome) {
            (Fault::DiesOfTheEnd, Outcome::Truncated) => Outcome::Dead(Cause::Other),
            (Fault::LosesOutput, Outcome::Truncated) => {
                // A pair that holds fewer has nothing to lose.
                let _ = self.take(LOST);
                outcome
            }
            _ => outcome,
        }
    }

    /// The short record first, where it should be last.
    fn split_otherwise(&mut self, verb: Verb, data: &mut Vec<u8>) -> Result<Outcome, Error> {
        let Verb::Write {
            copy,
            at,
            len,
            slices,
        } = verb
        else {
            return self.attempt(verb, data);
        };
        let part = |from, len| Verb::Write {
            copy,
            at: at + from,
            len,
            slices,
        };
        let short = len % FULL;
        let begins = self.engine().committed() == 0 && self.written_ahead == 0;
        if begins && len > FULL && short > 0 {
            let outcome = self.attempt(part(0, short), data)?;
            let Outcome::Done(n) = outcome else {
                return Ok(outcome);
            };
            self.written_ahead = n;
        }
        let ahead = self.written_ahead;
        let outcome = self.attempt(part(ahead, len.saturating_sub(ahead)), data)?;
        if let Outcome::Done(n) = outcome {
            self.written_ahead = 0;
            return Ok(Outcome::Done(ahead + n));
        }
        Ok(outcome)
    }
}
