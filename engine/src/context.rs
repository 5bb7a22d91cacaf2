//! `Client` and `Server`: what many engines share; `Settings`: how they keep the write contract.
//!
//! They correspond to OpenSSL's `SSL_CTX`, `SSL_CTX_set_mode(3)` included. Nothing here knows of
//! bytes; rustls's configuration is taken as its users know it.

use alloc::sync::Arc;
use core::fmt;

use rustls::pki_types::ServerName;

use crate::engine::Engine;
use crate::error::Error;
use crate::record::{LARGEST_INCOMING_RECORD, LARGEST_OUTGOING_RECORD};
use crate::tls::handshake::Handshake;

/// Whether a write must take everything (`SSL_MODE_ENABLE_PARTIAL_WRITE`).
#[expect(clippy::exhaustive_enums, reason = "the manual knows two modes")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteMode {
    /// `Written(n)` only once all of the buffer is written.
    #[default]
    Whole,
    /// At most one record a call, as `SSL_write(3)` says: "A partial write is performed with the
    /// size of a message block".
    Partial,
}

/// When a write counts as done, which in OpenSSL depends on the BIO.
#[expect(clippy::exhaustive_enums, reason = "a BIO buffers or it does not")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Completion {
    /// When it is sealed into the outgoing queue, as with a buffering BIO (a BIO pair).
    #[default]
    Queued,
    /// When its records have left through `sent`, as with a socket BIO. An adapter then needs no
    /// memory of its own.
    Sent,
}

/// How the retry of a blocked write is compared with what was committed.
#[expect(clippy::exhaustive_enums, reason = "there is nothing else to compare")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetryCheck {
    /// By length, and by content for at least the committed bytes that may still be unsent.
    #[default]
    Contents,
    /// By length alone.
    Length,
}

/// How an engine keeps the write contract, and its bounds in bytes.
///
/// ```
/// use offwire::{Settings, WriteMode};
///
/// let settings = Settings::default().write_mode(WriteMode::Partial).outgoing_limit(1);
/// assert_eq!(settings.effective_outgoing_limit(), 16_413); // raised to one largest record
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    write_mode: WriteMode,
    completion: Completion,
    retry_check: RetryCheck,
    outgoing_limit: u32,
    incoming_limit: u32,
}

impl Default for Settings {
    /// `Whole`, `Queued`, `Contents`, and four full records each way.
    fn default() -> Self {
        Self {
            write_mode: WriteMode::default(),
            completion: Completion::default(),
            retry_check: RetryCheck::default(),
            outgoing_limit: clamp(4 * LARGEST_OUTGOING_RECORD, LARGEST_OUTGOING_RECORD),
            incoming_limit: clamp(4 * LARGEST_INCOMING_RECORD, LARGEST_INCOMING_RECORD),
        }
    }
}

impl Settings {
    /// Sets whether a write must take everything.
    #[must_use]
    pub fn write_mode(self, write_mode: WriteMode) -> Self {
        Self { write_mode, ..self }
    }

    /// Sets when a write counts as done.
    #[must_use]
    pub fn completion(self, completion: Completion) -> Self {
        Self { completion, ..self }
    }

    /// Sets how the retry of a blocked write is checked.
    #[must_use]
    pub fn retry_check(self, retry_check: RetryCheck) -> Self {
        Self {
            retry_check,
            ..self
        }
    }

    /// Sets the most ciphertext, in bytes, that may wait in `outgoing()`.
    ///
    /// Raised to one largest record (16,413 bytes), lowered to 1 GiB. 128 bytes more are reserved
    /// for alerts and KeyUpdates.
    #[must_use]
    pub fn outgoing_limit(self, bytes: usize) -> Self {
        Self {
            outgoing_limit: clamp(bytes, LARGEST_OUTGOING_RECORD),
            ..self
        }
    }

    /// Sets the most ciphertext, in bytes, that the engine takes before it is read.
    ///
    /// Raised to one largest record (18,437 bytes), lowered to 1 GiB. During the handshake the
    /// bound is at least 128 KiB, since certificates must arrive whole.
    #[must_use]
    pub fn incoming_limit(self, bytes: usize) -> Self {
        Self {
            incoming_limit: clamp(bytes, LARGEST_INCOMING_RECORD),
            ..self
        }
    }

    /// Whether a write must take everything.
    #[must_use]
    pub fn effective_write_mode(self) -> WriteMode {
        self.write_mode
    }

    /// When a write counts as done.
    #[must_use]
    pub fn effective_completion(self) -> Completion {
        self.completion
    }

    /// How the retry of a blocked write is checked.
    #[must_use]
    pub fn effective_retry_check(self) -> RetryCheck {
        self.retry_check
    }

    /// The bound of `outgoing()` in bytes, as it is enforced.
    #[must_use]
    pub fn effective_outgoing_limit(self) -> usize {
        self.outgoing_limit as usize
    }

    /// The bound of the incoming queue in bytes, as it is enforced after the handshake.
    #[must_use]
    pub fn effective_incoming_limit(self) -> usize {
        self.incoming_limit as usize
    }
}

/// The largest limit that can be set; settings are copied with every engine and kept small.
const LARGEST_LIMIT: u32 = 1 << 30;

fn clamp(bytes: usize, least: usize) -> u32 {
    let bytes = bytes.max(least);
    u32::try_from(bytes).map_or(LARGEST_LIMIT, |bytes| bytes.min(LARGEST_LIMIT))
}

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
        let handshake = Handshake::client(Arc::clone(&self.config), server_name, sni)?;
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
        match Handshake::server(&self.config) {
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
