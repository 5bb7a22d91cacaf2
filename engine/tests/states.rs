//! Every verb and port in every state: one table, so that no pair is forgotten.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a table names the states that differ"
)]

use offwire::{
    Engine, Error, Handshake, Interest, KeyUpdate, Misuse, Peer, Read, ReadBytes, Settings,
    Shutdown, Write,
};
use offwire_testkit::{Contexts, Pair};

/// A client's state, by phase, write half and read half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Handshaking,
    Open,
    Committed,
    Closing,
    Closed,
    PeerClosed,
    BothClosed,
    PeerEnding,
    Truncated,
    ClosedTruncated,
    Dead,
}

const STATES: [State; 11] = [
    State::Handshaking,
    State::Open,
    State::Committed,
    State::Closing,
    State::Closed,
    State::PeerClosed,
    State::BothClosed,
    State::PeerEnding,
    State::Truncated,
    State::ClosedTruncated,
    State::Dead,
];

/// What is committed in [`State::Committed`]: one record of the write.
const COMMITTED: usize = 16_384;

static PAYLOAD: [u8; 40_000] = [7; 40_000];

fn dead() -> Error {
    Error::Peer(Peer::UnexpectedRecord)
}

/// A client in the given state, with nothing waiting but what the state demands.
fn client(state: State) -> Engine {
    let settings = Settings::default().outgoing_limit(0);
    let mut pair = Pair::of(&Contexts::new().client_settings(settings));
    if state == State::Handshaking {
        assert_eq!(pair.client.handshake(), Ok(Handshake::NeedWrite));
        drop(pair.client.take_outgoing());
        return pair.client;
    }
    pair.handshake();
    pair.settle();
    let mut one = [0];
    assert_eq!(pair.client.read(&mut one), Ok(Read::NeedRead));
    match state {
        State::Handshaking | State::Open => {}
        State::Committed => assert_eq!(pair.client.write(&PAYLOAD), Ok(Write::NeedWrite)),
        State::Closing => assert_eq!(pair.client.shutdown(), Ok(Shutdown::NeedWrite)),
        State::Closed => close(&mut pair.client),
        State::PeerClosed | State::BothClosed => {
            assert_eq!(pair.server.shutdown(), Ok(Shutdown::NeedWrite));
            pair.settle();
            assert_eq!(pair.client.read(&mut one), Ok(Read::Closed));
            if state == State::BothClosed {
                close(&mut pair.client);
            }
        }
        State::PeerEnding => pair.client.feed_eof(),
        State::Truncated | State::ClosedTruncated => {
            pair.client.feed_eof();
            assert_eq!(pair.client.read(&mut one), Ok(Read::Truncated));
            if state == State::ClosedTruncated {
                close(&mut pair.client);
            }
        }
        State::Dead => {
            pair.client.feed(&[22, 3, 3, 0, 1, 0]);
            assert_eq!(pair.client.read(&mut one), Err(dead()));
            drop(pair.client.take_outgoing());
        }
    }
    pair.client
}

fn close(engine: &mut Engine) {
    assert_eq!(engine.shutdown(), Ok(Shutdown::NeedWrite));
    drop(engine.take_outgoing());
}

/// Compares one verb's result in every state with the table.
fn check<T: PartialEq + core::fmt::Debug>(
    mut verb: impl FnMut(&mut Engine) -> T,
    expected: impl Fn(State) -> T,
) {
    for state in STATES {
        let mut engine = client(state);
        assert_eq!(verb(&mut engine), expected(state), "{state:?}");
        // A verb may move the state, but never so that it contradicts itself.
        if state == State::Dead {
            assert_eq!(verb(&mut engine), expected(state), "{state:?} again");
        }
    }
}

#[test]
fn handshake_in_every_state() {
    check(Engine::handshake, |state| match state {
        State::Handshaking => Ok(Handshake::NeedRead),
        State::Dead => Err(dead()),
        _ => Ok(Handshake::Complete),
    });
}

#[test]
fn write_in_every_state() {
    check(
        |engine| engine.write(&PAYLOAD[..5]),
        |state| match state {
            State::Handshaking => Ok(Write::NeedRead),
            State::Committed => Err(Misuse::BadWriteRetry.into()),
            State::Closing | State::Closed | State::BothClosed | State::ClosedTruncated => {
                Err(Misuse::WriteAfterShutdown.into())
            }
            State::Dead => Err(dead()),
            _ => Ok(Write::Written(5)),
        },
    );
}

