//! The seed corpora: flights recorded from sessions over the null provider, so that a seed of
//! `client_feed` or `server_feed` completes its handshake, and scripts of calls. The same seeds come out
//! every time.

mod scripts;

use offwire::{KeyUpdate, ProtocolVersion};
use offwire_testkit::{ClientAuth, Contexts, Pair, Random, Side, records};

/// A seed, which is a file `fuzz/corpus/TARGET/seed-NAME`.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// The target.
    pub target: &'static str,
    /// The name of the file: `seed-*`. What a fuzzer found is called otherwise.
    pub file: String,
    /// What stands in it.
    pub bytes: Vec<u8>,
}

/// A target's seeds: name and bytes.
type Seeds = Vec<(String, Vec<u8>)>;

/// Every seed of every target.
#[must_use]
pub fn all() -> Vec<Seed> {
    let (client, server) = flights();
    let folders = [
        ("acceptor", server.clone()),
        ("server_feed", server),
        ("client_feed", client),
        ("records", scripts::records()),
        ("operations", operations()),
        ("pair", random_scripts(5, 16, 60)),
        ("bio_pair", random_scripts(17, 8, 300)),
        ("stream", random_scripts(29, 12, 200)),
        ("early_data", random_scripts(41, 16, 120)),
    ];
    let of_target = |(target, seeds): (&'static str, Seeds)| {
        seeds.into_iter().map(move |(name, bytes)| Seed {
            target,
            file: format!("seed-{name}"),
            bytes,
        })
    };
    folders.into_iter().flat_map(of_target).collect()
}

/// What a server sends to a client, and what a client sends to a server, behind the byte of
/// settings that goes with it and a seed of cuts.
fn flights() -> (Seeds, Seeds) {
    let (mut to_client, mut to_server) = (Seeds::new(), Seeds::new());
    for (version, name, only) in [
        (ProtocolVersion::Tls12, "tls12", 128),
        (ProtocolVersion::Tls13, "tls13", 0),
    ] {
        for (auth, settings) in [(ClientAuth::None, only), (ClientAuth::Required, only | 12)] {
            let contexts = Contexts::new()
                .danger_null_crypto_for_tests()
                .version(version)
                .alpn(&[b"h2", b"http/1.1"]);
            let contexts = match auth {
                ClientAuth::None => contexts,
                ClientAuth::Optional | ClientAuth::Required => contexts.client_auth(),
            };
            let mut pair = session(&contexts, version);
            let wires = [pair.to_client.sent(), pair.to_server.sent()];
            for (seeds, wire) in [&mut to_client, &mut to_server].into_iter().zip(wires) {
                seeds.push((format!("{name}-{settings}"), seed(settings, 1, wire)));
                let cut = records::refragment(wire, 40);
                seeds.push((format!("{name}-{settings}-cut"), seed(settings, 2, &cut)));
                let record = records::split(wire).0[0].wire_len();
                let hello = seed(settings | 1, 3, &wire[..record]);
                seeds.push((format!("{name}-{settings}-hello"), hello));
            }
            pair.close();
        }
    }
    for (name, bytes) in [
        ("http", &b"GET / HTTP/1.1\r\n\r\n"[..]),
        ("alert", &[21, 3, 3, 0, 2, 2, 40]),
        ("closed", &[21, 3, 3, 0, 2, 1, 0]),
        ("empty", &[22, 3, 3, 0, 0]),
        ("long", &[22, 3, 3, 0xff, 0xff]),
    ] {
        for seeds in [&mut to_client, &mut to_server] {
            seeds.push((name.into(), seed(0, 1, bytes)));
        }
    }
    (to_client, to_server)
}

/// Data, KeyUpdates and close_notify in both directions.
fn session(contexts: &Contexts, version: ProtocolVersion) -> Pair {
    let mut pair = Pair::of(contexts);
    pair.handshake();
    for side in Side::BOTH {
        pair.exchange(side, b"hello");
        if version == ProtocolVersion::Tls13 {
            pair.engine(side).key_update(KeyUpdate::Both).unwrap();
        }
    }
    pair.exchange(Side::Client, b"hello again");
    pair.exchange(Side::Server, b"and again");
    pair.close();
    pair
}

fn seed(settings: u8, cuts: u8, wire: &[u8]) -> Vec<u8> {
    [&[settings, cuts], wire].concat()
}

/// Schedules: short ones, and such as are long enough to lend buffers, which is drawn last.
fn operations() -> Seeds {
    let lending = random_scripts(53, 12, 1_600).into_iter();
    let lending = lending.map(|(number, bytes)| (format!("lending-{number}"), bytes));
    random_scripts(3, 16, 400)
        .into_iter()
        .chain(lending)
        .collect()
}

/// Scripts of calls that a seed chooses.
fn random_scripts(seed: u64, count: usize, len: usize) -> Seeds {
    let mut random = Random::new(seed);
    (0..count)
        .map(|number| (format!("{number}"), random.bytes(len)))
        .collect()
}
