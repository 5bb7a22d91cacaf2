//! A small part of what `cargo run --release` runs: enough to see that both libraries still agree.

use offwire_oracle::{Encounter, Oracle, Plan, Tally};

#[test]
fn every_answer_is_equal_or_explained() {
    let oracle = Oracle::new().unwrap();
    let mut tally = Tally::default();
    for seed in 0..400 {
        if let Err(failure) = oracle.run(&Plan::from_seed(seed), &mut tally) {
            panic!("{failure}");
        }
    }
    assert_eq!((tally.schedules, tally.unexplained), (400, 0));
    assert!(tally.calls > 5_000, "{tally}");
    assert!(20 * tally.hidden() <= tally.schedules, "{tally}");
}

#[test]
fn a_session_cut_off_anywhere_ends_truthfully() {
    let oracle = Oracle::new().unwrap();
    let mut tally = Tally::default();
    for encounter in Encounter::all() {
        let encounter = encounter.with_stride(37);
        encounter.cut_everywhere(&oracle, &mut tally).unwrap();
    }
    assert!(tally.encounters > 1_000, "{tally}");
}

#[test]
fn openssl_cannot_make_us_renegotiate() {
    let oracle = Oracle::new().unwrap();
    let mut tally = Tally::default();
    for encounter in Encounter::all() {
        encounter.renegotiate(&oracle, &mut tally).unwrap();
    }
    // TLS 1.2 only. Our client through pairs of eight capacities, also in a blocked write; our server
    // through those of six that hold an alert.
    assert_eq!(tally.encounters, 8 * 2 + 6);
}

#[test]
fn the_judge_is_the_release_that_the_contract_describes() {
    let release = Oracle::new().unwrap().release().unwrap();
    assert!(release.starts_with("OpenSSL 4.0."), "{release}");
}
