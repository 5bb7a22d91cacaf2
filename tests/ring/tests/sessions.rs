//! Two engines over ring: every suite of both versions, with every key that serves it, both ways of
//! opening a record, KeyUpdates, exports, broken records, early data taken and rejected.

use offwire::rustls::SupportedCipherSuite;
use offwire::rustls::crypto::ring::ALL_CIPHER_SUITES;
use offwire::{
    EarlyDataStatus, Engine, Error, KeyUpdate, Peer, Read, ReadEarlyData, Shutdown, Write,
    WriteEarlyData,
};
use offwire_ring::{Contexts, Key, carry, contexts, shake_hands};

/// Several records of it.
const BULK: usize = 50_000;

fn text(length: usize) -> Vec<u8> {
    (0_u8..251).cycle().take(length).collect()
}

/// What arrives until the input is used up, read in pieces of this many bytes.
fn read(engine: &mut Engine, piece: usize) -> Result<Vec<u8>, Error> {
    let (mut all, mut buffer) = (Vec::new(), vec![0; piece]);
    while let Read::Read(count) = engine.read(&mut buffer)? {
        all.extend(buffer.iter().take(count));
    }
    Ok(all)
}

/// Writes all of it and reads it at the other end, in pieces of this many bytes.
fn transfer(from: &mut Engine, to: &mut Engine, plaintext: &[u8], piece: usize) -> Vec<u8> {
    let mut arrived = Vec::new();
    loop {
        let (front, back) = plaintext.split_at(plaintext.len() / 3);
        let outcome = from.write_vectored(&[front, back]);
        while !from.outgoing().is_empty() {
            carry(from, to, 7_001);
            arrived.extend(read(to, piece).unwrap_or_default());
        }
        match outcome {
            Ok(Write::NeedWrite) => {}
            outcome => {
                assert_eq!(outcome, Ok(Write::Written(plaintext.len())));
                return arrived;
            }
        }
    }
}

fn is_tls13(suite: SupportedCipherSuite) -> bool {
    suite.tls13().is_some()
}

#[test]
fn every_suite_carries_data_both_ways() {
    assert_eq!(ALL_CIPHER_SUITES.len(), 9);
    assert_eq!(usable().count(), 12, "three suites take either key");
    for (suite, key) in usable() {
        let (mut client, mut server) = contexts(suite, key).engines();
        shake_hands(&mut client, &mut server);
        // Small reads open a record where it lies, large ones into the caller's buffer.
        for (round, piece) in [100, 20_000, 16_385].into_iter().enumerate() {
            let plaintext = text(BULK + round);
            let arrived = transfer(&mut client, &mut server, &plaintext, piece);
            assert!(arrived == plaintext, "{suite:?} {key:?}");
            if is_tls13(suite) {
                assert_eq!(server.key_update(KeyUpdate::Both), Ok(()));
            }
            let arrived = transfer(&mut server, &mut client, &plaintext, piece);
            assert!(arrived == plaintext, "{suite:?} {key:?}");
            client.release();
            server.release();
        }
        assert_eq!(client.shutdown(), Ok(Shutdown::NeedWrite));
        carry(&mut client, &mut server, 1_000);
        assert_eq!(server.read(&mut [0]), Ok(Read::Closed));
    }
}

#[test]
fn both_sides_export_the_same() {
    for (suite, key) in usable() {
        let (mut client, mut server) = contexts(suite, key).engines();
        shake_hands(&mut client, &mut server);
        let (mut ours, mut theirs) = ([0; 48], [1; 48]);
        for (engine, out) in [(&client, &mut ours), (&server, &mut theirs)] {
            assert_eq!(
                engine.export_keying_material(out, b"EXPERIMENTAL", None),
                Ok(())
            );
        }
        assert_eq!(ours, theirs);
        assert_ne!(ours, [0; 48]);
    }
}

#[test]
fn a_flipped_bit_is_a_bad_mac_and_nothing_is_delivered() {
    for (suite, key) in usable() {
        for piece in [3, 20_000] {
            let (mut client, mut server) = contexts(suite, key).engines();
            shake_hands(&mut client, &mut server);
            assert_eq!(client.write(b"hello"), Ok(Write::Written(5)));
            let mut wire = client.outgoing().to_vec();
            if let Some(last) = wire.last_mut() {
                *last ^= 1;
            }
            assert_eq!(server.feed(&wire), wire.len());
            let mut buffer = vec![9; piece];
            let refused = server.read(&mut buffer);
            assert_eq!(refused, Err(Error::Peer(Peer::BadRecordMac)));
            assert!(buffer.iter().all(|byte| [0, 9].contains(byte)));
            assert!(!server.outgoing().is_empty(), "an alert waits");
        }
    }
}

/// Contexts of a client that has a session of the server's.
fn second_visit(suite: SupportedCipherSuite, key: Key) -> Contexts {
    let contexts = contexts(suite, key);
    let (mut client, mut server) = contexts.engines();
    shake_hands(&mut client, &mut server);
    assert_eq!(read(&mut client, 10), Ok(Vec::new()));
    contexts
}

fn write_early(client: &mut Engine, plaintext: &[u8]) {
    let written = client.write_early_data(plaintext);
    assert_eq!(written, Ok(WriteEarlyData::Written(plaintext.len())));
}

#[test]
fn early_data_is_taken() {
    for (suite, key) in usable().filter(|(suite, _)| is_tls13(*suite)) {
        let (mut client, mut server) = second_visit(suite, key).engines();
        write_early(&mut client, b"early");
        carry(&mut client, &mut server, 1_000);
        let mut buffer = [0; 100];
        assert_eq!(
            server.read_early_data(&mut buffer),
            Ok(ReadEarlyData::Read(5))
        );
        assert_eq!(buffer.get(..5), Some(&b"early"[..]));
        carry(&mut server, &mut client, 1_000);
        let _ = client.handshake();
        carry(&mut client, &mut server, 1_000);
        assert_eq!(
            server.read_early_data(&mut buffer),
            Ok(ReadEarlyData::Ended)
        );
        assert_eq!(client.early_data(), EarlyDataStatus::Accepted);
        assert_eq!(transfer(&mut client, &mut server, b"late", 100), b"late");
    }
}

/// A record that cannot be opened is told from a message by the zeros that the library leaves of it.
#[test]
fn early_data_is_rejected_record_by_record() {
    for (suite, key) in usable().filter(|(suite, _)| is_tls13(*suite)) {
        let mut contexts = second_visit(suite, key);
        contexts.forget();
        let (mut client, mut server) = contexts.engines();
        for _ in 0..3 {
            write_early(&mut client, &text(1_000));
        }
        carry(&mut client, &mut server, 17);
        shake_hands(&mut client, &mut server);
        assert_eq!(server.early_data(), EarlyDataStatus::Rejected);
        assert_eq!(client.early_data(), EarlyDataStatus::Rejected);
        assert_eq!(client.rejected_early_data(), 3_000);
        assert_eq!(transfer(&mut client, &mut server, b"again", 100), b"again");
    }
}

/// Every suite with every key that serves it.
fn usable() -> impl Iterator<Item = (SupportedCipherSuite, Key)> {
    let suites = ALL_CIPHER_SUITES.iter().copied();
    let pairs = suites.flat_map(|suite| Key::ALL.map(|key| (suite, key)));
    pairs.filter(|(suite, key)| key.serves(*suite))
}
