//! Every verb and port in every state: one table, so that no pair is forgotten.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a table names the states that differ"
)]

#[path = "states/client.rs"]
mod client;

use offwire::{
    EarlyDataStatus, Engine, Error, Handshake, Interest, KeyUpdate, Misuse, Read, ReadBytes,
    ReadEarlyData, Shutdown, Write, WriteEarlyData,
};

use client::{COMMITTED, PAYLOAD, STATES, State, client, dead};

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
        State::EarlyCommitted => Ok(Handshake::NeedWrite),
        State::Dead => Err(dead()),
        _ => Ok(Handshake::Complete),
    });
}

/// What a write of so many bytes says that is not the retry of another.
fn written(state: State, length: usize) -> Result<Write, Error> {
    match state {
        State::Handshaking => Ok(Write::NeedRead),
        State::Committed | State::EarlyCommitted => Err(Misuse::BadWriteRetry.into()),
        State::EarlyRejected if length > 0 => Err(Misuse::EarlyDataRejected.into()),
        State::Closing | State::Closed | State::BothClosed | State::ClosedTruncated => {
            Err(Misuse::WriteAfterShutdown.into())
        }
        State::Dead => Err(dead()),
        _ => Ok(Write::Written(length)),
    }
}

#[test]
fn write_in_every_state() {
    check(
        |engine| engine.write(&PAYLOAD[..5]),
        |state| written(state, 5),
    );
}

#[test]
fn an_empty_write_in_every_state() {
    check(|engine| engine.write(&[]), |state| written(state, 0));
}

#[test]
fn the_right_retry_in_every_state() {
    check(
        |engine| engine.write(&PAYLOAD),
        |state| match written(state, PAYLOAD.len()) {
            Ok(Write::Written(_)) => Ok(Write::NeedWrite), // more than the queue holds
            Err(Error::Misuse(Misuse::BadWriteRetry)) if state == State::Committed => {
                Ok(Write::NeedWrite)
            }
            said => said,
        },
    );
}

#[test]
fn read_and_peek_in_every_state() {
    for length in [0, 1, 20_000] {
        let expected = |state| match state {
            State::EarlyCommitted => Ok(Read::NeedWrite),
            State::Pending => Ok(Read::Read(length.min(5))),
            State::Full => Ok(Read::Read(length.min(COMMITTED))),
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
        State::EarlyCommitted => Ok(ReadBytes::NeedWrite),
        State::Pending => Ok(ReadBytes::Read(b"hello"[..].into())),
        State::Full => Ok(ReadBytes::Read(PAYLOAD[..COMMITTED].into())),
        State::PeerClosed | State::BothClosed => Ok(ReadBytes::Closed),
        State::PeerEnding | State::Truncated | State::ClosedTruncated => Ok(ReadBytes::Truncated),
        State::Dead => Err(dead()),
        _ => Ok(ReadBytes::NeedRead),
    });
}

#[test]
fn shutdown_in_every_state() {
    check(Engine::shutdown, |state| match state {
        State::Handshaking | State::EarlyCommitted => Err(Misuse::ShutdownInHandshake.into()),
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
                State::Handshaking | State::EarlyCommitted => {
                    Err(Misuse::KeyUpdateInHandshake.into())
                }
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
fn the_verbs_of_early_data_in_every_state() {
    let writes = |state: State, retry| match state {
        State::Committed => Err(Misuse::BadWriteRetry.into()),
        State::EarlyCommitted => retry,
        State::Closing | State::Closed | State::BothClosed | State::ClosedTruncated => {
            Err(Misuse::WriteAfterShutdown.into())
        }
        State::Dead => Err(dead()),
        _ => Ok(WriteEarlyData::Ended(0)),
    };
    check(
        |engine| engine.write_early_data(&PAYLOAD),
        |state| writes(state, Ok(WriteEarlyData::NeedWrite)),
    );
    check(
        |engine| engine.write_early_data(&PAYLOAD[..5]),
        |state| writes(state, Err(Misuse::BadWriteRetry.into())),
    );
    check(
        |engine| engine.read_early_data(&mut [0; 9]),
        |state| match state {
            State::Dead => Err::<ReadEarlyData, _>(dead()),
            _ => Err(Misuse::EarlyDataReadByClient.into()),
        },
    );
    check(Engine::rejected_early_data, |state| {
        if state == State::EarlyRejected { 5 } else { 0 }
    });
    check(
        |engine| engine.early_data(),
        |state| match state {
            State::EarlyCommitted => EarlyDataStatus::Offered,
            State::EarlyRejected => EarlyDataStatus::Rejected,
            _ => EarlyDataStatus::NotOffered,
        },
    );
}

/// Whether what the transport delivers can still matter, and has room.
fn receives(state: State) -> bool {
    match state {
        State::Full
        | State::PeerClosed
        | State::BothClosed
        | State::PeerEnding
        | State::Truncated
        | State::ClosedTruncated
        | State::Dead => false,
        State::Handshaking
        | State::EarlyCommitted
        | State::EarlyRejected
        | State::Open
        | State::Pending
        | State::Committed
        | State::Closing
        | State::Closed => true,
    }
}

/// Whether output waits.
fn sends(state: State) -> bool {
    matches!(
        state,
        State::EarlyCommitted | State::Committed | State::Closing
    )
}

#[test]
fn the_ports_in_every_state() {
    // What cannot matter any more is discarded and counted, so that no caller spins.
    check(
        |engine| engine.feed(&[0; 200_000]) == 200_000,
        |state| !receives(state) && state != State::Full,
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
}

#[test]
fn the_facts_in_every_state() {
    check(
        |engine| engine.committed(),
        |state| {
            if let State::Committed | State::EarlyCommitted = state {
                COMMITTED
            } else {
                0
            }
        },
    );
    check(
        |engine| engine.pending(),
        |state| if state == State::Pending { 5 } else { 0 },
    );
    check(
        |engine| engine.negotiated().is_some(),
        |state| !matches!(state, State::Handshaking | State::EarlyCommitted),
    );
    check(|engine| engine.outgoing().is_empty(), |state| !sends(state));
    check(
        |engine| engine.interest(),
        |state| match (receives(state), sends(state)) {
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
