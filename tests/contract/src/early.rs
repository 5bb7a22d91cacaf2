//! Connections with early data: a client that has a session, and a server that knows it or not.

use offwire::rustls::NamedGroup;
use offwire::{Client, EarlyData, Engine, Error, ReadEarlyData, Server, Settings, WriteEarlyData};
use offwire_testkit::{Contexts, Pair, Progress, Side};

/// What the server of the second connection does with early data.
#[expect(clippy::exhaustive_enums, reason = "tests list every answer")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It takes it.
    Accepts,
    /// It does not know the session: a full handshake.
    ForgotSession,
    /// It resumes the session, but speaks another application protocol.
    OtherProtocol,
    /// It asks for another group by a HelloRetryRequest.
    Retries,
    /// It permits no early data any more.
    SwitchedOff,
}

impl Answer {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Accepts,
        Self::ForgotSession,
        Self::OtherProtocol,
        Self::Retries,
        Self::SwitchedOff,
    ];

    /// Those that reject.
    pub const REJECTIONS: [Self; 4] = [
        Self::ForgotSession,
        Self::OtherProtocol,
        Self::Retries,
        Self::SwitchedOff,
    ];
}

/// A pair whose client has a session that permits `limit` bytes of early data, and whose server
/// answers as told; both keep the write contract by `settings`.
#[must_use]
pub fn early_pair(answer: Answer, limit: u32, settings: Settings) -> Pair {
    let contexts = early_contexts(limit, settings);
    let (client, server) = with_session(&contexts, answer);
    Pair::new(&client, &server, &contexts)
}

/// The contexts of such pairs.
#[must_use]
pub fn early_contexts(limit: u32, settings: Settings) -> Contexts {
    Contexts::new()
        .settings(settings)
        .danger_early_data(limit)
        .half_rtt()
        .client_alpn(&[b"one", b"two"])
        .server_alpn(&[b"one"])
        .groups(
            &[NamedGroup::X25519, NamedGroup::secp256r1],
            &[NamedGroup::X25519],
        )
}

/// A client that has a session for early data, and a server that answers as told.
#[must_use]
pub fn with_session(contexts: &Contexts, answer: Answer) -> (Client, Server) {
    let settings = |role: Settings| role.danger_early_data(EarlyData::Replayable);
    let (client, _) = contexts.build();
    let config = contexts.server_config();
    let known = Server::new(config.clone()).with_settings(settings(Settings::default()));

    let mut first = Pair::new(&client, &known, contexts);
    first.handshake();
    assert_eq!(
        first.exchange(Side::Server, b"tickets first"),
        b"tickets first"
    );
    first.close();

    let mut second = match answer {
        Answer::Retries => {
            let groups = [NamedGroup::secp256r1];
            contexts.clone().groups(&groups, &groups).server_config()
        }
        Answer::Accepts | Answer::ForgotSession | Answer::OtherProtocol | Answer::SwitchedOff => {
            contexts.server_config()
        }
    };
    match answer {
        Answer::ForgotSession => {}
        Answer::Accepts | Answer::OtherProtocol | Answer::Retries | Answer::SwitchedOff => {
            second.session_storage = config.session_storage;
        }
    }
    if answer != Answer::Accepts {
        // Who rejects counts bytes on the wire, of which there are more.
        second.max_early_data_size = 1 << 24;
    }
    if answer == Answer::OtherProtocol {
        second.alpn_protocols = vec![b"two".to_vec()];
    }
    let server_settings = contexts.build().1.settings();
    let server_settings = match answer {
        Answer::SwitchedOff => server_settings.danger_early_data(EarlyData::Off),
        Answer::Accepts | Answer::ForgotSession | Answer::OtherProtocol | Answer::Retries => {
            server_settings
        }
    };
    (client, Server::new(second).with_settings(server_settings))
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
