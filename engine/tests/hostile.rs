//! What a hostile peer can cost: memory stays under the sum of an engine's limits plus a constant,
//! and what is allocated grows no faster than what was received. Both roles, both versions, before
//! and after the handshake.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use allocation_counter::measure;
use offwire::{Engine, Error, Peer, ProtocolVersion, Read};
use offwire_testkit::{
    Authority, Contexts, Kind, RawPeer, Side, Usage, messages, read_available, records,
};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// Bytes beyond the limits while the handshake lasts: its larger queue (128 KiB, and a quarter of
/// slack), and a server's second reading of the ClientHello, from which the server name comes: the
/// message (64 KiB), rustls's buffer for it (128 KiB) and what rustls makes of it (64 KiB).
const HANDSHAKE: usize = 384 * 1_024;

/// Bytes beyond the limits after it: a handshake message that is not whole (64 KiB).
const OPEN: usize = 64 * 1_024;

/// Bytes allocated for each byte received, at most: storage that doubles costs two, a message that is
/// copied twice while it grows four, what a KeyUpdate of 27 bytes derives its part.
const PER_BYTE: usize = 12;

/// Bytes allocated whatever is received.
const AT_ONCE: usize = 64 * 1_024;

/// What a peer's bytes cost an engine.
#[derive(Debug)]
struct Cost {
    fed: usize,
    /// The most bytes that were allocated at one time, beyond those at the beginning.
    peak: usize,
    /// All bytes that were ever allocated.
    total: usize,
    end: Result<Read, Error>,
}

impl Cost {
    fn assert_bounded(&self, engine: &Engine, constant: usize, what: &str) {
        let settings = engine.settings();
        let limits = settings.effective_incoming_limit() + settings.effective_outgoing_limit();
        assert!(self.peak <= limits + constant, "{what}: {self:?}");
        let work = PER_BYTE * self.fed + AT_ONCE;
        assert!(self.total <= work, "{what}: {self:?}");
    }
}

/// Feeds pieces of so many bytes and reads behind each; what the engine says goes nowhere.
fn endure(engine: &mut Engine, wire: &[u8], piece: usize) -> Cost {
    let mut into = vec![0; 16_385];
    let (mut fed, mut end) = (0, Ok(Read::NeedRead));
    let allocated = measure(|| {
        for piece in wire.chunks(piece) {
            let mut rest = piece;
            while !rest.is_empty() && end == Ok(Read::NeedRead) {
                let taken = engine.feed(rest);
                fed += taken;
                rest = &rest[taken..];
                end = read_all(engine, &mut into);
            }
        }
    });
    Cost {
        fed,
        peak: usize::try_from(allocated.bytes_max).unwrap(),
        total: usize::try_from(allocated.bytes_total).unwrap(),
        end,
    }
}

/// Reads until the engine wants more, or has none.
fn read_all(engine: &mut Engine, into: &mut [u8]) -> Result<Read, Error> {
    loop {
        match engine.read(into)? {
            Read::Read(_) => {}
            Read::NeedWrite => {
                let waiting = engine.outgoing().len();
                engine.sent(waiting).unwrap();
            }
            end @ (Read::NeedRead | Read::Closed | Read::Truncated) => return Ok(end),
        }
    }
}

