//! The records that a first flight comes in: whatever rustls accepts, the engine accepts, and reads the
//! same in it. Versions, lengths and warnings are drawn at random, most of them valid.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

extern crate alloc;

use alloc::sync::Arc;

use offwire::{Acceptor, Engine, Error, Exporter, Hello, Peer, ProtocolVersion, Settings};
use offwire_testkit::records::{ContentType, split_whole};
use offwire_testkit::{Contexts, Pair, Random, Side};
use rustls::{ClientConnection, Connection, ServerConnection};

const NAME: &str = "server.test";

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// Versions of records that rustls knows, whether of TLS or not, and their neighbours.
const RECORD_VERSIONS: [[u8; 2]; 14] = [
    [3, 1],
    [3, 3],
    [3, 0],
    [3, 4],
    [3, 0xff],
    [0, 2], // SSL 2, as rustls has it
    [0xfe, 0xff],
    [0xfe, 0xfd],
    [0xfe, 0xfc],
    [2, 0],
    [4, 3],
    [0, 3],
    [0xfe, 0xfe],
    [0xff, 0xff],
];

/// How often each thing that is odd happens, one in so many.
#[derive(Clone, Copy)]
struct Odds {
    version: usize,
    invalid: usize,
    /// One flight in so many has a byte of its messages changed.
    changed: usize,
}

/// The first flight in other records. What is protected stays as it is.
fn reframed(flight: &[u8], random: &mut Random, odds: Odds) -> Vec<u8> {
    let records = split_whole(flight);
    let plain = records
        .iter()
        .take_while(|record| record.content_type == ContentType::HANDSHAKE);
    let mut content: Vec<u8> = plain
        .clone()
        .flat_map(|record| record.body)
        .copied()
        .collect();
    let protected: usize = plain.map(|record| record.wire_len()).sum();

    if random.below(odds.changed) == 0 {
        let at = random.below(content.len());
        content[at] ^= 1 << random.below(8);
    }
    let mut wire = Vec::new();
    for _ in 0..random.below(6) {
        alert(&mut wire, random, odds);
    }
    let mut rest = &content[..];
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(random.cut(rest.len()));
        record(&mut wire, 22, piece, random, odds);
        if random.below(odds.invalid) == 0 {
            match random.below(3) {
                0 => alert(&mut wire, random, odds),
                1 => record(&mut wire, 22, &[], random, odds),
                _ => record(&mut wire, 20, &[1], random, odds),
            }
        }
        rest = behind;
    }
    wire.extend(&flight[protected..]);
    wire
}

fn record(wire: &mut Vec<u8>, kind: u8, content: &[u8], random: &mut Random, odds: Odds) {
    let version = match random.below(odds.version) {
        0 => RECORD_VERSIONS[random.below(RECORD_VERSIONS.len())],
        _ => [3, 3],
    };
    wire.push(kind);
    wire.extend(version);
    wire.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
    wire.extend(content);
}

fn alert(wire: &mut Vec<u8>, random: &mut Random, odds: Odds) {
    let level = if random.below(odds.invalid) == 0 {
        2
    } else {
        1
    };
    let description = [0, 90, 112, 100, 255][random.below(5)];
    let length = 2 + usize::from(random.below(odds.invalid) == 0);
    record(wire, 21, &[level, description, 0][..length], random, odds);
}

/// How rustls itself takes such a flight, on a connection of its own: the name that was asked for.
fn by_rustls(
    side: Side,
    contexts: &Contexts,
    seed: u64,
    odds: Odds,
) -> Result<Option<String>, rustls::Error> {
    let (client, server) = contexts.build();
    let mut tested: Connection = match side {
        Side::Client => {
            let config = Arc::new(contexts.client_config());
            ClientConnection::new(config, contexts.name())
                .unwrap()
                .into()
        }
        Side::Server => ServerConnection::new(Arc::new(contexts.server_config()))
            .unwrap()
            .into(),
    };
    let mut peer = match side {
        Side::Client => server.accept(),
        Side::Server => client.connect(contexts.name()).unwrap(),
    };
    let mut first = Some(Random::new(seed));
    while tested.is_handshaking() {
        _ = peer.handshake();
        let mut wire = peer.take_outgoing().to_vec();
        if let Some(mut random) = first.take_if(|_| !wire.is_empty()) {
            wire = reframed(&wire, &mut random, odds);
        }
        let mut rest = &wire[..];
        while !rest.is_empty() {
            tested.read_tls(&mut rest).unwrap();
            tested.process_new_packets()?;
        }
        let mut answer = Vec::new();
        while tested.wants_write() {
            tested.write_tls(&mut answer).unwrap();
        }
        if wire.is_empty() && answer.is_empty() {
            return Err(rustls::Error::General("both wait for more".into()));
        }
        assert_eq!(peer.feed(&answer), answer.len());
    }
    Ok(match &tested {
        Connection::Client(_) => Some(NAME.to_owned()),
        Connection::Server(server) => server.server_name().map(str::to_owned),
    })
}

