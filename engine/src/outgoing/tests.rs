//! The outgoing queue against a model: a plain list of bytes.

extern crate std;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::convert::Infallible;

use proptest::prelude::*;

use super::{CONTROL_RESERVE, Control, Outgoing};
use crate::record::LARGEST_OUTGOING_RECORD;

#[derive(Clone, Debug)]
enum Operation {
    Append(usize),
    Control(Control, usize),
    Remove(usize),
    Take,
    Release,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let kind = prop_oneof![
        Just(Control::Alert),
        Just(Control::Warning),
        Just(Control::KeyUpdate)
    ];
    let operation = prop_oneof![
        6 => (1..=LARGEST_OUTGOING_RECORD).prop_map(Operation::Append),
        3 => (1..200_usize).prop_map(Operation::Append),
        2 => (kind, 24..32_usize).prop_map(|(kind, length)| Operation::Control(kind, length)),
        8 => (0..40_000_usize).prop_map(Operation::Remove),
        1 => Just(Operation::Take),
        1 => Just(Operation::Release),
    ];
    proptest::collection::vec(operation, 1..120)
}

fn fill(start: u8) -> impl FnOnce(&mut [u8]) -> Result<(), Infallible> {
    move |space| {
        let bytes = (0..=255_u8).cycle().skip(usize::from(start));
        space
            .iter_mut()
            .zip(bytes)
            .for_each(|(byte, value)| *byte = value);
        Ok(())
    }
}

proptest! {
    #[test]
    fn bytes_leave_in_order_within_the_bound(
        limit in LARGEST_OUTGOING_RECORD..100_000,
        operations in operations(),
    ) {
        let mut queue = Outgoing::new(limit);
        let mut model = VecDeque::new();
        let mut sent = 0;
        let mut control = Vec::new();
        let mut next = 0_u8;
        let mut append = |model: &mut VecDeque<u8>, length: usize| {
            next = next.wrapping_add(17);
            model.extend((0..=255_u8).cycle().skip(usize::from(next)).take(length));
            fill(next)
        };
        for operation in operations {
            match operation {
                Operation::Append(length) if length <= queue.room() => {
                    queue.append(length, append(&mut model, length)).unwrap();
                }
                Operation::Control(kind, length) if queue.has_reserve(kind) => {
                    queue.append_control(kind, length, append(&mut model, length)).unwrap();
                    prop_assert!(!queue.has_reserve(kind));
                    control.push((queue.end(), length));
                }
                Operation::Append(_) | Operation::Control(..) => {}
                Operation::Remove(count) => {
                    let count = count.min(queue.len());
                    queue.remove(count);
                    model.drain(..count);
                    sent += count as u64;
                }
                Operation::Take => {
                    let taken = queue.take();
                    prop_assert!(taken.iter().eq(model.iter()));
                    sent += taken.len() as u64;
                    model.clear();
                }
                Operation::Release => queue.release(),
            }
            prop_assert_eq!(queue.len(), model.len());
            prop_assert!(queue.slices().concat().iter().eq(model.iter()));
            prop_assert!(queue.slices().len() <= 2);
            prop_assert_eq!(queue.first().is_empty(), model.is_empty());
            prop_assert!(queue.len() <= limit + CONTROL_RESERVE);
            let unsent = |(end, length): &(u64, usize)| {
                usize::try_from(end.saturating_sub(sent)).unwrap().min(*length)
            };
            let others = queue.len() - control.iter().map(unsent).sum::<usize>();
            prop_assert!(others <= limit, "only control records use the reserve");
            prop_assert_eq!(queue.room(), limit - others);
            prop_assert!(queue.storage.len() <= limit + CONTROL_RESERVE + LARGEST_OUTGOING_RECORD);
            prop_assert_eq!(queue.sent_total(), sent);
            prop_assert_eq!(queue.end(), sent + model.len() as u64);
        }
    }
}

