//! The caller's plaintext on its way out: one slice, or several that count as one.
//!
//! A window on borrowed bytes. Where it lies in one slice it is sealed from there; only a record
//! that spans slices has to be gathered. Knows no record and no contract.

use core::hash::{BuildHasher, Hasher};
use core::iter;

use foldhash::fast::FixedState;

/// Bytes that are hashed at a time, so that a fingerprint does not depend on how the caller has
/// sliced them.
const BLOCK: usize = 4096;

/// A run of plaintext.
///
/// Invariant: `first` is empty only if the whole run is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plaintext<'a> {
    first: &'a [u8],
    rest: &'a [&'a [u8]],
    /// Bytes of the run; the last slice may be longer.
    len: usize,
}

impl<'a> Plaintext<'a> {
    /// The concatenation of these slices.
    pub(crate) fn concatenated(slices: &'a [&'a [u8]]) -> Self {
        let mut whole = Self {
            first: &[],
            rest: slices,
            len: slices
                .iter()
                .fold(0, |len: usize, slice| len.saturating_add(slice.len())),
        };
        whole.skip_slices(0);
        whole
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Removes the first bytes and returns them: `count`, or all if there are fewer.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Self {
        let front = Self {
            len: count.min(self.len),
            ..*self
        };
        self.skip(front.len);
        front
    }

    /// The bytes, if they lie in one slice.
    pub(crate) fn contiguous(&self) -> Option<&'a [u8]> {
        self.first.get(..self.len)
    }

    /// Copies the bytes to `out`, which is as long.
    pub(crate) fn gather(&self, out: &mut [u8]) {
        debug_assert_eq!(out.len(), self.len);
        let mut free = out;
        for piece in self.pieces() {
            let Some((space, behind)) = free.split_at_mut_checked(piece.len()) else {
                return;
            };
            space.copy_from_slice(piece);
            free = behind;
        }
    }

    /// What a retry is compared by. It guards against a caller's slip, not against an attacker: the
    /// bytes are the caller's own.
    pub(crate) fn fingerprint(self) -> u64 {
        let mut hasher = FixedState::with_seed(0).build_hasher();
        let mut rest = self;
        while !rest.is_empty() {
            let block = rest.take(BLOCK);
            match block.contiguous() {
                Some(bytes) => hasher.write(bytes),
                None => hash_gathered(&mut hasher, block),
            }
        }
        hasher.finish()
    }

    /// Removes the first `count` bytes, at most [`Self::len`].
    #[inline]
    fn skip(&mut self, count: usize) {
        self.len -= count;
        match (self.first.get(count..), self.rest) {
            (Some(first), []) | (Some(first @ [_, ..]), _) => self.first = first,
            (_, _) => self.skip_slices(count),
        }
    }

    /// Goes on to the slice that `count` bytes behind the beginning of the first one lead to.
    fn skip_slices(&mut self, count: usize) {
        let mut left = count;
        while let [next, rest @ ..] = self.rest
            && left >= self.first.len()
        {
            left -= self.first.len();
            (self.first, self.rest) = (next, rest);
        }
        self.first = self.first.get(left..).unwrap_or_default();
    }

    /// The slices that the bytes lie in, as far as they belong to the run.
    fn pieces(self) -> impl Iterator<Item = &'a [u8]> {
        let mut left = self.len;
        iter::once(self.first)
            .chain(self.rest.iter().copied())
            .map_while(move |slice| {
                let piece = slice.get(..left.min(slice.len()))?;
                left -= piece.len();
                (left > 0 || !piece.is_empty()).then_some(piece)
            })
    }
}

impl<'a> From<&'a [u8]> for Plaintext<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self {
            first: bytes,
            rest: &[],
            len: bytes.len(),
        }
    }
}

/// Hashes a block that spans slices as if it did not.
fn hash_gathered(hasher: &mut impl Hasher, block: Plaintext<'_>) {
    let mut gathered = [0; BLOCK];
    if let Some(bytes) = gathered.get_mut(..block.len) {
        block.gather(bytes);
        hasher.write(bytes);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::{BLOCK, Plaintext};

    fn gathered(plaintext: Plaintext<'_>) -> Vec<u8> {
        let mut out = vec![0; plaintext.len()];
        plaintext.gather(&mut out);
        out
    }

    fn bytes(len: usize) -> Vec<u8> {
        (0..len)
            .map(|at| u8::try_from(at * 31 % 251).unwrap())
            .collect()
    }

    /// The same bytes in slices of these lengths in turn, empty ones among them.
    fn sliced<'a>(bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
        let (mut rest, mut slices) = (bytes, Vec::new());
        for length in lengths.iter().cycle() {
            let (slice, behind) = rest.split_at((*length).min(rest.len()));
            slices.push(slice);
            rest = behind;
            if rest.is_empty() {
                return slices;
            }
        }
        slices
    }

    const LENGTHS: [&[usize]; 5] = [&[1], &[0, 7, 0], &[4095, 2], &[3, 5000], &[20_000]];

    #[test]
    fn slices_count_as_their_concatenation() {
        let whole = bytes(10_000);
        for lengths in LENGTHS {
            let slices = sliced(&whole, lengths);
            let plaintext = Plaintext::concatenated(&slices);
            assert_eq!(plaintext.len(), whole.len());
            assert_eq!(gathered(plaintext), whole, "{lengths:?}");
            for mid in [0, 1, 6, 7, 8, 4096, 9_999, 10_000] {
                let mut back = plaintext;
                let front = back.take(mid);
                assert_eq!(gathered(front), whole[..mid], "{lengths:?} at {mid}");
                assert_eq!(gathered(back), whole[mid..], "{lengths:?} at {mid}");
                assert_eq!(back.is_empty(), mid == whole.len());
            }
            let mut all = plaintext;
            assert_eq!(gathered(all.take(whole.len() + 1)), whole);
            assert!(all.is_empty());
        }
    }

    #[test]
    fn only_what_lies_in_one_slice_is_contiguous() {
        let slices: [&[u8]; 4] = [b"", b"abc", b"", b"de"];
        let plaintext = Plaintext::concatenated(&slices);
        assert_eq!(plaintext.contiguous(), None);
        let mut back = plaintext;
        let front = back.take(3);
        assert_eq!(front.contiguous(), Some(&b"abc"[..]));
        assert_eq!(back.contiguous(), Some(&b"de"[..]));
        assert_eq!(Plaintext::concatenated(&[]).contiguous(), Some(&b""[..]));
        assert_eq!(Plaintext::from(&b"one"[..]).contiguous(), Some(&b"one"[..]));
    }

    #[test]
    fn a_fingerprint_does_not_depend_on_the_slicing() {
        let whole = bytes(2 * BLOCK + 100);
        let expected = Plaintext::from(&whole[..]).fingerprint();
        for lengths in LENGTHS {
            let slices = sliced(&whole, lengths);
            let plaintext = Plaintext::concatenated(&slices);
            assert_eq!(plaintext.fingerprint(), expected, "{lengths:?}");
        }
    }

    #[test]
    fn a_fingerprint_depends_on_every_byte_and_on_the_length() {
        let whole = bytes(BLOCK + 10);
        let expected = Plaintext::from(&whole[..]).fingerprint();
        for at in [0, 1, BLOCK - 1, BLOCK, BLOCK + 9] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert_ne!(
                Plaintext::from(&changed[..]).fingerprint(),
                expected,
                "{at}"
            );
        }
        let shorter = Plaintext::from(&whole[..BLOCK + 9]);
        assert_ne!(shorter.fingerprint(), expected);
    }
}
