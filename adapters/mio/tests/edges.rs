//! Under the strictest edge triggering nothing stalls, whatever the transport does: the registered
//! interest is enough, and so are the events that it brings.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

extern crate alloc;

mod support;

use std::io::ErrorKind;

use offwire::{ProtocolVersion, Settings};
use offwire_testkit::transport::{Fault, Faults};

use support::end::{End, Plan, State, run};
use support::{VERSIONS, pattern};

/// More than the smallest queues hold.
const LEN: usize = 60_000;

/// A call without a fault: less than is there to be moved, so that a session has many calls.
const CALM: Fault = Fault::Short(6_000);

#[derive(Clone, Copy, Debug)]
enum Faulty {
    Client,
    Server,
}

fn smallest() -> Settings {
    Settings::default().incoming_limit(0).outgoing_limit(0)
}

/// Holds a session in which both sides send at once; returns the ends.
fn session(plan: Plan<'_>, prepare: impl FnOnce(&mut End, &mut End)) -> (End, End) {
    let (mut client, mut server) = plan.ends();
    prepare(&mut client, &mut server);
    run(&mut client, &mut server);
    assert_eq!(
        (&client.state, &server.state),
        (&State::Complete, &State::Complete)
    );
    assert!(
        client.received == plan.down && server.received == plan.up,
        "wrong bytes"
    );
    for (end, sent) in [(&client, plan.up.len()), (&server, plan.down.len())] {
        assert_eq!(end.source.engine().stats().plaintext_sealed, sent as u64);
    }
    (client, server)
}

/// A session in which one transport fails; returns how many calls it got and how many errors came
/// out.
fn faulty(version: ProtocolVersion, who: Faulty, faults: Faults, aim: usize) -> (usize, usize) {
    let (up, down) = (pattern(LEN), pattern(LEN + 1));
    let plan = Plan {
        version,
        capacity: 10_000,
        settings: smallest(),
        up: &up,
        down: &down,
    };
    let (client, server) = session(plan, |client, server| {
        let end = match who {
            Faulty::Client => client,
            Faulty::Server => server,
        };
        end.source.transport_mut().fail(faults, aim);
    });
    let end = match who {
        Faulty::Client => client,
        Faulty::Server => server,
    };
    (end.source.transport().calls, end.failures)
}

/// The same fault at one call, for every call of a session, which must bring so many errors.
fn at_every_call(faults: Faults, expected: usize) {
    for version in VERSIONS {
        for who in [Faulty::Client, Faulty::Server] {
            let (calls, _) = faulty(version, who, |_, _| CALM, 0);
            assert!(calls > 40, "{calls} calls are no session");
            for aim in 0..calls {
                let (_, failures) = faulty(version, who, faults, aim);
                assert!(
                    failures <= expected,
                    "{version} {who:?} call {aim}: {failures}"
                );
            }
            let (_, failures) = faulty(version, who, faults, calls / 2);
            assert_eq!(failures, expected, "{version} {who:?}");
        }
    }
}

fn when(hit: bool, fault: Fault) -> Fault {
    if hit { fault } else { CALM }
}

#[test]
fn would_block_at_every_call() {
    at_every_call(
        |call, aim| when(call == aim, Fault::Fails(ErrorKind::WouldBlock)),
        0,
    );
}

#[test]
fn interrupted_at_every_call_is_retried() {
    at_every_call(
        |call, aim| when(call == aim, Fault::Fails(ErrorKind::Interrupted)),
        0,
    );
}

#[test]
fn an_error_at_every_call_comes_out_and_the_call_can_be_repeated() {
    at_every_call(
        |call, aim| when(call == aim, Fault::Fails(ErrorKind::ConnectionReset)),
        1,
    );
}

#[test]
fn one_byte_at_every_call() {
    at_every_call(|call, aim| when(call == aim, Fault::Short(1)), 0);
}

#[test]
fn one_byte_at_a_time() {
    for version in VERSIONS {
        for who in [Faulty::Client, Faulty::Server] {
            let (_, failures) = faulty(version, who, |_, _| Fault::Short(1), 0);
            assert_eq!(failures, 0);
        }
    }
}

#[test]
fn cut_anywhere() {
    for version in VERSIONS {
        for seed in 0..20 {
            for who in [Faulty::Client, Faulty::Server] {
                let (_, failures) = faulty(version, who, |_, seed| Fault::Cut(seed), seed);
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
            for who in [Faulty::Client, Faulty::Server] {
                let (_, failures) = faulty(version, who, faults, aim);
                assert!(failures > 5, "{failures}");
            }
        }
    }
}

#[test]
fn both_sides_send_at_once_through_any_room() {
    let (up, down) = (pattern(300_000), pattern(300_001));
    for version in VERSIONS {
        // Six bytes are the least: in the handshake both sides send a change_cipher_spec record of
        // that size before they read on (RFC 8446 section D.4).
        for capacity in [6, 7, 100, 1_460, 16_413, 70_000, 1 << 20] {
            let len = if capacity < 100 { 40_000 } else { 300_000 };
            for settings in [smallest(), Settings::default()] {
                let plan = Plan {
                    version,
                    capacity,
                    settings,
                    up: &up[..len],
                    down: &down[..len + 1],
                };
                session(plan, |_, _| {});
            }
        }
    }
}

#[test]
fn a_slow_reader_gets_everything_of_a_fast_writer() {
    let (up, down) = (pattern(500_000), pattern(1_000));
    for version in VERSIONS {
        for capacity in [3_000, 200_000] {
            let plan = Plan {
                version,
                capacity,
                settings: smallest(),
                up: &up,
                down: &down,
            };
            let (client, _) = session(plan, |_, server| server.pace = 1);
            assert!(client.source.engine().stats().need_writes > 10);
        }
    }
}
