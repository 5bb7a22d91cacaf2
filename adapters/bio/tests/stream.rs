//! A `Stream` over the halves of a pair, at every capacity, in both versions and both roles: facts
//! of the contract that a socket cannot show to the byte.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

extern crate alloc;

mod support;

use std::io::Write as _;

use offwire::{Handshake, Read, Settings, Shutdown, Write, WriteMode};
use offwire_bio::{BioHalf, BioPair, Bios, MemoryBio, OnEmpty, Reading};
use offwire_stream::{Error, Stream};
use offwire_testkit::Contexts;

use support::{CAPACITIES, End, Task, VERSIONS, open_pair, pair, pattern, run, streams, take_in};

/// Does `check` with each role as the writer, in each version, at each capacity.
fn everywhere(settings: Settings, check: fn(Stream<BioHalf>, Stream<BioHalf>, usize)) {
    for version in VERSIONS {
        for capacity in CAPACITIES {
            let (client, server) = open_pair(version, settings, capacity);
            check(client, server, capacity);
            let (client, server) = open_pair(version, settings, capacity);
            check(server, client, capacity);
        }
    }
}

/// Reads until the engine wants more. Returns the bytes.
fn drain(reader: &mut Stream<BioHalf>) -> Vec<u8> {
    let (mut received, mut buffer) = (Vec::new(), [0; 20_000]);
    while let Read::Read(n) = reader.read(&mut buffer).unwrap() {
        received.extend(&buffer[..n]);
    }
    received
}

#[test]
fn h10_a_handshake_passes_through_any_capacity() {
    for version in VERSIONS {
        for capacity in CAPACITIES {
            let (mut client, mut server) = pair(&Contexts::new().version(version), capacity);
            let mut idle = 0;
            loop {
                let moved = |a: &Stream<BioHalf>, b: &Stream<BioHalf>| {
                    (a.engine().stats().wire_fed, b.engine().stats().wire_fed)
                };
                let before = moved(&client, &server);
                let outcomes = [&mut client, &mut server].map(|stream| {
                    let outcome = stream.handshake().unwrap();
                    match outcome {
                        Handshake::Complete => {}
                        Handshake::NeedRead => assert_eq!(stream.transport().pending(), 0, "I2"),
                        Handshake::NeedWrite => {
                            assert_eq!(stream.transport().wpending(), capacity, "I1");
                        }
                    }
                    outcome
                });
                match outcomes {
                    [Handshake::Complete, Handshake::Complete] => break,
                    // The server's tickets.
                    [Handshake::Complete, _] => {
                        assert_eq!(client.read(&mut [0]).unwrap(), Read::NeedRead);
                    }
                    [Handshake::NeedWrite, Handshake::NeedWrite] => take_in(&mut client),
                    _ => {}
                }
                idle = if before == moved(&client, &server) {
                    idle + 1
                } else {
                    0
                };
                assert!(idle < 3, "a stall at capacity {capacity}: {outcomes:?}");
            }
        }
    }
}

#[test]
fn h8_both_sides_only_write() {
    for version in VERSIONS {
        // With less, two sides that only write wait for each other.
        for capacity in CAPACITIES.into_iter().filter(|&capacity| capacity >= 1_000) {
            let (client, server) = pair(&Contexts::new().version(version), capacity);
            let (mut client, mut server) = (End::of(client), End::of(server));
            client.tasks([Task::Write(b"hello".to_vec(), 5)]);
            server.tasks([Task::Write(b"hello".to_vec(), 5), Task::ReadUntil(5)]);
            client.tasks([Task::ReadUntil(5)]);
            run(&mut client, &mut server);
            assert_eq!(
                (&client.received[..], &server.received[..]),
                (&b"hello"[..], &b"hello"[..])
            );
        }
    }
}

