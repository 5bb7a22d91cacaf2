//! Any bytes into a fresh engine of either role.
//!
//! The input: a byte of settings, a seed of cuts and calls, then what the peer sends. The
//! cryptography is null, so a recorded flight goes through, and so do many that differ from it.

use offwire::{BufferPool, Engine, Error, KeyUpdate, ProtocolVersion, Read, Settings, WriteMode};
use offwire_testkit::buffers::stock;
use offwire_testkit::{ClientAuth, Contexts, Identity, Random, Side, Usage};

use crate::script::Script;
use crate::watched::Watched;

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) plaintext: Vec<u8>,
    /// What the engine sent.
    pub(crate) sent: Vec<u8>,
    pub(crate) end: Result<Read, Error>,
}

/// Feeds an input to engines of this role: once with every kind of call in between, and twice by
/// reading alone, whole with buffers of its own and cut with those of a pool, which must come to the same.
pub(crate) fn feed(role: Side, input: &[u8]) {
    let mut script = Script::new(input);
    let (settings, seed) = (script.byte(), script.byte());
    let contexts = contexts(settings);
    let wire = script.rest();
    let fresh = || Watched::new(engine(role, &contexts), &contexts);
    let cut = read_only(fresh(), wire, Some(u64::from(seed)));
    let whole = read_only(fresh(), wire, None);
    assert_eq!(
        cut, whole,
        "where the transport cuts and whose the buffers are must not matter"
    );
    converse(fresh(), wire, u64::from(seed));
}

/// What a settings byte stands for.
pub(crate) fn contexts(byte: u8) -> Contexts {
    let mut settings = Settings::default();
    if byte & 1 != 0 {
        settings = settings.incoming_limit(0).outgoing_limit(0);
    }
    if byte & 2 != 0 {
        settings = settings.write_mode(WriteMode::Partial);
    }
    let mut contexts = Contexts::new()
        .danger_null_crypto_for_tests()
        .settings(settings)
        .alpn(&[b"h2", b"http/1.1"])
        .client_auth_as(match byte >> 2 & 3 {
            0 | 1 => ClientAuth::None,
            2 => ClientAuth::Optional,
            _ => ClientAuth::Required,
        });
    if byte & 64 == 0 {
        contexts = contexts.client_identity(Identity::fixed(Usage::Client));
    }
    if byte & 128 != 0 {
        contexts = contexts.version(ProtocolVersion::Tls12);
    }
    if byte & 16 != 0 {
        contexts = contexts.tickets(0);
    }
    if byte & 32 != 0 {
        contexts = contexts.max_fragment_size(64);
    }
    contexts
}

/// A fresh engine of this role.
pub(crate) fn engine(role: Side, contexts: &Contexts) -> Engine {
    let (client, server) = contexts.build();
    match role {
        Side::Client => client.connect(contexts.name()).unwrap(),
        Side::Server => server.accept(),
    }
}

/// Reads until the input is used up and the transport has ended; cuts where the seed says, each time with
/// the buffers of a pool, or nowhere and with its own.
pub(crate) fn read_only(mut engine: Watched, wire: &[u8], seed: Option<u64>) -> Run {
    let mut random = seed.map(Random::new);
    let mut pool = seed.map(|_| stocked());
    let (mut rest, mut into) = (wire, vec![0; 16_385]);
    let (mut plaintext, mut sent) = (Vec::new(), Vec::new());
    let end = loop {
        if let Some(pool) = &mut pool {
            engine.return_buffers(pool);
            engine.borrow_buffers(pool);
        }
        match engine.read(&mut into) {
            Ok(Read::Read(n)) => plaintext.extend_from_slice(&into[..n]),
            Ok(Read::NeedWrite) => sent.extend(engine.send(usize::MAX)),
            Ok(Read::NeedRead) if rest.is_empty() => engine.feed_eof(),
            Ok(Read::NeedRead) => {
                let len = random
                    .as_mut()
                    .map_or(rest.len(), |random| random.cut(rest.len()));
                let taken = match len % 2 {
                    0 => engine.feed(&rest[..len]),
                    _ => engine.feed_in_place(&rest[..len]),
                };
                rest = &rest[taken..];
            }
            end @ (Ok(Read::Closed | Read::Truncated) | Err(_)) => break end,
        }
    };
    sent.extend(engine.send(usize::MAX));
    Run {
        plaintext,
        sent,
        end,
    }
}

