//! A flipped bit anywhere, from the first byte of the handshake to close_notify: who meets it, when,
//! and as what. The test kit's `schedule` predicts each of them; here they are put everywhere.

use offwire::ProtocolVersion;
use offwire_contract::strategy::config;
use offwire_testkit::schedule::{
    Authentication, Buffers, Harm, Offer, Operation, Schedule, Start, run,
};
use offwire_testkit::strategy::{authentication, suite, version};
use offwire_testkit::{Cuts, Inlet, Outlet, Side, Suite};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// What brings a connection from one flight in the air to the next, and the flight's receiver.
fn flights() -> [(Vec<Operation>, Side); 6] {
    use Operation::{Feed, Handshake, Read, Shutdown, Take, Write};

    let all = 1 << 20;
    let arrive = |side| Feed(side, Inlet::Feed, all);
    let leave = |side| Take(side, Outlet::First, all);
    let flight = |calls: &[Operation], side: Side| {
        let sent = [arrive(side.peer())].into_iter().chain(calls.to_vec());
        (sent.chain([leave(side.peer())]).collect(), side)
    };
    let (client, server) = (Side::Client, Side::Server);
    [
        flight(&[Handshake(client)], server),
        flight(&[Handshake(server)], client),
        flight(&[Handshake(client)], server),
        flight(
            &[Handshake(server), Write(server, Offer::fresh(300))],
            client,
        ),
        flight(
            &[Read(client, 50), Write(client, Offer::fresh(20_000))],
            server,
        ),
        flight(&[Shutdown(server)], client),
    ]
}

/// A connection in which this bit is flipped of what is in the air at this flight.
fn flipped(
    (version, suite, authentication): (ProtocolVersion, Suite, Authentication),
    (flight, at, bit): (usize, u32, u8),
    cuts: Cuts,
) -> Schedule {
    let until = flights().into_iter().take(flight + 1);
    let mut operations: Vec<_> = until.flat_map(|(calls, _)| calls).collect();
    operations.push(Operation::Harm(receiver(flight), Harm::Flip(at, bit)));
    Schedule {
        start: Start::Fresh,
        version,
        suite,
        authentication,
        cuts,
        operations,
        ..Schedule::default()
    }
}

/// The same, behind which so many bytes arrive and this happens.
fn flipped_then(
    kind: (ProtocolVersion, Suite, Authentication),
    place: (usize, u32, u8),
    arrive: usize,
    then: impl FnOnce(Side) -> Operation,
) -> Schedule {
    let mut schedule = flipped(kind, place, Cuts::Whole);
    let receiver = receiver(place.0);
    let feed = Operation::Feed(receiver, Inlet::Feed, arrive);
    schedule.operations.extend([feed, then(receiver)]);
    schedule
}

/// Who receives this flight.
fn receiver(flight: usize) -> Side {
    let receivers = flights().map(|(_, side)| side);
    receivers.get(flight).copied().unwrap_or(Side::Server)
}

/// How the bit is met.
#[derive(Clone, Copy, Debug)]
enum Meeting {
    /// As the loop at the end delivers what is in the air: all at once.
    Whole,
    /// So many bytes at a time.
    Cut(usize),
    /// By one read, which completes the handshake and goes on behind it.
    Read,
    /// Behind so many bytes that arrive the transport is reset, with the bit or before it.
    Reset(usize),
}

/// The same, as a loop does it whose engines share their buffers.
fn lent(schedule: Schedule) -> Schedule {
    let calls = schedule.operations.into_iter();
    let operations = calls.flat_map(|call| {
        let borrow = Side::BOTH.map(Operation::BorrowBuffers);
        let give_back = Side::BOTH.map(Operation::ReturnBuffers);
        borrow.into_iter().chain([call]).chain(give_back)
    });
    Schedule {
        operations: [Operation::Stock(20_000)]
            .into_iter()
            .chain(operations)
            .collect(),
        pool: 2,
        buffers: Buffers::Lent,
        ..schedule
    }
}

/// Any bit of any flight; those of the first records' headers more often.
fn anywhere() -> impl Strategy<Value = Schedule> {
    let kind = (version(), suite(), authentication());
    let at = prop_oneof![3 => 0..16_u32, 2 => 120..150_u32, 3 => any::<u32>()];
    let meeting = prop_oneof![
        2 => Just(Meeting::Whole),
        2 => Just(Meeting::Read),
        2 => (1..40_usize).prop_map(Meeting::Cut),
        1 => (0..80_usize).prop_map(Meeting::Reset),
    ];
    let schedule =
        (kind, (0..6_usize, at, 0..8_u8), meeting).prop_map(
            |(kind, place, meeting)| match meeting {
                Meeting::Whole => flipped(kind, place, Cuts::Whole),
                Meeting::Cut(bytes) => flipped(kind, place, Cuts::Bytes(bytes)),
                Meeting::Read => {
                    flipped_then(kind, place, 1 << 20, |side| Operation::Read(side, 50))
                }
                Meeting::Reset(bytes) => flipped_then(kind, place, bytes, |_| Operation::Reset),
            },
        );
    let buffers = prop_oneof![3 => Just(Buffers::Kept), 1 => Just(Buffers::Lent)];
    (schedule, buffers).prop_map(|(schedule, buffers)| match buffers {
        Buffers::Kept => schedule,
        Buffers::Lent => lent(schedule),
    })
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn a_flipped_bit_anywhere_is_met_as_predicted(schedule in anywhere()) {
        run(&schedule)?;
    }
}

#[test]
fn flipped_bits_come_into_every_phase_and_are_ignored_now_and_then() {
    let mut runner = TestRunner::deterministic();
    let mut met = [0_usize; 3];
    for _ in 0..200 {
        let drawn = anywhere().new_tree(&mut runner).unwrap();
        let here = run(&drawn.current()).unwrap().met;
        let here = [here.flips_in_handshake, here.flips, here.ignored_flips];
        for (met, here) in met.iter_mut().zip(here) {
            *met += usize::from(here > 0);
        }
    }
    let [in_handshake, behind, ignored] = met;
    assert!(
        in_handshake > 30 && behind > 60 && ignored > 2,
        "in the handshake {in_handshake}, behind it {behind}, ignored {ignored}"
    );
}

/// The two fields of a header that the handshake ignores: with any other bit flipped, it fails.
#[test]
fn the_handshake_passes_over_the_fields_that_it_must_ignore_and_no_others() {
    let (suite, server) = (Suite::Aes128Gcm, Authentication::Server);
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let mut passed = Vec::new();
        for (at, bit) in (0..16).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            // The client's second flight: in TLS 1.3 change_cipher_spec, six bytes, and Finished.
            let schedule = flipped((version, suite, server), (2, at, bit), Cuts::Whole);
            if run(&schedule).unwrap().met.ignored_flips > 0 {
                passed.push((at, bit));
            }
        }
        let low_byte = |at| (0..8).map(move |bit| (at, bit));
        let expected: Vec<_> = match version {
            ProtocolVersion::Tls12 => low_byte(2).collect(), // ClientKeyExchange
            ProtocolVersion::Tls13 => low_byte(2)
                .chain([(6, 0), (6, 1)]) // handshake (22) and alert (21) for application_data (23)
                .chain(low_byte(8))
                .collect(),
        };
        assert_eq!(passed, expected, "{version}");
    }
}