#[test]
fn an_empty_write_in_every_state() {
    check(
        |engine| engine.write(&[]),
        |state| match state {
            State::Handshaking => Ok(Write::NeedRead),
            State::Committed => Err(Misuse::BadWriteRetry.into()),
            State::Closing | State::Closed | State::BothClosed | State::ClosedTruncated => {
                Err(Misuse::WriteAfterShutdown.into())
            }
            State::Dead => Err(dead()),
            _ => Ok(Write::Written(0)),
        },
    );
}

#[test]
fn the_right_retry_in_every_state() {
    check(
        |engine| engine.write(&PAYLOAD),
        |state| match state {
            State::Handshaking => Ok(Write::NeedRead),
            State::Closing | State::Closed | State::BothClosed | State::ClosedTruncated => {
                Err(Misuse::WriteAfterShutdown.into())
            }
            State::Dead => Err(dead()),
            _ => Ok(Write::NeedWrite),
        },
    );
}

#[test]
fn read_and_peek_in_every_state() {
    for length in [0, 1, 20_000] {
        let expected = |state| match state {
            State::PeerClosed | State::BothClosed => Ok(Read::Closed),
            State::PeerEnding | State::Truncated | State::ClosedTruncated => Ok(Read::Truncated),
            State::Dead => Err(dead()),
            _ => Ok(Read::NeedRead),
        };
        check(|engine| engine.read(&mut vec![0; length]), expected);
        check(|engine| engine.peek(&mut vec![0; length]), expected);
    }
}

#[test]
fn read_bytes_in_every_state() {
    check(Engine::read_bytes, |state| match state {
        State::PeerClosed | State::BothClosed => Ok(ReadBytes::Closed),
        State::PeerEnding | State::Truncated | State::ClosedTruncated => Ok(ReadBytes::Truncated),
        State::Dead => Err(dead()),
        _ => Ok(ReadBytes::NeedRead),
    });
}

#[test]
fn shutdown_in_every_state() {
    check(Engine::shutdown, |state| match state {
        State::Handshaking => Err(Misuse::ShutdownInHandshake.into()),
        State::Closed => Ok(Shutdown::Sent),
        State::BothClosed => Ok(Shutdown::Complete),
        State::ClosedTruncated => Ok(Shutdown::Truncated),
        State::Dead => Err(dead()),
        _ => Ok(Shutdown::NeedWrite),
    });
}

#[test]
fn key_update_in_every_state() {
    for update in [KeyUpdate::Ours, KeyUpdate::Both] {
        check(
            |engine| engine.key_update(update),
            |state| match state {
                State::Handshaking => Err(Misuse::KeyUpdateInHandshake.into()),
                State::Closing | State::Closed | State::BothClosed | State::ClosedTruncated => {
                    Err(Misuse::KeyUpdateAfterShutdown.into())
                }
                State::Dead => Err(dead()),
                _ => Ok(()),
            },
        );
    }
}

#[test]
fn the_ports_in_every_state() {
    let receives = |state| {
        matches!(
            state,
            State::Handshaking | State::Open | State::Committed | State::Closing | State::Closed
        )
    };
    // What cannot matter any more is discarded and counted, so that no caller spins.
    check(
        |engine| engine.feed(&[0; 200_000]) == 200_000,
        |state| !receives(state),
    );
    check(
        |engine| engine.feed_space().is_empty(),
        |state| !receives(state),
    );
    check(
        |engine| engine.fed(usize::MAX),
        |_| Err(Misuse::FedTooMuch.into()),
    );
    check(|engine| engine.fed(0), |_| Ok(()));
    check(
        |engine| engine.sent(usize::MAX),
        |_| Err(Misuse::SentTooMuch.into()),
    );
    check(|engine| engine.sent(0), |_| Ok(()));
    check(
        |engine| engine.committed(),
        |state| {
            if state == State::Committed {
                COMMITTED
            } else {
                0
            }
        },
    );
    check(|engine| engine.pending(), |_| 0);
    check(
        |engine| engine.negotiated().is_some(),
        |state| state != State::Handshaking,
    );
    check(
        |engine| engine.outgoing().is_empty(),
        |state| !matches!(state, State::Committed | State::Closing),
    );
    check(
        |engine| engine.interest(),
        |state| match (
            receives(state),
            matches!(state, State::Committed | State::Closing),
        ) {
            (true, true) => Interest::ReadWrite,
            (true, false) => Interest::Read,
            (false, _) => Interest::Nothing,
        },
    );
}

#[test]
fn release_and_misuse_change_nothing_in_any_state() {
    for state in STATES {
        let mut touched = client(state);
        let untouched = format!("{touched:?}");
        touched.release();
        assert!(touched.sent(usize::MAX).is_err());
        assert!(touched.fed(usize::MAX).is_err());
        assert_eq!(format!("{touched:?}"), untouched, "{state:?}");
    }
}
