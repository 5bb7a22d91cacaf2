//! Failures that show the ladder of their pair.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use proptest::test_runner::TestCaseError;

use crate::pair::Pair;
use crate::panics;

/// Runs the body of a property on a pair that records. If it fails, by a rule or by a panic, its
/// message shows the ladder of the connection.
///
/// ```
/// use offwire_testkit::strategy::{cuts, explained};
/// use offwire_testkit::{Contexts, Pair, Side};
/// use proptest::prelude::*;
///
/// proptest! {
///     #![proptest_config(ProptestConfig { cases: 5, failure_persistence: None, ..ProptestConfig::default() })]
///
///     fn what_is_written_arrives(cuts in cuts()) {
///         explained(Pair::of(&Contexts::new()).cuts(cuts), |pair| {
///             prop_assert_eq!(pair.exchange(Side::Client, b"ping"), b"ping");
///             Ok(())
///         })?;
///     }
/// }
/// what_is_written_arrives();
/// ```
///
/// # Errors
/// The body's, and its panics.
pub fn explained(
    pair: Pair,
    body: impl FnOnce(&mut Pair) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let mut pair = pair.recording();
    let verdict = catch_unwind(AssertUnwindSafe(|| body(&mut pair)));
    let reason = match verdict {
        Ok(Err(TestCaseError::Fail(reason))) => reason.to_string(),
        Ok(other) => return other,
        Err(panic) => panics::message(&*panic).to_owned(),
    };
    // A driver that gives up shows the pair, ladder and all, by itself.
    let ladder = pair.ladder().to_string();
    if reason.contains(&ladder) {
        return Err(TestCaseError::fail(reason));
    }
    Err(TestCaseError::fail(format!("{reason}\n\n{ladder}")))
}