#[test]
fn a_storage_at_its_bound_holds_the_next_record_wherever_the_content_lies() {
    let limit = 4 * LARGEST_OUTGOING_RECORD;
    let mut queue = Outgoing::new(limit);
    let mut largest = 0;
    for round in 0..10_000 {
        while queue.room() >= LARGEST_OUTGOING_RECORD {
            queue.append(LARGEST_OUTGOING_RECORD, fill(0)).unwrap();
        }
        queue.remove((round * 7_919) % queue.len() + 1);
        if round == 100 {
            largest = queue.storage.len();
        }
    }
    assert_eq!(
        queue.storage.len(),
        largest,
        "the steady state allocates nothing"
    );
}

#[test]
fn a_record_one_byte_longer_than_the_gap_overwrites_nothing() {
    let mut queue = Outgoing::new(LARGEST_OUTGOING_RECORD);
    queue.append(100, fill(0)).unwrap();
    queue.remove(60);
    queue.append(40, fill(100)).unwrap();
    assert_eq!(queue.slices().len(), 2, "the gap is of 20 bytes");
    queue.append(21, fill(140)).unwrap();
    let expected: Vec<u8> = (60..161).collect();
    assert_eq!(queue.slices().concat(), expected);
}

#[test]
fn an_append_that_fails_leaves_nothing() {
    let mut queue = Outgoing::new(LARGEST_OUTGOING_RECORD);
    queue.append(3, fill(1)).unwrap();
    assert_eq!(queue.append(100, |_| Err("no")), Err("no"));
    assert_eq!(queue.first(), [1, 2, 3]);
    assert_eq!(queue.end(), 3);
}

#[test]
fn control_records_do_not_use_up_the_room_of_others() {
    let mut queue = Outgoing::new(LARGEST_OUTGOING_RECORD);
    queue
        .append_control(Control::KeyUpdate, 27, fill(0))
        .unwrap();
    assert_eq!(queue.room(), LARGEST_OUTGOING_RECORD);
    queue.append(LARGEST_OUTGOING_RECORD, fill(0)).unwrap();
    queue.append_control(Control::Alert, 31, fill(0)).unwrap();
    assert_eq!(
        (queue.room(), queue.len()),
        (0, LARGEST_OUTGOING_RECORD + 27 + 31)
    );
    queue.remove(27);
    assert!(queue.has_reserve(Control::KeyUpdate) && !queue.has_reserve(Control::Alert));
}

#[test]
fn a_control_record_that_has_left_in_part_makes_room_for_no_others() {
    let mut queue = Outgoing::new(LARGEST_OUTGOING_RECORD);
    queue
        .append_control(Control::KeyUpdate, 27, fill(0))
        .unwrap();
    queue.append(100, fill(0)).unwrap();
    for left in (1..27).rev() {
        queue.remove(1);
        assert_eq!(queue.len(), left + 100);
        assert_eq!(queue.room(), LARGEST_OUTGOING_RECORD - 100);
    }
}

#[test]
fn a_well_filled_storage_is_given_away_and_a_few_bytes_are_copied() {
    let mut queue = Outgoing::new(LARGEST_OUTGOING_RECORD);
    queue.append(10_000, fill(0)).unwrap();
    let bulk = queue.first().as_ptr();
    assert_eq!(queue.take().as_ptr(), bulk);
    queue.append(10_000, fill(0)).unwrap();
    queue.remove(9_990);
    let few = queue.first().as_ptr();
    let taken = queue.take();
    assert_eq!(taken.len(), 10);
    assert_ne!(taken.as_ptr(), few);
}

#[test]
fn what_the_handshake_needed_is_given_back_once_its_flight_has_left() {
    let mut queue = Outgoing::new(LARGEST_OUTGOING_RECORD);
    queue.append(4_000, fill(0)).unwrap();
    queue.end_handshake();
    queue.remove(3_999);
    assert!(!queue.storage.is_empty());
    queue.remove(1);
    assert!(queue.storage.is_empty());
    queue.append(100, fill(0)).unwrap();
    queue.remove(100);
    assert!(!queue.storage.is_empty(), "the steady state keeps it");
}
