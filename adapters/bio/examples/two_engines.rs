//! Two engines and nothing between them but a BIO pair of 4,096 bytes each way: a handshake, a
//! write of 100,000 bytes that blocks again and again, and the end, call by call.
//!
//! ```text
//! cargo run -p offwire-bio --example two_engines
//! ```
//!
//! A line shows whose call it was, what it answered, and how many bytes lie in the pair behind it.
//! Ends with a failure if a byte arrived wrong or a call did not get anywhere.

use core::error::Error;
use core::fmt::Debug;
use std::io::{self, StdoutLock, Write as _};
use std::process::ExitCode;

use offwire::{Handshake, Read, Shutdown, Write};
use offwire_bio::{BioHalf, BioPair};
use offwire_stream::Stream;
use offwire_testkit::Contexts;

/// Bytes that wait in each direction at most.
const CAPACITY: usize = 4_096;

/// Bytes of the large write: seven records.
const LEN: usize = 100_000;

/// More rounds than any step needs.
const ROUNDS: usize = 1_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run(&mut Ladder(io::stdout().lock())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "two_engines: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(ladder: &mut Ladder<'_>) -> Outcome<()> {
    let contexts = Contexts::new();
    let (client, server) = contexts.build();
    let BioPair { a, b } = BioPair::new(CAPACITY, CAPACITY);
    let mut ends = Ends {
        client: Stream::connect(&client, contexts.name(), a)?,
        server: Stream::accept(&server, b),
    };
    ladder.head()?;
    handshake(&mut ends, ladder)?;
    write(&mut ends, ladder)?;
    close(&mut ends, ladder)?;
    let stats = ends.client.engine().stats();
    writeln!(
        ladder.0,
        "\n{LEN} bytes arrived once and in order: {} records, {} bytes on the wire, through {CAPACITY}.",
        stats.records_sealed, stats.wire_sent,
    )?;
    Ok(())
}

fn handshake(ends: &mut Ends, ladder: &mut Ladder<'_>) -> Outcome<()> {
    for _ in 0..ROUNDS {
        let client = ends.client.handshake()?;
        ladder.client("handshake", client, ends)?;
        let server = ends.server.handshake()?;
        ladder.server("handshake", server, ends)?;
        if (client, server) == (Handshake::Complete, Handshake::Complete) {
            return Ok(());
        }
    }
    Err("the handshake does not get anywhere".into())
}

/// The client writes all at once; the server reads whatever has arrived, whenever that blocks.
fn write(ends: &mut Ends, ladder: &mut Ladder<'_>) -> Outcome<()> {
    let plaintext: Vec<u8> = (0..=250).cycle().take(LEN).collect();
    let mut received = Vec::with_capacity(LEN);
    for _ in 0..ROUNDS {
        let outcome = ends.client.write(&plaintext)?;
        ladder.client(&format!("write({LEN})"), outcome, ends)?;
        read_all(ends, ladder, &mut received)?;
        match outcome {
            Write::NeedRead | Write::NeedWrite => {}
            Write::Written(LEN) if received == plaintext => return Ok(()),
            Write::Written(_) => return Err("the bytes that arrived are not those sent".into()),
        }
    }
    Err("the write does not get anywhere".into())
}

fn read_all(ends: &mut Ends, ladder: &mut Ladder<'_>, received: &mut Vec<u8>) -> Outcome<()> {
    let mut buffer = [0; 16_384];
    loop {
        let outcome = ends.server.read(&mut buffer)?;
        ladder.server("read(16384)", outcome, ends)?;
        let Read::Read(n) = outcome else {
            return Ok(());
        };
        received.extend(buffer.iter().take(n));
    }
}

fn close(ends: &mut Ends, ladder: &mut Ladder<'_>) -> Outcome<()> {
    for _ in 0..ROUNDS {
        let client = ends.client.shutdown()?;
        ladder.client("shutdown", client, ends)?;
        let server = ends.server.shutdown()?;
        ladder.server("shutdown", server, ends)?;
        if (client, server) == (Shutdown::Complete, Shutdown::Complete) {
            return Ok(());
        }
    }
    Err("the shutdown does not get anywhere".into())
}

/// The two engines, each over its half of the pair.
struct Ends {
    client: Stream<BioHalf>,
    server: Stream<BioHalf>,
}

/// Draws a line for each call.
struct Ladder<'a>(StdoutLock<'a>);

impl Ladder<'_> {
    fn head(&mut self) -> io::Result<()> {
        self.row("client", "──▶", "◀──", "server")?;
        let (call, bytes) = ("─".repeat(29), "─".repeat(6));
        self.row(&call, &bytes, &bytes, &call)
    }

    fn client(&mut self, call: &str, outcome: impl Debug, ends: &Ends) -> io::Result<()> {
        self.call(&described(call, outcome), "", ends)
    }

    fn server(&mut self, call: &str, outcome: impl Debug, ends: &Ends) -> io::Result<()> {
        self.call("", &described(call, outcome), ends)
    }

    fn call(&mut self, client: &str, server: &str, ends: &Ends) -> io::Result<()> {
        let half = ends.client.transport();
        let (up, down) = (half.wpending(), half.pending());
        self.row(client, &up.to_string(), &down.to_string(), server)
    }

    fn row(&mut self, client: &str, up: &str, down: &str, server: &str) -> io::Result<()> {
        let line = format!("{client:<29} │ {up:>6} │ {down:>6} │ {server}");
        writeln!(self.0, "{}", line.trim_end())
    }
}

fn described(call: &str, outcome: impl Debug) -> String {
    format!("{call:<13} {outcome:?}")
}
