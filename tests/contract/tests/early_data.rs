//! Facts Y1, Y2, Y4 and Y8: early data written, read, and not possible.

use offwire::{
    Completion, EarlyDataStatus, Error, Handshake, Misuse, Peer, ReadEarlyData, Settings,
    WriteEarlyData, WriteMode,
};
use offwire_contract::early::{
    Answer, block, early_contexts, early_pair, read_all_early, read_early, with_session,
};
use offwire_contract::{FULL, WRITE_MODES, feed, noise, sent, waiting};
use offwire_testkit::{ContentType, Contexts, Cuts, Pair, Progress, Side, records};

const LIMIT: u32 = 1 << 17;

fn early(answer: Answer) -> Pair {
    early_pair(answer, LIMIT, Settings::default())
}

fn types(wire: &[u8]) -> Vec<ContentType> {
    let records = records::split_whole(wire);
    records.iter().map(|record| record.content_type).collect()
}

#[test]
fn y1_the_first_early_write_emits_client_hello_and_the_record_and_later_ones_a_record_each() {
    let mut pair = early(Answer::Accepts);
    let written = WriteEarlyData::Written(5);
    assert_eq!(pair.client.early_data(), EarlyDataStatus::NotOffered);
    assert_eq!(pair.client.write_early_data(b"first"), Ok(written));
    assert_eq!(pair.client.early_data(), EarlyDataStatus::Offered);
    let flight = [
        ContentType::HANDSHAKE,
        ContentType::CHANGE_CIPHER_SPEC,
        ContentType::APPLICATION_DATA,
    ];
    assert_eq!(types(pair.client.outgoing()), flight);
    let before = waiting(&pair.client);
    assert_eq!(pair.client.write_early_data(b"later"), Ok(written));
    assert_eq!(waiting(&pair.client) - before, 5 + 22);
    assert_eq!(read_all_early(&mut pair), b"firstlater");
    assert_eq!(pair.server.early_data(), EarlyDataStatus::Accepted);
    pair.handshake();
    assert_eq!(pair.client.early_data(), EarlyDataStatus::Accepted);
    assert_eq!(pair.client.rejected_early_data(), 0);
    for side in Side::BOTH {
        assert_eq!(pair.exchange(side, b"behind it"), b"behind it");
    }
    pair.close();
}

#[test]
fn y1_a_blocked_early_write_is_repeated_and_its_bytes_are_sent_once() {
    for settings in [Settings::default(), sent()] {
        let mut pair = early_pair(Answer::Accepts, LIMIT, settings.outgoing_limit(0));
        let bytes = noise(3 * FULL + 100);
        let mut blocked = 0;
        let mut outcome = pair.client.write_early_data(&bytes).unwrap();
        let mut arrived = Vec::new();
        while outcome == WriteEarlyData::NeedWrite {
            blocked += 1;
            assert!(waiting(&pair.client) <= 16_413 + 128, "the bound");
            // The same bytes at another address, one byte of output at a time at first.
            let moved = if blocked < 40 { 1 } else { usize::MAX };
            pair.move_to_server(moved.min(waiting(&pair.client)));
            if let (ReadEarlyData::Read(_), bytes) = read_early(&mut pair.server).unwrap() {
                arrived.extend_from_slice(&bytes);
            }
            outcome = pair.client.write_early_data(&bytes.clone()).unwrap();
        }
        assert_eq!(outcome, WriteEarlyData::Written(bytes.len()));
        assert!(blocked > 40);
        if settings.effective_completion() == Completion::Sent {
            assert_eq!(waiting(&pair.client), 0, "success means that all has left");
        }
        assert_eq!(pair.client.committed(), 0);
        arrived.extend_from_slice(&read_all_early(&mut pair));
        assert_eq!(arrived, bytes);
    }
}

#[test]
fn y1_x1_a_changed_retry_of_an_early_write_is_refused_and_the_right_one_goes_on() {
    let mut pair = early_pair(
        Answer::Accepts,
        LIMIT,
        Settings::default().outgoing_limit(0),
    );
    let bytes = noise(FULL + 100);
    // The ClientHello leaves first: a record is never shortened to the room behind it.
    block(&mut pair, Side::Client, &bytes);
    assert_eq!(pair.client.committed(), FULL);
    let refused: Error = Misuse::BadWriteRetry.into();
    let mut changed = bytes.clone();
    changed[7] ^= 1;
    for retry in [&changed, &bytes[..FULL - 1], b""] {
        assert_eq!(pair.client.write_early_data(retry), Err(refused.clone()));
    }
    assert_eq!(pair.client.write(&bytes), Err(refused), "the other verb's");
    let mut longer = bytes.clone();
    longer.extend_from_slice(b"more");
    pair.settle_towards(Side::Server);
    let all = WriteEarlyData::Written(longer.len());
    assert_eq!(pair.client.write_early_data(&longer), Ok(all));
    assert_eq!(read_all_early(&mut pair), longer);
}

