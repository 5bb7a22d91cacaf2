//! The tables of what was measured.

use core::fmt::Write as _;

use offwire_peers::measured::Measured;

/// What was measured, to be asked.
pub(crate) struct Results(pub(crate) Vec<Measured>);

/// Which of it is asked for; a peer is added.
#[derive(Clone, Copy)]
pub(crate) struct Key<'a> {
    pub(crate) measure: &'a str,
    pub(crate) version: &'a str,
    pub(crate) suite: &'a str,
    pub(crate) size: usize,
    pub(crate) side: &'a str,
}

impl<'a> Key<'a> {
    /// Of TLS 1.3 with AES-128-GCM, and not of one side.
    pub(crate) fn new(measure: &'a str, size: usize) -> Self {
        let (version, suite, side) = ("1.3", "aes-128-gcm", "both");
        Self {
            measure,
            version,
            suite,
            size,
            side,
        }
    }

    pub(crate) fn of(measure: &'a str, side: &'a str) -> Self {
        Self {
            side,
            ..Self::new(measure, 0)
        }
    }
}

/// The peers of the tables, with the engine and its limit first.
pub(crate) const PEERS: [&str; 10] = [
    "raw",
    "offwire",
    "offwire-pool",
    "rustls-0.23",
    "rustls-0.23-unbuffered",
    "rustls-0.24-dev",
    "openssl",
    "openssl-bio-pair",
    "boringssl",
    "s2n-tls",
];

impl Results {
    pub(crate) fn line(&self, peer: &str, key: Key<'_>) -> Option<&Measured> {
        self.0.iter().find(|line| {
            line.peer == peer
                && line.measure == key.measure
                && line.version == key.version
                && line.suite == key.suite
                && line.size == key.size
                && line.side == key.side
        })
    }

    pub(crate) fn value(&self, peer: &str, key: Key<'_>) -> Option<f64> {
        self.line(peer, key).map(|line| line.value)
    }

    /// Sealing and opening together.
    pub(crate) fn both(&self, peer: &str, size: usize) -> Option<f64> {
        let seal = self.value(peer, Key::new("seal", size))?;
        Some(seal + self.value(peer, Key::new("open", size))?)
    }
}

/// A column: its heading, and the line behind it with the share that is shown of its value.
struct Column<'a> {
    heading: &'a str,
    key: Key<'a>,
    show: fn(f64, usize) -> String,
}

/// Gigabytes of plaintext a second.
fn speed(value: f64, size: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a write is far below 2^53")]
    let size = size as f64;
    format!("{:.2}", size / value)
}

fn microseconds(value: f64, _: usize) -> String {
    if value < 10_000.0 {
        format!("{:.3}", value / 1_000.0)
    } else {
        format!("{:.1}", value / 1_000.0)
    }
}

fn bytes(value: f64, _: usize) -> String {
    format!("{value:.0}")
}

/// Every table, in Markdown.
pub(crate) fn all(results: &Results) -> String {
    [
        bulk(results),
        suites(results),
        messages(results),
        memory(results),
    ]
    .join("\n")
}

fn of<'a>(
    heading: &'a str,
    measure: &'a str,
    size: usize,
    show: fn(f64, usize) -> String,
) -> Column<'a> {
    let key = Key::new(measure, size);
    Column { heading, key, show }
}

fn side<'a>(
    heading: &'a str,
    measure: &'a str,
    side: &'a str,
    show: fn(f64, usize) -> String,
) -> Column<'a> {
    let key = Key::of(measure, side);
    Column { heading, key, show }
}

fn bulk(results: &Results) -> String {
    let columns = [
        of("seal 1 KiB", "seal", 1_024, speed),
        of("seal 16 KiB", "seal", 16_384, speed),
        of("seal 64 KiB", "seal", 65_536, speed),
        of("open 1 KiB", "open", 1_024, speed),
        of("open 16 KiB", "open", 16_384, speed),
        of("open 64 KiB", "open", 65_536, speed),
    ];
    let heading = "Bulk, GB of plaintext a second of CPU, by the size of a write:";
    format!("{heading}\n\n{}", table(results, &columns))
}

fn suites(results: &Results) -> String {
    let column = |heading, measure, version, suite| {
        let key = Key::new(measure, 16_384);
        let key = Key {
            version,
            suite,
            ..key
        };
        Column {
            heading,
            key,
            show: speed,
        }
    };
    let (aes, chacha) = ("aes-256-gcm", "chacha20-poly1305");
    let columns = [
        column("seal AES-256", "seal", "1.3", aes),
        column("open AES-256", "open", "1.3", aes),
        column("seal ChaCha20", "seal", "1.3", chacha),
        column("open ChaCha20", "open", "1.3", chacha),
        column("seal 1.2", "seal", "1.2", "aes-128-gcm"),
        column("open 1.2", "open", "1.2", "aes-128-gcm"),
    ];
    let heading = "Other suites and TLS 1.2, 16 KiB, GB a second:";
    format!("{heading}\n\n{}", table(results, &columns))
}

fn messages(results: &Results) -> String {
    let old = |mut column: Column<'static>| {
        column.key.version = "1.2";
        column
    };
    let columns = [
        of("round trip", "trip", 100, microseconds),
        old(of("1.2", "trip", 100, microseconds)),
        side("full, client", "full", "client", microseconds),
        side("server", "full", "server", microseconds),
        side("resumed, client", "resumed", "client", microseconds),
        side("server", "resumed", "server", microseconds),
        old(side("full 1.2, client", "full", "client", microseconds)),
        old(side("server", "full", "server", microseconds)),
    ];
    let heading = "Round trips of 100 bytes and handshakes, microseconds of CPU:";
    format!("{heading}\n\n{}", table(results, &columns))
}

fn memory(results: &Results) -> String {
    let columns = [
        side("100 bytes: client", "memory-message", "client", bytes),
        side("server", "memory-message", "server", bytes),
        side("1 MiB: client", "memory-bulk", "client", bytes),
        side("server", "memory-bulk", "server", bytes),
        side("released: client", "memory-released", "client", bytes),
        side("server", "memory-released", "server", bytes),
        of("a trip of 100", "allocated", 100, bytes),
        of("of 16 KiB", "allocated", 16_384, bytes),
    ];
    let heading = "Bytes of a connection, client and server, and bytes allocated by a round trip:";
    format!("{heading}\n\n{}", table(results, &columns))
}

fn table(results: &Results, columns: &[Column<'_>]) -> String {
    let mut text = String::from("| |");
    for column in columns {
        let _ = write!(text, " {} |", column.heading);
    }
    text += "\n|---|";
    columns.iter().for_each(|_| text += "---:|");
    text.push('\n');
    for peer in PEERS {
        if columns
            .iter()
            .all(|column| results.line(peer, column.key).is_none())
        {
            continue;
        }
        let _ = write!(text, "| {peer} |");
        for column in columns {
            let _ = match results.line(peer, column.key) {
                Some(line) if line.unit == "ns" => write!(
                    text,
                    " {} ±{:.0}% |",
                    (column.show)(line.value, column.key.size),
                    line.spread * 50.0 // on each side
                ),
                Some(line) => write!(text, " {} |", (column.show)(line.value, column.key.size)),
                None => write!(text, " – |"),
            };
        }
        text.push('\n');
    }
    text
}
