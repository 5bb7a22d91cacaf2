//! After the handshake.

use allocation_counter::measure;
use offwire::{Alert, Engine, Flood, Peer, ProtocolVersion, Read, Settings, Write};
use offwire_testkit::{
    ContentType, Contexts, Pair, RawPeer, Side, messages, read_available, records,
};

use crate::cost::{AT_ONCE, BEHIND_THE_FLIGHT, Cost, OPEN, each, endure_on, held_by};
use crate::handshake::fresh;

/// A connected engine and a peer that may say anything.
struct Connected {
    peer: RawPeer,
    engine: Engine,
    /// What the engine holds: itself, and its heap.
    held: usize,
}

fn connected(role: Side, contexts: &Contexts) -> Connected {
    let (_, twin) = meet(role, contexts);
    let held = held_by(twin);
    let (peer, engine) = meet(role, contexts);
    Connected { peer, engine, held }
}

fn meet(role: Side, contexts: &Contexts) -> (RawPeer, Engine) {
    let (mut peer, mut engine) = RawPeer::facing(role, contexts);
    peer.drain(&mut engine);
    assert_eq!(
        read_available(&mut engine, &mut Vec::new()),
        Ok(Read::NeedRead)
    );
    (peer, engine)
}

impl Connected {
    fn endure(&mut self, wire: &[u8], piece: usize) -> Cost {
        let opened = self.engine.stats().records_opened;
        let cost = endure_on(&mut self.engine, self.held, wire, piece);
        let records = records::split(wire).0.len() as u64;
        let opened = self.engine.stats().records_opened - opened;
        assert!(
            opened <= records,
            "{opened} of {records} records: none twice"
        );
        cost
    }
}

#[test]
fn one_byte_of_data_a_record_costs_no_allocation() {
    each(|what, _, role, contexts| {
        let mut on = connected(role, contexts);
        let wire: Vec<u8> = (0..5_000).flat_map(|_| on.peer.data(b"x")).collect();
        let (first, rest) = wire.split_at(wire.len() / 2);
        on.endure(first, 1_000);
        let cost = on.endure(rest, 1_000);
        assert_eq!(cost.end, Ok(Read::NeedRead));
        assert_eq!(on.engine.stats().records_opened, 5_000, "each once");
        assert_eq!(cost.total, 0, "{what}: the steady state");
    });
}

#[test]
fn records_of_maximum_length_one_byte_at_a_time_need_one_buffer() {
    each(|what, _, role, contexts| {
        let mut on = connected(role, contexts);
        let wire: Vec<u8> = (0..10).flat_map(|_| on.peer.data(&[7; 16_384])).collect();
        let (first, rest) = wire.split_at(wire.len() / 2);
        let cost = on.endure(first, 1);
        cost.assert_bounded(on.engine.settings(), OPEN, what);
        assert!(cost.peak <= on.held + 3 * 16_500, "{what}: {cost:?}");
        assert_eq!(on.engine.stats().records_opened, 5);
        assert_eq!(on.endure(rest, 1).total, 0, "{what}: the steady state");
    });
}

#[test]
fn what_nobody_reads_fills_the_queue_and_no_more() {
    each(|what, _, role, contexts| {
        let mut on = connected(role, contexts);
        let wire: Vec<u8> = (0..10).flat_map(|_| on.peer.data(&[7; 16_384])).collect();
        for piece in [1_000, wire.len()] {
            let mut on = connected(role, contexts);
            let mut fed = 0;
            let allocated = measure(|| {
                for piece in wire.chunks(piece) {
                    fed += on.engine.feed(piece);
                }
            });
            let settings = on.engine.settings();
            assert_eq!(fed, settings.effective_incoming_limit(), "{what}");
            let cost = Cost {
                fed,
                peak: on.held + usize::try_from(allocated.bytes_max).unwrap(),
                total: usize::try_from(allocated.bytes_total).unwrap(),
                end: Ok(Read::NeedRead),
            };
            cost.assert_bounded(settings, OPEN, what);
        }
    });
}

