//! Facts Y5 to Y7: how early data ends, and what becomes of it when the server rejects it.

use offwire::{
    Alert, EarlyDataStatus, Error, Handshake, Misuse, Peer, Read, Server, Settings, Write,
    WriteEarlyData,
};
use offwire_contract::early::{
    Answer, block, early_contexts, early_pair, read_all_early, read_early, write_early_all,
};
use offwire_contract::{FULL, WRITE_MODES, feed, noise, read_outcome, sent, take};
use offwire_testkit::{Cuts, Pair, Progress, Side};

const LIMIT: u32 = 1 << 17;

fn early(answer: Answer) -> Pair {
    early_pair(answer, LIMIT, Settings::default())
}

#[test]
fn y5_a_write_ends_early_data_and_a_read_leaves_it_open_until_the_servers_finished() {
    let mut pair = early(Answer::Accepts);
    let written = WriteEarlyData::Written(5);
    assert_eq!(pair.client.write_early_data(b"early"), Ok(written));
    let _ = pair.client.read(&mut [0; 9]).unwrap();
    assert_eq!(
        pair.client.write_early_data(b"after"),
        Ok(written),
        "a read"
    );
    assert_eq!(pair.client.write(b"usual"), Ok(Write::NeedWrite));
    let ended = Ok(WriteEarlyData::Ended(0));
    assert_eq!(
        pair.client.write_early_data(b"again"),
        ended,
        "no early write after it"
    );
    assert_eq!(read_all_early(&mut pair), b"earlyafter");
    assert_eq!(pair.exchange(Side::Client, b"usual"), b"usual");

    let mut pair = early(Answer::Accepts);
    assert_eq!(pair.client.handshake(), Ok(Handshake::NeedWrite));
    assert_eq!(pair.client.write_early_data(b"again"), ended, "a handshake");
    pair.settle_towards(Side::Server);
    assert_eq!(read_all_early(&mut pair), b"");
    pair.handshake();
    assert_eq!(pair.client.early_data(), EarlyDataStatus::Accepted);
    assert_eq!(pair.server.early_data(), EarlyDataStatus::Accepted);
}

#[test]
fn y5_an_early_write_that_the_handshake_overtakes_ends_with_what_is_sealed() {
    for settings in [Settings::default(), sent()] {
        let mut pair = early_pair(Answer::Accepts, LIMIT, settings.outgoing_limit(0));
        let bytes = noise(FULL + 1000);
        block(&mut pair, Side::Client, &bytes);
        assert_eq!(pair.client.committed(), FULL);
        // The record leaves, the server answers, and a read meets its Finished.
        pair.settle_towards(Side::Server);
        assert_eq!(read_all_early(&mut pair), bytes[..FULL]);
        let ended = Ok(WriteEarlyData::Ended(FULL));
        assert_eq!(pair.client.write_early_data(&bytes), ended);
        assert_eq!(pair.client.committed(), 0);
        assert_eq!(pair.exchange(Side::Client, &bytes[FULL..]), bytes[FULL..]);
    }
}

#[test]
fn y6_rejected_early_data_is_told_exactly_and_nothing_is_written_before_it() {
    for answer in Answer::REJECTIONS {
        for cuts in [Cuts::Whole, Cuts::Bytes(1)] {
            let mut pair = early(answer).cuts(cuts);
            let bytes = noise(700);
            let (written, wire) = write_early_all(&mut pair.client, &bytes).unwrap();
            assert_eq!(written, bytes.len());
            feed(&mut pair.server, &wire);
            assert_eq!(
                read_all_early(&mut pair),
                b"",
                "{answer:?}: none of it is delivered"
            );
            pair.run_until("the handshake", |pair| {
                let _ = pair.server.handshake().unwrap();
                match pair.client.handshake().unwrap() {
                    Handshake::Complete => Progress::Done,
                    Handshake::NeedRead | Handshake::NeedWrite => Progress::None,
                }
            });
            assert_eq!(
                pair.client.early_data(),
                EarlyDataStatus::Rejected,
                "{answer:?}"
            );
            assert_eq!(
                pair.server.early_data(),
                EarlyDataStatus::Rejected,
                "{answer:?}"
            );
            let rejected: Error = Misuse::EarlyDataRejected.into();
            for _ in 0..2 {
                assert_eq!(pair.client.write(b"overtakes"), Err(rejected.clone()));
                assert_eq!(pair.client.write(b""), Ok(Write::Written(0)));
            }
            assert_eq!(pair.client.rejected_early_data(), bytes.len());
            assert_eq!(pair.client.rejected_early_data(), 0, "told once");
            assert_eq!(pair.exchange(Side::Client, &bytes), bytes);
            assert_eq!(pair.exchange(Side::Server, b"answer"), b"answer");
        }
    }
}

