//! The raw AEAD of aws-lc-rs: the same records, sealed and opened in place, and nothing else. The
//! limit of what a library on it can reach, and what the speed of the machine is judged by.

use core::hint::black_box;

use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey,
};

use crate::clock::{Laps, now};
use crate::measure::{BATCH, WARM_UP, expect, plaintext};
use crate::order::{Answer, Measure, Order, Suite};
use crate::{Problem, Wire};

/// The most plaintext of a record.
const RECORD: usize = 16_384;

/// What a record has beside its plaintext: a header, the content's type, and a tag.
const HEADER: usize = 5;
const TAG: usize = 16;

/// A key, and the number of the next record.
struct Sequence {
    key: LessSafeKey,
    next: u64,
}

impl Sequence {
    fn new(suite: Suite) -> Result<Self, Problem> {
        let algorithm = match suite {
            Suite::Aes128 => &AES_128_GCM,
            Suite::Aes256 => &AES_256_GCM,
            Suite::ChaCha20 => &CHACHA20_POLY1305,
        };
        let bytes = vec![7; algorithm.key_len()];
        let key = UnboundKey::new(algorithm, &bytes).map_err(|_| "a key of the wrong length")?;
        let key = LessSafeKey::new(key);
        Ok(Self { key, next: 0 })
    }

    fn nonce(&mut self) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        if let Some(last) = nonce.last_chunk_mut() {
            *last = self.next.to_be_bytes();
        }
        self.next += 1;
        Nonce::assume_unique_for_key(nonce)
    }

    /// Seals plaintext and type in place; the tag is returned.
    fn seal(&mut self, inner: &mut [u8]) -> Result<[u8; TAG], Problem> {
        let (nonce, header) = (self.nonce(), [23, 3, 3, 0, 0]);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(header), inner);
        Ok(tag.map_err(|_| "it does not seal")?.as_ref().try_into()?)
    }

    /// Opens a record's ciphertext and tag in place.
    fn open<'a>(&mut self, sealed: &'a mut [u8]) -> Result<&'a mut [u8], Problem> {
        let (nonce, header) = (self.nonce(), [23, 3, 3, 0, 0]);
        let opened = self.key.open_in_place(nonce, Aad::from(header), sealed);
        opened.map_err(|_| "it does not open".into())
    }
}

/// Carries an order out, if it is one of the raw AEAD's.
///
/// # Errors
/// What went wrong.
pub fn time(order: Order) -> Result<Answer, Problem> {
    let Order {
        measure,
        suite,
        size,
        count,
        ..
    } = order;
    match measure {
        Measure::Seal => seal(suite, size, count).map(Answer::One),
        Measure::Open => open(suite, size, count).map(Answer::One),
        Measure::Trip
        | Measure::Full
        | Measure::Resumed
        | Measure::Allocated
        | Measure::MemoryMessage
        | Measure::MemoryBulk
        | Measure::MemoryReleased
        | Measure::Idle
        | Measure::Certificates => Ok(Answer::Impossible),
    }
}

fn seal(suite: Suite, size: usize, count: usize) -> Result<u64, Problem> {
    let mut sequence = Sequence::new(suite)?;
    let mut inner: Vec<Vec<u8>> = plaintext(size).chunks(RECORD).map(<[u8]>::to_vec).collect();
    inner.iter_mut().for_each(|inner| inner.push(23));
    let mut start = 0;
    for each in 0..WARM_UP + count {
        if each == WARM_UP {
            start = now();
        }
        for inner in &mut inner {
            sequence.seal(inner)?;
        }
    }
    Ok(now() - start)
}

