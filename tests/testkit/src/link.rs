//! One direction of a transport in memory: it cuts, blocks, ends and corrupts where it is told to.
//!
//! A link is what a socket does to a stream, without the socket. It knows bytes only: no record,
//! no role. [`Pair`](crate::Pair) joins two of them to two engines.

use alloc::collections::VecDeque;

use offwire::Engine;

use crate::random::Random;

/// Where a link cuts the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cuts {
    /// Everything that is there moves at once.
    Whole,
    /// At most so many bytes move at once; at least 1.
    Bytes(usize),
    /// A generator chooses, the same for the same seed.
    Seeded(u64),
}

/// One direction of a transport in memory.
///
/// Bytes are *in flight* between [`Self::pull`] and [`Self::push`]; the capacity bounds them as a
/// socket's buffer does. Offsets count the bytes of this direction from its very first one.
#[derive(Clone, Debug)]
pub struct Link {
    cuts: Cuts,
    random: Random,
    capacity: usize,
    in_flight: VecDeque<u8>,
    sent: Vec<u8>,
    delivered: usize,
    ends_at: usize,
    flips: Vec<(usize, u8)>,
    end: End,
}

/// Whether the receiver knows of the transport's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    Reported,
}

impl Link {
    /// A link of the given cuts, unbounded and unharmed.
    #[must_use]
    pub fn new(cuts: Cuts) -> Self {
        let seed = match cuts {
            Cuts::Seeded(seed) => seed,
            Cuts::Whole | Cuts::Bytes(_) => 0,
        };
        Self {
            cuts,
            random: Random::new(seed),
            capacity: usize::MAX,
            in_flight: VecDeque::new(),
            sent: Vec::new(),
            delivered: 0,
            ends_at: usize::MAX,
            flips: Vec::new(),
            end: End::Open,
        }
    }

    /// Changes where the stream is cut from now on.
    pub fn set_cuts(&mut self, cuts: Cuts) {
        self.cuts = cuts;
        if let Cuts::Seeded(seed) = cuts {
            self.random = Random::new(seed);
        }
    }

    /// Lets at most so many bytes be in flight; 0 stops the direction.
    pub fn set_capacity(&mut self, bytes: usize) {
        self.capacity = bytes;
    }

    /// Ends the transport once `offset` bytes were delivered; later ones vanish.
    pub fn end_at(&mut self, offset: usize) {
        self.ends_at = offset;
    }

    /// Ends the transport behind what was sent so far.
    pub fn end(&mut self) {
        self.ends_at = self.sent.len();
    }

    /// Flips bit `bit` (0 to 7) of the byte at `offset`, which must not have been delivered.
    ///
    /// # Panics
    /// If it has, or if there is no such bit.
    pub fn flip_bit(&mut self, offset: usize, bit: u8) {
        assert!(offset >= self.delivered, "byte {offset} was delivered");
        assert!(bit < 8, "a byte has no bit {bit}");
        self.flips.push((offset, 1 << bit));
    }

    /// Puts bytes of a third party on the link, behind those in flight. They count as sent.
    pub fn inject(&mut self, bytes: &[u8]) {
        self.sent.extend_from_slice(bytes);
        self.in_flight.extend(bytes);
    }

    /// All bytes that were ever sent into this direction, unharmed.
    #[must_use]
    pub fn sent(&self) -> &[u8] {
        &self.sent
    }

    /// How many bytes were delivered, or vanished behind the end.
    #[must_use]
    pub fn delivered(&self) -> usize {
        self.delivered
    }

    /// How many bytes are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Takes one cut of ciphertext from an engine, as far as the capacity allows. Returns how many
    /// bytes were taken.
    pub fn pull(&mut self, from: &mut Engine) -> usize {
        let room = self.capacity.saturating_sub(self.in_flight.len());
        let waiting: usize = from.outgoing_slices().iter().map(|slice| slice.len()).sum();
        let cut = self.cut(waiting.min(room));
        self.pull_exactly(from, cut)
    }

    /// Delivers one cut of ciphertext to an engine. Returns how many bytes it took; the
    /// transport's end is reported once everything before it was taken.
    pub fn push(&mut self, into: &mut Engine) -> usize {
        let cut = self.cut(self.in_flight.len());
        self.push_up_to(into, cut)
    }

    /// Takes up to `len` bytes from an engine, whatever capacity and cuts say.
    ///
    /// # Panics
    /// If the engine refuses to have sent what it offered.
    pub fn pull_exactly(&mut self, from: &mut Engine, len: usize) -> usize {
        let mut left = len;
        while left > 0 && !from.outgoing().is_empty() {
            let run = left.min(from.outgoing().len());
            let bytes = &from.outgoing()[..run];
            self.sent.extend_from_slice(bytes);
            self.in_flight.extend(bytes);
            from.sent(run).unwrap();
            left -= run;
        }
        len - left
    }

    /// Delivers up to `len` bytes to an engine, whatever the cuts say.
    pub fn push_up_to(&mut self, into: &mut Engine, len: usize) -> usize {
        let before_end = self.ends_at.saturating_sub(self.delivered);
        let mut bytes: Vec<u8> = self
            .in_flight
            .iter()
            .copied()
            .take(len.min(before_end))
            .collect();
        for &(offset, mask) in &self.flips {
            let place = offset
                .checked_sub(self.delivered)
                .and_then(|place| bytes.get_mut(place));
            if let Some(byte) = place {
                *byte ^= mask;
            }
        }
        let taken = self.deliver(into, &bytes);
        self.in_flight.drain(..taken);
        self.delivered += taken;
        if self.delivered >= self.ends_at {
            self.delivered += self.in_flight.len();
            self.in_flight.clear();
            if self.end == End::Open {
                into.feed_eof();
                self.end = End::Reported;
            }
        }
        taken
    }

    /// By either port: copied by `feed`, or read into `feed_space` as a socket would.
    fn deliver(&mut self, into: &mut Engine, bytes: &[u8]) -> usize {
        let by_feed = match self.cuts {
            Cuts::Whole | Cuts::Bytes(_) => true,
            Cuts::Seeded(_) => self.random.below(2) == 0,
        };
        if by_feed || bytes.is_empty() {
            return into.feed(bytes);
        }
        let space = into.feed_space();
        let len = space.len().min(bytes.len());
        space[..len].copy_from_slice(&bytes[..len]);
        if len == 0 {
            return into.feed(bytes); // full, or discarding after the end
        }
        into.fed(len).unwrap();
        len
    }

    fn cut(&mut self, available: usize) -> usize {
        if available == 0 {
            return 0;
        }
        match self.cuts {
            Cuts::Whole => available,
            Cuts::Bytes(bytes) => bytes.max(1).min(available),
            Cuts::Seeded(_) => self.random.cut(available),
        }
    }
}
