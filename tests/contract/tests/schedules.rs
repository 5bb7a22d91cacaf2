//! All rules at once: any order of calls by both sides, any cut, any setting. What is checked
//! stands in `src/schedule.rs`.

use offwire::ProtocolVersion::{self, Tls12, Tls13};
use offwire::{Completion, KeyUpdate, Settings, WriteMode};
use offwire_contract::schedule::{BadRetry, Op, Plan, Start, run};
use offwire_contract::strategy::{config, side};
use offwire_testkit::Cuts;
use proptest::prelude::*;
use proptest::strategy::Union;

/// How often each kind of call comes.
#[derive(Clone, Copy)]
struct Weights {
    moves: u32,
    writes: u32,
    reads: u32,
    updates: u32,
    shutdowns: u32,
    misuse: u32,
}

const EVEN: Weights = Weights {
    moves: 6,
    writes: 5,
    reads: 4,
    updates: 1,
    shutdowns: 0,
    misuse: 2,
};

fn length() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 1..40_usize, 2 => 1..20_000_usize, 1 => 16_380..16_390_usize,
        1 => 50_000..120_000_usize]
}

fn op(weights: Weights) -> impl Strategy<Value = Op> {
    let update = prop_oneof![Just(KeyUpdate::Ours), Just(KeyUpdate::Both)];
    let wrong = prop_oneof![Just(BadRetry::Short), Just(BadRetry::Changed)];
    let mut calls = vec![
        (
            weights.moves,
            (side(), 1..6_usize)
                .prop_map(|(side, cuts)| Op::Move(side, cuts))
                .boxed(),
        ),
        (
            weights.writes,
            (side(), length())
                .prop_map(|(side, len)| Op::Write(side, len))
                .boxed(),
        ),
        (
            weights.reads,
            (side(), 0..20_000_usize)
                .prop_map(|(side, size)| Op::Read(side, size))
                .boxed(),
        ),
        (
            weights.reads,
            (side(), 0..30_usize)
                .prop_map(|(side, size)| Op::Read(side, size))
                .boxed(),
        ),
        (
            1,
            (side(), 0..300_usize)
                .prop_map(|(side, size)| Op::Peek(side, size))
                .boxed(),
        ),
        (1, side().prop_map(Op::Handshake).boxed()),
        (1, side().prop_map(Op::Release).boxed()),
        (weights.misuse, side().prop_map(Op::WriteNothing).boxed()),
        (weights.misuse, side().prop_map(Op::PortMisuse).boxed()),
        (
            weights.misuse,
            (side(), wrong)
                .prop_map(|(side, wrong)| Op::BadRetry(side, wrong))
                .boxed(),
        ),
        (
            weights.updates,
            (side(), update)
                .prop_map(|(side, update)| Op::KeyUpdate(side, update))
                .boxed(),
        ),
        (weights.shutdowns, side().prop_map(Op::Shutdown).boxed()),
    ];
    calls.retain(|(weight, _)| *weight > 0);
    Union::new_weighted(calls)
}

fn settings() -> impl Strategy<Value = Settings> {
    let mode = prop_oneof![Just(WriteMode::Whole), Just(WriteMode::Partial)];
    let completion = prop_oneof![Just(Completion::Queued), Just(Completion::Sent)];
    let limit = prop_oneof![Just(0_usize), 16_413..120_000_usize, Just(1 << 20)];
    let incoming = prop_oneof![Just(0_usize), 18_437..120_000_usize];
    (mode, completion, limit, incoming).prop_map(|(mode, completion, outgoing, incoming)| {
        let settings = Settings::default().write_mode(mode).completion(completion);
        settings.outgoing_limit(outgoing).incoming_limit(incoming)
    })
}

fn plan(
    version: ProtocolVersion,
    weights: Weights,
    ops: core::ops::Range<usize>,
) -> impl Strategy<Value = Plan> {
    let capacity = prop_oneof![1..3_000_usize, 3_000..40_000_usize, Just(usize::MAX)];
    let cuts = prop_oneof![Just(Cuts::Whole), any::<u64>().prop_map(Cuts::Seeded)];
    let ops = proptest::collection::vec(op(weights), ops);
    (settings(), settings(), cuts, capacity, ops).prop_map(
        move |(client, server, cuts, capacity, ops)| Plan {
            start: Start::Connected,
            version,
            settings: [client, server],
            cuts,
            capacity,
            ops,
        },
    )
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn any_schedule_keeps_the_contract_in_tls12(plan in plan(Tls12, EVEN, 50..250)) {
        run(&plan);
    }

    #[test]
    fn any_schedule_keeps_the_contract_in_tls13(plan in plan(Tls13, EVEN, 50..250)) {
        run(&plan);
    }

    #[test]
    fn any_schedule_before_and_in_the_handshake_keeps_the_contract(
        version in prop_oneof![Just(Tls12), Just(Tls13)],
        plan in plan(Tls13, EVEN, 0..100),
    ) {
        run(&Plan { version, start: Start::Fresh, ..plan });
    }

    #[test]
    fn schedules_that_shut_down_anywhere_keep_the_contract(
        version in prop_oneof![Just(Tls12), Just(Tls13)],
        plan in plan(Tls13, EVEN, 10..80),
        side in side(),
        rest in proptest::collection::vec(op(Weights { shutdowns: 1, ..EVEN }), 10..80),
    ) {
        let ops = [plan.ops, vec![Op::Shutdown(side)], rest].concat();
        run(&Plan { version, ops, ..plan });
    }

    #[test]
    fn schedules_full_of_key_updates_keep_the_contract(
        plan in plan(Tls13, Weights { updates: 6, reads: 6, ..EVEN }, 50..250),
    ) {
        let pair = run(&plan);
        let (client, server) = (pair.client.stats(), pair.server.stats());
        prop_assert_eq!(client.key_updates_received, server.key_updates_sealed);
        prop_assert_eq!(server.key_updates_received, client.key_updates_sealed);
    }

    #[test]
    fn schedules_that_mostly_retry_keep_the_contract(
        version in prop_oneof![Just(Tls12), Just(Tls13)],
        plan in plan(Tls13, Weights { writes: 12, misuse: 6, reads: 2, ..EVEN }, 50..250),
    ) {
        run(&Plan { version, ..plan });
    }
}
