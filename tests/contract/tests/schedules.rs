//! All rules at once: any order of calls by both sides, any cut, any setting, any harm. What is
//! checked stands in the test kit's `schedule`; that the situations come about, at the end here.

use offwire_contract::strategy::config;
use offwire_testkit::Cuts;
use offwire_testkit::schedule::{Buffers, Finished, Met, Operation, Schedule, Start, run};
use offwire_testkit::strategy::{self, Weights, schedule_of, side};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

fn unharmed() -> impl Strategy<Value = Schedule> {
    schedule_of(Weights::default(), 0..120)
}

fn with_key_updates() -> impl Strategy<Value = Schedule> {
    let weights = Weights {
        updates: 8,
        ..Weights::default()
    };
    schedule_of(weights, 0..120)
}

fn shut_down() -> impl Strategy<Value = Schedule> {
    let writes = Weights {
        writes: 12,
        reads: 3,
        ..Weights::default()
    };
    let shutdowns = Weights {
        shutdowns: 1,
        ..Weights::default()
    };
    let before = schedule_of(writes, 0..60);
    let behind = schedule_of(shutdowns, 0..40);
    (before, side(), behind).prop_map(|(before, side, behind)| {
        let shutdown = vec![Operation::Shutdown(side)];
        let operations = [before.operations, shutdown, behind.operations].concat();
        let schedule = Schedule {
            operations,
            ..before
        };
        schedule.affordable()
    })
}

fn retried() -> impl Strategy<Value = Schedule> {
    let weights = Weights {
        writes: 12,
        misuse: 8,
        reads: 3,
        ..Weights::default()
    };
    schedule_of(weights, 0..120)
}

fn harmed() -> impl Strategy<Value = Schedule> {
    let weights = Weights {
        harm: 1,
        shutdowns: 1,
        buffers: 0, // harm with buffers that are lent: `strategy::schedule` and `lent`
        ..Weights::default()
    };
    let start = prop_oneof![3 => Just(Start::Connected), 1 => Just(Start::Fresh)];
    (schedule_of(weights, 0..80), start)
        .prop_map(|(schedule, start)| Schedule { start, ..schedule })
}

fn bulk() -> impl Strategy<Value = Schedule> {
    let bulk = [0..200_000_usize, 0..200_000_usize];
    (schedule_of(Weights::default(), 0..20), bulk)
        .prop_map(|(schedule, bulk)| Schedule { bulk, ..schedule }.affordable())
}

/// So few bytes that a link of one byte and a reader of one byte are affordable.
fn few_bytes() -> impl Strategy<Value = Schedule> {
    let weights = Weights {
        writes: 0,
        misuse: 0,
        ..Weights::default()
    };
    let bulk = [1..500_usize, 1..500_usize];
    let narrow = (1..4_usize, 1..4_usize, 1..8_usize);
    (schedule_of(weights, 0..20), bulk, narrow).prop_map(
        |(schedule, bulk, (capacity, cut, buffer))| Schedule {
            bulk,
            capacity,
            cuts: Cuts::Bytes(cut),
            buffer,
            ..schedule
        },
    )
}

/// In which engines borrow and return buffers again and again. Below this limit no queue takes less for
/// the length of its storage.
fn lent() -> impl Strategy<Value = Schedule> {
    const MOST_INCOMING: usize = 128 * 1_024;

    let weights = Weights {
        buffers: 12,
        shutdowns: 1,
        harm: 1,
        ..Weights::default()
    };
    let start = prop_oneof![Just(Start::Connected), Just(Start::Fresh)];
    let bulk = [0..30_000_usize, 0..30_000_usize];
    (schedule_of(weights, 0..120), start, bulk).prop_map(|(schedule, start, bulk)| {
        let settings = schedule.settings.map(|settings| {
            let limit = settings.effective_incoming_limit().min(MOST_INCOMING);
            settings.incoming_limit(limit)
        });
        let schedule = Schedule {
            start,
            settings,
            bulk,
            ..schedule
        };
        schedule.affordable()
    })
}

/// The same schedule, in which every engine keeps its buffers.
fn without_a_pool(schedule: &Schedule) -> Schedule {
    let mut schedule = schedule.clone();
    schedule.buffers = Buffers::Kept;
    schedule.operations.retain(|operation| {
        !matches!(
            operation,
            Operation::BorrowBuffers(_)
                | Operation::ReturnBuffers(_)
                | Operation::Stock(_)
                | Operation::ClearPool
        )
    });
    schedule
}