#[test]
fn y1_partial_mode_takes_one_record_a_call_and_whole_mode_everything() {
    for mode in WRITE_MODES {
        let settings = Settings::default().write_mode(mode).max_record_size(1000);
        let mut pair = early_pair(Answer::Accepts, LIMIT, settings);
        let bytes = noise(2500);
        let taken = match mode {
            WriteMode::Whole => 2500,
            WriteMode::Partial => 1000,
        };
        let written = WriteEarlyData::Written(taken);
        assert_eq!(pair.client.write_early_data(&bytes), Ok(written));
        let data = types(pair.client.outgoing());
        assert_eq!(data.len(), 2 + taken.div_ceil(1000));
        assert_eq!(read_all_early(&mut pair), bytes[..taken]);
    }
}

#[test]
fn y1_an_empty_early_write_says_whether_one_is_possible_and_emits_no_record() {
    let mut pair = early(Answer::Accepts);
    assert_eq!(
        pair.client.write_early_data(b""),
        Ok(WriteEarlyData::Written(0))
    );
    assert!(!types(pair.client.outgoing()).contains(&ContentType::APPLICATION_DATA));

    let mut pair = early_pair(Answer::Accepts, LIMIT, sent());
    assert_eq!(
        pair.client.write_early_data(b""),
        Ok(WriteEarlyData::NeedWrite)
    );
    pair.settle();
    assert_eq!(
        pair.client.write_early_data(b""),
        Ok(WriteEarlyData::Written(0))
    );
}

#[test]
fn y2_a_server_reads_each_record_then_waits_for_the_end() {
    let mut pair = early(Answer::Accepts);
    for record in [&b"one"[..], b"two"] {
        let written = WriteEarlyData::Written(3);
        assert_eq!(pair.client.write_early_data(record), Ok(written));
    }
    let (outcome, _) = read_early(&mut pair.server).unwrap();
    assert_eq!(outcome, ReadEarlyData::NeedRead);
    pair.settle_towards(Side::Server);
    assert_eq!(
        pair.server.read_early_data(&mut []),
        Ok(ReadEarlyData::Read(0))
    );
    assert_eq!(pair.server.pending(), 3);
    assert_eq!(read_early(&mut pair.server).unwrap().1, b"one");
    let mut two = [0; 2];
    assert_eq!(
        pair.server.read_early_data(&mut two),
        Ok(ReadEarlyData::Read(2))
    );
    assert_eq!(&two, b"tw");
    assert_eq!(read_early(&mut pair.server).unwrap().1, b"o");
    assert_eq!(pair.server.early_data(), EarlyDataStatus::Accepted);
    let mut last = [0; 9];
    let waits = Ok(ReadEarlyData::NeedWrite);
    assert_eq!(pair.server.read_early_data(&mut last), waits, "its flight");
    pair.settle_towards(Side::Client);
    let waits = Ok(ReadEarlyData::NeedRead);
    assert_eq!(pair.server.read_early_data(&mut last), waits);
    assert_eq!(pair.client.handshake(), Ok(Handshake::Complete));
    pair.settle_towards(Side::Server);
    for _ in 0..2 {
        let ended = Ok(ReadEarlyData::Ended);
        assert_eq!(pair.server.read_early_data(&mut last), ended);
    }
    assert!(pair.server.negotiated().is_some(), "that call completed it");
}

#[test]
fn y2_without_early_data_the_end_comes_before_the_clients_finished() {
    let no_offer = early_contexts(LIMIT, Settings::default());
    let (_, server) = no_offer.build();
    let (stranger, _) = Contexts::new().build();
    let mut full = Pair::new(&stranger, &server, &no_offer);

    // Resumed, but without an offer.
    let (client, server) = with_session(&no_offer, Answer::Accepts);
    let client = client.with_settings(Settings::default());
    let mut resumed = Pair::new(&client, &server, &no_offer);

    for pair in [&mut full, &mut resumed] {
        assert_eq!(pair.client.handshake(), Ok(Handshake::NeedWrite));
        pair.settle_towards(Side::Server);
        let (outcome, _) = read_early(&mut pair.server).unwrap();
        assert_eq!(outcome, ReadEarlyData::Ended);
        assert!(pair.server.negotiated().is_none());
        assert_eq!(pair.server.early_data(), EarlyDataStatus::NotOffered);
        pair.handshake();
        assert_eq!(
            read_early(&mut pair.server).unwrap().0,
            ReadEarlyData::Ended
        );
    }
}

#[test]
fn y2_the_end_comes_as_soon_as_it_is_known_that_early_data_is_rejected() {
    // A full handshake and a HelloRetryRequest reject by themselves; in a resumed one a record
    // must show it.
    for (answer, offered) in [
        (Answer::ForgotSession, &b""[..]),
        (Answer::Retries, b""),
        (Answer::OtherProtocol, b"early"),
    ] {
        let mut pair = early(answer);
        let written = WriteEarlyData::Written(offered.len());
        assert_eq!(pair.client.write_early_data(offered), Ok(written));
        pair.settle_towards(Side::Server);
        let (outcome, _) = read_early(&mut pair.server).unwrap();
        assert_eq!(outcome, ReadEarlyData::Ended, "{answer:?}");
        assert!(pair.server.negotiated().is_none());
        assert_eq!(pair.server.early_data(), EarlyDataStatus::Rejected);
    }
}

