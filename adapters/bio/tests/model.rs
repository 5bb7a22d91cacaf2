//! Random operations on a pair and on a memory BIO, next to a model made of `VecDeque`s.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

extern crate alloc;

use alloc::collections::VecDeque;

use offwire_bio::{BioHalf, BioPair, MemoryBio, OnEmpty, Reading, Writing};
use proptest::prelude::*;

/// One call on one half.
#[derive(Clone, Debug)]
enum Op {
    Read(usize),
    Write(usize),
    WriteVectored(usize, usize),
    Nread0,
    Nread(usize),
    Nwrite0,
    Nwrite(usize),
    Shutdown,
    Reset,
    ResetRequest,
    Drop,
}

/// What a direction should be.
#[derive(Debug)]
struct Model {
    bytes: VecDeque<u8>,
    capacity: usize,
    request: usize,
    writer: Writer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writer {
    Open,
    Shut,
    /// The reader was dropped.
    Alone,
}

impl Model {
    fn new(capacity: usize) -> Self {
        Self {
            bytes: VecDeque::new(),
            capacity: if capacity == 0 { 17_408 } else { capacity },
            request: 0,
            writer: Writer::Open,
        }
    }

    fn nothing(&mut self, wanted: usize) -> Reading {
        if self.writer != Writer::Open {
            return Reading::End;
        }
        self.request = wanted.min(self.capacity);
        Reading::Empty
    }

    fn read(&mut self, wanted: usize) -> (Reading, Vec<u8>) {
        self.request = 0;
        let n = wanted.min(self.bytes.len());
        if wanted > 0 && n == 0 {
            return (self.nothing(wanted), Vec::new());
        }
        (Reading::Read(n), self.bytes.drain(..n).collect())
    }

    fn write(&mut self, bytes: &[u8]) -> Writing {
        if bytes.is_empty() {
            return Writing::Written(0);
        }
        self.request = 0;
        if self.writer != Writer::Open {
            return Writing::Shut;
        }
        match bytes.len().min(self.capacity - self.bytes.len()) {
            0 => Writing::Full,
            n => {
                self.bytes.extend(&bytes[..n]);
                Writing::Written(n)
            }
        }
    }