#[test]
fn w2_to_w4_a_blocked_write_fills_the_pair_and_is_reported_once() {
    everywhere(Settings::default(), |mut writer, mut reader, capacity| {
        let plaintext = pattern(if capacity < 10 { 20_000 } else { 100_000 });
        let sealed = writer.engine().stats().plaintext_sealed + plaintext.len() as u64;
        let mut received = Vec::new();
        let reported = loop {
            match writer.write(&plaintext).unwrap() {
                Write::NeedRead => panic!("the handshake is complete"),
                Write::Written(n) => break n,
                Write::NeedWrite => {
                    // I1: full to the last byte. I7: without room nothing changes.
                    assert_eq!(writer.transport().wpending(), capacity);
                    assert_eq!(writer.transport().write_guarantee(), 0);
                    assert_eq!(writer.write(&plaintext).unwrap(), Write::NeedWrite);
                    assert_eq!(writer.transport().wpending(), capacity);
                }
            }
            received.extend(drain(&mut reader));
            // I2: everything that arrived was consumed; and again, with the same result.
            assert_eq!(reader.transport().pending(), 0);
            assert_eq!(reader.read(&mut [0]).unwrap(), Read::NeedRead);
        };
        received.extend(drain(&mut reader));
        assert_eq!(reported, plaintext.len());
        assert!(received == plaintext, "wrong bytes at capacity {capacity}");
        assert_eq!(writer.engine().stats().plaintext_sealed, sealed);
    });
}

#[test]
fn w5_a_partial_write_is_whole_records_at_any_capacity() {
    let partial = Settings::default().write_mode(WriteMode::Partial);
    everywhere(partial, |mut writer, mut reader, capacity| {
        let plaintext = pattern(40_000);
        let (mut written, mut received) = (0, Vec::new());
        while written < plaintext.len() {
            match writer.write(&plaintext[written..]).unwrap() {
                Write::NeedRead => panic!("the handshake is complete"),
                Write::Written(n) => {
                    assert_eq!(n, 16_384.min(plaintext.len() - written));
                    written += n;
                }
                Write::NeedWrite => assert_eq!(writer.transport().wpending(), capacity),
            }
            received.extend(drain(&mut reader));
        }
        received.extend(drain(&mut reader));
        assert!(received == plaintext, "wrong bytes at capacity {capacity}");
    });
}

#[test]
fn w9_a_retry_goes_on_with_a_single_byte_of_room() {
    everywhere(Settings::default(), |mut writer, mut reader, capacity| {
        let plaintext = pattern(capacity + 1);
        assert_eq!(writer.write(&plaintext).unwrap(), Write::NeedWrite);
        let mut byte = [0];
        let first = reader.transport_mut().try_read(&mut byte);
        assert_eq!((first, byte), (Reading::Read(1), [23]), "a record's type");
        assert_eq!(writer.transport().wpending(), capacity - 1);
        assert_eq!(writer.write(&plaintext).unwrap(), Write::NeedWrite);
        assert_eq!(writer.transport().wpending(), capacity);
    });
}

#[test]
fn s13_a_close_notify_leaves_in_pieces() {
    everywhere(Settings::default(), |mut writer, mut reader, capacity| {
        let mut blocked = 0;
        while writer.shutdown().unwrap() == Shutdown::NeedWrite {
            assert_eq!(writer.transport().wpending(), capacity);
            assert_eq!(writer.read(&mut [0]).unwrap(), Read::NeedRead);
            assert_eq!(reader.read(&mut [0]).unwrap(), Read::NeedRead);
            blocked += 1;
        }
        assert_eq!(
            blocked > 0,
            capacity <= 20,
            "24 or 31 bytes through {capacity}"
        );
        assert_eq!(reader.read(&mut [0]).unwrap(), Read::Closed);
    });
}

