//! Sends back what it gets, to thousands of connections on one thread.
//!
//! ```sh
//! cargo run --release -p offwire-mio --example echo_server -- --cert-out ca.pem
//! openssl s_client -connect 127.0.0.1:4433 -CAfile ca.pem -quiet
//! cargo run --release -p offwire-mio --example load -- --connections 9000
//! ```

extern crate alloc;

mod support;

use std::process::ExitCode;

use clap::Parser;
use mio::net::TcpStream;
use offwire::{Read, Write};
use offwire_mio::{Error, TlsSource};

use support::connection::{Service, TURN, Turn};
use support::server::{self, Options};

/// Sends back over TLS what it gets, to thousands of connections on one thread
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

/// What is read is looked at, sent, and only then taken: while a write is blocked nothing more is
/// read, and the engine itself keeps the bytes that the repeated write needs.
struct Echo;

impl Service for Echo {
    type Session = ();

    fn serve(
        &self,
        source: &mut TlsSource<TcpStream>,
        (): &mut (),
        scratch: &mut [u8],
    ) -> Result<Turn, Error> {
        for _ in 0..TURN {
            let n = match source.peek(scratch)? {
                Read::Read(n) => n,
                Read::NeedRead | Read::NeedWrite => return Ok(Turn::Idle),
                Read::Closed | Read::Truncated => return Ok(Turn::Finished),
            };
            let record = scratch.get_mut(..n).unwrap_or_default();
            match source.write(record)? {
                Write::NeedRead | Write::NeedWrite => return Ok(Turn::Blocked),
                // These very bytes again, from the engine.
                Write::Written(_) => match source.read(record)? {
                    Read::Read(_) => {}
                    Read::NeedRead | Read::NeedWrite | Read::Closed | Read::Truncated => {
                        return Ok(Turn::Finished);
                    }
                },
            }
        }
        Ok(Turn::Again)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::exit(server::run(&arguments.options, support::ECHO, Echo))
}
