//! The two halves over a transport that fails at any call: nothing is lost, doubled or out of order.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

extern crate alloc;

mod support;

use std::io::{self, ErrorKind, Read, Write};

use offwire::{Alert, Error, KeyUpdate, ProtocolVersion};
use offwire_blocking::{CloseNotify, Joined, ReadHalf, TlsStream, WriteHalf, tls_error};
use offwire_testkit::transport::{Fault, Faults, Memory};

use support::{VERSIONS, is_limit, open_pair, pattern};

type Transport = Joined<Memory, Memory>;

const LEN: usize = 50_000;

/// A client in halves, whose transport fails as told, and a server whose transport does not.
fn divided(
    version: ProtocolVersion,
    faults: Faults,
    aim: usize,
) -> (ReadHalf<Transport>, WriteHalf<Transport>, TlsStream<Memory>) {
    let (client, server) = open_pair(version);
    let (engine, mut writing) = client.into_parts();
    let mut reading = server.transport().opposite();
    reading.fail(faults, aim);
    writing.fail(faults, aim);
    let client = TlsStream::from_parts(engine, Joined::new(reading, writing)).unwrap();
    let (reader, writer) = client.split().unwrap();
    (reader, writer, server)
}

/// Repeats a call as long as the transport fails; returns how often it did.
fn again<T>(mut call: impl FnMut() -> io::Result<T>) -> (T, usize) {
    for failures in 0..100_000 {
        match call() {
            Ok(value) => return (value, failures),
            Err(error) => assert!(
                is_limit(&error) || error.kind() == ErrorKind::ConnectionReset,
                "{error}"
            ),
        }
    }
    panic!("stuck");
}

/// A whole session; returns how often a call failed.
fn session(version: ProtocolVersion, faults: Faults, aim: usize) -> usize {
    let (mut reader, mut writer, mut server) = divided(version, faults, aim);
    let (up, down) = (pattern(LEN), pattern(LEN + 1));
    let (mut written, mut all) = (0, 0);
    while written < LEN {
        let (n, failures) = again(|| writer.write(&up[written..]));
        written += n;
        all += failures;
    }
    let ((), failures) = again(|| writer.flush());
    all += failures;
    let mut received = vec![0; LEN];
    server.read_exact(&mut received).unwrap();
    assert!(received == up);

    if version == ProtocolVersion::Tls13 {
        server.engine_mut().key_update(KeyUpdate::Both).unwrap();
    }
    server.write_all(&down).unwrap();
    let _ = server.shutdown(CloseNotify::Ours).unwrap();
    let mut received = Vec::new();
    let mut buffer = [0; 3_000];
    loop {
        let (n, failures) = again(|| reader.read(&mut buffer));
        received.extend_from_slice(&buffer[..n]);
        all += failures;
        if n == 0 {
            break;
        }
    }
    assert!(received == down);

    let (_, failures) = again(|| writer.write(b"after the key update"));
    all += failures;
    let ((), failures) = again(|| writer.shutdown());
    all += failures;
    let mut last = Vec::new();
    server.read_to_end(&mut last).unwrap();
    assert_eq!(last, b"after the key update");
    all
}

/// The same fault at one call, for every call of a session.
fn at_every_call(faults: Faults) -> usize {
    let mut all = 0;
    for version in VERSIONS {
        for aim in 0..40 {
            all += session(version, faults, aim);
        }
    }
    all
}

fn when(hit: bool, fault: Fault) -> Fault {
    if hit { fault } else { Fault::Short(5_000) }
}

#[test]
fn a_time_limit_at_every_call() {
    let faults: Faults = |call, aim| {
        when(
            (aim..aim + 2).contains(&call),
            Fault::Fails(ErrorKind::TimedOut),
        )
    };
    assert!(at_every_call(faults) > 40);
}

#[test]
fn would_block_and_errors_at_every_call() {
    let faults: Faults = |call, aim| match call.checked_sub(aim) {
        Some(0) => Fault::Fails(ErrorKind::WouldBlock),
        Some(1) => Fault::Fails(ErrorKind::ConnectionReset),
        _ => Fault::Short(5_000),
    };
    assert!(at_every_call(faults) > 40);
}

#[test]
fn interrupted_at_every_call_is_retried() {
    let faults = |call, aim| when(call == aim, Fault::Fails(ErrorKind::Interrupted));
    assert_eq!(at_every_call(faults), 0);
}

