//! The program `offwire`: TLS sessions from the command line, on the engine of the same name.
//!
//! `demo` shows a session with itself, `connect` is a client as `openssl s_client -quiet`, `serve`
//! a server as `openssl s_server`. This file picks the command and turns its result into a message
//! and an exit code.

extern crate alloc;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

mod args;
mod certificate;
mod connect;
mod demo;
mod duplex;
mod exit;
mod facts;
mod http;
mod identity;
mod ladder;
mod page;
mod records;
mod serve;
mod session;
mod show;
mod socket;
mod stop;
mod terminal;
mod tls_config;
mod transfer;
mod wire;

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Demo(demo) => demo::run(&demo),
        Command::Connect(connect) => connect::run(&connect),
        Command::Serve(serve) => serve::run(&serve),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                terminal::note(format_args!("offwire: {message}"));
            }
            ExitCode::from(failure.code())
        }
    }
}
