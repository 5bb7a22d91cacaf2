//! Where a fuzzer's bytes become schedules: numbers of a useful size, and the engine's own types.

use arbitrary::{Arbitrary, Result, Unstructured};
use offwire::{
    Completion, KeyUpdate, ProtocolVersion, RecordSizing, RetryCheck, Settings, WriteMode,
};

use crate::pair::Side;
use crate::schedule::operation::Operation;
use crate::schedule::{Buffers, Reading, Schedule};

/// The most operations of one schedule.
const MOST_OPERATIONS: u8 = 120;

/// The most moves of buffers in one schedule.
const MOST_LENDING: u8 = 60;

/// The most bytes that one write offers beyond what it repeats.
const LONGEST_WRITE: usize = 200_000;

/// What came to schedules later is drawn last: a corpus keeps its meaning.
impl<'a> Arbitrary<'a> for Schedule {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut schedule = Self {
            start: u.arbitrary()?,
            version: version(u)?,
            suite: u.arbitrary()?,
            settings: [one_settings(u)?, one_settings(u)?],
            cuts: u.arbitrary()?,
            capacity: capacity(u)?,
            operations: operations(u)?,
            bulk: bulk(u)?,
            buffer: buffer(u)?,
            authentication: u.arbitrary()?,
            reading: [Reading::Buffer; 2],
            pool: 0,
            buffers: Buffers::Kept,
        };
        for settings in &mut schedule.settings {
            *settings = records(u, *settings)?;
        }
        schedule.reading = u.arbitrary()?;
        lend(u, &mut schedule)?;
        Ok(schedule)
    }
}

/// Small, around a record's length, or anything up to `most`.
fn number(u: &mut Unstructured<'_>, most: usize) -> Result<usize> {
    match u.int_in_range(0..=3_u8)? {
        0 => u.int_in_range(0..=40),
        1 => u.int_in_range(16_380..=16_420),
        2 => u.int_in_range(0..=5_000),
        _ => u.int_in_range(0..=most),
    }
}

/// As many operations as one byte says, if so many bytes are there. A `Vec` would toss a coin for
/// each, and most schedules would have one or two.
fn operations(u: &mut Unstructured<'_>) -> Result<Vec<Operation>> {
    let mut operations = Vec::new();
    for _ in 0..u.int_in_range(1..=MOST_OPERATIONS)? {
        if u.is_empty() {
            break;
        }
        operations.push(Operation::arbitrary(u)?);
    }
    Ok(operations)
}

/// A pool, and moves of buffers between any two operations; none where no bytes are left.
fn lend(u: &mut Unstructured<'_>, schedule: &mut Schedule) -> Result<()> {
    schedule.pool = u.int_in_range(0..=3)?;
    schedule.buffers = u.arbitrary()?;
    for _ in 0..u.int_in_range(0..=MOST_LENDING)? {
        if u.is_empty() {
            break;
        }
        let place = u.int_in_range(0..=schedule.operations.len())?;
        schedule.operations.insert(place, lending(u)?);
    }
    Ok(())
}

fn lending(u: &mut Unstructured<'_>) -> Result<Operation> {
    let side = Side::arbitrary(u)?;
    Ok(match u.int_in_range(0..=13_u8)? {
        0..5 => Operation::BorrowBuffers(side),
        5..10 => Operation::ReturnBuffers(side),
        10..13 => Operation::Stock(u.int_in_range(0..=900_000)?),
        _ => Operation::ClearPool,
    })
}

/// The fresh bytes of a write.
pub(super) fn length(u: &mut Unstructured<'_>) -> Result<usize> {
    number(u, LONGEST_WRITE)
}

/// The size of a buffer to read into.
pub(super) fn buffer(u: &mut Unstructured<'_>) -> Result<usize> {
    number(u, 40_000)
}

/// How many bytes move.
pub(super) fn movement(u: &mut Unstructured<'_>) -> Result<usize> {
    number(u, 1 << 21)
}

fn capacity(u: &mut Unstructured<'_>) -> Result<usize> {
    Ok(match u.int_in_range(0..=2_u8)? {
        0 => usize::MAX,
        _ => number(u, 100_000)?.max(1),
    })
}

fn bulk(u: &mut Unstructured<'_>) -> Result<[usize; 2]> {
    Ok([number(u, 50_000)?, number(u, 50_000)?])
}

pub(super) fn key_update(u: &mut Unstructured<'_>) -> Result<KeyUpdate> {
    u.choose(&[KeyUpdate::Ours, KeyUpdate::Both]).copied()
}

fn version(u: &mut Unstructured<'_>) -> Result<ProtocolVersion> {
    u.choose(&[ProtocolVersion::Tls13, ProtocolVersion::Tls12])
        .copied()
}

fn one_settings(u: &mut Unstructured<'_>) -> Result<Settings> {
    let mode = *u.choose(&[WriteMode::Whole, WriteMode::Partial])?;
    let completion = *u.choose(&[Completion::Queued, Completion::Sent])?;
    let check = *u.choose(&[RetryCheck::Contents, RetryCheck::Length])?;
    Ok(Settings::default()
        .write_mode(mode)
        .completion(completion)
        .retry_check(check)
        .outgoing_limit(number(u, 1 << 20)?)
        .incoming_limit(number(u, 1 << 20)?))
}

/// How large records are: as large as may be where no bytes are left.
fn records(u: &mut Unstructured<'_>, settings: Settings) -> Result<Settings> {
    let sizing = *u.choose(&[RecordSizing::Full, RecordSizing::Dynamic])?;
    Ok(match number(u, 1 << 14)? {
        0 => settings.record_sizing(sizing),
        most => settings.record_sizing(sizing).max_record_size(most),
    })
}