fn open(suite: Suite, size: usize, count: usize) -> Result<u64, Problem> {
    let (mut sealing, mut opening) = (Sequence::new(suite)?, Sequence::new(suite)?);
    let plaintext = plaintext(size);
    let mut spent = 0;
    let (mut left, mut wire) = (WARM_UP + count, Vec::with_capacity(2 * BATCH));
    while left > 0 {
        let warm = left > count;
        let times = if warm {
            WARM_UP
        } else {
            left.min(BATCH / size)
        };
        wire.clear();
        for piece in (0..times).flat_map(|_| plaintext.chunks(RECORD)) {
            wire.extend_from_slice(&[0; HEADER]);
            let begin = wire.len();
            wire.extend_from_slice(piece);
            wire.push(23);
            let tag = sealing.seal(wire.get_mut(begin..).unwrap_or_default())?;
            wire.extend_from_slice(&tag);
        }
        let mut unspent = 0;
        let mut laps = Laps::start();
        let mut rest = &mut wire[..];
        for piece in (0..times).flat_map(|_| plaintext.chunks(RECORD)) {
            let (record, behind) = rest.split_at_mut(HEADER + piece.len() + 1 + TAG);
            opening.open(record.get_mut(HEADER..).unwrap_or_default())?;
            rest = behind;
        }
        laps.lap(if warm { &mut unspent } else { &mut spent });
        let mut rest = &wire[..];
        for piece in (0..times).flat_map(|_| plaintext.chunks(RECORD)) {
            let (record, behind) = rest.split_at(HEADER + piece.len() + 1 + TAG);
            let opened = record.get(HEADER..).unwrap_or_default();
            expect(opened.starts_with(piece), "other bytes were opened")?;
            rest = behind;
        }
        left -= times;
    }
    Ok(spent)
}

/// Nanoseconds of opening records of `size` bytes from one buffer into another: the limit of a library
/// that neither copies nor hands its own buffer out.
///
/// # Errors
/// What went wrong.
pub fn open_apart(size: usize, count: usize) -> Result<u64, Problem> {
    let (mut sealing, mut opening) = (Sequence::new(Suite::Aes128)?, Sequence::new(Suite::Aes128)?);
    let plaintext = plaintext(size);
    let (mut spent, mut left) = (0, count);
    let mut opened = vec![0; BATCH + size];
    while left > 0 {
        let mut records = Vec::new();
        for _ in 0..left.min(BATCH / size) {
            let mut inner = plaintext.clone();
            inner.push(23);
            let tag = sealing.seal(&mut inner)?;
            records.push((inner, tag));
        }
        let mut laps = Laps::start();
        for ((sealed, tag), begin) in records.iter().zip((0..).step_by(size)) {
            let into = opened
                .get_mut(begin..begin + sealed.len())
                .ok_or("no room")?;
            let (nonce, header) = (opening.nonce(), Aad::from([23, 3, 3, 0, 0]));
            let outcome = opening
                .key
                .open_separate_gather(nonce, header, sealed, tag, into);
            outcome.map_err(|_| "it does not open")?;
        }
        laps.lap(&mut spent);
        let mut pieces = opened.chunks(size).take(records.len());
        expect(
            pieces.all(|piece| piece == plaintext),
            "other bytes were opened",
        )?;
        opened.fill(0);
        left -= records.len();
    }
    Ok(spent)
}

/// Nanoseconds of the copy that hands records of so many bytes to a library, as [`Measure::Open`]
/// has it: from a wire into a buffer of 64 KiB.
///
/// # Errors
/// What went wrong.
pub fn carry(size: usize, count: usize) -> Result<u64, Problem> {
    let record = vec![7; size + HEADER + 1 + TAG];
    let mut into = vec![0; 1 << 16];
    let (mut spent, mut left, mut wire) = (0, count, Wire::new());
    while left > 0 {
        let times = left.min(BATCH / size);
        (0..times).for_each(|_| wire.put(&record));
        let mut laps = Laps::start();
        while wire.take(black_box(&mut into)) > 0 {}
        laps.lap(&mut spent);
        left -= times;
    }
    Ok(spent)
}

/// Nanoseconds of sealing 2 MiB in records of 16 KiB with AES-128-GCM: how fast the machine is now.
///
/// # Errors
/// What went wrong.
pub fn calibration() -> Result<u64, Problem> {
    seal(Suite::Aes128, RECORD, 128)
}
