//! The ports, where ciphertext passes: whichever of them is used, the bytes are the same, and the
//! facts that an event loop reads are exact.

use offwire::ProtocolVersion::Tls13;
use offwire::{Client, Engine, Interest, Read, Server, Settings, Shutdown, Write};
use offwire_contract::strategy::config;
use offwire_contract::{
    FULL, VERSIONS, connected, connected_with, feed, noise, overhead, quiet, read_outcome,
    received, sent, take, waiting,
};
use offwire_testkit::strategy::explained;
use offwire_testkit::{Pair, Random, Side, records};
use proptest::prelude::*;

#[test]
fn engines_and_contexts_may_change_threads() {
    fn is_send<T: Send>() {}
    fn is_shared<T: Send + Sync + Clone>() {}
    is_send::<Engine>();
    is_shared::<Client>();
    is_shared::<Server>();
}

#[test]
fn one_context_makes_engines_that_live_and_die_alone() {
    for version in VERSIONS {
        let contexts = quiet(version);
        let (client, server) = contexts.build();
        let mut pairs = [(client.clone(), server.clone()), (client, server)]
            .map(|(client, server)| Pair::new(&client, &server, &contexts));
        let texts: [&[u8]; 2] = [b"of the one", b"of the other"];
        for side in Side::BOTH {
            for (pair, text) in pairs.iter_mut().zip(texts) {
                assert_eq!(pair.exchange(side, text), text);
            }
        }
        let [dead, alive] = &mut pairs;
        assert_eq!(
            alive.server.write(b"sealed for the other"),
            Ok(Write::Written(20))
        );
        feed(&mut dead.client, &take(&mut alive.server));
        assert!(
            read_outcome(&mut dead.client).is_err(),
            "keys are their own"
        );
        assert_eq!(alive.exchange(Side::Client, b"data"), b"data");
    }
}

#[test]
fn slices_are_all_that_waits_in_order_also_when_the_queue_wraps() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        let mut random = Random::new(5);
        let (mut wire, mut wrapped) = (Vec::new(), 0);
        for _ in 0..300 {
            let _ = pair.client.write(&noise(1 + random.below(9_000))).unwrap();
            let all = {
                let slices = pair.client.outgoing_slices();
                wrapped += usize::from(slices.len() == 2);
                let first = slices.first().copied().unwrap_or_default();
                assert_eq!(first, pair.client.outgoing());
                slices.concat()
            };
            let count = random.below(all.len() + 1);
            wire.extend(&all[..count]);
            pair.client.sent(count).unwrap();
            let rest = pair.client.outgoing_slices().concat();
            assert!(rest == all[count..], "what waits changes at its front only");
        }
        wire.extend(take(&mut pair.client));
        assert!(wrapped > 0, "the queue never wrapped");
        let mut fed = 0;
        while fed < wire.len() {
            fed += pair.server.feed(&wire[fed..]);
            assert!(!received(&mut pair.server).is_empty());
        }
        assert_eq!(
            pair.server.stats().plaintext_opened,
            pair.client.stats().plaintext_sealed
        );
    }
}

#[test]
fn taking_the_output_counts_as_sent() {
    for version in VERSIONS {
        let mut pair = connected_with(version, sent());
        let plaintext = noise(3 * FULL);
        assert_eq!(pair.client.write(&plaintext), Ok(Write::NeedWrite));
        let wire = take(&mut pair.client);
        assert_eq!(pair.client.outgoing(), b"");
        assert_eq!(pair.client.write(&plaintext), Ok(Write::Written(3 * FULL)));
        feed(&mut pair.server, &wire);
        assert_eq!(received(&mut pair.server), plaintext);
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite));
        feed(&mut pair.server, &take(&mut pair.client));
        assert_eq!(pair.client.shutdown(), Ok(Shutdown::Sent));
        assert_eq!(read_outcome(&mut pair.server), Ok(Read::Closed));
    }
}

#[test]
fn bytes_taken_owned_stay_when_the_engine_goes_on() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        assert_eq!(
            pair.client.write(&noise(50_000)),
            Ok(Write::Written(50_000))
        );
        let first = pair.client.take_outgoing();
        let copy = first.to_vec();
        assert_eq!(
            pair.client.write(&noise(50_000)),
            Ok(Write::Written(50_000))
        );
        let second = pair.client.take_outgoing();
        assert_eq!(first, copy);
        feed(&mut pair.server, &first);
        assert_eq!(received(&mut pair.server), noise(50_000));
        feed(&mut pair.server, &second);
        assert_eq!(received(&mut pair.server), noise(50_000));
    }
}

