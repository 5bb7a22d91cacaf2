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
}

#[test]
fn a_session_cut_off_anywhere_ends_truthfully() {
    let oracle = Oracle::new().unwrap();
    let mut tally = Tally::default();
    for encounter in Encounter::all() {
        encounter.cut_everywhere(&oracle, 37, &mut tally).unwrap();
    }
    assert!(tally.encounters > 200, "{tally}");
}

#[test]
fn openssl_cannot_make_us_renegotiate() {
    let oracle = Oracle::new().unwrap();
    let mut tally = Tally::default();
    for encounter in Encounter::all() {
        encounter.renegotiate(&oracle, &mut tally).unwrap();
    }
    assert_eq!(
        tally.encounters, 6,
        "TLS 1.2 only, our client also in a blocked write"
    );
}

#[test]
fn the_judge_is_the_release_that_the_contract_describes() {
    let release = Oracle::new().unwrap().release().unwrap();
    assert!(release.starts_with("OpenSSL 3.6."), "{release}");
}