#[test]
fn large_limits_are_kept_while_the_queues_grow() {
    for (incoming, outgoing) in [
        (1 << 20, 0),
        (0, 1 << 20),
        (1 << 20, 1 << 20),
        (300_000, 90_000),
    ] {
        let settings = Settings::default()
            .incoming_limit(incoming)
            .outgoing_limit(outgoing);
        let contexts = Contexts::new().settings(settings);
        let mut on = connected(Side::Server, &contexts);
        let wire: Vec<u8> = (0..70).flat_map(|_| on.peer.data(&[7; 16_384])).collect();
        let mut fed = 0;
        let allocated = measure(|| {
            for piece in wire.chunks(1_000) {
                fed += on.engine.feed(piece);
                while on.engine.write(&[7; 1_000]).unwrap() != Write::NeedWrite {}
            }
        });
        assert_eq!(fed, settings.effective_incoming_limit());
        let cost = Cost {
            fed,
            peak: on.held + usize::try_from(allocated.bytes_max).unwrap(),
            total: usize::try_from(allocated.bytes_total).unwrap(),
            end: Ok(Read::NeedRead),
        };
        let limits = incoming.max(18_437) + outgoing.max(16_413);
        assert!(cost.peak <= limits + OPEN, "{settings:?}: {cost:?}");
    }
}

/// What an engine costs that is fed its peer's flight and all this behind it at once, before it is
/// called; then its own output waits, and it reads. Also what it holds at the end.
fn fed_with_the_flight(
    role: Side,
    contexts: &Contexts,
    behind: impl Fn(&mut RawPeer) -> Vec<u8>,
) -> (Cost, usize) {
    let contexts = contexts.clone().tickets(0).danger_null_crypto_for_tests();
    let mut pair = Pair::of(&contexts);
    pair.handshake();
    let mut wire = pair.link_to(role).sent().to_vec();
    wire.extend(behind(&mut RawPeer::facing(role, &contexts).0));
    let (make, mut made) = (fresh(role, &contexts), None);
    let (mut fed, mut into) = (0, vec![0; 16_385]);
    let allocated = measure(|| {
        let engine = made.insert(make());
        while engine.negotiated().is_none() {
            assert!(engine.handshake().is_ok());
            engine.sent(engine.outgoing().len()).unwrap();
            fed += engine.feed(&wire[fed..]);
        }
        while engine.write(&[7; 9_000]).unwrap() != Write::NeedWrite {}
        while fed < wire.len() {
            assert!(engine.read(&mut into).is_ok());
            fed += engine.feed(&wire[fed..]);
        }
    });
    let of = |bytes: i64| size_of::<Engine>() + usize::try_from(bytes).unwrap();
    let cost = Cost {
        fed,
        peak: of(i64::try_from(allocated.bytes_max).unwrap()),
        total: usize::try_from(allocated.bytes_total).unwrap(),
        end: Ok(Read::NeedRead),
    };
    (cost, of(allocated.bytes_current))
}

#[test]
fn what_came_with_the_flight_is_held_until_it_is_read_and_no_longer() {
    each(|what, version, role, contexts| {
        let settings = contexts.build().0.settings();
        let limits = settings.effective_incoming_limit() + settings.effective_outgoing_limit();
        let message = match (version, role) {
            (ProtocolVersion::Tls13, Side::Client) => messages::new_session_ticket(65_000),
            (ProtocolVersion::Tls12, Side::Server) => messages::handshake(1, &[0; 65_535]),
            (ProtocolVersion::Tls12 | ProtocolVersion::Tls13, _) => Vec::new(),
        };
        for fragment in [1, 16_000] {
            let (cost, left) = fed_with_the_flight(role, contexts, |peer| {
                let records = message.chunks(fragment).map(|part| peer.message(part));
                let mut wire: Vec<u8> = records.flatten().collect();
                wire.extend((0..12).flat_map(|_| peer.data(&[7; 16_000])));
                wire
            });
            let what = format!("{what}: a message in records of {fragment}");
            cost.assert_bounded(settings, BEHIND_THE_FLIGHT, &what);
            // It never was empty: what the handshake needed is given back all the same. A message that
            // is not whole stays.
            assert!(left <= limits + 64 * 1_024, "{what}: {left}");
        }
    });
}

/// Control records that data between them keeps from being a flood: twice as many may cost twice as
/// much, and nothing of them stays.
fn assert_flat(
    (role, contexts): (Side, &Contexts),
    what: &str,
    record: &impl Fn(&mut RawPeer) -> Vec<u8>,
) {
    let mut on = connected(role, contexts);
    let mut round = |rounds| {
        let record = |_| [record(&mut on.peer), on.peer.data(b"x")].concat();
        let wire: Vec<u8> = (0..rounds).flat_map(record).collect();
        let cost = on.endure(&wire, 4_000);
        assert_eq!(cost.end, Ok(Read::NeedRead), "{what}");
        cost.assert_bounded(on.engine.settings(), OPEN, what);
        cost
    };
    let (first, once, twice) = (round(64), round(500), round(1_000));
    assert!(
        twice.total <= 2 * once.total + AT_ONCE,
        "{what}: {once:?} {twice:?}"
    );
    assert!(
        twice.peak <= once.peak + 4_096,
        "{what}: {first:?} {twice:?}"
    );
}

