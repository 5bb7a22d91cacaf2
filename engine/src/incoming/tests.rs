//! The incoming queue against a model: a plain list of bytes.

extern crate std;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{FIRST_SPACE, HANDSHAKE_BOUND, Incoming, SMALLEST_STORAGE};
use crate::error::Misuse;
use crate::record::LARGEST_INCOMING_RECORD;

#[derive(Clone, Debug)]
enum Operation {
    Feed(usize),
    Fill {
        missing: usize,
        count: usize,
    },
    Discard(usize),
    Keep {
        count: usize,
        start: usize,
        end: usize,
    },
    Plaintext(usize),
    Release,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let operation = prop_oneof![
        4 => (0..30_000_usize).prop_map(Operation::Feed),
        1 => (0..400_000_usize).prop_map(Operation::Feed),
        4 => (0..300_usize).prop_map(Operation::Feed),
        4 => (0..20_000_usize, 0..20_000_usize)
            .prop_map(|(missing, count)| Operation::Fill { missing, count }),
        6 => (0..20_000_usize).prop_map(Operation::Discard),
        4 => (1..20_000_usize, 0..30_usize, 0..30_usize)
            .prop_map(|(count, start, end)| Operation::Keep { count, start, end }),
        6 => (0..20_000_usize).prop_map(Operation::Plaintext),
        1 => Just(Operation::Release),
    ];
    proptest::collection::vec(operation, 1..120)
}

/// What a queue must hold.
#[derive(Default)]
struct Model {
    ciphertext: VecDeque<u8>,
    plaintext: VecDeque<u8>,
    next: u8,
}

impl Model {
    fn fresh(&mut self, count: usize) -> Vec<u8> {
        self.next = self.next.wrapping_add(17);
        let bytes = (0..=255_u8).cycle().skip(usize::from(self.next));
        bytes.take(count).collect()
    }
}

proptest! {
    #[test]
    fn bytes_arrive_in_order_within_the_bound(
        limit in prop_oneof![LARGEST_INCOMING_RECORD..100_000, LARGEST_INCOMING_RECORD..400_000],
        operations in operations(),
    ) {
        let mut queue = Incoming::new(limit);
        queue.end_handshake(limit);
        let mut model = Model::default();
        for operation in operations {
            let room = queue.room();
            match operation {
                Operation::Feed(count) => {
                    let bytes = model.fresh(count);
                    let taken = queue.feed(&bytes);
                    prop_assert_eq!(taken, count.min(room));
                    model.ciphertext.extend(&bytes[..taken]);
                }
                Operation::Fill { missing, count } => {
                    let space = queue.space(missing);
                    prop_assert_eq!(space.is_empty(), room == 0);
                    prop_assert!(space.len() >= missing.max(FIRST_SPACE).min(room));
                    prop_assert!(space.len() <= room);
                    let count = count.min(space.len());
                    let bytes = model.fresh(count);
                    space[..count].copy_from_slice(&bytes);
                    let offered = space.len();
                    prop_assert_eq!(queue.filled(offered + 1), Err(Misuse::FedTooMuch));
                    prop_assert_eq!(queue.filled(count), Ok(()));
                    model.ciphertext.extend(&bytes);
                }
                Operation::Discard(count) => {
                    let count = count.min(model.ciphertext.len());
                    queue.discard(count);
                    model.ciphertext.drain(..count);
                }
                Operation::Keep { count, start, end }
                    if model.plaintext.is_empty() && !model.ciphertext.is_empty() =>
                {
                    let count = count.min(model.ciphertext.len());
                    let start = start.min(count);
                    let content = start..(count - end.min(count)).max(start);
                    let record: Vec<u8> = model.ciphertext.drain(..count).collect();
                    model.plaintext.extend(&record[content.clone()]);
                    queue.keep_plaintext(count, content);
                }
                Operation::Keep { .. } => {}
                Operation::Plaintext(count) => {
                    let count = count.min(model.plaintext.len());
                    queue.discard_plaintext(count);
                    model.plaintext.drain(..count);
                }
                Operation::Release => queue.release(),
            }
            prop_assert!(queue.ciphertext().iter().eq(model.ciphertext.iter()));
            prop_assert!(queue.plaintext().iter().eq(model.plaintext.iter()));
            prop_assert_eq!(queue.pending(), model.plaintext.len());
            prop_assert!(queue.held() <= limit);
            prop_assert!(queue.storage.len() <= limit + LARGEST_INCOMING_RECORD);
            if queue.held() < LARGEST_INCOMING_RECORD {
                let missing = LARGEST_INCOMING_RECORD - queue.held();
                prop_assert!(queue.room() >= missing, "a record that is not whole can become so");
            }
        }
    }
}

