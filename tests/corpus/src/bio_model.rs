//! What a BIO pair should be: two bounded queues. The properties of `offwire-bio` and the fuzz target
//! `bio_pair` make calls in their own ways and check them here.

use alloc::collections::VecDeque;
use std::io::{IoSlice, Result as IoResult, Write as _};

use offwire_bio::{BioHalf, BioPair, Reading, Writing};

/// One call on one half; lengths are in bytes.
#[expect(
    clippy::exhaustive_enums,
    reason = "whoever makes calls makes them all"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Reads into a buffer of this length.
    Read(usize),
    /// Writes so many bytes.
    Write(usize),
    /// Writes two runs with an empty one between them.
    WriteVectored(usize, usize),
    /// Asks what could be read in place.
    Nread0,
    /// Reads in place and takes so many bytes; with 0 the reader fails.
    Nread(usize),
    /// Asks what could be written in place.
    Nwrite0,
    /// Writes in place and fills so many bytes; with 0 the writer fails.
    Nwrite(usize),
    /// Flushes, which does nothing.
    Flush,
    /// Writes no more.
    Shutdown,
    /// Forgets what it has written.
    Reset,
    /// Forgets what its peer wanted.
    ResetRequest,
    /// Drops the half; calls on it are ignored from here on.
    Drop,
}

/// What a direction should be.
#[derive(Debug)]
pub struct Model {
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

impl Model {
    /// A queue of this capacity in bytes; 0 is the default one of `BIO_s_bio(3)`.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            bytes: VecDeque::new(),
            capacity: match capacity {
                0 => 17 * 1_024,
                capacity => capacity,
            },
            request: 0,
            writer: Writer::Open,
            sent: 0,
        }
    }

    /// What is in the queue.
    pub fn contents(&mut self) -> &[u8] {
        self.bytes.make_contiguous()
    }

    /// How many bytes are in the queue.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.bytes.len()
    }

    /// How many more bytes fit.
    #[must_use]
    pub fn room(&self) -> usize {
        self.capacity - self.bytes.len()
    }

    /// What a read of so many bytes returns, and the bytes.
    pub fn read(&mut self, wanted: usize) -> (Reading, Vec<u8>) {
        self.request = 0;
        let n = wanted.min(self.bytes.len());
        if wanted > 0 && n == 0 {
            return (self.nothing(wanted), Vec::new());
        }
        (Reading::Read(n), self.bytes.drain(..n).collect())
    }

    /// So many of the next bytes of the stream, in which none looks like its neighbour.
    #[must_use]
    pub fn next(&self, len: usize) -> Vec<u8> {
        let byte = |number: usize| u8::try_from(number % 251).unwrap_or_default();
        (self.sent..self.sent + len).map(byte).collect()
    }

    /// What a write of these bytes returns.
    pub fn write(&mut self, bytes: &[u8]) -> Writing {
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

    /// Empties the queue.
    pub fn reset(&mut self) {
        self.bytes.clear();
    }

    fn nothing(&mut self, wanted: usize) -> Reading {
        if self.writer != Writer::Open {
            return Reading::End;
        }
        self.request = wanted.min(self.capacity);
        Reading::Empty
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        self.sent += bytes.len();
    }

    fn shut(&mut self) {
        self.request = 0;
        if self.writer == Writer::Open {
            self.writer = Writer::Shut;
        }
    }

    /// Nobody reads any more.
    fn abandon(&mut self) {
        self.bytes.clear();
        (self.request, self.writer) = (0, Writer::Alone);
    }
}

/// A pair beside its models.
#[derive(Debug)]
pub struct Checked {
    halves: [Option<BioHalf>; 2],
    /// The directions out of either half.
    models: [Model; 2],
}

impl Checked {
    /// A pair whose directions have these capacities; 0 is the default one.
    #[must_use]
    pub fn new(capacities: [usize; 2]) -> Self {
        let BioPair { a, b } = BioPair::new(capacities[0], capacities[1]);
        Self {
            halves: [Some(a), Some(b)],
            models: capacities.map(Model::new),
        }
    }

    /// Makes a call on one half, and compares what it says, and then all that both can be asked.
    ///
    /// # Panics
    /// If the pair is not two bounded queues.
    pub fn call(&mut self, which: usize, call: &Call) {
        let [from_a, from_b] = &mut self.models;
        let (out, into) = match which {
            0 => (from_a, from_b),
            _ => (from_b, from_a),
        };
        if let (Call::Drop, Some(_)) = (call, &self.halves[which]) {
            self.halves[which] = None;
            out.shut();
            into.abandon();
        }
        if let Some(half) = &mut self.halves[which] {
            apply(call, half, out, into);
        }
        let [from_a, from_b] = &self.models;
        compare(self.halves[0].as_ref(), from_a, from_b);
        compare(self.halves[1].as_ref(), from_b, from_a);
    }
}

