//! A small seeded generator: the same seed gives the same test on every machine.

/// SplitMix64 (Steele, Lea, Flood 2014). Good enough to choose where to cut; not for keys.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that starts from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` - 1.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "no number is below 0");
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        usize::try_from(self.bits() % bound).unwrap_or(usize::MAX)
    }

    /// So many bytes.
    #[must_use]
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.bits().to_le_bytes()[0]).collect()
    }

    /// How much of `available` (at least 1) passes next: often a few bytes, sometimes all.
    ///
    /// # Panics
    /// If `available` is 0.
    pub fn cut(&mut self, available: usize) -> usize {
        assert!(available > 0, "nothing to cut");
        let bound = match self.below(8) {
            0 => 1,
            1 => 5,
            2 => 64,
            3 | 4 => 2_000,
            5 => 17_000,
            _ => return available,
        };
        1 + self.below(bound.min(available))
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (mut a, mut b) = (Random::new(3), Random::new(3));
        assert_eq!(a.bytes(100), b.bytes(100));
        assert_ne!(a.bits(), Random::new(4).bits());
    }

    #[test]
    fn a_cut_is_neither_empty_nor_too_long() {
        let mut random = Random::new(1);
        for available in 1..2_000 {
            let cut = random.cut(available);
            assert!((1..=available).contains(&cut), "{cut} of {available}");
        }
    }
}