#[test]
fn the_handshake_may_hold_more_than_the_limit() {
    let mut queue = Incoming::new(LARGEST_INCOMING_RECORD);
    let bytes = [7; HANDSHAKE_BOUND + 1];
    assert_eq!(queue.feed(&bytes), HANDSHAKE_BOUND);
    queue.end_handshake(LARGEST_INCOMING_RECORD);
    assert_eq!((queue.room(), queue.space(1).len()), (0, 0));
    queue.discard(HANDSHAKE_BOUND - 10);
    assert_eq!(queue.room(), LARGEST_INCOMING_RECORD - 10);
    assert_eq!(queue.storage.capacity(), SMALLEST_STORAGE, "given back");
    queue.discard(10);
    queue.end_handshake(LARGEST_INCOMING_RECORD);
    assert_eq!(queue.storage.capacity(), 0);
}

#[test]
fn a_space_that_was_filled_doubles() {
    let mut queue = Incoming::new(1 << 20);
    let mut offered = Vec::new();
    for _ in 0..4 {
        let count = queue.space(0).len();
        offered.push(count);
        queue.filled(count).unwrap();
    }
    assert_eq!(offered, [4096, 4096, 8192, 16_384]);
}

#[test]
fn a_queue_that_stays_full_is_moved_once_a_quarter() {
    const RECORD: usize = 16_406;
    for (phase, limit) in [
        ("open", 1 << 18),
        ("open", 1 << 20),
        ("early data", 1 << 20),
    ] {
        let mut queue = Incoming::new(limit);
        if phase == "open" {
            queue.end_handshake(limit);
        }
        let (mut read, mut moves, mut head) = (0, 0, 0);
        while read < 8 * limit {
            queue.feed(&[7; 1 << 20]);
            moves += usize::from(queue.head < head);
            assert!(queue.held() >= limit / 2, "it stays well filled");
            queue.discard(RECORD);
            read += RECORD;
            head = queue.head;
        }
        assert!(moves > 20, "it comes to its end again and again");
        assert!(moves <= 4 * 8 + 1, "{moves} moves of {limit} bytes");
    }
}

#[test]
fn what_the_handshake_needed_is_given_back_though_something_is_always_held() {
    let mut queue = Incoming::new(LARGEST_INCOMING_RECORD);
    assert_eq!(queue.feed(&[7; HANDSHAKE_BOUND]), HANDSHAKE_BOUND);
    queue.end_handshake(LARGEST_INCOMING_RECORD);
    queue.discard(HANDSHAKE_BOUND - LARGEST_INCOMING_RECORD - 1);
    assert!(
        queue.storage.len() > HANDSHAKE_BOUND,
        "it holds more than it may"
    );
    queue.discard(1);
    assert!(queue.storage.capacity() <= 2 * LARGEST_INCOMING_RECORD);
    assert_eq!(queue.ciphertext(), [7; LARGEST_INCOMING_RECORD]);
    queue.discard(LARGEST_INCOMING_RECORD - 3);
    assert_eq!(queue.feed(b"more"), 4);
    assert_eq!(queue.ciphertext(), b"\x07\x07\x07more");
}

#[test]
fn plaintext_moves_with_the_ciphertext_behind_it() {
    let mut queue = Incoming::new(LARGEST_INCOMING_RECORD);
    assert_eq!(queue.feed(b"head-plaintext-tag|behind"), 25);
    queue.keep_plaintext(19, 5..14);
    assert_eq!(
        (queue.plaintext(), queue.ciphertext()),
        (&b"plaintext"[..], &b"behind"[..])
    );
    assert_eq!(queue.feed(&[b'x'; 10_000]), 10_000);
    assert_eq!(queue.plaintext(), b"plaintext");
    assert_eq!(&queue.ciphertext()[..8], b"behindxx");
    queue.clear_ciphertext();
    assert_eq!(
        (queue.plaintext(), queue.ciphertext()),
        (&b"plaintext"[..], &b""[..])
    );
    queue.discard_plaintext(9);
    assert_eq!(queue.held(), 0);
}
