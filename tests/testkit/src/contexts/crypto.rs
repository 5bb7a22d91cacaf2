//! Which cryptography the contexts have: aws-lc-rs's, a seeded one, or none; and what each needs
//! for certificates, for a clock and for tickets.

use alloc::sync::Arc;

use offwire::ProtocolVersion;
use offwire::rustls::crypto::{CryptoProvider, aws_lc_rs};
use offwire::rustls::server::danger::ClientCertVerifier;
use offwire::rustls::server::{NoClientAuth, ProducesTickets, WebPkiClientVerifier};
use offwire::rustls::sign::SingleCertAndKey;
use offwire::rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use offwire::rustls::version::{TLS12, TLS13};
use offwire::rustls::{ClientConfig, NamedGroup, ServerConfig, SupportedProtocolVersion};

use super::{ClientAuth, Contexts};
use crate::certificates::{Authority, Identity, Usage};
use crate::insecure::{
    DangerSeededForTests, NullCertificate, NullTicketer, NullVerifier, StoppedClock,
    danger_null_provider_for_tests,
};

/// Where the contexts' cryptography comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Crypto {
    /// aws-lc-rs.
    Real,
    /// aws-lc-rs, and what is random from this seed.
    Seeded(u64),
    /// The same from the client's and the server's own, which a test may seed again.
    Reseeded([DangerSeededForTests; 2]),
    /// Nowhere.
    Null,
}

/// One side's cryptography.
struct Source {
    provider: CryptoProvider,
    clock: Arc<dyn TimeProvider>,
    ticketer: Arc<dyn ProducesTickets>,
}

impl Contexts {
    /// The client's configuration with its certificate, if it has one.
    pub(super) fn client_certified(&self) -> ClientConfig {
        let source = self.source(Usage::Client);
        let builder = ClientConfig::builder_with_details(Arc::new(source.provider), source.clock);
        let builder = match &self.ech {
            None => builder.with_protocol_versions(&self.protocol_versions()),
            Some(mode) => builder.with_ech(mode.clone()),
        };
        let builder = builder.unwrap();
        let builder = match self.crypto {
            Crypto::Null => {
                let verifier = Arc::new(NullVerifier(ClientAuth::None));
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(verifier)
            }
            Crypto::Real | Crypto::Seeded(_) | Crypto::Reseeded(_) => {
                builder.with_root_certificates(self.authority().roots())
            }
        };
        match (self.crypto, &self.client_identity) {
            (_, None) => builder.with_no_client_auth(),
            (Crypto::Null, Some(_)) => {
                let certified = SingleCertAndKey::from(NullCertificate::certified());
                builder.with_client_cert_resolver(Arc::new(certified))
            }
            (Crypto::Real | Crypto::Seeded(_) | Crypto::Reseeded(_), Some(identity)) => {
                let identity = self.presented(identity, Usage::Client);
                builder
                    .with_client_auth_cert(identity.chain().to_vec(), identity.key())
                    .unwrap()
            }
        }
    }

    /// The server's configuration with its certificate, and with its ticketer if it sends tickets
    /// that it does not keep itself.
    pub(super) fn server_certified(&self) -> ServerConfig {
        let source = self.source(Usage::Server);
        let provider = Arc::new(source.provider);
        let verifier = self.client_verifier(&provider);
        let builder = ServerConfig::builder_with_details(provider, source.clock)
            .with_protocol_versions(&self.protocol_versions())
            .unwrap()
            .with_client_cert_verifier(verifier);
        let mut config = match self.crypto {
            Crypto::Null => {
                let certified = SingleCertAndKey::from(NullCertificate::certified());
                builder.with_cert_resolver(Arc::new(certified))
            }
            Crypto::Real | Crypto::Seeded(_) | Crypto::Reseeded(_) => {
                let identity = self.presented(&self.server_identity, Usage::Server);
                builder
                    .with_single_cert(identity.chain().to_vec(), identity.key())
                    .unwrap()
            }
        };
        if self.tickets > 0 && self.early_data == 0 {
            config.ticketer = source.ticketer;
        }
        config
    }

    fn client_verifier(&self, provider: &Arc<CryptoProvider>) -> Arc<dyn ClientCertVerifier> {
        if let Crypto::Null = self.crypto {
            return Arc::new(NullVerifier(self.client_auth));
        }
        let roots = self.authority().roots();
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider));
        match self.client_auth {
            ClientAuth::None => Arc::new(NoClientAuth),
            ClientAuth::Optional => verifier.allow_unauthenticated().build().unwrap(),
            ClientAuth::Required => verifier.build().unwrap(),
        }
    }

    /// Who issued what the peers present.
    fn authority(&self) -> &'static Authority {
        match self.crypto {
            Crypto::Real | Crypto::Null => Authority::shared(),
            Crypto::Seeded(_) | Crypto::Reseeded(_) => Authority::fixed(),
        }
    }

    /// The certificate that is presented where this one was asked for: fresh ones differ from
    /// process to process, and only Ed25519 signs the same twice.
    fn presented(&self, asked_for: &Identity, usage: Usage) -> Identity {
        match self.crypto {
            Crypto::Real | Crypto::Null => asked_for.clone(),
            Crypto::Seeded(_) | Crypto::Reseeded(_) => Identity::fixed(usage),
        }
    }

    fn source(&self, usage: Usage) -> Source {
        let groups = match usage {
            Usage::Client => &self.client_groups,
            Usage::Server => &self.server_groups,
        };
        let (mut provider, clock, ticketer): (_, Arc<dyn TimeProvider>, _) = match self.crypto {
            Crypto::Real => (
                aws_lc_rs::default_provider(),
                Arc::new(DefaultTimeProvider),
                aws_lc_rs::Ticketer::new().unwrap(),
            ),
            Crypto::Seeded(seed) => {
                let seeded = DangerSeededForTests::new(match usage {
                    Usage::Client => seed,
                    Usage::Server => !seed,
                });
                (seeded.provider(), Arc::new(StoppedClock), seeded.ticketer())
            }
            Crypto::Reseeded([client, server]) => {
                let seeded = match usage {
                    Usage::Client => client,
                    Usage::Server => server,
                };
                (seeded.provider(), Arc::new(StoppedClock), seeded.ticketer())
            }
            Crypto::Null => {
                return Source {
                    provider: danger_null_provider_for_tests(),
                    clock: Arc::new(StoppedClock),
                    ticketer: Arc::new(NullTicketer),
                };
            }
        };
        let wanted = self.suite.numbers();
        provider
            .cipher_suites
            .retain(|suite| wanted.contains(&suite.suite()));
        if !groups.is_empty() {
            let all = match self.crypto {
                Crypto::Real => aws_lc_rs::ALL_KX_GROUPS.to_vec(),
                Crypto::Seeded(_) | Crypto::Reseeded(_) | Crypto::Null => {
                    provider.kx_groups.clone()
                }
            };
            let find = |name: &NamedGroup| all.iter().find(|group| group.name() == *name).copied();
            provider.kx_groups = groups.iter().map(|name| find(name).unwrap()).collect();
        }
        Source {
            provider,
            clock,
            ticketer,
        }
    }

    fn protocol_versions(&self) -> Vec<&'static SupportedProtocolVersion> {
        let versions = self.versions.iter().map(|version| match version {
            ProtocolVersion::Tls12 => &TLS12,
            ProtocolVersion::Tls13 => &TLS13,
        });
        versions.collect()
    }
}