/// All that a connection came to, whoever lent it buffers: every byte on the wire, every counter,
/// what was written and read, and what was met on the way.
fn result(finished: &Finished) -> (String, [&[u8]; 2]) {
    let Finished {
        pair,
        written,
        read,
        met,
    } = finished;
    let met = Met {
        borrowed: 0,
        returned: 0,
        kept: 0,
        ..*met
    };
    let stats = [pair.client.stats(), pair.server.stats()];
    let told = format!("{written:?} written, {read:?} read, {stats:?}, {met:?}");
    (told, [pair.to_client.sent(), pair.to_server.sent()])
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn any_schedule_keeps_the_contract(schedule in strategy::schedule()) {
        run(&schedule)?;
    }

    #[test]
    fn any_schedule_on_an_unharmed_link_keeps_the_contract(schedule in unharmed()) {
        run(&schedule)?;
    }

    #[test]
    fn any_schedule_before_and_in_the_handshake_keeps_the_contract(schedule in unharmed()) {
        run(&Schedule { start: Start::Fresh, ..schedule })?;
    }

    #[test]
    fn shutdown_at_any_byte_of_a_blocked_write_loses_nothing(schedule in shut_down()) {
        run(&schedule)?;
    }

    #[test]
    fn key_updates_anywhere_keep_the_contract(schedule in with_key_updates()) {
        run(&schedule)?;
    }

    #[test]
    fn schedules_that_mostly_retry_keep_the_contract(schedule in retried()) {
        run(&schedule)?;
    }

    #[test]
    fn harm_anywhere_is_told_and_never_hides_as_a_close(schedule in harmed()) {
        run(&schedule)?;
    }

    #[test]
    fn full_duplex_bulk_through_small_buffers_finishes(schedule in bulk()) {
        run(&schedule)?;
    }

    #[test]
    fn a_schedule_comes_to_the_same_whoever_lends_the_buffers(schedule in lent()) {
        let (lent, kept) = (run(&schedule)?, run(&without_a_pool(&schedule))?);
        let ((lent, lent_wires), (kept, kept_wires)) = (result(&lent), result(&kept));
        prop_assert_eq!(lent, kept);
        prop_assert!(lent_wires == kept_wires, "other bytes on the wire");
    }

    #[test]
    fn full_duplex_through_links_and_readers_of_a_few_bytes_finishes(schedule in few_bytes()) {
        run(&schedule)?;
    }
}

/// In how many of 60 schedules, always the same ones, something was met.
fn meets(schedules: impl Strategy<Value = Schedule>, count: impl Fn(&Met) -> usize) -> usize {
    let mut runner = TestRunner::deterministic();
    let meets = |_: &usize| {
        let drawn = schedules.new_tree(&mut runner);
        let schedule = drawn.expect("a strategy that draws").current();
        let run = run(&schedule).expect("a schedule that keeps the contract");
        count(&run.met) > 0
    };
    (0..60).filter(meets).count()
}

/// What was met, in how many of 60 schedules, and in how many it must be at least.
type Situation = (&'static str, usize, usize);

fn situations_of_any_connection() -> Vec<Situation> {
    vec![
        (
            "a write blocks",
            meets(unharmed(), |met| met.blocked_writes),
            20,
        ),
        (
            "full records are peeked at",
            meets(unharmed(), |met| met.full_peeks),
            1,
        ),
        (
            "records are small",
            meets(unharmed(), |met| met.small_records),
            10,
        ),
        (
            "every byte is a slice",
            meets(unharmed(), |met| met.single_bytes),
            3,
        ),
        (
            "records are handed out",
            meets(unharmed(), |met| met.handed_out),
            10,
        ),
        (
            "a session is resumed",
            meets(unharmed(), |met| met.resumed),
            2,
        ),
        (
            "buffers are borrowed",
            meets(unharmed(), |met| met.borrowed),
            10,
        ),
        (
            "buffers are returned",
            meets(unharmed(), |met| met.returned),
            10,
        ),
        (
            "a client has a certificate",
            meets(unharmed(), |met| met.client_certificates),
            2,
        ),
    ]
}

fn situations_of_the_other_properties() -> Vec<Situation> {
    vec![
        (
            "a blocked side shuts down",
            meets(shut_down(), |met| met.blocked_shutdowns),
            10,
        ),
        (
            "in a record",
            meets(shut_down(), |met| met.shutdowns_in_a_record),
            3,
        ),
        (
            "the reserve is used",
            meets(with_key_updates(), |met| met.reserve_uses),
            1,
        ),
        ("a retry is taken", meets(retried(), |met| met.retries), 20),
        (
            "a retry is refused",
            meets(retried(), |met| met.refused_retries),
            20,
        ),
        (
            "both queues hold something and keep their buffers",
            meets(lent(), |met| met.kept),
            10,
        ),
        ("a flipped bit is met", meets(harmed(), |met| met.flips), 3),
        ("an end is met", meets(harmed(), |met| met.truncated), 5),
        (
            "both sides block",
            meets(bulk(), |met| met.both_blocked),
            10,
        ),
        (
            "few bytes block",
            meets(few_bytes(), |met| met.both_blocked),
            1,
        ),
    ]
}

/// A property over schedules that never come to what it is about shows nothing.
#[test]
fn the_schedules_come_into_the_situations_they_are_about() {
    let mut found = situations_of_any_connection();
    found.extend(situations_of_the_other_properties());
    for (what, times, least) in &found {
        assert!(
            times >= least,
            "{what}: in {times} of 60 schedules; all: {found:?}"
        );
    }
}
