//! Before the handshake is complete.

use offwire::{Engine, Peer, Read, Settings};
use offwire_testkit::{Authority, Contexts, Kind, Pair, Side, Usage, messages, records};

use crate::cost::{AT_ONCE, HANDSHAKE, PER_CERTIFICATE_BYTE, each, endure, endure_on, held_by};

/// What makes an engine that awaits the peer's first byte.
pub(crate) fn fresh(role: Side, contexts: &Contexts) -> impl FnOnce() -> Engine {
    let (client, server) = contexts.build();
    let name = contexts.name();
    move || match role {
        Side::Client => client.connect(name).unwrap(),
        Side::Server => server.accept(),
    }
}

/// A record in the clear.
fn record(content_type: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[content_type, 3, 3, high, low], content].concat()
}

/// The first message of the peer, as long as rustls permits, in records of so many bytes.
fn first_message(role: Side, fragment: usize) -> Vec<u8> {
    let message_type = match role {
        Side::Client => 2,
        Side::Server => 1,
    };
    let message = messages::handshake(message_type, &[7; 65_535]);
    let records = message.chunks(fragment).map(|content| record(22, content));
    records.collect::<Vec<_>>().concat()
}

#[test]
fn a_first_message_in_one_byte_records_ends_at_the_queues_bound() {
    each(|what, _, role, contexts| {
        let wire = first_message(role, 1);
        let (_, half) = endure(fresh(role, contexts), &wire[..65_536], 6);
        for piece in [1, 6, wire.len()] {
            let (engine, cost) = endure(fresh(role, contexts), &wire, piece);
            let what = format!("{what} in pieces of {piece}");
            assert_eq!(cost.end, Err(Peer::HandshakeTooLarge.into()), "{what}");
            assert_eq!(cost.fed, 128 * 1_024, "{what}");
            cost.assert_bounded(engine.settings(), HANDSHAKE, &what);
            assert!(
                cost.total <= 2 * half.total + AT_ONCE,
                "{what}: twice the bytes"
            );
        }
    });
}

#[test]
fn a_first_message_of_full_records_is_put_together_once() {
    each(|what, _, role, contexts| {
        let wire = first_message(role, 16_384);
        for piece in [1, 16_389, wire.len()] {
            let (engine, cost) = endure(fresh(role, contexts), &wire, piece);
            let what = format!("{what} in pieces of {piece}");
            assert!(cost.end.is_err(), "{what}: nothing but sevens");
            cost.assert_bounded(engine.settings(), HANDSHAKE, &what);
        }
    });
}

#[test]
fn a_message_that_never_ends_is_refused_by_its_length() {
    each(|what, _, role, contexts| {
        let message_type = if role == Side::Client { 2 } else { 1 };
        let mut content = vec![message_type, 0xff, 0xff, 0xff];
        content.resize(16_384, 7);
        let wire = record(22, &content).repeat(50);
        let (engine, cost) = endure(fresh(role, contexts), &wire, 1_000);
        assert!(cost.end.is_err());
        assert!(cost.fed <= 17_000, "{cost:?}: the first record tells");
        cost.assert_bounded(engine.settings(), HANDSHAKE, what);
    });
}

#[test]
fn no_record_without_a_handshake_message_can_be_repeated_before_the_handshake() {
    each(|on, _, role, contexts| {
        for (what, record) in [
            ("empty handshake records", record(22, b"")),
            ("empty application data", record(23, b"")),
            ("warnings", record(21, &[1, 90])),
            ("change_cipher_spec", record(20, &[1])),
            ("HelloRequests", record(22, &messages::hello_request())),
        ] {
            let (engine, cost) = endure(fresh(role, contexts), &record.repeat(1_000), record.len());
            let what = format!("{on}: {what}");
            assert!(cost.end.is_err(), "{what}");
            assert!(cost.fed <= 8 * record.len(), "{what}: {cost:?}");
            cost.assert_bounded(engine.settings(), HANDSHAKE, &what);
        }
    });
}

