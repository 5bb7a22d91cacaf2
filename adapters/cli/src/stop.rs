//! The end of `serve`: which connections are open, and how they learn that it is over.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::time::Duration;
use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The connections of a server, shared by their threads and the signal's. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    left: Condvar,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    admitted: u64,
    open: BTreeMap<u64, TcpStream>,
}

/// Whether connections are still admitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    #[default]
    Serving,
    Stopping,
}

/// One connection; it counts as open until this is dropped.
#[derive(Debug)]
pub(crate) struct Admission {
    number: u64,
    connections: Connections,
}

impl Connections {
    /// Admits a connection; `None` once the server is stopping, or if the system refuses.
    pub(crate) fn admit(&self, socket: &TcpStream) -> Option<Admission> {
        let socket = socket.try_clone().ok()?;
        let mut state = self.lock();
        match state.phase {
            Phase::Stopping => None,
            Phase::Serving => {
                state.admitted += 1;
                let number = state.admitted;
                state.open.insert(number, socket);
                Some(Admission {
                    number,
                    connections: self.clone(),
                })
            }
        }
    }

    /// Admits no more, and lets every open connection read the end of its transport.
    ///
    /// Only reading ends: each thread still sends its close_notify.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.phase = Phase::Stopping;
        for socket in state.open.values() {
            // One that is no longer connected is about to leave anyway.
            let _ = socket.shutdown(Shutdown::Read);
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// How many were admitted so far.
    pub(crate) fn admitted(&self) -> u64 {
        self.lock().admitted
    }

    /// Waits until all have left, but no longer than this.
    pub(crate) fn wait(&self, patience: Duration) {
        let open = |state: &mut State| !state.open.is_empty();
        drop(self.0.left.wait_timeout_while(self.lock(), patience, open));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission {
    /// Counts from one.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether the server is stopping.
    pub(crate) fn phase(&self) -> Phase {
        self.connections.phase()
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.connections.lock().open.remove(&self.number);
        self.connections.0.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    use super::{Connections, Phase};

    #[test]
    fn stopping_ends_the_reads_of_open_connections_and_admits_no_more() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        let connections = Connections::default();
        let admission = connections.admit(&far).unwrap();
        assert_eq!((admission.number(), admission.phase()), (1, Phase::Serving));

        connections.stop();
        assert_eq!(far.read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(admission.phase(), Phase::Stopping);
        assert!(connections.admit(&far).is_none());

        drop(admission);
        connections.wait(Duration::from_secs(3_600)); // returns at once: none is open
        assert_eq!(connections.admitted(), 1);
    }
}
