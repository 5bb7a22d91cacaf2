//! The transport ends at every byte, or fails for good in the middle of a record: never taken for a
//! clean end, and nothing that arrived before is lost.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

extern crate alloc;

mod support;

use std::io::ErrorKind;

use offwire::{Error as Tls, Peer, ProtocolVersion, Read, Settings, Write};
use offwire_stream::{Error, Stream};
use offwire_testkit::transport::{Fault, Memory};
use offwire_testkit::{Contexts, Side};

use support::{VERSIONS, open_pair, pair, pattern};

const LEN: usize = 300;

/// Shakes hands, says its words and closes, as far as the transport lets it.
fn speak(writer: &mut Stream<Memory>, said: &mut bool) {
    if !*said {
        *said = matches!(writer.write(&pattern(LEN)), Ok(Write::Written(_)));
    }
    if *said {
        let _ = writer.shutdown();
    }
}

/// What a reader finds whose transport ends behind so many bytes.
fn find(version: ProtocolVersion, reading: Side, offset: usize) -> (Result<Read, Error>, usize) {
    let (client, server) = pair(&Contexts::new().version(version));
    let (mut reader, mut writer) = match reading {
        Side::Client => (client, server),
        Side::Server => (server, client),
    };
    reader.transport().incoming.end_in(offset);
    let (mut received, mut said, mut buffer) = (Vec::new(), false, [0; 1_000]);
    let mut rounds = 0..20;
    let found = loop {
        assert!(rounds.next().is_some(), "neither words nor an end");
        speak(&mut writer, &mut said);
        match reader.read(&mut buffer) {
            Ok(Read::Read(n)) => received.extend_from_slice(&buffer[..n]),
            Ok(Read::NeedRead | Read::NeedWrite) => {}
            found @ (Ok(Read::Closed | Read::Truncated) | Err(_)) => break found,
        }
    };
    assert!(pattern(LEN).starts_with(&received));
    if matches!(found, Ok(Read::Closed)) {
        assert_eq!(received.len(), LEN);
    }
    let shaken = reader.engine().negotiated().is_some();
    assert_eq!(found.is_ok(), shaken, "{offset}: {found:?}");
    (found, reader.transport().incoming.total.get())
}

#[test]
fn only_behind_close_notify_is_an_end_clean() {
    for version in VERSIONS {
        for reading in Side::BOTH {
            // Signatures differ in length, so the end is found and not computed.
            for offset in 0.. {
                match find(version, reading, offset) {
                    (Ok(Read::Closed), total) => {
                        assert!(offset > LEN + 100 && offset >= total, "{offset} of {total}");
                        break;
                    }
                    (Ok(Read::Truncated), _) => {}
                    (Err(Error::Tls(Tls::Peer(Peer::HandshakeTruncated))), _) => {}
                    (found, _) => panic!("{offset}: {found:?}"),
                }
            }
        }
    }
}

#[test]
fn a_transport_that_fails_for_good_in_the_middle_of_a_record() {
    for version in VERSIONS {
        for bytes in [1, 4, 5, 6, 100, LEN] {
            let (mut client, mut server) = open_pair(version, Settings::default());
            client.transport_mut().fail(
                |call, bytes| match call {
                    0 => Fault::Short(bytes),
                    _ => Fault::Fails(ErrorKind::BrokenPipe),
                },
                bytes,
            );
            for _ in 0..3 {
                let error = client.write(&pattern(LEN)).unwrap_err();
                assert!(
                    matches!(&error, Error::Transport(e) if e.kind() == ErrorKind::BrokenPipe),
                    "{error:?}"
                );
            }
            assert_eq!(client.engine().committed(), LEN);
            // The peer has part of a record, of which nothing is shown.
            assert_eq!(server.transport().incoming.bytes.borrow().len(), bytes);
            server.transport().incoming.end();
            assert_eq!(server.read(&mut [0; 1_000]).unwrap(), Read::Truncated);
        }
    }
}
