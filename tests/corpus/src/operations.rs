//! Any schedule of the test kit: calls, cuts, harm to the transport, on a pair of real engines beside
//! the model of the contract. The properties and this target share the type.

use arbitrary::{Arbitrary as _, Unstructured};
use offwire_testkit::schedule::{Schedule, run as carry_out};

/// How many movements of each direction a schedule may need: fewer than in a property, so that many
/// schedules are tried.
const MOVEMENTS: usize = 200;

pub(crate) fn run(input: &[u8]) {
    let Ok(schedule) = Schedule::arbitrary_take_rest(Unstructured::new(input)) else {
        return; // too short to say anything
    };
    // Bulk through a link of a few bytes would take seconds and show nothing new.
    let schedule = schedule.affordable_within(MOVEMENTS);
    if let Err(broken) = carry_out(&schedule) {
        panic!("{broken}\n{schedule:?}");
    }
}
