//! Buffers that many engines share: what they cost each, what is lent to whom, and that no byte changes
//! owner.

use allocation_counter::measure;
use offwire::{BufferPool, Engine, Read, Settings, Write};
use offwire_testkit::{Contexts, Pair, Side};
use proptest::prelude::*;

const MIB: usize = 1 << 20;

fn connected(contexts: &Contexts) -> Pair {
    let mut pair = Pair::of(contexts);
    pair.handshake();
    pair
}

/// Moves one message to the server, whose `into` has room for a whole record, each engine with the pool's
/// buffers.
fn carry(pair: &mut Pair, pool: &mut BufferPool, message: &[u8], into: &mut [u8]) {
    let Pair { client, server, .. } = pair;
    client.borrow_buffers(pool);
    assert_eq!(client.write(message), Ok(Write::Written(message.len())));
    server.borrow_buffers(pool);
    let mut read = 0;
    loop {
        let taken = server.feed(client.outgoing());
        client.sent(taken).expect("no more than was there");
        match server.read(into) {
            Ok(Read::Read(length)) => read += length,
            outcome => {
                assert_eq!(outcome, Ok(Read::NeedRead));
                if client.outgoing().is_empty() {
                    break;
                }
            }
        }
    }
    assert_eq!(read, message.len());
    client.return_buffers(pool);
    server.return_buffers(pool);
}

/// What dropping an engine gives back to the allocator.
fn heap(engine: Engine) -> usize {
    usize::try_from(-measure(|| drop(engine)).bytes_current).expect("a drop frees")
}

#[test]
fn a_hundred_busy_connections_share_two_buffers() {
    let contexts = Contexts::new();
    let mut pool = BufferPool::new(1);
    let mut into = vec![0; 16_385];
    let message = vec![5; 16_384];
    let mut pairs: Vec<Pair> = (0..50).map(|_| connected(&contexts)).collect();
    for _ in 0..64 {
        for pair in &mut pairs {
            carry(pair, &mut pool, &message, &mut into);
        }
    }
    // A record and its header each way, in storage that doubles.
    assert!((32_768..=2 * 32_768).contains(&pool.bytes()), "{pool:?}");

    let idle = {
        let mut pair = connected(&contexts);
        pair.client.release();
        pair.server.release();
        (heap(pair.client), heap(pair.server))
    };
    for pair in pairs {
        let (client, server) = (heap(pair.client), heap(pair.server));
        // Only the two expanded keys, and they are the C allocator's.
        assert!(client <= idle.0 && server <= idle.1, "{client} {server}");
    }
}

#[test]
fn nothing_is_allocated_once_the_buffers_have_grown() {
    let contexts = Contexts::new();
    let mut pool = BufferPool::new(1);
    let mut into = vec![0; 16_385];
    let message = vec![5; 3 * 16_384];
    let mut pairs: Vec<Pair> = (0..3).map(|_| connected(&contexts)).collect();
    let mut round = || {
        for pair in &mut pairs {
            carry(pair, &mut pool, &message, &mut into);
        }
    };
    (0..4).for_each(|_| round());
    let steady = measure(|| (0..16).for_each(|_| round()));
    assert_eq!(steady.count_total, 0, "{steady:?}");
}

#[test]
fn a_queue_that_holds_something_keeps_its_storage() {
    let mut pair = connected(&Contexts::new());
    let mut pool = BufferPool::new(8);
    let message = vec![9; 20_000];
    assert_eq!(pair.client.write(&message), Ok(Write::Written(20_000)));
    let waiting = pair.client.outgoing().to_vec();
    pair.client.return_buffers(&mut pool);
    assert_eq!(pool.bytes(), 0);
    assert_eq!(pair.client.outgoing(), waiting);

    pair.server.feed(&waiting);
    let mut first = [0; 100];
    assert_eq!(pair.server.read(&mut first), Ok(Read::Read(100)));
    pair.server.return_buffers(&mut pool);
    assert_eq!(pool.bytes(), 0);
    pair.client.sent(waiting.len()).expect("it waits");
    let mut rest = vec![0; 20_000];
    assert_eq!(pair.server.read(&mut rest), Ok(Read::Read(16_284)));
    assert_eq!(pair.server.read(&mut rest), Ok(Read::Read(3_616)));

    pair.client.return_buffers(&mut pool);
    let one = pool.bytes();
    pair.server.return_buffers(&mut pool);
    assert!(one >= 20_000 && pool.bytes() >= 2 * 20_000, "{pool:?}");
    pool.clear();
    assert_eq!(pool.bytes(), 0);
}

