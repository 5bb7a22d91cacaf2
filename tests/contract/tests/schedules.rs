//! All rules at once: any order of calls by both sides, any cut, any setting, any harm. What is
//! checked stands in the test kit's `schedule`.

use offwire_contract::strategy::config;
use offwire_testkit::schedule::{Operation, Schedule, Start, run};
use offwire_testkit::strategy::{Weights, schedule_of, side};
use proptest::prelude::*;

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn any_schedule_keeps_the_contract(schedule in schedule_of(Weights::default(), 0..120)) {
        run(&schedule)?;
    }

    #[test]
    fn any_schedule_before_and_in_the_handshake_keeps_the_contract(
        schedule in schedule_of(Weights::default(), 0..100),
    ) {
        run(&Schedule { start: Start::Fresh, ..schedule })?;
    }

    #[test]
    fn shutdown_at_any_byte_of_a_blocked_write_loses_nothing(
        schedule in schedule_of(Weights { writes: 12, reads: 3, ..Weights::default() }, 0..60),
        side in side(),
        rest in schedule_of(Weights { shutdowns: 1, ..Weights::default() }, 0..40),
    ) {
        let operations = [schedule.operations, vec![Operation::Shutdown(side)], rest.operations];
        run(&Schedule { operations: operations.concat(), ..schedule })?;
    }

    #[test]
    fn key_updates_anywhere_keep_the_contract(
        schedule in schedule_of(Weights { updates: 8, ..Weights::default() }, 0..120),
    ) {
        run(&schedule)?;
    }

    #[test]
    fn schedules_that_mostly_retry_keep_the_contract(
        schedule in schedule_of(Weights { writes: 12, misuse: 8, reads: 3, ..Weights::default() }, 0..120),
    ) {
        run(&schedule)?;
    }

    #[test]
    fn harm_anywhere_is_told_and_never_hides_as_a_close(
        schedule in schedule_of(Weights { harm: 1, shutdowns: 1, ..Weights::default() }, 0..80),
        start in prop_oneof![3 => Just(Start::Connected), 1 => Just(Start::Fresh)],
    ) {
        run(&Schedule { start, ..schedule })?;
    }

    #[test]
    fn full_duplex_bulk_through_small_buffers_finishes(
        schedule in schedule_of(Weights::default(), 0..20),
        bulk in [0..200_000_usize, 0..200_000_usize],
    ) {
        run(&Schedule { bulk, ..schedule }.affordable())?;
    }
}
