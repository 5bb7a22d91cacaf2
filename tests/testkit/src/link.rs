//! One direction of a transport in memory: it cuts, blocks, ends and corrupts where it is told to.
//!
//! A link is what a socket does to a stream, without the socket. It knows bytes only: no record,
//! no role. [`Pair`](crate::Pair) joins two of them to two engines.

use alloc::collections::VecDeque;

use offwire::Engine;

use crate::random::Random;

/// Where a link cuts the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Cuts {
    /// Everything that is there moves at once.
    Whole,
    /// At most so many bytes move at once; at least 1.
    Bytes(usize),
    /// A generator chooses, the same for the same seed.
    Seeded(u64),
}

/// The port through which ciphertext leaves an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Outlet {
    /// [`Engine::outgoing`] and [`Engine::sent`], run by run, as `write(2)` does.
    First,
    /// [`Engine::outgoing_slices`] and one [`Engine::sent`], as `writev(2)` does.
    Slices,
    /// [`Engine::take_outgoing`], which always takes everything.
    Owned,
}

/// The port through which ciphertext enters an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Inlet {
    /// [`Engine::feed`], which copies.
    Feed,
    /// [`Engine::feed_space`] and [`Engine::fed`], as `read(2)` does.
    FeedSpace,
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
    delays: Delays,
}

/// How often a delivery is put off.
#[derive(Clone, Debug)]
enum Delays {
    /// Never.
    Off,
    /// Behind each delivery, up to `longest` times; now `left` more times.
    Seeded {
        random: Random,
        longest: usize,
        left: usize,
    },
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
            delays: Delays::Off,
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

    /// Puts every delivery off: each [`Self::push`] may find nothing up to `longest` times before
    /// bytes arrive, as the seed says. There is no clock; calls are counted.
    pub fn set_delays(&mut self, seed: u64, longest: usize) {
        let mut random = Random::new(seed);
        let left = random.below(longest.saturating_add(1).max(1));
        self.delays = Delays::Seeded {
            random,
            longest,
            left,
        };
    }

    /// Whether the next [`Self::push`] finds nothing although bytes are in flight.
    #[must_use]
    pub fn is_delayed(&self) -> bool {
        match self.delays {
            Delays::Off => false,
            Delays::Seeded { left, .. } => left > 0 && !self.in_flight.is_empty(),
        }
    }

    /// Resets the transport: what is in flight is lost, and the receiver is told of the end at the
    /// next delivery.
    pub fn reset(&mut self) {
        self.ends_at = self.ends_at.min(self.delivered);
        self.delivered += self.in_flight.len();
        self.in_flight.clear();
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

    /// The offset at which the transport ends, if it does.
    #[must_use]
    pub fn ends_at(&self) -> Option<usize> {
        (self.ends_at != usize::MAX).then_some(self.ends_at)
    }

    /// Whether the receiver was told that the transport has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.end == End::Reported
    }

    /// How many more bytes the capacity lets into flight.
    #[must_use]
    pub fn room(&self) -> usize {
        self.capacity.saturating_sub(self.in_flight.len())
    }

    /// How many bytes are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Takes one cut of ciphertext from an engine, as far as the capacity allows. Returns how many
    /// bytes were taken.
    pub fn pull(&mut self, from: &mut Engine) -> usize {
        let waiting: usize = from.outgoing_slices().iter().map(|slice| slice.len()).sum();
        let cut = self.cut(waiting.min(self.room()));
        self.pull_exactly(from, cut)
    }

    /// Delivers one cut of ciphertext to an engine, unless it is put off. Returns how many bytes it
    /// took; the transport's end is reported once everything before it was taken.
    pub fn push(&mut self, into: &mut Engine) -> usize {
        if let Delays::Seeded {
            random,
            longest,
            left,
        } = &mut self.delays
            && !self.in_flight.is_empty()
        {
            if *left > 0 {
                *left -= 1;
                return 0;
            }
            *left = random.below(longest.saturating_add(1).max(1));
        }
        let cut = self.cut(self.in_flight.len());
        self.push_up_to(into, cut)
    }

