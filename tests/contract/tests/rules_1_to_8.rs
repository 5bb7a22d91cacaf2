//! Rules 1 to 8 of the write contract, a property each. `schedules.rs` has them all at once,
//! in any order of calls; here each meets the situation it is about.

use offwire::ProtocolVersion::Tls13;
use offwire::{Error, Handshake, KeyUpdate, Misuse, Read, Settings, Write, WriteMode};
use offwire_contract::strategy::{config, settings};
use offwire_contract::{
    FULL, connected_with, feed, noise, overhead, quiet, raw_with, read_outcome, received, sent,
    take, waiting, write_through,
};
use offwire_testkit::strategy::{explained, length, side, version};
use offwire_testkit::{Cuts, Link, Pair, Progress, Side, messages, records};
use proptest::prelude::*;

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn rule_1_a_write_takes_nothing_before_the_handshake_is_complete(
        version in version(), side in side(), settings in settings(), seed in any::<u64>(),
    ) {
        let contexts = quiet(version).settings(settings);
        explained(Pair::of(&contexts).cuts(Cuts::Seeded(seed)).capacity(700), |pair| {
            let mut attempt = 0_u32;
            pair.run_until("the handshake", |pair| {
                let _ = pair.on(side.peer()).handshake().unwrap();
                if pair.engine(side).negotiated().is_some() {
                    return Progress::Done;
                }
                attempt += 1;
                // Other bytes every time; the attempt that completes the handshake is the one taken.
                match pair.on(side).write(&attempt.to_be_bytes()).unwrap() {
                    Write::Written(n) => assert_eq!(n, 4),
                    Write::NeedRead => assert_eq!(pair.engine(side).committed(), 0),
                    Write::NeedWrite => {}
                }
                Progress::None
            });
            let last = attempt.to_be_bytes();
            prop_assert!(pair.engine(side).stats().plaintext_sealed <= 4);
            if pair.engine(side).stats().plaintext_sealed == 0 {
                let written = pair.on(side).write(&last).unwrap();
                prop_assert_ne!(written, Write::NeedRead);
            }
            pair.settle();
            while pair.engine(side).committed() > 0 {
                let written = pair.on(side).write(&last).unwrap();
                prop_assert_eq!(written, Write::Written(4));
            }
            pair.run_until("the peer", |pair| match received(pair.engine(side.peer())).as_slice() {
                [] => Progress::None,
                bytes => {
                    assert_eq!(bytes, last);
                    Progress::Done
                }
            });
            Ok(())
        })?;
    }

    #[test]
    fn rules_2_and_8_a_write_is_cut_into_full_records_and_starts_a_new_one(
        version in version(), lengths in proptest::collection::vec(length(), 1..6),
    ) {
        for mode in [WriteMode::Whole, WriteMode::Partial] {
            let settings = Settings::default().write_mode(mode).outgoing_limit(1 << 20);
            explained(connected_with(version, settings), |pair| {
                let mut expected = Vec::new();
                for len in &lengths {
                    let taken = if mode == WriteMode::Whole { *len } else { FULL.min(*len) };
                    let outcome = pair.on(Side::Client).write(&noise(*len));
                    prop_assert_eq!(outcome, Ok(Write::Written(taken)));
                    expected.extend(noise(taken).chunks(FULL).map(<[u8]>::len));
                }
                let wire = take(&mut pair.client);
                prop_assert_eq!(records::application_lengths(&wire, overhead(version)), expected);
                Ok(())
            })?;
        }
    }

    #[test]
    fn rules_3_and_4_a_retry_is_judged_by_its_committed_bytes(
        version in version(), gone in 0..60_000_usize, cut in 0..70_000_usize,
        place in 0..70_000_usize, more in 0..5_000_usize,
    ) {
        explained(connected_with(version, Settings::default()), |pair| {
            let plaintext = noise(150_000);
            prop_assert_eq!(pair.on(Side::Client).write(&plaintext), Ok(Write::NeedWrite));
            let mut arrived = Vec::new();
            for _ in 0..gone / 1_000 {
                pair.move_to_server(1_000);
                arrived.extend(received(&mut pair.server));
            }
            let committed = pair.client.committed();
            let gone_records = (gone / 1_000 * 1_000) / (FULL + overhead(version));
            let mut retry = plaintext.clone();
            retry.truncate(cut.max(1));
            if let Some(byte) = retry.get_mut(place) {
                *byte ^= 0x10;
            }
            let is_short = retry.len() < committed;
            let is_changed = place < retry.len() && place < committed;
            let has_left = place < gone_records * FULL;
            let outcome = pair.on(Side::Client).write(&retry);
            if is_short || (is_changed && !has_left) {
                prop_assert_eq!(outcome, Err(Error::Misuse(Misuse::BadWriteRetry)));
                prop_assert_eq!(pair.client.committed(), committed);
                retry.clone_from(&plaintext);
                retry.extend(noise(more));
            } else {
                prop_assert!(outcome.is_ok());
                if let Ok(Write::Written(n)) = outcome {
                    prop_assert_eq!(n, retry.len());
                    pair.settle_towards(Side::Server);
                    return Ok(());
                }
            }
            while pair.on(Side::Client).write(&retry).unwrap() == Write::NeedWrite {
                pair.move_to_server(10_000);
                arrived.extend(received(&mut pair.server));
            }
            while pair.step_towards(Side::Server) > 0 {
                arrived.extend(received(&mut pair.server));
            }
            prop_assert_eq!(arrived.len(), retry.len());
            prop_assert!(arrived[..committed] == plaintext[..committed], "no byte is sealed again");
            prop_assert!(arrived[committed..] == retry[committed..]);
            Ok(())
        })?;
    }

    #[test]
    fn rule_5_under_sent_a_write_is_done_when_its_last_byte_has_left(
        version in version(), len in length(), capacity in 1..20_000_usize,
        mode in prop_oneof![Just(WriteMode::Whole), Just(WriteMode::Partial)],
    ) {
        explained(connected_with(version, sent().write_mode(mode)), |pair| {
            let mut link = Link::new(Cuts::Whole);
            link.set_capacity(capacity.max(len / 50));
            let plaintext = noise(len);
            let (mut written, mut arrived) = (0, Vec::new());
            while written < len {
                match write_through(&mut pair.client, &mut link, &plaintext[written..]).unwrap() {
                    Write::Written(n) => {
                        written += n;
                        let gone = records::application_lengths(link.sent(), overhead(version));
                        prop_assert_eq!(gone.iter().sum::<usize>(), written);
                    }
                    Write::NeedRead => prop_assert!(false, "the handshake is complete"),
                    Write::NeedWrite => prop_assert!(pair.client.committed() > 0),
                }
                while link.in_flight() > 0 {
                    link.push(&mut pair.server);
                    arrived.extend(received(&mut pair.server));
                }
            }
            prop_assert!(arrived == plaintext);
            Ok(())
        })?;
    }

    #[test]
    fn rule_5_under_sent_the_handshake_is_complete_when_our_flight_has_left(
        version in version(), tickets in 0..4_usize, bytes in 1..3_000_usize,
    ) {
        let contexts = quiet(version).tickets(tickets).settings(sent());
        explained(Pair::of(&contexts).cuts(Cuts::Bytes(bytes)).capacity(bytes), |pair| {
            pair.run_until("the handshake", |pair| {
                let mut complete = 0;
                for side in Side::BOTH {
                    if pair.on(side).handshake() == Ok(Handshake::Complete) {
                        assert_eq!(waiting(pair.engine(side)), 0, "our flight has not left");
                        complete += 1;
                    }
                }
                if complete == 2 { Progress::Done } else { Progress::None }
            });
            Ok(())
        })?;
    }

    #[test]
    fn rule_6_the_queue_is_bounded_in_every_phase(
        version in version(), settings in settings(), bytes in 500..20_000_usize,
        lengths in proptest::collection::vec(length(), 1..8),
    ) {
        let limit = settings.effective_outgoing_limit();
        let bound = limit + 128;
        // What a write leaves beyond the limit is a KeyUpdate: data has no part in the reserve.
        let bound_of_write = if version == Tls13 { limit + 27 } else { limit };
        let contexts = quiet(version).tickets(4).settings(settings);
        explained(Pair::of(&contexts).cuts(Cuts::Bytes(bytes)), |pair| {
            pair.run_until("the handshake", |pair| {
                let mut complete = 0;
                for side in Side::BOTH {
                    complete += usize::from(pair.on(side).handshake() == Ok(Handshake::Complete));
                    assert!(waiting(pair.engine(side)) <= bound);
                }
                if complete == 2 { Progress::Done } else { Progress::None }
            });
            for len in lengths {
                if version == Tls13 {
                    pair.on(Side::Client).key_update(KeyUpdate::Both).unwrap();
                }
                let mut written = pair.client.committed();
                while written < len && pair.client.committed() == 0 {
                    match pair.on(Side::Client).write(&noise(len)[written..]).unwrap() {
                        Write::Written(n) => written += n,
                        Write::NeedRead | Write::NeedWrite => break,
                    }
                    prop_assert!(waiting(&pair.client) <= bound_of_write);
                }
                pair.client.sent(waiting(&pair.client) / 2).unwrap();
                if pair.client.committed() > 0 {
                    break;
                }
            }
            prop_assert!(waiting(&pair.client) <= bound);
            prop_assert!(pair.client.stats().outgoing_high_water <= bound);
            let _ = pair.on(Side::Client).shutdown().unwrap();
            prop_assert!(waiting(&pair.client) <= bound);
            Ok(())
        })?;
    }

    #[test]
    fn rule_7_an_empty_write_performs_what_is_owed_and_nothing_else(
        settings in settings(), updates in 0..3_usize, tickets in 0..3_usize,
    ) {
        let (mut peer, mut engine) = raw_with(Side::Client, Tls13, settings);
        for _ in 0..updates {
            feed(&mut engine, &peer.key_update(1));
        }
        for _ in 0..tickets {
            feed(&mut engine, &peer.message(&messages::new_session_ticket(20)));
        }
        prop_assert_eq!(read_outcome(&mut engine), Ok(Read::NeedRead));
        let mut opened = Vec::new();
        while engine.write(b"").unwrap() != Write::Written(0) {
            opened.extend(peer.drain(&mut engine));
        }
        opened.extend(peer.drain(&mut engine));
        prop_assert_eq!(opened.len(), updates.min(1), "one answer however many were asked for");
        prop_assert_eq!(engine.stats().plaintext_sealed, 0);
    }
}
