//! From the slices of `std::io` to those of the engine, without an allocation.

use std::io::{self, IoSlice};

/// How many slices a call takes; what is behind them is left to the next call, as `io::Write` permits.
/// A full record is made of them if they have 256 bytes each.
const SLICES: usize = 64;

/// Calls `write` with the first slices that are not empty.
pub(crate) fn with_slices(
    slices: &[IoSlice<'_>],
    write: impl FnOnce(&[&[u8]]) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut taken: [&[u8]; SLICES] = [&[]; SLICES];
    let mut count = 0;
    let filled = slices.iter().filter(|slice| !slice.is_empty());
    for (place, slice) in taken.iter_mut().zip(filled) {
        *place = slice;
        count += 1;
    }
    write(taken.get(..count).unwrap_or_default())
}