#[test]
fn feed_space_offers_a_page_and_takes_what_was_received() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        let plaintext = noise(60_000);
        assert_eq!(pair.server.write(&plaintext), Ok(Write::Written(60_000)));
        let (mut wire, mut arrived) = (take(&mut pair.server), Vec::new());
        let mut random = Random::new(9);
        while !wire.is_empty() {
            let space = pair.client.feed_space();
            assert!(space.len() >= 4_096, "{} bytes of space", space.len());
            let count = 1 + random.below(space.len().min(wire.len()));
            space[..count].copy_from_slice(&wire[..count]);
            pair.client.fed(count).unwrap();
            wire.drain(..count);
            arrived.extend(received(&mut pair.client));
        }
        assert_eq!(arrived, plaintext);
    }
}

#[test]
fn a_space_that_is_not_used_takes_nothing() {
    for version in VERSIONS {
        let mut pair = connected_with(version, Settings::default());
        pair.client.feed_space().fill(0xff);
        pair.client.fed(0).unwrap();
        pair.client.feed_space().fill(0xee);
        assert_eq!(pair.exchange(Side::Server, b"hello"), b"hello");
    }
}

#[test]
fn interest_follows_the_queues_and_the_halves() {
    for version in VERSIONS {
        let settings = Settings::default()
            .incoming_limit(0)
            .outgoing_limit(1 << 20);
        let mut pair = connected_with(version, settings);
        assert_eq!(pair.client.interest(), Interest::Read);
        assert_eq!(pair.client.write(b"data"), Ok(Write::Written(4)));
        assert_eq!(pair.client.interest(), Interest::ReadWrite);
        take(&mut pair.client);
        assert_eq!(
            pair.server.write(&noise(100_000)),
            Ok(Write::Written(100_000))
        );
        pair.settle();
        assert_eq!(pair.client.interest(), Interest::Nothing, "full");
        let _ = read_outcome(&mut pair.client).unwrap();
        assert_eq!(pair.client.interest(), Interest::Read, "room");
        pair.client.feed_eof();
        assert_eq!(
            pair.client.interest(),
            Interest::Nothing,
            "nothing more can come"
        );
        assert_eq!(pair.client.write(b"data"), Ok(Write::Written(4)));
        assert_eq!(pair.client.interest(), Interest::Write);
    }
}

#[test]
fn the_outgoing_queue_holds_its_limit_and_not_a_byte_more() {
    for version in VERSIONS {
        for limit in [0, 20_000, 40_000, 65_652] {
            let settings = Settings::default().outgoing_limit(limit);
            let mut pair = connected_with(version, settings);
            let limit = pair.client.settings().effective_outgoing_limit();
            let mut written = 0;
            while pair.client.write(&noise(1_000)).unwrap() == Write::Written(1_000) {
                written += 1;
                assert!(waiting(&pair.client) <= limit);
            }
            let record = 1_000 + overhead(version);
            assert_eq!(written, limit / record, "as many as fit");
            assert_eq!(records::split_whole(&take(&mut pair.client)).len(), written);
        }
    }
}

#[test]
fn a_quiet_server_after_the_handshake_has_nothing_to_say() {
    let mut pair = connected(&quiet(Tls13));
    for side in Side::BOTH {
        assert_eq!(pair.engine(side).outgoing(), b"");
        assert_eq!(pair.engine(side).interest(), Interest::Read);
        assert_eq!(read_outcome(pair.engine(side)), Ok(Read::NeedRead));
    }
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn any_mix_of_ports_carries_the_same_bytes(
        tls13 in any::<bool>(), len in 1..100_000_usize, seed in any::<u64>(),
    ) {
        let contexts = quiet(VERSIONS[usize::from(tls13)]);
        explained(Pair::of(&contexts).cuts(offwire_testkit::Cuts::Seeded(seed)), |pair| {
            prop_assert_eq!(pair.exchange(Side::Client, &noise(len)), noise(len));
            prop_assert_eq!(pair.exchange(Side::Server, &noise(len)), noise(len));
            let sent = pair.to_server.sent().len() as u64;
            prop_assert_eq!(pair.client.stats().wire_sent, sent);
            prop_assert_eq!(pair.server.stats().wire_fed, sent);
            Ok(())
        })?;
    }
}