#[test]
fn y2_early_data_is_read_however_its_bytes_are_cut() {
    for cuts in [Cuts::Bytes(1), Cuts::Bytes(7), Cuts::Seeded(3), Cuts::Whole] {
        for settings in [Settings::default(), sent()] {
            let mut pair = early_pair(Answer::Accepts, LIMIT, settings).cuts(cuts);
            let bytes = noise(900);
            let mut written = 0;
            let mut arrived = Vec::new();
            pair.run_until("early data", |pair| {
                if written < bytes.len() {
                    let next = &bytes[written..bytes.len().min(written + 300)];
                    if let WriteEarlyData::Written(n) = pair.client.write_early_data(next).unwrap()
                    {
                        written += n;
                    }
                } else {
                    let _ = pair.client.handshake().unwrap();
                }
                let (outcome, early) = read_early(&mut pair.server).unwrap();
                arrived.extend_from_slice(&early);
                if outcome == ReadEarlyData::Ended {
                    Progress::Done
                } else {
                    Progress::None
                }
            });
            assert_eq!(arrived, bytes);
            pair.handshake();
            assert_eq!(pair.client.early_data(), EarlyDataStatus::Accepted);
            assert_eq!(pair.server.early_data(), EarlyDataStatus::Accepted);
        }
    }
}

#[test]
fn y4_the_other_verbs_of_a_server_wait_for_early_data_to_be_read() {
    let mut pair = early(Answer::Accepts);
    let written = WriteEarlyData::Written(5);
    assert_eq!(pair.client.write_early_data(b"first"), Ok(written));
    pair.settle_towards(Side::Server);
    let unread: Error = Misuse::EarlyDataUnread.into();
    for _ in 0..2 {
        assert_eq!(pair.server.write(b"answer"), Err(unread.clone()));
        assert_eq!(pair.server.handshake(), Err(unread.clone()));
        assert_eq!(pair.server.read(&mut [0; 9]), Err(unread.clone()));
        assert_eq!(pair.server.peek(&mut [0; 9]), Err(unread.clone()));
        assert_eq!(pair.server.read_bytes(), Err(unread.clone()));
    }
    assert_eq!(pair.server.committed(), 0);
    assert_eq!(read_all_early(&mut pair), b"first", "harmless");
    assert_eq!(pair.exchange(Side::Server, b"answer"), b"answer");
}

#[test]
fn y8_without_a_session_or_permission_early_data_ends_at_once_and_is_written_as_usual() {
    let contexts = early_contexts(LIMIT, Settings::default());
    let mut no_session = Pair::of(&contexts);
    let (client, server) = with_session(&contexts, Answer::Accepts);
    let client = client.with_settings(Settings::default());
    let mut not_permitted = Pair::new(&client, &server, &contexts);
    for pair in [&mut no_session, &mut not_permitted] {
        let ended = Ok(WriteEarlyData::Ended(0));
        assert_eq!(pair.client.write_early_data(b"early"), ended);
        assert_eq!(pair.client.early_data(), EarlyDataStatus::NotOffered);
        assert_eq!(pair.exchange(Side::Client, b"early"), b"early");
        assert_eq!(pair.client.write_early_data(b"late"), ended, "afterwards");
        assert_eq!(pair.client.rejected_early_data(), 0);
    }
}

#[test]
fn y8_a_client_reads_no_early_data() {
    let mut pair = early(Answer::Accepts);
    let refused: Result<ReadEarlyData, Error> = Err(Misuse::EarlyDataReadByClient.into());
    assert_eq!(pair.client.read_early_data(&mut [0; 9]), refused);
    assert_eq!(pair.client.outgoing(), b"", "nothing is driven");
    pair.handshake();
    assert_eq!(pair.client.read_early_data(&mut [0; 9]), refused);
    assert_eq!(pair.exchange(Side::Client, b"usual"), b"usual");
}

#[test]
fn a_dead_connection_returns_its_error_from_the_early_verbs() {
    let mut pair = early(Answer::Accepts);
    for side in Side::BOTH {
        let engine = pair.engine(side);
        feed(engine, b"GET / HTTP/1.1\r\n\r\n");
        let error = engine.handshake().unwrap_err();
        assert_eq!(engine.write_early_data(b"x"), Err(error.clone()));
        assert_eq!(engine.read_early_data(&mut [0; 9]), Err(error));
        assert_eq!(engine.rejected_early_data(), 0);
    }
}

#[test]
fn the_end_of_the_transport_in_early_data_is_an_error_behind_what_came() {
    let mut pair = early(Answer::Accepts);
    let written = WriteEarlyData::Written(5);
    assert_eq!(pair.client.write_early_data(b"early"), Ok(written));
    pair.settle_towards(Side::Server);
    pair.server.feed_eof();
    assert_eq!(read_early(&mut pair.server).unwrap().1, b"early");
    let ended: Error = Peer::HandshakeTruncated.into();
    assert_eq!(read_early(&mut pair.server).unwrap_err(), ended);
}
