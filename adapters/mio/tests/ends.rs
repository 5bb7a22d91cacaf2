//! Transports that end or fail for good: what arrived intact is read, what did not is never taken
//! for an end, and nobody waits for ever.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

extern crate alloc;

mod support;

use std::io::ErrorKind;

use offwire::{Error as Tls, Peer, ProtocolVersion, Read, Settings};
use offwire_mio::Error;
use offwire_testkit::transport::Fault;

use support::end::{End, OnFailure, Plan, State, run};
use support::{VERSIONS, pattern};

fn plan<'a>(version: ProtocolVersion, up: &'a [u8], down: &'a [u8]) -> Plan<'a> {
    Plan {
        version,
        capacity: 1_000,
        settings: Settings::default(),
        up,
        down,
    }
}

/// Whether an end that was cut off says so, and has read nothing but what was sent.
fn is_sound(end: &End, sent: &[u8]) -> bool {
    let says_so = match &end.state {
        State::Truncated => true,
        State::Tls(error) => *error == Tls::Peer(Peer::HandshakeTruncated),
        State::Complete => end.received == sent,
        State::Working | State::Closed | State::Transport => false,
    };
    says_so && sent.starts_with(&end.received)
}

/// Reads what arrived before the failure, which then shows again.
fn read_out(end: &mut End, sent: &[u8]) {
    loop {
        let mut buffer = [0; 5_000];
        match end.source.read(&mut buffer) {
            Ok(Read::Read(n)) => end.received.extend(&buffer[..n]),
            Ok(Read::Closed) => return assert!(end.received == sent),
            Err(Error::Transport(error)) => {
                assert_eq!(error.kind(), ErrorKind::BrokenPipe);
                return assert!(sent.starts_with(&end.received));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Cut {
    ToClient,
    ToServer,
}

#[test]
fn peers_may_close_at_every_byte() {
    let (up, down) = (pattern(900), pattern(1_200));
    for version in VERSIONS {
        for cut in [Cut::ToClient, Cut::ToServer] {
            for offset in 0.. {
                let (mut client, mut server) = plan(version, &up, &down).ends();
                let end = match cut {
                    Cut::ToClient => &server,
                    Cut::ToServer => &client,
                };
                let pipe = alloc::rc::Rc::clone(&end.source.transport().outgoing);
                pipe.borrow_mut().end_at(offset);
                run(&mut client, &mut server);
                let whole = pipe.borrow().passed < offset;
                let sound = is_sound(&client, &down) && is_sound(&server, &up);
                let states = (&client.state, &server.state);
                assert!(sound, "{version} {cut:?} at {offset}: {states:?}");
                let complete = states == (&State::Complete, &State::Complete);
                assert!(
                    complete || !whole,
                    "{version} {cut:?} at {offset}: {states:?}"
                );
                if whole {
                    assert!(offset > 1_000, "{offset} bytes are no session");
                    break;
                }
            }
        }
    }
}

#[test]
fn a_transport_that_fails_for_good_at_any_call_ends_both_sides() {
    let (up, down) = (pattern(20_000), pattern(20_001));
    for version in VERSIONS {
        for aim in 0.. {
            let (mut client, mut server) = plan(version, &up, &down).ends();
            client.on_failure = OnFailure::GiveUp;
            client.source.transport_mut().fail(
                |call, aim| match call < aim {
                    true => Fault::Short(700),
                    false => Fault::Fails(ErrorKind::BrokenPipe),
                },
                aim,
            );
            run(&mut client, &mut server);
            if client.failures == 0 {
                assert_eq!(client.state, State::Complete);
                assert!(aim > 60, "{aim} calls are no session");
                break;
            }
            // In the middle of a record or not: the bytes before are good, the error stays.
            assert_eq!(client.state, State::Transport);
            assert!(down.starts_with(&client.received));
            assert!(
                is_sound(&server, &up),
                "{version} call {aim}: {:?}",
                server.state
            );
            read_out(&mut client, &down);
        }
    }
}

#[test]
fn a_corrupt_record_ends_the_connection_with_an_alert() {
    use std::io::Write;

    let (up, down) = (pattern(10), pattern(10));
    for version in VERSIONS {
        let (mut client, mut server) = plan(version, &up, &down).ends();
        let forged = b"\x17\x03\x03\x00\x20 it has no tag, nor any sequence";
        // Before the handshake: the server must not take it for anything.
        client.source.transport_mut().write_all(forged).unwrap();
        run(&mut client, &mut server);
        let State::Tls(error) = &server.state else {
            panic!("{:?}", server.state);
        };
        assert!(matches!(error, Tls::Peer(_)), "{error}");
        assert!(matches!(client.state, State::Tls(_) | State::Truncated));
    }
}
