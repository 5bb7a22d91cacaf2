//! rustls: where its buffered stream, its unbuffered interface or its users' loops went wrong.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use offwire::{Error, Handshake, Interest, Misuse, Read, Settings, Shutdown, Write};
use offwire_bio::{BioHalf, BioPair};
use offwire_contract::feed;
use offwire_contract::{
    FULL, VERSIONS, connected_with, noise, overhead, quiet, raw, read, read_outcome, received, take,
};
use offwire_stream::Stream;
use offwire_testkit::{Side, records};

/// Writes as much as can leave; returns whether the transport is full.
fn fill(stream: &mut Stream<BioHalf>, plaintext: &[u8], written: &mut usize) -> bool {
    while *written < plaintext.len() {
        match stream.write(&plaintext[*written..]).unwrap() {
            Write::Written(n) => *written += n,
            Write::NeedRead | Write::NeedWrite => return true,
        }
    }
    false
}

/// A flush that would have blocked was not repeated: the end of a request stayed behind, and the
/// readable event of its answer seemed to be lost until something else was written. Here the output
/// is wanted out until its last byte has left, and then input again. (The same over `mio::Poll`:
/// `adapters/mio/tests/registration.rs`.)
/// <https://github.com/rustls/rustls/issues/359>
#[test]
fn rustls_359_what_a_full_transport_left_behind_is_wanted_out_until_it_has_left() {
    for version in VERSIONS {
        let contexts = quiet(version);
        let (client, server) = contexts.build();
        let BioPair { a, b } = BioPair::new(3_000, 3_000);
        let mut client = Stream::connect(&client, contexts.name(), a).unwrap();
        let mut server = Stream::accept(&server, b);
        let mut complete = [false; 2];
        while complete != [true; 2] {
            let ends = [&mut client, &mut server];
            complete = ends.map(|end| end.handshake().unwrap() == Handshake::Complete);
        }

        let (request, mut buffer, mut blocked) = ([7; 16_000], [0; FULL + 1], 0);
        let mut arrived = Read::NeedRead;
        while client.write(&request).unwrap() != Write::Written(16_000) {
            blocked += 1;
            assert_eq!(client.engine().interest(), Interest::ReadWrite);
            arrived = server.read(&mut buffer).unwrap();
        }
        assert!(blocked >= 5, "blocked {blocked} times");
        assert_eq!(client.engine().interest(), Interest::Read);
        if arrived == Read::NeedRead {
            arrived = server.read(&mut buffer).unwrap();
        }
        assert_eq!(arrived, Read::Read(16_000));
        assert_eq!(client.read(&mut buffer).unwrap(), Read::NeedRead);
        assert_eq!(server.write(b"answer").unwrap(), Write::Written(6));
        assert_eq!(client.read(&mut buffer).unwrap(), Read::Read(6));
    }
}

/// A stream's read first tried to send what was left; while the peer's receive buffer was full it
/// gave up before it had read, so two peers that both sent waited for each other for ever.
/// <https://github.com/rustls/rustls/issues/2556>
#[test]
fn rustls_2556_two_full_directions_are_read_empty_again() {
    for version in VERSIONS {
        for capacity in [100, 4_096, 17_408] {
            let contexts = quiet(version);
            let (client, server) = contexts.build();
            let BioPair { a, b } = BioPair::new(capacity, capacity);
            let mut ends = [
                Stream::connect(&client, contexts.name(), a).unwrap(),
                Stream::accept(&server, b),
            ];
            let plaintext = noise(150_000);
            let (mut written, mut arrived) = ([0; 2], [Vec::new(), Vec::new()]);
            let (mut both_full, mut buffer) = (0, vec![0; FULL + 1]);
            while arrived.iter().any(|bytes| bytes.len() < plaintext.len()) {
                let before = (written, [arrived[0].len(), arrived[1].len()], stats(&ends));
                let full = [0, 1].map(|us| fill(&mut ends[us], &plaintext, &mut written[us]));
                both_full += usize::from(full == [true; 2]);
                for (end, arrived) in ends.iter_mut().zip(&mut arrived) {
                    while let Read::Read(n) = end.read(&mut buffer).unwrap() {
                        arrived.extend_from_slice(&buffer[..n]);
                    }
                }
                let after = (written, [arrived[0].len(), arrived[1].len()], stats(&ends));
                assert_ne!(before, after, "both wait for ever");
            }
            assert!(both_full > 2, "the situation arose {both_full} times");
            assert!(arrived == [plaintext.clone(), plaintext]);
        }
    }
}

