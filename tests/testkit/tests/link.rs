//! The link does what it is told: it bounds, cuts, ends, corrupts, and repeats itself.

use offwire::{Error, Peer, Read, Write};
use offwire_testkit::{Contexts, Cuts, Pair, Side, read_available};

fn connected() -> Pair {
    let mut pair = Pair::of(&Contexts::new().tickets(0));
    pair.handshake();
    Pair::of_engines(pair.client, pair.server)
}

#[test]
fn capacity_bounds_the_bytes_in_flight() {
    let mut pair = connected().capacity(10);
    assert_eq!(pair.client.write(&[7; 100]), Ok(Write::Written(100)));
    assert_eq!(pair.to_server.pull(&mut pair.client), 10);
    assert_eq!(pair.to_server.pull(&mut pair.client), 0);
    assert_eq!(pair.to_server.in_flight(), 10);
    assert_eq!(pair.to_server.push(&mut pair.server), 10);
    assert_eq!(pair.to_server.pull(&mut pair.client), 10);
}

#[test]
fn cuts_by_a_seed_are_the_same_every_time_and_differ_by_direction() {
    let lengths = |seed: u64| {
        let mut pair = connected().cuts(Cuts::Seeded(seed));
        assert_eq!(pair.client.write(&[7; 50_000]), Ok(Write::Written(50_000)));
        let mut lengths = Vec::new();
        while !pair.client.outgoing().is_empty() {
            lengths.push(pair.to_server.pull(&mut pair.client));
        }
        lengths
    };
    assert_eq!(lengths(1), lengths(1));
    assert_ne!(lengths(1), lengths(2));
}

#[test]
fn bytes_behind_the_end_vanish_and_the_end_is_reported_once_everything_before_was_taken() {
    let mut pair = connected();
    assert_eq!(pair.client.write(b"first"), Ok(Write::Written(5)));
    let first = pair.client.outgoing().len();
    assert_eq!(pair.client.write(b"second"), Ok(Write::Written(6)));
    pair.to_server.end_at(first + 3);
    assert_eq!(pair.move_to_server(1), 1);
    pair.settle();
    let mut received = Vec::new();
    assert_eq!(
        read_available(&mut pair.server, &mut received),
        Ok(Read::Truncated)
    );
    assert_eq!(received, b"first");
    assert!(
        pair.client.outgoing().is_empty(),
        "the sender is not blocked by a dead transport"
    );
}

#[test]
fn a_flipped_bit_is_flipped_where_it_was_asked_for() {
    let mut pair = connected();
    assert_eq!(pair.server.write(b"data"), Ok(Write::Written(4)));
    pair.to_client.flip_bit(9, 7);
    pair.settle();
    let outcome = read_available(&mut pair.client, &mut Vec::new());
    assert_eq!(outcome, Err(Error::Peer(Peer::BadRecordMac)));
}

#[test]
fn injected_bytes_arrive_behind_those_in_flight() {
    let mut pair = connected();
    assert_eq!(pair.client.write(b"data"), Ok(Write::Written(4)));
    pair.to_server.pull(&mut pair.client);
    pair.to_server.inject(&[9; 5]);
    pair.settle();
    let mut received = Vec::new();
    let outcome = read_available(&mut pair.server, &mut received);
    assert_eq!(received, b"data");
    assert_eq!(outcome, Err(Error::Peer(Peer::UnexpectedRecord)));
}

#[test]
fn moving_exactly_so_many_bytes_passes_over_capacity_and_cuts() {
    let mut pair = connected().cuts(Cuts::Bytes(1)).capacity(1);
    assert_eq!(pair.server.write(&[7; 100]), Ok(Write::Written(100)));
    let len = pair.server.outgoing().len();
    assert_eq!(pair.move_to_client(len - 1), len - 1);
    assert_eq!(pair.move_to_client(usize::MAX), 1);
    assert_eq!(pair.move_to_client(1), 0);
}

#[test]
#[should_panic(expected = "an exchange is stuck")]
fn a_driver_fails_instead_of_hanging() {
    let mut pair = connected();
    pair.to_server.set_capacity(0);
    let _ = pair.exchange(Side::Client, b"never arrives");
}

#[test]
fn a_failed_handshake_is_told_by_both_sides() {
    let contexts = Contexts::new();
    let (client, _) = contexts
        .clone()
        .version(offwire::ProtocolVersion::Tls13)
        .build();
    let (_, server) = contexts
        .clone()
        .version(offwire::ProtocolVersion::Tls12)
        .build();
    let (client, server) = Pair::new(&client, &server, &contexts).try_handshake();
    assert!(matches!(client, Err(Error::Alert(_))));
    assert!(matches!(server, Err(Error::Peer(Peer::Incompatible(_)))));
}
