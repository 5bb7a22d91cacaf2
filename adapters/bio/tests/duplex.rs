//! Both directions at once, for long and through little: no stall, no byte wrong, no bound broken.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

extern crate alloc;

mod support;

use offwire::{ProtocolVersion, Read, RetryCheck, Settings, Write};
use offwire_bio::BioHalf;
use offwire_stream::Stream;

use support::{VERSIONS, open_pair};

const MIB: usize = 1 << 20;

/// What both ends send: bytes that tell their place, so that nothing has to be kept.
fn place(at: usize) -> u8 {
    (0..=250_u8).nth(at % 251).unwrap_or(0)
}

/// One end that writes and reads at the same time, each as far as it goes.
struct Duplex {
    stream: Stream<BioHalf>,
    len: usize,
    written: usize,
    read: usize,
    /// Bytes of one write, starting at each of 251 places.
    pattern: Vec<u8>,
    piece: usize,
    /// How much it reads a round.
    appetite: usize,
    buffer: Vec<u8>,
}

impl Duplex {
    fn new(stream: Stream<BioHalf>, len: usize, piece: usize, appetite: usize) -> Self {
        Self {
            stream,
            len,
            written: 0,
            read: 0,
            pattern: (0..piece + 251).map(place).collect(),
            piece,
            appetite,
            buffer: vec![0; 20_000],
        }
    }

    /// Works until neither direction moves.
    fn poll(&mut self) {
        while self.written < self.len {
            let bytes = &self.pattern[self.written % 251..];
            let bytes = &bytes[..self.piece.min(self.len - self.written)];
            match self.stream.write(bytes).unwrap() {
                Write::Written(n) => self.written += n,
                Write::NeedRead | Write::NeedWrite => break,
            }
        }
        let mut left = self.appetite;
        while left > 0 {
            let most = left.min(self.buffer.len());
            let Read::Read(n) = self.stream.read(&mut self.buffer[..most]).unwrap() else {
                break;
            };
            let received = &self.buffer[..n];
            for run in received.chunks(self.piece) {
                let expected = &self.pattern[self.read % 251..][..run.len()];
                assert!(run == expected, "wrong bytes around {}", self.read);
                self.read += run.len();
            }
            left -= n;
        }
        let half = self.stream.transport();
        assert!(half.wpending() <= half.capacity());
        assert!(self.stream.engine().stats().outgoing_high_water <= 66_000);
    }

    fn progress(&self) -> (u64, u64, usize, usize) {
        let stats = self.stream.engine().stats();
        (stats.wire_sent, stats.wire_fed, self.written, self.read)
    }
}

/// Moves `len` bytes both ways at once. Returns the rounds.
fn duplex(
    version: ProtocolVersion,
    capacity: usize,
    len: usize,
    piece: usize,
    appetites: [usize; 2],
) -> usize {
    let settings = Settings::default().retry_check(RetryCheck::Length);
    let (client, server) = open_pair(version, settings, capacity);
    let mut client = Duplex::new(client, len, piece, appetites[0]);
    let mut server = Duplex::new(server, len, piece, appetites[1]);
    let mut rounds = 0;
    while [&client, &server]
        .iter()
        .any(|end| end.read < len || end.written < len)
    {
        let before = (client.progress(), server.progress());
        client.poll();
        server.poll();
        rounds += 1;
        let after = (client.progress(), server.progress());
        assert!(before != after, "a stall in round {rounds}: {after:?}");
    }
    assert_eq!(client.stream.transport().pending(), 0);
    assert_eq!(server.stream.transport().pending(), 0);
    rounds
}

#[test]
fn sixty_four_mib_both_ways_through_4096_bytes() {
    let rounds = duplex(
        ProtocolVersion::Tls13,
        4_096,
        64 * MIB,
        100_000,
        [usize::MAX; 2],
    );
    // Each round moves a pair's content each way.
    assert!((16_000..20_000).contains(&rounds), "{rounds}");
}

#[test]
fn sixty_four_mib_both_ways_in_tls_1_2() {
    duplex(
        ProtocolVersion::Tls12,
        4_096,
        64 * MIB,
        100_000,
        [usize::MAX; 2],
    );
}

#[test]
fn one_mib_both_ways_through_a_single_byte() {
    let rounds = duplex(ProtocolVersion::Tls13, 1, MIB, 16_384, [usize::MAX; 2]);
    assert!(rounds > MIB, "{rounds}");
}

#[test]
fn a_slow_reader_holds_a_fast_writer_back_but_not_its_own_writes() {
    for version in VERSIONS {
        for appetites in [[usize::MAX, 97], [97, usize::MAX], [97, 97]] {
            duplex(version, 1_000, MIB, 100_000, appetites);
        }
    }
}

#[test]
fn every_capacity_both_ways_at_once() {
    for version in VERSIONS {
        for capacity in support::CAPACITIES {
            duplex(version, capacity, 100_000, 50_000, [usize::MAX; 2]);
        }
    }
}