/// Calls one half and its model, and compares.
fn apply(call: &Call, half: &mut BioHalf, out: &mut Model, into: &mut Model) {
    match *call {
        Call::Read(len) => {
            let mut buffer = vec![0; len];
            let (outcome, bytes) = into.read(len);
            assert_eq!(half.try_read(&mut buffer), outcome);
            assert_eq!(buffer[..bytes.len()], bytes);
        }
        Call::Write(len) => {
            let bytes = out.next(len);
            assert_eq!(half.try_write(&bytes), out.write(&bytes));
        }
        Call::WriteVectored(first, second) => {
            let bytes = out.next(first + second);
            let slices = [&bytes[..first], &[], &bytes[first..]].map(IoSlice::new);
            let written = half.write_vectored(&slices).map_err(|error| error.kind());
            let expected: IoResult<usize> = out.write(&bytes).into();
            assert_eq!(written, expected.map_err(|error| error.kind()));
        }
        Call::Nread0 => _ = readable(half, into),
        Call::Nread(len) => in_place_read(len, half, into),
        Call::Nwrite0 => _ = writable(half, out),
        Call::Nwrite(len) => in_place_write(len, half, out),
        Call::Flush => assert_eq!(half.flush().ok(), Some(())),
        Call::Shutdown => {
            half.shutdown_write();
            out.shut();
        }
        Call::Reset => {
            half.reset();
            out.reset();
        }
        Call::ResetRequest => {
            half.reset_read_request();
            out.request = 0;
        }
        Call::Drop => {}
    }
}

/// The run that can be read in place.
fn readable(half: &mut BioHalf, into: &mut Model) -> usize {
    into.request = 0;
    match half.nread0() {
        Reading::Read(run) => {
            assert!((1..=into.bytes.len()).contains(&run));
            run
        }
        nothing @ (Reading::Empty | Reading::End) => {
            assert_eq!(into.bytes.len(), 0);
            assert_eq!(nothing, into.nothing(1));
            0
        }
    }
}

fn in_place_read(len: usize, half: &mut BioHalf, into: &mut Model) {
    let run = readable(half, into);
    let mut seen = Vec::new();
    let outcome = half.nread(|bytes| {
        seen.extend_from_slice(bytes);
        if len == 0 { Err(()) } else { Ok(len) }
    });
    assert_eq!(seen.len(), run);
    assert!(seen.iter().eq(into.bytes.iter().take(run)));
    let taken = len.min(run);
    let expected = match (run, len) {
        (0, _) => Ok(into.nothing(1)),
        (_, 0) => Err(()),
        _ => Ok(Reading::Read(taken)),
    };
    assert_eq!(outcome, expected);
    into.bytes.drain(..taken);
}

/// The run that can be written in place.
fn writable(half: &mut BioHalf, out: &mut Model) -> Writing {
    out.request = 0;
    let outcome = half.nwrite0();
    match (outcome, out.writer) {
        (Writing::Written(run), Writer::Open) => {
            assert!((1..=out.room()).contains(&run));
            let whole = run == out.room() || !out.bytes.is_empty();
            assert!(whole, "an empty ring is one run");
        }
        (outcome, Writer::Open) => assert_eq!((outcome, out.room()), (Writing::Full, 0)),
        (outcome, Writer::Shut | Writer::Alone) => assert_eq!(outcome, Writing::Shut),
    }
    outcome
}

fn in_place_write(len: usize, half: &mut BioHalf, out: &mut Model) {
    let foretold = writable(half, out);
    let run = match foretold {
        Writing::Written(run) => run,
        Writing::Full | Writing::Shut => 0,
    };
    let bytes = out.next(run);
    let outcome = half.nwrite(|room| {
        room.copy_from_slice(&bytes);
        if len == 0 { Err(()) } else { Ok(len) }
    });
    let filled = len.min(run);
    let expected = match (run, len) {
        (0, _) => Ok(foretold),
        (_, 0) => Err(()),
        _ => Ok(Writing::Written(filled)),
    };
    assert_eq!(outcome, expected);
    out.put(&bytes[..filled]);
}

/// All that can be asked without changing anything.
fn compare(half: Option<&BioHalf>, out: &Model, into: &Model) {
    let Some(half) = half else { return };
    assert_eq!(half.pending(), into.pending());
    assert_eq!(half.wpending(), out.pending());
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
