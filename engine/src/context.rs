//! `Client` and `Server`: what many engines share.
//!
//! They correspond to OpenSSL's `SSL_CTX`. Nothing here knows of bytes; rustls's configuration is
//! taken as its users know it.

use alloc::sync::Arc;
use core::fmt;

use rustls::pki_types::ServerName;

use crate::engine::Engine;
use crate::error::Error;
use crate::settings::{EarlyData, Settings};
use crate::tls::handshake::Handshake;

/// What the client engines of one configuration share (OpenSSL: `SSL_CTX`). Cheap to clone.
#[derive(Clone)]
pub struct Client {
    config: Arc<rustls::ClientConfig>,
    /// The same, with early data switched off.
    without_early_data: Arc<rustls::ClientConfig>,
    settings: Settings,
}

impl Client {
    /// Takes a rustls configuration, with everything that it can be configured to do.
    ///
    /// `enable_secret_extraction` is set, since the engine takes the record layer over.
    /// `enable_early_data` counts only together with [`Settings::danger_early_data`].
    #[must_use]
    pub fn new(mut config: rustls::ClientConfig) -> Self {
        config.enable_secret_extraction = true;
        let mut without_early_data = config.clone();
        without_early_data.enable_early_data = false;
        Self {
            config: Arc::new(config),
            without_early_data: Arc::new(without_early_data),
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
        let config = match self.settings.effective_early_data() {
            EarlyData::Off => &self.without_early_data,
            EarlyData::Replayable => &self.config,
        };
        let handshake = Handshake::client(Arc::clone(config), server_name, sni, &self.settings)?;
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
    /// The same, with early data switched off.
    without_early_data: Arc<rustls::ServerConfig>,
    settings: Settings,
}

impl Server {
    /// Takes a rustls configuration, with everything that it can be configured to do.
    ///
    /// `enable_secret_extraction` is set, since the engine takes the record layer over.
    /// `max_early_data_size` counts only together with [`Settings::danger_early_data`].
    #[must_use]
    pub fn new(mut config: rustls::ServerConfig) -> Self {
        config.enable_secret_extraction = true;
        let mut without_early_data = config.clone();
        without_early_data.max_early_data_size = 0;
        Self {
            config: Arc::new(config),
            without_early_data: Arc::new(without_early_data),
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
        let config = match self.settings.effective_early_data() {
            EarlyData::Off => &self.without_early_data,
            EarlyData::Replayable => &self.config,
        };
        match Handshake::server(config, &self.settings) {
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
