//! Rules 9 to 14 of the write contract, a property each. `schedules.rs` has them all at once,
//! in any order of calls; here each meets the situation it is about.

use offwire::ProtocolVersion::{Tls12, Tls13};
use offwire::{Alert, Error, Handshake, Misuse, Read, Shutdown, Write};
use offwire_contract::strategy::{config, settings};
use offwire_contract::{
    connected_with, feed, noise, quiet, raw, raw_with, read_outcome, received, waiting,
};
use offwire_testkit::strategy::{explained, length, side, version};
use offwire_testkit::{Cuts, Pair, Progress, Side, messages};
use proptest::prelude::*;

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn rule_9_a_write_after_the_handshake_needs_no_input_and_answers_once(
        settings in settings(), script in proptest::collection::vec((0..4_usize, length()), 1..20),
    ) {
        let (mut peer, mut engine) = raw_with(Side::Server, Tls13, settings);
        peer.drain(&mut engine);
        let (mut owed, mut answers, mut asked) = (0, 0, 0);
        for (requests, len) in script {
            for _ in 0..requests {
                feed(&mut engine, &peer.key_update(1));
                owed = 1;
                asked += 1;
            }
            feed(&mut engine, &peer.data(b"x"));
            prop_assert_eq!(received(&mut engine), b"x");
            let (plaintext, mut written) = (noise(len), 0);
            while written < len {
                match engine.write(&plaintext[written..]).unwrap() {
                    Write::Written(n) => written += n,
                    Write::NeedRead => prop_assert!(false, "rule 9"),
                    Write::NeedWrite => {}
                }
                peer.drain(&mut engine);
            }
            answers += owed;
            owed = 0;
            prop_assert_eq!(engine.stats().key_updates_sealed, answers);
        }
        prop_assert_eq!(engine.stats().key_updates_received, asked);
    }

    #[test]
    fn rule_10_whoever_waits_for_input_has_nothing_left_to_send(
        version in version(), seed in any::<u64>(), capacity in 1..500_usize,
        verbs in proptest::collection::vec(0..3_usize, 2),
    ) {
        let contexts = quiet(version).tickets(2);
        explained(Pair::of(&contexts).cuts(Cuts::Seeded(seed)).capacity(capacity), |pair| {
            pair.run_until("the handshake", |pair| {
                let mut complete = 0;
                for (side, verb) in Side::BOTH.into_iter().zip(&verbs) {
                    let engine = pair.engine(side);
                    let needs_read = match verb {
                        0 => engine.handshake() == Ok(Handshake::NeedRead),
                        1 => engine.write(b"") == Ok(Write::NeedRead),
                        _ => engine.read(&mut [0; 9]) == Ok(Read::NeedRead),
                    };
                    if engine.negotiated().is_some() {
                        complete += 1;
                    } else if needs_read {
                        assert_eq!(waiting(engine), 0);
                    } else {
                        assert!(waiting(engine) > 0);
                    }
                }
                if complete == 2 { Progress::Done } else { Progress::None }
            });
            Ok(())
        })?;
    }

    #[test]
    fn rule_11_reads_are_served_while_both_sides_are_in_the_middle_of_a_write(
        version in version(), client in settings(), server in settings(), seed in any::<u64>(),
        lengths in (1..150_000_usize, 1..150_000_usize), capacity in 500..20_000_usize,
    ) {
        let contexts = quiet(version).client_settings(client).server_settings(server);
        explained(Pair::of(&contexts).cuts(Cuts::Seeded(seed)).capacity(capacity), |pair| {
            let plaintexts = [noise(lengths.0), noise(lengths.1)];
            let (mut written, mut arrived) = ([0; 2], [Vec::new(), Vec::new()]);
            pair.run_until("two large writes at once", |pair| {
                let mut progress = Progress::None;
                for (us, them) in [(0, 1), (1, 0)] {
                    let side = Side::BOTH[us];
                    let before = arrived[us].len();
                    arrived[us].extend(received(pair.engine(side)));
                    if written[us] < plaintexts[us].len() {
                        let rest = &plaintexts[us][written[us]..];
                        if let Write::Written(n) = pair.on(side).write(rest).unwrap() {
                            written[us] += n;
                            progress = Progress::Some;
                        }
                    }
                    if arrived[us].len() > before {
                        progress = Progress::Some;
                    }
                    assert!(plaintexts[them].starts_with(&arrived[us][..]), "in order");
                }
                let done = (0..2).all(|us| arrived[us].len() == plaintexts[1 - us].len())
                    && written == [lengths.0, lengths.1];
                if done { Progress::Done } else { progress }
            });
            Ok(())
        })?;
    }

    #[test]
    fn rule_12_shutdown_anywhere_in_a_write_sends_what_is_committed_and_then_close_notify(
        version in version(), settings in settings(), len in length(), gone in 0..40_000_usize,
        late in length(),
    ) {
        explained(connected_with(version, settings), |pair| {
            let plaintext = noise(len);
            let outcome = pair.on(Side::Client).write(&plaintext).unwrap();
            let promised = match outcome {
                Write::Written(n) => n,
                Write::NeedRead | Write::NeedWrite => pair.client.committed(),
            };
            let mut arrived = Vec::new();
            for _ in 0..gone / 1_000 {
                pair.move_to_server(1_000);
                arrived.extend(received(&mut pair.server));
            }
            let mut shutdown = pair.on(Side::Client).shutdown().unwrap();
            prop_assert_eq!(shutdown, Shutdown::NeedWrite);
            while pair.step_towards(Side::Server) > 0 {
                let refused = Err(Error::Misuse(Misuse::WriteAfterShutdown));
                prop_assert_eq!(pair.on(Side::Client).write(&plaintext), refused);
                arrived.extend(received(&mut pair.server));
                shutdown = pair.on(Side::Client).shutdown().unwrap();
            }
            prop_assert_eq!(shutdown, Shutdown::Sent);
            prop_assert!(arrived == plaintext[..promised]);
            prop_assert_eq!(read_outcome(&mut pair.server), Ok(Read::Closed));
            prop_assert_eq!(pair.exchange(Side::Server, &noise(late)), noise(late), "not lost");
            Ok(())
        })?;
    }

    #[test]
    fn rule_13_data_flows_on_through_requests_to_renegotiate(
        role in side(), settings in settings(),
        script in proptest::collection::vec((0..5_usize, 1..30_000_usize), 1..12),
    ) {
        let (mut peer, mut engine) = raw_with(role, Tls12, settings);
        let request = match role {
            Side::Client => messages::hello_request(),
            Side::Server => messages::client_hello(),
        };
        for (requests, len) in script {
            let mut warnings = 0;
            for _ in 0..requests {
                feed(&mut engine, &peer.message(&request));
            }
            feed(&mut engine, &peer.data(b"behind"));
            prop_assert_eq!(received(&mut engine), b"behind");
            let (plaintext, mut written, mut arrived) = (noise(len), 0, Vec::new());
            while written < len {
                if let Write::Written(n) = engine.write(&plaintext[written..]).unwrap() {
                    written += n;
                }
                for record in peer.drain(&mut engine) {
                    match record.alert() {
                        Some(alert) => {
                            prop_assert_eq!(alert, (1, Alert::NO_RENEGOTIATION));
                            warnings += 1;
                        }
                        None => arrived.extend(record.plaintext),
                    }
                }
            }
            prop_assert!(arrived == plaintext);
            let answered = if role == Side::Server { requests.min(1) } else { 0 };
            prop_assert_eq!(warnings, answered);
        }
    }

    #[test]
    fn rule_14_an_empty_read_tells_whether_a_read_would_return_data(
        version in version(),
        script in proptest::collection::vec((1..400_usize, 1..500_usize, 1..300_usize), 1..30),
    ) {
        let (mut peer, mut engine) = raw(Side::Client, version);
        let (mut wire, mut expected, mut arrived) = (Vec::new(), Vec::new(), Vec::new());
        for (len, moved, size) in script {
            wire.extend(peer.data(&noise(len)));
            expected.extend(noise(len));
            let moved = moved.min(wire.len());
            feed(&mut engine, &wire[..moved]);
            wire.drain(..moved);
            let told = engine.read(&mut []).unwrap();
            let mut into = vec![0; size];
            match engine.read(&mut into).unwrap() {
                Read::Read(n) => {
                    prop_assert_eq!(told, Read::Read(0));
                    arrived.extend(&into[..n]);
                }
                outcome @ (Read::NeedRead | Read::NeedWrite | Read::Closed | Read::Truncated) => {
                    prop_assert_eq!(told, outcome);
                }
            }
        }
        feed(&mut engine, &wire);
        arrived.extend(received(&mut engine));
        prop_assert!(arrived == expected);
    }
}
