//! The steady state allocates nothing: 10,000 writes and reads of 1 byte to 64 KiB.

#![expect(clippy::indexing_slicing, reason = "a wrong index fails the test")]

use allocation_counter::{AllocationInfo, measure};
use offwire::{Completion, Engine, ProtocolVersion, Read, Settings, Write, WriteMode};
use offwire_testkit::{Contexts, Pair, Random};

/// How a reader takes what arrives.
#[derive(Clone, Copy, Debug)]
enum Reader {
    /// Into a buffer that every record fits into: opened straight into it.
    Large,
    /// Into a small buffer: opened in place and handed out piece by piece.
    Small,
}

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

#[test]
fn nothing_is_allocated_with_a_large_buffer() {
    for version in VERSIONS {
        assert_no_allocation(Settings::default(), version, Reader::Large);
    }
}

#[test]
fn nothing_is_allocated_with_a_small_buffer() {
    for version in VERSIONS {
        assert_no_allocation(Settings::default(), version, Reader::Small);
    }
}

#[test]
fn nothing_is_allocated_by_writes_that_block() {
    let settings = Settings::default()
        .completion(Completion::Sent)
        .outgoing_limit(20_000);
    for mode in [WriteMode::Whole, WriteMode::Partial] {
        assert_no_allocation(
            settings.write_mode(mode),
            ProtocolVersion::Tls13,
            Reader::Large,
        );
    }
}

#[test]
fn nothing_is_allocated_while_output_is_never_all_sent() {
    for (longest, unsent) in [(100, 200), (1000, 1000), (3000, 4000), (10_000, 10_000)] {
        let mut pair = Pair::of(&Contexts::new());
        pair.handshake();
        pair.settle();
        let payload = vec![0x5a; longest];
        let mut random = Random::new(1);
        let mut write = |client: &mut Engine| {
            let length = 1 + random.below(longest);
            assert_eq!(client.write(&payload[..length]), Ok(Write::Written(length)));
            let waiting: usize = client.outgoing_slices().iter().map(|run| run.len()).sum();
            client
                .sent(waiting.saturating_sub(unsent))
                .expect("it was outgoing");
        };
        (0..10_000).for_each(|_| write(&mut pair.client));
        let counted = measure(|| (0..10_000).for_each(|_| write(&mut pair.client)));
        assert_eq!(counted.count_total, 0, "{longest} {unsent}: {counted:?}");
    }
}

#[test]
fn nothing_is_allocated_by_slices_that_are_gathered_and_retried() {
    let settings = Settings::default().completion(Completion::Sent);
    let mut pair = Pair::of(&Contexts::new().settings(settings));
    pair.handshake();
    pair.settle();
    let payload = vec![0x5a; 50_000];
    let slices = [&payload[..10], &payload[10..30_000], &payload[30_000..]];
    let write = |client: &mut Engine| {
        assert_eq!(client.write_vectored(&slices), Ok(Write::NeedWrite));
        let waiting: usize = client.outgoing_slices().iter().map(|run| run.len()).sum();
        client.sent(waiting).expect("it was outgoing");
        assert_eq!(client.write_vectored(&slices), Ok(Write::Written(50_000)));
    };
    write(&mut pair.client);
    let counted = measure(|| (0..100).for_each(|_| write(&mut pair.client)));
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn nothing_is_allocated_by_a_reader_that_lags_behind() {
    for (longest, piece, behind) in [(1000, 1460, 0), (3000, 1460, 2), (16_000, 1460, 2)] {
        let mut pair = Pair::of(&Contexts::new());
        pair.handshake();
        pair.settle();
        let Pair {
            mut client,
            mut server,
            ..
        } = pair;
        let payload = vec![0x5a; longest];
        let mut into = vec![0; 20_000];
        let mut random = Random::new(3);
        let mut unread = 0;
        let mut pass = || {
            let length = 1 + random.below(longest);
            assert_eq!(client.write(&payload[..length]), Ok(Write::Written(length)));
            unread += 1;
            while !client.outgoing().is_empty() {
                let out = client.outgoing();
                let space = server.feed_space();
                let count = out.len().min(space.len()).min(piece);
                space[..count].copy_from_slice(&out[..count]);
                server.fed(count).expect("it was offered");
                client.sent(count).expect("it was outgoing");
            }
            while unread > behind {
                let outcome = server.read(&mut into).expect("the server reads");
                assert!(matches!(outcome, Read::Read(_)), "{outcome:?}");
                unread -= 1;
            }
        };
        (0..10_000).for_each(|_| pass());
        let counted = measure(|| (0..10_000).for_each(|_| pass()));
        assert_eq!(
            counted.count_total, 0,
            "{longest} {piece} {behind}: {counted:?}"
        );
    }
}

fn assert_no_allocation(settings: Settings, version: ProtocolVersion, reader: Reader) {
    let mut pair = Pair::of(&Contexts::new().version(version).settings(settings));
    pair.handshake();
    pair.settle();
    let Pair {
        mut client,
        mut server,
        ..
    } = pair;
    let payload = vec![0x5a; 64 * 1024];
    let mut into = vec![0; 64 * 1024];
    let into = match reader {
        Reader::Large => &mut into[..],
        Reader::Small => &mut into[..700],
    };
    let mut random = Random::new(7);
    let mut lengths = Vec::new();
    for round in 0..10_000 {
        // Every power of two and its neighbours, small ones mostly, so that all paths are taken.
        let largest = 1 << random.below(17);
        lengths.push(if round % 64 == 0 {
            payload.len()
        } else {
            1 + random.below(largest)
        });
    }
    let warm = lengths.split_off(lengths.len() - 64);
    for length in [&warm[..], &[64 * 1024]].concat() {
        pass(&mut client, &mut server, &payload[..length], into);
    }
    let mut written = 0;
    let counted: AllocationInfo = measure(|| {
        for length in &lengths {
            written += pass(&mut client, &mut server, &payload[..*length], into);
        }
    });
    assert_eq!(
        counted.count_total, 0,
        "{settings:?} {version} {reader:?}: {counted:?}"
    );
    assert_eq!(written, lengths.iter().sum::<usize>());
}

/// One message from the client to the server, byte for byte; returns its length.
fn pass(client: &mut Engine, server: &mut Engine, message: &[u8], into: &mut [u8]) -> usize {
    let mut written = 0;
    let mut received = 0;
    while received < message.len() {
        if written < message.len() {
            match client
                .write(&message[written..])
                .expect("the client writes")
            {
                Write::Written(count) => written += count,
                Write::NeedWrite => {}
                Write::NeedRead => unreachable!("the handshake is complete"),
            }
        }
        while !client.outgoing().is_empty() {
            let taken = server.feed(client.outgoing());
            client.sent(taken).expect("it was outgoing");
            while let Read::Read(count) = server.read(into).expect("the server reads") {
                assert!(into[..count].iter().all(|byte| *byte == 0x5a));
                received += count;
            }
        }
    }
    while written < message.len() {
        match client
            .write(&message[written..])
            .expect("the client writes")
        {
            Write::Written(count) => written += count,
            Write::NeedRead | Write::NeedWrite => unreachable!("everything has left"),
        }
    }
    received
}
