//! Any calls on a BIO pair, against two bounded queues.
//!
//! The input: two bytes of capacities, then a byte a call and its lengths.

use alloc::collections::VecDeque;
use std::io::{IoSlice, Write as _};

use offwire_bio::{BioHalf, BioPair, DEFAULT_CAPACITY, Reading, Writing};

use crate::script::Script;

/// The most bytes of one call.
const MOST: usize = 4_000;

/// What a direction should be.
#[derive(Debug)]
struct Model {
    bytes: VecDeque<u8>,
    capacity: usize,
    request: usize,
    writer: Writer,
    /// Bytes that ever went in.
    sent: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writer {
    Open,
    Shut,
    /// The reader was dropped.
    Alone,
}

pub(crate) fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let capacities = [script.length(3_000), script.length(3_000)];
    let BioPair { a, b } = BioPair::new(capacities[0], capacities[1]);
    let mut halves = [Some(a), Some(b)];
    let mut models = capacities.map(Model::new);
    while !script.is_empty() {
        let call = script.byte();
        let which = usize::from(call & 1);
        let [from_a, from_b] = &mut models;
        let (out, into) = match which {
            0 => (from_a, from_b),
            _ => (from_b, from_a),
        };
        match (&mut halves[which], call >> 1) {
            (None, _) => {}
            (Some(_), 127) => {
                halves[which] = None;
                out.shut();
                into.bytes.clear();
                (into.request, into.writer) = (0, Writer::Alone);
            }
            (Some(half), call) => apply(call, half, out, into, &mut script),
        }
        let [from_a, from_b] = &models;
        compare(halves[0].as_ref(), from_a, from_b);
        compare(halves[1].as_ref(), from_b, from_a);
    }
}

impl Model {
    fn new(capacity: usize) -> Self {
        Self {
            bytes: VecDeque::new(),
            capacity: match capacity {
                0 => DEFAULT_CAPACITY,
                capacity => capacity,
            },
            request: 0,
            writer: Writer::Open,
            sent: 0,
        }
    }

    fn room(&self) -> usize {
        self.capacity - self.bytes.len()
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

    /// So many of the next bytes of the stream, in which none looks like its neighbour.
    fn next(&self, len: usize) -> Vec<u8> {
        let byte = |number: usize| u8::try_from(number % 251).unwrap_or_default();
        (self.sent..self.sent + len).map(byte).collect()
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        self.sent += bytes.len();
    }

    fn write(&mut self, bytes: &[u8]) -> Writing {
        if bytes.is_empty() {
            return Writing::Written(0);
        }
        self.request = 0;
        if self.writer != Writer::Open {
            return Writing::Shut;
        }
        match bytes.len().min(self.room()) {
            0 => Writing::Full,
            n => {
                self.put(&bytes[..n]);
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

/// Calls one half and its model, and compares.
fn apply(call: u8, half: &mut BioHalf, out: &mut Model, into: &mut Model, script: &mut Script<'_>) {
    match call {
        0..32 => {
            let mut buffer = vec![0; script.length(MOST)];
            let (outcome, bytes) = into.read(buffer.len());
            assert_eq!(half.try_read(&mut buffer), outcome);
            assert_eq!(buffer[..bytes.len()], bytes);
        }
        32..64 => {
            let bytes = out.next(script.length(MOST));
            assert_eq!(half.try_write(&bytes), out.write(&bytes));
        }
        64..72 => {
            let (first, second) = (script.length(MOST), script.length(MOST));
            let bytes = out.next(first + second);
            let slices = [&bytes[..first], &[], &bytes[first..]].map(IoSlice::new);
            let written = half.write_vectored(&slices).map_err(|error| error.kind());
            let expected: std::io::Result<usize> = out.write(&bytes).into();
            assert_eq!(written, expected.map_err(|error| error.kind()));
        }
        72..88 => in_place_read(half, into, script),
        88..104 => in_place_write(half, out, script),
        104..110 => {
            half.shutdown_write();
            out.shut();
        }
        110..116 => {
            half.reset();
            out.bytes.clear();
        }
        116..122 => {
            half.reset_read_request();
            out.request = 0;
        }
        _ => {
            assert_eq!(half.flush().ok(), Some(()));
        }
    }
}

fn in_place_read(half: &mut BioHalf, into: &mut Model, script: &mut Script<'_>) {
    into.request = 0;
    let run = match half.nread0() {
        Reading::Read(run) => {
            assert!((1..=into.bytes.len()).contains(&run));
            run
        }
        nothing @ (Reading::Empty | Reading::End) => {
            assert_eq!(into.bytes.len(), 0);
            assert_eq!(nothing, into.nothing(1));
            return;
        }
    };
    let n = script.length(MOST);
    let mut seen = Vec::new();
    let outcome = half.nread(|bytes| {
        seen.extend_from_slice(bytes);
        if n == 0 { Err(()) } else { Ok(n) }
    });
    assert!(
        seen.iter().eq(into.bytes.iter().take(run)),
        "all of the run"
    );
    let taken = n.min(run);
    let expected = if n == 0 {
        Err(())
    } else {
        Ok(Reading::Read(taken))
    };
    assert_eq!(outcome, expected);
    into.bytes.drain(..taken);
}

fn in_place_write(half: &mut BioHalf, out: &mut Model, script: &mut Script<'_>) {
    out.request = 0;
    let run = match (half.nwrite0(), out.writer) {
        (Writing::Written(run), Writer::Open) => {
            assert!((1..=out.room()).contains(&run));
            assert!(
                run == out.room() || !out.bytes.is_empty(),
                "one run if empty"
            );
            run
        }
        (outcome, Writer::Open) => {
            assert_eq!((outcome, out.room()), (Writing::Full, 0));
            return;
        }
        (outcome, Writer::Shut | Writer::Alone) => {
            assert_eq!(outcome, Writing::Shut);
            return;
        }
    };
    let n = script.length(MOST);
    let bytes = out.next(run);
    let outcome = half.nwrite(|room| {
        room.copy_from_slice(&bytes);
        if n == 0 { Err(()) } else { Ok(n) }
    });
    let filled = n.min(run);
    let expected = if n == 0 {
        Err(())
    } else {
        Ok(Writing::Written(filled))
    };
    assert_eq!(outcome, expected);
    out.put(&bytes[..filled]);
}

/// All that can be asked without changing anything.
fn compare(half: Option<&BioHalf>, out: &Model, into: &Model) {
    let Some(half) = half else { return };
    assert_eq!(half.pending(), into.bytes.len());
    assert_eq!(half.wpending(), out.bytes.len());
    assert_eq!(half.capacity(), out.capacity);
    assert_eq!(half.read_request(), out.request);
    let guarantee = match out.writer {
        Writer::Open => out.room(),
        Writer::Shut | Writer::Alone => 0,
    };
    assert_eq!(half.write_guarantee(), guarantee);
    assert!(half.read_request() <= guarantee);
    let ended = into.bytes.is_empty() && into.writer != Writer::Open;
    assert_eq!(half.eof(), ended);
}
