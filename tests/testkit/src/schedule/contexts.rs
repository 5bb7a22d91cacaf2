//! The contexts that schedules run on, made once a process.
//!
//! Certificates, key exchange and sessions are chosen so that the same schedule always moves the
//! same number of bytes: Ed25519 signatures and X25519 shares have one length each, and no session
//! is resumed. Otherwise a schedule that failed could pass when it is run again.

use std::sync::LazyLock;

use offwire::rustls::NamedGroup;
use offwire::rustls::client::Resumption;
use offwire::{Client, ProtocolVersion, Server};

use super::Schedule;
use crate::certificates::{Identity, Kind};
use crate::contexts::{Contexts, Suite};
use crate::pair::Pair;

/// A fresh pair for a schedule.
pub(super) fn pair(schedule: &Schedule) -> Pair {
    static MADE: LazyLock<Vec<(ProtocolVersion, Suite, Client, Server)>> = LazyLock::new(|| {
        let mut made = Vec::new();
        for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
            for suite in Suite::ALL {
                let (client, server) = make(version, suite);
                made.push((version, suite, client, server));
            }
        }
        made
    });
    let (_, _, client, server) = MADE
        .iter()
        .find(|(version, suite, ..)| (*version, *suite) == (schedule.version, schedule.suite))
        .unwrap();
    let [client_settings, server_settings] = schedule.settings;
    let client = client.clone().with_settings(client_settings);
    let server = server.clone().with_settings(server_settings);
    Pair::new(&client, &server, &Contexts::new())
}

fn make(version: ProtocolVersion, suite: Suite) -> (Client, Server) {
    let contexts = Contexts::new()
        .version(version)
        .suite(suite)
        .group(NamedGroup::X25519)
        .server_identity(Identity::server(Kind::Ed25519))
        .tickets(1);
    let mut config = contexts.client_config();
    config.resumption = Resumption::disabled();
    let (_, server) = contexts.build();
    (Client::new(config), server)
}
