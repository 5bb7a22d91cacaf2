//! Ports for servers that cannot let the system choose one, or do not say which it was.
//!
//! They get a port that was free a moment ago. Another process may have taken it meanwhile; then
//! the server ends, and another port is tried.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::net::{TcpListener, TcpStream};
use std::process::{ChildStdout, Command};
use std::thread;
use std::time::Instant;

use crate::PATIENCE;
use crate::process::Process;

/// How many ports are tried.
const ATTEMPTS: usize = 10;

/// How often a server that says nothing is tried.
const POLL: Duration = Duration::from_millis(10);

/// Starts a server that says `ready` once it listens.
#[must_use]
pub fn start_on_a_free_port(
    ready: &str,
    mut command: impl FnMut(SocketAddr) -> Command,
) -> (Process, SocketAddr) {
    for _ in 0..ATTEMPTS {
        let address = free_address();
        let process = Process::start(&mut command(address));
        if process.says(ready) {
            return (process, address);
        }
    }
    panic!("no server came up on any of {ATTEMPTS} ports");
}

/// Starts a server that says nothing at all, with its stdout, and connects to it.
#[must_use]
pub fn start_silent_server(
    mut command: impl FnMut(SocketAddr) -> Command,
) -> (Process, ChildStdout, TcpStream) {
    for _ in 0..ATTEMPTS {
        let address = free_address();
        let (mut process, stdout) = Process::start_piped(&mut command(address));
        let end = Instant::now() + PATIENCE;
        while !process.has_ended() {
            match TcpStream::connect(address) {
                // A port without a listener may be given to whoever connects to it: to itself.
                Ok(socket) if socket.local_addr().unwrap() == address => drop(socket),
                Ok(socket) => return (process, stdout, socket),
                Err(error) => assert!(Instant::now() < end, "{process:?}: {error}"),
            }
            thread::sleep(POLL);
        }
    }
    panic!("no server came up on any of {ATTEMPTS} ports");
}

/// A loopback address whose port is free now.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}