#[test]
fn a_pool_keeps_no_more_than_it_may_and_no_small_storage() {
    let contexts = Contexts::new();
    let mut pairs: Vec<Pair> = (0..4).map(|_| connected(&contexts)).collect();
    let mut pool = BufferPool::new(2);
    for pair in &mut pairs {
        assert_eq!(pair.exchange(Side::Client, b"small"), b"small");
        pair.client.return_buffers(&mut pool);
    }
    assert_eq!(pool.bytes(), 0);
    for pair in &mut pairs {
        assert_eq!(pair.exchange(Side::Client, &[1; MIB]), [1; MIB]);
    }
    for pair in &mut pairs {
        pair.client.return_buffers(&mut pool);
    }
    let two = pool.bytes();
    let settings = pairs[0].client.settings();
    // A storage has room for one record more than the limit, and the control reserve.
    let largest = settings.effective_outgoing_limit() + 16_413 + 128;
    assert!((MIB / 16..=2 * largest).contains(&two), "{two}");
    let mut nothing = BufferPool::new(0);
    pairs[0].server.return_buffers(&mut nothing);
    assert_eq!(nothing.bytes(), 0);
}

#[test]
fn nothing_larger_is_lent_than_the_queue_could_grow_to() {
    let wide = Contexts::new().settings(
        Settings::default()
            .outgoing_limit(1 << 20)
            .incoming_limit(1 << 20),
    );
    let mut pool = BufferPool::new(2);
    let mut pair = connected(&wide);
    let message = vec![3; 900_000];
    assert_eq!(pair.client.write(&message), Ok(Write::Written(900_000)));
    assert_eq!(
        pair.server.feed(pair.client.outgoing()),
        pair.client.outgoing().len()
    );
    let sent = pair.client.outgoing().len();
    pair.client.sent(sent).expect("it waits");
    let mut into = vec![0; 16_385];
    while let Ok(Read::Read(_)) = pair.server.read(&mut into) {}
    pair.client.return_buffers(&mut pool);
    pair.server.return_buffers(&mut pool);
    let bytes = pool.bytes();
    assert!(bytes > 1_800_000, "{bytes}");

    let mut other = connected(&wide);
    other.client.borrow_buffers(&mut pool);
    other.server.borrow_buffers(&mut pool);
    assert_eq!(pool.bytes(), 0);
    other.client.return_buffers(&mut pool);
    other.server.return_buffers(&mut pool);
    assert_eq!(pool.bytes(), bytes);

    // What is too large for it makes room for what is not.
    let mut narrow = connected(&Contexts::new());
    narrow.client.borrow_buffers(&mut pool);
    narrow.server.borrow_buffers(&mut pool);
    narrow.client.return_buffers(&mut pool);
    narrow.server.return_buffers(&mut pool);
    assert!(pool.bytes() < bytes - MIB, "{pool:?}");
    assert_eq!(narrow.exchange(Side::Client, &[4; MIB]), [4; MIB]);
    narrow.client.return_buffers(&mut pool);
    assert!(pool.bytes() > 65_536, "{pool:?}");
}

#[test]
fn a_handshake_that_grows_leaves_nothing_in_the_pool() {
    let contexts = Contexts::new();
    let (_, server) = contexts.build();
    let mut pool = BufferPool::new(1);
    let mut hostile = server.accept();
    // A ClientHello of 64 KiB in records of one byte.
    let records = [1, 0, 255, 255].into_iter().chain(core::iter::repeat(0));
    for byte in records.take(21_000) {
        hostile.feed(&[22, 3, 1, 0, 1, byte]);
        hostile.return_buffers(&mut pool);
        assert_eq!(pool.bytes(), 0);
    }
    for byte in [0; 21_000] {
        hostile.feed(&[22, 3, 1, 0, 1, byte]);
        let dead = hostile.handshake().is_err();
        hostile.return_buffers(&mut pool);
        assert_eq!(pool.bytes(), 0);
        if dead {
            break;
        }
    }
    assert!(hostile.handshake().is_err());

    let mut pair = connected(&contexts);
    let mut into = vec![0; 16_385];
    carry(&mut pair, &mut pool, &[6; 16_384], &mut into);
    let bytes = pool.bytes();
    assert!(bytes >= 32_768, "{pool:?}");
    pair.client.borrow_buffers(&mut pool);
    pair.server.borrow_buffers(&mut pool);
    assert_eq!(pool.bytes(), 0);
}

