//! The contexts that schedules run on, made once a process.
//!
//! Certificates, key exchange and sessions are chosen so that the same schedule always moves the
//! same number of bytes: Ed25519 signatures and X25519 shares have one length each, and a session is
//! resumed only where the schedule says so. Otherwise a schedule that failed could pass when it is
//! run again.

use std::sync::LazyLock;

use offwire::rustls::client::Resumption;
use offwire::rustls::{ClientConfig, NamedGroup};
use offwire::{Client, ProtocolVersion, Server};

use super::{Authentication, Schedule};
use crate::certificates::{Identity, Kind};
use crate::contexts::{Contexts, Suite};
use crate::pair::{Pair, Side};

/// What the engines of some schedules are made from.
struct Made {
    version: ProtocolVersion,
    suite: Suite,
    authentication: Authentication,
    /// For [`Authentication::Resumed`]: each connection has sessions of its own.
    config: ClientConfig,
    client: Client,
    server: Server,
}

/// A fresh pair for a schedule.
pub(super) fn pair(schedule: &Schedule) -> Pair {
    static MADE: LazyLock<Vec<Made>> = LazyLock::new(|| {
        let mut made = Vec::new();
        for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
            for suite in Suite::ALL {
                for authentication in Authentication::ALL {
                    made.push(make(version, suite, authentication));
                }
            }
        }
        made
    });
    let wanted = (schedule.version, schedule.suite, schedule.authentication);
    let made = MADE
        .iter()
        .find(|made| (made.version, made.suite, made.authentication) == wanted)
        .unwrap();
    let client = match made.authentication {
        Authentication::Server | Authentication::Mutual => made.client.clone(),
        Authentication::Resumed => with_a_session(made),
    };
    let [client_settings, server_settings] = schedule.settings;
    let client = client.with_settings(client_settings);
    let server = made.server.clone().with_settings(server_settings);
    Pair::new(&client, &server, &Contexts::new())
}

fn make(version: ProtocolVersion, suite: Suite, authentication: Authentication) -> Made {
    let mut contexts = Contexts::new()
        .version(version)
        .suite(suite)
        .group(NamedGroup::X25519)
        .server_identity(Identity::server(Kind::Ed25519))
        .tickets(1);
    if authentication == Authentication::Mutual {
        contexts = contexts
            .client_identity(Identity::client(Kind::Ed25519))
            .client_auth();
    }
    let mut config = contexts.client_config();
    config.resumption = Resumption::disabled();
    let (_, server) = contexts.build();
    Made {
        version,
        suite,
        authentication,
        client: Client::new(config.clone()),
        config,
        server,
    }
}

/// A client that has connected to the server before.
fn with_a_session(made: &Made) -> Client {
    let mut config = made.config.clone();
    config.resumption = Resumption::in_memory_sessions(1);
    let client = Client::new(config);
    let mut earlier = Pair::new(&client, &made.server, &Contexts::new());
    earlier.handshake();
    earlier.exchange(Side::Server, b"behind the ticket");
    client
}