#[test]
fn y6_of_a_blocked_early_write_that_is_rejected_nothing_is_written() {
    // A server whose switch is off skips no more than 16 KiB.
    for answer in [
        Answer::ForgotSession,
        Answer::OtherProtocol,
        Answer::Retries,
    ] {
        let mut pair = early_pair(answer, LIMIT, Settings::default().outgoing_limit(0));
        let (told, blocked) = (noise(100), noise(FULL + 1000));
        let (written, wire) = write_early_all(&mut pair.client, &told).unwrap();
        assert_eq!(written, told.len());
        feed(&mut pair.server, &wire);
        block(&mut pair, Side::Client, &blocked);
        assert_eq!(pair.client.committed(), FULL);
        pair.settle_towards(Side::Server);
        assert_eq!(read_all_early(&mut pair), b"");
        pair.run_until("the client's handshake", |pair| {
            let _ = pair.server.handshake().unwrap();
            match pair.client.read(&mut []) {
                Ok(_) if pair.client.negotiated().is_some() => Progress::Done,
                other => {
                    let _ = other.unwrap();
                    Progress::None
                }
            }
        });
        assert_eq!(pair.client.committed(), 0, "{answer:?}");
        let ended = Ok(WriteEarlyData::Ended(0));
        assert_eq!(pair.client.write_early_data(&blocked), ended, "{answer:?}");
        assert_eq!(pair.client.rejected_early_data(), told.len());
        assert_eq!(pair.exchange(Side::Client, &told), told);
        assert_eq!(pair.exchange(Side::Client, &blocked), blocked);
    }
}

#[test]
fn y6_a_server_whose_switch_is_off_skips_early_data() {
    let mut pair = early(Answer::SwitchedOff);
    let written = WriteEarlyData::Written(5);
    assert_eq!(pair.client.write_early_data(b"early"), Ok(written));
    pair.settle_towards(Side::Server);
    assert_eq!(pair.server.read(&mut [0; 9]), Ok(Read::NeedWrite));
    pair.handshake();
    assert_eq!(pair.client.early_data(), EarlyDataStatus::Rejected);
    assert_eq!(pair.client.rejected_early_data(), 5);
}

#[test]
fn y7_what_exceeds_the_sessions_limit_ends_early_data_and_is_written_behind_it() {
    for mode in WRITE_MODES {
        for limit in [1, 999, 1000, 1001, 2500] {
            let settings = Settings::default().write_mode(mode).max_record_size(1000);
            let mut pair = early_pair(Answer::Accepts, limit, settings);
            let bytes = noise(3000);
            let limit = usize::try_from(limit).unwrap();
            let (written, wire) = write_early_all(&mut pair.client, &bytes).unwrap();
            assert_eq!(written, limit, "{mode:?}");
            let ended = Ok(WriteEarlyData::Ended(0));
            assert_eq!(pair.client.write_early_data(&bytes[written..]), ended);
            feed(&mut pair.server, &wire);
            assert_eq!(read_all_early(&mut pair), bytes[..limit]);
            assert_eq!(pair.exchange(Side::Client, &bytes[limit..]), bytes[limit..]);
        }
    }
}

