//! What the tests of the contract share: connected pairs, and the loop of an adapter over a
//! transport of bounded capacity.
//!
//! The tests stand in `tests/`, a file a family of facts; each is named after its fact (H1, W3,
//! S12 …) or its rule and says what must hold. Facts are those seen in OpenSSL; where the engine
//! differs on purpose the name carries the difference (X1 …) as well.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "tests fail by panicking, with a message that names the rule"
)]

pub mod early;
pub mod strategy;
pub mod violation;

use offwire::{Completion, Engine, Error, ProtocolVersion, Read, Settings, Write, WriteMode};
use offwire_testkit::{Contexts, Link, Pair, Random, RawPeer, Side, read_available};

/// The most plaintext that one record carries, in bytes.
pub const FULL: usize = 16_384;

/// Both protocol versions.
pub const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// Both write modes.
pub const WRITE_MODES: [WriteMode; 2] = [WriteMode::Whole, WriteMode::Partial];

/// What an AES-GCM record costs beyond its plaintext, in bytes: its header, the content type
/// (TLS 1.3) or the explicit nonce (TLS 1.2), and the tag.
#[must_use]
pub const fn overhead(version: ProtocolVersion) -> usize {
    match version {
        ProtocolVersion::Tls12 => 5 + 8 + 16,
        ProtocolVersion::Tls13 => 5 + 1 + 16,
    }
}

/// Contexts of one version, without tickets, so that only what a test does is on the wire.
#[must_use]
pub fn quiet(version: ProtocolVersion) -> Contexts {
    Contexts::new().version(version).tickets(0)
}

/// A pair whose handshake is complete and whose links count from here.
#[must_use]
pub fn connected(contexts: &Contexts) -> Pair {
    let mut pair = Pair::of(contexts);
    pair.handshake();
    Pair::of_engines(pair.client, pair.server)
}

/// A connected pair of one version and these settings on both sides.
#[must_use]
pub fn connected_with(version: ProtocolVersion, settings: Settings) -> Pair {
    connected(&quiet(version).settings(settings))
}

/// A raw peer facing a connected engine of the given role.
#[must_use]
pub fn raw(role: Side, version: ProtocolVersion) -> (RawPeer, Engine) {
    RawPeer::facing(role, &quiet(version))
}

/// A raw peer facing a connected engine of the given role and settings.
#[must_use]
pub fn raw_with(role: Side, version: ProtocolVersion, settings: Settings) -> (RawPeer, Engine) {
    RawPeer::facing(role, &quiet(version).settings(settings))
}

/// The settings of an adapter over a real transport.
#[must_use]
pub fn sent() -> Settings {
    Settings::default().completion(Completion::Sent)
}

/// So many bytes in which no part looks like another.
#[must_use]
pub fn noise(len: usize) -> Vec<u8> {
    Random::new(len as u64 + 1).bytes(len)
}

/// Takes everything that the engine has to send.
pub fn take(engine: &mut Engine) -> Vec<u8> {
    engine.take_outgoing().to_vec()
}

/// How many bytes the engine has to send.
#[must_use]
pub fn waiting(engine: &Engine) -> usize {
    engine
        .outgoing_slices()
        .iter()
        .map(|slice| slice.len())
        .sum()
}

/// Feeds bytes that the engine has room for.
pub fn feed(engine: &mut Engine, ciphertext: &[u8]) {
    assert_eq!(
        engine.feed(ciphertext),
        ciphertext.len(),
        "the engine has no room"
    );
}

/// Reads once, into a buffer with room for any record.
///
/// # Errors
/// The engine's.
pub fn read(engine: &mut Engine) -> Result<(Read, Vec<u8>), Error> {
    let mut buffer = vec![0; FULL + 1];
    let outcome = engine.read(&mut buffer)?;
    match outcome {
        Read::Read(n) => buffer.truncate(n),
        Read::NeedRead | Read::NeedWrite | Read::Closed | Read::Truncated => buffer.clear(),
    }
    Ok((outcome, buffer))
}

/// Reads once and drops the plaintext.
///
/// # Errors
/// The engine's.
pub fn read_outcome(engine: &mut Engine) -> Result<Read, Error> {
    read(engine).map(|(outcome, _)| outcome)
}

/// Reads all that is there, which must not end in an error.
pub fn received(engine: &mut Engine) -> Vec<u8> {
    let mut plaintext = Vec::new();
    let _ = read_available(engine, &mut plaintext).unwrap();
    plaintext
}

/// Writes as an adapter does: what can leave leaves, and the verb is repeated until it is done or
/// the transport is full.
///
/// # Errors
/// The engine's.
pub fn write_through(
    engine: &mut Engine,
    link: &mut Link,
    plaintext: &[u8],
) -> Result<Write, Error> {
    loop {
        let outcome = engine.write(plaintext)?;
        let moved = link.pull(engine);
        match outcome {
            Write::NeedWrite if moved > 0 => {}
            Write::Written(_) | Write::NeedRead | Write::NeedWrite => return Ok(outcome),
        }
    }
}
