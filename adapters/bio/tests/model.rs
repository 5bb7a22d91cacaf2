//! Random calls on a pair and on a memory BIO, next to a model made of bounded queues.

#![allow(clippy::indexing_slicing, reason = "tests fail by panicking")]

use offwire_bio::{MemoryBio, OnEmpty, Reading};
use offwire_corpus::bio_model::{Call, Checked, Model};
use proptest::prelude::*;

fn call() -> impl Strategy<Value = Call> {
    let len = || prop_oneof![4 => 0..12_usize, 1 => 0..40_000_usize];
    prop_oneof![
        8 => len().prop_map(Call::Read),
        8 => len().prop_map(Call::Write),
        3 => (len(), len()).prop_map(|(n, m)| Call::WriteVectored(n, m)),
        2 => Just(Call::Nread0),
        5 => len().prop_map(Call::Nread),
        2 => Just(Call::Nwrite0),
        5 => len().prop_map(Call::Nwrite),
        1 => Just(Call::ResetRequest),
        1 => Just(Call::Reset),
        1 => Just(Call::Flush),
    ]
}

/// Which half is called next, and how.
fn calls() -> impl Strategy<Value = Vec<(usize, Call)>> {
    let rare = prop_oneof![60 => call(), 1 => Just(Call::Shutdown), 1 => Just(Call::Drop)];
    proptest::collection::vec((0..2_usize, rare), 1..150)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_pair_is_two_bounded_queues(
        capacity in prop_oneof![Just(0), 1..9_usize, 10..20_000_usize],
        other in 1..9_usize,
        calls in calls(),
    ) {
        let mut pair = Checked::new([capacity, other]);
        for (which, call) in &calls {
            pair.call(*which, call);
        }
    }

    #[test]
    fn a_memory_bio_is_one_queue(cap in 0..2_000_usize, calls in calls()) {
        let capped = cap % 2 == 0;
        let mut bio = if capped { MemoryBio::capped(cap) } else { MemoryBio::new() };
        let mut model = Model::new(if capped { cap } else { usize::MAX });
        for (_, call) in &calls {
            match *call {
                Call::Read(n) => {
                    let (mut buffer, (outcome, bytes)) = (vec![0; n], model.read(n));
                    prop_assert_eq!(bio.try_read(&mut buffer), outcome);
                    prop_assert_eq!(&buffer[..bytes.len()], bytes);
                }
                Call::Write(n) => {
                    let bytes = model.next(n);
                    prop_assert_eq!(bio.try_write(&bytes), model.write(&bytes));
                }
                Call::Reset => {
                    bio.reset();
                    model.reset();
                }
                Call::Nread0 => prop_assert_eq!(bio.mem_data(), model.contents()),
                Call::WriteVectored(..) | Call::Nread(_) | Call::Nwrite0 | Call::Nwrite(_) => {}
                Call::Flush | Call::Shutdown | Call::ResetRequest | Call::Drop => {}
            }
            prop_assert_eq!(bio.pending(), model.pending());
            prop_assert_eq!(bio.write_guarantee(), match capped {
                true => model.room(),
                false => usize::MAX,
            });
            prop_assert_eq!(bio.eof(), model.pending() == 0);
        }
        bio.reset();
        bio.set_on_empty(OnEmpty::End);
        prop_assert_eq!(bio.try_read(&mut [0]), Reading::End);
    }
}
