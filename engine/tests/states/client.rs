//! A client in each of its states.

use offwire::{Engine, Error, Handshake, Peer, Read, Settings, Shutdown, Write, WriteEarlyData};
use offwire_testkit::early_data::{Answer, early_contexts, with_session};
use offwire_testkit::{Contexts, Pair, Side};

/// A client's state, by phase, write half, read half and what has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Handshaking,
    EarlyCommitted,
    EarlyRejected,
    Open,
    /// Five bytes are opened and unread.
    Pending,
    /// The incoming queue has no room.
    Full,
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

pub(crate) const STATES: [State; 15] = [
    State::Handshaking,
    State::EarlyCommitted,
    State::EarlyRejected,
    State::Open,
    State::Pending,
    State::Full,
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

/// What is committed in [`State::Committed`] and [`State::EarlyCommitted`]: one record of the write.
pub(crate) const COMMITTED: usize = 16_384;

pub(crate) static PAYLOAD: [u8; 40_000] = [7; 40_000];

pub(crate) fn dead() -> Error {
    Error::Peer(Peer::UnexpectedRecord)
}

/// A client in the given state, with nothing waiting but what the state demands.
pub(crate) fn client(state: State) -> Engine {
    if let State::EarlyCommitted | State::EarlyRejected = state {
        return early_client(state);
    }
    let settings = Settings::default().outgoing_limit(0).incoming_limit(0);
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
        State::Handshaking | State::EarlyCommitted | State::EarlyRejected | State::Open => {}
        State::Pending => {
            assert_eq!(pair.server.write(b"hello"), Ok(Write::Written(5)));
            pair.settle();
            assert_eq!(pair.client.peek(&mut one), Ok(Read::Read(1)));
        }
        State::Full => {
            assert_eq!(
                pair.server.write(&PAYLOAD),
                Ok(Write::Written(PAYLOAD.len()))
            );
            let wire = pair.server.take_outgoing();
            assert!(pair.client.feed(&wire) < wire.len());
        }
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

/// A client with early data that is blocked, or rejected.
fn early_client(state: State) -> Engine {
    let settings = Settings::default().outgoing_limit(0).incoming_limit(0);
    let contexts = early_contexts(1 << 20, settings);
    let (client, server) = with_session(&contexts, Answer::ForgotSession);
    let mut pair = Pair::new(&client, &server, &contexts);
    if state == State::EarlyCommitted {
        while pair.client.committed() == 0 {
            drop(pair.client.take_outgoing());
            let blocked = pair.client.write_early_data(&PAYLOAD);
            assert_eq!(blocked, Ok(WriteEarlyData::NeedWrite));
        }
        return pair.client;
    }
    while pair.client.write_early_data(b"early") != Ok(WriteEarlyData::Written(5)) {
        assert!(pair.step_towards(Side::Server) > 0, "the ClientHello");
    }
    pair.handshake();
    pair.settle_towards(Side::Client);
    assert_eq!(pair.client.read(&mut [0]), Ok(Read::NeedRead));
    pair.client
}

fn close(engine: &mut Engine) {
    assert_eq!(engine.shutdown(), Ok(Shutdown::NeedWrite));
    drop(engine.take_outgoing());
}