#[test]
fn b6_b7_a_stream_reads_ahead_so_a_request_is_the_engines_room() {
    everywhere(Settings::default(), |mut writer, mut reader, capacity| {
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), Read::NeedRead);
        let room = reader.engine_mut().feed_space().len();
        assert_eq!(writer.transport().read_request(), capacity.min(room));
        assert!(
            capacity < 17 || writer.transport().read_request() > 16,
            "no header"
        );
        // All that has arrived is taken at once: a record, and another or a part of it.
        if writer.write(b"x").unwrap() == Write::Written(1) {
            let _ = writer.write(b"y").unwrap();
        }
        assert_eq!(writer.transport().read_request(), 0);
        let arrived = reader.transport().pending();
        let _ = reader.read(&mut [0]).unwrap();
        assert!(
            arrived > 0 && reader.transport().pending() == 0,
            "{arrived} at {capacity}"
        );
    });
}

#[test]
fn w10_s16_two_memory_bios_never_block_a_write_and_end_as_they_are_told() {
    for version in VERSIONS {
        let bios = || Bios {
            rbio: MemoryBio::new(),
            wbio: MemoryBio::new(),
        };
        let (mut client, mut server) = streams(&Contexts::new().version(version), bios(), bios());
        for _ in 0..4 {
            assert_eq!(client.read(&mut [0]).unwrap(), Read::NeedRead);
            assert_eq!(server.read(&mut [0]).unwrap(), Read::NeedRead);
            swap(&mut client, &mut server);
        }
        assert_eq!(client.handshake().unwrap(), Handshake::Complete);
        assert_eq!(server.handshake().unwrap(), Handshake::Complete);
        let plaintext = pattern(1_000_000);
        assert_eq!(client.write(&plaintext).unwrap(), Write::Written(1_000_000));
        swap(&mut client, &mut server);
        let mut received = Vec::<u8>::new();
        let mut buffer = [0; 20_000];
        while let Read::Read(n) = server.read(&mut buffer).unwrap() {
            received.extend(&buffer[..n]);
        }
        assert!(received == plaintext, "wrong bytes");
        server.transport_mut().rbio.set_on_empty(OnEmpty::End);
        assert_eq!(server.read(&mut buffer).unwrap(), Read::Truncated);
    }
}

/// Moves what each has written to the other.
fn swap(a: &mut Stream<Bios<MemoryBio, MemoryBio>>, b: &mut Stream<Bios<MemoryBio, MemoryBio>>) {
    let (a, b) = (a.transport_mut(), b.transport_mut());
    for (wbio, rbio) in [(&mut a.wbio, &mut b.rbio), (&mut b.wbio, &mut a.rbio)] {
        rbio.write_all(wbio.mem_data()).unwrap();
        wbio.reset();
    }
}

#[test]
fn a_capped_memory_bio_blocks_a_write_when_it_is_full() {
    let BioPair { a, b } = BioPair::new(0, 0);
    let capped = Bios {
        rbio: a,
        wbio: MemoryBio::capped(100),
    };
    let (mut client, _server) = streams(&Contexts::new(), capped, b);
    assert_eq!(client.handshake().unwrap(), Handshake::NeedWrite);
    assert_eq!(client.transport().wbio.pending(), 100);
}

#[test]
fn s17_a_shut_half_fails_the_write_and_lets_the_reads_go_on() {
    everywhere(Settings::default(), |mut writer, mut reader, capacity| {
        let plaintext = pattern(capacity + 1);
        assert_eq!(writer.write(&plaintext).unwrap(), Write::NeedWrite);
        writer.transport_mut().shutdown_write();
        let error = writer.write(&plaintext).unwrap_err();
        assert!(
            matches!(&error, Error::Transport(e) if e.kind() == std::io::ErrorKind::BrokenPipe),
            "{error:?}"
        );
        // The peer got whole records perhaps, a part of one, and the end.
        drain(&mut reader);
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), Read::Truncated);
        let mut received = Vec::new();
        while reader.write(b"still here").unwrap() == Write::NeedWrite {
            received.extend(drain(&mut writer));
        }
        received.extend(drain(&mut writer));
        assert_eq!(received, b"still here");
    });
}