/// An engine that awaits the peer's first byte.
fn fresh(role: Side, contexts: &Contexts) -> Engine {
    let (client, server) = contexts.build();
    let mut engine = match role {
        Side::Client => client.connect(contexts.name()).unwrap(),
        Side::Server => server.accept(),
    };
    assert!(engine.handshake().is_ok());
    drop(engine.take_outgoing());
    engine
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

fn each(mut run: impl FnMut(ProtocolVersion, Side, &Contexts)) {
    for version in VERSIONS {
        let contexts = Contexts::new().version(version);
        for role in Side::BOTH {
            run(version, role, &contexts);
        }
    }
}

#[test]
fn a_first_message_in_one_byte_records_ends_at_the_queues_bound() {
    each(|version, role, contexts| {
        let wire = first_message(role, 1);
        let half = endure(&mut fresh(role, contexts), &wire[..65_536], 6).total;
        for piece in [1, 6, wire.len()] {
            let mut engine = fresh(role, contexts);
            let cost = endure(&mut engine, &wire, piece);
            let what = format!("{version} {role:?} in pieces of {piece}");
            assert_eq!(cost.end, Err(Peer::HandshakeTooLarge.into()), "{what}");
            assert_eq!(cost.fed, 128 * 1_024, "{what}");
            cost.assert_bounded(&engine, HANDSHAKE, &what);
            assert!(cost.total <= 2 * half + AT_ONCE, "{what}: twice the bytes");
        }
    });
}

#[test]
fn a_first_message_of_full_records_is_put_together_once() {
    each(|version, role, contexts| {
        let wire = first_message(role, 16_384);
        for piece in [1, 16_389, wire.len()] {
            let mut engine = fresh(role, contexts);
            let cost = endure(&mut engine, &wire, piece);
            let what = format!("{version} {role:?} in pieces of {piece}");
            assert!(cost.end.is_err(), "{what}: nothing but sevens");
            cost.assert_bounded(&engine, HANDSHAKE, &what);
        }
    });
}

#[test]
fn a_message_that_never_ends_is_refused_by_its_length() {
    each(|version, role, contexts| {
        let message_type = if role == Side::Client { 2 } else { 1 };
        let mut content = vec![message_type, 0xff, 0xff, 0xff];
        content.resize(16_384, 7);
        let wire = record(22, &content).repeat(50);
        let mut engine = fresh(role, contexts);
        let cost = endure(&mut engine, &wire, 1_000);
        assert!(cost.end.is_err());
        assert!(cost.fed <= 17_000, "{cost:?}: the first record tells");
        cost.assert_bounded(&engine, HANDSHAKE, &format!("{version} {role:?}"));
    });
}

#[test]
fn no_record_without_a_handshake_message_can_be_repeated_before_the_handshake() {
    each(|version, role, contexts| {
        for (what, record) in [
            ("empty handshake records", record(22, b"")),
            ("empty application data", record(23, b"")),
            ("warnings", record(21, &[1, 90])),
            ("change_cipher_spec", record(20, &[1])),
            ("HelloRequests", record(22, &messages::hello_request())),
        ] {
            let mut engine = fresh(role, contexts);
            let cost = endure(&mut engine, &record.repeat(1_000), record.len());
            let what = format!("{version} {role:?}: {what}");
            assert!(cost.end.is_err(), "{what}");
            assert!(cost.fed <= 8 * record.len(), "{what}: {cost:?}");
            cost.assert_bounded(&engine, HANDSHAKE, &what);
        }
    });
}

#[test]
fn a_client_hello_of_maximum_size_is_read_in_any_pieces() {
    let name = [b'x'; 255];
    for version in VERSIONS {
        let server = Contexts::new().version(version);
        let names = vec![&name[..]; 240];
        let client = server.clone().client_alpn(&names);
        let (connecting, _) = client.build();
        let mut connecting = connecting.connect(client.name()).unwrap();
        assert!(connecting.handshake().is_ok());
        let hello = connecting.take_outgoing();
        assert!(hello.len() > 61_000);
        for (fragment, piece) in [(16_384, 1), (16_384, 70_000), (16, 1), (16, 21)] {
            let wire = records::refragment(&hello, fragment);
            let mut engine = fresh(Side::Server, &server);
            let cost = endure(&mut engine, &wire, piece);
            let what = format!("{version}: records of {fragment} in pieces of {piece}");
            assert_eq!(cost.end, Ok(Read::NeedRead), "{what}");
            assert!(
                engine.stats().wire_sent > 0,
                "{what}: the server has answered"
            );
            cost.assert_bounded(&engine, HANDSHAKE, &what);
        }
    }
}

#[test]
fn a_huge_certificate_chain_is_read_in_any_pieces() {
    let identity = Authority::shared().issue_huge(Kind::EcdsaP256, Usage::Server, 60_000);
    let chain = 60_000;
    for version in VERSIONS {
        let contexts = Contexts::new()
            .version(version)
            .server_identity(identity.clone());
        for piece in [1, 70_000] {
            let (client, server) = contexts.build();
            let mut engine = client.connect(contexts.name()).unwrap();
            assert!(engine.handshake().is_ok());
            let mut server = server.accept();
            server.feed(&engine.take_outgoing());
            assert!(server.handshake().is_ok());
            let mut flight = server.take_outgoing().to_vec();
            while server.handshake().is_ok() && !server.outgoing().is_empty() {
                flight.extend(server.take_outgoing());
            }
            assert!(flight.len() > chain);
            let cost = endure(&mut engine, &flight, piece);
            let what = format!("{version} in pieces of {piece}");
            assert_eq!(cost.end, Ok(Read::NeedRead), "{what}");
            // The certificates themselves are kept: by rustls, and for `negotiated`.
            cost.assert_bounded(&engine, HANDSHAKE + 2 * chain, &what);
        }
    }
}

/// A connected engine and a peer that may say anything.
fn connected(role: Side, contexts: &Contexts) -> (RawPeer, Engine) {
    let (mut peer, mut engine) = RawPeer::facing(role, contexts);
    peer.drain(&mut engine);
    assert_eq!(
        read_available(&mut engine, &mut Vec::new()),
        Ok(Read::NeedRead)
    );
    (peer, engine)
}

#[test]
fn one_byte_of_data_a_record_costs_no_allocation() {
    each(|version, role, contexts| {
        let (mut peer, mut engine) = connected(role, contexts);
        let wire: Vec<u8> = (0..5_000).flat_map(|_| peer.data(b"x")).collect();
        let (first, rest) = wire.split_at(wire.len() / 2);
        endure(&mut engine, first, 1_000);
        let cost = endure(&mut engine, rest, 1_000);
        assert_eq!(cost.end, Ok(Read::NeedRead));
        assert_eq!(engine.stats().records_opened, 5_000, "each once");
        assert_eq!(cost.total, 0, "{version} {role:?}: the steady state");
    });
}

#[test]
fn records_of_maximum_length_one_byte_at_a_time_need_one_buffer() {
    each(|version, role, contexts| {
        let (mut peer, mut engine) = connected(role, contexts);
        let wire: Vec<u8> = (0..10).flat_map(|_| peer.data(&[7; 16_384])).collect();
        let (first, rest) = wire.split_at(wire.len() / 2);
        let cost = endure(&mut engine, first, 1);
        cost.assert_bounded(&engine, 0, &format!("{version} {role:?}"));
        assert_eq!(engine.stats().records_opened, 5);
        assert_eq!(endure(&mut engine, rest, 1).total, 0, "the steady state");
    });
}

/// Control records that data between them keeps from being a flood: twice as many may cost twice as
/// much, and nothing of them stays.
fn assert_flat(
    (role, contexts): (Side, &Contexts),
    what: &str,
    record: impl Fn(&mut RawPeer) -> Vec<u8>,
) {
    let (mut peer, mut engine) = connected(role, contexts);
    let mut round = |rounds| {
        let record = |_| [record(&mut peer), peer.data(b"x")].concat();
        let wire: Vec<u8> = (0..rounds).flat_map(record).collect();
        let cost = endure(&mut engine, &wire, 4_000);
        assert_eq!(cost.end, Ok(Read::NeedRead), "{what}");
        cost.assert_bounded(&engine, OPEN, what);
        cost
    };
    let (first, once, twice) = (round(64), round(500), round(1_000));
    assert!(
        twice.total <= 2 * once.total + AT_ONCE,
        "{what}: {once:?} {twice:?}"
    );
    assert!(
        twice.peak <= once.peak + 4_096,
        "{what}: {first:?} {twice:?}"
    );
}

#[test]
fn control_records_between_data_leave_nothing_behind() {
    each(|version, role, contexts| {
        let on = (role, contexts);
        assert_flat(on, "empty records", |peer| peer.data(b""));
        match (version, role) {
            (ProtocolVersion::Tls12, Side::Client) => {
                assert_flat(on, "HelloRequests", |peer| {
                    peer.message(&messages::hello_request())
                });
            }
            (ProtocolVersion::Tls12, Side::Server) => {
                assert_flat(on, "ClientHellos", |peer| {
                    peer.message(&messages::client_hello())
                });
            }
            (ProtocolVersion::Tls13, Side::Server) => {
                assert_flat(on, "KeyUpdates", |peer| peer.key_update(1));
            }
            (ProtocolVersion::Tls13, Side::Client) => {
                assert_flat(on, "KeyUpdates", |peer| peer.key_update(1));
                assert_flat(on, "tickets", |peer| {
                    peer.message(&messages::new_session_ticket(1_000))
                });
            }
        }
    });
}

#[test]
fn the_longest_message_after_the_handshake_in_one_byte_records_is_copied_as_it_grows() {
    let ticket = messages::new_session_ticket(65_000);
    let hello = messages::handshake(1, &[0; 65_535]);
    for (version, role, message) in [
        (ProtocolVersion::Tls13, Side::Client, ticket),
        (ProtocolVersion::Tls12, Side::Server, hello),
    ] {
        let (mut peer, mut engine) = connected(role, &Contexts::new().version(version));
        let fragments: Vec<u8> = message
            .iter()
            .flat_map(|byte| peer.message(&[*byte]))
            .collect();
        let cost = endure(&mut engine, &fragments, 1_000);
        assert_eq!(cost.end, Ok(Read::NeedRead), "{version}");
        // Its storage doubles up to its length; at the last step the old one is there as well.
        assert!(
            cost.peak <= 2 * message.len() + 4_096,
            "{version}: {cost:?}"
        );
        assert!(cost.total <= 4 * message.len(), "{version}: {cost:?}");
    }
}
