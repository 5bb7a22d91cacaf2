//! Opens thousands of TLS connections to `https_server` or `echo_server`, from one thread, and
//! counts what comes back.
//!
//! ```sh
//! cargo run --release -p offwire-mio --example https_server -- --cert-out ca.pem
//! cargo run --release -p offwire-mio --example load -- --connections 9000
//! ```
//!
//! Every connection shakes hands, exchanges messages, idles, exchanges another one and closes. Some
//! may misbehave on demand; the others must not notice. What to speak is agreed on by ALPN.

extern crate alloc;

mod client;
mod crowd;
mod moves;
#[path = "../support/mod.rs"]
mod support;
mod talk;

use core::net::SocketAddr;
use core::time::Duration;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use client::Kind;
use crowd::Crowd;
use support::process::most_connections;
use support::{ADDRESS, CERTIFICATE, Failure, seconds};
use talk::Protocol;

/// Opens thousands of TLS connections to a server, talks on each, and counts what comes back
#[derive(Debug, Parser)]
struct Arguments {
    /// How many connections to open, misbehaving ones included
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    connections: usize,
    /// The server's address
    #[arg(long, value_name = "ADDR", default_value = ADDRESS)]
    server: SocketAddr,
    /// The certificate to trust, as PEM
    #[arg(long, value_name = "FILE", default_value = CERTIFICATE)]
    ca: PathBuf,
    /// The name to verify
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    name: String,
    /// What to speak, if the server does not say
    #[arg(long, value_enum, value_name = "PROTOCOL", default_value_t = Speak::Http)]
    speak: Speak,
    /// The server's process: its resident memory is printed
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// The length of a message to be echoed
    #[arg(long, value_name = "BYTES", default_value_t = 1_024,
        value_parser = clap::value_parser!(u64).range(1..=talk::LARGEST_MESSAGE))]
    bytes: u64,
    /// How many messages each connection exchanges before it idles
    #[arg(long, value_name = "N", default_value_t = 2)]
    rounds: usize,
    /// How long all of them idle
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    idle: Duration,
    /// The most handshakes at once
    #[arg(long, value_name = "N", default_value_t = 128,
        value_parser = clap::value_parser!(u16).range(1..))]
    at_once: u16,
    /// Give up when nothing has happened for so long
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    patience: Duration,
    /// Connections that send without reading until all others are done
    #[arg(long, value_name = "N", default_value_t = 0)]
    slow_readers: usize,
    /// Connections that send close_notify before they read the answer
    #[arg(long, value_name = "N", default_value_t = 0)]
    half_closers: usize,
    /// Connections that never say a whole record
    #[arg(long, value_name = "N", default_value_t = 0)]
    silent: usize,
    /// Connections that send garbage, before or after the handshake
    #[arg(long, value_name = "N", default_value_t = 0)]
    garbage: usize,
}

/// What to speak to a server that knows no ALPN.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Speak {
    Http,
    Echo,
}

impl Arguments {
    /// What each connection is like; those that misbehave are spread evenly.
    fn kinds(&self) -> Result<Vec<Kind>, Failure> {
        let misbehaving: Vec<_> = [
            (Kind::SlowReader, self.slow_readers),
            (Kind::HalfCloser, self.half_closers),
            (Kind::Silent, self.silent),
            (Kind::Garbage, self.garbage),
        ]
        .iter()
        .flat_map(|&(kind, count)| core::iter::repeat_n(kind, count))
        .collect();
        let mut kinds = vec![Kind::Polite; self.connections];
        if misbehaving.len() > kinds.len() {
            return Err("more connections misbehave than there are".into());
        }
        for (index, kind) in misbehaving.iter().enumerate() {
            let place = index * self.connections / misbehaving.len();
            if let Some(place) = kinds.get_mut(place) {
                *place = *kind;
            }
        }
        Ok(kinds)
    }

    fn protocol(&self) -> Protocol {
        match self.speak {
            Speak::Http => Protocol::Http,
            Speak::Echo => Protocol::Echo,
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let most = most_connections();
    if arguments.connections > most {
        return Err(format!("the limit of open files permits {most} connections only").into());
    }
    Crowd::new(arguments)?.run()
}

fn main() -> ExitCode {
    support::exit(run(&Arguments::parse()))
}
