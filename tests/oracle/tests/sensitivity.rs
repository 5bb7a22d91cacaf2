//! That the comparison can fail: what differs is found, and what is not allowed is reported.

use offwire::WriteMode;
use offwire_oracle::{Difference, Encounter, Fault, Oracle, Plan, Tally};

/// Among so many schedules every difference is met.
const SCHEDULES: u64 = 5_000;

#[test]
fn a_difference_that_is_not_allowed_is_unexplained() {
    let oracle = Oracle::new().unwrap();
    let mut left = Difference::ALL.to_vec();
    left.retain(|difference| difference.arises());
    for seed in 0..SCHEDULES {
        if left.is_empty() {
            return;
        }
        let plan = Plan::from_seed(seed);
        let mut allowed = Tally::default();
        if let Err(failure) = oracle.run(&plan, &mut allowed) {
            panic!("{failure}");
        }
        left.retain(|difference| {
            let met = allowed.count(*difference) > 0;
            if met {
                let mut forbidden = Tally::without(*difference);
                let told = oracle.run(&plan, &mut forbidden).unwrap_err().to_string();
                let reason = format!("{difference} is not allowed");
                assert!(told.contains(&reason), "{told}");
            }
            !met
        });
    }
    assert_eq!(left, [], "not met in {SCHEDULES} schedules");
}

#[test]
fn a_pair_that_holds_one_byte_more_is_noticed() {
    assert!(noticed(&Oracle::new().unwrap(), |plan| plan.with_capacity(1_001)) > 30);
}

#[test]
fn another_write_mode_is_noticed() {
    assert!(
        noticed(&Oracle::new().unwrap(), |plan| plan
            .with_mode(WriteMode::Partial))
            > 15
    );
}

#[test]
fn an_end_that_refuses_right_retries_is_noticed() {
    let oracle = Oracle::new().unwrap();
    let fault = |plan: Plan| plan.with_fault(Fault::RefusesRetries);
    assert!(noticed(&oracle, fault) > 50);
}

#[test]
fn an_end_that_dies_of_something_else_is_noticed() {
    let oracle = Oracle::new().unwrap();
    let failures = (0..2_000).filter_map(|seed| {
        let plan = Plan::from_seed(seed);
        let ours = plan.clone().with_fault(Fault::DiesOtherwise);
        oracle
            .run_against(&plan, &ours, &mut Tally::default())
            .err()
    });
    assert!(failures.count() > 3);
}

#[test]
fn an_end_that_dies_where_it_should_be_truncated_is_noticed() {
    let oracle = Oracle::new().unwrap();
    for encounter in Encounter::all() {
        let encounter = encounter.with_stride(37).with_fault(Fault::DiesOfTheEnd);
        let told = encounter.cut_everywhere(&oracle, &mut Tally::default());
        assert!(told.unwrap_err().contains("Dead(Other)"), "{encounter:?}");
    }
}

#[test]
fn output_that_is_lost_with_the_end_is_noticed() {
    let oracle = Oracle::new().unwrap();
    assert!(found(&oracle, Fault::LosesOutput, "the bytes emitted differ") > 3);
}

#[test]
fn records_that_are_cut_elsewhere_are_noticed() {
    let oracle = Oracle::new().unwrap();
    assert!(
        found(
            &oracle,
            Fault::SplitsOtherwise,
            "the records differ: OpenSSL's"
        ) > 30
    );
}

#[test]
fn a_failure_shrinks_to_the_call_that_causes_it() {
    let oracle = Oracle::new().unwrap();
    let run = |plan: &Plan| oracle.run(plan, &mut Tally::without(Difference::X10));
    let failure = (0..)
        .find_map(|seed| run(&Plan::from_seed(seed)).err())
        .unwrap();
    let before = failure.plan().steps();
    let failure = Oracle::shrink(failure, run);
    assert_eq!(failure.plan().steps(), 1, "of {before}:\n{failure}");
    let ladder = failure.to_string();
    assert!(
        ladder.contains("0/SYSCALL") && ladder.contains("Done(0)"),
        "{ladder}"
    );
}

/// In how many of a hundred schedules it is noticed that our ends are set up differently.
fn noticed(oracle: &Oracle, change: fn(Plan) -> Plan) -> usize {
    let plans = (0..100).map(|seed| {
        Plan::from_seed(seed)
            .with_capacity(1_000)
            .with_mode(WriteMode::Whole)
    });
    let found = plans.filter(|plan| {
        let ours = change(plan.clone());
        oracle
            .run_against(plan, &ours, &mut Tally::default())
            .is_err()
    });
    found.count()
}

/// In how many of a thousand schedules, through pairs that hold much, it is noticed that our ends
/// have a fault, and it is said so.
fn found(oracle: &Oracle, fault: Fault, what: &str) -> usize {
    let failures = (0..1_000).filter_map(|seed| {
        let plan = Plan::from_seed(seed).with_capacity(65_536);
        let ours = plan.clone().with_fault(fault);
        let failure = oracle.run_against(&plan, &ours, &mut Tally::default());
        failure.err().map(|failure| failure.to_string())
    });
    failures.filter(|told| told.contains(what)).count()
}