#[test]
fn nothing_is_lent_before_the_handshake_is_complete_or_to_the_dead() {
    let contexts = Contexts::new();
    let mut pool = BufferPool::new(4);
    let mut pair = connected(&contexts);
    assert_eq!(pair.exchange(Side::Client, &[1; MIB]), [1; MIB]);
    pair.client.return_buffers(&mut pool);
    pair.server.return_buffers(&mut pool);
    let bytes = pool.bytes();
    assert!(bytes > 0);

    let mut fresh = Pair::of(&contexts);
    fresh.client.borrow_buffers(&mut pool);
    fresh.server.borrow_buffers(&mut pool);
    assert_eq!(pool.bytes(), bytes);
    fresh.handshake();

    fresh.server.feed(&[
        23, 3, 3, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    let mut into = [0; 10];
    assert!(fresh.server.read(&mut into).is_err());
    fresh.server.borrow_buffers(&mut pool);
    assert_eq!(pool.bytes(), bytes);
    let alert = fresh.server.outgoing().to_vec();
    fresh.server.return_buffers(&mut pool);
    assert_eq!(fresh.server.outgoing(), alert);
}

/// One move of one of the connections that share a pool.
#[derive(Clone, Debug)]
enum Move {
    Write(usize),
    Carry(usize),
    Read(usize),
    Borrow,
    Return,
    Release,
}

fn moves() -> impl Strategy<Value = Vec<(usize, Side, Move)>> {
    let step = prop_oneof![
        4 => (1..40_000_usize).prop_map(Move::Write),
        4 => (1..50_000_usize).prop_map(Move::Carry),
        4 => (1..20_000_usize).prop_map(Move::Read),
        3 => Just(Move::Borrow),
        3 => Just(Move::Return),
        1 => Just(Move::Release),
    ];
    let side = prop_oneof![Just(Side::Client), Just(Side::Server)];
    proptest::collection::vec((0..3_usize, side, step), 1..200)
}

/// What one direction of one connection has been given, and what came out.
#[derive(Default)]
struct Stream {
    written: Vec<u8>,
    read: usize,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_byte_changes_owner_whatever_the_pool_does(moves in moves()) {
        let contexts = Contexts::new();
        let mut pool = BufferPool::new(2);
        let mut pairs: Vec<Pair> = (0..3).map(|_| connected(&contexts)).collect();
        let mut streams: Vec<[Stream; 2]> = (0..3).map(|_| Default::default()).collect();
        let mut seed = 0_u8;
        for (at, side, step) in moves {
            let (pair, streams) = (&mut pairs[at], &mut streams[at]);
            let (direction, other) = match side {
                Side::Client => (0, Side::Server),
                Side::Server => (1, Side::Client),
            };
            match step {
                Move::Write(length) => {
                    // A blocked write owes a retry, which is not what is looked at here.
                    let room = pair.engine(side).settings().effective_outgoing_limit()
                        .saturating_sub(pair.engine(side).outgoing_slices().iter().map(|slice| slice.len()).sum());
                    let length = length.min(room.saturating_sub(200) / 2);
                    seed = seed.wrapping_add(97);
                    let bytes: Vec<u8> = (0..length).map(|each| seed ^ each.to_le_bytes()[0]).collect();
                    if length > 0 {
                        prop_assert_eq!(pair.engine(side).write(&bytes), Ok(Write::Written(length)));
                        streams[direction].written.extend(bytes);
                    }
                }
                Move::Carry(most) => {
                    let run = pair.engine(side).outgoing();
                    let run = run[..run.len().min(most)].to_vec();
                    let taken = pair.engine(other).feed(&run);
                    pair.engine(side).sent(taken).expect("it waits");
                }
                Move::Read(length) => {
                    let mut into = vec![0; length];
                    if let Read::Read(count) = pair.engine(other).read(&mut into).expect("nothing is wrong") {
                        let stream = &mut streams[direction];
                        prop_assert!(stream.written[stream.read..].starts_with(&into[..count]));
                        stream.read += count;
                    }
                }
                Move::Borrow => pair.engine(side).borrow_buffers(&mut pool),
                Move::Return => pair.engine(side).return_buffers(&mut pool),
                Move::Release => pair.engine(side).release(),
            }
        }
        for (pair, streams) in pairs.iter_mut().zip(&mut streams) {
            for (side, direction) in [(Side::Client, 0), (Side::Server, 1)] {
                let stream = &mut streams[direction];
                let mut rest = Vec::new();
                let other = if direction == 0 { Side::Server } else { Side::Client };
                while stream.read + rest.len() < stream.written.len() {
                    pair.engine(other).borrow_buffers(&mut pool);
                    let run = pair.engine(side).outgoing().to_vec();
                    let taken = pair.engine(other).feed(&run);
                    pair.engine(side).sent(taken).expect("it waits");
                    let (mut into, before) = ([0; 16_385], rest.len());
                    while let Read::Read(count) =
                        pair.engine(other).read(&mut into).expect("nothing is wrong")
                    {
                        rest.extend_from_slice(&into[..count]);
                    }
                    prop_assert!(taken > 0 || rest.len() > before, "bytes are lost");
                    pair.engine(other).return_buffers(&mut pool);
                }
                prop_assert_eq!(&rest[..], &stream.written[stream.read..]);
            }
        }
    }
}