/// A pool in which another connection has left its buffers.
pub(crate) fn stocked() -> BufferPool {
    let mut pool = BufferPool::new(2);
    stock(&mut pool, 20_000);
    pool
}

/// Calls whatever the seed says between the pieces; what the engine promises is checked throughout.
fn converse(mut engine: Watched, wire: &[u8], seed: u64) {
    let (mut random, mut pool) = (Random::new(!seed), stocked());
    let (mut rest, mut into) = (wire, vec![0; 16_385]);
    for _ in 0..200 {
        match random.below(10) {
            0..4 if !rest.is_empty() => {
                let len = random.cut(rest.len());
                let taken = engine.feed(&rest[..len]);
                rest = &rest[taken..];
            }
            0 if random.below(4) == 0 => engine.feed_eof(),
            0..3 => drop(engine.send(random.below(500))),
            3 => _ = engine.handshake(),
            4 => _ = engine.read(&mut into),
            5 => _ = engine.read_bytes(&mut into),
            6 => {
                let len = random.below(64);
                _ = engine.peek_and_read(&mut into[..len]);
            }
            7 => {
                let committed = engine.engine().committed();
                let offer = vec![7; committed + random.below(2) * random.below(20_000)];
                _ = engine.write(&offer);
                if random.below(2) == 0 {
                    engine.retry_wrongly(&offer);
                }
            }
            8 => match random.below(4) {
                0 => engine.key_update(KeyUpdate::Both),
                1 => engine.key_update(KeyUpdate::Ours),
                _ => engine.release(),
            },
            _ => match random.below(8) {
                0 => _ = engine.shutdown(),
                1 => _ = engine.read_early(&mut into),
                2 => _ = engine.write_early(b"early"),
                3 | 4 => engine.borrow_buffers(&mut pool),
                5 | 6 => engine.return_buffers(&mut pool),
                _ => stock(&mut pool, 20_000 + rest.len() * 64),
            },
        }
    }
    finish(&mut engine, &mut into);
}

/// Ends the transport: what has come is read, and then the end stays, whatever is called.
pub(crate) fn finish(engine: &mut Watched, into: &mut [u8]) {
    engine.feed_eof();
    let end = loop {
        match engine.read(into) {
            Ok(Read::Read(_)) => {}
            Ok(Read::NeedWrite) => drop(engine.send(usize::MAX)),
            Ok(Read::NeedRead) => panic!("NeedRead behind the transport's end"),
            end @ (Ok(Read::Closed | Read::Truncated) | Err(_)) => break end,
        }
    };
    assert_eq!(engine.feed(b"more"), 4, "discarded");
    let committed = vec![7; engine.engine().committed()];
    _ = engine.write(&committed);
    _ = engine.shutdown();
    _ = engine.handshake();
    if engine.error().is_none() {
        assert!(engine.read_end().is_some());
    }
    engine.send(usize::MAX);
    assert_eq!(engine.waiting(), 0);
    assert_eq!(engine.read(into), end, "the end stays");
}

#[cfg(test)]
mod tests {
    use offwire::Read;
    use offwire_testkit::Side;

    use super::{contexts, engine, read_only};
    use crate::script::Script;
    use crate::seeds;
    use crate::watched::Watched;

    /// The targets show nothing if what a peer says by the rules does not get through.
    #[test]
    fn every_recorded_flight_completes_and_delivers_what_was_written() {
        let mut complete = 0;
        for seed in seeds::all() {
            let (role, expected) = match seed.target {
                "client_feed" => (Side::Client, &b"helloand again"[..]),
                "server_feed" | "acceptor" => (Side::Server, &b"hellohello again"[..]),
                _ => continue,
            };
            let (flight, hello) = (
                seed.file.starts_with("seed-tls"),
                seed.file.ends_with("-hello"),
            );
            if !flight || hello {
                continue;
            }
            let mut script = Script::new(&seed.bytes);
            let (settings, cuts) = (script.byte(), script.byte());
            let contexts = contexts(settings);
            for cuts in [None, Some(cuts.into())] {
                let engine = Watched::new(engine(role, &contexts), &contexts);
                let run = read_only(engine, script.rest(), cuts);
                let name = format!("{}/{}", seed.target, seed.file);
                assert_eq!(run.end, Ok(Read::Closed), "{name}");
                assert_eq!(run.plaintext, expected, "{name}");
                complete += 1;
            }
        }
        assert_eq!(complete, 3 * 8 * 2, "flights of three targets, twice");
    }
}
