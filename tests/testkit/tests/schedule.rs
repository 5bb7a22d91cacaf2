//! The runner itself: it finds what is broken, and shows it so that a person can read it.

use offwire::ProtocolVersion;
use offwire_testkit::Side;
use offwire_testkit::schedule::{
    Authentication, Harm, Offer, Operation, Repeat, Schedule, Start, run, run_with,
};
use offwire_testkit::strategy::{Weights, schedule_of};
use proptest::test_runner::{Config, TestError, TestRunner};

fn schedule(operations: Vec<Operation>) -> Schedule {
    Schedule {
        operations,
        ..Schedule::default()
    }
}

#[test]
fn a_schedule_without_operations_ends_in_a_clean_close() {
    for start in [Start::Fresh, Start::Connected] {
        let bulk = [100_000, 3];
        let finished = run(&Schedule {
            start,
            bulk,
            ..Schedule::default()
        })
        .unwrap();
        assert_eq!(
            (finished.written, finished.read),
            ([100_000, 3], [3, 100_000])
        );
    }
}

#[test]
fn a_write_cut_off_is_read_up_to_its_last_whole_record() {
    let finished = run(&schedule(vec![
        Operation::write(Side::Client, 40_000),
        Operation::Move(Side::Server, 1),
        Operation::Harm(Side::Server, Harm::End),
    ]));
    assert_eq!(finished.unwrap().read, [0, 40_000]);
    let finished = run(&schedule(vec![
        Operation::write(Side::Client, 40_000),
        Operation::Take(Side::Client, offwire_testkit::Outlet::First, 30_000),
        Operation::Harm(Side::Server, Harm::End),
    ]));
    assert_eq!(finished.unwrap().read, [0, 16_384]);
}

#[cfg(feature = "arbitrary")]
#[test]
fn any_bytes_are_a_schedule_that_ends() {
    use offwire_testkit::Random;

    let mut operations = 0;
    for seed in 0..30 {
        let bytes = Random::new(seed).bytes(2_000);
        let mut unstructured = arbitrary::Unstructured::new(&bytes);
        let schedule: Schedule = unstructured.arbitrary().expect("any bytes will do");
        operations += schedule.operations.len();
        run(&schedule.affordable()).expect("the contract holds");
    }
    assert!(
        operations > 30 * 40,
        "{operations} operations in 30 schedules"
    );
}

/// What a failing schedule shows must show again: in another run, on another thread, behind others.
#[test]
fn the_same_schedule_puts_the_same_bytes_on_the_wire() {
    let versions = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];
    for (version, authentication) in versions
        .into_iter()
        .flat_map(|version| Authentication::ALL.map(|authentication| (version, authentication)))
    {
        let wire = move || {
            let finished = run(&Schedule {
                version,
                authentication,
                start: Start::Fresh,
                bulk: [3_000, 20_000],
                ..Schedule::default()
            });
            let pair = finished.unwrap().pair;
            [&pair.to_client, &pair.to_server].map(|link| link.sent().to_vec())
        };
        let what = format!("{version} {authentication:?}");
        let first = wire();
        let [to_client, to_server] = first.each_ref().map(Vec::len);
        assert!(to_client > 20_000 && to_server > 3_000, "{what}");
        run(&schedule(vec![Operation::write(Side::Client, 1)])).unwrap();
        assert!(wire() == first, "{what}: again");
        let elsewhere = std::thread::spawn(wire).join().unwrap();
        assert!(elsewhere == first, "{what}: elsewhere");
    }
}

#[test]
fn a_bad_retry_is_no_broken_rule() {
    for repeat in [Repeat::TooShort(1), Repeat::Changed(7)] {
        let offer = Offer {
            repeat,
            ..Offer::fresh(0)
        };
        let finished = run(&schedule(vec![
            Operation::write(Side::Server, 200_000),
            Operation::Write(Side::Server, offer),
        ]));
        assert_eq!(finished.unwrap().written, [0, 200_000]);
    }
}

/// A property that no engine keeps: it shrinks to the shortest schedule against it, and its message
/// is that schedule's ladder.
#[test]
fn a_failing_property_prints_the_ladder_of_the_shrunk_schedule() {
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let failure = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    )
    .run(&schedule_of(Weights::default(), 0..6), |schedule| {
        let server_reads = Operation::Read(Side::Server, 16_385);
        let operations = [schedule.operations.clone(), vec![server_reads]].concat();
        // On the default link: one of a few bytes would fill the ladder with its cuts.
        let schedule = Schedule {
            operations,
            ..Schedule::default()
        };
        run_with(&schedule, |finished| {
            if finished.written[0] < 10_000 {
                Ok(())
            } else {
                Err("the client writes little".into())
            }
        })?;
        Ok(())
    });
    let Err(TestError::Fail(reason, shrunk)) = failure else {
        panic!("the property holds: {failure:?}");
    };
    let reason = reason.message();
    assert_eq!(shrunk.operations.len(), 1, "{shrunk:?}");
    assert!(reason.starts_with("the client writes little"), "{reason}");
    // A length shrinks within its range: to 10,000, or to where the range begins.
    let Some(Operation::Write(Side::Client, Offer { fresh, .. })) = shrunk.operations.first()
    else {
        panic!("{shrunk:?}");
    };
    let call = format!("write({fresh})    Written({fresh})");
    assert!(reason.contains(&call), "{reason}");
    let record = format!("──▶ application_data {}", fresh + 17);
    assert!(reason.contains(&record), "{reason}");
}
