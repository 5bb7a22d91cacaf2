//! Invariants I1 to I4 and I7, in every call of whole sessions over transports of every capacity.
//! I5, I6 and I8 stand with the facts that they are about.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use offwire::{Engine, Read, Shutdown, Write};
use offwire_contract::{
    FULL, VERSIONS, WRITE_MODES, connected_with, noise, overhead, read, sent, waiting,
};
use offwire_testkit::{Link, Pair, Side, records};

/// What is checked after a call: which call it was, and whether it waits for output to leave.
struct Call<'a> {
    engine: &'a mut Engine,
    towards: &'a mut Link,
    from: &'a Link,
    outcome: Outcome,
    again: &'a mut dyn FnMut(&mut Engine) -> Outcome,
}

/// The outcome of any verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Write(Write),
    Read(Read),
    Shutdown(Shutdown),
}

impl Outcome {
    fn needs_write(self) -> bool {
        let needing = [
            Self::Write(Write::NeedWrite),
            Self::Read(Read::NeedWrite),
            Self::Shutdown(Shutdown::NeedWrite),
        ];
        needing.contains(&self)
    }
}

/// A session in both directions at once through links of `capacity`; `check` sees every call that
/// an adapter would return to its caller.
fn session(pair: &mut Pair, capacity: usize, len: usize, check: &mut dyn FnMut(Call<'_>)) {
    pair.to_server.set_capacity(capacity);
    pair.to_client.set_capacity(capacity);
    let plaintext = noise(len);
    let (mut written, mut arrived) = ([0; 2], [Vec::new(), Vec::new()]);
    let mut closed = [Outcome::Read(Read::NeedRead); 2];
    while closed != [Outcome::Read(Read::Closed); 2] {
        for (us, side) in Side::BOTH.into_iter().enumerate() {
            let rest = &plaintext[written[us]..];
            if !rest.is_empty() {
                let mut verb = |engine: &mut Engine| Outcome::Write(engine.write(rest).unwrap());
                if let Outcome::Write(Write::Written(n)) = call(pair, side, &mut verb, check) {
                    written[us] += n;
                }
            } else {
                let mut verb = |engine: &mut Engine| Outcome::Shutdown(engine.shutdown().unwrap());
                call(pair, side, &mut verb, check);
            }
            let mut verb = |engine: &mut Engine| {
                let (outcome, plaintext) = read(engine).unwrap();
                arrived[us].extend(plaintext);
                Outcome::Read(outcome)
            };
            closed[us] = call(pair, side, &mut verb, check);
            let peer = side.peer();
            let (link, engine) = match peer {
                Side::Client => (&mut pair.to_client, &mut pair.client),
                Side::Server => (&mut pair.to_server, &mut pair.server),
            };
            link.push(engine);
        }
    }
    for arrived in arrived {
        assert!(arrived == plaintext, "{} of {len} bytes", arrived.len());
    }
}

/// Calls a verb as an adapter does: again while it needs write and bytes can leave.
fn call(
    pair: &mut Pair,
    side: Side,
    verb: &mut dyn FnMut(&mut Engine) -> Outcome,
    check: &mut dyn FnMut(Call<'_>),
) -> Outcome {
    let (engine, towards, from) = match side {
        Side::Client => (&mut pair.client, &mut pair.to_server, &pair.to_client),
        Side::Server => (&mut pair.server, &mut pair.to_client, &pair.to_server),
    };
    let outcome = loop {
        let outcome = verb(engine);
        let moved = towards.pull(engine);
        if !(outcome.needs_write() && moved > 0) {
            break outcome;
        }
    };
    check(Call {
        engine,
        towards,
        from,
        outcome,
        again: verb,
    });
    outcome
}

/// Sessions of both versions and modes, over capacities below and above a record.
fn everywhere(mut check: impl FnMut(usize, usize, &mut Call<'_>)) {
    for version in VERSIONS {
        for mode in WRITE_MODES {
            for (capacity, len) in [
                (1, 500),
                (5, 500),
                (100, 40_000),
                (1_000, 40_000),
                (17_408, 90_000),
            ] {
                let mut pair = connected_with(version, sent().write_mode(mode));
                session(&mut pair, capacity, len, &mut |mut call| {
                    check(capacity, overhead(version), &mut call);
                });
            }
        }
    }
}

#[test]
fn i1_need_write_means_that_the_transport_is_full() {
    let mut blocked = 0;
    everywhere(|capacity, _, call| {
        if call.outcome.needs_write() {
            blocked += 1;
            assert_eq!(call.towards.in_flight(), capacity, "{:?}", call.outcome);
        }
    });
    assert!(blocked > 1_000, "{blocked} blocked calls");
}

#[test]
fn i2_need_read_means_that_every_whole_record_was_consumed() {
    let mut waits = 0;
    everywhere(|_, _, call| {
        if call.outcome == Outcome::Read(Read::NeedRead) {
            waits += 1;
            let arrived = &call.from.sent()[..call.from.delivered()];
            let whole = records::split(arrived).0.len() as u64;
            assert_eq!(call.engine.stats().records_opened, whole);
            assert_eq!(call.engine.pending(), 0);
        }
    });
    assert!(waits > 1_000, "{waits} waits");
}

#[test]
fn i3_a_written_write_leaves_no_record_in_flight() {
    let mut writes = 0;
    everywhere(|_, overhead, call| {
        if let Outcome::Write(Write::Written(_)) = call.outcome {
            writes += 1;
            assert_eq!(waiting(call.engine), 0);
            let gone = records::application_lengths(call.towards.sent(), overhead);
            let plaintext = gone.iter().sum::<usize>() as u64;
            assert_eq!(call.engine.stats().plaintext_sealed, plaintext);
        }
    });
    assert!(writes >= 40, "{writes} writes");
}

#[test]
fn i4_a_write_of_bytes_never_says_zero() {
    let mut writes = 0;
    everywhere(|_, _, call| {
        if let Outcome::Write(Write::Written(n)) = call.outcome {
            writes += 1;
            assert!(0 < n && (n <= FULL || n == 40_000 || n == 90_000), "{n}");
        }
    });
    assert!(writes >= 40, "{writes} writes");
}

#[test]
fn i7_repeating_a_waiting_call_without_moving_a_byte_changes_nothing() {
    let mut repeated = 0;
    everywhere(|_, _, call| {
        let waits = call.outcome.needs_write() || call.outcome == Outcome::Read(Read::NeedRead);
        if !waits {
            return;
        }
        repeated += 1;
        let facts = |engine: &Engine| {
            let stats = engine.stats();
            (
                (waiting(engine), engine.committed(), engine.pending()),
                (
                    stats.records_sealed,
                    stats.records_opened,
                    engine.interest(),
                ),
            )
        };
        let before = facts(call.engine);
        for _ in 0..2 {
            assert_eq!((call.again)(call.engine), call.outcome);
            assert_eq!(facts(call.engine), before);
        }
    });
    assert!(repeated > 1_000, "{repeated} repetitions");
}