#[test]
fn a_client_hello_of_maximum_size_is_read_in_any_pieces() {
    let name = [b'x'; 255];
    each(|what, _, role, server| {
        if role == Side::Client {
            return;
        }
        let names = vec![&name[..]; 240];
        let client = server.clone().client_alpn(&names);
        let client = client.client_settings(Settings::default());
        let (connecting, _) = client.build();
        let mut connecting = connecting.connect(client.name()).unwrap();
        assert!(connecting.handshake().is_ok());
        let hello = connecting.take_outgoing();
        assert!(hello.len() > 61_000);
        for (fragment, piece) in [
            (16_384, 1),
            (16_384, 70_000),
            (16, 1),
            (16, 21),
            (6, 90_000),
        ] {
            let wire = records::refragment(&hello, fragment);
            let (engine, cost) = endure(fresh(Side::Server, server), &wire, piece);
            let what = format!("{what}: records of {fragment} in pieces of {piece}");
            assert_eq!(cost.end, Ok(Read::NeedRead), "{what}");
            let answered = engine.stats().wire_sent > 0;
            assert!(answered, "{what}: the server has answered");
            cost.assert_bounded(engine.settings(), HANDSHAKE, &what);
        }
    });
}

/// An engine of this role that awaits a flight with its peer's certificates, what it holds by then
/// (itself, and its heap), and that flight.
fn before_the_certificates(role: Side, contexts: &Contexts) -> (Engine, usize, Vec<u8>) {
    let meet = || {
        let mut pair = Pair::of(contexts);
        let (mut hello, mut flight) = (Vec::new(), Vec::new());
        send(&mut pair.client, &mut hello);
        pair.server.feed(&hello);
        send(&mut pair.server, &mut flight);
        if role == Side::Client {
            return (pair.client, flight);
        }
        pair.client.feed(&flight);
        flight.clear();
        send(&mut pair.client, &mut flight);
        (pair.server, flight)
    };
    let (twin, _) = meet();
    let held = held_by(twin);
    let (engine, flight) = meet();
    (engine, held, flight)
}

/// All that an engine has to say before it waits for its peer.
fn send(engine: &mut Engine, wire: &mut Vec<u8>) {
    while engine.handshake().is_ok() && !engine.outgoing().is_empty() {
        wire.extend(engine.take_outgoing());
    }
}

#[test]
fn a_huge_certificate_chain_is_read_in_any_pieces() {
    let chain = 60_000;
    let huge = |usage| Authority::shared().issue_huge(Kind::EcdsaP256, usage, chain);
    let (servers, clients) = (huge(Usage::Server), huge(Usage::Client));
    each(|what, _, role, contexts| {
        let contexts = match role {
            Side::Client => contexts.clone().server_identity(servers.clone()),
            Side::Server => contexts
                .clone()
                .client_identity(clients.clone())
                .client_auth(),
        };
        for piece in [1, 70_000] {
            let (mut engine, held, flight) = before_the_certificates(role, &contexts);
            assert!(flight.len() > chain - 1_000);
            let cost = endure_on(&mut engine, held, &flight, piece);
            let what = format!("{what} in pieces of {piece}");
            assert_eq!(cost.end, Ok(Read::NeedRead), "{what}");
            let shown = engine.negotiated().map(|agreed| {
                let certificates = agreed.peer_certificates().iter();
                certificates
                    .map(|certificate| certificate.len())
                    .sum::<usize>()
            });
            assert!(shown.is_none_or(|shown| shown > chain - 1_000), "{what}");
            assert!(
                shown.is_some() || role == Side::Client,
                "{what}: a server has them all"
            );
            // The certificates themselves are kept: by rustls, and for `negotiated`.
            let (settings, kept) = (engine.settings(), HANDSHAKE + 2 * chain);
            cost.assert_within(settings, kept, PER_CERTIFICATE_BYTE, &what);
        }
    });
}