/// The same records without data between them: the connection ends behind so many, and what comes
/// later costs nothing.
fn assert_ends(
    (role, contexts): (Side, &Contexts),
    what: &str,
    (most, flood): (u64, Flood),
    record: &impl Fn(&mut RawPeer) -> Vec<u8>,
) {
    let mut on = connected(role, contexts);
    let wire: Vec<u8> = (0..1_000).flat_map(|_| record(&mut on.peer)).collect();
    let cost = on.endure(&wire, 40);
    assert_eq!(cost.end, Err(Peer::Flood(flood).into()), "{what}");
    assert_eq!(on.engine.stats().records_opened, most + 1, "{what}");
    cost.assert_bounded(on.engine.settings(), OPEN, what);
    let later = on.endure(&wire, wire.len());
    assert_eq!((later.fed, later.total), (0, 0), "{what}: read no more");
}

#[test]
fn control_records_leave_nothing_behind_and_end_the_connection_as_a_flood() {
    each(|what, version, role, contexts| {
        type Control = (&'static str, (u64, Flood), fn(&mut RawPeer) -> Vec<u8>);
        let mut all: Vec<Control> = vec![("empty records", (32, Flood::EmptyRecords), |peer| {
            peer.data(b"")
        })];
        all.push(("warnings", (4, Flood::Warnings), |peer| {
            peer.seal(ContentType::ALERT, &messages::warning(Alert::USER_CANCELED))
        }));
        match (version, role) {
            (ProtocolVersion::Tls12, Side::Client) => {
                all.push(("HelloRequests", (32, Flood::Renegotiations), |peer| {
                    peer.message(&messages::hello_request())
                }));
            }
            (ProtocolVersion::Tls12, Side::Server) => {
                all.push(("ClientHellos", (32, Flood::Renegotiations), |peer| {
                    peer.message(&messages::client_hello())
                }));
            }
            (ProtocolVersion::Tls13, _) => {
                all.push(("KeyUpdates", (32, Flood::KeyUpdates), |peer| {
                    peer.key_update(1)
                }));
            }
        }
        if (version, role) == (ProtocolVersion::Tls13, Side::Client) {
            all.push(("tickets", (32, Flood::Tickets), |peer| {
                peer.message(&messages::new_session_ticket(1_000))
            }));
        }
        for (control, flood, record) in all {
            let what = format!("{what}: {control}");
            assert_flat((role, contexts), &what, &record);
            assert_ends((role, contexts), &what, flood, &record);
        }
    });
}

#[test]
fn the_longest_message_after_the_handshake_in_one_byte_records_is_copied_as_it_grows() {
    let ticket = messages::new_session_ticket(65_000);
    let hello = messages::handshake(1, &[0; 65_535]);
    each(|what, version, role, contexts| {
        let message = match (version, role) {
            (ProtocolVersion::Tls13, Side::Client) => &ticket,
            (ProtocolVersion::Tls12, Side::Server) => &hello,
            (ProtocolVersion::Tls12 | ProtocolVersion::Tls13, _) => return,
        };
        for piece in [1_000, usize::MAX] {
            let mut on = connected(role, contexts);
            let settings = on.engine.settings();
            // Nothing leaves: the outgoing queue is full before the message comes.
            let full =
                measure(|| while on.engine.write(&[7; 9_000]).unwrap() != Write::NeedWrite {});
            let held = on.held + usize::try_from(full.bytes_current).unwrap();
            let fragments: Vec<u8> = message
                .iter()
                .flat_map(|byte| on.peer.message(&[*byte]))
                .collect();
            let piece = piece.min(fragments.len());
            let cost = endure_on(&mut on.engine, held, &fragments, piece);
            let what = format!("{what} in pieces of {piece}");
            assert_eq!(cost.end, Ok(Read::NeedRead), "{what}");
            assert!(
                on.engine.stats().wire_sent < 20_000,
                "{what}: the queue is full"
            );
            cost.assert_bounded(settings, OPEN, &what);
            // Its storage doubles up to its length; at the last step the old one is there as well.
            let queue = piece.min(settings.effective_incoming_limit()) + 18_437;
            let own = cost.peak - held;
            assert!(own <= 2 * message.len() + 2 * queue, "{what}: {cost:?}");
            assert!(
                cost.total <= 4 * message.len() + 2 * queue,
                "{what}: {cost:?}"
            );
        }
    });
}
