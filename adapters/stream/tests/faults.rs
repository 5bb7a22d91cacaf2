//! Nothing is lost or doubled whatever the transport does, in whichever call it does it: every
//! fault at every call of a whole session, both roles, both versions.

extern crate alloc;

mod support;

use std::io::ErrorKind;

use offwire::ProtocolVersion;
use offwire_testkit::Contexts;
use offwire_testkit::transport::{Fault, Faults, Memory};

use support::{End, Task, VERSIONS, pair, pattern, run};

/// More than the outgoing queue holds, so that a write takes several rounds.
const LEN: usize = 100_000;

/// A call without a fault: less than is there to be moved, so that a session has many calls.
const CALM: Fault = Fault::Short(8_000);

#[derive(Clone, Copy, Debug)]
enum Faulty {
    Client,
    Server,
}

/// Holds a session in which `faulty`'s transport fails; returns the calls it was asked, and how
/// often an error came out.
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
        Task::ReadUntil(down.len()),
        Task::Close,
        Task::ReadEnd,
        Task::Complete,
    ]);
    // The server's handshake is left to its first read.
    server.tasks([
        Task::ReadUntil(up.len()),
        Task::Write(down.clone()),
        Task::ReadEnd,
        Task::Close,
        Task::Complete,
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
        assert_eq!(end.stream.engine().committed(), 0);
        assert!(end.stream.transport().outgoing.bytes.borrow().is_empty());
    }
    let end = match faulty {
        Faulty::Client => client,
        Faulty::Server => server,
    };
    (calls(end.stream.transport()), end.failures)
}

fn calls(memory: &Memory) -> usize {
    memory.calls.get()
}

/// The same fault at one call, for every call of a session, which must bring so many errors.
fn at_every_call(faults: Faults, expected: usize) {
    for version in VERSIONS {
        for faulty in [Faulty::Client, Faulty::Server] {
            let (calls, _) = session(version, faulty, |_, _| CALM, 0);
            assert!(calls > 20, "{calls} calls are no session");
            for aim in 0..calls {
                let (_, failures) = session(version, faulty, faults, aim);
                assert_eq!(failures, expected, "{version} {faulty:?} call {aim}");
            }
        }
    }
}

fn when(hit: bool, fault: Fault) -> Fault {
    if hit { fault } else { CALM }
}

#[test]
fn would_block_at_every_call() {
    let faults = |call, aim| when(call == aim, Fault::Fails(ErrorKind::WouldBlock));
    at_every_call(faults, 0);
}

#[test]
fn interrupted_at_every_call_is_retried() {
    let faults = |call, aim| when(call == aim, Fault::Fails(ErrorKind::Interrupted));
    at_every_call(faults, 0);
}

#[test]
fn an_error_at_every_call_comes_out_once_and_the_call_can_be_repeated() {
    let faults = |call, aim| when(call == aim, Fault::Fails(ErrorKind::ConnectionReset));
    for version in VERSIONS {
        for faulty in [Faulty::Client, Faulty::Server] {
            let (calls, _) = session(version, faulty, |_, _| CALM, 0);
            let silent: Vec<usize> = (0..calls)
                .filter(|aim| match session(version, faulty, faults, *aim).1 {
                    0 => true,
                    failures => {
                        assert_eq!(failures, 1, "{version} {faulty:?} call {aim}");
                        false
                    }
                })
                .collect();
            // What a read only offers to the transport (a write and a flush of tickets, say) is
            // the next write's news if it fails again, and nobody's if it does not.
            assert!(silent.len() <= 2, "{version} {faulty:?}: {silent:?}");
        }
    }
}

#[test]
fn one_byte_at_every_call() {
    let faults = |call, aim| when(call == aim, Fault::Short(1));
    at_every_call(faults, 0);
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
        for seed in 0..20 {
            for faulty in [Faulty::Client, Faulty::Server] {
                let (_, failures) = session(version, faulty, |_, seed| Fault::Cut(seed), seed);
                assert_eq!(failures, 0);
            }
        }
    }
}

#[test]
fn all_faults_mixed() {
    let faults: Faults = |call, aim| match (call + aim) % 7 {
        0 => Fault::Fails(ErrorKind::WouldBlock),
        2 => Fault::Fails(ErrorKind::Interrupted),
        4 => Fault::Fails(ErrorKind::ConnectionReset),
        6 => Fault::Short(777),
        _ => Fault::Short(3_000),
    };
    for version in VERSIONS {
        for aim in 0..7 {
            for faulty in [Faulty::Client, Faulty::Server] {
                let (_, failures) = session(version, faulty, faults, aim);
                assert!(failures > 10);
            }
        }
    }
}