#[test]
fn cut_anywhere() {
    assert_eq!(at_every_call(|_, seed| Fault::Cut(seed)), 0);
}

#[test]
fn an_error_after_sealing_is_kept_back_and_met_by_the_next_call() {
    for version in VERSIONS {
        let broken: Faults = |_, _| Fault::Fails(ErrorKind::BrokenPipe);
        let (reader, mut writer, _server) = divided(version, broken, 0);
        assert_eq!(writer.write(b"taken").unwrap(), 5);
        for _ in 0..3 {
            let kind = ErrorKind::BrokenPipe;
            assert_eq!(writer.write(b"not taken").unwrap_err().kind(), kind);
            assert_eq!(writer.flush().unwrap_err().kind(), kind);
            assert_eq!(writer.shutdown().unwrap_err().kind(), kind);
        }
        let sealed = reader.with_engine(|engine| engine.stats().plaintext_sealed);
        assert_eq!(sealed.unwrap(), 5);
    }
}

#[test]
fn the_reader_never_sends_what_a_blocked_write_left_behind() {
    // A peer that does not read until it was read would otherwise hold both halves.
    for version in VERSIONS {
        let faults: Faults = |call, _| match call {
            0 => Fault::Fails(ErrorKind::TimedOut),
            _ => Fault::None,
        };
        let (mut reader, mut writer, mut server) = divided(version, faults, 0);
        assert_eq!(writer.write(b"left behind").unwrap(), 11);
        server.write_all(b"news").unwrap();
        let mut buffer = [0; 4];
        again(|| reader.read_exact(&mut buffer));
        assert_eq!(&buffer, b"news");
        assert!(is_limit(&server.read(&mut [0; 20]).unwrap_err()));
        writer.flush().unwrap();
        let mut received = [0; 11];
        server.read_exact(&mut received).unwrap();
        assert_eq!(&received, b"left behind");
    }
}

#[test]
fn an_alert_of_the_reader_waits_behind_what_a_blocked_write_left() {
    for version in VERSIONS {
        let faults: Faults = |call, _| match call {
            0 => Fault::Short(9),
            1 => Fault::Fails(ErrorKind::TimedOut),
            _ => Fault::None,
        };
        let (mut reader, mut writer, mut server) = divided(version, faults, 0);
        assert_eq!(writer.write(b"left behind").unwrap(), 11);
        server.write_all(b"to be spoilt").unwrap();
        if let Some(last) = server.transport().outgoing.bytes.borrow_mut().back_mut() {
            *last ^= 1;
        }
        let mut buffer = [0; 20];
        let error = loop {
            match reader.read(&mut buffer) {
                Err(error) if is_limit(&error) => {}
                result => break result.unwrap_err(),
            }
        };
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        // Half of a record has left: the alert must not follow it before the other half.
        writer.flush().unwrap();
        let mut received = [0; 11];
        server.read_exact(&mut received).unwrap();
        assert_eq!(&received, b"left behind");
        let error = server.read(&mut buffer).unwrap_err();
        let alert = Error::Alert(Alert::BAD_RECORD_MAC);
        assert_eq!(tls_error(&error), Some(&alert));
    }
}

#[test]
fn only_behind_close_notify_is_an_end_clean() {
    let words = pattern(300);
    for version in VERSIONS {
        for offset in 0.. {
            let (mut reader, _writer, mut server) = divided(version, |_, _| Fault::None, 0);
            server.write_all(&words).unwrap();
            server.write_all(&words).unwrap();
            let _ = server.shutdown(CloseNotify::Ours).unwrap();
            let total = server.transport().outgoing.bytes.borrow().len();
            server.transport().outgoing.end_in(offset);
            let mut received = Vec::new();
            let end = reader.read_to_end(&mut received);
            assert!(words.repeat(2).starts_with(&received));
            if offset == total {
                assert_eq!(end.unwrap(), 2 * words.len());
                break;
            }
            assert_eq!(end.unwrap_err().kind(), ErrorKind::UnexpectedEof);
            // The end stays what it is.
            let again = reader.read(&mut [0; 9]).unwrap_err();
            assert_eq!(again.kind(), ErrorKind::UnexpectedEof);
        }
    }
}
