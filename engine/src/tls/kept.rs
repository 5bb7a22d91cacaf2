//! Which of rustls's secrets a connection keeps, by its role and its settings, and how it comes by
//! them: through a key log of its own.

use alloc::boxed::Box;
use alloc::sync::Arc;

use rustls::{ClientConfig, ServerConfig, SupportedCipherSuite};

use crate::error::Internal;
use crate::settings;
use crate::tls::catcher::SecretCatcher;
use crate::tls::exporter::Exporter;
use crate::tls::server_hello::ServerHelloReader;

/// What of rustls's secrets is kept for after the handshake.
pub(super) enum Kept {
    /// Nothing: a client's kernel connection derives what is needed.
    Nothing,
    /// A server's traffic secrets.
    Traffic(Arc<SecretCatcher>),
    /// What keying material is exported from, and a server's traffic secrets.
    Exporter(Arc<SecretCatcher>, Box<ServerHelloReader>),
}

impl Kept {
    /// What a client keeps, and the configuration that lets it.
    ///
    /// The configuration is copied if a key log goes into it; what is large in it is shared by
    /// reference counts.
    pub(super) fn from_client(
        config: Arc<ClientConfig>,
        exporter: settings::Exporter,
    ) -> (Arc<ClientConfig>, Self) {
        match exporter {
            settings::Exporter::Dropped => (config, Self::Nothing),
            settings::Exporter::Kept => {
                let mut config = ClientConfig::clone(&config);
                let catcher = Arc::new(SecretCatcher::new(config.key_log).with_exporter());
                config.key_log = Arc::<SecretCatcher>::clone(&catcher);
                (Arc::new(config), Self::Exporter(catcher, Box::default()))
            }
        }
    }

    /// What a server keeps, and the configuration that lets it.
    pub(super) fn from_server(
        config: &ServerConfig,
        exporter: settings::Exporter,
    ) -> (Arc<ServerConfig>, Self) {
        let mut config = config.clone();
        let catcher = SecretCatcher::new(config.key_log).with_traffic();
        let kept = match exporter {
            settings::Exporter::Dropped => {
                let catcher = Arc::new(catcher);
                config.key_log = Arc::<SecretCatcher>::clone(&catcher);
                Self::Traffic(catcher)
            }
            settings::Exporter::Kept => {
                let catcher = Arc::new(catcher.with_exporter());
                config.key_log = Arc::<SecretCatcher>::clone(&catcher);
                Self::Exporter(catcher, Box::default())
            }
        };
        (Arc::new(config), kept)
    }

    /// Takes the server's next record, all of it, sent or received.
    pub(super) fn read_server_record(&mut self, record: &[u8]) {
        match self {
            Self::Nothing | Self::Traffic(_) => {}
            Self::Exporter(_, reader) => reader.record(record),
        }
    }

    pub(super) const fn catcher(&self) -> Option<&Arc<SecretCatcher>> {
        match self {
            Self::Nothing => None,
            Self::Traffic(catcher) | Self::Exporter(catcher, _) => Some(catcher),
        }
    }

    /// What keying material is exported from, once the handshake is complete.
    pub(super) fn exporter(
        &self,
        suite: SupportedCipherSuite,
    ) -> Result<Option<Box<Exporter>>, Internal> {
        match self {
            Self::Nothing | Self::Traffic(_) => Ok(None),
            Self::Exporter(catcher, reader) => {
                Exporter::new(catcher, suite, reader.hello()).map(Some)
            }
        }
    }
}
