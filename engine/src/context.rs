//! `Client` and `Server`: what many engines share.
//!
//! They correspond to OpenSSL's `SSL_CTX`. Nothing here knows of bytes; rustls's configuration is
//! taken as its users know it.

use alloc::sync::Arc;
use core::fmt;

use rustls::pki_types::ServerName;

use crate::engine::Engine;
use crate::error::Error;
use crate::settings::Settings;
use crate::tls::handshake::Handshake;

/// What the client engines of one configuration share (OpenSSL: `SSL_CTX`). Cheap to clone.
#[derive(Clone)]
pub struct Client {
    config: Arc<rustls::ClientConfig>,
    settings: Settings,
}

impl Client {
    /// Takes a rustls configuration, with everything that it can be configured to do.
    ///
    /// `enable_secret_extraction` is set, since the engine takes the record layer over, and
    /// `enable_early_data` is cleared: 0-RTT is not supported yet.
    #[must_use]
    pub fn new(mut config: rustls::ClientConfig) -> Self {
        config.enable_secret_extraction = true;
        config.enable_early_data = false;
        Self {
            config: Arc::new(config),
            settings: Settings::default(),
        }
    }

    /// Sets the settings of the engines made from now on.
    #[must_use]
    pub fn with_settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// The settings of the engines made from now on.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Makes an engine in the client's role (OpenSSL: `SSL_set_connect_state(3)`).
    ///
    /// Nothing is emitted before the first verb. The peer's certificate is checked against
    /// `server_name`, which is sent as SNI if it is a DNS name.
    ///
    /// # Errors
    /// [`Error::Internal`] if rustls refuses the configuration or has no random bytes.
    pub fn connect(&self, server_name: ServerName<'static>) -> Result<Engine, Error> {
        let sni = match &server_name {
            ServerName::DnsName(name) if self.config.enable_sni => Some(name.as_ref().into()),
            ServerName::DnsName(_) | ServerName::IpAddress(_) | _ => None,
        };
        let handshake =
            Handshake::client(Arc::clone(&self.config), server_name, sni, &self.settings)?;
        Ok(Engine::handshaking(handshake, self.settings))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// What the server engines of one configuration share (OpenSSL: `SSL_CTX`). Cheap to clone.
#[derive(Clone)]
pub struct Server {
    config: Arc<rustls::ServerConfig>,
    settings: Settings,
}

impl Server {
    /// Takes a rustls configuration, with everything that it can be configured to do.
    ///
    /// `enable_secret_extraction` is set, since the engine takes the record layer over, and
    /// `max_early_data_size` is cleared: 0-RTT is not supported yet.
    #[must_use]
    pub fn new(mut config: rustls::ServerConfig) -> Self {
        config.enable_secret_extraction = true;
        config.max_early_data_size = 0;
        Self {
            config: Arc::new(config),
            settings: Settings::default(),
        }
    }

    /// Sets the settings of the engines made from now on.
    #[must_use]
    pub fn with_settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// The settings of the engines made from now on.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Makes an engine in the server's role (OpenSSL: `SSL_set_accept_state(3)`).
    ///
    /// A configuration that rustls refuses shows as [`Error::Internal`] from the first verb.
    #[must_use]
    pub fn accept(&self) -> Engine {
        match Handshake::server(&self.config, &self.settings) {
            Ok(handshake) => Engine::handshaking(handshake, self.settings),
            Err(error) => Engine::dead(error, self.settings),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