#[test]
fn y7_a_server_refuses_more_than_its_limit() {
    // A server that has lowered its limit since, against a client that uses the old one.
    let contexts = early_contexts(LIMIT, Settings::default());
    let (client, _) = contexts.build();
    let mut config = contexts.server_config();
    let generous = Server::new(config.clone()).with_settings(contexts.build().1.settings());
    let mut first = Pair::new(&client, &generous, &contexts);
    first.handshake();
    assert_eq!(first.exchange(Side::Server, b"tickets"), b"tickets");
    config.max_early_data_size = 100;
    let strict = Server::new(config).with_settings(contexts.build().1.settings());

    let mut pair = Pair::new(&client, &strict, &contexts);
    for record in [&[1; 60], &[2; 60]] {
        let written = WriteEarlyData::Written(60);
        assert_eq!(pair.client.write_early_data(record), Ok(written));
    }
    pair.settle_towards(Side::Server);
    assert_eq!(
        read_early(&mut pair.server).unwrap().1,
        [1; 60],
        "what was within it"
    );
    let refused = read_early(&mut pair.server).unwrap_err();
    assert!(
        matches!(refused, Error::Peer(Peer::HandshakeMisbehaved(_))),
        "{refused:?}"
    );
    assert_eq!(read_early(&mut pair.server).unwrap_err(), refused, "sticky");
    pair.settle_towards(Side::Client);
    let told: Error = Error::Alert(Alert::UNEXPECTED_MESSAGE);
    assert_eq!(read_outcome(&mut pair.client), Err(told));
}

#[test]
fn y5_under_sent_an_early_write_that_the_handshake_overtakes_is_done_once_it_has_left() {
    for limit in [LIMIT, 60] {
        let mut pair = early_pair(Answer::Accepts, limit, sent());
        // The ClientHello and what goes with it leave, the early data does not.
        let blocked = Ok(WriteEarlyData::NeedWrite);
        assert_eq!(pair.client.write_early_data(b""), blocked);
        let hello = pair.client.outgoing().len();
        assert_eq!(pair.client.write_early_data(&[7; 100]), blocked);
        assert_eq!(pair.move_to_server(hello), hello);
        assert_eq!(read_early(&mut pair.server).unwrap().1, b"");
        pair.settle_towards(Side::Client);
        let _ = pair.client.read(&mut []).unwrap();
        assert!(pair.client.negotiated().is_some());
        assert_eq!(pair.client.write_early_data(&[7; 100]), blocked, "not left");
        pair.settle_towards(Side::Server);
        let done = match limit {
            LIMIT => WriteEarlyData::Written(100),
            _ => WriteEarlyData::Ended(60),
        };
        assert_eq!(pair.client.write_early_data(&[7; 100]), Ok(done));
        let expected = 100.min(usize::try_from(limit).unwrap());
        assert_eq!(read_all_early(&mut pair), vec![7; expected]);
    }
}

/// The server may have acted on it: nobody is told to send it again.
#[test]
fn y6_a_handshake_that_fails_leaves_early_data_offered_and_rejects_nothing() {
    let flight = |pair: &mut Pair| {
        let written = pair.client.write_early_data(b"once");
        assert_eq!(written, Ok(WriteEarlyData::Written(4)));
        pair.settle_towards(Side::Server);
        assert_eq!(read_early(&mut pair.server).unwrap().1, b"once");
        assert!(pair.server.read_early_data(&mut [0]).is_ok());
        take(&mut pair.server)
    };
    let length = flight(&mut early_pair(Answer::Accepts, LIMIT, Settings::default())).len();
    let mut failures = 0;
    for at in (0..length).step_by(5) {
        let mut pair = early_pair(Answer::Accepts, LIMIT, Settings::default());
        let mut wire = flight(&mut pair);
        let at = at.min(wire.len() - 1);
        wire[at] ^= 1;
        feed(&mut pair.client, &wire);
        pair.client.feed_eof();
        let outcome = loop {
            match pair.client.handshake() {
                Ok(Handshake::NeedWrite) => drop(take(&mut pair.client)),
                other => break other,
            }
        };
        if outcome.is_ok() {
            continue; // a bit that is ignored
        }
        failures += 1;
        assert_eq!(
            pair.client.early_data(),
            EarlyDataStatus::Offered,
            "at {at}"
        );
        assert_eq!(pair.client.rejected_early_data(), 0, "at {at}");
    }
    assert!(failures > 20, "{failures} of {length} bytes matter");
}
