//! A fuzzer's input, read from its front as numbers and runs of bytes.
//!
//! An input that ends reads as zeros: every input is a script, and a prefix of a script is one too.

/// The rest of an input.
#[derive(Clone, Debug)]
pub(crate) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub(crate) const fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((byte, rest)) => {
                self.0 = rest;
                *byte
            }
            None => 0,
        }
    }

    /// A number below `bound` (at most 256) from one byte.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    /// A length: mostly short, and by two more bytes up to `most`.
    pub(crate) fn length(&mut self, most: usize) -> usize {
        match self.byte() {
            long @ 0xf0.. => {
                let [high, low] = [self.byte(), self.byte()];
                usize::from(u16::from_be_bytes([high, low])) * usize::from(long - 0xef) % (most + 1)
            }
            short => usize::from(short).min(most),
        }
    }

    /// The same, or `all` where the script says nothing.
    pub(crate) fn length_or(&mut self, most: usize, all: usize) -> usize {
        match self.length(most) {
            0 => all,
            length => length,
        }
    }

    /// The next bytes, at most so many.
    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// All bytes that are left.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.0
    }
}
