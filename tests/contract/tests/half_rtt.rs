//! Fact Y3: what a server writes before the handshake is complete.

use offwire::{Handshake, Settings, WriteEarlyData};
use offwire_contract::early::{
    Answer, block, early_pair, read_all_early, read_at_client, read_early,
};
use offwire_contract::{FULL, feed, noise, read, sent, take, waiting};
use offwire_testkit::{Contexts, Pair, Side};

const LIMIT: u32 = 1 << 17;

fn early(answer: Answer) -> Pair {
    early_pair(answer, LIMIT, Settings::default())
}

#[test]
fn y3_a_server_answers_early_data_before_the_client_is_done() {
    let mut pair = early(Answer::Accepts);
    let request = WriteEarlyData::Written(7);
    assert_eq!(pair.client.write_early_data(b"request"), Ok(request));
    pair.settle_towards(Side::Server);
    let answer = WriteEarlyData::Written(6);
    // Before it is read, and after.
    assert_eq!(pair.server.write_early_data(b"answer"), Ok(answer));
    assert_eq!(read_early(&mut pair.server).unwrap().1, b"request");
    assert_eq!(pair.server.write_early_data(b", more"), Ok(answer));
    pair.settle_towards(Side::Client);
    assert_eq!(read(&mut pair.client).unwrap().1, b"answer");
    assert_eq!(read(&mut pair.client).unwrap().1, b", more");
    pair.handshake();
    let ended = Ok(WriteEarlyData::Ended(0));
    assert_eq!(pair.server.write_early_data(b"late"), ended);
    assert_eq!(pair.exchange(Side::Server, b"late"), b"late");
}

#[test]
fn y3_half_rtt_data_needs_the_client_hello_and_is_blocked_and_repeated_like_any_write() {
    for answer in [Answer::Accepts, Answer::ForgotSession] {
        for settings in [Settings::default(), sent()] {
            let mut pair = early_pair(answer, LIMIT, settings.outgoing_limit(0));
            let bytes = noise(2 * FULL + 50);
            let first = pair.server.write_early_data(&bytes);
            assert_eq!(first, Ok(WriteEarlyData::NeedRead));
            assert_eq!(pair.client.handshake(), Ok(Handshake::NeedWrite));
            pair.settle_towards(Side::Server);
            let mut outcome = pair.server.write_early_data(&bytes).unwrap();
            let mut wire = Vec::new();
            while outcome == WriteEarlyData::NeedWrite {
                assert!(waiting(&pair.server) <= 16_413 + 128, "the bound");
                wire.extend_from_slice(&take(&mut pair.server));
                outcome = pair.server.write_early_data(&bytes).unwrap();
            }
            assert_eq!(outcome, WriteEarlyData::Written(bytes.len()));
            wire.extend_from_slice(&take(&mut pair.server));
            feed(&mut pair.client, &wire);
            assert!(read_at_client(&mut pair, bytes.len()) == bytes);
            assert_eq!(read_all_early(&mut pair), b"");
            assert_eq!(pair.exchange(Side::Server, b"behind it"), b"behind it");
        }
    }
}

#[test]
fn y3_a_half_rtt_write_that_the_handshake_overtakes_ends_with_what_is_sealed() {
    let mut pair = early_pair(
        Answer::Accepts,
        LIMIT,
        Settings::default().outgoing_limit(0),
    );
    assert_eq!(pair.client.handshake(), Ok(Handshake::NeedWrite));
    pair.settle_towards(Side::Server);
    let bytes = noise(FULL + 1000);
    block(&mut pair, Side::Server, &bytes);
    assert_eq!(pair.server.committed(), FULL);
    pair.settle_towards(Side::Client);
    assert!(read_at_client(&mut pair, FULL) == bytes[..FULL]);
    pair.settle_towards(Side::Server);
    assert_eq!(read_all_early(&mut pair), b"");
    let ended = Ok(WriteEarlyData::Ended(FULL));
    assert_eq!(pair.server.write_early_data(&bytes), ended);
    assert_eq!(pair.server.committed(), 0);
    assert_eq!(pair.exchange(Side::Server, &bytes[FULL..]), bytes[FULL..]);
}

#[test]
fn y3_without_permission_half_rtt_data_is_not_possible() {
    let contexts = Contexts::new();
    let authenticated = Contexts::new().half_rtt().client_auth();
    for contexts in [contexts, authenticated] {
        let mut pair = Pair::of(&contexts);
        assert_eq!(pair.client.handshake(), Ok(Handshake::NeedWrite));
        pair.settle_towards(Side::Server);
        let ended = Ok(WriteEarlyData::Ended(0));
        assert_eq!(pair.server.write_early_data(b"early"), ended);
        assert_eq!(pair.exchange(Side::Server, b"in time"), b"in time");
    }
}

#[test]
fn what_is_sealed_or_opened_early_is_counted_on_the_wire_alone() {
    let mut pair = early(Answer::Accepts);
    let request = WriteEarlyData::Written(7);
    assert_eq!(pair.client.write_early_data(b"request"), Ok(request));
    assert!(pair.client.stats().wire_sent == 0 && waiting(&pair.client) > 22 + 7);
    pair.settle_towards(Side::Server);
    assert_eq!(read_early(&mut pair.server).unwrap().1, b"request");
    let answer = WriteEarlyData::Written(6);
    assert_eq!(pair.server.write_early_data(b"answer"), Ok(answer));
    pair.settle_towards(Side::Client);
    assert_eq!(read(&mut pair.client).unwrap().1, b"answer");
    assert_eq!(read_all_early(&mut pair), b"");
    for engine in [&pair.client, &pair.server] {
        assert_eq!(engine.stats().plaintext_sealed, 0);
    }
    assert_eq!(pair.server.stats().plaintext_opened, 0);
    // Not early to the client, which has the server's Finished.
    assert_eq!(pair.client.stats().plaintext_opened, 6);
}
