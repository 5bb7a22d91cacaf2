//! Connections with early data: a client that has a session, and a server that knows it or not.

use offwire::rustls::NamedGroup;
use offwire::{Client, EarlyData, Server, Settings};

use crate::contexts::Contexts;
use crate::pair::{Pair, Side};

/// What the server of the second connection does with early data.
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

/// Contexts for such connections: `limit` bytes of early data, half-RTT data, and what every
/// [`Answer`] needs; both sides keep the write contract by `settings`.
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

/// A client that has a session for early data, and a server that answers as told; `contexts` as
/// [`early_contexts`] makes them.
///
/// # Panics
/// If the first connection, which the session is from, fails.
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
