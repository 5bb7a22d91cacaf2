//! The contexts that schedules run on, made once a thread.
//!
//! The same schedule always puts the same bytes on the wire, in whichever process: the cryptography
//! is seeded, from the same seed for each schedule, and a session is resumed only where the schedule
//! says so. Otherwise a schedule that failed could pass when it is run again.

use offwire::rustls::client::Resumption;
use offwire::rustls::{ClientConfig, NamedGroup};
use offwire::{Client, ProtocolVersion, Server};

use super::{Authentication, Schedule};
use crate::certificates::{Identity, Kind};
use crate::contexts::{Contexts, Suite};
use crate::insecure::DangerSeededForTests;
use crate::pair::{Pair, Side};

/// What every schedule's client and server draw from.
const SEEDS: [u64; 2] = [1, 2];

/// What the engines of every schedule are made from, and where both sides' randomness comes from.
struct Made {
    sides: [DangerSeededForTests; 2],
    kinds: Vec<MadeKind>,
}

/// What the engines of some schedules are made from.
struct MadeKind {
    version: ProtocolVersion,
    suite: Suite,
    authentication: Authentication,
    /// For [`Authentication::Resumed`]: each connection has sessions of its own.
    config: ClientConfig,
    client: Client,
    server: Server,
}

thread_local! {
    /// Of each thread: schedules that run at the same time must not draw from one generator.
    static MADE: Made = Made::new();
}

/// A fresh pair for a schedule.
pub(super) fn pair(schedule: &Schedule) -> Pair {
    MADE.with(|made| made.pair(schedule))
}

impl Made {
    fn new() -> Self {
        let sides = SEEDS.map(DangerSeededForTests::new);
        let mut kinds = Vec::new();
        for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
            for suite in Suite::ALL {
                for authentication in Authentication::ALL {
                    kinds.push(MadeKind::new(version, suite, authentication, sides));
                }
            }
        }
        Self { sides, kinds }
    }

    fn pair(&self, schedule: &Schedule) -> Pair {
        let wanted = (schedule.version, schedule.suite, schedule.authentication);
        let made = self
            .kinds
            .iter()
            .find(|made| (made.version, made.suite, made.authentication) == wanted)
            .unwrap();
        for (side, seed) in self.sides.iter().zip(SEEDS) {
            side.reseed(seed);
        }
        let client = match made.authentication {
            Authentication::Server | Authentication::Mutual => made.client.clone(),
            Authentication::Resumed => made.with_a_session(),
        };
        let [client_settings, server_settings] = schedule.settings;
        let client = client.with_settings(client_settings);
        let server = made.server.clone().with_settings(server_settings);
        Pair::new(&client, &server, &Contexts::new())
    }
}

impl MadeKind {
    fn new(
        version: ProtocolVersion,
        suite: Suite,
        authentication: Authentication,
        sides: [DangerSeededForTests; 2],
    ) -> Self {
        let mut contexts = Contexts::new()
            .version(version)
            .suite(suite)
            .group(NamedGroup::X25519)
            .reseeded_crypto(sides)
            .tickets(1);
        if authentication == Authentication::Mutual {
            contexts = contexts
                .client_identity(Identity::client(Kind::Ed25519))
                .client_auth();
        }
        let mut config = contexts.client_config();
        config.resumption = Resumption::disabled();
        let (_, server) = contexts.build();
        Self {
            version,
            suite,
            authentication,
            client: Client::new(config.clone()),
            config,
            server,
        }
    }

    /// A client that has connected to the server before.
    fn with_a_session(&self) -> Client {
        let mut config = self.config.clone();
        config.resumption = Resumption::in_memory_sessions(1);
        let client = Client::new(config);
        let mut earlier = Pair::new(&client, &self.server, &Contexts::new());
        earlier.handshake();
        earlier.exchange(Side::Server, b"behind the ticket");
        client
    }
}