fn stats(ends: &[Stream<BioHalf>; 2]) -> [(u64, u64); 2] {
    [0, 1].map(|us| {
        let stats = ends[us].engine().stats();
        (stats.wire_fed, stats.wire_sent)
    })
}

/// A record was consumed although the caller had no room for its plaintext and had not asked for
/// it, and the plaintext was lost.
/// <https://github.com/rustls/rustls/issues/2031>
#[test]
fn rustls_2031_a_record_is_kept_until_the_caller_has_room_for_all_of_it() {
    for version in VERSIONS {
        let (mut peer, mut engine) = raw(Side::Server, version);
        let plaintexts = [noise(3_000), noise(FULL), noise(1)];
        for plaintext in &plaintexts {
            feed(&mut engine, &peer.data(plaintext));
        }
        let mut arrived = Vec::new();
        for size in (0..200).cycle() {
            // No room at all, and a look that takes nothing: neither costs a byte.
            let outcome = engine.read(&mut []).unwrap();
            if outcome == Read::NeedRead {
                break;
            }
            assert_eq!(outcome, Read::Read(0));
            let (mut seen, mut into) = (vec![0; size], vec![0; size]);
            let peeked = engine.peek(&mut seen).unwrap();
            assert_eq!(engine.read(&mut into).unwrap(), peeked);
            let Read::Read(n) = peeked else {
                panic!("{peeked:?} where plaintext waits");
            };
            assert_eq!(seen[..n], into[..n]);
            arrived.extend_from_slice(&into[..n]);
        }
        assert!(arrived == plaintexts.concat());
    }
}

/// Once the peer had closed its half, the interface never offered to send again: the last reply of
/// a connection that was closed from one side could not leave.
/// <https://github.com/rustls/rustls/issues/1895>
#[test]
fn rustls_1895_the_last_reply_leaves_after_the_peer_has_closed_its_half() {
    for version in VERSIONS {
        for side in Side::BOTH {
            let mut pair = connected_with(version, Settings::default());
            assert_eq!(pair.exchange(side, b"a question"), b"a question");
            assert_eq!(pair.engine(side).shutdown(), Ok(Shutdown::NeedWrite));
            pair.settle();
            let peer = side.peer();
            assert_eq!(read_outcome(pair.engine(peer)), Ok(Read::Closed));
            let reply = noise(100_000);
            assert_eq!(pair.exchange(peer, &reply), reply);
            assert_eq!(pair.engine(peer).shutdown(), Ok(Shutdown::NeedWrite));
            pair.settle();
            assert_eq!(read_outcome(pair.engine(side)), Ok(Read::Closed));
            assert_eq!(pair.engine(side).shutdown(), Ok(Shutdown::Complete));
        }
    }
}

/// Plaintext written behind our own close_notify was accepted and sent, where the peer must ignore
/// it: the writer was told of a success that could not be one.
/// <https://github.com/rustls/rustls/issues/3047>
#[test]
fn rustls_3047_nothing_is_accepted_or_sent_behind_our_close_notify() {
    for version in VERSIONS {
        for side in Side::BOTH {
            let mut pair = connected_with(version, Settings::default());
            let engine = pair.engine(side);
            assert_eq!(engine.write(b"before"), Ok(Write::Written(6)));
            assert_eq!(engine.shutdown(), Ok(Shutdown::NeedWrite));
            let refused = Err(Error::Misuse(Misuse::WriteAfterShutdown));
            assert_eq!(engine.write(b"behind"), refused);
            let wire = take(engine);
            let lengths = records::split_whole(&wire)
                .iter()
                .map(|record| record.wire_len() - overhead(version))
                .collect::<Vec<_>>();
            assert_eq!(lengths, [6, 2], "the data, close_notify");
            assert_eq!(engine.write(b"behind"), refused);
            assert_eq!(engine.outgoing(), b"");

            // And on receipt: whatever a peer puts behind its close_notify is ignored.
            let (mut peer, mut engine) = raw(side, version);
            feed(&mut engine, &peer.data(b"before"));
            feed(&mut engine, &peer.close_notify());
            feed(&mut engine, &peer.data(b"behind"));
            assert_eq!(received(&mut engine), b"before");
            assert_eq!(read(&mut engine), Ok((Read::Closed, Vec::new())));
        }
    }
}
