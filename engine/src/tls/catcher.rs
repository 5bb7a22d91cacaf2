//! A key log for one connection that keeps what rustls tells nobody else: the traffic secrets of a
//! server, and what keying material is exported from.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};

use rustls::KeyLog;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of the longest secret: that of SHA-384, and the master secret of TLS 1.2.
pub(super) const MAX_SECRET: usize = 48;

/// A secret that was caught, or a random value.
pub(crate) struct CaughtSecret {
    pub(super) bytes: Zeroizing<[u8; MAX_SECRET]>,
    pub(super) length: u8,
}

impl CaughtSecret {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length.into()).unwrap_or_default()
    }
}

/// Keeps secrets, and passes everything on to the configured key log.
pub(crate) struct SecretCatcher {
    configured: Arc<dyn KeyLog>,
    traffic: Option<Traffic>,
    exporter: Option<ForExporter>,
}

/// The traffic secrets of both directions.
#[derive(Default)]
struct Traffic {
    client: Caught,
    server: Caught,
}

/// What keying material is exported from, in either version.
#[derive(Default)]
struct ForExporter {
    /// `exporter_master_secret` (RFC 8446 section 7.1), or the master secret of TLS 1.2.
    secret: Caught,
    client_random: Caught,
}

impl SecretCatcher {
    /// A key log that keeps nothing yet.
    pub(crate) fn new(configured: Arc<dyn KeyLog>) -> Self {
        Self {
            configured,
            traffic: None,
            exporter: None,
        }
    }

    /// It shall keep the traffic secrets.
    pub(crate) fn with_traffic(self) -> Self {
        Self {
            traffic: Some(Traffic::default()),
            ..self
        }
    }

    /// It shall keep what keying material is exported from.
    pub(crate) fn with_exporter(self) -> Self {
        Self {
            exporter: Some(ForExporter::default()),
            ..self
        }
    }

    /// The client's and the server's first traffic secret, once rustls has derived both.
    pub(super) fn traffic(&self) -> Option<(CaughtSecret, CaughtSecret)> {
        let traffic = self.traffic.as_ref()?;
        traffic.client.secret().zip(traffic.server.secret())
    }

    /// The exporter's secret, or the master secret of TLS 1.2, and the client's random.
    pub(super) fn exporter(&self) -> Option<(CaughtSecret, CaughtSecret)> {
        let exporter = self.exporter.as_ref()?;
        exporter
            .secret
            .secret()
            .zip(exporter.client_random.secret())
    }

    fn caught(&self, label: &str) -> Option<&Caught> {
        match label {
            "CLIENT_TRAFFIC_SECRET_0" => self.traffic.as_ref().map(|traffic| &traffic.client),
            "SERVER_TRAFFIC_SECRET_0" => self.traffic.as_ref().map(|traffic| &traffic.server),
            "EXPORTER_SECRET" | "CLIENT_RANDOM" => {
                self.exporter.as_ref().map(|exporter| &exporter.secret)
            }
            _ => None,
        }
    }
}

impl KeyLog for SecretCatcher {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        if let Some(caught) = self.caught(label) {
            caught.keep(secret);
        }
        if let Some(exporter) = &self.exporter {
            exporter.client_random.keep(client_random);
        }
        if self.configured.will_log(label) {
            self.configured.log(label, client_random, secret);
        }
    }

    fn will_log(&self, label: &str) -> bool {
        self.caught(label).is_some() || self.configured.will_log(label)
    }
}

impl fmt::Debug for SecretCatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretCatcher")
            .field("configured", &self.configured)
            .finish_non_exhaustive()
    }
}

/// A secret behind a shared reference, without a lock: rustls's key log is `Sync`, though one
/// connection logs from one thread only.
struct Caught {
    bytes: [AtomicU8; MAX_SECRET],
    length: AtomicU8,
}

impl Caught {
    fn keep(&self, secret: &[u8]) {
        let Ok(length) = u8::try_from(secret.len()) else {
            return;
        };
        if secret.len() > MAX_SECRET {
            return;
        }
        for (kept, byte) in self.bytes.iter().zip(secret) {
            kept.store(*byte, Ordering::Relaxed);
        }
        self.length.store(length, Ordering::Release);
    }

    fn secret(&self) -> Option<CaughtSecret> {
        let length = self.length.load(Ordering::Acquire);
        let mut bytes = Zeroizing::new([0; MAX_SECRET]);
        for (byte, kept) in bytes.iter_mut().zip(&self.bytes) {
            *byte = kept.load(Ordering::Relaxed);
        }
        (length > 0).then_some(CaughtSecret { bytes, length })
    }
}

impl Default for Caught {
    fn default() -> Self {
        Self {
            bytes: [const { AtomicU8::new(0) }; MAX_SECRET],
            length: AtomicU8::new(0),
        }
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        for byte in &mut self.bytes {
            byte.get_mut().zeroize();
        }
    }
}