/// How the engine takes it: both ends, once neither goes on.
fn by_engine(side: Side, contexts: &Contexts, seed: u64, odds: Odds) -> (Pair, Result<(), Error>) {
    let (client, server) = contexts.build();
    let (client, server) = (client.connect(contexts.name()), server.accept());
    let mut pair = Pair::of_engines(client.unwrap(), server);
    if side == Side::Client {
        _ = pair.client.handshake();
        let hello = pair.client.take_outgoing();
        assert_eq!(pair.server.feed(&hello), hello.len());
    }
    let peer = pair.engine(side.peer());
    _ = peer.handshake();
    let wire = reframed(&peer.take_outgoing(), &mut Random::new(seed), odds);
    feed_in_pieces(pair.engine(side), &wire, &mut Random::new(!seed));
    let result = match (side, pair.try_handshake()) {
        (Side::Client, (result, _)) | (Side::Server, (_, result)) => result,
    };
    (pair, result)
}

fn feed_in_pieces(engine: &mut Engine, wire: &[u8], random: &mut Random) {
    let mut rest = wire;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(random.cut(rest.len()));
        assert_eq!(engine.feed(piece), piece.len());
        _ = engine.handshake();
        rest = behind;
    }
}

/// How the acceptor takes a client's flight, and the engine behind it: the name that it found.
fn by_acceptor(contexts: &Contexts, seed: u64, odds: Odds) -> Result<Option<String>, Error> {
    let (client, server) = contexts.build();
    let mut client = client.connect(contexts.name()).unwrap();
    _ = client.handshake();
    let wire = reframed(&client.take_outgoing(), &mut Random::new(seed), odds);
    let mut acceptor = Acceptor::new();
    assert_eq!(acceptor.feed(&wire), wire.len());
    let name = match acceptor.client_hello()? {
        Hello::Complete(hello) => hello.server_name().map(str::to_owned),
        Hello::NeedRead => return Err(Peer::HandshakeTruncated.into()),
    };
    let mut pair = Pair::of_engines(client, acceptor.accept(&server)?);
    pair.try_handshake().1.map(|()| name)
}

/// Compares the three. Whether rustls accepted.
fn compare(side: Side, contexts: &Contexts, seed: u64, odds: Odds) -> bool {
    let what = format!("{side:?} seed {seed} {contexts:?}");
    let expected = by_rustls(side, contexts, seed, odds);
    let (mut pair, result) = by_engine(side, contexts, seed, odds);
    let name = |engine: &Engine| {
        let name = engine.negotiated().unwrap().server_name();
        name.map(str::to_owned)
    };
    let result = result.map(|()| name(pair.engine(side)));
    let mut results = vec![result];
    if side == Side::Server {
        results.push(by_acceptor(contexts, seed, odds));
    }
    for result in results {
        match (&expected, result) {
            (Ok(expected), Ok(name)) => assert_eq!(*expected, name, "{what}"),
            (Err(_), Err(Error::Peer(_) | Error::Alert(_))) => {}
            (_, result) => panic!("{what}: {result:?}, and rustls {expected:?}"),
        }
    }
    if expected.is_ok() && odds.changed == usize::MAX {
        let mut material = [[0; 32]; 2];
        for (side, out) in Side::BOTH.into_iter().zip(&mut material) {
            let engine = pair.engine(side);
            engine
                .export_keying_material(out, b"framing", None)
                .unwrap();
        }
        assert_eq!(material[0], material[1], "{what}");
    }
    expected.is_ok()
}

#[test]
fn what_rustls_accepts_the_engine_accepts_and_reads_alike() {
    let mut results = [0, 0];
    for seed in 0..800 {
        for (side, version) in Side::BOTH
            .into_iter()
            .flat_map(|side| VERSIONS.map(|version| (side, version)))
        {
            let contexts = Contexts::new()
                .danger_null_crypto_for_tests()
                .version(version)
                .server_name(NAME)
                .settings(Settings::default().exporter(Exporter::Kept));
            let odds = Odds {
                version: if seed % 2 == 0 { 2 } else { 100 },
                invalid: if seed % 4 < 2 { 50 } else { 5 },
                changed: if seed % 8 < 4 { usize::MAX } else { 1 },
            };
            let accepted = compare(side, &contexts, seed, odds);
            results[usize::from(accepted)] += 1;
        }
    }
    assert!(results.iter().all(|count| *count > 200), "{results:?}");
}
