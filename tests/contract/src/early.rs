//! Connections with early data, beyond what the test kit has.

use offwire::{Engine, Error, ReadEarlyData, Settings, WriteEarlyData};
use offwire_testkit::{Pair, Progress, Side};

pub use offwire_testkit::early_data::{Answer, early_contexts, with_session};

/// A pair whose client has a session that permits `limit` bytes of early data, and whose server
/// answers as told; both keep the write contract by `settings`.
#[must_use]
pub fn early_pair(answer: Answer, limit: u32, settings: Settings) -> Pair {
    let contexts = early_contexts(limit, settings);
    let (client, server) = with_session(&contexts, answer);
    Pair::new(&client, &server, &contexts)
}

/// Reads early data once, into a buffer with room for any record.
///
/// # Errors
/// The engine's.
pub fn read_early(engine: &mut Engine) -> Result<(ReadEarlyData, Vec<u8>), Error> {
    let mut buffer = vec![0; crate::FULL + 1];
    let outcome = engine.read_early_data(&mut buffer)?;
    match outcome {
        ReadEarlyData::Read(n) => buffer.truncate(n),
        ReadEarlyData::NeedRead | ReadEarlyData::NeedWrite | ReadEarlyData::Ended => buffer.clear(),
    }
    Ok((outcome, buffer))
}

/// Writes early data and takes out what must leave, until it is written; returns how much is.
///
/// # Errors
/// The engine's.
pub fn write_early_all(engine: &mut Engine, plaintext: &[u8]) -> Result<(usize, Vec<u8>), Error> {
    let (mut written, mut wire) = (0, Vec::new());
    while written < plaintext.len() {
        let outcome = engine.write_early_data(&plaintext[written..])?;
        wire.extend_from_slice(&engine.take_outgoing());
        match outcome {
            WriteEarlyData::Written(n) => written += n,
            WriteEarlyData::NeedWrite => {}
            WriteEarlyData::Ended(n) => return Ok((written + n, wire)),
            WriteEarlyData::NeedRead => return Ok((written, wire)),
        }
    }
    Ok((written, wire))
}

/// Reads early data and drives the server until it has ended; the client's handshake goes on.
pub fn read_all_early(pair: &mut Pair) -> Vec<u8> {
    let mut plaintext = Vec::new();
    pair.run_until("early data", |pair| {
        let _ = pair.client.read(&mut []).unwrap();
        let (outcome, bytes) = read_early(&mut pair.server).unwrap();
        plaintext.extend_from_slice(&bytes);
        match outcome {
            ReadEarlyData::Read(_) => Progress::Some,
            ReadEarlyData::Ended => Progress::Done,
            ReadEarlyData::NeedRead | ReadEarlyData::NeedWrite => Progress::None,
        }
    });
    plaintext
}

/// Reads at the client until it has so many bytes; what its handshake has to send moves on.
pub fn read_at_client(pair: &mut Pair, len: usize) -> Vec<u8> {
    let mut plaintext = Vec::new();
    pair.run_until("a read", |pair| {
        plaintext.extend_from_slice(&crate::received(&mut pair.client));
        if plaintext.len() >= len {
            Progress::Done
        } else {
            Progress::None
        }
    });
    plaintext
}

/// Writes early data from one end until a record of it is sealed and the write is blocked; what
/// the handshake has to send before it goes to the other end.
pub fn block(pair: &mut Pair, side: Side, bytes: &[u8]) {
    while pair.engine(side).committed() == 0 {
        let outcome = pair.engine(side).write_early_data(bytes);
        assert_eq!(outcome, Ok(WriteEarlyData::NeedWrite));
        if pair.engine(side).committed() == 0 {
            assert!(pair.step_towards(side.peer()) > 0, "the handshake's");
        }
    }
}
