//! What outlives a connection so that the next one can resume: the sessions of both roles, the clock.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;

use offwire::rustls::NamedGroup;
use offwire::rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use offwire::rustls::pki_types::{ServerName, UnixTime};
use offwire::rustls::server::{ServerSessionMemoryCache, StoresServerSessions};
use offwire::rustls::time_provider::TimeProvider;

/// A client's sessions. Unlike rustls's own store it forgets which group a server chose: the runner
/// expects the first key share to be of the first group every time.
#[derive(Debug)]
pub(crate) struct Sessions {
    cache: ClientSessionMemoryCache,
    kept: AtomicUsize,
    early_data: AtomicU32,
}

impl Sessions {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            cache: ClientSessionMemoryCache::new(16),
            kept: AtomicUsize::new(0),
            early_data: AtomicU32::new(0),
        })
    }

    /// How many TLS 1.2 sessions were kept so far.
    pub(crate) fn kept(&self) -> usize {
        self.kept.load(Ordering::Relaxed)
    }

    /// How much early data the latest TLS 1.3 ticket permits, in bytes.
    pub(crate) fn early_data(&self) -> u32 {
        self.early_data.load(Ordering::Relaxed)
    }
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, _server_name: ServerName<'static>, _group: NamedGroup) {}

    fn kx_hint(&self, _server_name: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, server_name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.kept.fetch_add(1, Ordering::Relaxed);
        self.cache.set_tls12_session(server_name, value);
    }

    fn tls12_session(&self, server_name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.cache.tls12_session(server_name)
    }

    fn remove_tls12_session(&self, server_name: &ServerName<'static>) {
        self.cache.remove_tls12_session(server_name);
    }

    fn insert_tls13_ticket(
        &self,
        server_name: ServerName<'static>,
        value: Tls13ClientSessionValue,
    ) {
        self.early_data
            .store(value.max_early_data_size(), Ordering::Relaxed);
        self.cache.insert_tls13_ticket(server_name, value);
    }

    fn take_tls13_ticket(
        &self,
        server_name: &ServerName<'static>,
    ) -> Option<Tls13ClientSessionValue> {
        self.cache.take_tls13_ticket(server_name)
    }
}

/// A server's sessions, of which it is counted how many were kept.
#[derive(Debug)]
pub(crate) struct ServerSessions {
    cache: Arc<ServerSessionMemoryCache>,
    kept: AtomicUsize,
}

impl ServerSessions {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            cache: ServerSessionMemoryCache::new(16),
            kept: AtomicUsize::new(0),
        })
    }

    /// How many sessions were kept so far.
    pub(crate) fn kept(&self) -> usize {
        self.kept.load(Ordering::Relaxed)
    }
}

impl StoresServerSessions for ServerSessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.kept.fetch_add(1, Ordering::Relaxed);
        self.cache.put(key, value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.cache.get(key)
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.cache.take(key)
    }

    fn can_cache(&self) -> bool {
        self.cache.can_cache()
    }
}

/// A clock that the runner's flags can put forward.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead: AtomicU64,
}

impl Clock {
    /// Puts the clock forward, in seconds.
    pub(crate) fn advance(&self, seconds: u64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let now = UnixTime::now().as_secs().saturating_add(ahead);
        Some(UnixTime::since_unix_epoch(Duration::from_secs(now)))
    }
}
