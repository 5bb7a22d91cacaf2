//! Several slices as one write.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

extern crate alloc;

mod support;

use offwire::{Handshake, Read, Write};
use offwire_mio::TlsSource;
use offwire_testkit::Contexts;
use support::simulated::Simulated;
use support::{VERSIONS, pattern};

/// Four records, the last not full.
const LEN: usize = 60_000;

/// More than the adapter under `std::io` takes in a call: here there is no cap.
const SLICES: usize = 600;

#[test]
fn slices_are_packed_into_full_records_and_retried_in_any_grouping() {
    for version in VERSIONS {
        let contexts = Contexts::new().version(version);
        let (client, server) = contexts.build();
        let (near, far) = Simulated::pair(10_000);
        let mut client = TlsSource::connect(&client, contexts.name(), near).unwrap();
        let mut server = TlsSource::accept(&server, far);
        let complete = Handshake::Complete;
        while (client.handshake().unwrap(), server.handshake().unwrap()) != (complete, complete) {}

        let plaintext = pattern(LEN);
        let (mut received, mut buffer) = (Vec::<u8>::new(), vec![0; LEN]);
        let (mut blocked, mut length) = (0, LEN / SLICES);
        loop {
            let slices: Vec<&[u8]> = plaintext.chunks(length).collect();
            let outcome = client.write_vectored(&slices).unwrap();
            while let Read::Read(count) = server.read(&mut buffer).unwrap() {
                received.extend(buffer.iter().take(count));
            }
            if outcome == Write::Written(LEN) {
                break;
            }
            assert_eq!(outcome, Write::NeedWrite);
            (blocked, length) = (blocked + 1, length + 77);
        }
        assert!(blocked > 2, "{blocked}");
        assert!(received == plaintext, "{version}");
        assert_eq!(client.engine().stats().records_sealed, 4);
    }
}