    fn shut(&mut self) {
        self.request = 0;
        if self.writer == Writer::Open {
            self.writer = Writer::Shut;
        }
    }
}

/// The bytes of the stream, from `offset`.
fn counted(offset: usize, len: usize) -> Vec<u8> {
    (0..=250).cycle().skip(offset % 251).take(len).collect()
}

/// Calls one half and its model, and compares.
fn apply(op: &Op, half: &mut BioHalf, out: &mut Model, into: &mut Model, sent: &mut usize) {
    match *op {
        Op::Read(n) => {
            let mut buffer = vec![0; n];
            let (outcome, bytes) = into.read(n);
            assert_eq!(half.try_read(&mut buffer), outcome);
            assert_eq!(buffer[..bytes.len()], bytes);
        }
        Op::Write(n) => {
            let bytes = counted(*sent, n);
            let before = out.bytes.len();
            assert_eq!(half.try_write(&bytes), out.write(&bytes));
            *sent += out.bytes.len() - before;
        }
        Op::WriteVectored(n, m) => {
            let (bytes, before) = (counted(*sent, n + m), out.bytes.len());
            let slices = [&bytes[..n], &[], &bytes[n..]].map(std::io::IoSlice::new);
            let written = std::io::Write::write_vectored(half, &slices);
            let expected: std::io::Result<usize> = out.write(&bytes).into();
            assert_eq!(
                written.map_err(|e| e.kind()),
                expected.map_err(|e| e.kind())
            );
            *sent += out.bytes.len() - before;
        }
        Op::Nread0 | Op::Nread(_) => in_place_read(op, half, into),
        Op::Nwrite0 | Op::Nwrite(_) => in_place_write(op, half, out, sent),
        Op::Shutdown => {
            half.shutdown_write();
            out.shut();
        }
        Op::Reset => {
            half.reset();
            out.bytes.clear();
        }
        Op::ResetRequest => {
            half.reset_read_request();
            out.request = 0;
        }
        Op::Drop => {}
    }
}

fn in_place_read(op: &Op, half: &mut BioHalf, into: &mut Model) {
    into.request = 0;
    let run = match half.nread0() {
        Reading::Read(run) => {
            assert!((1..=into.bytes.len()).contains(&run));
            run
        }
        nothing @ (Reading::Empty | Reading::End) => {
            assert_eq!(into.bytes.len(), 0);
            assert_eq!(nothing, into.nothing(1));
            0
        }
    };
    let Op::Nread(n) = *op else { return };
    let mut seen = Vec::new();
    let outcome: Result<_, ()> = half.nread(|bytes| {
        seen.extend_from_slice(bytes);
        Ok(n)
    });
    assert_eq!(seen.len(), run);
    assert!(seen.iter().eq(into.bytes.iter().take(run)));
    if run > 0 {
        assert_eq!(outcome, Ok(Reading::Read(n.min(run))));
        into.bytes.drain(..n.min(run));
    }
}

fn in_place_write(op: &Op, half: &mut BioHalf, out: &mut Model, sent: &mut usize) {
    out.request = 0;
    let room = out.capacity - out.bytes.len();
    let run = match (half.nwrite0(), out.writer) {
        (Writing::Written(run), Writer::Open) => {
            assert!((1..=room).contains(&run));
            assert!(
                run == room || !out.bytes.is_empty(),
                "an empty ring is one run"
            );
            run
        }
        (Writing::Full, Writer::Open) => {
            assert_eq!(room, 0);
            0
        }
        (outcome, writer) => {
            assert_eq!((outcome, writer != Writer::Open), (Writing::Shut, true));
            0
        }
    };
    let Op::Nwrite(n) = *op else { return };
    let bytes = counted(*sent, run);
    let outcome: Result<_, ()> = half.nwrite(|room| {
        room.copy_from_slice(&bytes);
        Ok(n)
    });
    if run > 0 {
        assert_eq!(outcome, Ok(Writing::Written(n.min(run))));
        out.bytes.extend(&bytes[..n.min(run)]);
        *sent += n.min(run);
    }
}

/// All that can be asked without changing anything.
fn compare(half: &BioHalf, out: &Model, into: &Model) {
    assert_eq!(half.pending(), into.bytes.len());
    assert_eq!(half.wpending(), out.bytes.len());
    assert_eq!(half.capacity(), out.capacity);
    assert_eq!(half.read_request(), out.request);
    let guarantee = match out.writer {
        Writer::Open => out.capacity - out.bytes.len(),
        Writer::Shut | Writer::Alone => 0,
    };
    assert_eq!(half.write_guarantee(), guarantee);
    assert!(half.read_request() <= guarantee);
    assert_eq!(
        half.eof(),
        into.bytes.is_empty() && into.writer != Writer::Open
    );
}

fn op() -> impl Strategy<Value = Op> {
    let len = || prop_oneof![4 => 0..12_usize, 1 => 0..40_000_usize];
    prop_oneof![
        8 => len().prop_map(Op::Read),
        8 => len().prop_map(Op::Write),
        3 => (len(), len()).prop_map(|(n, m)| Op::WriteVectored(n, m)),
        2 => Just(Op::Nread0),
        5 => len().prop_map(Op::Nread),
        2 => Just(Op::Nwrite0),
        5 => len().prop_map(Op::Nwrite),
        1 => Just(Op::ResetRequest),
        1 => Just(Op::Reset),
    ]
}

/// Which half is called next, and how.
fn calls() -> impl Strategy<Value = Vec<(usize, Op)>> {
    let rare = prop_oneof![60 => op(), 1 => Just(Op::Shutdown), 1 => Just(Op::Drop)];
    proptest::collection::vec((0..2_usize, rare), 1..150)
}

fn call_all(capacities: [usize; 2], calls: &[(usize, Op)]) {
    let BioPair { a, b } = BioPair::new(capacities[0], capacities[1]);
    let mut halves = [Some(a), Some(b)];
    let [mut from_a, mut from_b] = capacities.map(Model::new);
    let mut sent = [0, 0];
    for &(which, ref op) in calls {
        let (out, into) = match which {
            0 => (&mut from_a, &mut from_b),
            _ => (&mut from_b, &mut from_a),
        };
        if let (Op::Drop, true) = (op, halves[which].is_some()) {
            halves[which] = None;
            out.shut();
            into.bytes.clear();
            (into.request, into.writer) = (0, Writer::Alone);
        }
        if let Some(half) = &mut halves[which] {
            apply(op, half, out, into, &mut sent[which]);
        }
        let sides = [
            (&halves[0], &from_a, &from_b),
            (&halves[1], &from_b, &from_a),
        ];
        for (half, out, into) in sides {
            half.iter().for_each(|half| compare(half, out, into));
        }
    }
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
        call_all([capacity, other], &calls);
    }

    #[test]
    fn a_memory_bio_is_one_queue(cap in 0..2_000_usize, calls in calls()) {
        let capped = cap % 2 == 0;
        let mut bio = if capped { MemoryBio::capped(cap) } else { MemoryBio::new() };
        let mut model = Model::new(if capped { cap } else { usize::MAX });
        let mut sent = 0;
        for (_, op) in &calls {
            match *op {
                Op::Read(n) => {
                    let (mut buffer, (outcome, bytes)) = (vec![0; n], model.read(n));
                    prop_assert_eq!(bio.try_read(&mut buffer), outcome);
                    prop_assert_eq!(&buffer[..bytes.len()], bytes);
                }
                Op::Write(n) => {
                    let (bytes, before) = (counted(sent, n), model.bytes.len());
                    prop_assert_eq!(bio.try_write(&bytes), model.write(&bytes));
                    sent += model.bytes.len() - before;
                }
                Op::Reset => {
                    bio.reset();
                    model.bytes.clear();
                }
                Op::Nread0 => prop_assert_eq!(bio.mem_data(), model.bytes.make_contiguous()),
                Op::WriteVectored(..) | Op::Nread(_) | Op::Nwrite0 | Op::Nwrite(_) => {}
                Op::Shutdown | Op::ResetRequest | Op::Drop => {}
            }
            prop_assert_eq!(bio.pending(), model.bytes.len());
            prop_assert_eq!(bio.write_guarantee(), match capped {
                true => model.capacity - model.bytes.len(),
                false => usize::MAX,
            });
            prop_assert_eq!(bio.eof(), model.bytes.is_empty());
        }
        bio.reset();
        bio.set_on_empty(OnEmpty::End);
        prop_assert_eq!(bio.try_read(&mut [0]), Reading::End);
    }
}
