//! Nothing is lost or doubled whatever the transport does, in whichever call it does it: every
//! fault at every call of a whole session, both roles, both versions.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

extern crate alloc;

mod support;

use std::io::ErrorKind;

use offwire::ProtocolVersion;
use offwire_blocking::CloseNotify;
use offwire_testkit::Contexts;
use offwire_testkit::transport::{Fault, Faults};

use support::{End, Task, VERSIONS, pair, pattern, run};

/// Several records, so that writes meet output of earlier ones.
const LEN: usize = 60_000;

/// A call without a fault: less than is there to be moved, so that a session has many calls.
const CALM: Fault = Fault::Short(8_000);

#[derive(Clone, Copy, Debug)]
enum Faulty {
    Client,
    Server,
}

/// Holds a session in which `faulty`'s transport fails; returns the calls it was asked, and how
/// often an error other than `WouldBlock` came out.
fn session(version: ProtocolVersion, faulty: Faulty, faults: Faults, aim: usize) -> (usize, usize) {
    let (client, server) = pair(&Contexts::new().version(version));
    let (mut client, mut server) = (End::of(client), End::of(server));
    match faulty {
        Faulty::Client => client.stream.transport_mut().fail(faults, aim),
        Faulty::Server => server.stream.transport_mut().fail(faults, aim),
    }
    let (up, down) = (pattern(LEN), pattern(LEN + 1));
    client.tasks([
        Task::Handshake,
        Task::Write(up.clone()),
        Task::Flush,
        Task::ReadUntil(down.len()),
        Task::Close(CloseNotify::Ours),
        Task::ReadEnd,
        Task::Close(CloseNotify::Both),
    ]);
    // The server's handshake is left to its first read, and its flush to its shutdown.
    server.tasks([
        Task::ReadUntil(up.len()),
        Task::Write(down.clone()),
        Task::ReadEnd,
        Task::Close(CloseNotify::Both),
    ]);
    run(&mut client, &mut server);

    assert!(
        server.received == up && client.received == down,
        "wrong bytes"
    );
    for (end, sent, received) in [(&client, LEN, LEN + 1), (&server, LEN + 1, LEN)] {
        let stats = end.stream.engine().stats();
        assert_eq!(stats.plaintext_sealed, sent as u64);
        assert_eq!(stats.plaintext_opened, received as u64);
        assert!(end.stream.engine().outgoing().is_empty());
        assert!(end.stream.transport().outgoing.bytes.borrow().is_empty());
    }
    let end = match faulty {
        Faulty::Client => client,
        Faulty::Server => server,
    };
    (end.stream.transport().calls.get(), end.failures)
}

/// The same fault at one call, for every call of a session.
fn at_every_call(faults: Faults, expected: core::ops::RangeInclusive<usize>) {
    let mut seen = 0;
    for version in VERSIONS {
        for faulty in [Faulty::Client, Faulty::Server] {
            let (calls, _) = session(version, faulty, |_, _| CALM, 0);
            assert!(calls > 20, "{calls} calls are no session");
            for aim in 0..calls {
                let (_, failures) = session(version, faulty, faults, aim);
                assert!(
                    expected.contains(&failures),
                    "{version} {faulty:?} call {aim}: {failures}"
                );
                seen = seen.max(failures);
            }
        }
    }
    assert_eq!(seen, *expected.end());
}

fn when(hit: bool, fault: Fault) -> Fault {
    if hit { fault } else { CALM }
}

#[test]
fn would_block_at_every_call() {
    let faults = |call, aim| when(call == aim, Fault::Fails(ErrorKind::WouldBlock));
    at_every_call(faults, 0..=0);
}

#[test]
fn a_time_limit_at_every_call() {
    // None comes out where the bytes of the call were taken: the next call met no obstacle.
    let faults = |call, aim| when(call == aim, Fault::Fails(ErrorKind::TimedOut));
    at_every_call(faults, 0..=1);
}

#[test]
fn interrupted_at_every_call_is_retried() {
    let faults = |call, aim| when(call == aim, Fault::Fails(ErrorKind::Interrupted));
    at_every_call(faults, 0..=0);
}

#[test]
fn an_error_that_lasts_comes_out_once_a_call() {
    // Three calls in a row, so that what is kept back after sealing is met by the next call.
    let faults = |call: usize, aim| {
        when(
            (aim..aim + 3).contains(&call),
            Fault::Fails(ErrorKind::ConnectionReset),
        )
    };
    at_every_call(faults, 1..=3);
}

#[test]
fn one_byte_at_every_call() {
    let faults = |call, aim| when(call == aim, Fault::Short(1));
    at_every_call(faults, 0..=0);
}

#[test]
fn one_byte_at_a_time() {
    for version in VERSIONS {
        for faulty in [Faulty::Client, Faulty::Server] {
            let (_, failures) = session(version, faulty, |_, _| Fault::Short(1), 0);
            assert_eq!(failures, 0);
        }
    }
}

#[test]
fn cut_anywhere() {
    for version in VERSIONS {
        for seed in 0..50 {
            for faulty in [Faulty::Client, Faulty::Server] {
                let (_, failures) = session(version, faulty, |_, seed| Fault::Cut(seed), seed);
                assert_eq!(failures, 0);
            }
        }
    }
}

#[test]
fn all_faults_mixed() {
    let faults: Faults = |call, aim| match (call + aim) % 9 {
        0 => Fault::Fails(ErrorKind::WouldBlock),
        2 => Fault::Fails(ErrorKind::Interrupted),
        4 => Fault::Fails(ErrorKind::ConnectionReset),
        6 => Fault::Fails(ErrorKind::TimedOut),
        8 => Fault::Short(777),
        _ => Fault::Cut(aim),
    };
    for version in VERSIONS {
        for aim in 0..9 {
            for faulty in [Faulty::Client, Faulty::Server] {
                let (_, failures) = session(version, faulty, faults, aim);
                assert!(failures > 0);
            }
        }
    }
}