    /// Takes up to `len` bytes from an engine, whatever capacity and cuts say.
    ///
    /// # Panics
    /// If the engine refuses to have sent what it offered.
    pub fn pull_exactly(&mut self, from: &mut Engine, len: usize) -> usize {
        self.pull_through(Outlet::First, from, len)
    }

    /// Takes up to `len` bytes from an engine through the given port, whatever capacity and cuts
    /// say. Returns how many that were: [`Outlet::Owned`] takes everything.
    ///
    /// # Panics
    /// If the engine refuses to have sent what it offered.
    pub fn pull_through(&mut self, outlet: Outlet, from: &mut Engine, len: usize) -> usize {
        let before = self.sent.len();
        match outlet {
            Outlet::First => {
                let mut left = len;
                while left > 0 && !from.outgoing().is_empty() {
                    let run = left.min(from.outgoing().len());
                    self.sent.extend_from_slice(&from.outgoing()[..run]);
                    from.sent(run).unwrap();
                    left -= run;
                }
            }
            Outlet::Slices => {
                for slice in from.outgoing_slices() {
                    let left = len - (self.sent.len() - before);
                    self.sent.extend_from_slice(&slice[..left.min(slice.len())]);
                }
                from.sent(self.sent.len() - before).unwrap();
            }
            Outlet::Owned => self.sent.extend_from_slice(&from.take_outgoing()),
        }
        self.in_flight.extend(&self.sent[before..]);
        self.sent.len() - before
    }

    /// Delivers up to `len` bytes to an engine, whatever the cuts say.
    pub fn push_up_to(&mut self, into: &mut Engine, len: usize) -> usize {
        let inlet = match self.cuts {
            Cuts::Whole | Cuts::Bytes(_) => Inlet::Feed,
            Cuts::Seeded(_) if self.random.below(2) == 0 => Inlet::Feed,
            Cuts::Seeded(_) => Inlet::FeedSpace,
        };
        self.push_through(inlet, into, len)
    }

    /// Delivers up to `len` bytes to an engine through the given port, whatever the cuts say.
    /// Returns how many it took.
    ///
    /// # Panics
    /// If the engine refuses to have been fed what it had room for.
    pub fn push_through(&mut self, inlet: Inlet, into: &mut Engine, len: usize) -> usize {
        let len = len.min(self.ends_at.saturating_sub(self.delivered));
        let taken = self.deliver(inlet, into, len.min(self.in_flight.len()));
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

    /// Delivers from the front of what is in flight.
    fn deliver(&mut self, inlet: Inlet, into: &mut Engine, len: usize) -> usize {
        for (offset, mask) in core::mem::take(&mut self.flips) {
            let place = offset.checked_sub(self.delivered);
            match place.and_then(|place| self.in_flight.get_mut(place)) {
                Some(byte) => *byte ^= mask,
                None => self.flips.push((offset, mask)),
            }
        }
        let (first, second) = self.in_flight.as_slices();
        let first = &first[..len.min(first.len())];
        let second = &second[..len - first.len()];
        let mut taken = 0;
        for run in [first, second] {
            let mut rest = run;
            while !rest.is_empty() {
                let count = feed(inlet, into, rest);
                if count == 0 {
                    return taken;
                }
                taken += count;
                rest = &rest[count..];
            }
        }
        taken
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

/// Feeds as much as the port takes at once.
fn feed(inlet: Inlet, into: &mut Engine, bytes: &[u8]) -> usize {
    match inlet {
        Inlet::Feed => into.feed(bytes),
        Inlet::FeedSpace => {
            let space = into.feed_space();
            let len = space.len().min(bytes.len());
            space[..len].copy_from_slice(&bytes[..len]);
            if len == 0 {
                return into.feed(bytes); // full, or discarding after the end
            }
            into.fed(len).unwrap();
            len
        }
    }
}
